//! Which threshold between two classes suits an aim, by rows with labels: a sweep over all that tell them apart, as scikit-learn's
//! `TunedThresholdClassifierCV` does it. The rows should be none that the network was trained on, and the figures that the
//! threshold is praised with those of other rows again.

use super::judge::{check, head};
use crate::data::Matrix;
use crate::error::Result;
use crate::loss::Loss;
use crate::tables::{Encoder, Labels, Table, cut};
use serde::{Deserialize, Serialize};

/// What a threshold is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdAim {
    /// The F1 score of one of the two classes, `2·TP/(2·TP + FP + FN)`.
    F1,
    /// The balanced accuracy: the mean of the two classes' recalls.
    Balanced,
}

/// A threshold, and what it is good for on the rows that it was chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChosenThreshold {
    /// The probability of the second class above which it is answered.
    pub threshold: f64,
    /// What was aimed at, from 0 to 1.
    pub score: f64,
    /// The same at a threshold of ½.
    pub score_at_half: f64,
}

/// The thresholds of a task's columns that are best on the rows of a table: midway, on the scale of the logits, between two neighbouring
/// rows, so that both answers are given; of equally good ones that nearest to ½. `positive` has the class, 0 or 1, whose F1 is meant, a column each. A column
/// whose labels here are all of one class has none. `predictions` have the shape `[rows, outputs]`.
///
/// # Errors
/// Those of [`judge`](super::judge), and of [`Encoder::target`].
pub fn choose_thresholds(
    encoder: &Encoder,
    table: &Table,
    predictions: &Matrix,
    task: &str,
    aim: ThresholdAim,
    positive: &[usize],
) -> Result<Vec<Option<ChosenThreshold>>> {
    let offsets = check(encoder, table.rows(), predictions)?;
    encoder.target(task)?;
    let mut targets = encoder.targets().iter().zip(offsets);
    let Some((target, offset)) = targets.find(|(target, _)| target.name == task) else {
        return Ok(Vec::new());
    };
    let of_task = target.task();
    let (head, _) = head(encoder, target, &of_task, table, predictions, offset)??;
    let columns: Vec<Vec<(f64, bool)>> = match head.labels() {
        Labels::Classes(labels) if head.task.width == 2 => {
            let row = |&row: &usize| match (head.predicted(row), labels[row]) {
                (&[first, second], Some(class)) => {
                    Some((f64::from(second) - f64::from(first), class == 1))
                }
                _ => None,
            };
            vec![head.rows.iter().filter_map(row).collect()]
        }
        Labels::Numbers(labels) if head.task.loss == Loss::Bce => {
            let known = |column| {
                let pairs = head.pairs(labels, column).into_iter();
                let pairs = pairs.filter(|(_, label)| !label.is_nan());
                pairs.map(|(logit, label)| (logit, label > 0.5)).collect()
            };
            (0..head.task.width).map(known).collect()
        }
        _ => Vec::new(),
    };
    let positive = positive.iter().copied().chain(std::iter::repeat(1));
    Ok(columns.into_iter().zip(positive).map(|(rows, class)| best(rows, aim, class)).collect())
}

/// The best of rows, each the logarithm of the second class's odds and whether it is its label.
fn best(mut rows: Vec<(f64, bool)>, aim: ThresholdAim, positive: usize) -> Option<ChosenThreshold> {
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let seconds = rows.iter().filter(|(_, is_second)| *is_second).count();
    let all = Counts { first_below: 0, second_below: 0, rows: [rows.len() - seconds, seconds] };
    if all.rows.contains(&0) {
        return None;
    }
    let at = |cut: f64| {
        let below = rows.partition_point(|(odds, _)| *odds <= cut);
        all.after(&rows[..below]).score(aim, positive)
    };
    let score_at_half = at(0.0);
    let (mut chosen, mut score) = (0.0_f64, score_at_half);
    let mut counts = all;
    for (below, above) in rows.iter().zip(&rows[1..]) {
        counts = counts.after(std::slice::from_ref(below));
        let middle = below.0 + 0.5 * (above.0 - below.0);
        let found = counts.score(aim, positive);
        let is_better = found > score || (found == score && middle.abs() < chosen.abs());
        // Only where a threshold of 64 bits tells the two apart.
        if is_better && (below.0..above.0).contains(&cut(&[probability(middle)], 0)) {
            (chosen, score) = (middle, found);
        }
    }
    Some(ChosenThreshold { threshold: probability(chosen), score, score_at_half })
}

fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

/// How many rows of each class there are, and how many of them are answered with the first.
#[derive(Clone, Copy)]
struct Counts {
    first_below: usize,
    second_below: usize,
    rows: [usize; 2],
}

impl Counts {
    /// With more rows that are answered with the first class.
    fn after(self, rows: &[(f64, bool)]) -> Self {
        let seconds = rows.iter().filter(|(_, is_second)| *is_second).count();
        Self {
            first_below: self.first_below + rows.len() - seconds,
            second_below: self.second_below + seconds,
            ..self
        }
    }

    fn score(self, aim: ThresholdAim, positive: usize) -> f64 {
        let right = [self.first_below, self.rows[1] - self.second_below].map(|it| it as f64);
        let rows = self.rows.map(|it| it as f64);
        match aim {
            ThresholdAim::Balanced => (right[0] / rows[0] + right[1] / rows[1]) / 2.0,
            ThresholdAim::F1 => {
                let of = positive.min(1);
                // Answers of the class: right ones, and the other class's wrong ones.
                let answers = right[of] + rows[1 - of] - right[1 - of];
                2.0 * right[of] / (rows[of] + answers)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [(f64, bool); 8] = [
        (-4.0, false),
        (-3.0, false),
        (-2.0, true),
        (-1.0, false),
        (-0.5, true),
        (-0.25, false),
        (1.0, true),
        (2.0, false),
    ];

    fn chosen(aim: ThresholdAim, positive: usize) -> ChosenThreshold {
        best(ROWS.into(), aim, positive).unwrap()
    }

    /// By hand: of cuts between neighbours, the second class's F1 is 6/(3+6), 6/(3+7), … at −2.5 right 3 of 6 answers, 2·3/(3+6).
    #[test]
    fn the_f1_of_either_class_is_highest_where_it_is_by_hand() {
        let found = chosen(ThresholdAim::F1, 1);
        // Above −2.5: 3 of the 3, and 3 others. F1 = 6/9. Above −0.75: 2 of 3 and 2 others, 4/7.
        assert_eq!((found.score, found.score_at_half), (6.0 / 9.0, 2.0 / 5.0));
        assert!((found.threshold - 1.0 / (1.0 + 2.5_f64.exp())).abs() < 1e-15, "{found:?}");
        let found = chosen(ThresholdAim::F1, 0);
        // Up to 0: 4 of the 5, and 2 others, 8/11; up to 1.5: 4 and 3, 8/12; up to −0.75: 3 and 1, 6/9.
        assert_eq!((found.threshold, found.score), (0.5, 8.0 / 11.0));
    }

    #[test]
    fn the_balanced_accuracy_is_the_mean_of_the_recalls() {
        let found = chosen(ThresholdAim::Balanced, 1);
        // Above −2.5: 3/3 and 2/5. Above −0.75: 2/3 and 3/5. At 0: 1/3 and 4/5.
        assert!((found.score - 0.7).abs() < 1e-12, "{found:?}");
        assert!((found.score_at_half - (1.0 / 3.0 + 0.8) / 2.0).abs() < 1e-12, "{found:?}");
        assert!((found.threshold - 1.0 / (1.0 + 2.5_f64.exp())).abs() < 1e-15, "{found:?}");
    }

    #[test]
    fn nothing_is_chosen_where_nothing_tells_the_classes_apart() {
        assert_eq!(best(vec![(1.0, true), (2.0, true)], ThresholdAim::F1, 1), None);
        // Equal scores have no threshold between them.
        let same = vec![(-1.0, true), (-1.0, false), (-1.0, true)];
        assert_eq!(best(same, ThresholdAim::Balanced, 1).unwrap().threshold, 0.5);
        // Apart whatever the threshold between −1 and 1: the nearest to ½ is ½.
        let apart = vec![(-1.0, false), (1.0, true), (-3.0, false), (4.0, true)];
        let found = best(apart, ThresholdAim::F1, 1).unwrap();
        assert_eq!((found.threshold, found.score), (0.5, 1.0));
    }
}
