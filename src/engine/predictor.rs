//! Trained networks, on the GPU or the CPU, to predict with and nothing else.

use super::blocks::Blocks;
use super::checks::{check_features, check_member};
use super::reference;
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::network::Network;

/// Predicts with given weights, as [`Engine::predict_by`](super::Engine::predict_by) does, without data to train on.
pub struct Predictor {
    network: Network,
    members: usize,
    place: Place,
}

/// Where the networks are.
enum Place {
    /// In squads of as many members each as a binding holds.
    Gpu { gpu: Gpu, squads: Vec<Blocks> },
    /// The parameters of each.
    Cpu(Vec<Vec<f64>>),
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
        let parameters = single_each(network, members)?;
        let most = members_a_binding(gpu, network);
        let make = |members: &[Vec<f32>]| {
            let parameters = Buffer::storage(gpu, "the parameters", &members.concat())?;
            Blocks::new(gpu, network, &parameters)
        };
        let all = || parameters.chunks(most).map(make).collect();
        let squads = gpu.guarded(all).await?;
        let place = Place::Gpu { gpu: gpu.clone(), squads };
        Ok(Self { network: network.clone(), members: members.len(), place })
    }

    /// The same on the CPU, in `f64` as the [`Reference`](super::Reference) engine: where there is no adapter.
    ///
    /// # Errors
    /// [`Error::Mismatch`] and [`Error::Invalid`] as of [`fleet`](Self::fleet).
    pub fn on_cpu(network: &Network, members: &[impl AsRef<[f64]>]) -> Result<Self> {
        single_each(network, members)?;
        let parameters: Vec<Vec<f64>> = members.iter().map(|it| it.as_ref().to_vec()).collect();
        let members = parameters.len();
        Ok(Self { network: network.clone(), members, place: Place::Cpu(parameters) })
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
        match &self.place {
            Place::Gpu { gpu, squads } => {
                let most = members_a_binding(gpu, &self.network);
                let start = member % most * self.network.parameter_count();
                squads[member / most].predict(gpu, &self.network, start, features).await
            }
            Place::Cpu(parameters) => {
                check_features(&self.network, features)?;
                reference::predictions(&self.network, &parameters[member], features)
            }
        }
    }
}

/// Members whose parameters one binding holds.
fn members_a_binding(gpu: &Gpu, network: &Network) -> usize {
    let most_bytes = gpu.device().limits().max_storage_buffer_binding_size as usize;
    (most_bytes / (4 * network.parameter_count())).max(1)
}

/// The parameters of each of some networks, one at least, as the GPU has them.
fn single_each(network: &Network, members: &[impl AsRef<[f64]>]) -> Result<Vec<Vec<f32>>> {
    if members.is_empty() {
        return Err(Error::invalid("no network to predict with", "give one at least"));
    }
    members.iter().map(|member| single(network, member.as_ref())).collect()
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
