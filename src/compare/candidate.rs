//! What is compared, and the trials by which each is tuned under one budget.

use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::weighting::{Kind, SCHEMES, Scheme, Weighting};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

/// The name of single-task networks.
pub const STL: &str = "stl";
/// The scheme that all are held against.
pub const EQUAL: &str = "equal";
/// The scheme whose weights are searched for.
pub(super) const FIXED: &str = "fixed";
/// The learning rate of what a scheme learns, as a setting of its own.
const RATE_OF_SCHEME: &str = "sigma_lr";

/// Learning rates of what a scheme learns, in units of the network's: Adam moves a σ by about its rate a step, whatever the loss.
const RATES_OF_SCHEME: [f64; 4] = [10.0, 3.0, 30.0, 100.0];
/// Values of a scheme's first setting, in units of its default.
const OF_DEFAULT: [f64; 4] = [0.2, 5.0, 0.5, 2.0];

/// Something to be compared.
#[derive(Clone, Copy, Debug)]
pub enum Candidate {
    /// A network a task, with the same trunk, each trained alone.
    Alone,
    /// One network, its losses weighted by this scheme.
    Shared(&'static dyn Scheme),
}

/// One way to train a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The network's learning rate.
    pub learning_rate: f64,
    /// A setting of the scheme that is not as it is by default: its name and value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<(String, f64)>,
    /// The weights of the tasks, of `fixed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f32>>,
}

/// Words that stand for several schemes: for all, and for those whose weights need no gradients.
pub const GROUPS: [&str; 2] = ["all", "losses"];

/// The candidates of these names or [groups](GROUPS), in the order in which they are told of. `stl` and `equal`, against which all are
/// held, are always among them.
///
/// # Errors
/// [`Error::Invalid`] for a name that there is not, with the nearest.
pub fn candidates(names: &[String]) -> Result<Vec<Candidate>> {
    let known: Vec<&str> =
        GROUPS.into_iter().chain([STL]).chain(SCHEMES.iter().map(|it| it.name())).collect();
    for name in names {
        if !known.contains(&name.as_str()) {
            let remedy = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean {near}? There are {}", known.join(", ")),
                None => format!("use some of {}", known.join(", ")),
            };
            return Err(Error::invalid(format!("there is no scheme \"{name}\""), remedy));
        }
    }
    let is_in = |name: &String, scheme: &dyn Scheme| match name.as_str() {
        "all" => true,
        "losses" => scheme.kind() != Kind::Gradients,
        name => name == scheme.name(),
    };
    let is_meant = |scheme: &&&'static dyn Scheme| {
        scheme.name() == EQUAL || names.iter().any(|name| is_in(name, **scheme))
    };
    // What all are held against stands first.
    let mut schemes: Vec<&'static dyn Scheme> = SCHEMES.iter().filter(is_meant).copied().collect();
    schemes.sort_by_key(|scheme| scheme.name() != EQUAL);
    Ok([Candidate::Alone].into_iter().chain(schemes.into_iter().map(Candidate::Shared)).collect())
}

impl Candidate {
    /// The name that users write.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Alone => STL,
            Self::Shared(scheme) => scheme.name(),
        }
    }

    /// What it does, in a line.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Alone => "a network a task, each trained alone",
            Self::Shared(scheme) => scheme.summary(),
        }
    }

    /// When its weights are known; candidates of a kind train at the same pace.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Alone => None,
            Self::Shared(scheme) => Some(scheme.kind()),
        }
    }

    /// The trials of the first round: a learning rate each, all else as it is by default. `fixed` has the weights of `equal`
    /// there, whose runs are its own.
    pub fn rates(&self, rates: &[f64]) -> Vec<Trial> {
        match self.name() {
            FIXED => Vec::new(),
            _ => rates
                .iter()
                .map(|&learning_rate| Trial { learning_rate, setting: None, weights: None })
                .collect(),
        }
    }

    /// The trials of the second round, so many at most, at the learning rate that was best: of a scheme that learns parameters, their
    /// own learning rate; of another one, values of its first setting around the default; of `fixed` weights of `tasks` tasks, spread over
    /// all shares of two, else drawn evenly from all of sum `tasks` by the seed.
    pub fn settings(&self, rate: f64, tasks: usize, most: usize, seed: u64) -> Vec<Trial> {
        let Self::Shared(scheme) = self else { return Vec::new() };
        let plain = Trial { learning_rate: rate, setting: None, weights: None };
        if scheme.name() == FIXED {
            let weights = spread_weights(tasks, most, seed).into_iter();
            return weights
                .map(|weights| Trial { weights: Some(weights), ..plain.clone() })
                .collect();
        }
        let with =
            |name: &str, value: f64| Trial { setting: Some((name.into(), value)), ..plain.clone() };
        let defaults: Vec<f64> = scheme.settings().iter().map(|it| it.default).collect();
        if scheme.form(&defaults).is_learned() {
            let rates = RATES_OF_SCHEME.iter().take(most);
            return rates.map(|factor| with(RATE_OF_SCHEME, short(factor * rate))).collect();
        }
        let Some(first) = scheme.settings().iter().find(|it| it.default > 0.0) else {
            return Vec::new();
        };
        let [least, greatest] = first.range;
        let values = OF_DEFAULT.iter().map(|factor| short(factor * first.default));
        let values = values.filter(|value| (least..=greatest).contains(value));
        values.take(most).map(|value| with(first.name, value)).collect()
    }

    /// The weighting of a trial; `classes` tells of each task whether its loss is a likelihood of classes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a setting that the scheme has not.
    pub fn weighting(&self, trial: &Trial, classes: &[bool]) -> Result<Weighting> {
        let Self::Shared(scheme) = self else { return Ok(Weighting::equal(classes.len())) };
        if let Some(weights) = &trial.weights {
            return Ok(Weighting::fixed(weights.clone()));
        }
        let setting = trial.setting.iter().filter(|(name, _)| name != RATE_OF_SCHEME);
        let setting: Vec<(&str, f64)> =
            setting.map(|(name, value)| (name.as_str(), *value)).collect();
        Weighting::named(scheme.name(), &setting, classes)
    }
}

