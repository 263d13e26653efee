//! Looking on while a fleet of runs trains: curves, checkpoints, progress, Ctrl-C.

use super::progress::Tally;
use crate::cli::train::watch::is_interrupted;
use awl::compare::{Curve, Point};
use awl::durable;
use awl::engine::Record;
use awl::train::{Checkpoint, Epoch, Next, Progress, Watch};
use awl::{Error, Recipe, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is kept beside a fleet's states.
#[derive(Serialize, Deserialize)]
pub struct Notes {
    /// Of its runs.
    pub ids: Vec<String>,
    pub progress: Vec<Progress>,
    pub seen: Vec<Seen>,
    /// Spent on the comparison so far.
    pub seconds: f64,
}

/// What was seen of a run.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Seen {
    pub curve: Curve,
    /// Of the epoch under way: sums over its steps, and how many.
    weight: Vec<f64>,
    sigma: Vec<f64>,
    steps: u64,
}

impl Seen {
    fn step(&mut self, record: &Record) {
        self.weight.resize(record.tasks.len(), 0.0);
        self.weight.iter_mut().zip(&record.tasks).for_each(|(sum, task)| *sum += task.weight);
        if record.tasks.iter().all(|task| task.sigma.is_some()) {
            self.sigma.resize(record.tasks.len(), 0.0);
            let sigma = record.tasks.iter().filter_map(|task| task.sigma);
            self.sigma.iter_mut().zip(sigma).for_each(|(sum, sigma)| *sum += sigma.abs());
        }
        self.steps += 1;
    }

    fn epoch(&mut self, epoch: &Epoch) {
        let steps = self.steps.max(1) as f64;
        let mean = |sums: &mut Vec<f64>| sums.drain(..).map(|sum| sum / steps).collect();
        let validation = epoch.validation.as_ref().map_or(Vec::new(), |it| it.losses.clone());
        let point = Point {
            epoch: epoch.epoch,
            validation,
            weight: mean(&mut self.weight),
            sigma: mean(&mut self.sigma),
        };
        self.curve.push(point);
        self.steps = 0;
    }
}

/// An onlooker of a fleet.
pub struct Onlooker<'a> {
    /// What is trained, for people.
    pub what: &'a str,
    pub ids: Vec<String>,
    pub recipes: Vec<Recipe>,
    pub seen: Vec<Seen>,
    pub checkpoint: PathBuf,
    pub tally: &'a mut Tally,
    /// Epochs that this process found made.
    pub found: u64,
    /// Seconds spent before this process, and when it began.
    pub before: f64,
    pub since: Instant,
    pub saved: Instant,
    pub save_every: Duration,
}

impl Onlooker<'_> {
    /// Epochs that all runs have made.
    pub fn made(&self) -> u64 {
        self.seen.iter().map(|it| it.curve.len() as u64).sum()
    }
}

impl Watch for Onlooker<'_> {
    fn step(&mut self, record: &Record) -> Result<()> {
        self.seen[record.member].step(record);
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.seen[epoch.member].epoch(epoch);
        Ok(())
    }

    fn failed(&mut self, _member: usize, _why: &Error) -> Result<()> {
        Ok(())
    }

    fn next(&mut self) -> Next {
        let made = self.made();
        self.tally.show(self.what, self.ids.len(), made, made - self.found.min(made));
        if is_interrupted() {
            Next::Stop
        } else if self.saved.elapsed() >= self.save_every {
            Next::Save
        } else {
            Next::GoOn
        }
    }

    fn save(&mut self, mut checkpoint: Checkpoint, progress: &[Progress]) -> Result<()> {
        checkpoint.notes = json!(Notes {
            ids: self.ids.clone(),
            progress: progress.to_vec(),
            seen: self.seen.clone(),
            seconds: self.before + self.since.elapsed().as_secs_f64(),
        });
        write(&self.checkpoint, &checkpoint.to_bytes(&self.recipes)?)?;
        self.saved = Instant::now();
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    durable::write(path, bytes).map_err(|source| Error::File { path: path.into(), source })
}
