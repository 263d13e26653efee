//! What is compared by what, in words: they stand in `comparison.json` and in the report.

use std::collections::BTreeMap;

/// The rules of every comparison.
pub fn all() -> BTreeMap<String, String> {
    let rules = [
        (
            "choice",
            "Learning rates, settings, weights of fixed and the epoch that is kept are chosen by one criterion: the mean over the \
             tasks of the validation loss, divided by that of always giving the same answer. 1 is nothing learned, 0 no error left. It is \
             known before anything is trained, and is no scheme's own total.",
        ),
        (
            "tuning",
            "Every scheme has one run a learning rate, then one a value of its setting at the best of them, within one budget, all from one \
             seed. fixed takes the runs of equal for its own and spends the rest on weights. Single-task networks choose a rate each.",
        ),
        (
            "pairs",
            "A seed means the same rows in the same order, the same first weights of the trunk and the same dropout for every scheme.",
        ),
        (
            "test",
            "The test rows have no part in any choice: they are predicted once, when all is chosen, with the weights of each run's best epoch.",
        ),
        (
            "interval",
            "Intervals are of 95 %, by Student's t over the seeds: they are of this split alone.",
        ),
        (
            "delta_m",
            "Delta m is the mean over the tasks of the relative improvement over single-task networks of the same seed, in accuracy or in \
             RMSE: positive is better (LibMTL's sign; Nash-MTL's is the opposite). It is biased to tasks of which the baseline has little.",
        ),
        (
            "mean_rank",
            "The mean rank is over tasks and seeds, by accuracy or RMSE, 1 the best; equals share the mean of their ranks, and a run that \
             failed is last.",
        ),
        (
            "significance",
            "Differences from equal weights are tested by a paired t test of the test losses, two-sided, a task each; all of them are one \
             family, corrected by Holm's method. Wilcoxon's signed ranks could not go below 0.0625 with five seeds.",
        ),
    ];
    rules.into_iter().map(|(name, rule)| (name.to_string(), rule.to_string())).collect()
}

/// What is said of schemes whose best learning rate is the first or last of the list.
pub fn at_the_edge<'a>(
    rates: &[f64],
    best: impl Iterator<Item = (&'a str, f64)>,
) -> Option<String> {
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let most = rates.iter().copied().fold(0.0, f64::max);
    let mut of: [Vec<&str>; 2] = Default::default();
    for (name, rate) in best {
        for (names, edge) in of.iter_mut().zip([least, most]) {
            if rate == edge && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let words = of.iter().zip([("lowest", least), ("highest", most)]);
    let words = words.filter(|(names, _)| !names.is_empty());
    let words: Vec<String> = words
        .map(|(names, (edge, rate))| format!("the {edge}, {rate}, of {}", names.join(", ")))
        .collect();
    (!words.is_empty() && rates.len() > 1).then(|| {
        format!(
            "the best learning rate is at the edge of those that were tried ({}): beyond it may be better ones (--rates)",
            words.join("; ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_at_the_edge_are_told_with_whose_they_are() {
        let rates = [0.001, 0.003, 0.01];
        let told = at_the_edge(
            &rates,
            [("awl", 0.01), ("equal", 0.003), ("stl", 0.01), ("stl", 0.01)].into_iter(),
        );
        assert!(
            told.as_ref().is_some_and(|it| it.contains("(the highest, 0.01, of awl, stl)")),
            "{told:?}"
        );
        assert_eq!(at_the_edge(&rates, [("awl", 0.003)].into_iter()), None);
        assert_eq!(at_the_edge(&[0.01], [("awl", 0.01)].into_iter()), None);
    }
}
