//! The area under the ROC curve as a rank statistic.

/// The share of pairs of a positive and a negative row in which the positive one has the higher score, where equal
/// scores count half (Mann & Whitney's U over the number of pairs); `None` without a positive or a negative row.
///
/// Scores are finite. `O(n log n)`.
pub(super) fn auc(rows: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    // Adding 0 makes -0 and 0 one score.
    let mut rows: Vec<(f64, bool)> =
        rows.map(|(score, positive)| (score + 0.0, positive)).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut positives, mut negatives, mut pairs) = (0.0, 0.0, 0.0);
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        let positive = equal.iter().filter(|(_, positive)| *positive).count() as f64;
        let negative = equal.len() as f64 - positive;
        pairs += positive * (negatives + 0.5 * negative);
        positives += positive;
        negatives += negative;
    }
    (positives * negatives > 0.0).then(|| pairs / (positives * negatives))
}
