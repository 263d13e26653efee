//! The network: a multi-head perceptron, its layers, and where each tensor lies.
//!
//! A *trunk* of linear layers, each followed by an activation, is shared by all tasks; each task has a
//! *head*, one linear layer on the trunk's output. All heads read the same input, so they are computed
//! as a single layer whose outputs are the tasks' predictions side by side, in the order of the tasks. While training,
//! units of the trunk may be [dropped](Dropout).
//! Knows nothing of GPUs or of training.

mod activation;
mod dropout;
mod heads;
mod layout;

pub use self::activation::Activation;
pub use self::dropout::Dropout;
pub use self::layout::{Layer, Tensor};
use crate::error::{Error, Result};
use crate::loss::Task;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::HashSet;
use std::sync::Arc;

/// A multi-head perceptron's shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Shape")]
pub struct Network {
    features: usize,
    // Shared, so that ten thousand members of a fleet have the one list and the one name, however long.
    #[serde(serialize_with = "as_list")]
    hidden: Arc<[usize]>,
    activation: Activation,
    dropout: f64,
    #[serde(serialize_with = "as_list")]
    tasks: Arc<[Task]>,
}

/// A shared list, written as any.
fn as_list<T: Serialize, S: Serializer>(
    list: &Arc<[T]>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    list[..].serialize(to)
}

/// A shape as a file holds it, not checked yet.
#[derive(Deserialize)]
struct Shape {
    features: usize,
    hidden: Vec<usize>,
    activation: Activation,
    dropout: f64,
    tasks: Vec<Task>,
}

impl TryFrom<Shape> for Network {
    type Error = Error;

    fn try_from(shape: Shape) -> Result<Self> {
        Self::new(shape.features, &shape.hidden, shape.activation, &shape.tasks)?
            .with_dropout(shape.dropout)
    }
}

impl Network {
    /// A network from `features` inputs through `hidden` layers (none makes it linear) to one head a task.
    ///
    /// ```
    /// use awl::{Activation, Loss, Network, Task};
    /// let tasks = [Task::new("price", Loss::Mse, 1), Task::new("cut", Loss::cross_entropy(), 5)];
    /// let network = Network::new(16, &[32, 32], Activation::Relu, &tasks)?;
    /// assert_eq!(network.outputs(), 6);
    /// # Ok::<(), awl::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for no tasks, a width of 0, two tasks of one name, a loss whose own
    /// parameters are out of range, or more parameters than a `u32` can number.
    pub fn new(
        features: usize,
        hidden: &[usize],
        activation: Activation,
        tasks: &[Task],
    ) -> Result<Self> {
        if features == 0 {
            return Err(Error::invalid(
                "the network has no features",
                "give it at least one input",
            ));
        }
        if let Some(layer) = hidden.iter().position(|&width| width == 0) {
            return Err(Error::invalid(
                format!("hidden layer {layer} has width 0"),
                "give every hidden layer at least one unit, or leave it out",
            ));
        }
        if tasks.is_empty() {
            return Err(Error::invalid("the network has no tasks", "give it at least one"));
        }
        let mut names = HashSet::new();
        for task in tasks {
            task.check()?;
            if !names.insert(&task.name) {
                return Err(Error::invalid(
                    format!("two tasks are named \"{}\"", task.name),
                    "give each task a name of its own",
                ));
            }
        }
        check_size(features, hidden, tasks)?;
        let (hidden, tasks) = (hidden.into(), tasks.into());
        Ok(Self { features, hidden, activation, dropout: 0.0, tasks })
    }

    /// The same network with this probability of [dropout](Dropout) after each hidden layer's activation, in training
    /// steps only: predictions are made with every unit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a probability outside [0, 1).
    pub fn with_dropout(self, probability: f64) -> Result<Self> {
        match (0.0..1.0).contains(&probability) {
            true => Ok(Self { dropout: probability, ..self }),
            false => Err(Error::invalid(
                format!("the network's dropout is {probability}"),
                "use a probability from 0, which drops nothing, to less than 1, such as 0.1",
            )),
        }
    }

