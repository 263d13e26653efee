//! What the reference engine finds by differentiating a step.

use crate::engine::step::Record;

/// Every first derivative of a step's total, and the record of that step.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// Losses, total, weights and σ.
    pub record: Record,
    /// `∂total/∂parameter`, flat, each tensor at its range of
    /// [`Network::tensors`](crate::Network::tensors); weight decay is the optimizer's and not in it.
    pub parameters: Vec<f64>,
    /// `∂total/∂σ`, or `∂total/∂(ln σ²)` where that is learned, shape `[tasks]`; 0 where the weight is given or the batch has
    /// no label of the task.
    pub sigma: Vec<f64>,
    /// `∂total/∂prediction`, shape `[rows, outputs]`, in the order of the batch's rows.
    pub predictions: Vec<f64>,
}
