//! Hints are true: what a message advises helps, and what the documentation promises is done.

use super::{Bench, drawn, rows};

fn numbers(bench: &Bench) {
    bench.write(
        "t.csv",
        rows("x,y,kind", 100, |row| {
            format!("{:.4},{:.4},{}", drawn(row, 1), drawn(row, 2), ["a", "b", "c"][row % 3])
        }),
    );
}

#[test]
fn bce_on_other_than_two_values_advises_what_suits_them() {
    let bench = Bench::new("hints_bce");
    for (cell, told) in [
        (&(|row: usize| format!("{:.4}", drawn(row, 2))) as &dyn Fn(usize) -> String, "use mse"),
        (&|row| row.to_string(), "use mse"),
        (&|row| (row % 3).to_string(), "use cross_entropy"),
        (&|row| ["a", "b", "c"][row % 3].into(), "use cross_entropy"),
        (&|row| format!("text {row}"), "leave it out"),
    ] {
        bench.write("t.csv", rows("x,y", 100, |row| format!("{:.4},{}", drawn(row, 1), cell(row))));
        let done = bench.awl("train t.csv --task y:bce --out run");
        assert_eq!(done.code, 2);
        done.says(&["\"y\"", "bce needs two", told]);
    }
    // A quantity whose numbers are not all written alike is no group of values.
    bench.write(
        "t.csv",
        rows("x,y", 100, |row| {
            format!(
                "{:.4},{}",
                drawn(row, 1),
                if row % 9 == 0 {
                    "soon".to_string()
                } else {
                    format!("\"1,{:03}.{row}\"", row * 7)
                }
            )
        }),
    );
    for loss in ["", ":cross_entropy", ":mse"] {
        let done = bench.awl(&format!("train t.csv --task y{loss} --out run"));
        assert_eq!(done.code, 2);
        done.says(&["\"y\""]).is_silent_of("group its values");
    }
}

#[test]
fn a_sign_of_sigma_is_taken_as_it_stands() {
    let bench = Bench::new("hints_sigma");
    numbers(&bench);
    for (number, start) in ["-1", "-1,1", "1,-0.5", "-2e-1", "=-1"].into_iter().enumerate() {
        let flag = if start.starts_with('=') {
            format!("--sigma-init{start}")
        } else {
            format!("--sigma-init {start}")
        };
        bench.train(&format!(
            "t.csv --task y:mse --task kind {flag} --epochs 2 --out run-{number} -q"
        ));
    }
    let done = bench.awl("train t.csv --task y:mse --sigma-init -x --out no");
    assert_eq!(done.code, 2);
    done.says(&["closed-form"]);
}

#[test]
fn a_run_that_was_out_of_patience_goes_on_when_it_is_told_to() {
    let bench = Bench::new("hints_patience");
    numbers(&bench);
    let (_, results) = bench.train("t.csv --task y:mse --epochs 400 --patience 2 --out run -q");
    let ended = results["epochs"].as_u64().expect("a number");
    assert!(ended < 400);
    // Without anything to go on with it says why, and what would help.
    let done = bench.succeed("train --resume run");
    done.says(&["the run has ended", "--epochs", "--patience 0"]);
    assert_eq!(bench.json_file("run/results.json")["epochs"], ended);
    let more = ended + 30;
    let done = bench.succeed(&format!("train --resume run --epochs {more}"));
    done.says(&["patience counts anew"]);
    let epochs = bench.json_file("run/results.json")["epochs"].as_u64().expect("a number");
    assert!(epochs > ended && epochs <= more, "{ended}, then {epochs} of {more}");
    bench.succeed(&format!("train --resume run --epochs {} --patience 0", epochs + 5));
    assert_eq!(bench.json_file("run/results.json")["epochs"], epochs + 5);
    let done = bench.succeed("train --resume run");
    done.says(&["all of its", "--epochs"]);
}

#[test]
fn a_configuration_finds_its_table_from_any_folder() {
    let bench = Bench::new("hints_folder");
    numbers(&bench);
    bench.train("t.csv --task y:mse --epochs 2 --out run -q");
    std::fs::create_dir(bench.path().join("elsewhere")).expect("a folder");
    let elsewhere = Bench { folder: bench.path().join("elsewhere") };
    elsewhere.succeed("train --config ../run/config.toml --out run -q");
    elsewhere.succeed("train --resume ../run --epochs 3 -q");
    let model = |path: &str| std::fs::read(bench.path().join(path)).expect("a model");
    assert_eq!(model("run/config.toml").len(), model("run/config.toml").len());
    // One that a person wrote, with the table beside it.
    elsewhere.write("run.toml", "[data]\npath = \"u.csv\"\n[train]\nepochs = 1\n[[task]]\ncolumns = [\"y\"]\nloss = \"mse\"\n");
    std::fs::copy(bench.path().join("t.csv"), bench.path().join("elsewhere/u.csv"))
        .expect("a copy");
    bench.succeed("train --config elsewhere/run.toml --out again -q");
    assert!(bench.path().join("again/model.safetensors").exists());
}

#[test]
fn a_loss_beyond_f32_advises_to_standardise_where_that_was_turned_off() {
    let bench = Bench::new("hints_standardise");
    bench.write(
        "t.csv",
        rows("x,y", 60, |row| format!("{:.4},{:e}", drawn(row, 1), 1e25 * drawn(row, 2))),
    );
    let done =
        bench.awl("train t.csv --task y:mse --no-standardize --hidden 8 --epochs 3 --out run");
    assert_eq!(done.code, 1, "{}", done.told);
    done.says(&["\"y\"", "standardise", "--no-standardize"]);
    bench.succeed("train t.csv --task y:mse --hidden 8 --epochs 3 --out good -q");
}

/// Whatever flag a message names must be one that the program has.
#[test]
fn every_flag_that_a_message_names_exists() {
    let bench = Bench::new("hints_flags");
    let help: String = ["train", "compare", "evaluate", "predict", "export", "bench", "doctor"]
        .map(|command| bench.succeed(&format!("{command} --help")).out)
        .concat();
    let sources =
        ["src/cli", "src/compare", "src/tables", "src/train", "src/error.rs", "src/export"];
    let mut named = std::collections::BTreeSet::new();
    for source in sources {
        flags_in(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(source), &mut named);
    }
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<&String> = named.iter().filter(|flag| !help.contains(*flag)).collect();
    assert!(missing.is_empty(), "messages name {missing:?}, which no command has");
}

/// The flags in the texts of a folder's sources.
fn flags_in(path: &std::path::Path, named: &mut std::collections::BTreeSet<String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder").flatten() {
            flags_in(&entry.path(), named);
        }
        return;
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // Tests hold flags that must not exist, and cargo's own.
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for piece in line.split("--").skip(1) {
            let name: String = piece
                .chars()
                .take_while(|sign| sign.is_ascii_lowercase() || *sign == '-')
                .collect();
            if name.len() > 2 && line.contains('"') && name != "features" {
                named.insert(format!("--{}", name.trim_end_matches('-')));
            }
        }
    }
}
