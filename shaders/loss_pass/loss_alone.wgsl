// The fused loss pass by itself, on a caller's buffers: every task's loss, the weighted total, the task weights, the
// gradient at every prediction and the gradient of every sigma, in one dispatch. Liebel & Korner 2018, eq. 3. What each
// task's sum is divided by is known before (epoch/normalisers.wgsl).
//
// A workgroup takes every `workgroups`-th tile of rows (shared/loss_pass.wgsl). Its share of each sum is either
// added to the sum at once, by a loop of compare-exchange: complete when the dispatch ends, but the order of
// rounding, and with it the last bits, may change from run to run. Or, with KEEP_SHARES, it is stored, and
// `loss_alone_sum` adds the shares in a fixed order. No workgroup reads what another wrote.
// Reads:  predictions, labels, tasks, sigma [tasks], normalisers [tasks]
// Writes: gradient (shaped like predictions),
//         results: total, then losses, weights and sigma gradients [tasks] each, then shares [workgroups, tasks]

override KEEP_SHARES: bool = false;

struct Alone {
    rows: u32,
}

// The weighting scheme.
override SCHEME: u32 = AWL;

@group(0) @binding(0) var<storage, read> alone: Alone;
@group(0) @binding(1) var<storage, read> predictions: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> tasks: array<Task>;
@group(0) @binding(4) var<storage, read> sigma: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<storage, read_write> results: array<atomic<u32>>;
@group(0) @binding(7) var<storage, read> normalisers: array<f32>;

fn label_row(row: u32) -> u32 {
    return row;
}

fn prediction_at(at: u32) -> f32 {
    return predictions[at];
}

fn set_gradient(at: u32, value: f32) {
    gradient[at] = value;
}

fn add_to_result(at: u32, value: f32) {
    var old = atomicLoad(&results[at]);
    loop {
        let swap = atomicCompareExchangeWeak(&results[at], old, bitcast<u32>(bitcast<f32>(old) + value));
        if swap.exchanged {
            break;
        }
        old = swap.old_value;
    }
}

// Adds a share of a task's loss, and of its sigma's gradient, to the results; returns its share of the total.
fn add_share(k: u32, share: f32, is_first: bool, labelled: bool) -> f32 {
    let count = arrayLength(&tasks);
    let weight = task_weight(SCHEME, sigma[k]);
    if is_first {
        atomicStore(&results[1u + count + k], bitcast<u32>(weight));
    }
    if !labelled {
        return 0.0;
    }
    var total = weight * share;
    var slope = share * gradient_per_loss(SCHEME, sigma[k]);
    if is_first {
        total += regulariser(SCHEME, sigma[k]);
        slope += gradient_at_zero(SCHEME, sigma[k]);
    }
    add_to_result(1u + k, share);
    add_to_result(1u + 2u * count + k, slope);
    return total;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let count = arrayLength(&tasks);
    var total: LongSum;
    for (var k = 0u; k < count; k++) {
        let normaliser = normalisers[k];
        let inverse = select(0.0, 1.0 / normaliser, normaliser > 0.0);
        let scale = inverse * task_weight(SCHEME, sigma[k]);
        let sum = task_pass(tasks[k], alone.rows, scale, workgroup.x, workgroups.x, lane);
        if lane == 0u {
            if KEEP_SHARES {
                atomicStore(&results[1u + 3u * count + workgroup.x * count + k], bitcast<u32>(sum * inverse));
            } else {
                add_term(&total, add_share(k, sum * inverse, workgroup.x == 0u, normaliser > 0.0));
            }
        }
    }
    if lane == 0u && !KEEP_SHARES {
        add_to_result(0u, sum_of(total));
    }
}
