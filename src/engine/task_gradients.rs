//! What schemes that weigh by the tasks' gradients add to a tiled step: between the loss and the way back, every task's gradient
//! through the layers that all share, the products of each two, and the weights that follow (`shaders/gram/`).
//!
//! What a task has alone, its head, follows its own loss: the weights are multiplied to the gradient on its way from the heads to
//! the shared layers.

use super::device::Workspace;
use super::device::infos::LayerInfo;
use super::ending::Shares;
use super::layers::Activations;
use super::recipe::Recipe;
use super::rules::Combiner;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Work, kernels, rounds_of};
use crate::loss::Task;
use crate::weighting::Kind;

/// Workgroups that share out a layer's products.
const WORKGROUPS: usize = 64;
/// Elements of a layer that a workgroup takes at once.
const TILE: usize = 64;

/// Whether a scheme of these recipes weighs by gradients.
pub(super) fn are_needed(recipes: &[Recipe]) -> bool {
    recipes.iter().any(|recipe| recipe.weighting.scheme().kind() == Kind::Gradients)
}

/// What a tiled step has to offer.
pub(super) struct Step<'a> {
    pub workspace: &'a Workspace,
    pub activations: &'a Activations,
    /// The gradient at the predictions.
    pub gradient: &'a Buffer<f32>,
    pub losses: &'a Shares,
}

