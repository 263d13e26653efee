//! Faults on purpose: after each the newest checkpoint loads and training goes on to the bits of a run that nothing happened to, or
//! the message says what survived.

use super::{awl, command, folder, lines, succeed};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// 24 rows of two numbers, a number and a class that follow from them: three steps an epoch.
fn table(folder: &Path) {
    let mut text = "a,b,y,kind\n".to_string();
    for row in 0..24 {
        let (a, b) = (row % 5, row % 7);
        let kind = if a > b { "more" } else { "less" };
        text += &format!("{a},{b},{},{kind}\n", 2 * a - b);
    }
    std::fs::write(folder.join("t.csv"), text).expect("a table");
}

const STEPS_AN_EPOCH: u64 = 3;

fn start<'a>(out: &'a str, epochs: &'a str) -> Vec<&'a str> {
    let rows = ["--task", "y", "--task", "kind", "--validation", "0", "--test", "0"];
    let size = ["--hidden", "2", "--batch-size", "8", "--epochs", epochs, "--log-every", "1"];
    let told = ["--checkpoint-every", "0", "--quiet", "--out", out];
    [&["train", "t.csv"], &rows[..], &size, &told].concat()
}

const RESUME: [&str; 6] = ["train", "--resume", "run", "--quiet", "--checkpoint-every", "0"];

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs it by a shell that limits it first; where a system does not know the limit, there is none.
#[cfg(unix)]
fn limited(folder: &Path, drill: &str, limit: &str, arguments: &[&str]) -> Output {
    let script = format!("{limit} 2>/dev/null; exec \"$@\"");
    let awl = command(arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh"]).arg(awl.get_program()).args(arguments);
    shell.envs(awl.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("AWL_DRILL", drill).current_dir(folder).output().expect("a shell")
}

/// Runs it with a drill. A software driver has a machine's whole address space for memory, which takes seconds to use up.
#[cfg(unix)]
fn drilled(folder: &Path, drill: &str, arguments: &[&str]) -> Output {
    limited(folder, drill, "ulimit -v 16000000", arguments)
}

#[cfg(not(unix))]
fn drilled(folder: &Path, drill: &str, arguments: &[&str]) -> Output {
    let mut program = command(arguments);
    program.current_dir(folder).env("AWL_DRILL", drill).output().expect("the program runs")
}

/// The step of a run's newest checkpoint, which is whole.
fn saved_step(run: &Path) -> u64 {
    let bytes = std::fs::read(run.join("checkpoint/state.safetensors")).expect("a checkpoint");
    let (steps, _) = awl::train::Checkpoint::read_notes("f", &bytes).expect("a whole checkpoint");
    steps[0]
}

/// Holds that the program failed at run time and said what is saved, and how to go on.
fn assert_told(folder: &Path, output: &Output, what: &str) {
    let told = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let step = saved_step(&folder.join("run"));
    let left = match step {
        0 => "no step is saved yet; begin again with: awl train --resume run".to_string(),
        step => format!(
            "step {step} is saved in run/checkpoint/state.safetensors; go on with: awl train --resume run"
        ),
    };
    assert!(told.contains(what) && told.contains(&left), "{told}");
    assert!(!told.contains("Gpu::new"), "{told}");
}

/// Holds two runs to be equal: the model's bytes, and the log but for its times.
fn assert_same(one: &Path, other: &Path) {
    let [a, b] =
        [one, other].map(|run| std::fs::read(run.join("model.safetensors")).expect("a model"));
    assert!(a == b, "the models differ");
    let log = |run: &Path| {
        let mut lines = lines(&run.join("metrics.jsonl"));
        lines.iter_mut().for_each(|line| _ = line.as_object_mut().map(|it| it.remove("seconds")));
        lines
    };
    assert!(log(one) == log(other), "the logs differ");
}

/// One after the other, on one run.
#[test]
fn faults_of_the_device_cost_no_step_that_was_saved_and_change_no_bit() {
    let folder = folder("drills_device");
    table(&folder);
    succeed(&folder, &start("whole", "30"));
    let first = start("run", "30");
    let lost = "the GPU device was lost";
    for (drill, arguments, what) in [
        ("lose-device@1", &first[..], lost),
        ("fail-readback@2", &RESUME, lost),
        ("out-of-memory@19", &RESUME, "the GPU ran out of memory"),
        ("lose-device@53", &RESUME, lost),
        ("fail-readback@90", &RESUME, lost),
    ] {
        let output = drilled(&folder, drill, arguments);
        assert_told(&folder, &output, what);
        assert_eq!(saved_step(&folder.join("run")) == 0, drill.ends_with("@1"), "{drill}");
    }
    succeed(&folder, &RESUME);
    assert_same(&folder.join("whole"), &folder.join("run"));
    let output = drilled(&folder, "rain@3", &RESUME);
    assert!(stderr(&output).contains("AWL_DRILL=rain@3 is no drill"), "{}", stderr(&output));
}

/// One of several runs does not go on alone.
#[test]
fn runs_that_break_off_say_how_all_of_them_go_on() {
    let folder = folder("drills_folds");
    table(&folder);
    let start = [
        &["train", "t.csv", "--task", "y", "--folds", "2", "--epochs", "2"][..],
        &["--hidden", "2", "--quiet", "--out", "run"],
    ];
    let output = drilled(&folder, "lose-device@1", &start.concat());
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let left = "no step is saved yet; begin again with: awl train --resume run\n";
    assert!(told.contains("fold 1 of 2: ") && told.contains(left), "{told}");
    succeed(&folder, &["train", "--resume", "run", "--quiet"]);
}

/// The model of a run that was made longer and has not ended is older than its checkpoint, which every answer says.
#[test]
fn a_model_that_is_older_than_the_checkpoint_says_so() {
    let folder = folder("drills_older");
    table(&folder);
    succeed(&folder, &start("run", "2"));
    let longer = [&RESUME[..], &["--epochs", "20"]].concat();
    drilled(&folder, "lose-device@50", &longer);
    let steps = (2 * STEPS_AN_EPOCH, saved_step(&folder.join("run")));
    assert!(steps.1 > steps.0, "{steps:?}");
    let told = format!("the model is of step {}, but the run is at step {}", steps.0, steps.1);
    for answer in [
        &["evaluate", "run", "t.csv"][..],
        &["predict", "run", "t.csv"],
        &["export", "--onnx", "run"],
    ] {
        let output = awl(&folder, answer);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    }
    succeed(&folder, &RESUME);
    assert!(!stderr(&awl(&folder, &["evaluate", "run", "t.csv"])).contains("the model is of step"));
}

/// A limit on the size of files stands in for a full disk, for it stops any user.
#[cfg(unix)]
#[test]
fn on_a_full_disk_nothing_is_lost_that_was_saved() {
    let folder = folder("drills_full");
    table(&folder);
    succeed(&folder, &start("whole", "200"));
    // Else the signal of the limit ends the program, which no full disk does.
    let full = |blocks: &str, arguments: &[&str]| {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
        limited(&folder, "lose-device@1000000", &limit, arguments)
    };
    let first = start("run", "200");
    let output = full("0", &first);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("run: "), "{}", stderr(&output));
    let found =
        std::fs::read_dir(&folder).expect("a folder").map(|it| it.expect("a name").file_name());
    let mut found: Vec<_> = found.collect();
    found.sort();
    assert_eq!(found, ["t.csv", "whole"], "something of the run was left");

    // The log is the first to be too long.
    assert_told(&folder, &full("40", &first), "run/metrics.jsonl: ");
    succeed(&folder, &RESUME);
    assert_same(&folder.join("whole"), &folder.join("run"));
}

/// A user whom no permission stops cannot write there either.
#[cfg(unix)]
#[test]
fn where_nothing_can_be_written_the_file_is_named_and_the_run_stays() {
    let folder = folder("drills_read_only");
    table(&folder);
    let output = awl(&folder, &start("t.csv/run", "2"));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("t.csv/run: "), "{}", stderr(&output));
    succeed(&folder, &start("run", "2"));
    let draft = folder.join("run/checkpoint/.state.safetensors.new");
    std::fs::create_dir(&draft).expect("a folder in the way");
    let longer = [&RESUME[..], &["--epochs", "4"]].concat();
    assert_told(&folder, &awl(&folder, &longer), "run/checkpoint/state.safetensors: ");
    std::fs::remove_dir(&draft).expect("out of the way");
    succeed(&folder, &longer);
    succeed(&folder, &start("whole", "4"));
    assert_same(&folder.join("whole"), &folder.join("run"));
}

