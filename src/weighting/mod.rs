//! How the task losses become one number: the weighting schemes.
//!
//! A scheme gives each task a weight `w = ∂total/∂L` and, where the weight is learned, a gradient for
//! the parameter that it is learned through. One file a scheme, each a [`Scheme`], all of which [`SCHEMES`] lists; the WGSL twins
//! of the formulas are in `shaders/weighting`, of learned parameters in `shaders/shared/weighting.wgsl`. Knows nothing of networks or GPUs.

pub mod awl;
mod draws;
mod dwa;
mod famo;
mod fixed;
mod geometric;
pub mod gradients;
mod inverse;
mod registry;
mod rlw;
mod scheme;
mod softmax;
mod stch;
mod uncertainty;

pub use self::awl::{AutomaticWeightedLoss, SigmaForm};
pub use self::registry::{SCHEMES, find};
pub(crate) use self::scheme::MOST_SETTINGS;
pub use self::scheme::{Form, Kind, LEAST_LOSS, MEMORY, Moment, Scheme, Setting, TaskStep};

use self::awl::Awl;
use self::fixed::{Equal, Fixed};
use crate::error::{Error, Result};
use std::fmt;

/// A weighting scheme with its settings and its starting point, for a known number of tasks.
///
/// ```
/// use awl::{AutomaticWeightedLoss, Weighting};
/// let awl = Weighting::from(AutomaticWeightedLoss::new(2));
/// assert_eq!((awl.name(), awl.parameters()), ("awl", &[1.0, 1.0][..]));
/// assert_eq!(awl, Weighting::named("awl", &[], &[false, false])?);
/// # Ok::<(), awl::Error>(())
/// ```
#[derive(Clone)]
pub struct Weighting {
    scheme: &'static dyn Scheme,
    /// In the order of the scheme's.
    settings: Vec<f64>,
    /// Where each task starts, as it was said.
    starts: Vec<f32>,
    /// Whether each task's loss is a likelihood of classes.
    classes: Vec<bool>,
    /// The parameter of each task at its start.
    parameters: Vec<f32>,
    /// Whether each task's weight is held at 1 where others are learned.
    held: Vec<bool>,
}

impl Weighting {
    /// The plain sum of `tasks` losses: every weight 1.
    pub fn equal(tasks: usize) -> Self {
        Self::starting_at(&Equal, Vec::new(), vec![1.0; tasks])
    }

    /// `Σ wᵢ·Lᵢ` with these weights, one a task.
    pub fn fixed(weights: Vec<f32>) -> Self {
        Self::starting_at(&Fixed, Vec::new(), weights)
    }

    /// The scheme of this name with these settings, the others as they are by default; `classes` tells of each task whether its
    /// loss is a likelihood of classes ([`Loss::is_of_classes`](crate::Loss::is_of_classes)).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name or setting that there is not, with the nearest, and for a value out of its range.
    pub fn named(name: &str, settings: &[(&str, f64)], classes: &[bool]) -> Result<Self> {
        let scheme = find(name)?;
        let settings = registry::settings(scheme, settings)?;
        scheme.check(&settings)?;
        let starts = vec![scheme.start(&settings); classes.len()];
        Ok(Self::made(scheme, settings, starts, classes.to_vec()))
    }

    fn starting_at(scheme: &'static dyn Scheme, settings: Vec<f64>, starts: Vec<f32>) -> Self {
        let classes = vec![false; starts.len()];
        Self::made(scheme, settings, starts, classes)
    }

    fn made(
        scheme: &'static dyn Scheme,
        settings: Vec<f64>,
        starts: Vec<f32>,
        classes: Vec<bool>,
    ) -> Self {
        let parameter = |(&start, &classes)| scheme.parameter(&settings, start, classes);
        let parameters = starts.iter().zip(&classes).map(parameter).collect();
        let held = vec![false; classes.len()];
        Self { scheme, settings, starts, classes, parameters, held }
    }

