//! All runs together: `comparison.json`, which has every number that the terminal and the page show.

use super::candidate::{EQUAL, STL};
use super::entry::{Entry, SeedRun};
use super::facts::{DataFacts, Protocol, TaskFacts, Times};
use super::outcome::TestFigures;
use super::statistics::{Interval, holm, mean, paired, ranks, relative_improvement};
use super::words;
use serde::{Deserialize, Serialize};

/// A comparison of weightings on one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The program's version.
    pub version: String,
    /// What the numbers support and what they do not, a sentence each.
    pub conclusion: Vec<String>,
    /// What looks wrong, or is to be known of the runs.
    pub warnings: Vec<String>,
    /// How it was made.
    pub protocol: Protocol,
    /// What was chosen of the table for the user, a sentence each.
    #[serde(default)]
    pub choices: Vec<String>,
    /// The table and its split.
    pub data: DataFacts,
    /// In the order of the network's heads.
    pub tasks: Vec<TaskFacts>,
    /// In the order in which they are told of.
    pub schemes: Vec<OfScheme>,
    /// All that differs between equal comparisons: dates and times.
    pub times: Times,
}

/// A candidate and what its runs come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfScheme {
    /// What went into it.
    #[serde(flatten)]
    pub entry: Entry,
    /// Its tasks, in their order.
    pub tasks: Vec<OfTask>,
    /// By how much it is better than single-task networks of the same seed, a mean over the tasks: positive is better.
    pub delta_m: Option<Interval>,
    /// The mean over tasks and seeds of its rank among all, the best 1.
    pub mean_rank: Option<f64>,
}

/// A task of a candidate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfTask {
    /// Its name.
    pub task: String,
    /// Accuracy or R² on the test rows.
    pub figure: Option<Interval>,
    /// The loss there.
    pub loss: Option<Interval>,
    /// Its loss held against that of equal weights.
    pub against_equal: Option<Against>,
}

/// A paired test of losses against equal weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// The mean difference: negative is better than equal weights.
    pub difference: f64,
    /// The same in units of the loss of equal weights.
    pub relative: f64,
    /// Student's t.
    pub t: f64,
    /// The two-sided probability.
    pub p: f64,
    /// The same after Holm's correction over all tests of the comparison.
    pub holm: f64,
    /// Pairs of runs.
    pub pairs: usize,
}

/// Corrected probabilities below this tell two things apart.
pub(super) const LEVEL: f64 = 0.05;

impl Comparison {
    /// Puts the runs together; `entries` in the order in which they are told of.
    pub fn of(
        protocol: Protocol,
        data: DataFacts,
        tasks: Vec<TaskFacts>,
        entries: Vec<Entry>,
        warnings: Vec<String>,
        times: Times,
    ) -> Self {
        let mean_ranks = mean_ranks(&entries, tasks.len());
        let stl = entries.iter().find(|entry| entry.name == STL).cloned();
        let equal = entries.iter().find(|entry| entry.name == EQUAL).cloned();
        let of_scheme = |(entry, mean_rank): (Entry, Option<f64>)| {
            let of_task = |(at, task): (usize, &TaskFacts)| {
                let values = |value: fn(&TestFigures) -> Option<f64>| -> Vec<f64> {
                    entry.runs.iter().filter_map(|run| value(run.figures(at)?)).collect()
                };
                OfTask {
                    task: task.name.clone(),
                    figure: Interval::of(&values(TestFigures::main)).map(Interval::up_to_one),
                    loss: Interval::of(&values(|it| Some(it.loss))),
                    against_equal: equal.as_ref().and_then(|equal| against(&entry, equal, at)),
                }
            };
            let of_tasks = tasks.iter().enumerate().map(of_task).collect();
            let delta_m = stl.as_ref().and_then(|stl| delta_m(&entry, stl, tasks.len()));
            OfScheme { tasks: of_tasks, delta_m, mean_rank, entry }
        };
        let mut schemes: Vec<OfScheme> =
            entries.into_iter().zip(mean_ranks).map(of_scheme).collect();
        correct(&mut schemes);
        let version = env!("CARGO_PKG_VERSION").into();
        let conclusion = Vec::new();
        let choices = Vec::new();
        let mut all =
            Self { version, conclusion, warnings, protocol, choices, data, tasks, schemes, times };
        all.conclusion = words::conclusion(&all);
        all
    }

    /// The scheme of this name.
    pub fn scheme(&self, name: &str) -> Option<&OfScheme> {
        self.schemes.iter().find(|scheme| scheme.entry.name == name)
    }

