//! How sure a model's answers are, beside them: flags of `awl predict`, columns' names, and their cells.

use super::answers::{Cell, answer_names};
use super::calibrated;
use super::failure::Failure;
use super::model::Model;
use super::run_dir::RunDir;
use awl::Result;
use awl::loss::Loss;
use awl::tables::{Curve, NumberEncoding, TargetColumn, TargetEncoding};
use awl::train::uncertainty::{Family, Members, Mixture};
use std::collections::HashMap;

/// Flags that say how sure answers are.
#[derive(clap::Args)]
pub struct UncertaintyFlags {
    /// Beside every number its standard deviation, and the parts of noise and of ignorance; beside every class its entropy and the
    /// mutual information between the networks and the answer.
    ///
    /// A run with --members or a loss that predicts its noise has them unless --no-uncertainty is given. One network knows nothing of its ignorance, which is then 0.
    #[arg(long, conflicts_with = "no_uncertainty")]
    uncertainty: bool,
    /// The answers alone, also of a run with --members.
    #[arg(long)]
    no_uncertainty: bool,
    /// The same, and an interval that a label is in with this probability, such as 0.9: NAME.low and NAME.high.
    #[arg(long, value_name = "LEVEL", conflicts_with = "no_uncertainty")]
    interval: Option<f64>,
    /// Have the interval reach as far as it had to on the run's validation rows, so that it holds for rows like them.
    #[arg(long, requires = "interval")]
    calibrate: bool,
}

/// What is written beside answers.
pub struct Beside {
    interval: Option<Interval>,
}

/// Where an interval ends.
enum Interval {
    /// At the quantiles that leave the same to both sides.
    Central { level: f64 },
    /// So many standard deviations from the answer, by the column.
    Calibrated { reach: HashMap<String, f64> },
}

impl Beside {
    /// What is asked for of this model, or goes without saying; `None` for answers alone.
    pub fn asked(
        flags: &UncertaintyFlags,
        run: &RunDir,
        model: &Model,
    ) -> Result<Option<Self>, Failure> {
        let is_asked = flags.uncertainty || flags.interval.is_some();
        let targets = model.encoder.targets();
        let has_much = model.members > 1 || targets.iter().any(|it| it.loss.predicts_noise());
        if !is_asked && (flags.no_uncertainty || !has_much) {
            return Ok(None);
        }
        let interval = match flags.interval {
            None => None,
            Some(level) => Some(interval(level, flags.calibrate, run, targets)?),
        };
        let is_lacking = |it: &&TargetColumn| it.noise_is_measured() && it.noise().is_empty();
        let Some(lacking) = targets.iter().find(is_lacking) else {
            return Ok(Some(Self { interval }));
        };
        let what = format!(
            "{}: the model says nothing of the noise of task \"{}\": it is of a version that did not measure it, or diverged",
            run.path().display(),
            lacking.name
        );
        if is_asked {
            return Err(Failure::input(format!(
                "{what}: train it again, or leave out --uncertainty and --interval"
            )));
        }
        eprintln!(
            "{what}, so answers stand without how sure they are: train it again to have that"
        );
        Ok(None)
    }

    /// The names of the columns beside a task's answers.
    pub fn names(&self, target: &TargetColumn) -> Vec<String> {
        let suffixes = self.suffixes(target);
        let answers = answer_names(target);
        let of_answer = |name: &String| {
            let name = name.clone();
            suffixes.iter().map(move |suffix| format!("{name}.{suffix}"))
        };
        answers.iter().flat_map(of_answer).collect()
    }