    /// Holds the weight of these tasks at 1, if the others' are learned: of those whose loss is a likelihood with a noise of its own
    /// ([`Loss::predicts_noise`](crate::Loss::predicts_noise)). It may fall below 0, where no σ has a least total, and what σ would
    /// learn the network has learned already, row by row. [`Recipe::new`](crate::Recipe::new) does it.
    pub fn holding(mut self, tasks: &[bool]) -> Self {
        let form = self.scheme.form(&self.settings);
        self.held = tasks.iter().map(|held| *held && form.is_learned()).collect();
        for (parameter, _) in self.parameters.iter_mut().zip(&self.held).filter(|(_, held)| **held)
        {
            *parameter = form.unit();
        }
        self
    }

    /// Whether a task's weight is [held](Self::holding) at 1.
    pub fn is_held(&self, task: usize) -> bool {
        self.held.get(task).copied().unwrap_or_default()
    }

    /// Brings the parameters of tasks that are held to where their weight is 1.
    pub fn hold(&self, parameters: &mut [f64]) {
        let unit = self.scheme.form(&self.settings).unit();
        let held = parameters.iter_mut().zip(&self.held).filter(|(_, held)| **held);
        held.for_each(|(parameter, _)| *parameter = unit.into());
    }

    /// The tasks that are held as the kernels know them: a bit each, of the first 32.
    pub(crate) fn held_bits(&self) -> u32 {
        (0..32).map(|task| u32::from(self.is_held(task)) << task).sum()
    }

