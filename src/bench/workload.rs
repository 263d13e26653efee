//! What is benchmarked: two-headed networks from tiny to wide, and what a step of theirs must compute and move.

use crate::data::{Dataset, Matrix, Target};
use crate::engine::Recipe;
use crate::error::Result;
use crate::loss::{Loss, Task};
use crate::network::{Activation, Network};
use crate::optimizer::Adam;
use crate::weighting::AutomaticWeightedLoss;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// A network and a batch: two hidden layers with ReLU, a head with `mse` (width 1) and one with `cross_entropy`
/// ([`Workload::CLASSES`] classes), automatic weighted loss, Adam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name: on the command line, or of [what grows](super::Axis).
    pub name: &'static str,
    /// Features of a row.
    pub features: usize,
    /// Width of both hidden layers.
    pub hidden: [usize; 2],
    /// Rows of a batch.
    pub batch: usize,
    /// Batches in the dataset: an epoch's opening is paid for once in so many steps.
    pub batches: usize,
}

const fn workload(name: &'static str, features: usize, width: usize, batch: usize) -> Workload {
    Workload { name, features, hidden: [width, width], batch, batches: 4 }
}

/// The workloads of `awl bench`.
pub const WORKLOADS: [Workload; 5] = [
    workload("seed", 16, 32, 256),
    workload("small", 16, 64, 1024),
    workload("medium", 16, 128, 4096),
    workload("wide", 32, 256, 4096),
    workload("large", 16, 64, 65_536),
];

impl Workload {
    /// Classes of the second head.
    pub const CLASSES: usize = 10;

    /// What is trained.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    pub fn recipe(&self) -> Result<Recipe> {
        let tasks = [
            Task::new("value", Loss::Mse, 1),
            Task::new("kind", Loss::cross_entropy(), Self::CLASSES),
        ];
        let network = Network::new(self.features, &self.hidden, Activation::Relu, &tasks)?;
        let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(1e-3));
        recipe.batch = self.batch;
        Ok(recipe)
    }

    /// What one network of a fleet trains: members differ in their seeds.
    ///
    /// # Errors
    /// Those of [`recipe`](Self::recipe).
    pub fn member(&self, number: usize) -> Result<Recipe> {
        Ok(Recipe { seed: number as u64, ..self.recipe()? })
    }

    /// Random rows whose value and kind follow from the features, the same for the same workload.
    ///
    /// # Errors
    /// Those of [`Dataset::new`].
    pub fn dataset(&self) -> Result<Dataset> {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let rows = self.batch * self.batches;
        let count = rows * self.features;
        let features: Vec<f32> = (0..count).map(|_| random.random_range(-1.0f32..1.0)).collect();
        let rows = features.chunks(self.features);
        let value = rows.clone().map(|row| row.iter().sum::<f32>()).collect();
        let kind = |row: &[f32]| ((row[0] + 1.0) / 2.0 * Self::CLASSES as f32) as u32;
        let kinds = rows.map(kind).map(|kind| kind.min(Self::CLASSES as u32 - 1)).collect();
        let targets = vec![Target::numbers(Matrix::new(1, value)?), Target::classes(kinds)];
        Dataset::new(Matrix::new(self.features, features)?, targets)
    }

    /// Floating-point operations of a step's matrix products, a multiplication and an addition counted as two: forward
    /// and, but for the first layer's input, twice as many backward. All else is small beside them.
    pub fn flops(&self) -> u64 {
        2 * self.multiply_adds()
    }

    /// The multiplications and additions of a step's matrix products, a pair counted as one.
    pub fn multiply_adds(&self) -> u64 {
        let [first, ..] = self.layers();
        let products: usize = self.layers().iter().map(|[inputs, outputs]| inputs * outputs).sum();
        (self.batch * (3 * products - first[0] * first[1])) as u64
    }

    /// The fewest bytes that a step can read and write: the batch's rows and labels, and every parameter with both of
    /// its moments, read and written.
    pub fn least_bytes(&self) -> u64 {
        let parameters: usize =
            self.layers().iter().map(|[inputs, outputs]| (inputs + 1) * outputs).sum();
        (4 * (self.batch * (self.features + 2) + 6 * parameters)) as u64
    }

    /// Inputs and outputs of each layer; the heads are one.
    fn layers(&self) -> [[usize; 2]; 3] {
        let [first, second] = self.hidden;
        [[self.features, first], [first, second], [second, 1 + Self::CLASSES]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_those_of_the_network() -> Result<()> {
        for workload in &WORKLOADS[..2] {
            let recipe = workload.recipe()?;
            let layers = recipe.network.layers();
            let forward: usize = layers.iter().map(|layer| layer.inputs * layer.outputs).sum();
            let input: usize = layers[1..].iter().map(|layer| layer.inputs * layer.outputs).sum();
            let flops = 2 * workload.batch * (2 * forward + input);
            assert_eq!(workload.flops(), flops as u64, "{}", workload.name);
            let parameters = 24 * recipe.network.parameter_count();
            let rows = 4 * workload.batch * (workload.features + 2);
            assert_eq!(workload.least_bytes(), (parameters + rows) as u64, "{}", workload.name);
            recipe.check(&workload.dataset()?)?;
        }
        Ok(())
    }

    #[test]
    fn the_seed_has_2_6_million_operations() {
        // 256 rows x 2 x (3 x (16 x 32 + 32 x 32 + 32 x 11) - 16 x 32)
        assert_eq!(WORKLOADS[0].flops(), 2_637_824);
    }
}
