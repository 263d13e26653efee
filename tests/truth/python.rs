//! Scripts in Python that judge what the program and its engines computed. `PYTHON` names the interpreter.

use crate::judges;
use std::ffi::OsStr;
use std::process::Command;

fn interpreter() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| "python3".into())
}

/// Whether the interpreter can import the modules that make up a judge; one that it cannot is told to be absent.
pub fn has(judge: &'static str, modules: &str) -> bool {
    let python = interpreter();
    let reason = match Command::new(&python).args(["-c", &format!("import {modules}")]).output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            said.trim().lines().last().unwrap_or("it failed").to_string()
        }
        Err(error) => error.to_string(),
    };
    judges::absent(judge, &format!("{python}: {reason}"));
    false
}

/// Runs a script of this folder's parent, and panics with all it said unless it is content.
#[track_caller]
pub fn judge(script: &str, arguments: &[impl AsRef<OsStr>]) {
    let script = format!("{}/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(interpreter()).arg(script).args(arguments).output().expect("a run");
    let [told, complaints] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    println!("{told}");
    assert!(output.status.success(), "{told}{complaints}");
}
