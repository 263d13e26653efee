//! What the order of scores tells: the area under the ROC curve, and the average precision.

/// Figures of how well scores put positive rows before negative ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ranking {
    /// The share of pairs of a positive and a negative row in which the positive one has the higher score, where equal scores count
    /// half (Mann & Whitney's U over the number of pairs).
    pub(super) auc: f64,
    /// `Σ (Rₙ − Rₙ₋₁)·Pₙ` over the different scores from the highest down, of recall and precision of the rows with that score or a
    /// higher one, without interpolation: scikit-learn's `average_precision_score`.
    pub(super) average_precision: f64,
}

/// The rows in their order by score, from the highest, equal scores together.
pub(super) struct Ranks {
    /// After each different score: positive rows so far, and all rows so far.
    pub(super) counts: Vec<(usize, usize)>,
}

impl Ranks {
    /// Of rows with a finite score and whether they are positive. `O(n log n)`.
    pub(super) fn new(rows: impl Iterator<Item = (f64, bool)>) -> Self {
        // Adding 0 makes -0 and 0 one score.
        let mut rows: Vec<(f64, bool)> =
            rows.map(|(score, positive)| (score + 0.0, positive)).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut positives, mut all) = (0, 0);
        let counts = rows.chunk_by(|a, b| a.0 == b.0).map(|equal| {
            positives += equal.iter().filter(|(_, positive)| *positive).count();
            all += equal.len();
            (positives, all)
        });
        Self { counts: counts.collect() }
    }

    /// The figures; `None` without a positive or a negative row.
    pub(super) fn ranking(&self) -> Option<Ranking> {
        let &(positives, all) = self.counts.last()?;
        if positives == 0 || positives == all {
            return None;
        }
        let (mut pairs, mut average_precision) = (0.0, 0.0);
        let mut before = (0, 0);
        for &(yes, rows) in &self.counts {
            let [new_yes, new] = [yes - before.0, rows - before.1];
            let (new_no, no_before) = ((new - new_yes) as f64, (before.1 - before.0) as f64);
            // Negative rows further down.
            let no_after = (all - positives) as f64 - no_before - new_no;
            pairs += new_yes as f64 * (no_after + 0.5 * new_no);
            average_precision += new_yes as f64 / positives as f64 * (yes as f64 / rows as f64);
            before = (yes, rows);
        }
        Some(Ranking {
            auc: pairs / (positives as f64 * (all - positives) as f64),
            average_precision,
        })
    }
}
