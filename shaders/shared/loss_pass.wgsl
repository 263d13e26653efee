// One task's losses over a share of the rows: sums the loss and writes the gradient at every
// prediction in the same pass. That is possible because the task's weight depends on sigma alone and
// the total is linear in the loss, so no gradient has to wait for the sum (see docs of `loss::pass`).
//
// LANES_PER_ROW neighbouring lanes work on a row, 64 / LANES_PER_ROW rows make a tile, and a
// workgroup takes every `workgroups`-th tile.
//
// Reads:  predictions [rows, ...], labels, tasks        Writes: gradient, shaped like predictions

override LANES_PER_ROW: u32 = 1u;
// Whether any task has weights of classes and of rows, and label smoothing. Where none has, software adapters would still walk through
// both sides of the branches that find this out, loads included.
override HAS_CLASS_WEIGHTS: bool = true;
override HAS_SAMPLE_WEIGHTS: bool = true;
override HAS_SMOOTHING: bool = true;
// Whether any task's loss predicts its own noise.
override HAS_OWN_NOISE: bool = true;

// The row of `labels` that belongs to this row of the predictions.
// fn label_row(row: u32) -> u32
// What `predictions` holds at an offset, and where the gradient there goes.
// fn prediction_at(at: u32) -> f32
// fn set_gradient(at: u32, value: f32)     -- each kernel has its own

fn weight_of_class(task: Task, class_index: u32) -> f32 {
    if HAS_CLASS_WEIGHTS {
        return class_weight(task, class_index);
    }
    return 1.0;
}

// Sums over the classes of a row, by the lanes that share it.
fn class_row(task: Task, counts: bool, at: u32, class_index: u32, part: u32, lane: u32) -> ClassRow {
    var row: ClassRow;
    var highest = -3.4028234663852886e38;
    if counts {
        for (var c = part; c < task.width; c += LANES_PER_ROW) {
            highest = max(highest, prediction_at(at + c));
        }
    }
    row.highest = max_over(LANES_PER_ROW, lane, highest);
    var others = 0.0;
    var weighted_depth = 0.0;
    if counts {
        for (var c = part; c < task.width; c += LANES_PER_ROW) {
            let logit = prediction_at(at + c);
            if c != class_index {
                others += exp(logit - row.highest);
            }
            if HAS_SMOOTHING && task.parameter != 0.0 {
                weighted_depth += weight_of_class(task, c) * (row.highest - logit);
            }
        }
        row.own = prediction_at(at + class_index) - row.highest;
        row.weight = weight_of_class(task, class_index);
    }
    row.others = sum_over(LANES_PER_ROW, lane, others);
    if HAS_SMOOTHING && task.parameter != 0.0 {
        row.weighted_depth = sum_over(LANES_PER_ROW, lane, weighted_depth);
    }
    return row;
}

// Cross-entropy of a row; returns this lane's part of the loss.
fn class_row_pass(task: Task, counts: bool, row: u32, scale: f32, part: u32, lane: u32) -> f32 {
    let at = task.prediction + row * task.prediction_stride;
    var class_index = 0u;
    if counts {
        class_index = labels[task.label + label_row(row) * task.label_stride];
    }
    let sums = class_row(task, counts, at, class_index, part, lane);
    if !counts {
        return 0.0;
    }
    for (var c = part; c < task.width; c += LANES_PER_ROW) {
        let slope = class_slope(task, sums, c == class_index, weight_of_class(task, c), prediction_at(at + c));
        set_gradient(at + c, scale * slope);
    }
    return select(0.0, class_loss(task, sums), part == 0u);
}

// Every other loss of a row, column by column; returns this lane's part of the loss.
fn element_row_pass(task: Task, row: u32, scale: f32, part: u32) -> f32 {
    let at = task.prediction + row * task.prediction_stride;
    let label_at = task.label + label_row(row) * task.label_stride;
    var sum = 0.0;
    for (var c = part; c < task.width; c += LANES_PER_ROW) {
        let result = element_loss(task, prediction_at(at + c), bitcast<f32>(labels[label_at + c]));
        set_gradient(at + c, scale * result.y);
        sum += result.x;
    }
    return sum;
}

// The same of losses that predict their noise, whose logarithms of scales follow the columns.
fn noise_row_pass(task: Task, row: u32, scale: f32, part: u32) -> f32 {
    let at = task.prediction + row * task.prediction_stride;
    let label_at = task.label + label_row(row) * task.label_stride;
    var sum = 0.0;
    for (var c = part; c < task.width; c += LANES_PER_ROW) {
        let log_scale = at + task.width + c;
        let result = noise_loss(task, prediction_at(at + c), prediction_at(log_scale), bitcast<f32>(labels[label_at + c]));
        set_gradient(at + c, scale * result.y);
        set_gradient(log_scale, scale * result.z);
        sum += result.x;
    }
    return sum;
}

fn clear_row_gradient(task: Task, row: u32, part: u32) {
    let at = task.prediction + row * task.prediction_stride;
    for (var c = part; c < task.width; c += LANES_PER_ROW) {
        set_gradient(at + c, 0.0);
        if HAS_OWN_NOISE && predicts_noise(task.loss) {
            set_gradient(at + task.width + c, 0.0);
        }
    }
}

// The workgroup's share of a task's summed loss, in every lane. `scale` is what the gradient at a
// prediction is multiplied by: weight / normaliser.
fn task_pass(task: Task, rows: u32, scale: f32, workgroup: u32, workgroups: u32, lane: u32) -> f32 {
    let rows_per_tile = LANES / LANES_PER_ROW;
    let part = lane % LANES_PER_ROW;
    let tiles = (rows + rows_per_tile - 1u) / rows_per_tile;
    var sum: LongSum;
    for (var tile = workgroup; tile < tiles; tile += workgroups) {
        let row = tile * rows_per_tile + lane / LANES_PER_ROW;
        let inside = row < rows;
        var counts = inside;
        if inside {
            counts = has_label(task, label_row(row));
        }
        if inside && !counts {
            clear_row_gradient(task, row, part);
        }
        var weight = 1.0;
        if HAS_SAMPLE_WEIGHTS && counts {
            weight = sample_weight(task, label_row(row));
        }
        var losses = 0.0;
        if task.loss == CROSS_ENTROPY {
            losses = class_row_pass(task, counts, row, scale * weight, part, lane);
        } else if HAS_OWN_NOISE && predicts_noise(task.loss) {
            if counts {
                losses = noise_row_pass(task, row, scale * weight, part);
            }
        } else if counts {
            losses = element_row_pass(task, row, scale * weight, part);
        }
        add_term(&sum, weight * losses);
    }
    return sum_over(LANES, lane, sum_of(sum));
}
