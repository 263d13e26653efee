//! The geometric mean of the losses, `(Π L)^(1/K)`: `wᵢ = (Π L)^(1/K)/(K·Lᵢ)` (Chennupati et al., [*MultiNet++: Multi-Stream Feature
//! Aggregation and Geometric Loss Strategy*](https://arxiv.org/abs/1904.08492), 2019).

use super::scheme::{Kind, Moment, Scheme, TaskStep};

/// The geometric mean, over the tasks that have a label in the batch.
#[derive(Debug)]
pub struct Geometric;

impl Scheme for Geometric {
    fn name(&self) -> &'static str {
        "geometric"
    }

    fn summary(&self) -> &'static str {
        "the geometric mean of the losses"
    }

    fn source(&self) -> &'static str {
        "Chennupati et al. 2019 (GLS), arXiv:1904.08492"
    }

    fn kind(&self) -> Kind {
        Kind::Losses
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn weigh(&self, _moment: &Moment<'_>, tasks: &[TaskStep]) -> Option<Vec<f64>> {
        let logs = || tasks.iter().filter_map(TaskStep::positive_loss).map(f64::ln);
        let count = logs().count().max(1) as f64;
        let mean = logs().sum::<f64>() / count;
        let weight = |loss: f64| (mean - loss.ln()).exp() / count;
        Some(tasks.iter().map(|task| task.positive_loss().map_or(0.0, weight)).collect())
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/geometric.wgsl")
    }
}
