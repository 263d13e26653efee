//! Figures of answers among classes. Every one of them is what scikit-learn computes under that name, except that
//! AUC and average precision leave out a class that has no label.

use super::ClassScores;
use super::head::{Head, mean};
use super::rank::{Ranking, Ranks};
use crate::data::highest;
use crate::loss::Loss;
use crate::train::parallel::in_parallel;

impl ClassScores {
    /// Of `cross_entropy`; `labels` has an entry a row of the dataset, and at least one row is labelled.
    pub(super) fn of_classes(head: &Head<'_>, labels: &[Option<u32>]) -> Self {
        let mut confusion = vec![vec![0; head.task.width]; head.task.width];
        let mut loss = 0.0;
        // Rows of a known class: the row, its class and what its logits have in common.
        let mut known = Vec::with_capacity(head.rows.len());
        for &row in &head.rows {
            let Some(class) = labels[row].map(|class| class as usize) else { continue };
            let logits = head.predicted(row);
            let softmax = Softmax::of(logits);
            loss -= softmax.log_probability(logits[class]);
            confusion[class][head.answer(row)] += 1;
            known.push((row, class, softmax));
        }
        let ranking = |class: usize| {
            let scored = known.iter().map(|(row, of_row, softmax)| {
                (softmax.log_probability(head.predicted(*row)[class]), *of_row == class)
            });
            Ranks::new(scored).ranking()
        };
        let labelled = |class: &usize| confusion[*class].iter().any(|&count| count > 0);
        let classes: Vec<usize> = (0..head.task.width).filter(labelled).collect();
        let cells = classes.len() * known.len();
        let rankings = in_parallel(classes.len(), cells, |at| ranking(classes[at]));
        Self::new(confusion, &rankings, loss, head.rows.len() - known.len())
    }

    /// Of a column of `bce`: logits, of which those above `cut` are a yes, and labels from 0 to 1 or NaN, of at least one row.
    pub(super) fn of_binary(pairs: &[(f64, f64)], cut: f64) -> Self {
        let mut confusion = vec![vec![0; 2]; 2];
        let mut loss = 0.0;
        let known = || pairs.iter().filter(|(_, label)| !label.is_nan());
        for &(logit, label) in known() {
            loss += Loss::Bce.element(logit, label).0;
            confusion[usize::from(label > 0.5)][usize::from(logit > cut)] += 1;
        }
        let ranking = Ranks::new(known().map(|&(logit, label)| (logit, label > 0.5))).ranking();
        Self::new(confusion, &[ranking], loss, pairs.len() - known().count())
    }

    /// Of several columns of `bce` together.
    pub(super) fn of_columns(columns: &[Self]) -> Self {
        let mut confusion = vec![vec![0; 2]; 2];
        for column in columns {
            let sums = confusion.iter_mut().flatten();
            sums.zip(column.confusion.iter().flatten()).for_each(|(sum, count)| *sum += count);
        }
        let unknown = columns.iter().map(|column| column.unknown).sum();
        Self {
            macro_f1: mean(columns.iter().map(|column| Some(column.macro_f1))).unwrap_or_default(),
            auc: mean(columns.iter().map(|column| column.auc)),
            average_precision: mean(columns.iter().map(|column| column.average_precision)),
            log_loss: mean(columns.iter().map(|column| column.log_loss)),
            accuracy: accuracy(&confusion, unknown),
            confusion,
            unknown,
        }
    }

    /// `rankings` are those of the classes, each against the rest; `loss` is the sum over the rows of the matrix.
    fn new(
        confusion: Vec<Vec<u64>>,
        rankings: &[Option<Ranking>],
        loss: f64,
        unknown: usize,
    ) -> Self {
        let of =
            |figure: fn(&Ranking) -> f64| mean(rankings.iter().map(|it| it.as_ref().map(figure)));
        let (auc, average_precision) = (of(|it| it.auc), of(|it| it.average_precision));
        let unknown = unknown as u64;
        let (accuracy, macro_f1) = (accuracy(&confusion, unknown), macro_f1(&confusion, unknown));
        let known: u64 = confusion.iter().flatten().sum();
        let log_loss = (known > 0).then(|| loss / known as f64);
        Self { accuracy, macro_f1, auc, average_precision, log_loss, confusion, unknown }
    }

    /// The share of the commonest class among the labels: what always answering it would score.
    pub fn majority(&self) -> f64 {
        let of_class = self.confusion.iter().map(|row| row.iter().sum::<u64>());
        let all: u64 = of_class.clone().sum::<u64>() + self.unknown;
        of_class.max().unwrap_or(0) as f64 / all as f64
    }
}

/// The share of right answers, with at least one label.
fn accuracy(confusion: &[Vec<u64>], unknown: u64) -> f64 {
    let right: u64 = confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
    right as f64 / (confusion.iter().flatten().sum::<u64>() + unknown) as f64
}

/// The mean F1 of the classes with a label or an answer, with at least one label.
fn macro_f1(confusion: &[Vec<u64>], unknown: u64) -> f64 {
    let f1 = |class: usize| {
        let labels: u64 = confusion[class].iter().sum();
        let answers: u64 = confusion.iter().map(|row| row[class]).sum();
        // TP + FN + TP + FP
        let both = labels + answers;
        (both > 0).then(|| 2.0 * confusion[class][class] as f64 / both as f64)
    };
    let of_unknown = (unknown > 0).then_some(0.0);
    mean((0..confusion.len()).map(f1).chain([of_unknown])).unwrap_or_default()
}

/// What a row's logits have in common: their logarithmic probabilities are taken relative to the highest, so that
/// probabilities next to 1 stay apart, and equal rows but for a constant stay equal.
pub(super) struct Softmax {
    highest: f64,
    /// The logarithm of `Σ exp(logit − highest)`.
    log_sum: f64,
}

impl Softmax {
    pub(super) fn of(logits: &[f32]) -> Self {
        let first = highest(logits);
        let highest = f64::from(logits[first]);
        let others = logits.iter().enumerate().filter(|&(class, _)| class != first);
        let rest: f64 = others.map(|(_, &logit)| (f64::from(logit) - highest).exp()).sum();
        Self { highest, log_sum: rest.ln_1p() }
    }

    /// The logarithm of the probability of the class with this logit.
    pub(super) fn log_probability(&self, logit: f32) -> f64 {
        (f64::from(logit) - self.highest) - self.log_sum
    }
}
