//! A batch's way through the layers on the device: the activations' buffers and the fused forward kernels.
//!
//! Training and prediction use the same kernels; only where the rows come from differs.

use super::infos::{LayerInfo, Shares, StepInfo};
use super::submission::Steps;
use super::{Moment, Pace, check_features};
use crate::data::Matrix;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, Readback, Work, kernels, rounds_of};
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
    /// One a layer, `[rows, outputs]`; the last holds the predictions.
    pub outputs: Vec<Buffer<f32>>,
    /// One a layer, `[rows, outputs]`; the last, of the heads, has one element that nobody reads.
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

    /// The predictions, `[rows, outputs]`.
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

/// One fused forward kernel a layer, for batches of up to `rows` rows.
pub(super) fn forward(
    gpu: &Gpu,
    network: &Network,
    source: &Source<'_>,
    parameters: &Buffer<f32>,
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
            parameters.binding(),
            activations.outputs[index].binding(),
            activations.slopes[index].binding(),
        ];
        let tiles = rows.div_ceil(TILE) * layer.outputs.div_ceil(TILE);
        let work = Work::new(tiles, product_rounds(layer.inputs));
        dispatches.push(kernel.dispatch(gpu, &buffers, work)?);
    }
    Ok(dispatches)
}

/// Rows that a submission of predictions is measured in.
const PIECE: usize = 256;

/// Predictions for rows that are not in the dataset, a block of rows at a time: a few at first, then as many as a
/// submission's time allows.
pub(super) struct Blocks {
    rows: usize,
    features: Buffer<f32>,
    activations: Activations,
    dispatches: Vec<Dispatch>,
    step: Steps,
    readback: Readback,
}

impl Blocks {
    /// Buffers for blocks of up to 4,096 rows, fewer where layers are very wide.
    pub fn new(gpu: &Gpu, network: &Network, parameters: &Buffer<f32>) -> Result<Self> {
        let layers = network.layers();
        let widths = layers.iter().map(|layer| layer.inputs.max(layer.outputs));
        let widest = widths.max().unwrap_or(1) as u64;
        let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
        let rows = (most_bytes / (4 * widest)).clamp(1, 4096) as usize;
        let shares = Shares::new(rows, network.parameter_count(), most_bytes);
        let features = Buffer::zeros(gpu, "rows to predict", rows * network.features())?;
        let activations = Activations::new(gpu, network, rows)?;
        let source = Source { features: &features, order: None, dropout: &[] };
        Ok(Self {
            dispatches: forward(gpu, network, &source, parameters, &activations, rows, shares)?,
            step: Steps::new(gpu, 1)?,
            readback: Readback::new(gpu, "predictions", 4 * (rows * network.outputs()) as u64),
            rows,
            features,
            activations,
        })
    }

    /// `[rows, features]` in, `[rows, outputs]` out.
    pub async fn predict(&self, gpu: &Gpu, network: &Network, features: &Matrix) -> Result<Matrix> {
        check_features(network, features)?;
        let mut predictions = Vec::with_capacity(features.rows() * network.outputs());
        let mut pace = Pace::new(self.rows.div_ceil(PIECE));
        let mut rest = features.values();
        while !rest.is_empty() {
            let pieces = pace.next();
            let rows = self.rows.min(pieces * PIECE);
            let (block, after) = rest.split_at(rest.len().min(rows * network.features()));
            let submitted = Moment::now();
            self.block(gpu, network, block, &mut predictions).await?;
            pace.learn(pieces, Moment::now().since(submitted));
            rest = after;
        }
        Matrix::new(network.outputs(), predictions)
    }

    async fn block(
        &self,
        gpu: &Gpu,
        network: &Network,
        block: &[f32],
        predictions: &mut Vec<f32>,
    ) -> Result<()> {
        let rows = block.len() / network.features();
        self.features.write(gpu, 0, block);
        self.step.write(gpu, [StepInfo::forward(rows)].into_iter());
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("prediction"),
                timestamp_writes: None,
            });
            for dispatch in &self.dispatches {
                dispatch.record(&mut pass, self.step.slot(0));
            }
        }
        let bytes = 4 * (rows * network.outputs()) as u64;
        let from = self.activations.predictions().raw();
        encoder.copy_buffer_to_buffer(from, 0, self.readback.buffer(), 0, bytes);
        let submission = gpu.queue().submit([encoder.finish()]);
        let pending = self.readback.request(submission);
        let collect = |view: &[u8]| {
            predictions.extend(bytemuck::pod_collect_to_vec::<u8, f32>(&view[..bytes as usize]));
        };
        self.readback.finish(gpu, pending, collect).await
    }
}
