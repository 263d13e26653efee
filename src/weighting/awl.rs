//! Automatic weighted loss: `Σ 0.5/σᵢ²·Lᵢ + ln(1+σᵢ²)`.
//!
//! Liebel & Körner, *Auxiliary Tasks in Multi-task Learning* (2018), eq. 3, after Kendall, Gal &
//! Cipolla, *Multi-Task Learning Using Uncertainty to Weigh Losses* (2018). The former learn σ, the latter `ln σ²`:
//! [`SigmaForm`] offers both. The kernels' twin of these formulas is `shaders/shared/weighting.wgsl`.

use super::Weighting;
use super::scheme::{Form, Kind, Scheme, Setting};
use crate::error::{Error, Result};

/// The scheme: σ is learned, or `ln σ²` above a floor.
#[derive(Debug)]
pub(crate) struct Awl;

impl Awl {
    /// What is learned with these settings.
    pub(super) fn sigma_form(settings: &[f64]) -> SigmaForm {
        match settings {
            [log, floor] if *log != 0.0 => SigmaForm::Log { floor: *floor as f32 },
            _ => SigmaForm::Plain,
        }
    }

    fn settings_of(form: SigmaForm) -> Vec<f64> {
        match form {
            SigmaForm::Plain => vec![0.0, SigmaForm::FLOOR.into()],
            SigmaForm::Log { floor } => vec![1.0, floor.into()],
        }
    }
}

impl Scheme for Awl {
    fn name(&self) -> &'static str {
        "awl"
    }

    fn summary(&self) -> &'static str {
        "automatic weighted loss: Σ 0.5/σ²·L + ln(1+σ²), σ learned"
    }

    fn source(&self) -> &'static str {
        "Liebel & Körner 2018, eq. 3"
    }

    fn kind(&self) -> Kind {
        Kind::Parameter
    }

    fn settings(&self) -> &'static [Setting] {
        &SETTINGS
    }

    fn form(&self, settings: &[f64]) -> Form {
        match Self::sigma_form(settings) {
            SigmaForm::Plain => Form::Sigma,
            SigmaForm::Log { .. } => Form::LogSigma,
        }
    }

    fn parameter(&self, settings: &[f64], start: f32, _classes: bool) -> f32 {
        Self::sigma_form(settings).parameter(start)
    }

    fn fault(&self, settings: &[f64], parameter: f64) -> Option<&'static str> {
        match self.least(settings) {
            None if parameter == 0.0 => Some("a σ of 0, whose weight would be infinite"),
            Some(least) if parameter < least => Some("a ln σ² below that of the floor"),
            _ => None,
        }
    }

    fn least(&self, settings: &[f64]) -> Option<f64> {
        Self::sigma_form(settings).least_parameter().map(f64::from)
    }

    fn sigma(&self, settings: &[f64], parameter: f64, _classes: bool) -> Option<f64> {
        Some(Self::sigma_form(settings).sigma(parameter))
    }

    fn rest(&self, settings: &[f64], loss: f64, _classes: bool) -> Option<f64> {
        let floor = match Self::sigma_form(settings) {
            SigmaForm::Plain => 0.0,
            SigmaForm::Log { floor } => floor.into(),
        };
        Some(equilibrium(loss).max(floor))
    }

    fn noise_variance(&self, settings: &[f64], parameter: f64) -> Option<f64> {
        let square = Self::sigma_form(settings).sigma(parameter).powi(2);
        Some(2.0 * square * square / (1.0 + square))
    }

    fn problem(&self, settings: &[f64], start: f32) -> Option<(String, String)> {
        let says =
            |why: String, remedy: &str| Some((format!("σ starts at {start}{why}"), remedy.into()));
        match Self::sigma_form(settings) {
            _ if !start.is_finite() || start == 0.0 => {
                says(String::new(), "start it at a finite number other than 0, such as 1")
            }
            SigmaForm::Log { floor } if start.abs() < floor => says(
                format!(", below its floor of {floor}"),
                "start it at the floor or above, or lower the floor",
            ),
            _ => None,
        }
    }

    fn check(&self, settings: &[f64]) -> Result<()> {
        match Self::sigma_form(settings) {
            SigmaForm::Plain => Ok(()),
            SigmaForm::Log { floor } => check_floor(floor),
        }
    }

    fn weight(&self, settings: &[f64], parameter: f64) -> f64 {
        Self::sigma_form(settings).weight(parameter)
    }

    fn regulariser(&self, settings: &[f64], parameter: f64) -> f64 {
        Self::sigma_form(settings).regulariser(parameter)
    }

    fn gradient(&self, settings: &[f64], loss: f64, parameter: f64) -> f64 {
        Self::sigma_form(settings).gradient(loss, parameter)
    }
}

