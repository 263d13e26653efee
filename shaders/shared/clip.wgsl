// Clipping by the norm of the network's gradient, as PyTorch's clip_grad_norm_ does it. Rust twin:
// `optimizer::clip_factor`.

override CLIP: f32 = 0.0; // the norm; 0: gradients are left as they are

// By what a gradient is multiplied whose squares add up to this. Squares that are not finite make every product so:
// no parameter is updated then, and training stops.
fn clip_factor(squares: f32) -> f32 {
    return select(squares, min(1.0, CLIP / (sqrt(squares) + 1e-6)), is_finite(squares));
}
