//! A dispatch for everything that can be one dispatch of tiles, for networks of any size on any adapter (`shaders/tiled/`);
//! taken where no other program is.
//!
//! Forward, a kernel a layer with bias and activation in it; one loss pass for every task's loss and gradient;
//! backward, a kernel a layer for the gradient at its input and one for the shares of its parameters' gradient; and
//! the ending, which adds up all shares, computes σ's gradient and applies Adam to everything.

use crate::engine::device::infos::LayerInfo;
use crate::engine::device::{Program, Resident};
use crate::engine::ending::{self, Shares};
use crate::engine::layers::{Activations, Source, TILE, forward, product_rounds};
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Work, kernels};
use crate::loss::pass;

pub(super) const NAME: &str = "tiled";

/// The program; never `None`.
pub(super) fn program(resident: &Resident) -> Result<Option<Program>> {
    let gpu = &resident.gpu;
    let network = &resident.recipe.network;
    let rows = resident.batch;
    let activations = Activations::new(gpu, network, resident.seats() * rows)?;
    let gradients = output_gradients(resident)?;
    let dropout = resident.dropout();
    let source = Source {
        features: &resident.rows.features,
        order: Some(&resident.order),
        dropout: &dropout,
    };
    let split = resident.shares;
    let state = &resident.state;
    let mut dispatches = forward(gpu, network, &source, state, &activations, rows, split)?;

    let work = pass::work(gpu, &resident.rows.layouts, rows);
    let shares = Shares::new(resident, [split.count, split.stride], work.workgroups, 0)?;
    let predictions = activations.predictions();
    let heads_gradient = &gradients[gradients.len() - 1];
    dispatches.push(loss(resident, predictions, heads_gradient, &shares, work)?);
    backward(resident, &activations, &gradients, &shares, &mut dispatches)?;
    dispatches.extend(ending::dispatches(resident, &shares)?);
    Ok(Some(Program::step(NAME, dispatches)))
}

/// The gradient at every layer's output, `[members, rows, outputs]`, before its activation.
fn output_gradients(resident: &Resident) -> Result<Vec<Buffer<f32>>> {
    let layers = resident.recipe.network.layers();
    let buffer = |(index, layer): (usize, &crate::network::Layer)| {
        let label = format!("the gradient at the outputs of layer {index}");
        Buffer::zeros(&resident.gpu, &label, resident.seats() * resident.batch * layer.outputs)
    };
    layers.iter().enumerate().map(buffer).collect()
}

fn loss(
    resident: &Resident,
    predictions: &Buffer<f32>,
    gradient: &Buffer<f32>,
    shares: &Shares,
    work: Work,
) -> Result<Dispatch> {
    let gpu = &resident.gpu;
    let buffers = [
        predictions.binding(),
        resident.rows.labels.binding(),
        resident.rows.tasks.binding(),
        resident.order.binding(),
        resident.state.binding(),
        resident.normalisers.binding(),
        gradient.binding(),
        shares.losses(),
    ];
    gpu.kernel(&kernels::LOSS, &resident.loss_constants()).dispatch(gpu, &buffers, work)
}

fn backward(
    resident: &Resident,
    activations: &Activations,
    gradients: &[Buffer<f32>],
    shares: &Shares,
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
            0 => &resident.rows.features,
            _ => &activations.outputs[index - 1],
        };
        let buffers = [
            info.binding(),
            gradients[index].binding(),
            inputs.binding(),
            resident.order.binding(),
            shares.gradients(),
        ];
        let tiles = layer.outputs.div_ceil(TILE) * (layer.inputs + 1).div_ceil(TILE);
        let work = Work::new(tiles * resident.shares.count, product_rounds(resident.shares.rows));
        dispatches.push(of_weight.dispatch(gpu, &buffers, work)?);
        if index > 0 {
            let buffers = [
                info.binding(),
                gradients[index].binding(),
                resident.state.binding(),
                activations.slopes[index - 1].binding(),
                gradients[index - 1].binding(),
            ];
            let tiles = resident.batch.div_ceil(TILE) * layer.inputs.div_ceil(TILE);
            let work = Work::new(tiles, product_rounds(layer.outputs));
            dispatches.push(of_input.dispatch(gpu, &buffers, work)?);
        }
    }
    Ok(())
}
