//! A network that begins as the linear model: what it learns then is what a linear model cannot say.
//!
//! Of relu, gelu and silu `a(z) − a(−z) = z`, exactly: two units carry one number through a hidden layer unchanged. The first units
//! of every hidden layer carry the linear model's outputs in such pairs, the heads read those alone, and all other weights of the trunk
//! stay as they were drawn. Hence gradients reach every unit once the heads have moved, as where a network's last layer begins at 0
//! (Zhang, Dauphin and Ma 2019, *Fixup Initialization*).

use super::Baselines;
use crate::error::{Error, Result};
use crate::network::{Activation, Layer, Network};

impl Baselines {
    /// Whether a network can begin as the linear model of its tasks: not with `tanh`, which bends every number, nor with fewer than two
    /// units an output in some hidden layer.
    pub fn can_start(network: &Network) -> bool {
        let layers = network.layers();
        let trunk = layers.split_last().map_or(&[][..], |(_, trunk)| trunk);
        let is_wide = |layer: &Layer| layer.outputs >= 2 * network.outputs();
        trunk.is_empty() || network.activation() != Activation::Tanh && trunk.iter().all(is_wide)
    }

    /// Has parameters of a network of the same features and tasks answer as the linear model does, where it [can](Self::can_start).
    /// Of parameters drawn from several seeds the first answers are the same, and what is learned then is not.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another number of features, outputs or parameters.
    pub fn start(&self, network: &Network, parameters: &mut [f64]) -> Result<()> {
        let (features, outputs) = (self.network.features(), self.network.outputs());
        for (unit, found, expected) in [
            ("features", network.features(), features),
            ("outputs", network.outputs(), outputs),
            ("parameters", parameters.len(), network.parameter_count()),
        ] {
            if found != expected {
                let (what, why) = ("the network to start".into(), "those of the baselines".into());
                return Err(Error::Mismatch { what, unit, found, expected, why });
            }
        }
        let layers = network.layers();
        let Some((heads, trunk)) = layers.split_last().filter(|_| Self::can_start(network)) else {
            return Ok(());
        };
        let Some(first) = trunk.first() else {
            // Without a hidden layer both are one network.
            parameters.copy_from_slice(&self.linear);
            return Ok(());
        };
        let (weights, biases) = self.linear.split_at(features * outputs);
        for (output, weights) in weights.chunks_exact(features).enumerate() {
            for (unit, sign) in [(2 * output, 1.0), (2 * output + 1, -1.0)] {
                let signed = weights.iter().map(|weight| sign * weight);
                set_unit(first, unit, signed, parameters);
                for layer in &trunk[1..] {
                    set_unit(layer, unit, pair(layer, output, sign), parameters);
                }
            }
            set_unit(heads, output, pair(heads, output, 1.0), parameters);
            parameters[heads.bias + output] = biases[output];
        }
        Ok(())
    }
}

/// The weights that read a number from its pair of units.
fn pair(layer: &Layer, output: usize, sign: f64) -> impl Iterator<Item = f64> {
    let weight = move |input| match input {
        input if input == 2 * output => sign,
        input if input == 2 * output + 1 => -sign,
        _ => 0.0,
    };
    (0..layer.inputs).map(weight)
}

/// Sets the weights of one of a layer's units, and its bias to 0.
fn set_unit(
    layer: &Layer,
    unit: usize,
    weights: impl Iterator<Item = f64>,
    parameters: &mut [f64],
) {
    let own = &mut parameters[layer.weight + unit * layer.inputs..][..layer.inputs];
    own.iter_mut().zip(weights).for_each(|(own, weight)| *own = weight);
    parameters[layer.bias + unit] = 0.0;
}
