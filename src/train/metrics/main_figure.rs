//! The one figure a task that says how good it is, and its loss, without what costs a ranking of the rows.

use super::Fit;
use super::head::{Head, mean};
use super::judge::of_heads;
use crate::data::Matrix;
use crate::error::Result;
use crate::loss::Loss;
use crate::tables::{Encoder, Labels, Table};

/// A task's figure.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::train) struct MainFigure {
    /// `accuracy` or `r2`, the mean of those columns that have one.
    pub(in crate::train) measure: &'static str,
    pub(in crate::train) value: f64,
    pub(in crate::train) loss: f64,
}

/// The figure of every task on the rows of a table; `None` where there is none, as of labels that are all the same number.
/// `predictions` have the shape `[rows, outputs]`.
///
/// # Errors
/// Those of [`judge`](super::judge).
pub(in crate::train) fn main_figures(
    encoder: &Encoder,
    table: &Table,
    predictions: &Matrix,
) -> Result<Vec<Option<MainFigure>>> {
    Ok(of_heads(encoder, table, predictions, of_head)?.into_iter().map(Option::flatten).collect())
}

fn of_head(head: &Head<'_>) -> Option<MainFigure> {
    let loss = head.mean_loss()?;
    let share = |right: usize, all: usize| Some(right as f64 / all as f64);
    let (measure, value) = match head.labels() {
        Labels::Classes(labels) => {
            let is_right = |&&row: &&usize| {
                labels[row].is_some_and(|class| head.answer(row) == class as usize)
            };
            ("accuracy", share(head.rows.iter().filter(is_right).count(), head.rows.len()))
        }
        Labels::Numbers(labels) if head.task.loss == Loss::Bce => {
            let right = |column| {
                let (pairs, cut) = (head.pairs(labels, column), head.cut(column));
                let is_right = |(logit, label): &&(f64, f64)| {
                    !label.is_nan() && (*logit > cut) == (*label > 0.5)
                };
                pairs.iter().filter(is_right).count()
            };
            let all = head.rows.len() * head.task.width;
            ("accuracy", share((0..head.task.width).map(right).sum(), all))
        }
        Labels::Numbers(labels) => {
            let r2 = |column| Fit::of(&head.pairs(labels, column), head.origin).r2;
            ("r2", mean((0..head.task.width).map(r2)))
        }
    };
    Some(MainFigure { measure, value: value?, loss })
}
