//! Looking on while a run goes on: progress for people, `metrics.jsonl`, TensorBoard, checkpoints, and Ctrl-C.

use super::compiling::Compiling;
use super::log::Log;
use crate::cli::run_dir::{self, RunDir};
use awl::engine::Record;
use awl::report::tensorboard::EventWriter;
use awl::tables::ReadOptions;
use awl::train::{Checkpoint, Epoch, Next, Progress, SigmaPath, Watch};
use awl::{Encoder, Error, Recipe, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// From one line to the next, where the output is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Tasks in a line are no more than these.
const MOST_TASKS: usize = 8;

/// How often Ctrl-C was pressed.
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// The first Ctrl-C asks to end after the step, the second ends at once.
pub fn heed_interrupts() {
    static SET: OnceLock<()> = OnceLock::new();
    SET.get_or_init(|| {
        // Without a handler the system ends the process, which is no worse than what the second one does.
        let _ = ctrlc::set_handler(|| {
            if INTERRUPTS.fetch_add(1, Ordering::SeqCst) > 0 {
                std::process::exit(130);
            }
        });
    });
}

/// What is kept beside a checkpoint's state.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Notes {
    pub progress: Progress,
    /// Of the data.
    pub fingerprint: String,
    /// Time spent on training so far.
    pub seconds: f64,
    /// Where each task's σ has been; that of a given weight nowhere.
    pub paths: Vec<SigmaPath>,
}

/// An onlooker for one run.
pub struct Onlooker<'a> {
    pub run: &'a RunDir,
    pub encoder: &'a Encoder,
    /// How the table was read.
    pub reading: ReadOptions,
    pub recipe: Recipe,
    pub tasks: Vec<String>,
    pub log: Log,
    pub events: Option<EventWriter>,
    pub bar: ProgressBar,
    /// Until the first step is there.
    pub compiling: Option<Compiling>,
    pub quiet: bool,
    /// Epochs that the run is to have.
    pub epochs: usize,
    pub fingerprint: String,
    pub paths: Vec<SigmaPath>,
    /// Seconds spent before this process, and when this process began.
    pub before: f64,
    pub since: Instant,
    pub saved: Instant,
    pub save_every: Duration,
    pub said: Option<Instant>,
    pub last: Option<Record>,
    pub last_epoch: Option<Epoch>,
}

/// A bar on a terminal; hidden elsewhere, and where nobody wants one.
pub fn bar(epochs: usize, done: usize, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let template = "{bar:24} {pos}/{len} epochs, {eta} left  {wide_msg}";
    let bar = styled(ProgressBar::with_draw_target(Some(epochs as u64), target), template);
    bar.set_position(done as u64);
    bar.reset_eta();
    bar
}

/// The bar in this style; in its own, should the template be none.
pub fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Onlooker<'_> {
    pub fn seconds(&self) -> f64 {
        self.before + self.since.elapsed().as_secs_f64()
    }

    fn learning_rate(&self, step: u64) -> f64 {
        self.recipe.optimizer.network.learning_rate * self.recipe.schedule.factor(step)
    }

    /// `species 0.0213 (σ 0.31), mass 0.1740 (σ 0.48), validation 0.1912, best 0.1850`
    fn summary(&self, epoch: &Epoch) -> String {
        let tasks = self.tasks.iter().zip(&epoch.losses).enumerate().map(|(k, (name, loss))| {
            let loss = loss.map_or("–".into(), |loss| format!("{loss:.4}"));
            match self.last.as_ref().and_then(|last| last.tasks[k].sigma) {
                Some(sigma) => format!("{name} {loss} (σ {sigma:.2})"),
                None => format!("{name} {loss}"),
            }
        });
        let mut parts: Vec<String> = tasks.take(MOST_TASKS).collect();
        if self.tasks.len() > MOST_TASKS {
            parts.push(format!("… ({} tasks)", self.tasks.len()));
        }
        if let Some(validation) = &epoch.validation {
            let best = if validation.is_best { " (best)" } else { "" };
            let score = validation.score.map_or("–".into(), |score| format!("{score:.4}"));
            parts.push(format!("validation {score}{best}"));
        }
        parts.join(", ")
    }

    /// Shows an epoch: on the bar of a terminal, or as a line now and then.
    fn show(&mut self, epoch: &Epoch) {
        let summary = self.summary(epoch);
        let is_last = epoch.epoch == self.epochs;
        let is_due = self.said.is_none_or(|said| said.elapsed() >= LINE_EVERY);
        if self.bar.is_hidden() && !self.quiet && (is_due || is_last) {
            eprintln!("epoch {}/{}: {summary}", epoch.epoch, self.epochs);
            self.said = Some(Instant::now());
        }
        self.bar.set_position(epoch.epoch as u64);
        self.bar.set_message(summary);
    }

    fn write_events(&mut self, epoch: &Epoch) -> Result<()> {
        let rate = self.learning_rate(epoch.step);
        let Some(events) = &mut self.events else { return Ok(()) };
        let mut scalars =
            vec![("total".to_string(), epoch.total), ("learning_rate".to_string(), rate)];
        for (k, name) in self.tasks.iter().enumerate() {
            let last = self.last.as_ref().map(|last| last.tasks[k]);
            let validation = epoch.validation.as_ref().and_then(|it| it.losses[k]);
            for (tag, value) in [
                ("loss", epoch.losses[k]),
                ("validation_loss", validation),
                ("weight", last.map(|task| task.weight)),
                ("sigma", last.and_then(|task| task.sigma)),
            ] {
                scalars.extend(value.map(|value| (format!("{tag}/{name}"), value)));
            }
        }
        events.scalars(epoch.step, scalars)
    }
}

/// The file that could not be written.
fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { path, source }
}

impl Watch for Onlooker<'_> {
    fn step(&mut self, record: &Record) -> Result<()> {
        self.compiling = None;
        self.log.step(record).map_err(file(self.log.path()))?;
        self.paths.iter_mut().zip(&record.tasks).for_each(|(path, task)| path.go(task));
        self.last = Some(record.clone());
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let rate = self.learning_rate(epoch.step);
        let seconds = self.seconds();
        self.log.epoch(self.encoder, epoch, rate, seconds).map_err(file(self.log.path()))?;
        self.write_events(epoch)?;
        self.show(epoch);
        self.last_epoch = Some(epoch.clone());
        Ok(())
    }

    fn next(&mut self) -> Next {
        if INTERRUPTS.load(Ordering::SeqCst) > 0 {
            Next::Stop
        } else if self.saved.elapsed() >= self.save_every {
            Next::Save
        } else {
            Next::GoOn
        }
    }

    fn save(&mut self, mut checkpoint: Checkpoint, progress: &Progress) -> Result<()> {
        // First the log: it may know of more steps than the checkpoint, never of fewer.
        self.log.flush().map_err(file(self.log.path()))?;
        checkpoint.notes = json!(Notes {
            progress: progress.clone(),
            fingerprint: self.fingerprint.clone(),
            seconds: self.seconds(),
            paths: self.paths.clone(),
        });
        let path = self.run.checkpoint();
        run_dir::write(&path, &checkpoint.to_bytes(&self.recipe)?).map_err(file(&path))?;
        self.saved = Instant::now();
        Ok(())
    }
}
