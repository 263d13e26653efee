//! Weights in safetensors files, under PyTorch's names: of one network, or of a fleet with its members as the first axis.

use super::tensors::{Reader, Writer, notes};
use crate::engine::{Recipe, State};
use crate::error::Result;
use crate::network::Tensor;
use crate::weighting::SigmaForm;
use serde_json::Value;
use std::slice;

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
    /// [`Error::Invalid`](crate::Error::Invalid) for names that the format cannot hold.
    pub fn to_bytes(&self, recipe: &Recipe, notes: &Value) -> Result<Vec<u8>> {
        Self::fleet_to_bytes(slice::from_ref(self), slice::from_ref(recipe), notes)
    }

    /// The same of a fleet: every tensor has the members as its first axis, as `torch.func.stack_module_state` has it. A fleet of
    /// one has no such axis. σ of a member whose weighting has none, or has it in another [form](SigmaForm), stands as 1.
    ///
    /// # Errors
    /// Those of [`to_bytes`](Self::to_bytes).
    pub fn fleet_to_bytes(weights: &[Self], recipes: &[Recipe], notes: &Value) -> Result<Vec<u8>> {
        let mut writer = Writer::new(recipes.len());
        Self::write(&mut writer, weights, recipes, "", at_one);
        writer.finish(notes)
    }

    /// Writes weights, or moments of them, each under its name with this prefix; `absent` stands for what there is none of.
    pub(super) fn write(
        writer: &mut Writer,
        weights: &[Self],
        recipes: &[Recipe],
        prefix: &str,
        absent: fn(&str) -> f64,
    ) {
        for Tensor { name, shape, range } in recipes[0].network.tensors() {
            let of_each = weights.iter().map(|it| it.parameters[range.clone()].to_vec());
            writer.push(format!("{prefix}{name}"), &shape, of_each.collect());
        }
        for name in names_of_sigma(recipes) {
            let of_each = weights.iter().zip(recipes).map(|(weights, recipe)| {
                let tasks = weights.sigma.len();
                if sigma_name(recipe) == Some(name) {
                    weights.sigma.clone()
                } else {
                    vec![absent(name); tasks]
                }
            });
            let tasks = recipes[0].network.tasks().len();
            writer.push(format!("{prefix}{name}"), &[tasks], of_each.collect());
        }
    }

    /// Reads weights for this recipe's network from a file of awl's or PyTorch's; `file` stands for it in messages. Where the
    /// file has no σ, the recipe's start is taken; where it has σ in another [form](SigmaForm) than the recipe, it is converted,
    /// raised to the floor if it is below.
    ///
    /// # Errors
    /// [`Error::Tensors`](crate::Error::Tensors), naming file and tensor, for a file that is cut short or of another format, a
    /// tensor that is missing, too many, of another shape, of whole or half-precision numbers, or not finite.
    pub fn from_bytes(file: &str, bytes: &[u8], recipe: &Recipe) -> Result<Self> {
        Ok(Self::fleet_from_bytes(file, bytes, slice::from_ref(recipe))?.swap_remove(0))
    }

    /// The same for a fleet of these recipes. A file of one network gives its weights to every member.
    ///
    /// # Errors
    /// Those of [`from_bytes`](Self::from_bytes), also for a file of another number of members.
    pub fn fleet_from_bytes(file: &str, bytes: &[u8], recipes: &[Recipe]) -> Result<Vec<Self>> {
        let mut reader = Self::reader(file, bytes, recipes)?;
        let mut weights = Self::read(&mut reader, recipes, "")?;
        for name in [SIGMA, LOG_SIGMA] {
            if recipes.iter().any(|recipe| sigma_name(recipe) == Some(name)) {
                convert_sigma(&mut weights, &mut reader, recipes, name)?;
            }
        }
        // A learned σ says nothing to a scheme that learns none.
        reader.finish(&["adam.", "best.", SIGMA, LOG_SIGMA, "weighting."])?;
        Ok(weights)
    }

    /// The notes that [`to_bytes`](Self::to_bytes) was given.
    ///
    /// # Errors
    /// [`Error::Tensors`](crate::Error::Tensors) for a file that awl did not write.
    pub fn read_notes(file: &str, bytes: &[u8]) -> Result<Value> {
        notes(file, bytes)
    }

    /// A reader of a file for these recipes, which finds by the first tensor of the network whether it holds a fleet.
    pub(super) fn reader<'a>(
        file: &'a str,
        bytes: &'a [u8],
        recipes: &[Recipe],
    ) -> Result<Reader<'a>> {
        let mut reader = Reader::new(file, bytes, recipes.len())?;
        if let Some((name, tensor)) = names(&reader, &recipes[0], "").first() {
            reader.find_members(name, &tensor.shape)?;
        }
        Ok(reader)
    }

    pub(super) fn read(
        reader: &mut Reader<'_>,
        recipes: &[Recipe],
        prefix: &str,
    ) -> Result<Vec<Self>> {
        let tensors = names(reader, &recipes[0], prefix);
        // Before anything of the network's size is made, which a small file may claim to be large.
        tensors.iter().try_for_each(|(name, tensor)| reader.check(name, &tensor.shape))?;
        let initial = recipes.iter().map(|recipe| Self::of(&State::initial(recipe)));
        let mut weights: Vec<Self> = initial.collect();
        for (name, Tensor { shape, range, .. }) in tensors {
            for (weights, values) in weights.iter_mut().zip(reader.take(&name, &shape)?) {
                weights.parameters[range.clone()].copy_from_slice(&values);
            }
        }
        let tasks = recipes[0].network.tasks().len();
        for own in names_of_sigma(recipes) {
            let name = format!("{prefix}{own}");
            if !reader.has(&name) {
                continue;
            }
            let of_each = weights.iter_mut().zip(recipes).zip(reader.take(&name, &[tasks])?);
            let with_it = of_each.filter(|((_, recipe), _)| sigma_name(recipe) == Some(own));
            with_it.for_each(|((weights, _), sigma)| weights.sigma = sigma);
        }
        for (weights, recipe) in weights.iter_mut().zip(recipes) {
            recipe.weighting.hold(&mut weights.sigma);
        }
        Ok(weights)
    }
}