impl Step<'_> {
    fn tasks(&self) -> usize {
        self.workspace.recipe.network.tasks().len()
    }

    /// Tasks are taken four at a time.
    fn quads(&self) -> usize {
        self.tasks().div_ceil(4)
    }

    /// The weights of every member whose scheme weighs by gradients, into its state.
    pub fn combine(&self) -> Result<Vec<Dispatch>> {
        let layers = self.workspace.recipe.network.layers();
        let gpu = &self.workspace.gpu;
        let trunk = layers.len() - 1;
        let recipes = &self.workspace.recipes;
        let is_at = |recipe: &Recipe| recipe.weighting.is_at_representation();
        // Members of a fleet may differ: what none looks at is not made.
        let of_parameters = !recipes.iter().all(is_at);
        let works: Vec<Work> =
            (0..if of_parameters { trunk } else { 0 }).map(|layer| self.work(layer)).collect();
        let representation =
            recipes.iter().any(is_at).then(|| self.work_at_representation(trunk - 1));
        let at_representation = representation.map_or(0, |work| work.workgroups);
        let below: usize = works.iter().map(|work| work.workgroups).sum();
        let shares = below + at_representation;
        let entries = self.tasks() * self.tasks();
        let products = self.workspace.seats() * shares * entries;
        let products = Buffer::<f32>::zeros(gpu, "products of gradients", products)?;
        let mut dispatches = Vec::new();
        if let Some(work) = representation {
            let layer = trunk - 1;
            let deltas = self.deltas_buffer(layer)?;
            dispatches.push(self.deltas(layer, None, &deltas, true)?);
            let place = [("FIRST", below as f64), ("SHARES", shares as f64), ("AT_OUTPUTS", 1.0)];
            dispatches.push(self.products(layer, &deltas, &products, &place, work)?);
        }
        let mut above = None;
        let mut first = below;
        for (layer, &work) in works.iter().enumerate().rev() {
            let deltas = self.deltas_buffer(layer)?;
            dispatches.push(self.deltas(layer, above.as_ref(), &deltas, false)?);
            first -= work.workgroups;
            let place = [("FIRST", first as f64), ("SHARES", shares as f64)];
            dispatches.push(self.products(layer, &deltas, &products, &place, work)?);
            above = Some(deltas);
        }
        let combiner =
            Combiner { losses: self.losses, products: &products, shares, at_representation };
        dispatches.push(combiner.dispatch(self.workspace)?);
        Ok(dispatches)
    }

    /// `[seats, rows, outputs, quads]`
    fn deltas_buffer(&self, layer: usize) -> Result<Buffer<f32>> {
        let Workspace { gpu, recipe, batch, .. } = self.workspace;
        let length = 4 * self.quads() * recipe.network.layers()[layer].outputs;
        let length = self.workspace.seats() * batch * length;
        Buffer::zeros(gpu, "every task's gradient at a layer", length)
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        vec![("TASKS", self.tasks() as f64), ("QUADS", self.quads() as f64)]
    }

    /// Of the predictions, the first and how many are a task's.
    fn columns(&self) -> Result<Buffer<[u32; 2]>> {
        let network = &self.workspace.recipe.network;
        let tasks = network.offsets().into_iter().zip(network.tasks());
        let columns: Vec<[u32; 2]> =
            tasks.map(|(first, task)| [first as u32, task.outputs() as u32]).collect();
        Buffer::storage(&self.workspace.gpu, "the tasks' columns", &columns)
    }

    fn info(&self, layer: usize) -> Result<Buffer<LayerInfo>> {
        let layers = self.workspace.recipe.network.layers();
        let info = LayerInfo::new(&layers[layer], None, layer == 0, self.workspace.shares);
        Buffer::storage(&self.workspace.gpu, "a layer", &[info])
    }

    /// Every task's gradient at the outputs of a layer, before its activation or (`at_inputs` of the next) after it, from that at the
    /// outputs of the one above: where there is none, the predictions.
    fn deltas(
        &self,
        layer: usize,
        above: Option<&Buffer<f32>>,
        below: &Buffer<f32>,
        at_inputs: bool,
    ) -> Result<Dispatch> {
        let Workspace { gpu, recipe, state, batch, records, .. } = self.workspace;
        let columns = self.columns()?;
        let next = recipe.network.layers()[layer + 1];
        let mut constants = self.constants();
        constants.push(("OF_HEADS", f64::from(u8::from(above.is_none()))));
        constants.push(("AT_INPUTS", f64::from(u8::from(at_inputs))));
        let info = self.info(layer + 1)?;
        let buffers = [
            info.binding(),
            columns.binding(),
            self.gradient.binding(),
            // Where nothing is above the layer's heads, something.
            above.unwrap_or(records).binding(),
            state.binding(),
            self.activations.slopes[layer].binding(),
            below.binding(),
        ];
        let of_quad = 5 + rounds_of(next.outputs, 0) + 4 * self.tasks();
        let work = Work {
            rounds: rounds_of(self.quads(), of_quad),
            ..Work::elements(batch * next.inputs)
        };
        gpu.kernel(&kernels::GRAM_DELTAS, &constants).dispatch(gpu, &buffers, work)
    }

    fn work(&self, layer: usize) -> Work {
        let Workspace { gpu, recipe, batch, .. } = self.workspace;
        let layer = recipe.network.layers()[layer];
        let tiles = (layer.outputs * (layer.inputs + 1)).div_ceil(TILE);
        let of_gradients = rounds_of(self.quads(), rounds_of(*batch, 0));
        let of_products = rounds_of(4, rounds_of(TILE, 0));
        gpu.share_out(tiles, WORKGROUPS, of_gradients + of_products, rounds_of(4, 0))
    }

    fn work_at_representation(&self, layer: usize) -> Work {
        let Workspace { gpu, recipe, batch, .. } = self.workspace;
        let tiles = (recipe.network.layers()[layer].outputs * batch).div_ceil(TILE);
        let of_products = rounds_of(4, rounds_of(TILE, 0));
        gpu.share_out(tiles, WORKGROUPS, rounds_of(self.quads(), 0) + of_products, rounds_of(4, 0))
    }

    fn products(
        &self,
        layer: usize,
        deltas: &Buffer<f32>,
        products: &Buffer<f32>,
        place: &[(&'static str, f64)],
        work: Work,
    ) -> Result<Dispatch> {
        let Workspace { gpu, rows, order, .. } = self.workspace;
        let inputs = match layer {
            0 => &rows.features,
            _ => &self.activations.outputs[layer - 1],
        };
        let info = self.info(layer)?;
        let buffers = [
            info.binding(),
            deltas.binding(),
            inputs.binding(),
            order.binding(),
            products.binding(),
        ];
        let constants = [&self.constants()[..], place].concat();
        gpu.kernel(&kernels::GRAM_PRODUCTS, &constants).dispatch(gpu, &buffers, work)
    }

    /// The weights on the gradient at the predictions, once the heads have theirs.
    pub fn scale(&self) -> Result<Dispatch> {
        let Workspace { gpu, state, batch, recipe, .. } = self.workspace;
        let columns = self.columns()?;
        let buffers =
            [columns.binding(), state.binding(), self.gradient.binding(), self.losses.losses()];
        let constants = [
            ("TASKS", self.tasks() as f64),
            ("LOSS_SHARES", self.losses.of_losses as f64),
            ("OUTPUTS", recipe.network.outputs() as f64),
        ];
        let widest = recipe.network.tasks().iter().map(Task::outputs).max().unwrap_or(1);
        let work = Work { rounds: rounds_of(widest, 0), ..Work::elements(batch * self.tasks()) };
        gpu.kernel(&kernels::GRAM_SCALE, &constants).dispatch(gpu, &buffers, work)
    }
}
