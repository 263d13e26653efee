//! A run's model as its file has it: its networks, and what their inputs and outputs mean.

use super::failure::Failure;
use super::reading::ReadingFlags;
use awl::tables::{FeatureEncoding, ReadOptions};
use awl::train::Weights;
use awl::{Encoder, Network};
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// What predictions need beside the weights; it lies in the metadata of `model.safetensors`.
#[derive(Serialize, Deserialize)]
pub struct Model {
    /// The program's version.
    pub version: String,
    pub network: Network,
    /// Networks that answer together; one, unless it says so.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub members: usize,
    pub encoder: Encoder,
    /// How its training data was read.
    #[serde(default)]
    pub reading: ReadOptions,
    /// The column that says which rows belong together, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The last step that was made when it was written, of several networks the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Why its answers are not to be believed, if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged: Option<String>,
}

fn one() -> usize {
    1
}

fn is_one(members: &usize) -> bool {
    *members == 1
}

impl Model {
    /// How another table is to be read: as the training data was, but for what the flags say.
    pub fn read_options(&self, flags: &ReadingFlags) -> ReadOptions {
        let mut options = self.reading.clone();
        let features = self.encoder.feature_columns().iter();
        let categories =
            features.filter(|it| matches!(it.encoding, FeatureEncoding::Category { .. }));
        options.text.extend(categories.map(|it| it.column.clone()));
        flags.apply(&mut options);
        options
    }

    /// A model from its file's bytes, with the parameters of each of its networks; `file` stands for it in messages. The file may be
    /// anybody's: what it says of its sizes is held against its tensors before anything is made of that size.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<(Self, Vec<Vec<f64>>), Failure> {
        let notes = Weights::read_notes(file, bytes)?;
        let foreign = |why: &dyn Display| {
            format!("{file}: its notes are not those of a model ({why}): train it again")
        };
        let model: Self = serde_json::from_value(notes).map_err(|error| foreign(&error))?;
        let is_fitting = model.encoder.features() == model.network.features()
            && model.encoder.targets().len() == model.network.tasks().len()
            && model.encoder.targets().iter().zip(model.network.tasks()).all(|(target, task)| {
                target.name == task.name && target.outputs() == task.outputs()
            });
        if !is_fitting {
            return Err(foreign(&"its encoder is not that of its network").into());
        }
        // A number that the file cannot hold is not believed.
        let most = bytes.len() / (4 * model.network.parameter_count());
        let recipes = vec![plain_recipe(&model.network); model.members.clamp(1, most.max(1))];
        let weights = Weights::fleet_from_bytes(file, bytes, &recipes)?;
        Ok((model, weights.into_iter().map(|weights| weights.parameters).collect()))
    }
}

/// A recipe with this network that learns no weights: enough to predict with.
pub fn plain_recipe(network: &Network) -> awl::Recipe {
    let weighting = awl::Weighting::equal(network.tasks().len());
    awl::Recipe::new(network.clone(), weighting, awl::Adam::new(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use awl::engine::State;
    use awl::{Activation, Loss, Table, Task};

    const OWN: [(&str, Loss); 1] = [("y", Loss::Mse)];

    /// A model's file, after its notes were changed.
    fn file(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let table = Table::from_csv("t", "a,y\n1,2\n2,3\n3,5\n".as_bytes()).expect("a table");
        let encoder = Encoder::fit(&table, &["a"], &OWN).expect("an encoder");
        let network = Network::new(1, &[2], Activation::Relu, &encoder.tasks()).expect("a network");
        let recipe = plain_recipe(&network);
        let model = Model {
            version: "0".into(),
            network,
            members: 1,
            encoder,
            reading: ReadOptions::default(),
            group: None,
            steps: None,
            diverged: None,
        };
        let mut notes = serde_json::to_value(model).expect("JSON");
        change(&mut notes);
        Weights::of(&State::initial(&recipe)).to_bytes(&recipe, &notes).expect("a file")
    }

    fn told(bytes: &[u8]) -> String {
        match Model::from_bytes("f", bytes) {
            Err(Failure::Input(told)) => told,
            Err(Failure::Run(told)) => panic!("{told}"),
            Ok(_) => panic!("it was read"),
        }
    }

    /// A network of 3.6 thousand million parameters takes 115 GB, which is not to be asked for by a file of a kilobyte.
    #[test]
    fn a_network_that_is_not_in_its_file_is_refused_before_it_is_made() {
        let bytes = file(|notes| notes["network"]["hidden"] = serde_json::json!([60_000, 60_000]));
        let told = told(&bytes);
        assert!(told.starts_with("f: tensor \"trunk.0.weight\" has shape [2, 1]"), "{told}");
    }

    #[test]
    fn a_number_of_networks_that_its_file_does_not_hold_is_not_believed() {
        let bytes = file(|notes| notes["members"] = u64::MAX.into());
        let members = Model::from_bytes("f", &bytes).expect("a model").1.len();
        assert!(members < bytes.len(), "{members}");
    }

    #[test]
    fn an_encoder_of_another_network_is_refused() {
        assert!(Model::from_bytes("f", &file(|_| {})).is_ok());
        let two = serde_json::to_value([Task::new("y", Loss::Mse, 2)]).expect("JSON");
        let other = file(|notes| notes["network"]["tasks"] = two);
        assert!(told(&other).contains("its encoder is not that of its network"));
        let wider = file(|notes| notes["network"]["features"] = 2.into());
        assert!(told(&wider).contains("its encoder is not that of its network"));
    }
}
