//! What each feature is worth: by how much a task's figure falls when the feature's cells are dealt anew among the rows.
//!
//! Permutation importance (Breiman 2001, "Random Forests", section 10; Fisher, Rudin and Dominici 2019, "All Models are Wrong, but
//! Many are Useful"). A feature is a column of the table: all of its inputs go together. What a feature says that others say as well
//! is not seen, since they still say it: of two equal columns each may come to little.

use super::metrics::{MainFigure, main_figures};
use crate::data::Matrix;
use crate::error::Result;
use crate::tables::{Encoder, Table};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

/// How often a feature is dealt anew.
const DRAWS: usize = 5;
/// Rows at most, and the fewest that a costly model is asked for.
const MOST_ROWS: usize = 2_000;
const FEWEST_ROWS: usize = 100;
/// Multiplications of a model's parameters that are worth it: seconds on a CPU, at most.
const MOST_WORK: f64 = 2e9;
/// Of more features only so many are looked at: those with the largest weights.
const MOST_FEATURES: usize = 100;

/// What the features are worth to every task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importances {
    /// Rows that were taken, evenly from the table's.
    pub rows: usize,
    /// How often each feature was dealt anew.
    pub draws: usize,
    /// Features that were not looked at, since there are too many: those with the smallest weights.
    pub passed_over: usize,
    /// An entry a task; `None` where it has no figure on these rows.
    pub tasks: Vec<Option<TaskImportance>>,
}

/// What the features are worth to a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskImportance {
    /// `accuracy` or `r2`.
    pub measure: String,
    /// The figure with the features as they are.
    pub figure: f64,
    /// The largest drop first.
    pub features: Vec<FeatureImportance>,
}

/// What one feature is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureImportance {
    /// The column of the table.
    pub feature: String,
    /// By how much the figure falls, the mean over the draws. Below 0 the figure was better without the feature.
    pub drop: f64,
    /// The standard deviation of the draws.
    pub spread: f64,
    /// By how much the task's loss rises, the mean over the draws.
    pub loss_rise: f64,
}

/// What the features are worth to a model that answers with `predict`: `[rows, features]` in, `[rows, outputs]` out, `cost`
/// multiplications a row. `strengths` says of each input how large the weights are that read it: of more than a hundred features those
/// with the largest are looked at. The same table gives the same answer every time.
///
/// # Errors
/// Those of `predict`, of [`Encoder::encode_features`] and of [`judge`](super::judge).
pub async fn importances(
    encoder: &Encoder,
    table: &Table,
    cost: usize,
    strengths: &[f64],
    mut predict: impl AsyncFnMut(&Matrix) -> Result<Matrix>,
) -> Result<Importances> {
    let inputs = inputs(encoder);
    let work = MOST_WORK / (cost.max(1) * DRAWS * inputs.len().clamp(1, MOST_FEATURES)) as f64;
    let rows = (work as usize).clamp(FEWEST_ROWS, MOST_ROWS).min(table.rows());
    let mut looked_at = inputs.clone();
    if inputs.len() > MOST_FEATURES {
        let strength = |feature: &Inputs| {
            let own = strengths.get(feature.range.clone()).unwrap_or_default();
            own.iter().copied().fold(0.0, f64::max)
        };
        looked_at.sort_by(|one, other| strength(other).total_cmp(&strength(one)));
        looked_at.truncate(MOST_FEATURES);
    }
    let sample = Sample::new(encoder, table, rows, &mut predict).await?;
    let start = |figure: &Option<MainFigure>| {
        figure.as_ref().map(|it| TaskImportance {
            measure: it.measure.into(),
            figure: it.value,
            features: Vec::new(),
        })
    };
    let mut tasks: Vec<Option<TaskImportance>> = sample.figures.iter().map(start).collect();
    for feature in &looked_at {
        let draws = sample.draws(feature, DRAWS, &mut predict).await?;
        for (index, task) in tasks.iter_mut().enumerate() {
            let (Some(task), Some(before)) = (task, &sample.figures[index]) else { continue };
            let after: Vec<&MainFigure> =
                draws.iter().filter_map(|it| it[index].as_ref()).collect();
            task.features.push(compare(&feature.column, before, &after));
        }
    }
    for task in tasks.iter_mut().flatten() {
        task.features.sort_by(|one, other| other.drop.total_cmp(&one.drop));
    }
    let passed_over = encoder.feature_columns().iter().filter(|it| it.width() > 0).count();
    let passed_over = passed_over - looked_at.len();
    Ok(Importances { rows, draws: DRAWS, passed_over, tasks })
}

