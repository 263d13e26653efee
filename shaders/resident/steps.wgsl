{%- from "workgroup/products" import head_cell -%}
{%- set heads = layers[layers | length - 1] -%}
// Whole training steps of small networks, as many as the host asks for, in one dispatch of a workgroup a network, made for their
// shape: the parameters stay in workgroup memory from the first step to the last. Each step takes its batch in blocks of
// {{ rows }} rows through forward, losses and backward (workgroup/passes.wgsl); the gradients of the weights stay in registers,
// where Adam meets them: a lane updates the weights whose gradient it holds (resident/ending.wgsl).
//
// Reads:  features [rows of the dataset, features], labels, order, normalisers [members, batches, tasks], settings, steps
// Writes: state (shared/optimizer.wgsl), records (shared/records.wgsl), stop

const LANES = {{ lanes }}u;
const ROWS = {{ rows }}u;
const TASKS = {{ tasks | length }}u;
const BIASES = {{ bias_quads }}u;
const STEPS_A_DISPATCH = {{ steps_a_dispatch }}u;

// A step as the host writes it: 256 bytes, so that one can also be bound by itself.
struct Slot {
    step: Step,
    padding: array<vec4<u32>, 14>,
}

// What else the host says, in uniforms, since there are no more than eight storage buffers: each `Task`, then each member's
// `Optimizer`, word by word.
struct Settings {
    tasks: array<array<vec4<u32>, 3>, {{ tasks | length }}>,
    optimizers: array<array<vec4<u32>, 5>, {{ most_members }}>,
}

@group(0) @binding(0) var<storage, read> features: array<{% if features % 4 == 0 %}vec4<f32>{% else %}f32{% endif %}>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> normalisers: array<f32>;
@group(0) @binding(4) var<storage, read> members_of_steps: array<Member>;
@group(0) @binding(5) var<storage, read_write> state: array<f32>;
@group(0) @binding(6) var<storage, read_write> records: array<f32>;
@group(0) @binding(7) var<storage, read_write> stop: array<atomic<u32>>;
@group(0) @binding(8) var<uniform> settings: Settings;
@group(0) @binding(9) var<uniform> steps: array<Slot, {{ slots }}>;
@group(1) @binding(0) var<uniform> first_step: Step;
@group(2) @binding(0) var<uniform> first_members: array<Member, MOST_MEMBERS>;

// The step that is being made, and what it is for the workgroup's member; where the rows of the step after it are.
var<private> step: Step;
var<private> member: Member;
var<private> next_first: u32;
var<private> next_rows: u32;
var<private> optimizer: Optimizer;
// Whether all that the lane has updated is finite.
var<private> all_sound: bool = true;

{% include "workgroup/units" %}

// The weights, [outputs, inputs] of every layer as [output % 4][output / 4][input / 4]: forward, neighbouring lanes read
// neighbouring outputs, an odd number of vec4s apart, backward neighbouring inputs. What pads them stays 0.
{%- for layer in layers %}
var<workgroup> W{{ layer.number }}: array<array<array<vec4<f32>, {{ layer.kept_stride }}>, {{ layer.output_quads }}>, 4>;
{%- endfor %}
// The biases of all layers, one behind the other.
var<workgroup> biases: array<vec4<f32>, {{ bias_quads }}>;
var<workgroup> sigmas: array<f32, {{ tasks | length }}>;
// What each task adds to the total.
var<workgroup> terms: array<f32, {{ tasks | length }}>;
{%- if clips %}
var<workgroup> squares: array<f32, {{ lanes }}>;
{%- endif %}

// The row of the dataset; beyond the end of the batch that of the last row, whose gradient is made 0 at the predictions, and
// beyond its last block a row of the step after it.
fn source_of(row: u32) -> u32 {
    let blocks_end = (step.rows + {{ rows - 1 }}u) / {{ rows }}u * {{ rows }}u;
    let own = member.first + min(row, step.rows - 1u);
    let next = next_first + min(row - blocks_end, next_rows - 1u);
    return order[select(own, next, row >= blocks_end)];
}

fn task_of(k: u32) -> Task {
    let words = settings.tasks[k];
    return Task(
        words[0].x, words[0].y, bitcast<f32>(words[0].z), words[0].w,
        words[1].x, words[1].y, words[1].z, words[1].w, words[2].x, bitcast<f32>(words[2].y), words[2].z,
    );
}

fn optimizer_of(number: u32) -> Optimizer {
    let words = settings.optimizers[number];
    let a = bitcast<vec4<f32>>(words[1]);
    let b = bitcast<vec4<f32>>(words[2]);
    let c = bitcast<vec4<f32>>(words[3]);
    let network = Group(a.x, a.y, a.z, a.w, b.x, b.y, words[2].z);
    let sigma = Group(b.w, c.x, c.y, c.z, c.w, bitcast<f32>(words[4].x), words[4].y);
    return Optimizer(words[0].x, words[0].y, words[0].z, words[0].w, network, sigma, bitcast<f32>(words[4].z), words[4].w, vec4(0.0), 0u);
}