/// The newest checkpoint is damaged: the one before it is gone on from.
#[test]
fn a_damaged_file_is_told_and_the_run_goes_on_from_what_is_whole() {
    let folder = folder("drills_damaged");
    table(&folder);
    succeed(&folder, &start("run", "6"));
    succeed(&folder, &start("whole", "6"));
    let [run, whole] = ["run", "whole"].map(|run| folder.join(run));
    let damage = |file: &str| {
        let path = run.join(file);
        let mut bytes = std::fs::read(&path).expect("a file");
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        std::fs::write(path, bytes).expect("a file");
    };
    damage("model.safetensors");
    let output = awl(&folder, &["evaluate", "run", "t.csv"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    for part in ["run/model.safetensors: ", "checksum", "`awl train --resume run` writes it anew"] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    damage("checkpoint/state.safetensors");
    let output = awl(&folder, &RESUME);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for part in
        ["state.safetensors: its contents", "going on from the checkpoint before it", "of step "]
    {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert_same(&whole, &run);

    for file in ["checkpoint/state.safetensors", "checkpoint/previous.safetensors"] {
        damage(file);
    }
    let output = awl(&folder, &RESUME);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    for part in ["run/checkpoint/state.safetensors: ", "no whole checkpoint before it"] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert_same(&whole, &run);
}

/// Killed as no process can prevent, the first one leaves nothing that stops the second.
#[test]
fn a_second_process_in_a_runs_directory_is_refused_until_the_first_is_gone() {
    let folder = folder("drills_two");
    table(&folder);
    let mut first = command(&start("run", "100000000"));
    first.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
    let mut first = first.spawn().expect("the program starts");
    while !folder.join("run/metrics.jsonl").exists() {
        assert_eq!(first.try_wait().expect("a child"), None, "it ended before it trained");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // It would end at once, if it were let in.
    let resume = [&RESUME[..], &["--epochs", "0"]].concat();
    let refused = awl(&folder, &resume);
    let another = awl(&folder, &start("run", "2"));
    let reading = awl(&folder, &["evaluate", "run", "t.csv"]);
    first.kill().expect("a kill");
    first.wait().expect("an end");
    for (output, told) in [
        (refused, "run: another process is at work in this directory"),
        (another, "run: it exists"),
        (reading, "the run has not ended yet"),
    ] {
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
    let output = awl(&folder, &resume);
    assert!(!stderr(&output).contains("another process"), "{}", stderr(&output));
}

/// Whichever is first.
#[test]
fn of_two_new_runs_of_one_name_one_is_made() {
    let folder = folder("drills_race");
    table(&folder);
    let begin = || {
        let mut program = command(&start("run", "2"));
        program.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::piped());
        program.spawn().expect("the program starts")
    };
    let both = [begin(), begin()].map(|it| it.wait_with_output().expect("an end"));
    let mut status = both.each_ref().map(|it| it.status.code());
    status.sort();
    assert_eq!(status, [Some(0), Some(2)], "{both:?}");
    let told = both.map(|it| stderr(&it)).concat();
    assert!(told.contains("run: it exists") || told.contains("another process"), "{told}");
    succeed(&folder, &start("whole", "2"));
    assert_same(&folder.join("whole"), &folder.join("run"));
}
