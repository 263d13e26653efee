//! Whether intervals hold what they promise: how often labels of rows kept apart lie in them.

use super::{Family, Members, Mixture, Scores};
use crate::data::{Matrix, Target, Values};
use crate::error::Result;
use crate::tables::{Encoder, TargetColumn};
use serde::{Deserialize, Serialize};

/// Probabilities of central intervals that are told of.
pub const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];
/// Those of the curve are the multiples of a twentieth, 0.05 to 0.95.
const STEPS: usize = 19;

/// How well the intervals of a column of numbers are calibrated, on labelled rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberCalibration {
    /// The task.
    pub task: String,
    /// The column.
    pub column: String,
    /// Rows with a label.
    pub rows: u64,
    /// At each of [`LEVELS`].
    pub coverage: Vec<Coverage>,
    /// The share of labels in the central intervals of probability 0.05, 0.10, … 0.95: `[probability, share]`.
    pub curve: Vec<[f64; 2]>,
    /// The calibration error: the mean distance between probability and share over these 19 (after Kuleshov, Fenner & Ermon 2018,
    /// *Accurate Uncertainties for Deep Learning Using Calibrated Regression*).
    pub error: f64,
    /// The mean negative logarithm of the density at the label, in nats, on the scale that is learned (standard deviations of the
    /// training labels); of counts that of the probability. `None` where a label has none.
    pub nll: Option<f64>,
    /// The mean [continuous ranked probability score](Mixture::crps), in the column's unit, or of transformed columns on the scale that
    /// is learned; `None` of counts.
    pub crps: Option<f64>,
}

/// The share of labels in a central interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The interval's probability.
    pub level: f64,
    /// The share in it.
    pub share: f64,
    /// The share in the interval that was calibrated on the validation rows; `None` where there is none.
    pub calibrated: Option<f64>,
}

/// The figures of columns as rows are added.
#[derive(Debug)]
pub struct Calibration<'a> {
    targets: &'a [TargetColumn],
    scores: Option<&'a Scores>,
    /// By task and column; `None` where nothing is known of the noise.
    sums: Vec<Vec<Option<Sums>>>,
}

#[derive(Clone, Debug)]
struct Sums {
    rows: u64,
    inside: [u64; LEVELS.len()],
    calibrated: [u64; LEVELS.len()],
    /// By how many deviations calibrated intervals reach.
    reach: [Option<f64>; LEVELS.len()],
    curve: [u64; STEPS],
    nll: f64,
    crps: Option<f64>,
}

impl<'a> Calibration<'a> {
    /// Of no rows yet; the scores are those that intervals are calibrated by.
    pub fn new(encoder: &'a Encoder, scores: Option<&'a Scores>) -> Self {
        let of_column = |target: &TargetColumn, column: &String| {
            let lacks = target.noise_is_measured() && target.noise().is_empty();
            let is_known = super::members::family(&target.loss) != Family::Unknown && !lacks;
            let reach = |level| scores.and_then(|it| it.reach(column, level).ok());
            is_known.then(|| Sums {
                rows: 0,
                inside: [0; LEVELS.len()],
                calibrated: [0; LEVELS.len()],
                reach: LEVELS.map(reach),
                curve: [0; STEPS],
                nll: 0.0,
                crps: Some(0.0),
            })
        };
        let of_target = |target: &TargetColumn| {
            let columns = target.encoding.numbers().iter().zip(&target.columns);
            columns.map(|(_, column)| of_column(target, column)).collect()
        };
        let targets = encoder.targets();
        Self { targets, scores, sums: targets.iter().map(of_target).collect() }
    }

    /// Whether there is no column whose noise is known.
    pub fn is_empty(&self) -> bool {
        self.sums.iter().flatten().all(Option::is_none)
    }