    fn suffixes(&self, target: &TargetColumn) -> &'static [&'static str] {
        match (&target.encoding, &target.loss, &self.interval) {
            (TargetEncoding::Binary(_) | TargetEncoding::Classes(_), ..) => {
                &["entropy", "mutual_information"]
            }
            // Of the noise around a quantile nothing is known.
            (_, Loss::Quantile { .. }, _) => &["ignorance_sd"],
            (_, _, None) => &["sd", "noise_sd", "ignorance_sd"],
            (_, _, Some(_)) => &["sd", "noise_sd", "ignorance_sd", "low", "high"],
        }
    }

    /// The cells of these columns for a row.
    pub fn cells(
        &self,
        target: &TargetColumn,
        members: &Members<'_>,
        row: usize,
        task: usize,
        cells: &mut Vec<Cell>,
    ) -> Result<()> {
        for of in members.classes(row, task) {
            cells.extend([of.entropy, of.mutual_information].map(Cell::Probability));
        }
        for (column, encoding) in target.encoding.numbers().iter().enumerate() {
            let of = members.number(row, task, column)?;
            let variance = of.variance_of_number();
            let parts = variance.deviations();
            if let (Some(total), Some(noise)) = (variance.total(), parts.noise) {
                cells.extend([total.sqrt(), noise].map(digits));
            }
            cells.push(digits(parts.ignorance));
            if let Some((low, high)) = self.ends(&of, &target.columns[column]) {
                cells.extend([low, high].map(|label| end(encoding, label)));
            }
        }
        Ok(())
    }

    /// The ends of a number's interval, on the scale that is learned.
    fn ends(&self, of: &Mixture<'_>, column: &str) -> Option<(f64, f64)> {
        match self.interval.as_ref()? {
            Interval::Central { level } => {
                let outside = (1.0 - level) / 2.0;
                Some((of.quantile(outside)?, of.quantile(1.0 - outside)?))
            }
            Interval::Calibrated { reach } => {
                let (reach, deviation) = (*reach.get(column)?, of.variance().total()?.sqrt());
                let half = if reach.is_infinite() { reach } else { reach * deviation };
                let low = of.centre() - half;
                // No count is below 0.
                let low = if of.family() == Family::Poisson { low.max(0.0) } else { low };
                Some((low, of.centre() + half))
            }
        }
    }
}

/// The interval of this level, if there can be one.
fn interval(
    level: f64,
    calibrate: bool,
    run: &RunDir,
    targets: &[TargetColumn],
) -> Result<Interval, Failure> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Failure::input(format!(
            "--interval {level}: give a probability above 0 and below 1, such as 0.9"
        )));
    }
    let has_interval = |it: &&TargetColumn| {
        matches!(it.encoding, TargetEncoding::Numbers(_))
            && !matches!(it.loss, Loss::Quantile { .. })
    };
    let mut with_interval = targets.iter().filter(has_interval).peekable();
    if with_interval.peek().is_none() {
        return Err(Failure::input(
            "--interval is for numbers, and the run has no task of numbers whose noise is known (classes have none, and quantile says \
             nothing of it): ask for --uncertainty",
        ));
    }
    if !calibrate {
        return Ok(Interval::Central { level });
    }
    let Some(scores) = calibrated::scores(run)? else {
        return Err(Failure::input(format!(
            "--calibrate: {} is not there: train again with validation rows, or leave out --calibrate",
            run.calibration().display()
        )));
    };
    let columns = with_interval.flat_map(|it| &it.columns);
    let reach = columns.map(|column| Ok((column.clone(), scores.reach(column, level)?)));
    let reach = reach.collect::<Result<_>>().map_err(|error| Failure::input(error.to_string()))?;
    Ok(Interval::Calibrated { reach })
}

/// A deviation, in the digits that mean something.
fn digits(deviation: f64) -> Cell {
    Cell::Number(format!("{deviation:.5e}").parse().unwrap_or(deviation))
}

/// The end of an interval in the column's unit.
fn end(encoding: &NumberEncoding, label: f64) -> Cell {
    match encoding.curve {
        Curve::Rate => {
            let number = encoding.number(label);
            Cell::Number(format!("{number:.7e}").parse().unwrap_or(number))
        }
        _ => Cell::Number(encoding.answer(label as f32)),
    }
}
