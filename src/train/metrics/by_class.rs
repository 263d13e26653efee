//! What a task's answers are like class by class: recall and precision of each, curves of the rare ones, and whether probabilities
//! can be believed.

use super::classes::Softmax;
use super::head::Head;
use super::judge::of_heads;
use super::rank::Ranks;
use crate::data::Matrix;
use crate::error::Result;
use crate::loss::Loss;
use crate::tables::{Encoder, Labels, Table};
use serde::{Deserialize, Serialize};

/// Curves of a task, and points of a curve, at most.
const MOST_CURVES: usize = 6;
const MOST_POINTS: usize = 100;
/// A class with fewer labels has no curve, unless all have: of one or two rows it tells nothing.
const FEW_LABELS: u64 = 5;
/// Bins of probability, all equally wide.
const BINS: usize = 10;

/// What answers among classes are like; in `bce` the classes are no (0) and yes (1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByClass {
    /// An entry a class, in their order.
    pub classes: Vec<OfClass>,
    /// Of `bce` that of yes, after that of no where this is the rarer; of several classes those of the rarest, up to six.
    pub curves: Vec<PrecisionRecall>,
    /// Whether probabilities can be believed; `None` if no row has a label of a known class.
    pub calibration: Option<Calibration>,
}

/// How well one class is told from the rest, as scikit-learn's `precision_recall_fscore_support` has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfClass {
    /// Number of rows with this label.
    pub labelled: u64,
    /// The share of the rows with this answer whose label it is; `None` if no row has this answer.
    pub precision: Option<f64>,
    /// The share of the rows with this label that have this answer; `None` if no row has this label.
    pub recall: Option<f64>,
    /// `2·TP/(2·TP + FP + FN)`; `None` without such a label or answer.
    pub f1: Option<f64>,
    /// Of this class against the rest; `None` if all labels or none are of this class.
    pub average_precision: Option<f64>,
}

/// A precision–recall curve: of the rows with the highest probabilities of a class, more and more of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecall {
    /// The class.
    pub class: usize,
    /// Recall and precision, the recall growing; about a hundred at most.
    pub points: Vec<[f64; 2]>,
}

/// How often answers are right that are given a probability: a reliability diagram. Of `bce` the probability of yes and the share
/// of yes; of several classes the probability of the answer and the share of right ones (Guo et al. 2017, "On Calibration of Modern
/// Neural Networks", section 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Ten bins of equal width from 0 to 1, without those that have no row.
    pub bins: Vec<Bin>,
    /// The expected calibration error: the mean distance of probability and share over the rows, bin by bin.
    pub error: f64,
}

/// The rows with about one probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Number of rows.
    pub rows: u64,
    /// Their mean probability.
    pub probability: f64,
    /// The share of them of which it came true.
    pub share: f64,
}

/// What answers of every task are like, class by class: an entry a task, with one a column; none for tasks of numbers, and those
/// without figures. Labels of classes that a task does not have are left out, as in the confusion matrix. `predictions` have the shape
/// `[rows, outputs]`.
///
/// # Errors
/// Those of [`judge`](super::judge).
pub fn by_class(
    encoder: &Encoder,
    table: &Table,
    predictions: &Matrix,
) -> Result<Vec<Vec<ByClass>>> {
    Ok(of_heads(encoder, table, predictions, of_head)?
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect())
}

fn of_head(head: &Head<'_>) -> Vec<ByClass> {
    match head.labels() {
        Labels::Classes(labels) => vec![of_classes(head, labels)],
        Labels::Numbers(labels) if head.task.loss == Loss::Bce => {
            let of = |column| of_binary(&head.pairs(labels, column), head.cut(column));
            (0..head.task.width).map(of).collect()
        }
        Labels::Numbers(_) => Vec::new(),
    }
}

