//! The fused engine's programs, the fastest first that adapter and network allow: `small`, `vector`, `rows`; and here
//! the step for networks of any size, in which what can be one dispatch of tiles is one.
//!
//! Forward, a kernel a layer with bias and activation in it; one loss pass for every task's loss and gradient;
//! backward, a kernel a layer for the gradient at its input and one for the shares of its parameters' gradient; and
//! one kernel that adds up all shares, computes σ's gradient and applies Adam to everything.

use super::infos::{LayerInfo, OptimizerInfo};
use super::layers::{Activations, Source, TILE, forward};
use super::program::Program;
use super::resident::Resident;
use super::{rows, small, vector};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Gpu, kernels};
use crate::loss::pass;
use wgpu::BindingResource as Binding;

/// The fastest program that the adapter and the network allow.
pub(super) fn program(resident: &Resident) -> Result<Program> {
    if let Some(program) = small::program(resident)? {
        return Ok(program);
    }
    let step = match vector::step(resident)? {
        Some(dispatches) => dispatches,
        None => match rows::step(resident)? {
            Some(dispatches) => dispatches,
            None => tiled_step(resident)?,
        },
    };
    Ok(Program::step(step))
}

/// The step of a network of any width, on any adapter.
fn tiled_step(resident: &Resident) -> Result<Vec<Dispatch>> {
    let gpu = &resident.gpu;
    let network = &resident.recipe.network;
    let rows = resident.batch;
    let activations = Activations::new(gpu, network, rows)?;
    let gradients = output_gradients(resident)?;
    let dropout = resident.dropout();
    let source =
        Source { features: &resident.features, order: Some(&resident.order), dropout: &dropout };
    let parameters = &resident.parameters;
    let shares = resident.shares;
    let gradient_shares = Buffer::zeros(gpu, "gradient shares", shares.count * shares.stride)?;
    let mut dispatches = forward(gpu, network, &source, parameters, &activations, rows, shares)?;

    let lanes = resident.lanes_per_row();
    let workgroups = pass::workgroups(rows, lanes);
    let tasks = network.tasks().len();
    let loss_shares = Buffer::zeros(gpu, "loss shares", (workgroups + 2) * tasks)?;
    let predictions = activations.predictions();
    let heads_gradient = &gradients[gradients.len() - 1];
    dispatches.push(loss(resident, predictions, heads_gradient, &loss_shares, workgroups)?);
    backward(resident, &activations, &gradients, &gradient_shares, &mut dispatches)?;
    let gradients = gradient_shares.binding();
    let losses = loss_shares.binding();
    dispatches.extend(finish(resident, gradients, shares.count, losses, workgroups)?);
    Ok(dispatches)
}

/// The gradient at every layer's output, `[rows, outputs]`, before its activation.
fn output_gradients(resident: &Resident) -> Result<Vec<Buffer<f32>>> {
    let layers = resident.recipe.network.layers();
    let buffer = |(index, layer): (usize, &crate::network::Layer)| {
        let label = format!("the gradient at the outputs of layer {index}");
        Buffer::zeros(&resident.gpu, &label, resident.batch * layer.outputs)
    };
    layers.iter().enumerate().map(buffer).collect()
}

fn loss(
    resident: &Resident,
    predictions: &Buffer<f32>,
    gradient: &Buffer<f32>,
    loss_shares: &Buffer<f32>,
    workgroups: usize,
) -> Result<Dispatch> {
    let gpu = &resident.gpu;
    let buffers = [
        predictions.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        resident.parameters.binding(),
        resident.normalisers.binding(),
        gradient.binding(),
        loss_shares.binding(),
    ];
    let mut constants = resident.loss_constants().to_vec();
    constants.push(resident.scheme());
    let kernel = gpu.kernel(&kernels::LOSS, &constants);
    Ok(kernel.dispatch(gpu, &buffers, workgroups))
}

fn backward(
    resident: &Resident,
    activations: &Activations,
    gradients: &[Buffer<f32>],
    gradient_shares: &Buffer<f32>,
    dispatches: &mut Vec<Dispatch>,
) -> Result<()> {
    let gpu = &resident.gpu;
    let layers = resident.recipe.network.layers();
    let of_weight = gpu.kernel(&kernels::WEIGHT_GRADIENT, &[]);
    let of_input = gpu.kernel(&kernels::INPUT_GRADIENT, &[]);
    for (index, layer) in layers.iter().enumerate().rev() {
        let info = LayerInfo::new(layer, None, index == 0, resident.shares);
        let info = Buffer::storage(gpu, "a layer", &[info])?;
        let inputs = match index {
            0 => &resident.features,
            _ => &activations.outputs[index - 1],
        };
        let buffers = [
            info.binding(),
            gradients[index].binding(),
            inputs.binding(),
            resident.order.binding(),
            gradient_shares.binding(),
        ];
        let tiles = layer.outputs.div_ceil(TILE) * (layer.inputs + 1).div_ceil(TILE);
        dispatches.push(of_weight.dispatch(gpu, &buffers, tiles * resident.shares.count));
        if index > 0 {
            let buffers = [
                info.binding(),
                gradients[index].binding(),
                resident.parameters.binding(),
                activations.slopes[index - 1].binding(),
                gradients[index - 1].binding(),
            ];
            let tiles = resident.batch.div_ceil(TILE) * layer.inputs.div_ceil(TILE);
            dispatches.push(of_input.dispatch(gpu, &buffers, tiles));
        }
    }
    Ok(())
}

