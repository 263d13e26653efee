//! Training states and weights as safetensors files: what `torch.load_state_dict` takes, and what training goes on from.
//!
//! | tensor | shape | what |
//! |---|---|---|
//! | `trunk.0.weight`, `trunk.0.bias`, `trunk.2.weight`, … | PyTorch's | the trunk; an activation sits between |
//! | `heads.<key>.weight`, `heads.<key>.bias` | PyTorch's | the heads, by [`Network::head_keys`](crate::Network::head_keys) |
//! | `awl.params` | `[tasks]` | σ, where it is learned as it is |
//! | `awl.log_sigma_squared` | `[tasks]` | `ln σ²`, where that is learned ([`SigmaForm`]) |
//! | `adam.first.<tensor>`, `adam.second.<tensor>` | the tensor's | Adam's moments of it (checkpoints only) |
//! | `adam.corrections` | `[tasks, 2]` | σ's own bias corrections (checkpoints only) |
//! | `best.<tensor>` | the tensor's | the best epoch's weights (checkpoints only) |
//!
//! The random state is the recipe's seed and the step's number: the order of the rows, and all else that is drawn, follows from
//! the two. Numbers are `f32` where that loses nothing, so that a state of a GPU engine is half the size; loading gives back
//! every bit. Files from before there were keys, which have the tasks' very names in their place, are read too.

use super::tensors::{Reader, Writer, notes};
use crate::engine::{Recipe, State};
use crate::error::{Error, Result};
use crate::network::Tensor;
use crate::weighting::SigmaForm;
use serde_json::{Value, json};

/// The weights of one moment: what predictions need, and no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// The network's parameters, flat.
    pub parameters: Vec<f64>,
    /// The weighting's parameter of each task, as [`State::sigma`] has it: σ, `ln σ²` or the given weight.
    pub sigma: Vec<f64>,
}

impl Weights {
    /// The weights of a state.
    pub fn of(state: &State) -> Self {
        Self { parameters: state.parameters.clone(), sigma: state.sigma.clone() }
    }

    /// The same state with these weights: its step and moments stay.
    pub fn put_into(&self, state: &State) -> State {
        State { parameters: self.parameters.clone(), sigma: self.sigma.clone(), ..state.clone() }
    }

    /// A safetensors file under PyTorch's names, which `load_state_dict(strict=True)` takes; `notes` go into its metadata.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names that the format cannot hold.
    pub fn to_bytes(&self, recipe: &Recipe, notes: &Value) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        self.write(&mut writer, recipe, "");
        writer.finish(notes)
    }

    fn write(&self, writer: &mut Writer, recipe: &Recipe, prefix: &str) {
        for Tensor { name, shape, range } in recipe.network.tensors() {
            writer.push(format!("{prefix}{name}"), &shape, self.parameters[range].to_vec());
        }
        if let Some(form) = recipe.weighting.form() {
            let name = sigma_name(form);
            writer.push(format!("{prefix}{name}"), &[self.sigma.len()], self.sigma.clone());
        }
    }

    /// Reads weights for this recipe's network from a file of awl's or PyTorch's; `file` stands for it in messages. Where the
    /// file has no σ, the recipe's start is taken; where it has σ in another [form](SigmaForm) than the recipe, it is converted,
    /// raised to the floor if it is below.
    ///
    /// # Errors
    /// [`Error::Tensors`], naming file and tensor, for a file that is cut short or of another format, a tensor that is missing,
    /// too many, of another shape, of whole or half-precision numbers, or not finite.
    pub fn from_bytes(file: &str, bytes: &[u8], recipe: &Recipe) -> Result<Self> {
        let mut reader = Reader::new(file, bytes)?;
        let mut weights = Self::read(&mut reader, recipe, "")?;
        if let Some(form) = recipe.weighting.form() {
            weights.take_sigma(&mut reader, form)?;
        }
        // A learned σ says nothing to a scheme that learns none.
        reader.finish(&["adam.", "best.", SIGMA, LOG_SIGMA])?;
        Ok(weights)
    }

    /// The notes that [`to_bytes`](Self::to_bytes) was given.
    ///
    /// # Errors
    /// [`Error::Tensors`] for a file that awl did not write.
    pub fn read_notes(file: &str, bytes: &[u8]) -> Result<Value> {
        notes(file, bytes)
    }

    fn read(reader: &mut Reader<'_>, recipe: &Recipe, prefix: &str) -> Result<Self> {
        let mut weights = Self::of(&State::initial(recipe));
        for (name, Tensor { shape, range, .. }) in names(reader, recipe, prefix) {
            let values = reader.take(&name, &shape)?;
            weights.parameters[range].copy_from_slice(&values);
        }
        if let Some(form) = recipe.weighting.form() {
            let name = format!("{prefix}{}", sigma_name(form));
            if reader.has(&name) {
                weights.sigma = reader.take(&name, &[weights.sigma.len()])?;
            }
        }
        Ok(weights)
    }

    /// Takes σ in whichever form the file has it, raised to the floor of this one.
    fn take_sigma(&mut self, reader: &mut Reader<'_>, form: SigmaForm) -> Result<()> {
        let [own, foreign] = [form, other(form)].map(sigma_name);
        if !reader.has(own) && reader.has(foreign) {
            let found = reader.take(foreign, &[self.sigma.len()])?;
            let convert = |value| form.parameter(other(form).sigma(value) as f32).into();
            self.sigma = found.into_iter().map(convert).collect();
        }
        if let Some(least) = form.least_parameter() {
            self.sigma.iter_mut().for_each(|parameter| *parameter = parameter.max(least.into()));
        }
        Ok(())
    }
}

