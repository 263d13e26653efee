//! The softmax, which many schemes end with.

/// `eˣ/Σeˣ`; nothing of nothing.
pub(super) fn softmax(scores: impl Iterator<Item = f64>) -> Vec<f64> {
    let scores: Vec<f64> = scores.collect();
    let highest = scores.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The softmax over those that have a score, and 0 for the others.
pub(super) fn softmax_of_some(scores: impl Iterator<Item = Option<f64>>) -> Vec<f64> {
    softmax(scores.map(|score| score.unwrap_or(f64::NEG_INFINITY)))
}
