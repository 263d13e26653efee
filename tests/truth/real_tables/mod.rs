//! Tables as people have them: each principle by which a finished run may be believed has a table of cases.
//!
//! | file | principle |
//! |---|---|
//! | `answers` | what `predict` writes is what `evaluate` judged and what the ONNX export computes |
//! | `scales` | scales are judged relative to rounding |
//! | `choice` | no choice is made from nothing |
//! | `missing` | nothing vanishes untold |
//! | `rare` | never refused by the luck of the seed |
//! | `evaluation` | `evaluate` gives every figure that it can, and says what means nothing |
//! | `suspects` | suspects are named before training, with what to do |
//! | `names` | files are read back by whoever reads them |
//! | `layouts` | no table is a special case |
//! | `hints` | hints are true |
//! | `whole` | whole numbers beyond `f64` stay apart |
//! | `messy` | a table with all faults at once |

mod answers;
mod choice;
mod evaluation;
mod hints;
mod layouts;
mod messy;
mod missing;
mod names;
mod rare;
mod scales;
mod suspects;
mod whole;

use crate::program;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder with the runs of one test.
pub struct Bench {
    pub folder: PathBuf,
}

/// What a command did.
pub struct Done {
    pub code: i32,
    pub out: String,
    /// What it wrote to standard error.
    pub told: String,
}

impl Bench {
    pub fn new(name: &str) -> Self {
        Self { folder: program::folder(name) }
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.folder.join(name), bytes).expect("a file");
        self
    }

    /// Runs `awl` with these words, those in single quotes as one.
    pub fn awl(&self, command: &str) -> Done {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = program::awl(&self.folder, &words);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (out, told) = (text(output.stdout), text(output.stderr));
        assert!(!told.contains("panicked"), "awl {command}\n{told}");
        let longest = told.lines().map(str::len).max().unwrap_or(0);
        assert!(longest <= 1_000, "awl {command}\na line of {longest} bytes:\n{told}");
        Done { code: output.status.code().expect("it ended by itself"), out, told }
    }

    /// The same, which must succeed.
    pub fn succeed(&self, command: &str) -> Done {
        let done = self.awl(command);
        assert_eq!(done.code, 0, "awl {command}\n{}", done.told);
        done
    }

    /// Trains for a moment on the CPU; what the run says of itself.
    pub fn train(&self, rest: &str) -> (Done, Value) {
        let done = self.succeed(&format!("train {rest} {QUICK}"));
        let words = words(rest);
        let out = words
            .iter()
            .position(|word| word == "--out")
            .map_or("run", |at| words[at + 1].as_str());
        let results = self.json_file(&format!("{out}/results.json"));
        (done, results)
    }

    pub fn json_file(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.join(name)).expect("a file"))
            .expect("JSON")
    }

    pub fn evaluate(&self, rest: &str) -> Value {
        serde_json::from_str(&self.succeed(&format!("evaluate {rest} --json")).out).expect("JSON")
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }
}

/// The reference engine needs no kernel to be compiled.
const QUICK: &str = "--engine reference --hidden 8 --lr 0.02";

impl Done {
    /// Checks that some line of what was told has all of these.
    pub fn says(&self, parts: &[&str]) -> &Self {
        let has_all = |line: &str| parts.iter().all(|part| line.contains(part));
        // A message may go over several lines.
        let found = self.told.lines().any(has_all) || has_all(&self.told.replace('\n', " "));
        assert!(found, "no line says {parts:?}:\n{}", self.told);
        self
    }

    /// Checks that none of what was told has this.
    pub fn is_silent_of(&self, part: &str) -> &Self {
        assert!(!self.told.contains(part), "{part:?} is told:\n{}", self.told);
        self
    }
}

fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, piece) in command.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(piece.to_string());
        } else {
            words.extend(piece.split_whitespace().map(Into::into));
        }
    }
    words
}

/// Rows of a table, each made from its number.
pub fn rows(header: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    let rows: String = (0..count).map(|index| row(index) + "\n").collect();
    format!("{header}\n{rows}")
}

/// A number between −1 and 1 that looks drawn, the same on every machine.
pub fn drawn(index: usize, salt: u64) -> f64 {
    let mut bits = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ salt.wrapping_mul(0xd1b5_4a32_d192_ed03);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// A column of a CSV text.
pub fn column(text: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let at = reader.headers().expect("a header").iter().position(|it| it == name);
    let at = at.unwrap_or_else(|| panic!("no column {name}:\n{text}"));
    reader.records().map(|record| record.expect("a row")[at].to_string()).collect()
}
