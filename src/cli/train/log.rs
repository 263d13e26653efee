//! `metrics.jsonl`: a line a step and a line an epoch.

use awl::Encoder;
use awl::durable;
use awl::engine::Record;
use awl::train::Epoch;
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Lines of steps that a file has, about, unless more are asked for: far more than a chart shows.
const MOST_LINES: u64 = 5_000;

/// Steps from one line to the next, for so many steps of each of these members.
pub fn every(steps: u64, members: usize) -> u64 {
    steps.saturating_mul(members as u64).div_ceil(MOST_LINES).max(1)
}

/// Appends to a run's `metrics.jsonl`.
pub struct Log {
    path: PathBuf,
    out: BufWriter<File>,
    /// The tasks' names, quoted as JSON.
    names: Vec<String>,
    every: u64,
    /// Whether lines say which member they are of.
    is_fleet: bool,
    line: String,
}

impl Log {
    /// Opens the file for a run whose members go on each after a step and an epoch: what lies behind them, from a process that was
    /// killed after its last checkpoint, is dropped.
    pub fn open(
        path: &Path,
        tasks: &[String],
        every: u64,
        made: &[(u64, usize)],
    ) -> io::Result<Self> {
        if path.exists() {
            let kept = keep(BufReader::new(File::open(path)?), made)?;
            durable::write(path, kept.as_bytes())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        durable::sync_folder(durable::folder(path))?;
        let names = tasks.iter().map(|name| Value::from(name.as_str()).to_string()).collect();
        Ok(Self {
            path: path.into(),
            out: BufWriter::new(file),
            names,
            every: every.max(1),
            is_fleet: made.len() > 1,
            line: String::new(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A step's line, unless it is thinned out. Values are those before the step's update.
    pub fn step(&mut self, record: &Record) -> io::Result<()> {
        if record.step != 1 && !record.step.is_multiple_of(self.every) {
            return Ok(());
        }
        use std::fmt::Write as _;
        let line = &mut self.line;
        line.clear();
        let _ = match self.is_fleet {
            true => write!(line, "{{\"member\":{},\"step\":{}", record.member, record.step),
            false => write!(line, "{{\"step\":{}", record.step),
        };
        let object = |line: &mut String, key: &str, value: &dyn Fn(usize) -> Option<f64>| {
            let _ = write!(line, ",\"{key}\":{{");
            for (k, name) in self.names.iter().enumerate() {
                let comma = if k == 0 { "" } else { "," };
                let _ = write!(line, "{comma}{name}:{}", number(value(k)));
            }
            line.push('}');
        };
        object(line, "losses", &|k| record.tasks[k].loss);
        let _ = write!(line, ",\"total\":{}", number(Some(record.total)));
        if record.tasks.iter().any(|task| task.sigma.is_some()) {
            object(line, "sigma", &|k| record.tasks[k].sigma);
        }
        object(line, "weight", &|k| Some(record.tasks[k].weight));
        line.push_str("}\n");
        self.out.write_all(line.as_bytes())
    }

    /// An epoch's line.
    pub fn epoch(
        &mut self,
        encoder: &Encoder,
        epoch: &Epoch,
        learning_rate: f64,
        seconds: f64,
    ) -> io::Result<()> {
        let named = |values: &mut dyn Iterator<Item = Value>| -> Value {
            let names = encoder.targets().iter().map(|target| target.name.clone());
            names.zip(values).collect::<Map<_, _>>().into()
        };
        let mut line = json!({
            "epoch": epoch.epoch,
            "step": epoch.step,
            "learning_rate": learning_rate,
            "seconds": seconds,
            "train": {
                "losses": named(&mut epoch.losses.iter().map(|&loss| loss.into())),
                "total": epoch.total,
            },
        });
        if self.is_fleet {
            line["member"] = epoch.member.into();
        }
        if let Some(validation) = &epoch.validation {
            line["validation"] = json!({
                "losses": named(&mut validation.losses.iter().map(|&loss| loss.into())),
                "score": validation.score,
            });
        }
        writeln!(self.out, "{line}")
    }

    /// Brings everything to the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_data()
    }
}

/// A number as JSON, which has neither NaN nor infinities.
fn number(value: Option<f64>) -> String {
    value.map_or(Value::Null, Value::from).to_string()
}

/// The lines up to each member's step and epoch.
fn keep(lines: impl BufRead, made: &[(u64, usize)]) -> io::Result<String> {
    let mut kept = String::new();
    for line in lines.split(b'\n') {
        let line = line?;
        // A line that was cut short, by a full disk or a kill, is the last one; it may end within a character.
        let Ok(line) = str::from_utf8(&line) else { break };
        let Ok(value) = serde_json::from_str::<Value>(line) else { break };
        let member = value["member"].as_u64().unwrap_or(0) as usize;
        let Some(&(step, epochs)) = made.get(member) else { continue };
        let is_kept = match value["epoch"].as_u64() {
            Some(epoch) => epoch <= epochs as u64,
            None => value["step"].as_u64().is_some_and(|number| number <= step),
        };
        if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_was_cut_short_anywhere_keeps_its_whole_lines() {
        let line = |step: u64| format!("{{\"step\":{step},\"losses\":{{\"größe\":0.5}}}}\n");
        let [first, second] = [line(1), line(2)];
        let whole = [first.as_str(), second.as_str()].concat();
        for length in 0..=whole.len() {
            // A power cut may leave zeros too.
            for tail in [&b""[..], &[0; 9]] {
                let bytes = [&whole.as_bytes()[..length], tail].concat();
                let kept = keep(&bytes[..], &[(2, 0)]).expect("what is whole");
                // Without its end of line, a line is whole as well.
                let with_end = |end: usize| length >= end || length + 1 == end && tail.is_empty();
                let expected = [first.len(), whole.len()].into_iter().filter(|&end| with_end(end));
                assert_eq!(kept, whole[..expected.max().unwrap_or(0)], "{length}");
            }
        }
        assert_eq!(keep(whole.as_bytes(), &[(1, 0)]).expect("the first"), first);
    }
}
