//! The directory of a run: what its files are called, and who may write them.

use super::failure::Failure;
use super::lock::Lock;
use super::model::Model;
use super::rows_seen::RowsSeen;
use awl::durable;
use awl::train::{Checkpoint, check_whole};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A run's directory.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    /// The directory that `--resume` takes, where this is one of several runs in it.
    whole: Option<PathBuf>,
    /// While this process may write there: held until the last clone is gone.
    #[expect(dead_code, reason = "it is held, not looked at")]
    lock: Option<Arc<Lock>>,
}

impl RunDir {
    /// The directory at this path, whatever is in it.
    pub fn at(path: &Path) -> Self {
        Self { path: path.into(), whole: None, lock: None }
    }

    /// An existing run, to be read.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let run = Self::at(path);
        let problem = match fs::metadata(path) {
            Err(error) => error.to_string(),
            Ok(data) if !data.is_dir() => "this is a file".into(),
            Ok(_) if !run.config().exists() => "it has no config.toml".into(),
            Ok(_) => return Ok(run),
        };
        Err(Failure::input(format!(
            "{}: {problem}: name the directory of a run that `awl train` made",
            path.display()
        )))
    }

    /// An existing run, to go on with: no other process may until this one has ended.
    pub fn open_to_go_on(path: &Path) -> Result<Self, Failure> {
        Self::open(path)?.locked()
    }

    fn locked(self) -> Result<Self, Failure> {
        let lock = Lock::take(&self.path)?;
        Ok(Self { lock: Some(Arc::new(lock)), ..self })
    }

    /// The same as one of several runs in a directory, by which it is gone on with.
    #[must_use]
    pub fn part_of(self, whole: &Self) -> Self {
        Self { whole: Some(whole.path.clone()), ..self }
    }

    /// Makes a new run with these first files, or nothing at all: it appears under its name only when they are in it.
    pub fn create(path: &Path, files: &[(&str, Vec<u8>)]) -> Result<Self, Failure> {
        let writing = |error| Failure::writing(path, &error);
        let name = path.file_name().ok_or_else(|| {
            Failure::input(format!("--out {}: name a directory to be made", path.display()))
        })?;
        check_free(path)?;
        let parent = durable::folder(path);
        fs::create_dir_all(parent).map_err(writing)?;
        let new = parent.join(format!(".{}.new-{}", name.display(), std::process::id()));
        let make = || {
            fs::create_dir(&new)?;
            for (file, bytes) in files {
                let file = new.join(file);
                fs::create_dir_all(file.parent().unwrap_or(&new))?;
                durable::write(&file, bytes)?;
            }
            for folder in files.iter().flat_map(|(file, _)| Path::new(file).ancestors().skip(1)) {
                durable::sync_folder(&new.join(folder))?;
            }
            // An empty directory of this name may be there; it is replaced.
            if path.exists() {
                fs::remove_dir(path)?;
            }
            durable::rename(&new, path)
        };
        make().map_err(|error| {
            let _ = fs::remove_dir_all(&new);
            // Another process may have been faster with the same name.
            check_free(path).err().unwrap_or_else(|| writing(error))
        })?;
        Self::at(path).locked()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    pub fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    pub fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// The one before, should a disk have damaged the newest.
    pub fn previous_checkpoint(&self) -> PathBuf {
        self.path.join(PREVIOUS_CHECKPOINT)
    }

    /// What `--resume` takes.
    pub fn resumed_by(&self) -> &Path {
        self.whole.as_deref().unwrap_or(&self.path)
    }

    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    pub fn results(&self) -> PathBuf {
        self.path.join("results.json")
    }

    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    pub fn baselines(&self) -> PathBuf {
        self.path.join("baselines.safetensors")
    }

    /// By which intervals are calibrated.
    pub fn calibration(&self) -> PathBuf {
        self.path.join("calibration.safetensors")
    }

    pub fn split(&self) -> PathBuf {
        self.path.join(SPLIT)
    }

    /// Whether its results have figures of rows that it was not trained on.
    pub fn has_rows_apart(&self) -> bool {
        let results = fs::read(self.results()).unwrap_or_default();
        let results: serde_json::Value = serde_json::from_slice(&results).unwrap_or_default();
        results["parts"].as_object().is_some_and(|parts| parts.keys().any(|part| part != "train"))
    }

    /// Which rows it was trained on, where it says so.
    pub fn rows_seen(&self) -> Option<RowsSeen> {
        fs::read(self.path.join(ROWS_SEEN)).ok().and_then(|bytes| RowsSeen::from_bytes(&bytes))
    }

    /// What is said where a model is asked for, and there is one in each of several runs.
    fn is_of_several(&self) -> Failure {
        let lines = fs::read_to_string(self.path.join(FOLDS)).unwrap_or_default();
        let runs = lines.lines().skip(1).filter_map(|line| line.split(',').next());
        let runs: Vec<String> = runs.map(|run| self.path.join(run).display().to_string()).collect();
        let named = match &runs[..] {
            [first, .., last] if runs.len() > 3 => format!("{first} to {last}"),
            few => few.join(", "),
        };
        Failure::input(format!(
            "{} has several runs, each with a model of its own: name one of {named}; for a model of all rows, train without \
             --folds and --repeats",
            self.path.display()
        ))
    }

    /// The trained model: the parameters of each of its networks, and what its inputs and outputs mean.
    pub fn load_model(&self) -> Result<(Model, Vec<Vec<f64>>), Failure> {
        let path = self.model();
        let file = path.display().to_string();
        if self.path.join(FOLDS).exists() {
            return Err(self.is_of_several());
        }
        if !path.exists() {
            return Err(Failure::input(format!(
                "{file} is not there: the run has not ended yet; if no process trains it, finish it with `awl train --resume {}`",
                self.path.display()
            )));
        }
        let bytes = fs::read(&path).map_err(|error| format!("{file}: {error}"))?;
        check_whole(&file, &bytes).map_err(|error| {
            format!("{error}; `awl train --resume {}` writes it anew", self.path.display())
        })?;
        Model::from_bytes(&file, &bytes)
    }

    /// What is to be said where the run was made longer, and has not come to its end since the model was written.
    pub fn is_ahead_of(&self, model: &Model) -> Option<String> {
        let file = self.checkpoint().display().to_string();
        let bytes = fs::read(self.checkpoint()).ok()?;
        let (steps, _) = Checkpoint::read_notes(&file, &bytes).ok()?;
        let (newest, of_model) = (steps.into_iter().max()?, model.steps?);
        (newest > of_model).then(|| {
            format!(
                "the model is of step {of_model}, but the run is at step {newest} and has not ended: if no process trains it, finish \
                 it with `awl train --resume {}`",
                self.path.display()
            )
        })
    }
}

/// Which part each row was in.
pub const SPLIT: &str = "split.csv";
/// Which runs of one command are in the directory.
pub const FOLDS: &str = "folds.csv";
pub const CONFIG: &str = "config.toml";
pub const ROWS_SEEN: &str = "checkpoint/rows";
pub const CHECKPOINT: &str = "checkpoint/state.safetensors";
const PREVIOUS_CHECKPOINT: &str = "checkpoint/previous.safetensors";

/// Checks that a new run can be made here.
pub fn check_free(path: &Path) -> Result<(), Failure> {
    let problem = match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => return Ok(()),
        Ok(false) => format!(
            "it exists: name another with --out, or go on with `awl train --resume {}`",
            path.display()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => format!("{error}: name another with --out"),
    };
    Err(Failure::input(format!("{}: {problem}", path.display())))
}

/// `run`, or the first of `run-2`, `run-3`, … that is free.
pub fn free_name() -> PathBuf {
    let mut name = PathBuf::from("run");
    let mut number = 2u64;
    while name.exists() {
        name = format!("run-{number}").into();
        number += 1;
    }
    name
}

/// Writes a file of a run, with its failure.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    durable::write(path, bytes).map_err(|error| Failure::writing(path, &error))
}
