// A whole training step of a small network but for its end, in one dispatch: every workgroup of LANES lanes takes its
// share of the tiles, with all parameters and their gradient in registers or on the stack that they spill to, and stores
// its share of all gradients and losses, which `finish` adds up. For software adapters, and for networks that one core
// alone, as in steps.wgsl, would take longer to train than all cores and a second dispatch.
//
// Reads:  features, labels, tasks, order, parameters (sigma at their end), normalisers [batches, tasks]
// Writes: gradient_shares [workgroups, parameters], loss_shares [workgroups + 2, tasks] (tiled/loss.wgsl)

@group(0) @binding(0) var<storage, read> features: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> parameters: array<f32>;
@group(0) @binding(5) var<storage, read> normalisers: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient_shares: array<f32>;
@group(0) @binding(7) var<storage, read_write> loss_shares: array<f32>;

// Stores a task's share of the loss and, from one workgroup, its weight and regulariser.
fn store_loss(lane: u32, share: u32, shares: u32, k: u32, loss: f32, sigma: f32) {
    if lane == 0u {
        loss_shares[share * TASKS + k] = loss;
    }
    if lane == 0u && share == 0u {
        loss_shares[shares * TASKS + k] = task_weight(sigma);
        loss_shares[(shares + 1u) * TASKS + k] = regulariser(sigma);
    }
}
