//! Trained networks on the GPU, to predict with and nothing else.

use super::blocks::Blocks;
use super::checks::check_member;
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::network::Network;

/// Predicts with given weights, as [`Engine::predict_by`](super::Engine::predict_by) does, without data to train on.
pub struct Predictor {
    gpu: Gpu,
    network: Network,
    members: usize,
    /// Of as many members each as a binding holds.
    squads: Vec<Blocks>,
}

impl Predictor {
    /// A network with its parameters, flat, each tensor at its range of [`Network::tensors`].
    ///
    /// # Errors
    /// Those of [`fleet`](Self::fleet).
    pub async fn new(gpu: &Gpu, network: &Network, parameters: &[f64]) -> Result<Self> {
        Self::fleet(gpu, network, &[parameters]).await
    }

    /// Networks of one shape, each with parameters of its own.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another number of parameters, [`Error::Invalid`] for one that is not finite in `f32` and for no
    /// network at all, [`Error::TooLarge`] or [`Error::OutOfMemory`] where they do not fit.
    pub async fn fleet(
        gpu: &Gpu,
        network: &Network,
        members: &[impl AsRef<[f64]>],
    ) -> Result<Self> {
        if members.is_empty() {
            return Err(Error::invalid("no network to predict with", "give one at least"));
        }
        let parameters: Vec<Vec<f32>> =
            members.iter().map(|member| single(network, member.as_ref())).collect::<Result<_>>()?;
        let most = members_a_binding(gpu, network);
        let make = |members: &[Vec<f32>]| {
            let parameters = Buffer::storage(gpu, "the parameters", &members.concat())?;
            Blocks::new(gpu, network, &parameters)
        };
        let all = || parameters.chunks(most).map(make).collect();
        let squads = gpu.guarded(all).await?;
        Ok(Self { gpu: gpu.clone(), network: network.clone(), members: members.len(), squads })
    }

    /// Number of networks.
    pub fn members(&self) -> usize {
        self.members
    }

    /// Predictions of the first network: [`predict_by`](Self::predict_by).
    ///
    /// # Errors
    /// The same.
    pub async fn predict(&self, features: &Matrix) -> Result<Matrix> {
        self.predict_by(0, features).await
    }

    /// `[rows, features]` in, `[rows, outputs]` out; class scores are logits.
    ///
    /// # Errors
    /// Those of [`Engine::predict_by`](super::Engine::predict_by).
    pub async fn predict_by(&self, member: usize, features: &Matrix) -> Result<Matrix> {
        check_member(member, self.members)?;
        let most = members_a_binding(&self.gpu, &self.network);
        let start = member % most * self.network.parameter_count();
        self.squads[member / most].predict(&self.gpu, &self.network, start, features).await
    }
}

/// Members whose parameters one binding holds.
fn members_a_binding(gpu: &Gpu, network: &Network) -> usize {
    let most_bytes = gpu.device().limits().max_storage_buffer_binding_size as usize;
    (most_bytes / (4 * network.parameter_count())).max(1)
}

/// A network's parameters as the GPU has them.
fn single(network: &Network, parameters: &[f64]) -> Result<Vec<f32>> {
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
    match parameters.iter().find(|value| !value.is_finite()) {
        None => Ok(parameters),
        Some(value) => Err(Error::invalid(
            format!("a parameter of the model is {value}"),
            "use weights from before training went wrong",
        )),
    }
}