/// The form that a file of a recipe of this form may have too.
fn other(form: SigmaForm) -> SigmaForm {
    match form {
        SigmaForm::Plain => SigmaForm::log(),
        SigmaForm::Log { .. } => SigmaForm::Plain,
    }
}

/// The tensor that holds what is learned of σ.
fn sigma_name(form: SigmaForm) -> &'static str {
    match form {
        SigmaForm::Plain => SIGMA,
        SigmaForm::Log { .. } => LOG_SIGMA,
    }
}

/// The network's tensors, each under the name that the file has for it: its own, or that of old files.
fn names(reader: &Reader<'_>, recipe: &Recipe, prefix: &str) -> Vec<(String, Tensor)> {
    let network = &recipe.network;
    let both = network.tensors().into_iter().zip(network.tensors_by_task());
    let named = both.map(|(tensor, old)| {
        let [name, old] = [&tensor.name, &old.name].map(|name| format!("{prefix}{name}"));
        let name = if !reader.has(&name) && reader.has(&old) { old } else { name };
        (name, tensor)
    });
    named.collect()
}

/// PyTorch's name of σ.
const SIGMA: &str = "awl.params";
/// One that nobody takes for it.
const LOG_SIGMA: &str = "awl.log_sigma_squared";
const CORRECTIONS: &str = "adam.corrections";

/// All that training goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The training state.
    pub state: State,
    /// The best epoch's weights, where there was one.
    pub best: Option<Weights>,
    /// What the caller keeps beside them.
    pub notes: Value,
}

impl Checkpoint {
    /// The checkpoint as a safetensors file.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names that the format cannot hold.
    pub fn to_bytes(&self, recipe: &Recipe) -> Result<Vec<u8>> {
        let state = &self.state;
        let mut writer = Writer::default();
        Weights::of(state).write(&mut writer, recipe, "");
        for (index, moment) in ["adam.first.", "adam.second."].into_iter().enumerate() {
            let of = |moments: &[[f64; 2]]| moments.iter().map(|pair| pair[index]).collect();
            let moments =
                Weights { parameters: of(&state.moments), sigma: of(&state.sigma_moments) };
            moments.write(&mut writer, recipe, moment);
        }
        if recipe.weighting.is_learned() {
            let corrections: Vec<f64> = state.sigma_corrections.iter().flatten().copied().collect();
            writer.push(CORRECTIONS.into(), &[state.sigma_corrections.len(), 2], corrections);
        }
        if let Some(best) = &self.best {
            best.write(&mut writer, recipe, BEST);
        }
        writer.finish(&json!({ "step": state.step, "notes": self.notes }))
    }

    /// Reads a checkpoint of this recipe; `file` stands for it in messages.
    ///
    /// # Errors
    /// [`Error::Tensors`] as [`Weights::from_bytes`], for a file that is no checkpoint, and for one of another
    /// [form](SigmaForm): Adam's moments of σ are none of `ln σ²`.
    pub fn from_bytes(file: &str, bytes: &[u8], recipe: &Recipe) -> Result<Self> {
        let (step, notes) = Self::read_notes(file, bytes)?;
        let mut reader = Reader::new(file, bytes)?;
        if let Some(form) = recipe.weighting.form() {
            check_form(file, &reader, form)?;
        }
        let weights = Weights::read(&mut reader, recipe, "")?;
        let first = Weights::read(&mut reader, recipe, "adam.first.")?;
        let second = Weights::read(&mut reader, recipe, "adam.second.")?;
        let pairs = |first: Vec<f64>, second: Vec<f64>| {
            first.into_iter().zip(second).map(|(first, second)| [first, second]).collect()
        };
        let initial = State::initial(recipe);
        let mut state = State {
            step,
            parameters: weights.parameters,
            moments: pairs(first.parameters, second.parameters),
            sigma: weights.sigma,
            ..initial
        };
        if recipe.weighting.is_learned() {
            state.sigma_moments = pairs(first.sigma, second.sigma);
            let corrections = reader.take(CORRECTIONS, &[state.sigma.len(), 2])?;
            state.sigma_corrections =
                corrections.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
        }
        let best = names(&reader, recipe, BEST).iter().any(|(name, _)| reader.has(name));
        let best = best.then(|| Weights::read(&mut reader, recipe, BEST)).transpose()?;
        reader.finish(&[])?;
        Ok(Self { state, best, notes })
    }

