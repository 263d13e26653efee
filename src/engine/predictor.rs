//! A trained network on the GPU, to predict with and nothing else.

use super::blocks::Blocks;
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::network::Network;

/// Predicts with given weights, as [`Engine::predict`](super::Engine::predict) does, without data to train on.
pub struct Predictor {
    gpu: Gpu,
    network: Network,
    blocks: Blocks,
}

impl Predictor {
    /// A network with its parameters, flat, each tensor at its range of [`Network::tensors`].
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another number of parameters, [`Error::Invalid`] for one that is not finite in `f32`,
    /// [`Error::TooLarge`] or [`Error::OutOfMemory`] where they do not fit.
    pub async fn new(gpu: &Gpu, network: &Network, parameters: &[f64]) -> Result<Self> {
        if parameters.len() != network.parameter_count() {
            return Err(Error::Mismatch {
                what: "the model".into(),
                unit: "parameters",
                found: parameters.len(),
                expected: network.parameter_count(),
                why: "the network's".into(),
            });
        }
        let parameters: Vec<f32> = parameters.iter().map(|&value| value as f32).collect();
        if let Some(value) = parameters.iter().find(|value| !value.is_finite()) {
            return Err(Error::invalid(
                format!("a parameter of the model is {value}"),
                "use weights from before training went wrong",
            ));
        }
        let make = || {
            let parameters = Buffer::storage(gpu, "the parameters", &parameters)?;
            Blocks::new(gpu, network, &parameters)
        };
        let blocks = gpu.guarded(make).await?;
        Ok(Self { gpu: gpu.clone(), network: network.clone(), blocks })
    }

    /// `[rows, features]` in, `[rows, outputs]` out; class scores are logits.
    ///
    /// # Errors
    /// Those of [`Engine::predict`](super::Engine::predict).
    pub async fn predict(&self, features: &Matrix) -> Result<Matrix> {
        self.blocks.predict(&self.gpu, &self.network, 0, features).await
    }
}
