//! The unfused engine's step: a kernel an operation, in the order in which an eager framework would run them
//! (`shaders/unfused/`).
//!
//! No deliberate slowness: the products use the fused engine's tiles, sums are split over workgroups, Adam is one
//! dispatch. What it pays for is what fusion saves: dispatches, and round trips of intermediate results.

mod loss;
#[cfg(not(target_arch = "wasm32"))]
mod loss_pass;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::loss_pass::UnfusedLossPass;

use crate::engine::device::infos::{LayerInfo, ProductInfo, STEP_ROWS, Shares};
use crate::engine::device::{Program, Workspace};
use crate::engine::layers::{TILE, product_rounds};
use crate::engine::{rules, task_gradients};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Dispatch, Gpu, REDUCTION, Source, Work, kernels, rounds_of};
use crate::loss::LossBuffers;
use crate::network::Layer;
use bytemuck::{Pod, Zeroable};
use wgpu::BindingResource as Binding;

const NAME: &str = "unfused";

/// The program.
pub(crate) fn program(workspace: &Workspace, _members: usize) -> Result<Program> {
    if task_gradients::are_needed(&workspace.recipes) {
        return Err(Error::invalid(
            format!(
                "the unfused engine knows no gradients of single tasks, as the weighting {} does",
                workspace.recipe.weighting.name()
            ),
            "use the fused engine or the reference",
        ));
    }
    let plan = Plan::new(workspace)?;
    let mut dispatches = vec![plan.gather()?];
    for index in 0..plan.layers.len() {
        dispatches.extend(plan.forward(index)?);
    }
    let (loss, sigma_gradient) = plan.loss()?;
    dispatches.extend(loss);
    for index in (0..plan.layers.len()).rev() {
        dispatches.extend(plan.parameter_gradients(index)?);
        if index > 0 {
            dispatches.extend(plan.input_gradient(index)?);
        }
    }
    dispatches.push(plan.sum_shares()?);
    dispatches.extend(plan.clip()?);
    dispatches.push(plan.adam(&sigma_gradient)?);
    rules::around(workspace, Program::step(NAME, dispatches), false)
}

struct Plan<'a> {
    workspace: &'a Workspace,
    gpu: &'a Gpu,
    layers: Vec<Layer>,
    /// The batch's features, then every layer's output after its activation.
    values: Vec<Buffer<f32>>,
    /// Every layer's output before its activation; the last holds the predictions.
    sums: Vec<Buffer<f32>>,
    /// The gradient at every layer's output, before its activation.
    gradients: Vec<Buffer<f32>>,
    gradient_shares: Buffer<f32>,
    gradient: Buffer<f32>,
}

impl<'a> Plan<'a> {
    fn new(workspace: &'a Workspace) -> Result<Self> {
        let gpu = &workspace.gpu;
        let network = &workspace.recipe.network;
        let layers = network.layers();
        let rows = workspace.batch;
        let (trunk, heads) = layers.split_at(layers.len() - 1);
        let per_layer = |what: &str, layers: &[Layer]| -> Result<Vec<Buffer<f32>>> {
            let buffer = |layer: &Layer| Buffer::zeros(gpu, what, rows * layer.outputs);
            layers.iter().map(buffer).collect()
        };
        let mut values =
            vec![Buffer::zeros(gpu, "the batch's features", rows * network.features())?];
        values.extend(per_layer("a layer's values", trunk)?);
        let mut sums = per_layer("a layer's sums", trunk)?;
        sums.extend(per_layer("the predictions", heads)?);
        let shares = workspace.shares;
        Ok(Self {
            gradients: per_layer("the gradient at a layer's outputs", &layers)?,
            gradient_shares: Buffer::zeros(gpu, "gradient shares", shares.count * shares.stride)?,
            gradient: Buffer::zeros(gpu, "the parameters' gradient", shares.stride)?,
            workspace,
            gpu,
            layers,
            values,
            sums,
        })
    }

    fn info<T: Pod>(&self, contents: T) -> Result<Buffer<T>> {
        Buffer::storage(self.gpu, "unfused", &[contents])
    }

    /// One invocation an element of `[rows, columns]`.
    fn elements(&self, columns: usize) -> Work {
        Work::elements(self.workspace.batch * columns)
    }

