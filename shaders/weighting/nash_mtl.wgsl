// The Nash bargain of the tasks: G w = 1/w, for a combined gradient of length 1. Rust twin: `weighting::gradients::fairgrad`.
fn nash_mtl_weigh() {
    fair(1.0, 1.0 / sqrt(f32(tasks)));
}
