//! What a program's dispatches leave for the ending: shares of the gradients and losses, in one buffer.

use crate::engine::device::Workspace;
use crate::error::Result;
use crate::gpu::Buffer;
use wgpu::BindingResource as Binding;

/// Losses, tasks times shares, that every workgroup of the ending adds up; more are added up once, by a dispatch before.
pub(super) const MOST_LOSSES: usize = 4_096;

/// Elements between two starts that WebGPU binds: 256 bytes.
const ALIGNMENT: usize = 64;

/// `[seats, gradient shares, cells]` of the gradients and, behind them, `[seats, loss shares + 2, tasks]` of the losses
/// (`tiled/loss.wgsl`).
pub(crate) struct Shares {
    buffer: Buffer<f32>,
    seats: usize,
    /// Shares of a member's gradient.
    pub of_gradient: usize,
    /// Elements of a share: the network's parameters, or what the program lays out in their place.
    pub cells: usize,
    /// Shares of the losses.
    pub of_losses: usize,
    tasks: usize,
}

impl Shares {
    /// Room for so many shares of every member, and for `rest` more elements of each behind them.
    pub fn new(
        workspace: &Workspace,
        [of_gradient, cells]: [usize; 2],
        of_losses: usize,
        rest: usize,
    ) -> Result<Self> {
        let (seats, tasks) = (workspace.seats(), workspace.recipe.network.tasks().len());
        let losses_at = (seats * of_gradient * cells).next_multiple_of(ALIGNMENT);
        let length = losses_at + seats * ((of_losses + 2) * tasks + rest);
        let gpu = &workspace.gpu;
        let buffer = Buffer::zeros(gpu, "shares of the gradients and losses", length)?;
        Ok(Self { buffer, seats, of_gradient, cells, of_losses, tasks })
    }

    /// Whether the device binds so many shares of every member.
    pub fn fit(workspace: &Workspace, shares: usize, cells: usize) -> bool {
        let tasks = workspace.recipe.network.tasks().len();
        let limits = workspace.gpu.device().limits();
        let most = limits.max_storage_buffer_binding_size as usize / 4 / workspace.seats();
        shares <= (most / (cells + tasks)).saturating_sub(ALIGNMENT + 2)
    }

    /// The gradients' shares.
    pub fn gradients(&self) -> Binding<'_> {
        self.buffer.range(0, self.seats * self.of_gradient * self.cells)
    }

    /// The losses' shares, with the weights and regularisers behind them.
    pub fn losses(&self) -> Binding<'_> {
        self.buffer.range(self.losses_at(), self.end() - self.losses_at())
    }

    /// Where the losses' shares start.
    pub fn losses_at(&self) -> usize {
        (self.seats * self.of_gradient * self.cells).next_multiple_of(ALIGNMENT)
    }

    /// Where the losses' shares, weights and regularisers end.
    pub fn end(&self) -> usize {
        self.losses_at() + self.seats * (self.of_losses + 2) * self.tasks
    }

    /// Everything.
    pub fn all(&self) -> Binding<'_> {
        self.buffer.binding()
    }
}