    fn dispatch(
        &self,
        source: &'static Source,
        buffers: &[Binding<'_>],
        work: Work,
    ) -> Result<Dispatch> {
        self.gpu.kernel(source, &[]).dispatch(self.gpu, buffers, work)
    }

    fn gather(&self) -> Result<Dispatch> {
        let features = self.workspace.recipe.network.features();
        let info = self.info(features as u32)?;
        let buffers = [
            info.binding(),
            self.workspace.rows.features.binding(),
            self.workspace.order.binding(),
            self.values[0].binding(),
        ];
        self.dispatch(&kernels::GATHER, &buffers, self.elements(features))
    }

    fn layer_info(&self, index: usize) -> Result<Buffer<LayerInfo>> {
        let activation = self.workspace.recipe.network.activation();
        let shares = self.workspace.shares;
        self.info(LayerInfo::new(&self.layers[index], Some(activation), false, shares))
    }

    /// Product, bias and, in the trunk, activation and dropout.
    fn forward(&self, index: usize) -> Result<Vec<Dispatch>> {
        let layer = self.layers[index];
        let parameters = &self.workspace.state;
        let sums = &self.sums[index];
        let product = ProductInfo {
            rows: STEP_ROWS,
            columns: layer.outputs as u32,
            depth: layer.inputs as u32,
            lhs_row: layer.inputs as u32,
            lhs_k: 1,
            rhs: layer.weight as u32,
            rhs_k: 1,
            rhs_column: layer.inputs as u32,
            ..ProductInfo::one_share(layer.inputs)
        };
        let info = self.layer_info(index)?;
        let elements = self.elements(layer.outputs);
        let bias = [info.binding(), parameters.binding(), sums.binding()];
        let mut dispatches = vec![
            self.product(product, &self.values[index], parameters, sums, [true, true])?,
            self.dispatch(&kernels::BIAS, &bias, elements)?,
        ];
        if index + 1 < self.layers.len() {
            let buffers = [info.binding(), sums.binding(), self.values[index + 1].binding()];
            dispatches.push(self.dispatch(&kernels::ACTIVATION, &buffers, elements)?);
            dispatches.extend(self.dropout(index, &self.values[index + 1])?);
        }
        Ok(dispatches)
    }

    /// Drops units of a layer of the trunk in the activations, or in the gradient there; nothing without dropout.
    fn dropout(&self, index: usize, values: &Buffer<f32>) -> Result<Option<Dispatch>> {
        let constants = self.workspace.dropout();
        if constants.is_empty() {
            return Ok(None);
        }
        let info = self.layer_info(index)?;
        let kernel = self.gpu.kernel(&kernels::DROPOUT, &constants);
        let elements = self.elements(self.layers[index].outputs);
        kernel.dispatch(self.gpu, &[info.binding(), values.binding()], elements).map(Some)
    }

    /// A product; `along_k` says whether each side's elements lie side by side along the summed index.
    fn product(
        &self,
        info: ProductInfo,
        lhs: &Buffer<f32>,
        rhs: &Buffer<f32>,
        output: &Buffer<f32>,
        along_k: [bool; 2],
    ) -> Result<Dispatch> {
        let rows = match info.rows {
            STEP_ROWS => self.workspace.batch,
            rows => rows as usize,
        };
        let tiles = rows.div_ceil(TILE) * (info.columns as usize).div_ceil(TILE);
        let [lhs_along_k, rhs_along_k] = along_k.map(|along| f64::from(u8::from(along)));
        let constants = [("lhs_along_k", lhs_along_k), ("rhs_along_k", rhs_along_k)];
        let info_buffer = self.info(info)?;
        let buffers = [info_buffer.binding(), lhs.binding(), rhs.binding(), output.binding()];
        let kernel = self.gpu.kernel(&kernels::PRODUCT, &constants);
        let rounds = product_rounds(info.share_depth as usize);
        kernel.dispatch(self.gpu, &buffers, Work::new(tiles * info.shares as usize, rounds))
    }

    /// The losses, the weighting and the gradient at every prediction; and the buffer of σ's gradient.
    fn loss(&self) -> Result<(Vec<Dispatch>, Buffer<f32>)> {
        let workspace = self.workspace;
        let tensors = loss::Tensors {
            tasks: workspace.recipe.network.tasks(),
            rows: workspace.batch,
            buffers: LossBuffers {
                predictions: self.sums[self.sums.len() - 1].raw().slice(..),
                labels: workspace.rows.labels.raw().slice(..),
                sigma: workspace.state.raw().slice(..),
                gradient: self.gradients[self.gradients.len() - 1].raw().slice(..),
            },
            layouts: &workspace.rows.tasks,
            order: &workspace.order,
            normalisers: &workspace.normalisers,
            records: &workspace.records,
        };
        loss::dispatches(self.gpu, &tensors)
    }

    /// Shares of the gradients of a layer's weight and bias.
    fn parameter_gradients(&self, index: usize) -> Result<[Dispatch; 2]> {
        let layer = self.layers[index];
        let Shares { count, rows, stride } = self.workspace.shares;
        let product = ProductInfo {
            rows: layer.outputs as u32,
            columns: layer.inputs as u32,
            depth: STEP_ROWS,
            lhs_row: 1,
            lhs_k: layer.outputs as u32,
            rhs_k: layer.inputs as u32,
            rhs_column: 1,
            output: layer.weight as u32,
            shares: count as u32,
            share_depth: rows as u32,
            share_stride: stride as u32,
            ..Zeroable::zeroed()
        };
        let gradient = &self.gradients[index];
        let values = &self.values[index];
        let info = self.layer_info(index)?;
        let bias = [info.binding(), gradient.binding(), self.gradient_shares.binding()];
        let rounds = rounds_of(rows.div_ceil(8), 0) + rounds_of(7, 0);
        let work = Work::new(layer.outputs.div_ceil(8) * count, rounds);
        Ok([
            self.product(product, gradient, values, &self.gradient_shares, [false, false])?,
            self.dispatch(&kernels::BIAS_GRADIENT, &bias, work)?,
        ])
    }

    /// The gradient at a layer's input, then through the dropout and the activation before it.
    fn input_gradient(&self, index: usize) -> Result<Vec<Dispatch>> {
        let layer = self.layers[index];
        let product = ProductInfo {
            rows: STEP_ROWS,
            columns: layer.inputs as u32,
            depth: layer.outputs as u32,
            lhs_row: layer.outputs as u32,
            lhs_k: 1,
            rhs: layer.weight as u32,
            rhs_k: layer.inputs as u32,
            rhs_column: 1,
            ..ProductInfo::one_share(layer.outputs)
        };
        let parameters = &self.workspace.state;
        let below = &self.gradients[index - 1];
        let info = self.layer_info(index - 1)?;
        let buffers = [info.binding(), self.sums[index - 1].binding(), below.binding()];
        let gradient = &self.gradients[index];
        let mut dispatches =
            vec![self.product(product, gradient, parameters, below, [true, false])?];
        dispatches.extend(self.dropout(index - 1, below)?);
        let elements = self.elements(layer.inputs);
        dispatches.push(self.dispatch(&kernels::ACTIVATION_GRADIENT, &buffers, elements)?);
        Ok(dispatches)
    }

    fn sum_shares(&self) -> Result<Dispatch> {
        let buffers = [self.gradient_shares.binding(), self.gradient.binding()];
        let workgroups = self.gradient.len().div_ceil(64);
        let work = Work::new(workgroups, rounds_of(self.workspace.shares.count, 0));
        self.dispatch(&kernels::SUM_SHARES, &buffers, work)
    }

    /// Squares, factor, product; nothing where gradients are not clipped.
    fn clip(&self) -> Result<Vec<Dispatch>> {
        let Some(most) = self.workspace.recipe.clip else {
            return Ok(Vec::new());
        };
        let parameters = self.gradient.len();
        let squares = self.gpu.share_out(parameters.div_ceil(64), 64, 0, REDUCTION);
        let sums = Buffer::<f32>::zeros(self.gpu, "sums of squares", squares.workgroups)?;
        let factor = Buffer::<f32>::zeros(self.gpu, "the factor of clipping", 1)?;
        let kernel = self.gpu.kernel(&kernels::CLIP_FACTOR, &[("CLIP", most)]);
        let factors = Work::new(1, rounds_of(sums.len().div_ceil(64), 0) + REDUCTION);
        let gradient = [self.gradient.binding(), sums.binding()];
        let scale = [factor.binding(), self.gradient.binding()];
        Ok(vec![
            self.dispatch(&kernels::SQUARE_SUMS, &gradient, squares)?,
            kernel.dispatch(self.gpu, &[sums.binding(), factor.binding()], factors)?,
            self.dispatch(&kernels::SCALE, &scale, Work::elements(parameters))?,
        ])
    }

    fn adam(&self, sigma_gradient: &Buffer<f32>) -> Result<Dispatch> {
        let workspace = self.workspace;
        let optimizers = workspace.optimizers([1, 1, 0])?;
        let buffers = [
            optimizers.binding(),
            workspace.state.binding(),
            self.gradient.binding(),
            sigma_gradient.binding(),
            workspace.normalisers.binding(),
            workspace.records.binding(),
            workspace.stop.binding(),
        ];
        let kernel = self.gpu.kernel(&kernels::ADAM, &[]);
        kernel.dispatch(
            self.gpu,
            &buffers,
            Work::elements(self.gradient.len() + sigma_gradient.len()),
        )
    }
}
