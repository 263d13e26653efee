//! The weights as a file: safetensors, under the names that PyTorch's state dictionary has for them.

use awl::engine::{Recipe, State};
use safetensors::tensor::{Dtype, TensorView, serialize};

/// The network's tensors, and σ as `awl.params` where it is learned, as the bytes of a safetensors file of `f32`.
///
/// # Panics
/// If the state belongs to another network than the recipe's.
pub fn safetensors(recipe: &Recipe, state: &State) -> Vec<u8> {
    let bytes = |values: &[f64]| -> Vec<u8> {
        values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect()
    };
    let tensors = recipe.network.tensors().into_iter();
    let mut named: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .map(|tensor| (tensor.name, tensor.shape, bytes(&state.parameters[tensor.range])))
        .collect();
    if recipe.weighting.is_learned() {
        named.push(("awl.params".into(), vec![state.sigma.len()], bytes(&state.sigma)));
    }
    let views = named.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name.as_str(), view.expect("four bytes a number"))
    });
    serialize(views, None).expect("every name is there once")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, Study};
    use awl::Weighting;
    use safetensors::SafeTensors;

    fn recipe(settings: &Settings) -> Recipe {
        let study = Study::penguins().unwrap();
        settings.recipe(&study.encoder(study.plan()).unwrap(), study.training().rows()).unwrap()
    }

    #[test]
    fn the_file_has_pytorchs_names_and_shapes_and_the_states_numbers() {
        let recipe = recipe(&Settings { hidden: vec![8, 4], ..Settings::default() });
        let state = State::initial(&recipe);
        let file = safetensors(&recipe, &state);
        let file = SafeTensors::deserialize(&file).unwrap();
        let mut found: Vec<(String, Vec<usize>)> =
            file.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect();
        found.sort_unstable();
        // 11 inputs: three measurements, each with a flag for missing cells, three islands and two sexes.
        let expected: [(&str, &[usize]); 9] = [
            ("awl.params", &[2]),
            ("heads.body_mass_g.bias", &[1]),
            ("heads.body_mass_g.weight", &[1, 4]),
            ("heads.species.bias", &[3]),
            ("heads.species.weight", &[3, 4]),
            ("trunk.0.bias", &[8]),
            ("trunk.0.weight", &[8, 11]),
            ("trunk.2.bias", &[4]),
            ("trunk.2.weight", &[4, 8]),
        ];
        let expected = expected.map(|(name, shape)| (name.to_string(), shape.to_vec()));
        assert_eq!(found, expected);
        let first = file.tensor("trunk.0.weight").unwrap().data()[..4].try_into().unwrap();
        assert_eq!(f64::from(f32::from_le_bytes(first)), state.parameters[0]);
        let sigma = file.tensor("awl.params").unwrap();
        assert_eq!(sigma.data(), [1.0_f32.to_le_bytes(); 2].concat());
    }

    #[test]
    fn equal_weights_have_no_sigma_to_save() {
        let recipe = recipe(&Settings { learned: false, ..Settings::default() });
        assert_eq!(recipe.weighting, Weighting::equal(2));
        let file = safetensors(&recipe, &State::initial(&recipe));
        assert!(SafeTensors::deserialize(&file).unwrap().tensor("awl.params").is_err());
    }
}
