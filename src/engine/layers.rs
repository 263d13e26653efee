//! A batch's way through the layers on the device: the activations' buffers and the fused forward kernels.
//!
//! Training and prediction use the same kernels; only where the rows come from differs.

use super::device::infos::{LayerInfo, Shares};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, Work, kernels, rounds_of};
use crate::network::Network;

/// Side of the square of outputs that a workgroup of a tiled kernel computes.
pub(super) const TILE: usize = 32;

/// Rounds of the loops of `tile_product` (`shaders/shared/tile.wgsl`) over so many summed elements: of each slice of 16 two
/// of staging, four of products, and the ends of both loops.
pub(super) fn product_rounds(depth: usize) -> usize {
    rounds_of(depth.div_ceil(16), rounds_of(2, 0) + rounds_of(4, 0))
}

/// Outputs of every layer for a batch, and the slopes of the trunk's activations.
pub(super) struct Activations {
    /// One a layer, `[members, rows, outputs]`; the last holds the predictions.
    pub outputs: Vec<Buffer<f32>>,
    /// One a layer, `[members, rows, outputs]`; the last, of the heads, has one element that nobody reads.
    pub slopes: Vec<Buffer<f32>>,
}

impl Activations {
    pub fn new(gpu: &Gpu, network: &Network, rows: usize) -> Result<Self> {
        let layers = network.layers();
        let mut outputs = Vec::new();
        let mut slopes = Vec::new();
        for (index, layer) in layers.iter().enumerate() {
            let size = rows * layer.outputs;
            let is_heads = index + 1 == layers.len();
            outputs.push(Buffer::zeros(gpu, &format!("the outputs of layer {index}"), size)?);
            let size = if is_heads { 1 } else { size };
            slopes.push(Buffer::zeros(gpu, &format!("the slopes of layer {index}"), size)?);
        }
        Ok(Self { outputs, slopes })
    }

    /// The predictions, `[members, rows, outputs]`.
    pub fn predictions(&self) -> &Buffer<f32> {
        &self.outputs[self.outputs.len() - 1]
    }
}

/// Where the first layer finds its rows, and what they are for.
pub(super) struct Source<'a> {
    /// `[rows, features]`.
    pub features: &'a Buffer<f32>,
    /// The epoch's order, if the rows are picked through it.
    pub order: Option<&'a Buffer<u32>>,
    /// What the kernels must know of dropout: nothing where rows are predicted.
    pub dropout: &'a [(&'static str, f64)],
}

/// One fused forward kernel a layer, for batches of up to `rows` rows; the parameters lie in `state`, where the step's members say.
pub(super) fn forward(
    gpu: &Gpu,
    network: &Network,
    source: &Source<'_>,
    state: &Buffer<f32>,
    activations: &Activations,
    rows: usize,
    shares: Shares,
) -> Result<Vec<Dispatch>> {
    let kernel = gpu.kernel(&kernels::FORWARD, source.dropout);
    let layers = network.layers();
    let no_order = Buffer::zeros(gpu, "no order", 1)?;
    let mut dispatches = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let activation = (index + 1 < layers.len()).then_some(network.activation());
        let gathers = index == 0 && source.order.is_some();
        let info = LayerInfo::new(layer, activation, gathers, shares);
        let input = match index {
            0 => source.features,
            _ => &activations.outputs[index - 1],
        };
        let info = Buffer::storage(gpu, "a layer", &[info])?;
        let buffers = [
            info.binding(),
            input.binding(),
            source.order.unwrap_or(&no_order).binding(),
            state.binding(),
            activations.outputs[index].binding(),
            activations.slopes[index].binding(),
        ];
        let tiles = rows.div_ceil(TILE) * layer.outputs.div_ceil(TILE);
        let work = Work::new(tiles, product_rounds(layer.inputs));
        dispatches.push(kernel.dispatch(gpu, &buffers, work)?);
    }
    Ok(dispatches)
}
