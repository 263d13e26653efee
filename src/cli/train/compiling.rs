//! Why nothing moves before the first step: on a terminal, for people, and only where it takes long enough to wonder.

use super::Arguments;
use super::config::{Config, EngineName};
use super::watch;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

const MESSAGE: &str = "compiling the kernels";

/// Shorter waits need no word.
const PATIENCE: Duration = Duration::from_millis(500);

/// From when on a bar says that kernels are compiled, until this is dropped.
pub struct Compiling {
    /// Nothing is ever sent: that it is gone is the sign.
    until: Option<Sender<()>>,
    teller: Option<JoinHandle<()>>,
}

impl Compiling {
    /// Lets a bar say so, if this lasts; nothing where nobody wants progress, or where no kernel is compiled.
    pub fn begin(arguments: &Arguments, config: &Config, bar: &ProgressBar) -> Option<Self> {
        let is_silent = arguments.quiet || arguments.json;
        let has_kernels = config.train.engine != EngineName::Reference;
        (!is_silent && has_kernels).then(|| Self::after(PATIENCE, bar.clone()))
    }

    fn after(patience: Duration, bar: ProgressBar) -> Self {
        let (until, gone) = channel();
        let teller = spawn(move || {
            if gone.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                bar.set_message(MESSAGE);
                // Ends by an error, when the other side is gone.
                let _ = gone.recv();
                bar.set_message("");
            }
        });
        Self { until: Some(until), teller: Some(teller) }
    }
}

impl Drop for Compiling {
    fn drop(&mut self) {
        self.until.take();
        if let Some(teller) = self.teller.take() {
            // It does nothing that could panic, and what it says is no part of the run.
            let _ = teller.join();
        }
    }
}

/// Does what makes an engine, on a line that says so if it lasts.
pub fn told<T>(arguments: &Arguments, config: &Config, work: impl FnOnce() -> T) -> T {
    // Hidden where standard error is no terminal.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let bar = watch::styled(bar, "{wide_msg}");
    let compiling = Compiling::begin(arguments, config, &bar);
    let done = work();
    drop(compiling);
    bar.finish_and_clear();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_that_kernels_are_compiled_if_it_lasts_and_until_it_is_over() {
        let bar = ProgressBar::hidden();
        let compiling = Compiling::after(Duration::ZERO, bar.clone());
        while bar.message() != MESSAGE {
            std::thread::yield_now();
        }
        drop(compiling);
        assert_eq!(bar.message(), "");
    }

    #[test]
    fn what_is_over_soon_is_not_waited_for_and_leaves_the_bar_alone() {
        let bar = ProgressBar::hidden().with_message("as it was");
        // Were it waited for, this test would take an hour.
        drop(Compiling::after(Duration::from_secs(3_600), bar.clone()));
        assert_eq!(bar.message(), "as it was");
    }
}
