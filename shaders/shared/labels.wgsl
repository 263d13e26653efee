// Tasks and their labels. One buffer of words holds all that is known of the labels: numbers as the
// bits of f32, class indices as u32, masks as a bit a row, weights as the bits of f32; each task
// says where its own lie. Rust twin: `loss::labels`.

const NONE = 0xffffffffu;

struct Task {
    loss: u32,              // which loss: see losses.wgsl
    width: u32,             // columns of numbers, or classes
    parameter: f32,         // Huber's delta, the quantile, beta of gaussian_nll, or the label smoothing
    prediction: u32,        // where row 0 lies in `predictions` and its gradient
    prediction_stride: u32, // from a row to the next
    label: u32,             // where row 0 lies in `labels`
    label_stride: u32,
    mask: u32,              // where the mask starts in `labels`, or NONE: every row is labelled
    class_weights: u32,     // where they start in `labels`, or NONE: all 1
    all_weights: f32,       // their sum
    sample_weights: u32,    // where they start in `labels`, one a row, or NONE: all 1
}

fn has_label(task: Task, row: u32) -> bool {
    if task.mask == NONE {
        return true;
    }
    return ((labels[task.mask + row / 32u] >> (row % 32u)) & 1u) == 1u;
}

fn class_weight(task: Task, class_index: u32) -> f32 {
    if task.class_weights == NONE {
        return 1.0;
    }
    return bitcast<f32>(labels[task.class_weights + class_index]);
}

// How much a row of the dataset counts.
fn sample_weight(task: Task, row: u32) -> f32 {
    if task.sample_weights == NONE {
        return 1.0;
    }
    return bitcast<f32>(labels[task.sample_weights + row]);
}

// What a labelled row adds to the normaliser that the task's sum is divided by.
fn row_weight(task: Task, row: u32) -> f32 {
    if task.loss == CROSS_ENTROPY {
        return sample_weight(task, row) * class_weight(task, labels[task.label + row * task.label_stride]);
    }
    return sample_weight(task, row) * f32(task.width);
}
