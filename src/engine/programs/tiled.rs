//! A dispatch for everything that can be one dispatch of tiles, for networks of any size on any adapter (`shaders/tiled/`);
//! taken where no other program is.
//!
//! Forward, a kernel a layer with bias and activation in it; one loss pass for every task's loss and gradient;
//! backward, a kernel a layer for the gradient at its input and one for the shares of its parameters' gradient; and
//! the ending, which adds up all shares, computes σ's gradient and applies Adam to everything. It is also the only one that
//! weighs by the tasks' gradients (`engine::task_gradients`).

use crate::engine::device::infos::LayerInfo;
use crate::engine::device::{Program, Workspace};
use crate::engine::ending::{self, Shares};
use crate::engine::layers::{Activations, Source, TILE, forward, product_rounds};
use crate::engine::task_gradients::{self, Step};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Work, kernels};
use crate::loss::spread;

pub(super) const NAME: &str = "tiled";

/// The program; never `None`.
pub(super) fn program(workspace: &Workspace) -> Result<Option<Program>> {
    let gpu = &workspace.gpu;
    let network = &workspace.recipe.network;
    let rows = workspace.batch;
    let activations = Activations::new(gpu, network, workspace.seats() * rows)?;
    let gradients = output_gradients(workspace)?;
    let dropout = workspace.dropout();
    let source = Source {
        features: &workspace.rows.features,
        order: Some(&workspace.order),
        dropout: &dropout,
    };
    let split = workspace.shares;
    let state = &workspace.state;
    let mut dispatches = forward(gpu, network, &source, state, &activations, rows, split)?;

    let work = spread::work(gpu, &workspace.rows.layouts, rows);
    let shares = Shares::new(workspace, [split.count, split.stride], work.workgroups, 0)?;
    let predictions = activations.predictions();
    let heads_gradient = &gradients[gradients.len() - 1];
    dispatches.push(loss(workspace, predictions, heads_gradient, &shares, work)?);
    let step =
        Step { workspace, activations: &activations, gradient: heads_gradient, losses: &shares };
    let by_gradients = task_gradients::are_needed(&workspace.recipes).then_some(&step);
    if let Some(step) = by_gradients {
        dispatches.extend(step.combine()?);
    }
    backward(workspace, &activations, &gradients, &shares, by_gradients, &mut dispatches)?;
    dispatches.extend(ending::dispatches(workspace, &shares)?);
    Ok(Some(Program::step(NAME, dispatches)))
}

/// The gradient at every layer's output, `[members, rows, outputs]`, before its activation.
fn output_gradients(workspace: &Workspace) -> Result<Vec<Buffer<f32>>> {
    let layers = workspace.recipe.network.layers();
    let buffer = |(index, layer): (usize, &crate::network::Layer)| {
        let label = format!("the gradient at the outputs of layer {index}");
        Buffer::zeros(&workspace.gpu, &label, workspace.seats() * workspace.batch * layer.outputs)
    };
    layers.iter().enumerate().map(buffer).collect()
}

fn loss(
    workspace: &Workspace,
    predictions: &Buffer<f32>,
    gradient: &Buffer<f32>,
    shares: &Shares,
    work: Work,
) -> Result<Dispatch> {
    let gpu = &workspace.gpu;
    let buffers = [
        predictions.binding(),
        workspace.rows.labels.binding(),
        workspace.rows.tasks.binding(),
        workspace.order.binding(),
        workspace.state.binding(),
        workspace.normalisers.binding(),
        gradient.binding(),
        shares.losses(),
    ];
    gpu.kernel(&kernels::LOSS, &workspace.loss_constants()).dispatch(gpu, &buffers, work)
}

fn backward(
    workspace: &Workspace,
    activations: &Activations,
    gradients: &[Buffer<f32>],
    shares: &Shares,
    by_gradients: Option<&Step<'_>>,
    dispatches: &mut Vec<Dispatch>,
) -> Result<()> {
    let gpu = &workspace.gpu;
    let layers = workspace.recipe.network.layers();
    let of_weight = gpu.kernel(&kernels::WEIGHT_GRADIENT, &[]);
    let of_input = gpu.kernel(&kernels::INPUT_GRADIENT, &[]);
    for (index, layer) in layers.iter().enumerate().rev() {
        let info = LayerInfo::new(layer, None, index == 0, workspace.shares);
        let info = Buffer::storage(gpu, "a layer", &[info])?;
        let inputs = match index {
            0 => &workspace.rows.features,
            _ => &activations.outputs[index - 1],
        };
        let buffers = [
            info.binding(),
            gradients[index].binding(),
            inputs.binding(),
            workspace.order.binding(),
            shares.gradients(),
        ];
        let tiles = layer.outputs.div_ceil(TILE) * (layer.inputs + 1).div_ceil(TILE);
        let work = Work::new(tiles * workspace.shares.count, product_rounds(workspace.shares.rows));
        dispatches.push(of_weight.dispatch(gpu, &buffers, work)?);
        let is_heads = index + 1 == layers.len();
        if let Some(step) = by_gradients.filter(|_| is_heads) {
            dispatches.push(step.scale()?);
        }
        if index > 0 {
            let buffers = [
                info.binding(),
                gradients[index].binding(),
                workspace.state.binding(),
                activations.slopes[index - 1].binding(),
                gradients[index - 1].binding(),
            ];
            let tiles = workspace.batch.div_ceil(TILE) * layer.inputs.div_ceil(TILE);
            let work = Work::new(tiles, product_rounds(layer.outputs));
            dispatches.push(of_input.dispatch(gpu, &buffers, work)?);
        }
    }
    Ok(())
}
