//! Automatic weighted loss: `Σ 0.5/σᵢ²·Lᵢ + ln(1+σᵢ²)`.
//!
//! Liebel & Körner, *Auxiliary Tasks in Multi-task Learning* (2018), eq. 3, after Kendall, Gal &
//! Cipolla, *Multi-Task Learning Using Uncertainty to Weigh Losses* (2018). The kernels' twin of these
//! formulas is `shaders/shared/weighting.wgsl`.

/// The learned weighting of the original PyTorch module: one σ a task, all starting at 1.
///
/// ```
/// let awl = awl::AutomaticWeightedLoss::new(2);
/// assert_eq!(awl.sigma(), [1.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AutomaticWeightedLoss {
    sigma: Vec<f32>,
}

impl AutomaticWeightedLoss {
    /// σ = 1 for each of `tasks` tasks (`params = ones` in the original).
    pub fn new(tasks: usize) -> Self {
        Self { sigma: vec![1.0; tasks] }
    }

    /// σ starting where you say, one a task. [`equilibrium`] of a typical loss saves σ a long walk:
    /// Adam moves it by about its learning rate a step, whatever the loss.
    pub fn starting_at(sigma: Vec<f32>) -> Self {
        Self { sigma }
    }

    /// The starting σ, one a task.
    pub fn sigma(&self) -> &[f32] {
        &self.sigma
    }
}

/// The task weight `∂total/∂L = 0.5/σ²`.
pub fn weight(sigma: f64) -> f64 {
    0.5 / (sigma * sigma)
}

/// The term `ln(1+σ²)` that keeps σ from growing for ever.
pub fn regulariser(sigma: f64) -> f64 {
    (sigma * sigma).ln_1p()
}

/// `∂total/∂σ = −L/σ³ + 2σ/(1+σ²)`.
pub fn sigma_gradient(loss: f64, sigma: f64) -> f64 {
    -loss / sigma.powi(3) + 2.0 * sigma / (1.0 + sigma * sigma)
}

/// Where σ comes to rest at a fixed loss: `σ*² = (L + √(L² + 8L))/4`.
///
/// ```
/// assert!((awl::weighting::awl::equilibrium(100.0) - 7.140).abs() < 1e-3);
/// ```
pub fn equilibrium(loss: f64) -> f64 {
    ((loss + (loss * loss + 8.0 * loss).sqrt()) / 4.0).sqrt()
}