fn of_classes(head: &Head<'_>, labels: &[Option<u32>]) -> ByClass {
    let width = head.task.width;
    let mut confusion = vec![vec![0; width]; width];
    let (mut known, mut believed) = (Vec::new(), Vec::new());
    for &row in &head.rows {
        let Some(class) = labels[row].map(|class| class as usize) else { continue };
        let logits = head.predicted(row);
        let (answer, softmax) = (head.answer(row), Softmax::of(logits));
        confusion[class][answer] += 1;
        believed.push((softmax.log_probability(logits[answer]).exp(), answer == class));
        known.push((row, class, softmax));
    }
    let ranks = |class: usize| {
        Ranks::new(known.iter().map(|(row, of_row, softmax)| {
            (softmax.log_probability(head.predicted(*row)[class]), *of_row == class)
        }))
    };
    let classes =
        classes(&confusion, |class| ranks(class).ranking().map(|it| it.average_precision));
    let curves = rarest(&classes).into_iter();
    let curves = curves.map(|class| PrecisionRecall { class, points: curve(&ranks(class)) });
    ByClass { curves: curves.collect(), classes, calibration: calibration(&believed) }
}

/// Of pairs of a logit, of which those above `cut` are a yes, and a label, NaN where it is unknown.
fn of_binary(pairs: &[(f64, f64)], cut: f64) -> ByClass {
    let known = || pairs.iter().filter(|(_, label)| !label.is_nan());
    let mut confusion = vec![vec![0; 2]; 2];
    known().for_each(|(logit, label)| {
        confusion[usize::from(*label > 0.5)][usize::from(*logit > cut)] += 1;
    });
    let ranks = |class: usize| {
        let sign = if class == 1 { 1.0 } else { -1.0 };
        Ranks::new(known().map(|(logit, label)| (sign * logit, (*label > 0.5) == (class == 1))))
    };
    let classes =
        classes(&confusion, |class| ranks(class).ranking().map(|it| it.average_precision));
    let mut curves = Vec::new();
    if classes[1].average_precision.is_some() {
        // Where no is the rare one, the curve of yes is next to 1 whatever the answers are worth.
        let of = if classes[0].labelled < classes[1].labelled { &[0, 1][..] } else { &[1] };
        let curve = |&class: &usize| PrecisionRecall { class, points: curve(&ranks(class)) };
        curves = of.iter().map(curve).collect();
    }
    let believed: Vec<_> =
        known().map(|(logit, label)| (1.0 / (1.0 + (-logit).exp()), *label > 0.5)).collect();
    ByClass { classes, curves, calibration: calibration(&believed) }
}

fn classes(confusion: &[Vec<u64>], average: impl Fn(usize) -> Option<f64>) -> Vec<OfClass> {
    let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    let of_class = |class: usize| {
        let labelled: u64 = confusion[class].iter().sum();
        let answers: u64 = confusion.iter().map(|row| row[class]).sum();
        let right = confusion[class][class];
        OfClass {
            labelled,
            precision: share(right, answers),
            recall: share(right, labelled),
            f1: share(2 * right, labelled + answers),
            average_precision: (labelled > 0).then(|| average(class)).flatten(),
        }
    };
    (0..confusion.len()).map(of_class).collect()
}

/// The classes that have a curve, in their order.
fn rarest(classes: &[OfClass]) -> Vec<usize> {
    let having = |least: u64| {
        let mut some: Vec<usize> = (0..classes.len())
            .filter(|&it| classes[it].average_precision.is_some() && classes[it].labelled >= least)
            .collect();
        some.sort_by_key(|&it| classes[it].labelled);
        some.truncate(MOST_CURVES);
        some.sort_unstable();
        some
    };
    let some = having(FEW_LABELS);
    if some.is_empty() { having(1) } else { some }
}

/// Recall and precision after each different score; of many, those where the recall has grown by a hundredth.
fn curve(ranks: &Ranks) -> Vec<[f64; 2]> {
    let positives = ranks.counts.last().map_or(1, |it| it.0) as f64;
    let points =
        ranks.counts.iter().map(|&(yes, all)| [yes as f64 / positives, yes as f64 / all as f64]);
    let mut points: Vec<[f64; 2]> = points.collect();
    if points.len() > MOST_POINTS {
        let mut next = 0.0;
        points.retain(|&[recall, _]| {
            let is_kept = recall >= next && recall > 0.0;
            if is_kept {
                next = recall + 1.0 / MOST_POINTS as f64;
            }
            is_kept
        });
    }
    points
}

