//! What a comparison is to be, saved in its directory: `plan.json`.

use super::arguments::Arguments;
use crate::cli::failure::Failure;
use serde::{Deserialize, Serialize};

/// All that determines it beside the configuration and the rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub schemes: Vec<String>,
    pub seeds: Vec<u64>,
    pub rates: Vec<f64>,
    pub budget: usize,
    /// Of the rows to train on and to choose by.
    #[serde(default)]
    pub fingerprint: String,
    /// What was told of the table at the beginning; where it goes on, less is left to choose.
    #[serde(default)]
    pub choices: Vec<String>,
    #[serde(default)]
    pub warnings: Vec<String>,
}

const SEEDS: usize = 5;
const RATES: [f64; 3] = [0.001, 0.003, 0.01];
/// More are a mistake.
const MOST_SEEDS: usize = 1_000;

impl Plan {
    /// What the flags ask for, with a first seed.
    pub fn new(arguments: &Arguments, seed: u64) -> Result<Self, Failure> {
        let schemes = arguments.schemes.clone().unwrap_or_else(|| vec!["losses".into()]);
        // By name, so that a later version with more schemes goes on with these.
        let candidates = awl::compare::candidates(&schemes)?.into_iter();
        let schemes = candidates.map(|candidate| candidate.name().to_string()).collect();
        let seeds = arguments.seeds.unwrap_or(SEEDS);
        if !(2..=MOST_SEEDS).contains(&seeds) {
            return Err(Failure::input(format!(
                "--seeds {seeds}: an interval needs 2 runs of each at least, and {MOST_SEEDS} are the most: give --seeds {SEEDS} or so"
            )));
        }
        let rates = arguments.rates.clone().unwrap_or(RATES.to_vec());
        if rates.is_empty() || rates.iter().any(|rate| !(rate.is_finite() && *rate > 0.0)) {
            return Err(Failure::input(
                "--rates: give learning rates above 0 with commas between, such as 0.001,0.003,0.01",
            ));
        }
        let budget = arguments.budget.unwrap_or(rates.len() + 4);
        if budget < rates.len() {
            return Err(Failure::input(format!(
                "--budget {budget}: each of {} learning rates is a run: give as many at least, or fewer --rates",
                rates.len()
            )));
        }
        let seeds = (0..seeds as u64).map(|number| seed.wrapping_add(number)).collect();
        Ok(Self { schemes, seeds, rates, budget, ..Self::default() })
    }
}
