//! The network: a multi-head perceptron, its layers, and where each tensor lies.
//!
//! A *trunk* of linear layers, each followed by an activation, is shared by all tasks; each task has a
//! *head*, one linear layer on the trunk's output. All heads read the same input, so they are computed
//! as a single layer whose outputs are the tasks' predictions side by side, in the order of the tasks.
//! Knows nothing of GPUs or of training.

mod activation;
mod layout;

pub use self::activation::Activation;
pub use self::layout::{Layer, Tensor};
use crate::error::{Error, Result};
use crate::loss::Task;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// A multi-head perceptron's shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    features: usize,
    hidden: Vec<usize>,
    activation: Activation,
    tasks: Vec<Task>,
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
    /// [`Error::Invalid`] for no tasks, a width of 0, two tasks of one name, or a loss whose own
    /// parameters are out of range.
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
            return Err(Error::invalid(
                "the network has no tasks",
                "give it at least one",
            ));
        }
        for (index, task) in tasks.iter().enumerate() {
            task.check()?;
            if tasks[..index].iter().any(|other| other.name == task.name) {
                return Err(Error::invalid(
                    format!("two tasks are named \"{}\"", task.name),
                    "give each task a name of its own",
                ));
            }
        }
        Ok(Self {
            features,
            hidden: hidden.to_vec(),
            activation,
            tasks: tasks.to_vec(),
        })
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

    /// The tasks, in the order of their heads.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Width of all predictions side by side.
    pub fn outputs(&self) -> usize {
        self.tasks.iter().map(|task| task.width).sum()
    }

    /// The column of [`outputs`](Self::outputs) at which each task's predictions start.
    pub fn offsets(&self) -> Vec<usize> {
        let mut next = 0;
        let mut offset = |task: &Task| {
            next += task.width;
            next - task.width
        };
        self.tasks.iter().map(&mut offset).collect()
    }

    /// Parameters as PyTorch's `nn.Linear` draws them, `U(−1/√inputs, 1/√inputs)` for weights and
    /// biases alike, flat, in the order of [`tensors`](Self::tensors). The same seed gives the same
    /// numbers on every machine (but not PyTorch's numbers, whose generator is another).
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
