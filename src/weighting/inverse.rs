//! Weights that are the inverse of the loss, or follow from it in closed form, with the loss held constant: what
//! learned weights would come to if they could jump.

use super::scheme::{Kind, Moment, Scheme, Setting, TaskStep};
use super::softmax::softmax_of_some;

/// A weight of each labelled task from its loss.
fn from_losses(tasks: &[TaskStep], weight: impl Fn(f64) -> f64) -> Vec<f64> {
    tasks.iter().map(|task| task.positive_loss().map_or(0.0, &weight)).collect()
}

static SETTINGS: [Setting; 1] = [Setting {
    name: "temperature",
    summary: "T, large for weights that differ little; to be tuned for each table",
    default: 1.0,
    range: [1e-3, 1e6],
}];

/// Scale-invariant: `Σ ln L`, so that the unit of a loss means nothing; `w = 1/L`. The weighted sum that is told of a step is the number
/// of tasks.
#[derive(Debug)]
pub struct ScaleInvariant;

impl Scheme for ScaleInvariant {
    fn name(&self) -> &'static str {
        "scale-invariant"
    }

    fn summary(&self) -> &'static str {
        "Σ ln L: the unit of a loss means nothing"
    }

    fn source(&self) -> &'static str {
        "log scaling; e.g. Lin et al., arXiv:2308.12029, 3.1"
    }

    fn kind(&self) -> Kind {
        Kind::Losses
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn weigh(&self, _moment: &Moment<'_>, tasks: &[TaskStep]) -> Option<Vec<f64>> {
        Some(from_losses(tasks, |loss| 1.0 / loss))
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/scale_invariant.wgsl")
    }
}

/// Uncertainty weighting in closed form, `w = 1/L` with the loss held constant: where Kendall's would come to rest (Kirchdorfer et al.,
/// 2024, eq. 6). Its gradient is that of [`ScaleInvariant`].
#[derive(Debug)]
pub struct UwO;

impl Scheme for UwO {
    fn name(&self) -> &'static str {
        "uw-o"
    }

    fn summary(&self) -> &'static str {
        "where uncertainty's weights would come to rest: 1/L"
    }

    fn source(&self) -> &'static str {
        "Kirchdorfer et al. 2024, arXiv:2408.07985"
    }

    fn kind(&self) -> Kind {
        Kind::Losses
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn weigh(&self, _moment: &Moment<'_>, tasks: &[TaskStep]) -> Option<Vec<f64>> {
        Some(from_losses(tasks, |loss| 1.0 / loss))
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/uw_o.wgsl")
    }
}

/// Soft optimal uncertainty weighting: `w = softmax((1/L)/T)`, the loss held constant (Kirchdorfer et al., [*Analytical Uncertainty-Based
/// Loss Weighting in Multi-Task Learning*](https://arxiv.org/abs/2408.07985), 2024, eq. 8).
#[derive(Debug)]
pub struct UwSo;

impl Scheme for UwSo {
    fn name(&self) -> &'static str {
        "uw-so"
    }

    fn summary(&self) -> &'static str {
        "softmax of the inverse losses: uw-o that cannot explode"
    }

    fn source(&self) -> &'static str {
        "Kirchdorfer et al. 2024, arXiv:2408.07985, eq. 8"
    }

    fn kind(&self) -> Kind {
        Kind::Losses
    }

    fn settings(&self) -> &'static [Setting] {
        &SETTINGS
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn weigh(&self, moment: &Moment<'_>, tasks: &[TaskStep]) -> Option<Vec<f64>> {
        let score =
            |task: &TaskStep| task.positive_loss().map(|loss| 1.0 / loss / moment.settings[0]);
        Some(softmax_of_some(tasks.iter().map(score)))
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/uw_so.wgsl")
    }
}

/// The automatic weighted loss with σ always where it would come to rest ([`equilibrium`](super::awl::equilibrium)):
/// `w = 2/(L + √(L² + 8L))`.
#[derive(Debug)]
pub struct AwlClosedForm;

impl Scheme for AwlClosedForm {
    fn name(&self) -> &'static str {
        "awl-closed-form"
    }

    fn summary(&self) -> &'static str {
        "awl with σ always where its loss calls it: no learning rate of σ"
    }

    fn source(&self) -> &'static str {
        "this project; the root of ∂total/∂σ"
    }

    fn kind(&self) -> Kind {
        Kind::Losses
    }

    fn needs_positive_losses(&self) -> bool {
        true
    }

    fn weigh(&self, _moment: &Moment<'_>, tasks: &[TaskStep]) -> Option<Vec<f64>> {
        Some(from_losses(tasks, |loss| 2.0 / (loss + (loss * loss + 8.0 * loss).sqrt())))
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/weighting/awl_closed_form.wgsl")
    }
}