    /// All tests with their schemes.
    pub fn tests(&self) -> impl Iterator<Item = (&OfScheme, &OfTask, &Against)> {
        self.schemes.iter().flat_map(|scheme| {
            let tests = scheme.tasks.iter();
            tests.filter_map(move |task| Some((scheme, task, task.against_equal.as_ref()?)))
        })
    }
}

/// Pairs of runs of the same seed.
fn pairs<'a>(one: &'a Entry, other: &'a Entry) -> impl Iterator<Item = (&'a SeedRun, &'a SeedRun)> {
    let twin = |run: &'a SeedRun| other.runs.iter().find(|it| it.seed == run.seed);
    one.runs.iter().filter_map(move |run| Some((run, twin(run)?)))
}

/// The paired test of a task's losses, not corrected yet.
fn against(entry: &Entry, equal: &Entry, task: usize) -> Option<Against> {
    if entry.name == EQUAL {
        return None;
    }
    let losses = pairs(entry, equal)
        .filter_map(|(own, other)| Some((own.figures(task)?.loss, other.figures(task)?.loss)));
    let losses: Vec<(f64, f64)> = losses.collect();
    let differences: Vec<f64> = losses.iter().map(|(own, other)| own - other).collect();
    let of_equal = mean(&losses.iter().map(|(_, other)| *other).collect::<Vec<_>>())?;
    let test = paired(&differences)?;
    let (difference, t, p) = (test.difference, test.t, test.p);
    let relative = difference / of_equal;
    Some(Against { difference, relative, t, p, holm: p, pairs: losses.len() })
}

/// Corrects the probabilities of all tests as one family.
fn correct(schemes: &mut [OfScheme]) {
    let tests = || schemes.iter().flat_map(|it| &it.tasks).filter_map(|it| it.against_equal);
    let corrected = holm(&tests().map(|test| test.p).collect::<Vec<_>>());
    let tests = schemes.iter_mut().flat_map(|it| &mut it.tasks);
    let tests = tests.filter_map(|it| it.against_equal.as_mut());
    tests.zip(corrected).for_each(|(test, corrected)| test.holm = corrected);
}

/// Δm of every seed, whose mean and interval it is.
fn delta_m(entry: &Entry, stl: &Entry, tasks: usize) -> Option<Interval> {
    if entry.name == STL {
        return None;
    }
    let of_pair = |(own, other): (&SeedRun, &SeedRun)| {
        // Tasks that the baseline has figures of.
        let figures = (0..tasks).filter_map(|task| Some((task, other.counted(task)?)));
        let pairs: Option<Vec<_>> =
            figures.map(|(task, other)| Some((own.counted(task)?, other))).collect();
        relative_improvement(&pairs?)
    };
    Interval::of(&pairs(entry, stl).filter_map(of_pair).collect::<Vec<_>>())
}

