// Every task's loss and gradient at the predictions of a tile: what shared/loss_pass.wgsl does on buffers, here on the
// rows of a lane, one component of Values each. The losses themselves are shared/losses.wgsl.

// Of a lane: a tile's, and all tiles'.
var<private> tile_sums: array<f32, TASKS>;
var<private> loss_sums: array<LongSum, TASKS>;
var<private> scales: array<f32, TASKS>;
var<private> own_tasks: array<Task, TASKS>;

// The predictions of a tile by column, which the units do not give; then the gradient there.
var<private> predictions: array<array<f32, 4u * HEAD_QUADS>, ROWS>;

fn prediction_at(i: u32) -> Values {
    var x: Values;
    for (var r = 0u; r < ROWS; r++) {
        x[r] = predictions[r][i];
    }
    return x;
}

fn set_prediction(i: u32, x: Values) {
    for (var r = 0u; r < ROWS; r++) {
        predictions[r][i] = x[r];
    }
}

// The rows of a tile that a lane holds: which rows of the dataset they are, and which of them are in the batch.
struct Rows {
    index: Indices,
    inside: Flags,
}

fn rows_of(tile: u32, lane: u32) -> Rows {
    let first = (tile * LANES + lane) * ROWS;
    var rows: Rows;
    for (var r = 0u; r < ROWS; r++) {
        // Lanes past the end compute some row of the batch, for nothing.
        rows.index[r] = order[member.first + min(first + r, step.rows - 1u)];
        rows.inside[r] = first + r < step.rows;
    }
    return rows;
}

fn counting(task: Task, rows: Rows) -> Flags {
    if !HAS_MASKS {
        return rows.inside;
    }
    var counts = rows.inside;
    for (var r = 0u; r < ROWS; r++) {
        counts[r] = counts[r] && has_label(task, rows.index[r]);
    }
    return counts;
}

// How much each row counts.
fn sample_weights(task: Task, rows: Rows) -> Values {
    var weights = Values(1.0);
    if HAS_SAMPLE_WEIGHTS {
        for (var r = 0u; r < ROWS; r++) {
            weights[r] = sample_weight(task, rows.index[r]);
        }
    }
    return weights;
}

// element_loss of losses.wgsl, short where no task needs more.
fn column_loss(task: Task, prediction: f32, label: f32) -> vec2<f32> {
    if HAS_MORE_THAN_MSE {
        return element_loss(task, prediction, label);
    }
    return mse(prediction - label);
}

// One column of numbers: stores the gradient, returns the rows' losses added up.
fn element_rows(task: Task, at: Indices, unit: u32, counts: Flags, weights: Values, scale: f32) -> f32 {
    let prediction = prediction_at(unit);
    var losses: Values;
    var slopes: Values;
    for (var r = 0u; r < ROWS; r++) {
        let both = column_loss(task, prediction[r], bitcast<f32>(labels[at[r]]));
        losses[r] = both.x;
        slopes[r] = both.y;
    }
    set_prediction(unit, select(Values(), scale * weights * slopes, counts));
    return added(select(Values(), weights * losses, counts));
}

// The same of a column whose noise is predicted too, `log_scale`.
fn noise_rows(task: Task, at: Indices, unit: u32, log_scale: u32, counts: Flags, weights: Values, scale: f32) -> f32 {
    let prediction = prediction_at(unit);
    let predicted_scale = prediction_at(log_scale);
    var losses: Values;
    var slopes: Values;
    var scale_slopes: Values;
    for (var r = 0u; r < ROWS; r++) {
        let all = noise_loss(task, prediction[r], predicted_scale[r], bitcast<f32>(labels[at[r]]));
        losses[r] = all.x;
        slopes[r] = all.y;
        scale_slopes[r] = all.z;
    }
    set_prediction(unit, select(Values(), scale * weights * slopes, counts));
    set_prediction(log_scale, select(Values(), scale * weights * scale_slopes, counts));
    return added(select(Values(), weights * losses, counts));
}

