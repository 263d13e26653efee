//! The program `awl` as its users run it: a process with arguments, files and an exit status.

mod bad_input;
mod compare;
mod describe;
mod drills;
mod encoding;
mod folds;
mod losses;
mod members;
mod memory;
mod no_adapter;
mod noise;
mod options;
mod parity;
mod refit;
mod resume;
mod runs;
mod sigma;
mod splits;
mod start;
mod targets;
mod thresholds;
mod told;
mod uncertainty;
mod weights;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The table of penguins that the examples use: 344 rows, 11 of them without a sex.
pub const PENGUINS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins/penguins.csv");

/// An empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_awl"));
    command.args(arguments);
    // Mesa's drivers complain on standard error where it is unset.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"));
    }
    command
}

/// Runs the program in a folder.
pub fn awl(folder: &Path, arguments: &[&str]) -> Output {
    command(arguments).current_dir(folder).output().expect("the program runs")
}

/// Begins a run into `killed`, kills it after so many milliseconds, goes on and kills it again; then lets it end.
pub fn killed(folder: &Path, begin: &[&str], waits: &[u64]) -> PathBuf {
    let begin = [begin, &["--out", "killed"]].concat();
    let resume = ["train", "--resume", "killed", "--quiet", "--checkpoint-every", "0"];
    let run = folder.join("killed");
    let next = || if run.exists() { &resume[..] } else { &begin };
    for &wait in waits {
        let mut program = command(next());
        program.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = program.spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }
    succeed(folder, next());
    run
}

/// Begins a run, sends it Ctrl-C when this file is there, and waits until it has ended by itself with exit status 1; what it told.
#[cfg(unix)]
pub fn interrupted(folder: &Path, begin: &[&str], file: &str) -> String {
    let mut program = command(begin);
    program.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("the program starts");
    while !folder.join(file).exists() {
        assert_eq!(child.try_wait().expect("a child"), None, "it ended before it trained");
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = child.id().to_string();
    let kill = Command::new("kill").args(["-INT", &id]).status().expect("a signal");
    assert!(kill.success());
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    told
}

/// Runs it, and expects success; what it wrote to standard output.
pub fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = awl(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "awl {arguments:?}\n{told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The same, as JSON.
pub fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&succeed(folder, arguments)).expect("JSON")
}

/// The lines of a file of JSON lines.
pub fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
