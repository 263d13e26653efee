//! What the host tells the training kernels: the structs of `shaders/shared/`, field for field.

use crate::data::Permutation;
use crate::engine::recipe::Recipe;
use crate::engine::step::Step;
use crate::network::{Activation, Layer};
use crate::optimizer::GroupInfo;
use crate::weighting::MOST_SETTINGS;
use bytemuck::{Pod, Zeroable};

/// The most members of a dispatch, as `step.wgsl` has it.
pub(crate) const MOST_MEMBERS: usize = 1_024;

/// `Step` in `step.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct StepInfo {
    number: u32,
    rows: u32,
    most_rows: u32,
    slot: u32,
    run: u32,
    domain_bits: u32,
    seats: u32,
    ends_epoch: u32,
}

impl StepInfo {
    /// Bytes from one step's slot to the next: WebGPU's alignment of dynamic offsets.
    pub const STRIDE: u32 = 256;

    /// The first of these steps of a run over `rows` rows, in slot `slot` of a submission, with room for so many members.
    pub fn new(recipe: &Recipe, rows: usize, steps: &[Step], slot: usize, seats: usize) -> Self {
        let step = &steps[0];
        let goes_on = |other: &Step| !recipe.shuffle || other.epoch == step.epoch;
        let order = Permutation::new(rows as u32, recipe.seed, step.epoch);
        Self {
            number: step.number as u32,
            rows: step.rows as u32,
            most_rows: recipe.batch.min(rows) as u32,
            slot: slot as u32,
            run: steps.iter().take_while(|other| goes_on(other)).count() as u32,
            domain_bits: if recipe.shuffle { order.bits() } else { 0 },
            seats: seats as u32,
            ends_epoch: u32::from(step.first + step.rows == rows),
        }
    }

    /// A forward pass over the first `rows` rows of a buffer of `most` rows.
    pub fn forward(rows: usize, most: usize) -> Self {
        let (rows, most_rows) = (rows as u32, most as u32);
        Self { rows, most_rows, seats: 1, ..Self::default() }
    }
}

/// `Member` in `step.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct MemberInfo {
    pub number: u32,
    pub state: u32,
    pub sigma: u32,
    pub all: u32,
    pub first: u32,
    pub batch: u32,
    pub record: u32,
    pub scheme: u32,
    pub rates: Rates,
    pub order_key: [u32; 2],
    pub draws_key: [u32; 2],
}

/// What Adam needs of a step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Rates {
    step_size: f32,
    root_correction: f32,
    learning_rate: f32,
    sigma_learning_rate: f32,
}

impl Rates {
    /// Those of the step of this number.
    pub fn new(recipe: &Recipe, number: u64) -> Self {
        let factor = recipe.schedule.factor(number);
        let network = recipe.optimizer.network.scaled(factor);
        let sigma = recipe.optimizer.sigma.scaled(factor);
        let (beta1, beta2) = network.betas;
        let exponent = number as f64;
        Self {
            step_size: (network.learning_rate / (1.0 - beta1.powf(exponent))) as f32,
            root_correction: (1.0 - beta2.powf(exponent)).sqrt() as f32,
            learning_rate: network.learning_rate as f32,
            sigma_learning_rate: sigma.learning_rate as f32,
        }
    }
}

/// `Layer` in `layer.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct LayerInfo {
    inputs: u32,
    outputs: u32,
    weight: u32,
    bias: u32,
    activation: u32,
    gathers: u32,
    shares: u32,
    share_rows: u32,
    share_stride: u32,
}

/// The kernels' number for "no activation".
const NO_ACTIVATION: u32 = 4;

impl LayerInfo {
    /// A layer; `gathers` if its input is the dataset, read through the epoch's order.
    pub fn new(
        layer: &Layer,
        activation: Option<Activation>,
        gathers: bool,
        shares: Shares,
    ) -> Self {
        Self {
            inputs: layer.inputs as u32,
            outputs: layer.outputs as u32,
            weight: layer.weight as u32,
            bias: layer.bias as u32,
            activation: activation.map_or(NO_ACTIVATION, Activation::code),
            gathers: u32::from(gathers),
            shares: shares.count as u32,
            share_rows: shares.rows as u32,
            share_stride: shares.stride as u32,
        }
    }
}

