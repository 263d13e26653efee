//! Training states and weights as safetensors files: what `torch.load_state_dict` takes, and what training goes on from.
//!
//! | tensor | shape | what |
//! |---|---|---|
//! | `trunk.0.weight`, `trunk.0.bias`, `trunk.2.weight`, … | PyTorch's | the trunk; an activation sits between |
//! | `heads.<key>.weight`, `heads.<key>.bias` | PyTorch's | the heads, by [`Network::head_keys`](crate::Network::head_keys) |
//! | `awl.params` | `[tasks]` | σ, where it is learned as it is |
//! | `awl.log_sigma_squared` | `[tasks]` | `ln σ²`, where that is learned ([`SigmaForm`](crate::SigmaForm)) |
//! | `weighting.parameter` | `[tasks]` | what another weighting scheme learns or finds: its parameters, or weights |
//! | `weighting.memory` | `[tasks, 4]` | what such a scheme keeps from step to step (checkpoints only) |
//! | `adam.first.<tensor>`, `adam.second.<tensor>` | the tensor's | Adam's moments of it (checkpoints only) |
//! | `adam.corrections` | `[tasks, 2]` | σ's own bias corrections (checkpoints only) |
//! | `best.<tensor>` | the tensor's | the best epoch's weights (checkpoints only) |
//!
//! The tensors of a fleet have its members as their first axis, as `torch.func.stack_module_state` has it. The random state is the
//! recipe's seed and the step's number: the order of the rows, and all else that is drawn, follows from the two. Numbers are
//! `f32` where that loses nothing, so that a state of a GPU engine is half the size; loading gives back every bit. Files from
//! before there were keys, which have the tasks' very names in their place, are read too. The metadata has the CRC-32C of the
//! whole file, and a file of which any byte was changed is refused ([`check_whole`](super::check_whole)); PyTorch, which looks at
//! tensors alone, loads it as before.

use super::tensors::{Reader, Writer, notes};
use super::weights::{LOG_SIGMA, SIGMA, Weights, at_one, names, names_of_sigma, other};
use crate::engine::{Recipe, State};
use crate::error::{Error, Result};
use crate::weighting::MEMORY;
use serde_json::{Value, json};

/// All that training goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What is kept of each member of a fleet; of a network alone the one.
    pub members: Vec<Saved>,
    /// What the caller keeps beside them.
    pub notes: Value,
}

/// What is kept of a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The training state.
    pub state: State,
    /// The best epoch's weights, where there was one.
    pub best: Option<Weights>,
}

impl Checkpoint {
    /// A checkpoint of a network alone.
    pub fn new(state: State, best: Option<Weights>, notes: Value) -> Self {
        Self { members: vec![Saved { state, best }], notes }
    }

    /// The checkpoint, of members with these recipes, as a safetensors file.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names that the format cannot hold, and for as many recipes as there are no members.
    pub fn to_bytes(&self, recipes: &[Recipe]) -> Result<Vec<u8>> {
        let members = &self.members;
        if members.is_empty() || members.len() != recipes.len() {
            return Err(Error::invalid(
                format!("{} recipes for a checkpoint of {} members", recipes.len(), members.len()),
                "give one a member",
            ));
        }
        let states = || members.iter().map(|saved| &saved.state);
        let mut writer = Writer::new(members.len());
        let weights: Vec<Weights> = states().map(Weights::of).collect();
        Weights::write(&mut writer, &weights, recipes, "", at_one);
        for (index, prefix) in MOMENTS.into_iter().enumerate() {
            let of = |moments: &[[f64; 2]]| moments.iter().map(|pair| pair[index]).collect();
            let moments = states().map(|state| Weights {
                parameters: of(&state.moments),
                sigma: of(&state.sigma_moments),
            });
            let moments: Vec<Weights> = moments.collect();
            Weights::write(&mut writer, &moments, recipes, prefix, |_| 0.0);
        }
        if recipes.iter().any(|recipe| recipe.weighting.is_learned()) {
            let of = |state: &State| state.sigma_corrections.iter().flatten().copied().collect();
            let tasks = recipes[0].network.tasks().len();
            writer.push(CORRECTIONS.into(), &[tasks, 2], states().map(of).collect());
        }
        if recipes.iter().any(keeps_memory) {
            let of = |state: &State| state.memory.iter().flatten().copied().collect();
            let tasks = recipes[0].network.tasks().len();
            writer.push(MEMORIES.into(), &[tasks, MEMORY], states().map(of).collect());
        }
        if members.iter().any(|saved| saved.best.is_some()) {
            let best = members.iter().zip(weights);
            let best = best.map(|(saved, last)| saved.best.clone().unwrap_or(last));
            let best: Vec<Weights> = best.collect();
            Weights::write(&mut writer, &best, recipes, BEST, at_one);
        }
        writer.finish(&self.metadata())
    }

