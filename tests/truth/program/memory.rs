//! Sizes that the machine does not have the memory for: an error that says so, and nothing made.
#![cfg(target_os = "linux")]

use super::folder;
use std::fmt::Write as _;
use std::process::{Command, Output};

/// Runs the program with so many KiB of address space, of which the program itself takes a part.
fn limited(folder: &std::path::Path, kibibytes: usize, arguments: &[&str]) -> Output {
    let script = format!("ulimit -v {kibibytes}; exec \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_awl")]).args(arguments);
    shell.current_dir(folder).output().expect("a shell")
}

fn refused(output: &Output, told: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    for part in told {
        assert!(message.contains(part), "{part:?} should be in {message}");
    }
}

#[test]
fn networks_that_do_not_fit_are_refused_before_they_are_made() {
    let folder = folder("memory_networks");
    let mut table = String::from("x,y\n");
    (0..20).for_each(|row| writeln!(table, "{row},{}", 2 * row).expect("a line"));
    std::fs::write(folder.join("t.csv"), table).expect("a file");
    for sizes in [
        "--hidden 60000,60000",
        "--hidden 4000,4000",
        "--hidden 4000000000",
        "--hidden 600,600 --members 100",
        "--members 4000000000",
        "--folds 4000000000",
        "--repeats 4000000000",
    ] {
        let train = format!("train t.csv --task y:mse --engine reference --out run {sizes}");
        let output = limited(&folder, 1_000_000, &train.split(' ').collect::<Vec<_>>());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        refused(&output, &[]);
        let mut named = sizes.split([' ', ',']).chain(["narrower layers"]);
        assert!(named.any(|part| message.contains(part)), "{sizes}: {message}");
        assert!(!folder.join("run").exists(), "{sizes} left a run");
    }
}

#[test]
fn a_table_that_unpacks_to_more_than_there_is_free_is_refused() {
    let folder = folder("memory_table");
    let file = std::fs::File::create(folder.join("t.csv.gz")).expect("a file");
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, b"x,y\n").expect("a header");
    let cell = "a".repeat(100_000);
    for row in 0..5_000 {
        std::io::Write::write_all(&mut gzip, format!("{cell}{row},{row}\n").as_bytes())
            .expect("a row");
    }
    gzip.finish().expect("a file");
    let output = limited(&folder, 700_000, &["describe", "t.csv.gz", "--task", "y:mse"]);
    refused(&output, &["t.csv.gz: line ", "MiB of memory are free", "take a part of its rows"]);
}