/// The mean rank of every entry over tasks and seeds; a run that failed is behind all others. `None` of one that was not compared.
fn mean_ranks(entries: &[Entry], tasks: usize) -> Vec<Option<f64>> {
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); entries.len()];
    let compared: Vec<usize> =
        (0..entries.len()).filter(|&at| entries[at].not_compared.is_none()).collect();
    let seeds = compared.iter().map(|&at| entries[at].runs.len()).max().unwrap_or(0);
    for seed in 0..seeds {
        for task in 0..tasks {
            let counted = |at: usize| entries[at].runs.get(seed).and_then(|run| run.counted(task));
            let cost = |&at: &usize| match counted(at) {
                None => f64::NAN,
                Some(it) if it.higher_is_better => -it.value,
                Some(it) => it.value,
            };
            let costs: Vec<f64> = compared.iter().map(cost).collect();
            if costs.iter().all(|cost| cost.is_nan()) {
                continue;
            }
            compared.iter().zip(ranks(&costs)).for_each(|(&at, rank)| all[at].push(rank));
        }
    }
    all.iter().map(|ranks| mean(ranks)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::candidate::Trial;
    use super::super::entry::Chosen;
    use super::*;

    /// A comparison of two tasks and three seeds, whose figures are written down here.
    pub(crate) fn example() -> Comparison {
        let run = |seed: u64, accuracy: f64, rmse: f64| SeedRun {
            seed,
            score: Some(0.4),
            epochs: vec![12],
            best_epoch: vec![9],
            test: vec![
                Some(TestFigures {
                    loss: 1.0 - accuracy,
                    labelled: 50,
                    accuracy: Some(accuracy),
                    ..TestFigures::default()
                }),
                Some(TestFigures {
                    loss: rmse * rmse / 100.0,
                    labelled: 50,
                    rmse: Some(rmse),
                    r2: Some(1.0 - rmse * rmse / 100.0),
                    ..TestFigures::default()
                }),
            ],
            ..SeedRun::default()
        };
        let entry = |name: &str, of_seeds: [(f64, f64); 3]| Entry {
            name: name.into(),
            runs: (0..).zip(of_seeds).map(|(seed, (a, e))| run(seed, a, e)).collect(),
            chosen: vec![Chosen {
                task: None,
                trial: Trial { learning_rate: 0.003, setting: None, weights: None },
                score: 0.4,
            }],
            ..Entry::default()
        };
        let task = |name: &str, figure: &str| TaskFacts {
            name: name.into(),
            figure: figure.into(),
            constant: Some(1.0),
            ..TaskFacts::default()
        };
        let mut failed = entry("awl", [(0.8, 4.0), (0.9, 5.0), (0.7, 6.0)]);
        failed.runs[2].failure = Some("the loss became NaN".into());
        let entries = vec![
            entry(STL, [(0.8, 5.0), (0.9, 5.0), (0.8, 5.0)]),
            entry(EQUAL, [(0.8, 4.0), (0.9, 4.5), (0.8, 4.2)]),
            entry("rlw", [(0.88, 4.0), (0.99, 4.5), (0.88, 4.2)]),
            failed,
            Entry {
                name: "gls".into(),
                not_compared: Some("it needs positive losses".into()),
                ..Entry::default()
            },
        ];
        let tasks = vec![task("kind", "accuracy"), task("size", "r2")];
        let protocol = Protocol { seeds: vec![0, 1, 2], ..Protocol::default() };
        Comparison::of(protocol, DataFacts::default(), tasks, entries, Vec::new(), Times::default())
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    #[test]
    fn delta_m_is_the_mean_of_the_seeds_improvements_over_single_task_networks() {
        let found = example();
        // 0 of the accuracy, and 20, 10 and 16 % of the error.
        near(found.scheme(EQUAL).unwrap().delta_m.unwrap().mean, (0.2 + 0.1 + 0.16) / 6.0);
        near(found.scheme("rlw").unwrap().delta_m.unwrap().mean, (0.3 + 0.2 + 0.26) / 6.0);
        assert_eq!(found.scheme(STL).unwrap().delta_m, None);
        // A run that failed has no figures, and is not counted.
        assert_eq!(found.scheme("awl").unwrap().delta_m.unwrap().count, 2);
    }

    #[test]
    fn ranks_are_shared_by_equals_and_what_failed_is_last() {
        let found = example();
        let rank = |name: &str| found.scheme(name).unwrap().mean_rank;
        // Accuracy: rlw before all; the three others equal, but for the last seed, whose awl failed. Errors: equal, rlw and awl
        // share the first three places at seed 0; equal and rlw the first two then, before stl and awl, and awl is last.
        near(rank("rlw").unwrap(), (1.0 + 1.0 + 1.0 + 2.0 + 1.5 + 1.5) / 6.0);
        near(rank(EQUAL).unwrap(), (3.0 + 3.0 + 2.5 + 2.0 + 1.5 + 1.5) / 6.0);
        near(rank(STL).unwrap(), (3.0 + 3.0 + 2.5 + 4.0 + 3.5 + 3.0) / 6.0);
        near(rank("awl").unwrap(), (3.0 + 3.0 + 4.0 + 2.0 + 3.5 + 4.0) / 6.0);
        assert_eq!(rank("gls"), None);
    }

    #[test]
    fn tests_are_of_losses_and_corrected_as_one_family() {
        let found = example();
        let p: Vec<f64> = found.tests().map(|(.., it)| it.p).collect();
        let corrected: Vec<f64> = found.tests().map(|(.., it)| it.holm).collect();
        assert_eq!(corrected, holm(&p));
        let rlw = found.scheme("rlw").unwrap();
        near(rlw.tasks[0].against_equal.unwrap().difference, -(0.08 + 0.09 + 0.08) / 3.0);
        near(rlw.tasks[0].against_equal.unwrap().relative, -0.25 / 0.5);
        // The very same errors are no pairs to test.
        assert_eq!(rlw.tasks[1].against_equal, None);
        assert_eq!(found.scheme("awl").unwrap().tasks[1].against_equal.unwrap().pairs, 2);
        assert!(found.scheme(EQUAL).unwrap().tasks.iter().all(|it| it.against_equal.is_none()));
    }

    #[test]
    fn a_comparison_comes_back_from_its_file() {
        let found = example();
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), found);
    }
}
