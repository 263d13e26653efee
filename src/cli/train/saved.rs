//! What a run has saved, and what is told of it when the run breaks off.

use super::config::Config;
use super::data::Data;
use crate::cli::failure::{Failure, place_of};
use crate::cli::run_dir::RunDir;
use awl::Error;
use awl::train::{Checkpoint, check_whole};
use std::path::Path;

/// A run's newest checkpoint that is whole.
pub struct Newest {
    pub bytes: Vec<u8>,
    /// Its name, for messages.
    pub file: String,
    /// Why it is not the last one that was written.
    pub damage: Option<String>,
}

impl Newest {
    pub fn find(run: &RunDir) -> Result<Self, Failure> {
        let (path, previous) = (run.checkpoint(), run.previous_checkpoint());
        let named = |path: &Path| path.display().to_string();
        let damage = match whole(&path) {
            Ok(bytes) => return Ok(Self { bytes, file: named(&path), damage: None }),
            Err(damage) => damage,
        };
        match whole(&previous) {
            Ok(bytes) => Ok(Self { bytes, file: named(&previous), damage: Some(damage) }),
            Err(_) => Err(Failure::input(format!(
                "{damage}; and there is no whole checkpoint before it: restore one of the two, or start a new run"
            ))),
        }
    }

    /// The last step that is in it.
    fn step(&self) -> Option<u64> {
        let (steps, _) = Checkpoint::read_notes(&self.file, &self.bytes).ok()?;
        steps.into_iter().max()
    }

    /// What is told where it is not the last one that was written.
    pub fn warning(&self) -> Option<String> {
        let step = self.step().unwrap_or_default();
        let damage = self.damage.as_ref()?;
        Some(format!(
            "{damage}; going on from the checkpoint before it, {}, of step {step}",
            self.file
        ))
    }
}

/// The contents of a file of tensors, or what is wrong with it.
fn whole(path: &Path) -> Result<Vec<u8>, String> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| format!("{file}: {error}"))?;
    check_whole(&file, &bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// What is left of a run that broke off, as it is on the disk, and how to go on.
pub fn told(run: &RunDir) -> String {
    let resume = format!("awl train --resume {}", run.resumed_by().display());
    let newest = match Newest::find(run) {
        Ok(newest) => newest,
        Err(Failure::Input(why) | Failure::Run(why)) => return format!("nothing is saved: {why}"),
    };
    match newest.step() {
        None | Some(0) => format!("no step is saved yet; begin again with: {resume}"),
        Some(step) => format!("step {step} is saved in {}; go on with: {resume}", newest.file),
    }
}

/// Why training broke off, and what is left of it.
pub fn explain(error: Error, config: &Config, data: &Data, run: &RunDir) -> Failure {
    if !error.is_of_training() {
        return Failure::at_run_time(error).and(&told(run));
    }
    let remedy = match config.data.standardize {
        true => "",
        false => ", or standardise features and targets (without --no-standardize)",
    };
    let place = place_of(&error, &data.trained_on, &data.encoder);
    let place = place.map_or(String::new(), |place| format!("\n{place}"));
    // To go on would come to the same end.
    let checkpoint = run.checkpoint();
    Failure::Run(format!("{error}{remedy}{place}\nthe last checkpoint is {}", checkpoint.display()))
}