/// The step in two dispatches of a kernel made for the network, whose workgroups each store a share of the gradients and
/// losses; `None` where the shares are more than the device binds.
pub(super) fn in_shares(
    resident: &Resident,
    source: &'static crate::gpu::Source,
    text: &str,
    shares: usize,
) -> Result<Option<Vec<Dispatch>>> {
    let gpu = &resident.gpu;
    let parameters = resident.recipe.network.parameter_count();
    let tasks = resident.recipe.network.tasks().len();
    let most_bytes = gpu.device().limits().max_storage_buffer_binding_size;
    if shares > most_bytes as usize / (4 * parameters) {
        return Ok(None);
    }
    let gradient_shares = Buffer::<f32>::zeros(gpu, "gradient shares", shares * parameters)?;
    let loss_shares = Buffer::<f32>::zeros(gpu, "loss shares", (shares + 2) * tasks)?;
    let buffers = [
        resident.features.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        resident.parameters.binding(),
        resident.normalisers.binding(),
        gradient_shares.binding(),
        loss_shares.binding(),
    ];
    let kernel = gpu.shaped_kernel(source, text, &[resident.scheme()]);
    let mut dispatches = vec![kernel.dispatch(gpu, &buffers, shares)];
    let (gradients, losses) = (gradient_shares.binding(), loss_shares.binding());
    dispatches.extend(finish(resident, gradients, shares, losses, shares)?);
    Ok(Some(dispatches))
}

/// Parameters that a lane of `finish` updates: enough to make light of what all lanes add up alike.
const PARAMETERS_A_LANE: usize = 8;

/// Workgroups whose squares every lane of `finish` adds up.
const MOST_NORMS: usize = 128;

/// The end of a step, whose gradients and losses come in so many shares: a dispatch, or two where gradients are clipped.
pub(super) fn finish(
    resident: &Resident,
    gradient_shares: Binding<'_>,
    gradients: usize,
    loss_shares: Binding<'_>,
    losses: usize,
) -> Result<Vec<Dispatch>> {
    let scheme = resident.scheme();
    let Some(most) = resident.recipe.clip else {
        let last = apply(resident, gradient_shares, gradients, loss_shares, losses, &[scheme])?;
        return Ok(vec![last]);
    };
    let gpu = &resident.gpu;
    let parameters = resident.recipe.network.parameter_count();
    let workgroups = norms(parameters, gradients);
    let gradient = Buffer::<f32>::zeros(gpu, "the gradient", parameters + workgroups)?;
    let buffers = [gradient_shares, gradient.binding()];
    let norm = gpu.kernel(&kernels::GRADIENT_NORM, &[]).dispatch(gpu, &buffers, workgroups);
    let constants = [scheme, ("CLIP", most)];
    let last = apply(resident, gradient.binding(), 1, loss_shares, losses, &constants)?;
    Ok(vec![norm, last])
}

/// Workgroups that add up the gradient's squares: few, but as many as a software driver's limit on loops asks for.
fn norms(parameters: usize, shares: usize) -> usize {
    let fewest = (parameters * (shares + 2)).div_ceil(64 * Gpu::MOST_ROUNDS);
    parameters.div_ceil(64 * PARAMETERS_A_LANE).min(MOST_NORMS).max(fewest)
}

fn apply(
    resident: &Resident,
    gradient_shares: Binding<'_>,
    gradients: usize,
    loss_shares: Binding<'_>,
    losses: usize,
    constants: &[(&'static str, f64)],
) -> Result<Dispatch> {
    let gpu = &resident.gpu;
    let info = OptimizerInfo::new(&resident.recipe, gradients, losses);
    let info = Buffer::storage(gpu, "the optimizer", &[info])?;
    let buffers = [
        info.binding(),
        resident.parameters.binding(),
        resident.moments.binding(),
        gradient_shares,
        loss_shares,
        resident.normalisers.binding(),
        resident.records.binding(),
        resident.stop.binding(),
    ];
    let workgroups = resident.parameters.len().div_ceil(64 * PARAMETERS_A_LANE);
    Ok(gpu.kernel(&kernels::FINISH, constants).dispatch(gpu, &buffers, workgroups))
}