fn member_of(slot: u32, seat: u32) -> Member {
    let stride = (first_step.seats + 3u) / 4u * 4u; // in slots of 256 bytes
    return members_of_steps[slot * stride + seat];
}

// Up to four neighbouring parameters of the member, those beyond `count` the last of them.
fn places_of(first: u32, count: u32) -> vec4<u32> {
    return member.state + first + min(vec4(0u, 1u, 2u, 3u), vec4(max(count, 1u) - 1u));
}

// `count` parameters from `first` on, and 0 for what pads them.
fn load_parameters(first: u32, count: u32) -> vec4<f32> {
    let at = places_of(first, count);
    let values = vec4(state[at.x], state[at.y], state[at.z], state[at.w]);
    return select(vec4(0.0), values, vec4(0u, 1u, 2u, 3u) < vec4(count));
}

// What Adam remembers of up to four neighbouring parameters.
struct Moments {
    first: vec4<f32>,
    second: vec4<f32>,
}

fn load_moments(first: u32, count: u32) -> Moments {
    let firsts = places_of(first, count) + member.all;
    let seconds = firsts + member.all;
    return Moments(
        vec4(state[firsts.x], state[firsts.y], state[firsts.z], state[firsts.w]),
        vec4(state[seconds.x], state[seconds.y], state[seconds.z], state[seconds.w]),
    );
}

// The first `count` of four neighbouring parameters.
fn store(first: u32, count: u32, values: vec4<f32>, after: Moments) {
    let at = member.state + first;
    let all = member.all;
{%- for c in range(4) %}
{%- set part = "xyzw"[c] %}
    if {{ c }}u < count {
        state[at + {{ c }}u] = values.{{ part }};
        state[at + all + {{ c }}u] = after.first.{{ part }};
        state[at + 2u * all + {{ c }}u] = after.second.{{ part }};
    }
{%- endfor %}
}

// The same parameters after an update by this gradient. Where one is not sound, not finite, it stays.
fn updated(first: u32, count: u32, values: vec4<f32>, before: Moments, gradient: vec4<f32>) -> vec4<f32> {
{%- for c in range(4) %}
{%- set part = "xyzw"[c] %}
    let {{ part }} = adam(
        optimizer.network, values.{{ part }}, gradient.{{ part }}, before.first.{{ part }}, before.second.{{ part }},
        member.learning_rate, member.step_size, member.root_correction,
    );
{%- endfor %}
    let new_values = vec4(x.parameter, y.parameter, z.parameter, w.parameter);
    let new_first = vec4(x.first, y.first, z.first, w.first);
    let new_second = vec4(x.second, y.second, z.second, w.second);
    let inside = vec4(0u, 1u, 2u, 3u) < vec4(count);
    let is_sound = are_finite(new_values) & are_finite(new_first) & are_finite(new_second);
    let keeps = inside & is_sound;
    let after = Moments(select(before.first, new_first, keeps), select(before.second, new_second, keeps));
    let values_after = select(values, new_values, keeps);
    store(first, count, values_after, after);
    all_sound = all_sound && !any(inside & !is_sound);
    return values_after;
}

// Of each, whether it is neither NaN nor infinite (is_finite of shared/numbers.wgsl).
fn are_finite(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4(0x7f800000u)) != vec4(0x7f800000u);
}

// Where a vec4 of biases lies among the parameters, and how many of it are any.
fn bias_place(b: u32) -> vec2<u32> {
{%- for layer in layers %}
{%- if not layer.is_last %}
    if b < {{ layer.first_bias + layer.output_quads }}u {
{%- endif %}
        return vec2({{ layer.unit }}u + 4u * (b - {{ layer.first_bias }}u), min(4u, {{ layer.outputs }}u - 4u * (b - {{ layer.first_bias }}u)));
{%- if not layer.is_last %}
    }
{%- endif %}
{%- endfor %}
}

