{%- set heads = layers | last -%}
// A whole training step but for its end, in one dispatch: a workgroup of LANES lanes takes every `workgroups`-th bunch
// of tiles of 32 rows through the network, the losses and back, and stores its share of all gradients and losses, which
// `finish` adds up. A bunch goes through a layer tile by tile, while the layer's weights and the code for it are in the
// core's first caches. Layers are looped over, not unrolled: a copy of the code for each took 6 to 19 s to compile.
// With `losses_only` it ends with the losses, from which weighting schemes find the weights of the step to come.
//
// Reads:  features, labels, tasks, order, state, normalisers [members, batches, tasks]
// Writes: gradient_shares [seats, workgroups, parameters], loss_shares [seats, workgroups + 2, tasks] (tiled/loss.wgsl)

@group(0) @binding(0) var<storage, read> features: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> tasks: array<Task>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> state: array<f32>;
@group(0) @binding(5) var<storage, read> normalisers: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient_shares: array<f32>;
@group(0) @binding(7) var<storage, read_write> loss_shares: array<f32>;

// What a lane holds of a unit in its rows of a tile.
alias Values = vec{{ rows }}<f32>;
alias Indices = vec{{ rows }}<u32>;
alias Flags = vec{{ rows }}<bool>;

const LANES = {{ lanes }}u;
const ROWS = {{ rows }}u;
const LAYERS = {{ layers | length }}u;
const TASKS = {{ tasks }}u;
const FEATURES = {{ features }}u;
const FEATURE_QUADS = {{ layers[0].input_quads }}u;
const HEADS = {{ heads.output }}u; // the first quad of the predictions within a tile
const HEAD_QUADS = {{ heads.output_quads }}u;
const PARAMETERS = {{ parameters }}u;
const BUNCH = {{ bunch }}u; // tiles that are taken together
const TILE_QUADS = {{ units // 4 }}u;
const WEIGHTS = {{ weights }}u; // lengths of the arrays of them
const SUMS = {{ sums }}u;
const ACTIVATION = {{ activation }}u;

// What no task has need not be looked for.
const HAS_MORE_THAN_MSE = {{ has_more_than_mse }};
const HAS_OWN_NOISE = {{ has_own_noise }};
const HAS_MASKS = {{ has_masks }};
const HAS_SMOOTHING = {{ has_smoothing }};
const HAS_CLASS_WEIGHTS = {{ has_class_weights }};
const HAS_SAMPLE_WEIGHTS = {{ has_sample_weights }};

fn layer_at(i: u32) -> Layer {
    let z = unknown_zero();
    switch i {
{%- for layer in layers %}
        {% if loop.last %}default{% else %}case {{ loop.index0 }}u{% endif %}: {
            return Layer(
                {{ layer.inputs }}u, z + {{ layer.outputs }}u,
                z + {{ layer.input_quads }}u, z + {{ layer.output_quads }}u, {{ layer.parameter }}u,
                {{ layer.input }}u, {{ layer.output }}u, {{ layer.weight }}u, {{ layer.sum }}u, {{ loop.last }}
            );
        }
{%- endfor %}
    }
}

fn load_features(rows: Rows, tile: u32) {
    let at = rows.index * FEATURES;
    let quads = FEATURE_QUADS + unknown_zero();
    for (var quad = 0u; quad < quads; quad++) {
        for (var i = 0u; i < 4u; i++) {
            let feature = quad * 4u + i;
            var x: Values;
            if feature < FEATURES {
                for (var r = 0u; r < ROWS; r++) {
                    x[r] = features[at[r] + feature];
                }
            }
            set_unit(tile + quad, i, x);
        }
    }
}

// What the losses are multiplied by, and, from one workgroup, the tasks' weights and regularisers.
fn prepare_tasks(workgroups: u32, records: bool) {
    let count = arrayLength(&tasks);
    for (var k = 0u; k < count; k++) {
        let normaliser = normalisers[member.batch * count + k];
        let inverse = select(0.0, 1.0 / normaliser, normaliser > 0.0);
        let sigma = state[member.sigma + k];
        let weight = task_weight(member.scheme, sigma);
        scales[k] = weight * inverse;
        loss_sums[k] = LongSum();
        own_tasks[k] = tasks[k];
        if records {
            loss_shares[(seat * (workgroups + 2u) + workgroups) * count + k] = weight;
            loss_shares[(seat * (workgroups + 2u) + workgroups + 1u) * count + k] = regulariser(member.scheme, sigma);
        }
    }
}

fn store_losses(share: u32, workgroups: u32, lane: u32) {
    let count = arrayLength(&tasks);
    for (var k = 0u; k < count; k++) {
        let normaliser = normalisers[member.batch * count + k];
        let inverse = select(0.0, 1.0 / normaliser, normaliser > 0.0);
        let sum = subgroupAdd(sum_of(loss_sums[k]));
        if lane == 0u {
            loss_shares[(seat * (workgroups + 2u) + share) * count + k] = sum * inverse;
        }
    }
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    take_seat(workgroup);
    let layers = LAYERS + unknown_zero();
    for (var i = 0u; i < layers; i++) {
        load_parameters(layer_at(i), lane);
        clear_sums(layer_at(i));
    }
{%- if not losses_only %}
    for (var i = 1u; i < layers; i++) {
        load_transposed(layer_at(i), lane);
    }
{%- endif %}
    prepare_tasks(workgroups.x, workgroup.x == 0u && lane == 0u);
    let tiles = (step.rows + 31u) / 32u;
    for (var first = workgroup.x * BUNCH; first < tiles; first += workgroups.x * BUNCH) {
        let end = min(BUNCH + unknown_zero(), tiles - first) * TILE_QUADS;
        for (var tile = 0u; tile < end; tile += TILE_QUADS) {
            load_features(rows_of(first + tile / TILE_QUADS, lane), tile);
        }
        for (var i = 0u; i < layers; i++) {
            for (var tile = 0u; tile < end; tile += TILE_QUADS) {
                forward(layer_at(i), tile);
            }
        }
        for (var tile = 0u; tile < end; tile += TILE_QUADS) {
            add_losses(rows_of(first + tile / TILE_QUADS, lane), tile);
        }
{%- if not losses_only %}
        for (var i = layers; i > 0u; i--) {
            for (var tile = 0u; tile < end; tile += TILE_QUADS) {
                add_weight_gradient(layer_at(i - 1u), tile, lane);
            }
            for (var tile = 0u; tile < select(0u, end, i > 1u); tile += TILE_QUADS) {
                replace_by_input_gradient(layer_at(i - 1u), tile);
            }
        }
{%- endif %}
    }
{%- if losses_only %}
    // So that the kernel binds what the step's does.
    if step.rows == 0u {
        gradient_shares[0] = 0.0;
    }
{%- else %}
    for (var i = 0u; i < layers; i++) {
        store_gradient(layer_at(i), seat * workgroups.x + workgroup.x, lane);
    }
{%- endif %}
    store_losses(workgroup.x, workgroups.x, lane);
}