    /// What the caller kept beside the state, and the state's step: what a file says before its recipe is known.
    ///
    /// # Errors
    /// [`Error::Tensors`] for a file that is no checkpoint.
    pub fn read_notes(file: &str, bytes: &[u8]) -> Result<(u64, Value)> {
        let mut all = notes(file, bytes)?;
        match all.get("step").and_then(Value::as_u64) {
            Some(step) => Ok((step, all["notes"].take())),
            None => Err(Error::Tensors {
                file: file.into(),
                problem:
                    "it holds weights but no training state: to start from weights, use --init"
                        .into(),
            }),
        }
    }
}

const BEST: &str = "best.";

/// Checks that a checkpoint has what this form learns.
fn check_form(file: &str, reader: &Reader<'_>, form: SigmaForm) -> Result<()> {
    let [own, found] = [form, other(form)].map(sigma_name);
    if reader.has(own) || !reader.has(found) {
        return Ok(());
    }
    Err(Error::Tensors {
        file: file.into(),
        problem: format!(
            "it is of a run with tensor \"{found}\", but this one learns \"{own}\": go on in the form (--sigma-form) that it \
             was trained in, or start a new run with --init, which converts it"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Task};

    /// Names of which PyTorch can hold two, with the keys of the four.
    const NAMES: [&str; 4] = ["Petal.Width", "type", "type_", "Petal_Width"];
    const KEYS: [&str; 4] = ["Petal_Width_2", "type__2", "type_", "Petal_Width"];

    fn recipe(hidden: &[usize]) -> Recipe {
        let tasks = NAMES.map(|name| Task::new(name, Loss::Mse, 2));
        let network = Network::new(3, hidden, Activation::Tanh, &tasks).unwrap();
        Recipe::new(network, AutomaticWeightedLoss::new(4), Adam::new(0.01))
    }

    /// A checkpoint in which every number is another.
    fn checkpoint(recipe: &Recipe) -> Checkpoint {
        let mut state = State::initial(recipe);
        let count = state.parameters.len();
        state.parameters = (0..count).map(|at| at as f64).collect();
        state.moments = (0..count).map(|at| [0.5 + at as f64, 0.25 + at as f64]).collect();
        let best = Weights {
            parameters: (0..count).map(|at| 0.125 + at as f64).collect(),
            sigma: vec![0.5; 4],
        };
        Checkpoint { state, best: Some(best), notes: json!("notes") }
    }

    /// The same file as it was before heads had keys.
    fn with_the_tasks_names(bytes: &[u8]) -> Vec<u8> {
        let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let renamed = file.tensors().into_iter().map(|(name, view)| {
            let old = NAMES.iter().zip(KEYS).find_map(|(task, key)| {
                let (before, after) = name.split_once(&format!("heads.{key}."))?;
                Some(format!("{before}heads.{task}.{after}"))
            });
            (old.unwrap_or(name), view)
        });
        let (_, metadata) = safetensors::SafeTensors::read_metadata(bytes).unwrap();
        safetensors::serialize(renamed, metadata.metadata().clone()).unwrap()
    }

    #[test]
    fn files_have_the_heads_under_their_keys_and_come_back() {
        for hidden in [&[4][..], &[]] {
            let recipe = recipe(hidden);
            let checkpoint = checkpoint(&recipe);
            let bytes = checkpoint.to_bytes(&recipe).unwrap();
            assert_eq!(Checkpoint::from_bytes("f", &bytes, &recipe).unwrap(), checkpoint);
            let weights = Weights::of(&checkpoint.state);
            let bytes = weights.to_bytes(&recipe, &json!(null)).unwrap();
            assert_eq!(Weights::from_bytes("f", &bytes, &recipe).unwrap(), weights);
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            for key in KEYS {
                assert!(file.tensor(&format!("heads.{key}.weight")).is_ok(), "{key}");
            }
        }
    }

    #[test]
    fn files_from_before_heads_had_keys_still_load() {
        for hidden in [&[4][..], &[]] {
            let recipe = recipe(hidden);
            let checkpoint = checkpoint(&recipe);
            let old = with_the_tasks_names(&checkpoint.to_bytes(&recipe).unwrap());
            assert!(old.windows(23).any(|name| name == b"best.heads.Petal.Width."));
            assert_eq!(Checkpoint::from_bytes("f", &old, &recipe).unwrap(), checkpoint);
            let weights = Weights::of(&checkpoint.state);
            let old = with_the_tasks_names(&weights.to_bytes(&recipe, &json!(null)).unwrap());
            assert_eq!(Weights::from_bytes("f", &old, &recipe).unwrap(), weights);
        }
    }
}
