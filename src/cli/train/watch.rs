//! Looking on while a run goes on: progress for people, `metrics.jsonl`, TensorBoard, checkpoints, and Ctrl-C.

use super::compiling::Compiling;
use super::log::Log;
use crate::cli::failure::place_of;
use crate::cli::run_dir::RunDir;
use crate::cli::terminal::{one_line, printable};
use awl::durable;
use awl::engine::Record;
use awl::engine::TaskRecord;
use awl::report::tensorboard::EventWriter;
use awl::tables::ReadOptions;
use awl::train::{Checkpoint, Epoch, Next, Progress, SigmaPath, Watch, diagnose};
use awl::{Encoder, Error, Recipe, Result, Table};
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

/// Whether Ctrl-C was pressed.
pub fn is_interrupted() -> bool {
    INTERRUPTS.load(Ordering::SeqCst) > 0
}

/// What is kept beside a checkpoint's states.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Notes {
    /// Of the data.
    pub fingerprint: String,
    /// Time spent on training so far.
    pub seconds: f64,
    /// An entry a network; one alone stands among the other notes, as it did before there were several.
    #[serde(flatten)]
    pub members: Members,
}

/// What is kept of the networks.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Members {
    Several { members: Vec<MemberNotes> },
    One(MemberNotes),
}

/// What is kept of one network.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct MemberNotes {
    pub progress: Progress,
    /// Where each task's σ has been; that of a given weight nowhere.
    pub paths: Vec<SigmaPath>,
}

impl From<Vec<MemberNotes>> for Members {
    fn from(mut members: Vec<MemberNotes>) -> Self {
        match (members.pop(), members.is_empty()) {
            (Some(one), true) => Self::One(one),
            (last, _) => {
                members.extend(last);
                Self::Several { members }
            }
        }
    }
}

impl From<Members> for Vec<MemberNotes> {
    fn from(members: Members) -> Self {
        match members {
            Members::One(one) => vec![one],
            Members::Several { members } => members,
        }
    }
}

/// What was seen of a member.
pub struct Seen {
    /// Where each task's σ has been.
    pub paths: Vec<SigmaPath>,
    /// The last step that it made.
    pub step: u64,
    pub record: Option<Record>,
    pub epoch: Option<Epoch>,
}

/// An onlooker for one run.
pub struct Onlooker<'a> {
    pub run: &'a RunDir,
    pub encoder: &'a Encoder,
    /// Of the rows to train on.
    pub table: &'a Table,
    /// How the table was read.
    pub reading: ReadOptions,
    /// Of each member.
    pub recipes: Vec<Recipe>,
    pub seen: Vec<Seen>,
    pub tasks: Vec<String>,
    pub log: Log,
    /// Of each member, or none at all.
    pub events: Vec<EventWriter>,
    /// Epochs that ended together and were not shown yet.
    pub ended: Vec<Epoch>,
    pub bar: ProgressBar,
    /// Until the first step is there.
    pub compiling: Option<Compiling>,
    pub quiet: bool,
    /// Epochs that the run is to have.
    pub epochs: usize,
    pub fingerprint: String,
    /// Seconds spent before this process, and when this process began.
    pub before: f64,
    pub since: Instant,
    pub saved: Instant,
    pub save_every: Duration,
    pub said: Option<Instant>,
    /// What the run is called among several of one command.
    pub name: Option<String>,
}