    /// Adds the rows that these predictions are of, the labels of tasks, where there are some, beginning at row `first`
    /// ([`Encoder::encode_numbers`]).
    ///
    /// # Errors
    /// Those of [`Members::number`].
    pub fn add(
        &mut self,
        members: &Members<'_>,
        labels: &[Option<Target>],
        first: usize,
    ) -> Result<()> {
        for (task, (columns, labels)) in self.sums.iter_mut().zip(labels).enumerate() {
            let Some(labels) = labels else { continue };
            let Values::Numbers(numbers) = labels.values() else { continue };
            let rows = (0..members.rows()).filter(|row| labels.has_label(first + row));
            for row in rows {
                for (column, sums) in columns.iter_mut().enumerate() {
                    let Some(sums) = sums else { continue };
                    let label = f64::from(numbers.row(first + row)[column]);
                    sums.add(&members.number(row, task, column)?, label);
                }
            }
        }
        Ok(())
    }

    /// The figures, of columns with a label.
    pub fn figures(&self) -> Vec<NumberCalibration> {
        let of_target = |(target, columns): (&'a TargetColumn, &Vec<Option<Sums>>)| {
            let columns = columns.iter().enumerate();
            let of_column = |(column, sums): (usize, &Option<Sums>)| {
                let sums = sums.as_ref().filter(|sums| sums.rows > 0)?;
                Some(sums.figures(target, column, self.scores.is_some()))
            };
            columns.filter_map(of_column).collect::<Vec<_>>()
        };
        self.targets.iter().zip(&self.sums).flat_map(of_target).collect()
    }
}

impl Sums {
    fn add(&mut self, of: &Mixture<'_>, label: f64) {
        self.rows += 1;
        let depth = Depth::of(of, label);
        for (count, level) in self.inside.iter_mut().zip(LEVELS) {
            *count += u64::from(depth.is_inside(level));
        }
        for (step, count) in self.curve.iter_mut().enumerate() {
            *count += u64::from(depth.is_inside(level_of(step)));
        }
        let deviation = of.variance().total().map_or(0.0, f64::sqrt);
        let score = Scores::score(label - of.centre(), deviation);
        for (count, reach) in self.calibrated.iter_mut().zip(self.reach) {
            *count += u64::from(reach.is_some_and(|reach| score <= reach));
        }
        self.nll -= of.log_density(label).unwrap_or(f64::NEG_INFINITY);
        self.crps = self.crps.zip(of.crps(label)).map(|(sum, own)| sum + own);
    }

    fn figures(&self, target: &TargetColumn, column: usize, is_scored: bool) -> NumberCalibration {
        let share = |count: u64| count as f64 / self.rows as f64;
        let curve = self.curve.iter().enumerate();
        let curve: Vec<[f64; 2]> =
            curve.map(|(step, &count)| [level_of(step), share(count)]).collect();
        let coverage = (0..LEVELS.len()).map(|at| Coverage {
            level: LEVELS[at],
            share: share(self.inside[at]),
            calibrated: self.reach[at].filter(|_| is_scored).map(|_| share(self.calibrated[at])),
        });
        let unit = target.encoding.numbers()[column].unit().unwrap_or(1.0);
        let mean = |sum: f64| Some(sum / self.rows as f64).filter(|mean| mean.is_finite());
        NumberCalibration {
            task: target.name.clone(),
            column: target.columns[column].clone(),
            rows: self.rows,
            coverage: coverage.collect(),
            error: curve.iter().map(|[level, share]| (level - share).abs()).sum::<f64>()
                / STEPS as f64,
            curve,
            nll: mean(self.nll),
            crps: self.crps.and_then(mean).map(|crps| crps * unit),
        }
    }
}

fn level_of(step: usize) -> f64 {
    (step + 1) as f64 / (STEPS + 1) as f64
}

/// Where a label lies in a distribution: the probability of less, and of at most as much.
struct Depth {
    below: f64,
    to: f64,
}

impl Depth {
    fn of(of: &Mixture<'_>, label: f64) -> Self {
        let to = of.cdf(label).unwrap_or(f64::NAN);
        let below = match of.family() {
            // A count less.
            Family::Poisson => of.cdf(label - 1.0 / of.encoding.scaling.std).unwrap_or(f64::NAN),
            _ => to,
        };
        Self { below, to }
    }

