// Every task's loss and gradient at the predictions of a tile: what shared/loss_pass.wgsl does on buffers, here on the
// four rows of a lane, one component of a vec4 each. The losses themselves are shared/losses.wgsl.

var<private> loss_sums: array<f32, TASKS>;
var<private> scales: array<f32, TASKS>;

// The rows of a tile that a lane holds: which rows of the dataset they are, and which of them are in the batch.
struct Rows {
    index: vec4<u32>,
    inside: vec4<bool>,
}

fn rows_of(tile: u32, lane: u32) -> Rows {
    let first = tile * 32u + lane * 4u;
    let positions = first + vec4(0u, 1u, 2u, 3u);
    // Lanes past the end compute some row of the batch, for nothing.
    let safe = step.first + min(positions, vec4(step.rows - 1u));
    let index = vec4(order[safe.x], order[safe.y], order[safe.z], order[safe.w]);
    return Rows(index, positions < vec4(step.rows));
}

fn counting(task: Task, rows: Rows) -> vec4<bool> {
    if !HAS_MASKS {
        return rows.inside;
    }
    let i = rows.index;
    let labelled = vec4(
        has_label(task, i.x), has_label(task, i.y), has_label(task, i.z), has_label(task, i.w),
    );
    return labelled & rows.inside;
}

// One column of numbers: stores the gradient, returns the rows' losses added up.
fn element_rows(task: Task, at: vec4<u32>, unit: u32, counts: vec4<bool>, scale: f32) -> f32 {
    let prediction = unit_at(unit);
    let a = element_loss(task, prediction.x, bitcast<f32>(labels[at.x]));
    let b = element_loss(task, prediction.y, bitcast<f32>(labels[at.y]));
    let c = element_loss(task, prediction.z, bitcast<f32>(labels[at.z]));
    let d = element_loss(task, prediction.w, bitcast<f32>(labels[at.w]));
    set_unit(unit, select(vec4<f32>(), scale * vec4(a.y, b.y, c.y, d.y), counts));
    return added(select(vec4<f32>(), vec4(a.x, b.x, c.x, d.x), counts));
}

fn added(x: vec4<f32>) -> f32 {
    return (x.x + x.y) + (x.z + x.w);
}

// What a branch skips on other adapters, all lanes walk through on these: hence HAS_MASKS, HAS_SMOOTHING and
// HAS_CLASS_WEIGHTS, which say whether any task has them.
fn weight_of_class(task: Task, class_index: u32) -> f32 {
    if HAS_CLASS_WEIGHTS {
        return class_weight(task, class_index);
    }
    return 1.0;
}

// ClassRow of losses.wgsl, four at once.
struct ClassRows {
    highest: vec4<f32>,
    others: vec4<f32>,
    own: vec4<f32>,
    weight: vec4<f32>,
    weighted_depth: vec4<f32>,
}

fn class_rows(task: Task, first: u32, class_index: vec4<u32>) -> ClassRows {
    var rows: ClassRows;
    rows.highest = unit_at(first);
    for (var c = 1u; c < task.width; c++) {
        rows.highest = max(rows.highest, unit_at(first + c));
    }
    for (var c = 0u; c < task.width; c++) {
        let depth = unit_at(first + c) - rows.highest;
        let is_own = class_index == vec4(c);
        rows.others += select(exp(depth), vec4<f32>(), is_own);
        rows.own = select(rows.own, depth, is_own);
        if HAS_SMOOTHING {
            rows.weighted_depth -= weight_of_class(task, c) * depth;
        }
    }
    rows.weight = vec4(
        weight_of_class(task, class_index.x), weight_of_class(task, class_index.y),
        weight_of_class(task, class_index.z), weight_of_class(task, class_index.w),
    );
    return rows;
}

// Cross-entropy: stores the gradient, returns the rows' losses added up.
fn class_rows_pass(task: Task, at: vec4<u32>, first: u32, counts: vec4<bool>, scale: f32) -> f32 {
    let own = vec4(labels[at.x], labels[at.y], labels[at.z], labels[at.w]);
    let rows = class_rows(task, first, own);
    let a = ClassRow(rows.highest.x, rows.others.x, rows.own.x, rows.weight.x, rows.weighted_depth.x);
    let b = ClassRow(rows.highest.y, rows.others.y, rows.own.y, rows.weight.y, rows.weighted_depth.y);
    let c = ClassRow(rows.highest.z, rows.others.z, rows.own.z, rows.weight.z, rows.weighted_depth.z);
    let d = ClassRow(rows.highest.w, rows.others.w, rows.own.w, rows.weight.w, rows.weighted_depth.w);
    for (var k = 0u; k < task.width; k++) {
        let weight = weight_of_class(task, k);
        let logit = unit_at(first + k);
        let slope = vec4(
            class_slope(task, a, k == own.x, weight, logit.x), class_slope(task, b, k == own.y, weight, logit.y),
            class_slope(task, c, k == own.z, weight, logit.z), class_slope(task, d, k == own.w, weight, logit.w),
        );
        set_unit(first + k, select(vec4<f32>(), scale * slope, counts));
    }
    let loss = vec4(class_loss(task, a), class_loss(task, b), class_loss(task, c), class_loss(task, d));
    return added(select(vec4<f32>(), loss, counts));
}

// Replaces the predictions by the gradient of the weighted total and adds up the losses.
fn add_losses(rows: Rows) {
    for (var k = 0u; k < arrayLength(&tasks); k++) {
        let task = tasks[k];
        let counts = counting(task, rows);
        let at = task.label + rows.index * task.label_stride;
        let unit = HEADS + task.prediction;
        if task.loss == CROSS_ENTROPY {
            loss_sums[k] += class_rows_pass(task, at, unit, counts, scales[k]);
        } else {
            for (var c = 0u; c < task.width; c++) {
                loss_sums[k] += element_rows(task, at + c, unit + c, counts, scales[k]);
            }
        }
    }
}
