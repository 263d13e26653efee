//! The one error type of the library: what went wrong, where, and what to do about it.

use std::path::PathBuf;

/// Everything that can go wrong, as a value that names the cause and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No adapter (GPU or software driver) can run the kernels.
    #[error(
        "no GPU adapter can be used; {listing}\ninstall a Vulkan driver (for software rendering: mesa-vulkan-drivers), or unset WGPU_BACKEND and WGPU_ADAPTER_NAME"
    )]
    NoAdapter {
        /// The adapters that were looked at, one a line, each with the reason.
        listing: String,
    },

    /// The adapter refused to open a device.
    #[error("the adapter \"{adapter}\" gave no device: {message}")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// The driver's words.
        message: String,
    },

    /// The device ran out of memory.
    #[error(
        "the GPU ran out of memory ({message}): use a smaller batch, a narrower network or fewer rows"
    )]
    OutOfMemory {
        /// What was being done.
        message: String,
    },

    /// The device was lost: unplugged, reset, or destroyed.
    #[error(
        "the GPU device was lost ({message}): open it again with Gpu::new and go on from the last saved state"
    )]
    DeviceLost {
        /// The driver's words.
        message: String,
    },

    /// wgpu rejected a call: a bug in this crate, or a limit that it failed to foresee.
    #[error("wgpu rejected a call, which is a bug in awl; please report it: {message}")]
    Validation {
        /// wgpu's words.
        message: String,
    },

    /// A tensor is larger than the adapter can bind.
    #[error(
        "{bytes} bytes for {tensor} are more than this adapter's {limit} of {allowed} bytes: {remedy}"
    )]
    TooLarge {
        /// Which tensor.
        tensor: String,
        /// Its size.
        bytes: u64,
        /// The limit's name in WebGPU.
        limit: &'static str,
        /// The limit's value.
        allowed: u64,
        /// What would fit.
        remedy: &'static str,
    },

    /// An argument that cannot mean anything: no task, a width of zero, a batch of zero, …
    #[error("{what}: {remedy}")]
    Invalid {
        /// What is wrong, naming the task or tensor.
        what: String,
        /// What would be right.
        remedy: String,
    },

    /// Two things that must have the same length have not.
    #[error("the number of {unit} of {what} is {found}, but must be {expected} ({why})")]
    Mismatch {
        /// Which tensor.
        what: String,
        /// Rows, columns, tasks, …
        unit: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
        /// Where the expectation comes from.
        why: String,
    },

    /// A feature or target is NaN or infinite.
    #[error(
        "{value} at row {row}, column {column} of {tensor}: replace it by a finite number, or, where it is a label, mark it as missing (Target::labelled)"
    )]
    NonFinite {
        /// Which tensor.
        tensor: String,
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
        /// The value.
        value: f32,
    },

    /// A class index that is not below the task's number of classes.
    #[error(
        "task \"{task}\": class {class} at row {row} is outside 0..{classes}: give the task more classes, or mark the label as missing"
    )]
    ClassOutOfRange {
        /// The task's name.
        task: String,
        /// Row, counted from 0.
        row: usize,
        /// The class found.
        class: u32,
        /// The number of classes.
        classes: usize,
    },

    /// A loss became NaN or infinite; training stopped before that step's update.
    #[error(
        "the loss of task \"{task}\" became {value} at step {step}, {}; the parameters from before that step are kept: lower the learning rate, or look for extreme values in its targets",
        of_row(first.as_ref(), "loss")
    )]
    NonFiniteLoss {
        /// The step, counted from 1.
        step: u64,
        /// The task's name.
        task: String,
        /// The loss, or the weighted loss where the loss itself is still finite.
        value: f32,
        /// The first row of the batch whose own loss is not finite; `None` where each is, but not their sum, or not what that is
        /// multiplied by.
        first: Option<FirstRow>,
    },

    /// The weighting has no finite weights at the losses of a batch; no parameter was changed by that step.
    #[error(
        "at step {step} the weighting {weighting} has no weights for losses of which that of task \"{task}\" is {loss}; the parameters from before that step are kept: {}",
        if *loss < 0.0 { "it needs losses of 0 or more: give the task another loss, or use another weighting, such as awl or equal" }
        else { "the losses are too far apart for it: bring them nearer to each other (standardise the targets), or use another weighting, such as equal" }
    )]
    NoWeights {
        /// The step, counted from 1.
        step: u64,
        /// The scheme's name.
        weighting: &'static str,
        /// The task of the least loss.
        task: String,
        /// That loss.
        loss: f32,
    },

    /// A gradient overflowed while every loss was finite; no parameter was changed by that step.
    #[error(
        "a gradient became NaN or infinite at step {step} while every loss was finite, {}; training stopped before it, and all parameters are finite: lower the learning rate, or raise σ",
        of_row(first.as_ref(), "gradient")
    )]
    NonFiniteGradient {
        /// The step, counted from 1.
        step: u64,
        /// The first row of the batch of whose own gradient, at any parameter, the square is not finite; `None` where each is.
        first: Option<FirstRow>,
    },

    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },

    /// A file of tensors is not what it should be.
    #[error("{file}: {problem}")]
    Tensors {
        /// The file's name.
        file: String,
        /// Which tensor, what is wrong, and the remedy.
        problem: String,
    },

    /// A table's contents are not what they should be.
    #[error("{table}: {problem}")]
    Table {
        /// The table's name: its path, where it has one.
        table: String,
        /// Row and column, what is wrong, and the remedy.
        problem: String,
    },
}

impl Error {
    /// An [`Error::Invalid`] from what is wrong and what would be right.
    pub(crate) fn invalid(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), remedy: remedy.into() }
    }

    /// Whether it says why training stopped, at a step whose state before is kept.
    pub fn is_of_training(&self) -> bool {
        matches!(
            self,
            Self::NonFiniteLoss { .. } | Self::NonFiniteGradient { .. } | Self::NoWeights { .. }
        )
    }

    /// The row at which training stopped, where it was a row's doing.
    pub fn first_row(&self) -> Option<FirstRow> {
        match self {
            Self::NonFiniteLoss { first, .. } | Self::NonFiniteGradient { first, .. } => *first,
            _ => None,
        }
    }
}

/// The first row of a failed step's batch whose own numbers left the finite ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstRow {
    /// Row of the dataset, counted from 0.
    pub row: usize,
    /// Which of its numbers is the largest.
    pub extreme: Extreme,
    /// That number.
    pub value: f32,
}

/// A place among a row's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// One of its features.
    Feature {
        /// Column, counted from 0.
        column: usize,
    },
    /// One of its labels.
    Label {
        /// The task, counted from 0.
        task: usize,
        /// Column of the task, counted from 0.
        column: usize,
    },
}

/// Says at which row something failed.
fn of_row(first: Option<&FirstRow>, what: &str) -> String {
    let Some(FirstRow { row, extreme, value }) = first else {
        return format!("though no single row's {what} did: their sum did, or the weighted one");
    };
    let place = match extreme {
        Extreme::Feature { column } => format!("feature {column}"),
        Extreme::Label { task, column } => format!("label {column} of task {task}"),
    };
    format!(
        "first in row {row} of the rows to train on (counted from 0), whose largest number is {value:e}, {place}"
    )
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