// The gradient of a vec4 of biases, of which the lanes have left their parts in the place of the units.
fn bias_gradient(b: u32) -> vec4<f32> {
    var sum = vec4(0.0);
{%- for layer in layers if not layer.is_last %}
    if b < {{ layer.first_bias + layer.output_quads }}u {
        let column = b - {{ layer.first_bias }}u;
{%- for few in range(rows // layer.tile) | batch(8) %}
{%- for g in few %}
        let part{{ g }} = H{{ layer.number + 1 }}[{{ g * layer.tile // group }}u][0u][column / 4u][column % 4u];
{%- endfor %}
{%- for g in few %}
        sum += part{{ g }};
{%- endfor %}
{%- endfor %}
        return sum;
    }
{%- endfor %}
    let row = b - {{ heads.first_bias }}u;
{%- set slices = heads.gradient.slices %}
    return vec4({% for slice in range(slices) %}{{ head_cell("row", slice ~ "u", slices, group) }}.{{ "xyzw"[:4 // slices] }}{% if not loop.last %}, {% endif %}{% endfor %});
}

fn load(lane: u32) {
{%- for layer in layers %}
    for (var n = lane; n < {{ 4 * layer.output_quads * layer.input_quads }}u; n += LANES) {
        let row = n / {{ layer.input_quads }}u;
        let column = n % {{ layer.input_quads }}u;
        let count = min(4u, {{ layer.inputs }}u - 4u * column);
        let first = {{ layer.weight }}u + row * {{ layer.inputs }}u + 4u * column;
        W{{ layer.number }}[row % 4u][row / 4u][column] = load_parameters(first, select(0u, count, row < {{ layer.outputs }}u));
    }
{%- endfor %}
    for (var b = lane; b < BIASES; b += LANES) {
        let place = bias_place(b);
        biases[b] = load_parameters(place.x, place.y);
    }
    if lane < TASKS {
        sigmas[lane] = state[member.sigma + lane];
    }
}

// The mean loss of task k from the sums of its rows, which the lanes have left in the place of the predictions, into the record,
// and what the task adds to the total.
fn finish_losses(k: u32, normaliser: f32) -> f32 {
    var sum = 0.0;
{%- for few in range(rows) | batch(8) %}
{%- for row in few %}
    let loss{{ row }} = H{{ heads.number + 1 }}[{{ row // group }}u][{{ row % group }}u][k / 16u][k / 4u % 4u][k % 4u];
{%- endfor %}
{%- for row in few %}
    sum += loss{{ row }};
{%- endfor %}
{%- endfor %}
    let loss = select(0.0, sum / normaliser, normaliser > 0.0);
    let sigma = sigmas[k];
    records[record_at(TASKS, k, RECORD_LOSS)] = loss;
    records[record_at(TASKS, k, RECORD_WEIGHT)] = task_weight(member.scheme, sigma);
    records[record_at(TASKS, k, RECORD_SIGMA)] = sigma;
    records[record_at(TASKS, k, RECORD_NORMALISER)] = normaliser;
    terms[k] = select(0.0, task_weight(member.scheme, sigma) * loss + regulariser(member.scheme, sigma), normaliser > 0.0);
    return loss;
}

fn finish_sigma(k: u32, normaliser: f32, loss: f32) {
    let sigma = sigmas[k];
    if member.scheme != FIXED && normaliser > 0.0 {
        let gradient = gradient_at_zero(member.scheme, sigma) + loss * gradient_per_loss(member.scheme, sigma);
        apply_to_sigma(optimizer.sigma, optimizer.least_sigma, optimizer.held, k, gradient);
        sigmas[k] = state[member.sigma + k];
    }
}

@compute @workgroup_size({{ lanes }})
fn main(@builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let seat = workgroup_id.z;
    step = first_step;
    member = first_members[seat];
    load(lane);
    // All blocks are this workgroup's.
    let workgroup = 0u;
    let workgroups = 1u;
{%- for q in range(staged) %}
    var next{{ q }} = feature((lane + {{ q * lanes }}u) / {{ widths[0].quads }}u, (lane + {{ q * lanes }}u) % {{ widths[0].quads }}u);
{%- endfor %}
    workgroupBarrier();
    let end = first_step.slot + min(first_step.run, STEPS_A_DISPATCH);
    for (var slot = first_step.slot; slot < end; slot++) {
        // Not `step`: what steers to a barrier has to be the same in all lanes, which is not known of private variables.
        let own_step = steps[slot].step;
        step = own_step;
        member = member_of(slot, seat);
        let next_slot = min(slot + 1u, end - 1u);
        next_first = member_of(next_slot, seat).first;
        next_rows = steps[next_slot].step.rows;
        let blocks = (own_step.rows + {{ rows - 1 }}u) / {{ rows }}u;
        let stopped = has_stopped();
        // The task whose sums the lane makes: in the last lanes, of which few hold weights.
        let task = (lane + 64u) % LANES;
        let own_normaliser = normalisers[member.batch * TASKS + min(task, TASKS - 1u)];
{%- for task in tasks %}
        let normaliser{{ task.number }} = normalisers[member.batch * TASKS + {{ task.number }}u];
        let scale{{ task.number }} = select(0.0, task_weight(member.scheme, {{ task.sigma }}) / normaliser{{ task.number }}, normaliser{{ task.number }} > 0.0);
        var loss{{ task.number }} = LongSum();
{%- endfor %}
        {%- include "workgroup/gradients" %}
        for (var block = workgroup; block < blocks; block += workgroups) {
            {%- include "workgroup/passes" %}
        }
        {%- include "resident/ending" %}
    }
}