/// Form and floor of [`SigmaForm`].
static SETTINGS: [Setting; 2] = [
    Setting {
        name: "log",
        summary: "1 learns ln σ², above the floor; 0 learns σ itself",
        default: 0.0,
        range: [0.0, 1.0],
    },
    Setting {
        name: "floor",
        summary: "the least σ of the former",
        default: SigmaForm::FLOOR as f64,
        range: [f64::MIN_POSITIVE, f64::MAX],
    },
];

/// Checks that the floor keeps weights within `f32`.
fn check_floor(floor: f32) -> Result<()> {
    let most = weight(floor.into()) as f32;
    if floor > 0.0 && floor.is_finite() && most.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(
        format!("σ has a floor of {floor}, at which a weight would be {most}"),
        format!("use a small number above 0, such as {}", SigmaForm::FLOOR),
    ))
}

impl From<AutomaticWeightedLoss> for Weighting {
    fn from(awl: AutomaticWeightedLoss) -> Self {
        let AutomaticWeightedLoss { sigma, form, .. } = awl;
        Self::starting_at(&Awl, Awl::settings_of(form), sigma)
    }
}

/// The learned weighting of the original PyTorch module: one σ a task, all starting at 1.
///
/// ```
/// let awl = awl::AutomaticWeightedLoss::new(2);
/// assert_eq!(awl.sigma(), [1.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AutomaticWeightedLoss {
    sigma: Vec<f32>,
    form: SigmaForm,
    /// What stands for `sigma` in this form.
    parameters: Vec<f32>,
}

impl AutomaticWeightedLoss {
    /// σ = 1 for each of `tasks` tasks (`params = ones` in the original).
    pub fn new(tasks: usize) -> Self {
        Self::starting_at(vec![1.0; tasks])
    }

    /// σ starting where you say, one a task. [`equilibrium`] of a typical loss saves σ a long walk:
    /// Adam moves it by about its learning rate a step, whatever the loss.
    pub fn starting_at(sigma: Vec<f32>) -> Self {
        Self { parameters: sigma.clone(), sigma, form: SigmaForm::Plain }
    }

    /// The same objective and the same start, learned in this form.
    ///
    /// ```
    /// use awl::{AutomaticWeightedLoss, SigmaForm};
    /// let awl = AutomaticWeightedLoss::new(2).with_form(SigmaForm::log());
    /// assert_eq!((awl.sigma(), awl.parameters()), (&[1.0, 1.0][..], &[0.0, 0.0][..]));
    /// ```
    pub fn with_form(self, form: SigmaForm) -> Self {
        let parameters = self.sigma.iter().map(|&sigma| form.parameter(sigma)).collect();
        Self { parameters, form, ..self }
    }

    /// The starting σ, one a task.
    pub fn sigma(&self) -> &[f32] {
        &self.sigma
    }

    /// What is learned of σ.
    pub fn form(&self) -> SigmaForm {
        self.form
    }

    /// What is learned, at its start, one a task: σ or `ln σ²`.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }
}

