{#- A task's losses over the rows of a small network, and its gradient at the predictions. Included for every `task`, with its
    number k in all names.

    Lane = column of the predictions within a block of LANES, two rows at a time. What must be known of a whole row of
    classes is found by exchange between the lanes. The losses themselves are shared/losses.wgsl. -#}
{%- set k = task.number -%}
{%- set heads = layers | length -%}
// Task {{ k }}.
const TASK_{{ k }} = {{ k }}u;
const LOSS_{{ k }} = {{ task.loss }}u;
const WIDTH_{{ k }} = {{ task.width }}u;
const FIRST_{{ k }} = {{ task.first }}u;  // its first column among the predictions
const LABELS_{{ k }} = {{ task.labels }}u; // labels a row: its width, or 1 for a class
const IS_MASKED_{{ k }} = {{ task.is_masked }};
const IS_SMOOTHED_{{ k }} = {{ task.is_smoothed }};
const IS_WEIGHTED_{{ k }} = {{ task.is_weighted }};
const IS_SAMPLE_WEIGHTED_{{ k }} = {{ task.is_sample_weighted }};
const FIRST_BLOCK_{{ k }} = FIRST_{{ k }} / LANES;
const END_BLOCK_{{ k }} = (FIRST_{{ k }} + WIDTH_{{ k }} + LANES - 1u) / LANES;

fn is_column_{{ k }}(column: u32) -> bool {
    return column >= FIRST_{{ k }} && column < FIRST_{{ k }} + WIDTH_{{ k }};
}

// Whether this row of the dataset has a label.
fn is_labelled_{{ k }}(task: Task, row: u32) -> bool {
    if IS_MASKED_{{ k }} {
        return has_label(task, row);
    }
    return true;
}

// How much a row of the dataset counts.
fn sample_weight_{{ k }}(task: Task, row: u32) -> f32 {
    if IS_SAMPLE_WEIGHTED_{{ k }} {
        return sample_weight(task, row);
    }
    return 1.0;
}

// A row's label, if it has no more than one.
fn only_label_{{ k }}(task: Task, row: u32) -> u32 {
    if LABELS_{{ k }} == 1u {
        return labels[task.label + row * task.label_stride];
    }
    return 0u;
}

// Adds the gradient of two rows to `gradient`, in this task's columns, and returns this lane's part of their losses.
fn task_pass_{{ k }}(
    lane: u32, task: Task, rows: vec2<u32>, label: vec2<u32>, counts: vec2<bool>, scale: f32,
    predictions: ptr<function, Units_{{ heads }}>, gradient: ptr<function, Units_{{ heads }}>,
) -> f32 {
    let weights = vec2(sample_weight_{{ k }}(task, rows.x), sample_weight_{{ k }}(task, rows.y));
    if LOSS_{{ k }} == CROSS_ENTROPY {
        return class_pass_{{ k }}(lane, task, label, counts, weights, scale, predictions, gradient);
    }
    var sum = 0.0;
    for (var block = FIRST_BLOCK_{{ k }}; block < END_BLOCK_{{ k }}; block++) {
        let column = block * LANES + lane;
        var own = label;
        if LABELS_{{ k }} > 1u {
            let at = task.label + rows * task.label_stride + column - FIRST_{{ k }};
            own = vec2(labels[at.x], labels[at.y]);
        }
        let a = element_loss_{{ k }}(task, (*predictions)[block].x, bitcast<f32>(own.x));
        let b = element_loss_{{ k }}(task, (*predictions)[block].y, bitcast<f32>(own.y));
        let is_own = counts & vec2(is_column_{{ k }}(column));
        (*gradient)[block] = select((*gradient)[block], scale * weights * vec2(a.y, b.y), is_own);
        sum += select(0.0, weights.x * a.x, is_own.x) + select(0.0, weights.y * b.x, is_own.y);
    }
    return sum;
}

fn element_loss_{{ k }}(task: Task, prediction: f32, label: f32) -> vec2<f32> {
    if LOSS_{{ k }} == MSE {
        return mse(prediction - label);
    }
    return element_loss(task, prediction, label);
}

fn weight_of_class_{{ k }}(task: Task, class_index: u32) -> f32 {
    if IS_WEIGHTED_{{ k }} {
        return class_weight(task, class_index);
    }
    return 1.0;
}

// Cross-entropy: lane = class.
fn class_pass_{{ k }}(
    lane: u32, task: Task, label: vec2<u32>, counts: vec2<bool>, weights: vec2<f32>, scale: f32,
    predictions: ptr<function, Units_{{ heads }}>, gradient: ptr<function, Units_{{ heads }}>,
) -> f32 {
    var highest = vec2(-3.4028234663852886e38);
    for (var block = FIRST_BLOCK_{{ k }}; block < END_BLOCK_{{ k }}; block++) {
        let logit = (*predictions)[block];
        highest = select(highest, max(highest, logit), is_column_{{ k }}(block * LANES + lane));
    }
    highest = lane_max(highest);
    var others = vec2<f32>();
    var own = vec2<f32>();
    var weighted_depth = vec2<f32>();
    for (var block = FIRST_BLOCK_{{ k }}; block < END_BLOCK_{{ k }}; block++) {
        let column = block * LANES + lane;
        let depth = (*predictions)[block] - highest;
        let is_own = label == vec2(column - FIRST_{{ k }});
        let counted = select(exp(depth), vec2<f32>(), is_own);
        others += select(vec2<f32>(), counted, is_column_{{ k }}(column));
        own += select(vec2<f32>(), depth, is_own & vec2(is_column_{{ k }}(column)));
        if IS_SMOOTHED_{{ k }} {
            let weight = weight_of_class_{{ k }}(task, min(column - FIRST_{{ k }}, WIDTH_{{ k }} - 1u));
            weighted_depth -= select(vec2<f32>(), weight * depth, is_column_{{ k }}(column));
        }
    }
    others = lane_sum(others);
    own = lane_sum(own);
    weighted_depth = lane_sum(weighted_depth);
    let a = ClassRow(highest.x, others.x, own.x, weight_of_class_{{ k }}(task, label.x), weighted_depth.x);
    let b = ClassRow(highest.y, others.y, own.y, weight_of_class_{{ k }}(task, label.y), weighted_depth.y);
    for (var block = FIRST_BLOCK_{{ k }}; block < END_BLOCK_{{ k }}; block++) {
        let column = block * LANES + lane;
        let c = column - FIRST_{{ k }};
        let weight = weight_of_class_{{ k }}(task, min(c, WIDTH_{{ k }} - 1u));
        let logit = (*predictions)[block];
        let slope = vec2(
            class_slope(task, a, c == label.x, weight, logit.x), class_slope(task, b, c == label.y, weight, logit.y),
        );
        (*gradient)[block] = select((*gradient)[block], scale * weights * slope, counts & vec2(is_column_{{ k }}(column)));
    }
    let loss = select(vec2<f32>(), weights * vec2(class_loss(task, a), class_loss(task, b)), counts);
    return select(0.0, loss.x + loss.y, lane == 0u);
}
