//! Which runs a cross-validation is made of, and `folds.csv`, which says so in its directory.

use crate::cli::failure::Failure;
use crate::cli::train::config::Config;

/// More runs than these are a mistake.
const MOST_RUNS: usize = 1_000;

/// One of the runs.
pub struct Place {
    /// Both from 1; no fold where whole splits are repeated.
    pub repeat: usize,
    pub fold: Option<usize>,
    /// Its directory in that of all.
    pub directory: String,
    /// `repeat 2 of 3, fold 1 of 5`
    pub name: String,
}

/// Whether the configuration is of several runs.
pub fn are_several(config: &Config) -> bool {
    let data = &config.data;
    data.fold.is_none()
        && (data.folds.is_some() || data.repeats.is_some_and(|repeats| repeats != 1))
}

/// The runs, in the order in which they are made.
pub fn places(config: &Config) -> Result<Vec<Place>, Failure> {
    check(config)?;
    let (folds, repeats) = (config.data.folds, config.data.repeats.unwrap_or(1));
    let mut places = Vec::new();
    for repeat in 1..=repeats {
        let of_fold = |number: Option<usize>| {
            let fold = folds.zip(number);
            let parts = [
                (repeats > 1)
                    .then(|| (format!("repeat-{repeat}"), format!("repeat {repeat} of {repeats}"))),
                fold.map(|(all, fold)| (format!("fold-{fold}"), format!("fold {fold} of {all}"))),
            ];
            let (directories, names): (Vec<String>, Vec<String>) =
                parts.into_iter().flatten().unzip();
            Place { repeat, fold: number, directory: directories.join("/"), name: names.join(", ") }
        };
        match folds {
            Some(folds) => places.extend((1..=folds).map(|fold| of_fold(Some(fold)))),
            None => places.push(of_fold(None)),
        }
    }
    Ok(places)
}

/// Checks that these runs can be made of a split, whatever the table.
fn check(config: &Config) -> Result<(), Failure> {
    let data = &config.data;
    let refuse = |why: String| Err(Failure::input(why));
    if let Some(folds) = data.folds {
        let why = if let Some(column) = &data.split {
            format!("--split \"{column}\" names the rows to test on")
        } else if let Some(column) = &data.time {
            format!("--time \"{column}\" tests on the newest rows alone")
        } else if let Some(test) = data.test {
            format!("--test {test} is another share of the rows")
        } else {
            String::new()
        };
        if !why.is_empty() {
            return refuse(format!(
                "--folds {folds} tests on every row, a fold at a time, and {why}: give one of the two"
            ));
        }
    }
    if let Some(repeats) = data.repeats {
        let way = [("split", &data.split), ("time", &data.time)];
        let way = way.into_iter().find_map(|(flag, column)| Some((flag, column.as_ref()?)));
        if let Some((flag, column)) = way {
            return refuse(format!(
                "--repeats {repeats} splits the rows anew each time, and --{flag} \"{column}\" always alike: give one of the two"
            ));
        }
        if data.folds.is_none() && data.test.unwrap_or(data.validation) == 0.0 {
            return refuse(format!(
                "--repeats {repeats} is to show how much test figures vary, and there are no test rows: give --test 0.15, or --folds"
            ));
        }
    }
    if let Some(folds) = data.folds.filter(|folds| *folds < 2) {
        return refuse(format!(
            "--folds {folds}: ask for 2 at least, and for no more than there are rows, or groups of rows"
        ));
    }
    let repeats = data.repeats.unwrap_or(1);
    let runs = data.folds.unwrap_or(1).saturating_mul(repeats);
    match repeats {
        0 => refuse("--repeats 0: ask for 1 or more".into()),
        _ if runs > MOST_RUNS => refuse(format!(
            "so many folds and repeats are {runs} runs: ask for {MOST_RUNS} at most"
        )),
        _ => Ok(()),
    }
}

impl Place {
    /// The configuration of this run, by which it can be made again.
    pub fn config(&self, all: &Config) -> Config {
        let mut config = all.clone();
        let seed = all.data.seed_of_the_split(&all.train);
        config.data.split_seed = Some(seed.wrapping_add(self.repeat as u64 - 1));
        config.data.fold = self.fold;
        config.data.repeats = None;
        config
    }
}

/// `folds.csv`: a line a run, with its rows and what they hash to.
pub fn to_csv<'a>(places: impl Iterator<Item = (&'a Place, [usize; 3], &'a str)>) -> String {
    let mut text = "directory,repeat,fold,train,validation,test,fingerprint\n".to_string();
    for (Place { repeat, fold, directory, .. }, [train, validation, test], fingerprint) in places {
        let fold = fold.map_or(String::new(), |fold| fold.to_string());
        text += &format!("{directory},{repeat},{fold},{train},{validation},{test},{fingerprint}\n");
    }
    text
}
