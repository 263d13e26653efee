//! How far a comparison has come, and about how long it will take.

use crate::cli::train::watch::styled;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::time::{Duration, Instant};

/// From one line to the next, where the output is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Progress over all runs, counted in epochs: a run that ended early counts as whole.
pub struct Tally {
    bar: ProgressBar,
    is_quiet: bool,
    /// Of all runs.
    epochs: u64,
    /// Of runs that have ended.
    ended: u64,
    /// Made by this process, that of the fleet under way left out.
    made: u64,
    runs: [usize; 2],
    since: Instant,
    said: Option<Instant>,
}

impl Tally {
    /// Before the first of so many runs of so many epochs.
    pub fn new(runs: usize, epochs: usize, is_quiet: bool) -> Self {
        let epochs = (runs * epochs) as u64;
        let target =
            if is_quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar =
            styled(ProgressBar::with_draw_target(Some(epochs), target), "{bar:24} {wide_msg}");
        Self {
            bar,
            is_quiet,
            epochs,
            ended: 0,
            made: 0,
            runs: [0, runs],
            since: Instant::now(),
            said: None,
        }
    }

    /// Takes note of runs that ended, of so many epochs at most, of which this process made some.
    pub fn end(&mut self, runs: usize, epochs: usize, made: u64) {
        self.runs[0] += runs;
        self.ended += (runs * epochs) as u64;
        self.made += made;
    }

    /// Fewer runs than were expected are to be made.
    pub fn drop_runs(&mut self, runs: usize, epochs: usize) {
        self.runs[1] = self.runs[1].saturating_sub(runs);
        self.epochs = self.epochs.saturating_sub((runs * epochs) as u64);
        self.bar.set_length(self.epochs);
    }

    /// Shows how far it is, with a fleet of so many runs under way that has counted so many epochs, some of them made just now.
    pub fn show(&mut self, what: &str, runs: usize, counted: u64, made: u64) {
        let done = (self.ended + counted).min(self.epochs);
        let own = self.made + made;
        let left = match own {
            0 => String::new(),
            own => {
                let each = self.since.elapsed().as_secs_f64() / own as f64;
                format!(", about {} left", duration(each * (self.epochs - done) as f64))
            }
        };
        let [ended, all] = self.runs;
        let message = format!("{what}: {runs} runs at once, {ended} of {all} done{left}");
        self.bar.set_position(done);
        let is_due = self.said.is_none_or(|said| said.elapsed() >= LINE_EVERY);
        if self.bar.is_hidden() && !self.is_quiet && is_due {
            eprintln!("{message}");
            self.said = Some(Instant::now());
        }
        self.bar.set_message(message);
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// `40 s`, `3 min`, `2.5 h`
fn duration(seconds: f64) -> String {
    match seconds {
        ..100.0 => format!("{:.0} s", seconds.ceil()),
        ..6000.0 => format!("{:.0} min", (seconds / 60.0).ceil()),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
