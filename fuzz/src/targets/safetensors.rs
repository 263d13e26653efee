//! Weights, checkpoints and what else a run keeps in safetensors files; and its small files beside them.

use crate::cli::baselines;
use crate::cli::model::Model;
use crate::cli::rows_seen::RowsSeen;
use crate::cli::split_file::SplitFile;
use awl::train::uncertainty::Scores;
use awl::train::{Checkpoint, Weights};
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Encoder, Loss, Network, Recipe, SigmaForm, Table,
    Task, Weighting,
};

/// Reads the bytes but for the first as what that says.
pub fn safetensors(bytes: &[u8]) {
    let [what, bytes @ ..] = bytes else { return };
    // A length that must fit hides what lies behind it: here it is made to fit.
    let fitted = if what & 128 > 0 { fitted(bytes) } else { bytes.to_vec() };
    let (file, bytes) = ("a file", &fitted[..]);
    match what & 7 {
        0 => {
            let _ = Model::from_bytes(file, bytes);
        }
        1 => {
            let _ = Scores::from_bytes(file, bytes);
        }
        2 => {
            let table = Table::from_csv("t", "a,b,c\n1,2,x\n2,3,y\n3,5,x\n".as_bytes());
            let tasks = [("b", Loss::Mse), ("c", Loss::Bce)];
            let encoder = table.and_then(|table| Encoder::fit(&table, &["a"], &tasks));
            let _ = encoder.map(|encoder| baselines::from_bytes(file, bytes, &encoder).is_ok());
        }
        3 => {
            let _ = RowsSeen::from_bytes(bytes);
            if let Ok(text) = std::str::from_utf8(bytes) {
                let _ = SplitFile::parse(file.into(), text);
            }
        }
        _ => {
            for recipes in recipes() {
                checkpoint(file, bytes, &recipes);
            }
        }
    }
}

/// What can be read is written, and read as the same.
fn checkpoint(file: &str, bytes: &[u8], recipes: &[Recipe]) {
    let _ = Weights::fleet_from_bytes(file, bytes, recipes);
    let Ok(checkpoint) = Checkpoint::from_bytes(file, bytes, recipes) else { return };
    let written = checkpoint.to_bytes(recipes).map_err(|error| error.to_string());
    let again = written.and_then(|bytes| {
        Checkpoint::from_bytes(file, &bytes, recipes).map_err(|error| error.to_string())
    });
    assert_eq!(again.as_ref(), Ok(&checkpoint), "what was written is read as another state");
}

/// One network with σ, a fleet of two with `ln σ²`, and a scheme with a memory.
pub fn recipes() -> Vec<Vec<Recipe>> {
    let tasks = [Task::new("b", Loss::Mse, 1), Task::new("c", Loss::Bce, 1)];
    let of = |weighting: Weighting| {
        let network = Network::new(1, &[2], Activation::Relu, &tasks);
        network.map(|network| Recipe::new(network, weighting, Adam::new(1e-3)))
    };
    let log = AutomaticWeightedLoss::new(2).with_form(SigmaForm::log());
    let kept = Weighting::named("dwa", &[], &[false, false]).and_then(of);
    let alone = of(AutomaticWeightedLoss::new(2).into()).map(|it| vec![it]);
    [alone, of(log.into()).map(|it| vec![it; 2]), kept.map(|it| vec![it])]
        .into_iter()
        .flatten()
        .collect()
}

/// A file of a header up to the first 0, and of data.
fn fitted(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (header, data) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}