/// What is learned of a σ: it, or its logarithm. The objective is the same; the way to its minimum is not, since Adam
/// moves whatever is learned by about its learning rate a step.
///
/// A task that can be learned exactly drives σ to 0, where the weight `0.5/σ²` has no bound.
///
/// ```
/// use awl::SigmaForm;
/// let log = SigmaForm::log();
/// assert_eq!(log.sigma(0.0), 1.0);
/// // However small the loss, no weight passes 5,000.
/// let least = log.least_parameter().expect("a floor");
/// assert!((log.weight(least.into()) - 5_000.0).abs() < 0.01);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum SigmaForm {
    /// σ itself, as in the original. A step may carry it past 0, or so close that the weight explodes and the gradient
    /// `−L/σ³` throws it far away: give it a learning rate that is small beside the σ that the losses call for.
    #[default]
    Plain,
    /// `s = ln σ²`: total `½e⁻ˢ·L + ln(1+eˢ)`, gradient `1/(1+e⁻ˢ) − ½e⁻ˢ·L`. A step multiplies σ by at most about
    /// `e^(±rate/2)`, and none crosses 0.
    Log {
        /// The smallest σ: a step that would go below ends there, so that no weight passes `0.5/floor²`. Objective and
        /// gradient are the formulas' own at the floor and above it, so that σ leaves it as soon as the loss calls for
        /// more. It is in the way of losses below about `2·floor⁴` only, whose σ would come to rest beneath it.
        floor: f32,
    },
}

impl SigmaForm {
    /// The usual floor under σ: weights of at most 5,000, reached by losses below 2e-8.
    pub const FLOOR: f32 = 0.01;

    /// `ln σ²`, above the usual [floor](Self::FLOOR).
    pub fn log() -> Self {
        Self::Log { floor: Self::FLOOR }
    }

    /// What is learned where σ has this value; the floor's where it is below the floor.
    pub fn parameter(self, sigma: f32) -> f32 {
        match self {
            Self::Plain => sigma,
            Self::Log { floor } => log_square(sigma).max(log_square(floor)),
        }
    }

    /// The least that training lets the parameter be, if there is one.
    pub fn least_parameter(self) -> Option<f32> {
        match self {
            Self::Plain => None,
            Self::Log { floor } => Some(log_square(floor)),
        }
    }

    /// σ at this value of the parameter.
    pub fn sigma(self, parameter: f64) -> f64 {
        match self {
            Self::Plain => parameter,
            Self::Log { .. } => (0.5 * parameter).exp(),
        }
    }

    /// The task weight `∂total/∂L`: `0.5/σ²`.
    pub fn weight(self, parameter: f64) -> f64 {
        match self {
            Self::Plain => weight(parameter),
            Self::Log { .. } => 0.5 * (-parameter).exp(),
        }
    }

    /// The term `ln(1+σ²)`.
    pub fn regulariser(self, parameter: f64) -> f64 {
        match self {
            Self::Plain => regulariser(parameter),
            // ln(1 + eˢ), whose eˢ may overflow.
            Self::Log { .. } => parameter.max(0.0) + (-parameter.abs()).exp().ln_1p(),
        }
    }

    /// The total's gradient for the parameter at this loss.
    pub fn gradient(self, loss: f64, parameter: f64) -> f64 {
        match self {
            Self::Plain => sigma_gradient(loss, parameter),
            Self::Log { .. } => 1.0 / (1.0 + (-parameter).exp()) - loss * self.weight(parameter),
        }
    }
}

/// `ln σ²`, rounded once.
fn log_square(sigma: f32) -> f32 {
    (2.0 * f64::from(sigma.abs()).ln()) as f32
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

/// Where σ comes to rest at a fixed loss, in whichever form it is learned: `σ*² = (L + √(L² + 8L))/4`.
///
/// ```
/// assert!((awl::weighting::awl::equilibrium(100.0) - 7.140).abs() < 1e-3);
/// ```
pub fn equilibrium(loss: f64) -> f64 {
    ((loss + (loss * loss + 8.0 * loss).sqrt()) / 4.0).sqrt()
}
