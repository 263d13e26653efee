// One task's losses over the rows of a small network, and its gradient at the predictions; `programs::small` copies this
// file once a task, with the task's number for K in every name, and its constants: TASK_K (its number), LOSS_K, WIDTH_K,
// FIRST_K (its first column among the predictions), LABELS_K (labels a row: its width, or 1 for a class), IS_MASKED_K,
// IS_SMOOTHED_K, IS_WEIGHTED_K.
//
// Lane = column of the predictions within a block of LANES, two rows at a time. What must be known of a whole row of
// classes is found by exchange between the lanes. The losses themselves are shared/losses.wgsl.

const FIRST_BLOCK_K = FIRST_K / LANES;
const END_BLOCK_K = (FIRST_K + WIDTH_K + LANES - 1u) / LANES;

fn is_column_K(column: u32) -> bool {
    return column >= FIRST_K && column < FIRST_K + WIDTH_K;
}

// Whether this row of the dataset has a label.
fn is_labelled_K(task: Task, row: u32) -> bool {
    if IS_MASKED_K {
        return has_label(task, row);
    }
    return true;
}

// A row's label, if it has no more than one.
fn only_label_K(task: Task, row: u32) -> u32 {
    if LABELS_K == 1u {
        return labels[task.label + row * task.label_stride];
    }
    return 0u;
}

// Adds the gradient of two rows to `gradient`, in this task's columns, and returns this lane's part of their losses.
fn task_pass_K(
    lane: u32, task: Task, rows: vec2<u32>, label: vec2<u32>, counts: vec2<bool>, scale: f32,
    predictions: ptr<function, Units_L>, gradient: ptr<function, Units_L>,
) -> f32 {
    if LOSS_K == CROSS_ENTROPY {
        return class_pass_K(lane, task, label, counts, scale, predictions, gradient);
    }
    var sum = 0.0;
    for (var block = FIRST_BLOCK_K; block < END_BLOCK_K; block++) {
        let column = block * LANES + lane;
        var own = label;
        if LABELS_K > 1u {
            let at = task.label + rows * task.label_stride + column - FIRST_K;
            own = vec2(labels[at.x], labels[at.y]);
        }
        let a = element_loss_K(task, (*predictions)[block].x, bitcast<f32>(own.x));
        let b = element_loss_K(task, (*predictions)[block].y, bitcast<f32>(own.y));
        let is_own = counts & vec2(is_column_K(column));
        (*gradient)[block] = select((*gradient)[block], scale * vec2(a.y, b.y), is_own);
        sum += select(0.0, a.x, is_own.x) + select(0.0, b.x, is_own.y);
    }
    return sum;
}

fn element_loss_K(task: Task, prediction: f32, label: f32) -> vec2<f32> {
    if LOSS_K == MSE {
        return mse(prediction - label);
    }
    return element_loss(task, prediction, label);
}

fn weight_of_class_K(task: Task, class_index: u32) -> f32 {
    if IS_WEIGHTED_K {
        return class_weight(task, class_index);
    }
    return 1.0;
}

// Cross-entropy: lane = class.
fn class_pass_K(
    lane: u32, task: Task, label: vec2<u32>, counts: vec2<bool>, scale: f32,
    predictions: ptr<function, Units_L>, gradient: ptr<function, Units_L>,
) -> f32 {
    var highest = vec2(-3.402823e38);
    for (var block = FIRST_BLOCK_K; block < END_BLOCK_K; block++) {
        let logit = (*predictions)[block];
        highest = select(highest, max(highest, logit), is_column_K(block * LANES + lane));
    }
    highest = lane_max(highest);
    var others = vec2<f32>();
    var own = vec2<f32>();
    var weighted_depth = vec2<f32>();
    for (var block = FIRST_BLOCK_K; block < END_BLOCK_K; block++) {
        let column = block * LANES + lane;
        let depth = (*predictions)[block] - highest;
        let is_own = label == vec2(column - FIRST_K);
        let counted = select(exp(depth), vec2<f32>(), is_own);
        others += select(vec2<f32>(), counted, is_column_K(column));
        own += select(vec2<f32>(), depth, is_own & vec2(is_column_K(column)));
        if IS_SMOOTHED_K {
            let weight = weight_of_class_K(task, min(column - FIRST_K, WIDTH_K - 1u));
            weighted_depth -= select(vec2<f32>(), weight * depth, is_column_K(column));
        }
    }
    others = lane_sum(others);
    own = lane_sum(own);
    weighted_depth = lane_sum(weighted_depth);
    let a = ClassRow(highest.x, others.x, own.x, weight_of_class_K(task, label.x), weighted_depth.x);
    let b = ClassRow(highest.y, others.y, own.y, weight_of_class_K(task, label.y), weighted_depth.y);
    for (var block = FIRST_BLOCK_K; block < END_BLOCK_K; block++) {
        let column = block * LANES + lane;
        let c = column - FIRST_K;
        let weight = weight_of_class_K(task, min(c, WIDTH_K - 1u));
        let logit = (*predictions)[block];
        let slope = vec2(
            class_slope(task, a, c == label.x, weight, logit.x), class_slope(task, b, c == label.y, weight, logit.y),
        );
        (*gradient)[block] = select((*gradient)[block], scale * slope, counts & vec2(is_column_K(column)));
    }
    let loss = select(vec2<f32>(), vec2(class_loss(task, a), class_loss(task, b)), counts);
    return select(0.0, loss.x + loss.y, lane == 0u);
}