// What a branch skips on other adapters, all lanes walk through on these: hence HAS_MASKS, HAS_SMOOTHING,
// HAS_CLASS_WEIGHTS and HAS_SAMPLE_WEIGHTS, which say whether any task has them.
fn weight_of_class(task: Task, class_index: u32) -> f32 {
    if HAS_CLASS_WEIGHTS {
        return class_weight(task, class_index);
    }
    return 1.0;
}

// ClassRow of losses.wgsl, of all rows.
struct ClassRows {
    highest: Values,
    others: Values,
    own: Values,
    weight: Values,
    weighted_depth: Values,
}

fn class_rows(task: Task, first: u32, class_index: Indices) -> ClassRows {
    var rows: ClassRows;
    rows.highest = prediction_at(first);
    for (var c = 1u; c < task.width; c++) {
        rows.highest = max(rows.highest, prediction_at(first + c));
    }
    for (var c = 0u; c < task.width; c++) {
        let depth = prediction_at(first + c) - rows.highest;
        let is_own = class_index == Indices(c);
        rows.others += select(exp(depth), Values(), is_own);
        rows.own = select(rows.own, depth, is_own);
        if HAS_SMOOTHING {
            rows.weighted_depth -= weight_of_class(task, c) * depth;
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        rows.weight[r] = weight_of_class(task, class_index[r]);
    }
    return rows;
}

fn class_row(rows: ClassRows, r: u32) -> ClassRow {
    return ClassRow(rows.highest[r], rows.others[r], rows.own[r], rows.weight[r], rows.weighted_depth[r]);
}

// Cross-entropy: stores the gradient, returns the rows' losses added up.
fn class_rows_pass(task: Task, at: Indices, first: u32, counts: Flags, weights: Values, scale: f32) -> f32 {
    var own: Indices;
    for (var r = 0u; r < ROWS; r++) {
        own[r] = labels[at[r]];
    }
    let rows = class_rows(task, first, own);
    for (var c = 0u; c < task.width; c++) {
        let weight = weight_of_class(task, c);
        let logits = prediction_at(first + c);
        var slopes: Values;
        for (var r = 0u; r < ROWS; r++) {
            slopes[r] = class_slope(task, class_row(rows, r), c == own[r], weight, logits[r]);
        }
        set_prediction(first + c, select(Values(), scale * weights * slopes, counts));
    }
    var losses: Values;
    for (var r = 0u; r < ROWS; r++) {
        losses[r] = class_loss(task, class_row(rows, r));
    }
    return added(select(Values(), weights * losses, counts));
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
        let weights = sample_weights(task, rows);
        let at = task.label + rows.index * task.label_stride;
        let unit = task.prediction;
        let is_class = task.loss == CROSS_ENTROPY;
        for (var go = 0u; go < select(0u, one, is_class); go++) {
            tile_sums[k] += class_rows_pass(task, at, unit, counts, weights, scales[k]);
        }
        let own_noise = HAS_OWN_NOISE && predicts_noise(task.loss);
        for (var c = 0u; c < select(task.width, 0u, is_class || own_noise); c++) {
            tile_sums[k] += element_rows(task, at + c, unit + c, counts, weights, scales[k]);
        }
        if HAS_OWN_NOISE {
            for (var c = 0u; c < select(0u, task.width, own_noise); c++) {
                tile_sums[k] += noise_rows(task, at + c, unit + c, unit + task.width + c, counts, weights, scales[k]);
            }
        }
        var sum = loss_sums[k];
        add_term(&sum, tile_sums[k]);
        loss_sums[k] = sum;
        tile_sums[k] = 0.0;
    }
    for (var quad = 0u; quad < quads; quad++) {
        for (var i = 0u; i < 4u; i++) {
            let gradient = prediction_at(quad * 4u + i);
            set_unit(tile + HEADS + quad, i, gradient);
            bias_sums[i][HEADS + quad] += added(gradient);
        }
    }
}