    /// The scheme.
    pub fn scheme(&self) -> &'static dyn Scheme {
        self.scheme
    }

    /// The name that users write.
    pub fn name(&self) -> &'static str {
        self.scheme.name()
    }

    /// The values of the scheme's [settings](Scheme::settings).
    pub fn settings(&self) -> &[f64] {
        &self.settings
    }

    /// The parameter of each task at its start, of the [form](Scheme::form) that the scheme has.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Whether the optimizer learns the parameters.
    pub fn is_learned(&self) -> bool {
        self.scheme.form(&self.settings).is_learned()
    }

    /// Whether the scheme looks at the gradients [at the representation](gradients::REPRESENTATION).
    pub(crate) fn is_at_representation(&self) -> bool {
        gradients::at_representation(self.scheme, &self.settings)
    }

    /// Whether the parameters change while a run trains.
    pub fn changes(&self) -> bool {
        self.is_learned() || !self.scheme.wgsl().is_empty()
    }

    /// What is learned of σ by the automatic weighted loss; `None` of another scheme.
    pub fn form(&self) -> Option<SigmaForm> {
        (self.name() == Awl.name()).then(|| Awl::sigma_form(&self.settings))
    }

    /// The number by which the kernels know the form (`shaders/shared/weighting.wgsl`).
    pub(crate) fn code(&self) -> u32 {
        self.scheme.form(&self.settings) as u32
    }

    /// What is wrong with a task's parameter that training is to go on from, if no training makes it.
    pub(crate) fn fault(&self, task: usize, parameter: f64) -> Option<&'static str> {
        match self.is_held(task) {
            true => (self.weight(parameter) as f32 - 1.0)
                .abs()
                .gt(&1e-5)
                .then_some("a weight that is not held at 1"),
            false => self.scheme.fault(&self.settings, parameter),
        }
    }

    /// The least that training lets a parameter be, if there is one.
    pub fn least_parameter(&self) -> Option<f64> {
        self.scheme.least(&self.settings)
    }

    /// σ at this value of a task's parameter, where there is one; none of a task that is [held](Self::holding).
    pub fn sigma(&self, task: usize, parameter: f64) -> Option<f64> {
        if self.is_held(task) {
            return None;
        }
        let classes = self.classes.get(task).copied().unwrap_or_default();
        self.scheme.sigma(&self.settings, parameter, classes)
    }

    /// Where a task's σ would come to rest at this loss, where there is one.
    pub fn rests_at(&self, task: usize, loss: f64) -> Option<f64> {
        if self.is_held(task) {
            return None;
        }
        let classes = self.classes.get(task).copied().unwrap_or_default();
        self.scheme.rest(&self.settings, loss, classes)
    }

    /// The variance of the noise that a task's parameter stands for, where its loss is `mse`, in the loss's unit: the loss at which σ
    /// would rest, `2σ⁴/(1+σ²)` of `awl`, `e^s` of `uncertainty` (Kendall, Gal & Cipolla 2018, eq. 5). `None` of other schemes, and of
    /// tasks that are [held](Self::holding).
    pub fn noise_variance(&self, task: usize, parameter: f64) -> Option<f64> {
        let is_held = self.is_held(task);
        self.scheme.noise_variance(&self.settings, parameter).filter(|_| !is_held)
    }

    /// A task's weight at this value of its parameter.
    pub fn weight(&self, parameter: f64) -> f64 {
        self.scheme.weight(&self.settings, parameter)
    }

    /// What a task adds to the total beside its weighted loss.
    pub fn regulariser(&self, parameter: f64) -> f64 {
        self.scheme.regulariser(&self.settings, parameter)
    }

    /// The total's gradient for a task's parameter at this loss; 0 where nothing learns it.
    pub fn parameter_gradient(&self, loss: f64, parameter: f64) -> f64 {
        self.scheme.gradient(&self.settings, loss, parameter)
    }

    /// The number by which the kernels know the scheme: its place in [`SCHEMES`].
    pub(crate) fn number(&self) -> u32 {
        let place = SCHEMES.iter().position(|scheme| scheme.name() == self.name());
        place.unwrap_or_default() as u32
    }

    /// Parameters and memory before the first step; `key` is of what is drawn at random for it.
    pub fn begin(&self, key: [u32; 2]) -> (Vec<f64>, Vec<[f64; MEMORY]>) {
        let start = |&parameter: &f32| TaskStep {
            loss: None,
            weight: parameter.into(),
            memory: [0.0; MEMORY],
        };
        let mut tasks: Vec<TaskStep> = self.parameters.iter().map(start).collect();
        let moment = Moment { settings: &self.settings, step: 0, ends_epoch: false, key };
        self.scheme.after(&moment, &mut tasks);
        tasks.iter().map(|task| (task.weight, task.memory)).unzip()
    }

    /// Checks the scheme against the number of tasks.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another number of starts than tasks; [`Error::Invalid`] for a start or a setting that the scheme
    /// cannot have.
    pub(crate) fn check(&self, tasks: &[impl AsRef<str>]) -> Result<()> {
        if self.starts.len() != tasks.len() {
            return Err(Error::Mismatch {
                what: "the weighting".into(),
                unit: "tasks",
                found: self.starts.len(),
                expected: tasks.len(),
                why: "as many as the network's heads".into(),
            });
        }
        self.scheme.check(&self.settings)?;
        if self.scheme.kind() == Kind::Gradients && tasks.len() > gradients::MOST_TASKS {
            return Err(Error::invalid(
                format!("{} tasks with the weighting {}", tasks.len(), self.name()),
                format!(
                    "give it {} at most, or use a weighting that needs no gradients of single tasks, such as awl",
                    gradients::MOST_TASKS
                ),
            ));
        }
        for (&start, task) in self.starts.iter().zip(tasks) {
            if let Some((problem, remedy)) = self.scheme.problem(&self.settings, start) {
                return Err(Error::invalid(
                    format!("task \"{}\": {problem}", task.as_ref()),
                    remedy,
                ));
            }
        }
        Ok(())
    }
}

impl PartialEq for Weighting {
    fn eq(&self, other: &Self) -> bool {
        let of =
            |it: &Self| (it.name(), it.settings.clone(), it.starts.clone(), it.classes.clone());
        of(self) == of(other) && self.held == other.held
    }
}

impl fmt::Debug for Weighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weighting")
            .field("scheme", &self.name())
            .field("settings", &self.settings)
            .field("starts", &self.starts)
            .field("held", &self.held)
            .finish()
    }
}