impl Trial {
    /// The learning rate of what the scheme learns.
    pub fn rate_of_scheme(&self) -> f64 {
        let own = self.setting.as_ref().filter(|(name, _)| name == RATE_OF_SCHEME);
        own.map_or(self.learning_rate, |(_, rate)| *rate)
    }

    /// What it is but for the learning rate, for people: `sigma_lr 0.03`, `weights 0.8, 1.2`; nothing where all is as by default.
    pub fn words(&self) -> String {
        match (&self.setting, &self.weights) {
            (Some((name, value)), _) => format!("{name} {value}"),
            (_, Some(weights)) => {
                let weights: Vec<String> = weights.iter().map(|it| format!("{it:.3}")).collect();
                format!("weights {}", weights.join(", "))
            }
            _ => String::new(),
        }
    }
}

/// A product without the digits that come of its factors' rounding.
fn short(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

/// Weights of sum `tasks`: of two tasks evenly spread shares, of more drawn evenly from the simplex.
fn spread_weights(tasks: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let whole = tasks as f64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |index: usize| -> Vec<f64> {
        if tasks == 2 {
            let share = (index + 1) as f64 / (count + 1) as f64;
            return vec![share * whole, (1.0 - share) * whole];
        }
        // Exponential numbers divided by their sum lie evenly on the simplex.
        let parts = (0..tasks).map(|_| -(1.0 - random.random::<f64>()).ln());
        let parts: Vec<f64> = parts.collect();
        let sum: f64 = parts.iter().sum();
        parts.into_iter().map(|part| part / sum * whole).collect()
    };
    // Five digits are enough to say again.
    let single = |weight: f64| ((1e5 * weight).round() / 1e5) as f32;
    (0..count).map(|index| draw(index).into_iter().map(single).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Candidate {
        let all = candidates(&["all".into()]).unwrap();
        all.into_iter().find(|it| it.name() == name).unwrap()
    }

    #[test]
    fn what_all_are_held_against_comes_first_and_is_always_there() {
        let names = |asked: &[&str]| -> Vec<&'static str> {
            let asked: Vec<String> = asked.iter().map(|it| it.to_string()).collect();
            candidates(&asked).unwrap().iter().map(Candidate::name).collect()
        };
        assert_eq!(names(&["awl"]), ["stl", "equal", "awl"]);
        assert_eq!(names(&["all"]).len(), SCHEMES.len() + 1);
        let by_losses = names(&["losses", "upgrad"]);
        assert!(by_losses.contains(&"famo") && by_losses.contains(&"upgrad"));
        assert!(!by_losses.contains(&"mgda"));
        let told = candidates(&["equall".into()]).unwrap_err().to_string();
        assert!(told.contains("did you mean equal?"), "{told}");
    }

    #[test]
    fn every_trial_can_be_made_and_none_is_made_twice() {
        for candidate in candidates(&["all".into()]).unwrap() {
            let mut trials = candidate.rates(&[0.001, 0.003]);
            trials.extend(candidate.settings(0.003, 3, 4, 7));
            for (at, trial) in trials.iter().enumerate() {
                candidate.weighting(trial, &[true, false, false]).unwrap();
                assert!(!trials[..at].contains(trial), "{}: {trial:?} twice", candidate.name());
            }
        }
    }

    #[test]
    fn weights_have_the_sum_of_equal_ones_and_are_drawn_anew_alike() {
        let fixed = named("fixed");
        assert!(fixed.rates(&[0.001]).is_empty());
        let shares = fixed.settings(0.001, 2, 4, 0);
        let first: Vec<f32> = shares.iter().map(|it| it.weights.clone().unwrap()[0]).collect();
        assert_eq!(first, [0.4, 0.8, 1.2, 1.6]);
        let drawn = fixed.settings(0.001, 3, 50, 5);
        assert_eq!(drawn, fixed.settings(0.001, 3, 50, 5));
        assert_ne!(drawn, fixed.settings(0.001, 3, 50, 6));
        for trial in drawn {
            let weights = trial.weights.unwrap();
            assert!((weights.iter().sum::<f32>() - 3.0).abs() < 1e-4, "{weights:?}");
            assert!(weights.iter().all(|it| *it >= 0.0));
        }
    }

    #[test]
    fn a_learned_scheme_is_tuned_by_the_rate_of_what_it_learns() {
        let trials = named("awl").settings(0.003, 2, 4, 0);
        let rates: Vec<f64> = trials.iter().map(Trial::rate_of_scheme).collect();
        assert_eq!(rates, [0.03, 0.009, 0.09, 0.3]);
        assert_eq!(trials[0].words(), "sigma_lr 0.03");
        assert!(named("equal").settings(0.003, 2, 4, 0).is_empty());
    }
}