/// Rows whose products are added up one after the other, in f32.
pub(crate) const MOST_ROWS: usize = 4_096;

/// How the rows of a batch are split for the gradients of weights and biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Number of shares.
    pub count: usize,
    /// Rows a share.
    pub rows: usize,
    /// Elements from one share to the next: the network's parameters.
    pub stride: usize,
}

impl Shares {
    /// Enough shares to keep a GPU busy and to add up no more than 4,096 rows in a row, few enough that adding them up
    /// costs little and that they fit into one binding of `most_bytes`.
    pub fn new(batch: usize, parameters: usize, most_bytes: u64) -> Self {
        let fitting = (most_bytes / (4 * parameters as u64)).max(1) as usize;
        let count = batch.div_ceil(256).min(64).max(batch.div_ceil(MOST_ROWS)).min(fitting);
        Self { count, rows: batch.div_ceil(count), stride: parameters }
    }
}

/// `Optimizer` in `optimizer.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct OptimizerInfo {
    parameters: u32,
    gradient_shares: u32,
    loss_shares: u32,
    norms: u32,
    network: GroupInfo,
    sigma: GroupInfo,
    least_sigma: f32,
    held: u32,
    settings: [f32; MOST_SETTINGS],
    scheme: u32,
    padding: [u32; 3],
}

impl OptimizerInfo {
    /// The optimizer of a run whose gradients and losses come in this many shares, and the squares of the gradient, where it is
    /// clipped, in this many sums.
    pub fn new(recipe: &Recipe, [gradient_shares, loss_shares, norms]: [usize; 3]) -> Self {
        let least = recipe.weighting.least_parameter();
        let mut settings = [0.0; MOST_SETTINGS];
        let given = settings.iter_mut().zip(recipe.weighting.settings());
        given.for_each(|(to, &setting)| *to = setting as f32);
        Self {
            parameters: recipe.network.parameter_count() as u32,
            gradient_shares: gradient_shares as u32,
            loss_shares: loss_shares as u32,
            norms: norms as u32,
            network: (&recipe.optimizer.network).into(),
            sigma: (&recipe.optimizer.sigma).into(),
            least_sigma: least.map_or(f32::MIN, |least| least as f32),
            held: recipe.weighting.held_bits(),
            settings,
            scheme: recipe.weighting.number(),
            padding: [0; 3],
        }
    }
}

/// `Product` in `unfused/product.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct ProductInfo {
    pub rows: u32,
    pub columns: u32,
    pub depth: u32,
    pub lhs: u32,
    pub lhs_row: u32,
    pub lhs_k: u32,
    pub rhs: u32,
    pub rhs_k: u32,
    pub rhs_column: u32,
    pub output: u32,
    pub shares: u32,
    pub share_depth: u32,
    pub share_stride: u32,
}

/// Stands for the rows of the step in a product's sizes.
pub(crate) const STEP_ROWS: u32 = u32::MAX;

impl ProductInfo {
    /// A product whose summed dimension is not split.
    pub fn one_share(depth: usize) -> Self {
        Self { shares: 1, share_depth: depth as u32, ..Zeroable::zeroed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_share_adds_up_more_rows_than_f32_can() {
        for (batch, parameters) in [(1, 10), (256, 10), (70_000, 5_000), (10_000_000, 12)] {
            let shares = Shares::new(batch, parameters, 128 << 20);
            assert!(shares.rows <= MOST_ROWS, "{shares:?}");
            assert!(shares.count * shares.rows >= batch, "{shares:?}");
            assert!(4 * shares.count * parameters <= 128 << 20, "{shares:?}");
        }
        // Unless their gradients would not fit.
        assert_eq!(Shares::new(1 << 20, 1 << 20, 128 << 20).count, 32);
    }
}