    /// Whether it is in the central interval of this probability, from quantile to quantile.
    fn is_inside(&self, level: f64) -> bool {
        let outside = 0.5 * (1.0 - level);
        self.to >= outside && self.below <= 1.0 - outside
    }
}

/// Rows of predictions that are taken together, so that those of many networks need no more room than these.
const BLOCK: usize = 16_384;

/// The rows of features in blocks, with the first row of each.
///
/// # Errors
/// Those of [`Matrix::new`].
pub fn blocks(features: &Matrix) -> impl Iterator<Item = Result<(usize, Matrix)>> {
    let columns = features.columns();
    let firsts = (0..features.rows()).step_by(BLOCK);
    firsts.map(move |first| {
        let end = features.rows().min(first + BLOCK);
        let values = features.values()[first * columns..end * columns].to_vec();
        Ok((first, Matrix::new(columns, values)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;
    use crate::tables::{Table, TargetSpec};
    use statrs::function::erf::erfc_inv;

    /// Labels at the quantiles of the answer: an interval of probability L has the share L of them; of an answer that is sure of
    /// too much, with half the deviation, what the normal distribution says.
    #[test]
    fn coverage_is_that_of_the_normal_distribution() {
        const ROWS: usize = 4_000;
        let normal = |row: usize| -2_f64.sqrt() * erfc_inv(2.0 * (row as f64 + 0.5) / ROWS as f64);
        let table = Table::from_csv("t", "x,y\n1,-1\n2,1\n".as_bytes()).expect("a table");
        let targets = [TargetSpec::new("y").with_loss(Loss::GaussianNll { beta: 0.0 })];
        let encoder = Encoder::fit_with(&table, &["x"], &targets, Default::default());
        let encoder = encoder.expect("an encoder");
        let labels: Vec<f32> = (0..ROWS).map(|row| normal(row) as f32).collect();
        let labels = [Some(Target::numbers(Matrix::new(1, labels).expect("labels")))];
        let mut scores = Scores::default();
        scores.insert("y", (0..ROWS).map(|row| 2.0 * normal(row).abs()).collect());
        for (deviation, expected) in
            [(1.0_f64, LEVELS), (0.5, [0.264_1, 0.478_4, 0.589_2, 0.672_9])]
        {
            let row = [0.0, 2.0 * deviation.ln() as f32];
            let predictions = Matrix::new(2, row.repeat(ROWS)).expect("predictions");
            let members = Members::new(&encoder, vec![predictions]).expect("a network");
            let mut calibration = Calibration::new(&encoder, Some(&scores));
            calibration.add(&members, &labels, 0).expect("figures");
            let found = calibration.figures().remove(0);
            assert_eq!((found.rows, found.coverage.len(), found.curve.len()), (4_000, 4, 19));
            for (found, expected) in found.coverage.iter().zip(expected) {
                assert!((found.share - expected).abs() < 1e-3, "{found:?}, not {expected}");
                // Scores of half a deviation: these hold what they promise.
                if deviation == 0.5 {
                    let calibrated = found.calibrated.expect("a share");
                    assert!((calibrated - found.level).abs() < 1e-3, "{found:?}");
                }
            }
            // ½ ln 2π + ln σ + 1/2σ²
            let nll = 0.918_938_533 + deviation.ln() + 0.5 / (deviation * deviation);
            assert!((found.nll.expect("nll") - nll).abs() < 2e-3, "{found:?}");
            assert_eq!(found.error < 1e-3, deviation == 1.0, "{}", found.error);
        }
    }

    #[test]
    fn blocks_are_all_rows_once() {
        let features = Matrix::new(2, (0..2 * 40_000).map(|i| i as f32).collect());
        let features = features.expect("features");
        let blocks: Vec<_> = blocks(&features).map(|it| it.expect("a block")).collect();
        assert_eq!(
            blocks.iter().map(|(first, _)| *first).collect::<Vec<_>>(),
            [0, BLOCK, 2 * BLOCK]
        );
        let values: Vec<f32> = blocks.iter().flat_map(|(_, it)| it.values().to_vec()).collect();
        assert_eq!(values, features.values());
    }
}