    /// Number of inputs.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Widths of the trunk's layers.
    pub fn hidden(&self) -> &[usize] {
        &self.hidden
    }

    /// The activation after each of the trunk's layers.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The probability with which a training step drops a unit of the trunk in a row.
    pub fn dropout(&self) -> f64 {
        self.dropout
    }

    /// The tasks, in the order of their heads.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Width of all predictions side by side.
    pub fn outputs(&self) -> usize {
        self.tasks.iter().map(Task::outputs).sum()
    }

    /// The column of [`outputs`](Self::outputs) at which each task's predictions start.
    pub fn offsets(&self) -> Vec<usize> {
        let mut next = 0;
        let mut offset = |task: &Task| {
            next += task.outputs();
            next - task.outputs()
        };
        self.tasks.iter().map(&mut offset).collect()
    }

    /// Parameters as PyTorch's `nn.Linear` draws them, `U(−1/√inputs, 1/√inputs)` for weights and
    /// biases alike, flat, each tensor at its range of [`tensors`](Self::tensors). The same seed gives the
    /// same numbers on every machine (but not PyTorch's numbers, whose generator is another).
    pub fn initial_parameters(&self, seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters = vec![0.0; self.parameter_count()];
        for layer in self.layers() {
            let bound = 1.0 / (layer.inputs as f32).sqrt();
            let range = layer.weight..layer.bias + layer.outputs;
            for parameter in &mut parameters[range] {
                *parameter = (2.0 * random.random::<f32>() - 1.0) * bound;
            }
        }
        parameters
    }
}

/// Checks that the kernels, which count in `u32`, can number every parameter.
fn check_size(features: usize, hidden: &[usize], tasks: &[Task]) -> Result<()> {
    let mut inputs = features as u64;
    let mut parameters = 0_u64;
    let outputs = tasks.iter().map(|task| task.outputs() as u64).fold(0, u64::saturating_add);
    for outputs in hidden.iter().map(|&width| width as u64).chain([outputs]) {
        let weights = inputs.saturating_add(1).saturating_mul(outputs);
        parameters = parameters.saturating_add(weights);
        inputs = outputs;
    }
    match u32::try_from(parameters) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::invalid(
            "the network has more parameters than a u32 can number",
            "use narrower layers",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;

    #[test]
    fn initial_parameters_are_uniform_within_one_over_the_root_of_the_inputs() {
        let tasks = [Task::new("y", Loss::Mse, 50)];
        let network = Network::new(400, &[100, 25], Activation::Relu, &tasks).unwrap();
        let parameters = network.initial_parameters(3);
        for layer in network.layers() {
            let bound = 1.0 / (layer.inputs as f64).sqrt();
            let drawn = &parameters[layer.weight..layer.bias + layer.outputs];
            let drawn: Vec<f64> = drawn.iter().copied().map(f64::from).collect();
            let count = drawn.len() as f64;
            let mean = drawn.iter().sum::<f64>() / count;
            let variance = drawn.iter().map(|p| p * p).sum::<f64>() / count;
            let largest = drawn.iter().fold(0.0_f64, |most, p| most.max(p.abs()));
            // Four standard errors: of the mean bound/√(3n), of the variance bound²·√(4/45n).
            let case = format!("{} inputs", layer.inputs);
            assert!(largest <= bound * (1.0 + 1e-6), "{case}: {largest} beyond {bound}");
            assert!(largest > 0.99 * bound, "{case}: {largest} short of {bound}");
            assert!(mean.abs() < 4.0 * bound / (3.0 * count).sqrt(), "{case}: mean {mean}");
            let error = (variance / (bound * bound) - 1.0 / 3.0).abs();
            assert!(error < 4.0 * (4.0 / (45.0 * count)).sqrt(), "{case}: variance {variance}");
        }
    }

    #[test]
    fn a_seed_chooses_the_initial_parameters() {
        let tasks = [Task::new("y", Loss::Mse, 2)];
        let network = Network::new(3, &[4], Activation::Relu, &tasks).unwrap();
        assert_eq!(network.initial_parameters(5), network.initial_parameters(5));
        assert_ne!(network.initial_parameters(5), network.initial_parameters(6));
    }
}