/// A feature's inputs.
#[derive(Clone)]
struct Inputs {
    column: String,
    /// Which feature it is, for the seeds.
    number: u64,
    range: std::ops::Range<usize>,
}

/// Those of all features that have some.
fn inputs(encoder: &Encoder) -> Vec<Inputs> {
    let mut next = 0;
    let columns = encoder.feature_columns().iter().zip(0..);
    let all = columns.map(|(feature, number)| {
        let range = next..next + feature.width();
        next = range.end;
        Inputs { column: feature.column.clone(), number, range }
    });
    all.filter(|it| !it.range.is_empty()).collect()
}

/// The mean drop of a feature, and how the draws spread.
fn compare(column: &str, before: &MainFigure, after: &[&MainFigure]) -> FeatureImportance {
    let count = after.len().max(1) as f64;
    let drops = || after.iter().map(|it| before.value - it.value);
    let drop = drops().sum::<f64>() / count;
    let squares: f64 = drops().map(|it| (it - drop).powi(2)).sum();
    let spread = (squares / (count - 1.0).max(1.0)).sqrt();
    let loss_rise = after.iter().map(|it| it.loss - before.loss).sum::<f64>() / count;
    FeatureImportance { feature: column.into(), drop, spread, loss_rise }
}

/// Some of a table's rows, with the figures that the features as they are come to.
struct Sample<'a> {
    encoder: &'a Encoder,
    table: Table,
    features: Matrix,
    figures: Vec<Option<MainFigure>>,
}

impl<'a> Sample<'a> {
    /// So many rows, evenly taken.
    async fn new(
        encoder: &'a Encoder,
        table: &Table,
        rows: usize,
        predict: &mut impl AsyncFnMut(&Matrix) -> Result<Matrix>,
    ) -> Result<Self> {
        let taken: Vec<usize> = (0..rows).map(|row| row * table.rows() / rows).collect();
        let table = table.select(&taken);
        let features = encoder.encode_features(&table)?;
        let predictions = predict(&features).await?;
        let figures = main_figures(encoder, &table, &predictions)?;
        Ok(Self { encoder, table, features, figures })
    }

    /// The figures where a feature is dealt anew, so many times.
    async fn draws(
        &self,
        feature: &Inputs,
        draws: usize,
        predict: &mut impl AsyncFnMut(&Matrix) -> Result<Matrix>,
    ) -> Result<Vec<Vec<Option<MainFigure>>>> {
        let (rows, columns) = (self.features.rows(), self.features.columns());
        let mut values = Vec::with_capacity(draws * rows * columns);
        for draw in 0..draws {
            let from = permutation(rows, feature.number * DRAWS as u64 + draw as u64);
            for (row, from) in from.into_iter().enumerate() {
                let start = values.len();
                values.extend_from_slice(self.features.row(row));
                let own = &self.features.row(from)[feature.range.clone()];
                values[start..][feature.range.clone()].copy_from_slice(own);
            }
        }
        let predictions = predict(&Matrix::new(columns, values)?).await?;
        let outputs = predictions.columns();
        let of_draw = predictions.values().chunks(rows * outputs).map(|of_draw| {
            let predictions = Matrix::new(outputs, of_draw.to_vec())?;
            main_figures(self.encoder, &self.table, &predictions)
        });
        of_draw.collect()
    }
}

/// The numbers below `count` in an order drawn by a seed (Fisher and Yates).
fn permutation(count: usize, seed: u64) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, random.random_range(0..=last));
    }
    order
}

#[cfg(test)]
mod tests;