    /// What the file says beside its tensors: of a fleet, each member's step, and whether its `best.` is one.
    fn metadata(&self) -> Value {
        let notes = &self.notes;
        match &self.members[..] {
            [one] => json!({ "step": one.state.step, "notes": notes }),
            members => {
                let steps: Vec<u64> = members.iter().map(|it| it.state.step).collect();
                let best: Vec<bool> = members.iter().map(|it| it.best.is_some()).collect();
                json!({ "steps": steps, "best": best, "notes": notes })
            }
        }
    }

    /// Reads a checkpoint of members with these recipes; `file` stands for it in messages.
    ///
    /// # Errors
    /// [`Error::Tensors`] as [`Weights::fleet_from_bytes`], for a file that is no checkpoint, for one of another number of
    /// members, and for one of another [form](crate::SigmaForm): Adam's moments of σ are none of `ln σ²`.
    pub fn from_bytes(file: &str, bytes: &[u8], recipes: &[Recipe]) -> Result<Self> {
        let Metadata { steps, best: have_best, notes } = Metadata::read(file, bytes)?;
        if steps.len() != recipes.len() {
            let problem = format!(
                "it is of {} members, but {} are to be trained: give as many as the run was started with",
                steps.len(),
                recipes.len()
            );
            return Err(Error::Tensors { file: file.into(), problem });
        }
        let mut reader = Weights::reader(file, bytes, recipes)?;
        for name in names_of_sigma(recipes) {
            check_form(file, &reader, name)?;
        }
        let weights = Weights::read(&mut reader, recipes, "")?;
        let [first, second] = MOMENTS.map(|prefix| Weights::read(&mut reader, recipes, prefix));
        let moments = first?.into_iter().zip(second?);
        let mut members = Vec::with_capacity(recipes.len());
        for (((weights, moments), recipe), step) in
            weights.into_iter().zip(moments).zip(recipes).zip(steps)
        {
            let state = state(recipe, step, weights, moments);
            members.push(Saved { state, best: None });
        }
        if recipes.iter().any(|recipe| recipe.weighting.is_learned()) {
            let tasks = recipes[0].network.tasks().len();
            let of_each = reader.take(CORRECTIONS, &[tasks, 2])?;
            for ((saved, recipe), corrections) in members.iter_mut().zip(recipes).zip(of_each) {
                let pairs = corrections.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
                if recipe.weighting.is_learned() {
                    saved.state.sigma_corrections = pairs.collect();
                }
            }
        }
        if recipes.iter().any(keeps_memory) {
            let tasks = recipes[0].network.tasks().len();
            let of_each = reader.take(MEMORIES, &[tasks, MEMORY])?;
            for ((saved, recipe), memory) in members.iter_mut().zip(recipes).zip(of_each) {
                if keeps_memory(recipe) {
                    let fours = memory.chunks_exact(MEMORY);
                    saved.state.memory =
                        fours.map(|four| std::array::from_fn(|i| four[i])).collect();
                }
            }
        }
        let any_best = names(&reader, &recipes[0], BEST).iter().any(|(name, _)| reader.has(name));
        if any_best {
            let best = Weights::read(&mut reader, recipes, BEST)?;
            for (member, (saved, best)) in members.iter_mut().zip(best).enumerate() {
                saved.best = have_best.get(member).unwrap_or(&true).then_some(best);
            }
        }
        reader.finish(&[])?;
        Ok(Self { members, notes })
    }

    /// What the caller kept beside the states, and each state's step: what a file says before its recipes are known.
    ///
    /// # Errors
    /// [`Error::Tensors`] for a file that is no checkpoint.
    pub fn read_notes(file: &str, bytes: &[u8]) -> Result<(Vec<u64>, Value)> {
        Metadata::read(file, bytes).map(|it| (it.steps, it.notes))
    }
}

