// Every task's loss and gradient at the predictions of a tile: what shared/loss_pass.wgsl does on buffers, here on the
// four rows of a lane, one component of a vec4 each. The losses themselves are shared/losses.wgsl.

var<private> loss_sums: array<f32, TASKS>;
var<private> scales: array<f32, TASKS>;
var<private> own_tasks: array<Task, TASKS>;

// The predictions of a tile by column, which the units do not give; then the gradient there.
var<private> predictions_x: array<f32, 4u * HEAD_QUADS>;
var<private> predictions_y: array<f32, 4u * HEAD_QUADS>;
var<private> predictions_z: array<f32, 4u * HEAD_QUADS>;
var<private> predictions_w: array<f32, 4u * HEAD_QUADS>;

fn prediction_at(i: u32) -> vec4<f32> {
    return vec4(predictions_x[i], predictions_y[i], predictions_z[i], predictions_w[i]);
}

fn set_prediction(i: u32, x: vec4<f32>) {
    predictions_x[i] = x.x;
    predictions_y[i] = x.y;
    predictions_z[i] = x.z;
    predictions_w[i] = x.w;
}

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

// element_loss of losses.wgsl, short where no task needs more.
fn column_loss(task: Task, prediction: f32, label: f32) -> vec2<f32> {
    if HAS_MORE_THAN_MSE {
        return element_loss(task, prediction, label);
    }
    return mse(prediction - label);
}

// One column of numbers: stores the gradient, returns the rows' losses added up.
fn element_rows(task: Task, at: vec4<u32>, unit: u32, counts: vec4<bool>, scale: f32) -> f32 {
    let prediction = prediction_at(unit);
    let a = column_loss(task, prediction.x, bitcast<f32>(labels[at.x]));
    let b = column_loss(task, prediction.y, bitcast<f32>(labels[at.y]));
    let c = column_loss(task, prediction.z, bitcast<f32>(labels[at.z]));
    let d = column_loss(task, prediction.w, bitcast<f32>(labels[at.w]));
    set_prediction(unit, select(vec4<f32>(), scale * vec4(a.y, b.y, c.y, d.y), counts));
    return added(select(vec4<f32>(), vec4(a.x, b.x, c.x, d.x), counts));
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
    rows.highest = prediction_at(first);
    for (var c = 1u; c < task.width; c++) {
        rows.highest = max(rows.highest, prediction_at(first + c));
    }
    for (var c = 0u; c < task.width; c++) {
        let depth = prediction_at(first + c) - rows.highest;
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
        let logit = prediction_at(first + k);
        let slope = vec4(
            class_slope(task, a, k == own.x, weight, logit.x), class_slope(task, b, k == own.y, weight, logit.y),
            class_slope(task, c, k == own.z, weight, logit.z), class_slope(task, d, k == own.w, weight, logit.w),
        );
        set_prediction(first + k, select(vec4<f32>(), scale * slope, counts));
    }
    let loss = vec4(class_loss(task, a), class_loss(task, b), class_loss(task, c), class_loss(task, d));
    return added(select(vec4<f32>(), loss, counts));
}

// Replaces a tile's predictions by the gradient of the weighted total and adds up the losses. Loops of one round, or of
// none, skip what branches would not.
fn add_losses(rows: Rows, tile: u32) {
    let one = 1u + unknown_zero();
    let quads = HEAD_QUADS + unknown_zero();
    for (var quad = 0u; quad < quads; quad++) {
        for (var i = 0u; i < 4u; i++) {
            set_prediction(quad * 4u + i, unit_at(tile + HEADS + quad, i));
        }
    }
    for (var k = 0u; k < arrayLength(&tasks); k++) {
        let task = own_tasks[k];
        let counts = counting(task, rows);
        let at = task.label + rows.index * task.label_stride;
        let unit = task.prediction;
        let is_class = task.loss == CROSS_ENTROPY;
        for (var go = 0u; go < select(0u, one, is_class); go++) {
            loss_sums[k] += class_rows_pass(task, at, unit, counts, scales[k]);
        }
        for (var c = 0u; c < select(task.width, 0u, is_class); c++) {
            loss_sums[k] += element_rows(task, at + c, unit + c, counts, scales[k]);
        }
    }
    for (var quad = 0u; quad < quads; quad++) {
        for (var i = 0u; i < 4u; i++) {
            let gradient = prediction_at(quad * 4u + i);
            set_unit(tile + HEADS + quad, i, gradient);
            bias_sums[i][HEADS + quad] += added(gradient);
        }
    }
}
