//! The one figure a task by which networks are told apart.

use super::{clipped, rounded, significant};
use awl::tables::TargetColumn;
use awl::train::{Judgement, TaskMetrics};
use awl::{Encoder, Loss};
use std::fmt::Write;

/// A line a task: what each of several networks comes to alone, on average, at worst and at best.
pub fn alone(encoder: &Encoder, members: &[&Vec<Judgement>]) -> String {
    let names = encoder.targets().iter().map(|target| target.name.chars().count());
    let width = names.max().unwrap_or(0).clamp(8, 40);
    let mut text =
        format!("{:width$} {:>9} {:>10} {:>10} {:>10}\n", "", "", "mean", "worst", "best");
    for (task, target) in encoder.targets().iter().enumerate() {
        let figures = members.iter().filter_map(|judgements| judgements[task].figures());
        let mut figures: Vec<Headline> =
            figures.filter_map(|it| Headline::of(target, it)).collect();
        figures.sort_by(|one, other| one.goodness().total_cmp(&other.goodness()));
        let (Some(worst), Some(best)) = (figures.first(), figures.last()) else { continue };
        let mean = figures.iter().map(|it| it.value).sum::<f64>() / figures.len() as f64;
        let [mean, worst, best] = [mean, worst.value, best.value].map(|value| best.text(value));
        let (name, measure) = (clipped(&target.name, width), figures[0].measure());
        let _ = writeln!(text, "{name:width$} {measure:>9} {mean:>10} {worst:>10} {best:>10}");
    }
    text
}

/// What networks come to, a figure a task: `species accuracy 98.6 %, body_mass_g RMSE 312.4`.
pub fn brief(encoder: &Encoder, judgements: &[Judgement]) -> String {
    let of_tasks = encoder.targets().iter().zip(judgements);
    let told = of_tasks.filter_map(|(target, judgement)| {
        let figure = Headline::of(target, judgement.figures()?)?;
        Some(format!("{} {} {}", target.name, figure.measure(), figure.text(figure.value)))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// The one figure by which networks are told apart at a task.
pub(super) struct Headline {
    kind: Kind,
    pub(super) value: f64,
}

#[derive(Clone, Copy)]
enum Kind {
    Accuracy,
    Auc,
    Rmse,
    Mae,
    Loss,
    /// Of several columns, whose errors may have different units.
    R2,
}

impl Headline {
    pub(super) fn of(target: &TargetColumn, metrics: &TaskMetrics) -> Option<Self> {
        Some(match metrics {
            // A threshold is chosen at the cost of accuracy: what does not hang on it tells more.
            TaskMetrics::Classification(it) if target.has_thresholds() => {
                Self { kind: Kind::Auc, value: it.scores.auc? }
            }
            TaskMetrics::Classification(it) => {
                Self { kind: Kind::Accuracy, value: it.scores.accuracy }
            }
            // What its loss is about.
            TaskMetrics::Regression(it) if it.columns.is_empty() => match target.loss {
                Loss::Mae | Loss::Huber { .. } => Self { kind: Kind::Mae, value: it.fit.mae },
                Loss::Quantile { .. } | Loss::Poisson => Self { kind: Kind::Loss, value: it.loss? },
                _ => Self { kind: Kind::Rmse, value: it.fit.rmse },
            },
            TaskMetrics::Regression(it) => Self { kind: Kind::R2, value: it.fit.r2? },
        })
    }

    pub(super) fn measure(&self) -> &'static str {
        match self.kind {
            Kind::Accuracy => "accuracy",
            Kind::Auc => "AUC",
            Kind::Rmse => "RMSE",
            Kind::Mae => "MAE",
            Kind::Loss => "loss",
            Kind::R2 => "R²",
        }
    }

    /// The larger the better.
    pub(super) fn goodness(&self) -> f64 {
        if matches!(self.kind, Kind::Rmse | Kind::Mae | Kind::Loss) {
            -self.value
        } else {
            self.value
        }
    }

    /// Whether no answer could be better.
    pub(super) fn is_perfect(&self) -> bool {
        self.goodness()
            == if matches!(self.kind, Kind::Accuracy | Kind::R2 | Kind::Auc) { 1.0 } else { 0.0 }
    }

    pub(super) fn text(&self, value: f64) -> String {
        match self.kind {
            Kind::Accuracy => format!("{:.1} %", 100.0 * value),
            Kind::Rmse | Kind::Mae | Kind::Loss => significant(value),
            Kind::R2 | Kind::Auc => rounded(value),
        }
    }
}