/// What a checkpoint's file says beside its tensors.
struct Metadata {
    steps: Vec<u64>,
    /// Of a fleet: whether `best.` holds a best epoch of each member.
    best: Vec<bool>,
    notes: Value,
}

impl Metadata {
    fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let mut all = notes(file, bytes)?;
        let steps = match all.get("step").and_then(Value::as_u64) {
            Some(step) => Some(vec![step]),
            None => serde_json::from_value(all["steps"].take()).ok(),
        };
        let best = serde_json::from_value(all["best"].take()).unwrap_or_default();
        match steps {
            Some(steps) => Ok(Self { steps, best, notes: all["notes"].take() }),
            None => Err(Error::Tensors {
                file: file.into(),
                problem:
                    "it holds weights but no training state: to start from weights, use --init"
                        .into(),
            }),
        }
    }
}

/// A member's state, but for σ's corrections.
fn state(
    recipe: &Recipe,
    step: u64,
    weights: Weights,
    (first, second): (Weights, Weights),
) -> State {
    let pairs = |first: Vec<f64>, second: Vec<f64>| {
        first.into_iter().zip(second).map(|(first, second)| [first, second]).collect()
    };
    let initial = State::initial(recipe);
    let sigma_moments = match recipe.weighting.is_learned() {
        true => pairs(first.sigma, second.sigma),
        false => initial.sigma_moments,
    };
    State {
        step,
        parameters: weights.parameters,
        moments: pairs(first.parameters, second.parameters),
        sigma: weights.sigma,
        sigma_moments,
        sigma_corrections: initial.sigma_corrections,
        memory: initial.memory,
    }
}

const MOMENTS: [&str; 2] = ["adam.first.", "adam.second."];
const CORRECTIONS: &str = "adam.corrections";
const BEST: &str = "best.";
const MEMORIES: &str = "weighting.memory";

/// Whether a recipe's scheme keeps anything from step to step but the parameters.
fn keeps_memory(recipe: &Recipe) -> bool {
    !recipe.weighting.scheme().wgsl().is_empty()
}

/// Checks that a checkpoint has σ in the form of this name, where it is one of σ.
fn check_form(file: &str, reader: &Reader<'_>, own: &str) -> Result<()> {
    let (found, _) = other(own);
    if ![SIGMA, LOG_SIGMA].contains(&own) || reader.has(own) || !reader.has(found) {
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
    use std::slice::from_ref;

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
        Checkpoint::new(state, Some(best), json!("notes"))
    }

    /// The same file as it was before heads had keys, and files a checksum.
    fn with_the_tasks_names(bytes: &[u8]) -> Vec<u8> {
        let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let renamed = file.tensors().into_iter().map(|(name, view)| {
            let old = NAMES.iter().zip(KEYS).find_map(|(task, key)| {
                let (before, after) = name.split_once(&format!("heads.{key}."))?;
                Some(format!("{before}heads.{task}.{after}"))
            });
            (old.unwrap_or(name), view)
        });
        let notes = super::notes("f", bytes).unwrap().to_string();
        safetensors::serialize(renamed, Some([("awl".into(), notes)].into())).unwrap()
    }

    #[test]
    fn files_have_the_heads_under_their_keys_and_come_back() {
        for hidden in [&[4][..], &[]] {
            let recipe = recipe(hidden);
            let checkpoint = checkpoint(&recipe);
            let bytes = checkpoint.to_bytes(from_ref(&recipe)).unwrap();
            assert_eq!(Checkpoint::from_bytes("f", &bytes, from_ref(&recipe)).unwrap(), checkpoint);
            let weights = Weights::of(&checkpoint.members[0].state);
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
            let old = with_the_tasks_names(&checkpoint.to_bytes(from_ref(&recipe)).unwrap());
            assert!(old.windows(23).any(|name| name == b"best.heads.Petal.Width."));
            assert_eq!(Checkpoint::from_bytes("f", &old, from_ref(&recipe)).unwrap(), checkpoint);
            let weights = Weights::of(&checkpoint.members[0].state);
            let old = with_the_tasks_names(&weights.to_bytes(&recipe, &json!(null)).unwrap());
            assert_eq!(Weights::from_bytes("f", &old, &recipe).unwrap(), weights);
        }
    }
}