/// Takes σ of the members that have it under this name from the other form, if that is what the file has, and raises it to their
/// floor.
fn convert_sigma(
    weights: &mut [Weights],
    reader: &mut Reader<'_>,
    recipes: &[Recipe],
    own: &str,
) -> Result<()> {
    let (foreign, from) = other(own);
    let tasks = recipes[0].network.tasks().len();
    let found = match !reader.has(own) && reader.has(foreign) {
        true => Some(reader.take(foreign, &[tasks])?),
        false => None,
    };
    for (member, (weights, recipe)) in weights.iter_mut().zip(recipes).enumerate() {
        // With a floor of its own.
        let form = recipe.weighting.form().filter(|_| sigma_name(recipe) == Some(own));
        let Some(form) = form else { continue };
        if let Some(found) = &found {
            let convert = |&value: &f64| form.parameter(from.sigma(value) as f32).into();
            weights.sigma = found[member].iter().map(convert).collect();
        }
        if let Some(least) = form.least_parameter() {
            weights.sigma.iter_mut().for_each(|parameter| *parameter = parameter.max(least.into()));
        }
        recipe.weighting.hold(&mut weights.sigma);
    }
    Ok(())
}

/// The tensors that hold what these recipes' schemes learn or find.
pub(super) fn names_of_sigma(recipes: &[Recipe]) -> Vec<&'static str> {
    let names = [SIGMA, LOG_SIGMA, PARAMETER];
    let is_had = |name: &&str| recipes.iter().any(|recipe| sigma_name(recipe) == Some(*name));
    names.into_iter().filter(is_had).collect()
}

/// The tensor that holds what a recipe's scheme learns or finds; `None` where its weights are given.
fn sigma_name(recipe: &Recipe) -> Option<&'static str> {
    match recipe.weighting.form() {
        Some(SigmaForm::Plain) => Some(SIGMA),
        Some(SigmaForm::Log { .. }) => Some(LOG_SIGMA),
        None => recipe.weighting.changes().then_some(PARAMETER),
    }
}

/// The name of σ in the other form, and that form.
pub(super) fn other(name: &str) -> (&'static str, SigmaForm) {
    match name {
        SIGMA => (LOG_SIGMA, SigmaForm::log()),
        _ => (SIGMA, SigmaForm::Plain),
    }
}

/// What stands for the parameter of a member that has none of this name: a σ of 1.
pub(super) fn at_one(name: &str) -> f64 {
    if name == SIGMA { 1.0 } else { 0.0 }
}

/// The network's tensors, each under the name that the file has for it: its own, or that of old files.
pub(super) fn names(reader: &Reader<'_>, recipe: &Recipe, prefix: &str) -> Vec<(String, Tensor)> {
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
pub(super) const SIGMA: &str = "awl.params";
/// One that nobody takes for it.
pub(super) const LOG_SIGMA: &str = "awl.log_sigma_squared";
/// What other schemes learn or find.
const PARAMETER: &str = "weighting.parameter";
