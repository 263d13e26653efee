// Weights from Gram matrices of gradients. One workgroup of one lane a problem, which has up to 16 tasks: what there is to solve
// is smaller than what it takes to share it out.
//
// What comes of a scheme is made for the call (`engine::gram`): its function, by the number in `at`.
// Reads:  grams [problems, tasks, tasks], losses [problems, tasks], settings [problems, MOST_SETTINGS],
//         moments [problems]
// Writes: memory [problems, tasks, 4], weights [problems, tasks], failed [problems]: 1 where they are not finite

const MOST_SETTINGS = 4u;
const LEAST_LOSS = 1e-8;

struct Moment {
    scheme: u32,
    tasks: u32,
    step: u32,          // counted from 1
    key_low: u32,       // of what is drawn at random
    key_high: u32,
}

@group(0) @binding(0) var<storage, read> grams: array<f32>;
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read> settings: array<f32>;
@group(0) @binding(3) var<storage, read> moments: array<Moment>;
@group(0) @binding(4) var<storage, read_write> memory: array<f32>;
@group(0) @binding(5) var<storage, read_write> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> failed: array<u32>;

var<private> problem: u32;
var<private> moment: Moment;

fn task_count() -> u32 {
    return moment.tasks;
}

fn gram_of(i: u32, j: u32) -> f32 {
    return grams[(problem * moment.tasks + i) * moment.tasks + j];
}

fn loss_of(k: u32) -> f32 {
    return losses[problem * moment.tasks + k];
}

fn setting(i: u32) -> f32 {
    return settings[problem * MOST_SETTINGS + i];
}

fn step_number() -> f32 {
    return f32(moment.step);
}

fn draw_key() -> vec2<u32> {
    return vec2(moment.key_low, moment.key_high);
}

fn memory_of(k: u32, i: u32) -> f32 {
    return memory[(problem * moment.tasks + k) * 4u + i];
}

fn set_memory(k: u32, i: u32, value: f32) {
    memory[(problem * moment.tasks + k) * 4u + i] = value;
}

fn set_weight(k: u32, weight: f32) {
    weights[problem * moment.tasks + k] = weight;
}

fn weigh_step() {
    switch moment.scheme {
{% for function in functions %}
        case {{ loop.index0 }}u: { {{ function }}(); }
{% endfor %}
        default: {}
    }
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    problem = unfolded(workgroup, workgroups);
    if problem >= arrayLength(&moments) {
        return;
    }
    moment = moments[problem];
    var is_good = find_present();
    if is_good && tasks > 0u {
        weigh_step();
    }
    for (var k = 0u; k < task_count(); k++) {
        is_good = is_good && is_finite(weights[problem * moment.tasks + k]);
    }
    failed[problem] = select(1u, 0u, is_good);
}
