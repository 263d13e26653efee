//! Predictions for rows that are not in the dataset, by the forward kernels of training (`layers.rs`).

use super::checks::check_features;
use super::device::Steps;
use super::device::infos::{MemberInfo, Shares, StepInfo};
use super::layers::{Activations, Source, forward};
use super::pace::{Moment, Pace};
use crate::data::Matrix;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, Readback};
use crate::network::Network;

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
    /// Buffers for blocks of up to 4,096 rows, fewer where layers are very wide; the parameters of one network or more lie in
    /// `parameters`.
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
            step: Steps::new(gpu, 1, 1)?,
            readback: Readback::new(gpu, "predictions", 4 * (rows * network.outputs()) as u64),
            rows,
            features,
            activations,
        })
    }

    /// `[rows, features]` in, `[rows, outputs]` out, by the network whose parameters start there.
    pub async fn predict(
        &self,
        gpu: &Gpu,
        network: &Network,
        start: usize,
        features: &Matrix,
    ) -> Result<Matrix> {
        check_features(network, features)?;
        let mut predictions = Vec::with_capacity(features.rows() * network.outputs());
        let mut pace = Pace::new(self.rows.div_ceil(PIECE));
        let mut rest = features.values();
        while !rest.is_empty() {
            let pieces = pace.next();
            let rows = self.rows.min(pieces * PIECE);
            let (block, after) = rest.split_at(rest.len().min(rows * network.features()));
            let submitted = Moment::now();
            self.block(gpu, network, start, block, &mut predictions).await?;
            pace.learn(pieces, Moment::now().since(submitted));
            rest = after;
        }
        Matrix::new(network.outputs(), predictions)
    }

    async fn block(
        &self,
        gpu: &Gpu,
        network: &Network,
        start: usize,
        block: &[f32],
        predictions: &mut Vec<f32>,
    ) -> Result<()> {
        let rows = block.len() / network.features();
        self.features.write(gpu, 0, block);
        let member = MemberInfo { state: start as u32, ..MemberInfo::default() };
        self.step.write(gpu, &[StepInfo::forward(rows, self.rows)], &[member]);
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("prediction"),
                timestamp_writes: None,
            });
            for dispatch in &self.dispatches {
                dispatch.record(&mut pass, Some(self.step.slot(0, 1)));
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
