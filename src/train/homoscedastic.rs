//! The noise that weights stand for, in the unit of a column: what σ means (Kendall, Gal & Cipolla 2018, section 3.2).

use super::metrics::{Judgement, TaskMetrics};
use super::weighed::Weighed;
use crate::loss::Loss;
use crate::tables::Encoder;
use serde::{Deserialize, Serialize};

/// One standard deviation beside another that is so many times as large differs from it.
const DIFFERS: f64 = 1.25;

/// The noise of a column of numbers whose loss is `mse`, in its own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HomoscedasticNoise {
    /// The task.
    pub task: String,
    /// The column.
    pub column: String,
    /// The standard deviation that the task's weight stands for: that of the training rows' residuals, once σ is at rest, with what
    /// dropout adds to them. Of several columns of a task it is one in units of their standard deviations.
    pub by_weight: f64,
    /// The root of the mean squared residual on rows kept apart.
    pub residual: Option<f64>,
}

impl HomoscedasticNoise {
    /// Of every column that has it: of tasks with `mse`, a weight that stands for a noise, and numbers that are not transformed.
    /// `judgements` are of rows kept apart, in the columns' units.
    pub fn all(
        encoder: &Encoder,
        weighed: &[Weighed],
        judgements: Option<&[Judgement]>,
    ) -> Vec<Self> {
        let mut all = Vec::new();
        for (k, (target, weighed)) in encoder.targets().iter().zip(weighed).enumerate() {
            let units = target.encoding.units().filter(|_| target.loss == Loss::Mse);
            let (Some(variance), Some(units)) = (weighed.noise, units) else { continue };
            let residuals = judgements.map(|it| residuals(&it[k])).unwrap_or_default();
            for (column, (name, unit)) in target.columns.iter().zip(units).enumerate() {
                all.push(Self {
                    task: target.name.clone(),
                    column: name.clone(),
                    by_weight: variance.sqrt() * unit,
                    residual: residuals.get(column).copied(),
                });
            }
        }
        all
    }

    /// What the two say where they differ.
    pub fn words(&self) -> Option<&'static str> {
        let residual = self.residual?;
        if residual > DIFFERS * self.by_weight {
            return Some("smaller than the residual: the network knows its training rows better");
        }
        (self.by_weight > DIFFERS * residual)
            .then_some("larger than the residual: σ is on its way still, or dropout adds to it")
    }
}

/// What the columns say, in a sentence.
pub const ABOUT_NOISE: &str = "σ stands for noise that is the same for all rows, as the training rows show it: where the \
     residuals of rows kept apart are larger, the network is overfit, and these are what to believe";

/// A column's each.
fn residuals(judgement: &Judgement) -> Vec<f64> {
    match judgement {
        Judgement::Figures(TaskMetrics::Regression(it)) if it.columns.is_empty() => {
            vec![it.fit.rmse]
        }
        Judgement::Figures(TaskMetrics::Regression(it)) => {
            it.columns.iter().map(|fit| fit.rmse).collect()
        }
        _ => Vec::new(),
    }
}
