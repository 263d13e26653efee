// A whole training step but for its end, in one dispatch: a workgroup of eight lanes takes every `workgroups`-th tile
// of 32 rows through the network, the losses and back, and stores its share of all gradients and losses, which
// `finish` adds up. Layers are looped over, not unrolled: a copy of the code for each took 6 to 19 s to compile.
//
// Reads:  features, labels, tasks, order, parameters (sigma at their end), normalisers [batches, tasks]
// Writes: gradient_shares [workgroups, parameters], loss_shares [workgroups + 2, tasks] (loss.wgsl)

@group(0) @binding(0) var<storage, read> features: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> parameters: array<f32>;
@group(0) @binding(5) var<storage, read> normalisers: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient_shares: array<f32>;
@group(0) @binding(7) var<storage, read_write> loss_shares: array<f32>;

fn load_features(rows: Rows) {
    let at = rows.index * FEATURES;
    let count = FEATURES + unknown_zero();
    for (var i = 0u; i < count; i++) {
        set_unit(i, vec4(features[at.x + i], features[at.y + i], features[at.z + i], features[at.w + i]));
    }
}

// What the losses are multiplied by, and, from one workgroup, the tasks' weights and regularisers.
fn prepare_tasks(workgroups: u32, records: bool) {
    let count = arrayLength(&tasks);
    for (var k = 0u; k < count; k++) {
        let normaliser = normalisers[step.batch * count + k];
        let inverse = select(0.0, 1.0 / normaliser, normaliser > 0.0);
        let sigma = parameters[PARAMETERS + k];
        let weight = task_weight(sigma);
        scales[k] = weight * inverse;
        loss_sums[k] = 0.0;
        if records {
            loss_shares[workgroups * count + k] = weight;
            loss_shares[(workgroups + 1u) * count + k] = regulariser(sigma);
        }
    }
}

fn store_losses(share: u32, lane: u32) {
    let count = arrayLength(&tasks);
    for (var k = 0u; k < count; k++) {
        let normaliser = normalisers[step.batch * count + k];
        let inverse = select(0.0, 1.0 / normaliser, normaliser > 0.0);
        let sum = subgroupAdd(loss_sums[k]);
        if lane == 0u {
            loss_shares[share * count + k] = sum * inverse;
        }
    }
}

@compute @workgroup_size(8)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let layers = LAYERS + unknown_zero();
    for (var i = 0u; i < layers; i++) {
        load_parameters(layer_at(i), lane);
        clear_sums(layer_at(i));
    }
    let padded = PADDED_FEATURES + unknown_zero();
    for (var i = FEATURES; i < padded; i++) {
        set_unit(i, vec4<f32>());
    }
    prepare_tasks(workgroups.x, workgroup.x == 0u && lane == 0u);
    let tiles = (step.rows + 31u) / 32u;
    for (var tile = workgroup.x; tile < tiles; tile += workgroups.x) {
        let rows = rows_of(tile, lane);
        load_features(rows);
        for (var i = 0u; i < layers; i++) {
            forward(layer_at(i));
        }
        add_losses(rows);
        for (var i = layers; i > 0u; i--) {
            let layer = layer_at(i - 1u);
            add_parameter_gradient(layer, lane);
            if i > 1u {
                replace_by_input_gradient(layer);
            }
        }
    }
    for (var i = 0u; i < layers; i++) {
        store_gradient(layer_at(i), workgroup.x, lane);
    }
    store_losses(workgroup.x, lane);
}