/// Of probabilities, and whether they came true.
fn calibration(rows: &[(f64, bool)]) -> Option<Calibration> {
    let mut sums = [(0_u64, 0.0, 0_u64); BINS];
    for &(probability, is_true) in rows {
        let (count, sum, right) = &mut sums[((probability * BINS as f64) as usize).min(BINS - 1)];
        *count += 1;
        *sum += probability;
        *right += u64::from(is_true);
    }
    let bin = |&(rows, sum, right): &(u64, f64, u64)| Bin {
        rows,
        probability: sum / rows as f64,
        share: right as f64 / rows as f64,
    };
    let bins: Vec<Bin> = sums.iter().filter(|it| it.0 > 0).map(bin).collect();
    let far = |it: &Bin| it.rows as f64 * (it.probability - it.share).abs();
    let all = rows.len() as f64;
    (!rows.is_empty()).then(|| Calibration { error: bins.iter().map(far).sum::<f64>() / all, bins })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-12)
    }

    /// Recall and precision counted by hand, the average precisions by `average_precision_score` of scikit-learn 1.9.1, and the
    /// calibration by hand.
    #[test]
    fn answers_of_yes_and_no_are_counted() {
        let pairs = [
            (0.5, 1.),
            (-1., 0.),
            (0.5, 0.),
            (2., 1.),
            (0.5, 1.),
            (-3., 0.),
            (0., 1.),
            (1.5, 0.),
            (1.0, f64::NAN),
        ];
        let found = of_binary(&pairs, 0.0);
        let [no, yes] = &found.classes[..] else { panic!("{found:?}") };
        assert_eq!((no.labelled, yes.labelled), (4, 4));
        assert!(near(no.precision, 2.0 / 3.0) && near(no.recall, 0.5), "{no:?}");
        assert!(near(yes.precision, 0.6) && near(yes.recall, 0.75), "{yes:?}");
        assert!(near(yes.f1, 2.0 * 3.0 / 9.0), "{yes:?}");
        assert!(near(yes.average_precision, 0.716_666_666_666_666_7), "{yes:?}");
        // Negated scores: -3 and -1 first, both no, then 0, yes; a tie of three with one no; 1.5, no; 2.
        let expected = 0.25 * (1.0 + 1.0 + 3.0 / 6.0 + 4.0 / 7.0);
        assert!(near(no.average_precision, expected), "{no:?}");
        let points = &found.curves[0].points;
        assert_eq!(points[..3], [[0.25, 1.0], [0.25, 0.5], [0.75, 0.6]]);
        assert_eq!(points.last(), Some(&[1.0, 0.5]));
    }

    #[test]
    fn a_rare_no_has_a_curve_beside_that_of_yes() {
        let found = of_binary(&[(-1.0, 0.0), (-2.0, 1.0), (3.0, 1.0), (4.0, 1.0)], 0.0);
        let classes: Vec<usize> = found.curves.iter().map(|it| it.class).collect();
        assert_eq!(classes, [0, 1]);
        // The lowest score first, a yes; then the only no.
        assert_eq!(found.curves[0].points[..2], [[0.0, 0.0], [1.0, 0.5]]);
    }

    #[test]
    fn calibration_is_the_mean_distance_bin_by_bin() {
        let rows = [(0.75, true), (0.79, false), (0.95, true), (1.0, true), (0.02, false)];
        let found = calibration(&rows).unwrap();
        // (|0.77 - 1/2|·2 + |0.975 - 1|·2 + |0.02 - 0|)/5
        assert!((found.error - (0.54 + 0.05 + 0.02) / 5.0).abs() < 1e-12, "{found:?}");
        let rows: Vec<u64> = found.bins.iter().map(|it| it.rows).collect();
        assert_eq!(rows, [1, 2, 2]);
        assert_eq!(calibration(&[]), None);
    }

    #[test]
    fn the_rarest_classes_have_curves_and_curves_few_points() {
        let of = |labelled| OfClass {
            labelled,
            precision: None,
            recall: None,
            f1: None,
            average_precision: (labelled > 0).then_some(0.5),
        };
        let classes: Vec<OfClass> = [90, 1, 5, 6, 7, 0, 8, 9, 70].map(of).into();
        assert_eq!(rarest(&classes), [2, 3, 4, 6, 7, 8]);
        assert_eq!(rarest(&[2, 3].map(of)), [0, 1]);
        let many = Ranks::new((0..5000).map(|it| (f64::from(it), it % 7 == 0)));
        let points = curve(&many);
        assert!((80..=101).contains(&points.len()), "{}", points.len());
        assert!(points.windows(2).all(|pair| pair[0][0] < pair[1][0]));
    }
}
