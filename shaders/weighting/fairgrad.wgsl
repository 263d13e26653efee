// Alpha-fair shares of a step: G w = w^(-1/alpha); setting: alpha. Rust twin: `weighting::gradients::fairgrad`.
fn fairgrad_weigh() {
    fair(setting(0u), 1.0);
}
