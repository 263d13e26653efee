//! The baselines of a run: their file, and their figures beside the network's.

use super::failure::Failure;
use super::model::plain_recipe;
use super::run_dir::{self, RunDir};
use awl::train::{Baselines, Judgement, Weights, judge};
use awl::{Encoder, Matrix, Recipe, Table};
use serde_json::json;

/// What the two are called, in their order.
pub const NAMES: [&str; 2] = ["constant", "linear"];

/// Figures of the two on the same rows.
pub type OfBaselines = [Vec<Judgement>; 2];

fn recipes(baselines: &awl::Network) -> Vec<Recipe> {
    vec![plain_recipe(baselines); NAMES.len()]
}

/// Writes them into the run: as networks without hidden layers, under PyTorch's names, the two as the first axis of every tensor.
pub fn save(run: &RunDir, baselines: &Baselines) -> Result<(), Failure> {
    let weights = [&baselines.constant, &baselines.linear].map(|parameters| Weights {
        parameters: parameters.clone(),
        sigma: vec![1.0; baselines.network.tasks().len()],
    });
    let recipes = recipes(&baselines.network);
    let (unfitted, thresholds) = (&baselines.unfitted, &baselines.thresholds);
    let notes = json!({
        "members": NAMES,
        "unfitted": unfitted,
        "penalties": baselines.penalties,
        "thresholds": thresholds,
    });
    let bytes = Weights::fleet_to_bytes(&weights, &recipes, &notes)?;
    run_dir::save(&run.baselines(), &bytes)
}

/// Those of a run, if it has some.
pub fn load(run: &RunDir, encoder: &Encoder) -> Result<Option<Baselines>, Failure> {
    let path = run.baselines();
    if !path.exists() {
        return Ok(None);
    }
    let file = path.display().to_string();
    let bytes = std::fs::read(&path).map_err(|error| format!("{file}: {error}"))?;
    Ok(Some(from_bytes(&file, &bytes, encoder)?))
}

/// Those of a file's bytes; `file` stands for it in messages.
pub fn from_bytes(file: &str, bytes: &[u8], encoder: &Encoder) -> Result<Baselines, Failure> {
    let network = Baselines::network(encoder.features(), &encoder.tasks())?;
    let mut weights = Weights::fleet_from_bytes(file, bytes, &recipes(&network))?;
    let [linear, constant] =
        [weights.pop(), weights.pop()].map(|it| it.map(|it| it.parameters).unwrap_or_default());
    let mut notes = Weights::read_notes(file, bytes)?;
    let unfitted = serde_json::from_value(notes["unfitted"].take()).unwrap_or_default();
    let penalties = serde_json::from_value(notes["penalties"].take()).unwrap_or_default();
    let thresholds = serde_json::from_value(notes["thresholds"].take()).unwrap_or_default();
    Ok(Baselines { network, constant, linear, unfitted, penalties, thresholds })
}

/// Judges them by the rows of a table: the linear model by its own thresholds, the constant answers by none.
pub fn judged(
    baselines: &Baselines,
    encoder: &Encoder,
    table: &Table,
    features: &Matrix,
) -> Result<OfBaselines, Failure> {
    let [constant, linear] = baselines.predict(features)?;
    let mut plain = encoder.clone();
    for target in encoder.targets() {
        plain = plain.with_thresholds(&target.name, Vec::new())?;
    }
    let mut own = plain.clone();
    for (task, thresholds) in &baselines.thresholds {
        own = own.with_thresholds(task, thresholds.clone())?;
    }
    let mut linear = judge(&own, table, &linear)?;
    for (target, judgement) in encoder.targets().iter().zip(&mut linear) {
        if baselines.unfitted.contains(&target.name) {
            // No figures are better than those of something else.
            *judgement = Judgement::Unlabelled;
        }
    }
    Ok([judge(&plain, table, &constant)?, linear])
}