/// A bar on a terminal; hidden elsewhere, and where nobody wants one.
pub fn bar(name: Option<&str>, epochs: usize, done: usize, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let template = "{prefix}{bar:24} {pos}/{len} epochs, {eta} left  {wide_msg}";
    let bar = styled(ProgressBar::with_draw_target(Some(epochs as u64), target), template);
    bar.set_prefix(name.map_or(String::new(), |name| format!("{name}  ")));
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

    /// The last step of each member.
    pub fn steps(&self) -> Vec<u64> {
        self.seen.iter().map(|seen| seen.step).collect()
    }

    /// What became of a member's σ.
    pub fn diagnose(&self, member: usize) -> Vec<String> {
        let Seen { paths, record: Some(last), epoch: Some(epoch), .. } = &self.seen[member] else {
            return Vec::new();
        };
        let tasks = last.tasks.iter().zip(&epoch.losses);
        let tasks: Vec<TaskRecord> =
            tasks.map(|(&task, &loss)| TaskRecord { loss, ..task }).collect();
        diagnose(&self.tasks, &self.recipes[member].weighting, paths, &tasks)
    }

    fn learning_rate(&self, epoch: &Epoch) -> f64 {
        let recipe = &self.recipes[epoch.member];
        recipe.optimizer.network.learning_rate * recipe.schedule.factor(epoch.step)
    }

    /// `species 0.0213 (σ 0.31), mass 0.1740 (σ 0.48), validation 0.1912 (best)`; of a fleet the means.
    fn summary(&self, epochs: &[Epoch]) -> String {
        let mut parts: Vec<String> = self
            .tasks
            .iter()
            .enumerate()
            .take(MOST_TASKS)
            .map(|it| self.of_task(epochs, it))
            .collect();
        if self.tasks.len() > MOST_TASKS {
            parts.push(format!("… ({} tasks)", self.tasks.len()));
        }
        let validations: Vec<_> = epochs.iter().filter_map(|it| it.validation.as_ref()).collect();
        if !validations.is_empty() {
            let score = mean(validations.iter().filter_map(|it| it.score));
            let score = score.map_or("–".into(), |score| format!("{score:.4}"));
            let best = validations.iter().filter(|it| it.is_best).count();
            let best = match (best, self.seen.len()) {
                (0, _) => String::new(),
                (_, 1) => " (best)".into(),
                (best, _) => format!(" (the best for {best})"),
            };
            parts.push(format!("validation {score}{best}"));
        }
        if self.seen.len() > 1 {
            parts.push(format!("means of {} networks", epochs.len()));
        }
        one_line(&parts.join(", ")).into_owned()
    }

    fn of_task(&self, epochs: &[Epoch], (task, name): (usize, &String)) -> String {
        let loss = mean(epochs.iter().filter_map(|epoch| epoch.losses[task]));
        let loss = loss.map_or("–".into(), |loss| format!("{loss:.4}"));
        let records = epochs.iter().filter_map(|epoch| self.seen[epoch.member].record.as_ref());
        match mean(records.filter_map(|record| record.tasks[task].sigma)) {
            Some(sigma) => format!("{name} {loss} (σ {sigma:.2})"),
            None => format!("{name} {loss}"),
        }
    }

    /// Shows the epochs that ended: on the bar of a terminal, or as a line now and then.
    fn show(&mut self) {
        let ended = std::mem::take(&mut self.ended);
        let Some(number) = ended.iter().map(|epoch| epoch.epoch).max() else { return };
        let summary = self.summary(&ended);
        let is_last = number == self.epochs;
        let is_due = self.said.is_none_or(|said| said.elapsed() >= LINE_EVERY);
        if self.bar.is_hidden() && !self.quiet && (is_due || is_last) {
            let name = self.name.as_ref().map_or(String::new(), |name| format!("{name}, "));
            eprintln!("{name}epoch {number}/{}: {summary}", self.epochs);
            self.said = Some(Instant::now());
        }
        self.bar.set_position(number as u64);
        self.bar.set_message(summary);
    }

    fn write_events(&mut self, epoch: &Epoch) -> Result<()> {
        let rate = self.learning_rate(epoch);
        let Some(events) = self.events.get_mut(epoch.member) else { return Ok(()) };
        let mut scalars =
            vec![("total".to_string(), epoch.total), ("learning_rate".to_string(), rate)];
        let record = self.seen[epoch.member].record.as_ref();
        for (k, name) in self.tasks.iter().enumerate() {
            let last = record.map(|last| last.tasks[k]);
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

/// The mean of these, if there are some.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
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
        let seen = &mut self.seen[record.member];
        seen.paths.iter_mut().zip(&record.tasks).for_each(|(path, task)| path.go(task));
        seen.step = record.step;
        seen.record = Some(record.clone());
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let rate = self.learning_rate(epoch);
        let seconds = self.seconds();
        self.log.epoch(self.encoder, epoch, rate, seconds).map_err(file(self.log.path()))?;
        self.write_events(epoch)?;
        self.seen[epoch.member].epoch = Some(epoch.clone());
        self.ended.push(epoch.clone());
        Ok(())
    }

    fn failed(&mut self, member: usize, why: &Error) -> Result<()> {
        let place = place_of(why, self.table, self.encoder);
        let place = place.map_or(String::new(), |place| format!("; {place}"));
        let words = format!("warning: member {member} stopped, the others go on: {why}{place}");
        self.bar.suspend(|| eprintln!("{}", printable(&words)));
        Ok(())
    }

    fn next(&mut self) -> Next {
        self.show();
        if is_interrupted() {
            Next::Stop
        } else if self.saved.elapsed() >= self.save_every {
            Next::Save
        } else {
            Next::GoOn
        }
    }

    fn save(&mut self, mut checkpoint: Checkpoint, progress: &[Progress]) -> Result<()> {
        // First the log: it may know of more steps than the checkpoint, never of fewer.
        self.log.sync().map_err(file(self.log.path()))?;
        let members = progress.iter().zip(&self.seen).map(|(progress, seen)| MemberNotes {
            progress: progress.clone(),
            paths: seen.paths.clone(),
        });
        checkpoint.notes = json!(Notes {
            fingerprint: self.fingerprint.clone(),
            seconds: self.seconds(),
            members: members.collect::<Vec<_>>().into(),
        });
        let path = self.run.checkpoint();
        let (bytes, old) = (checkpoint.to_bytes(&self.recipes)?, self.run.previous_checkpoint());
        durable::write_keeping(&path, &old, &bytes).map_err(file(&path))?;
        self.saved = Instant::now();
        Ok(())
    }
}
