//! The rows to train on, on the device: features and labels, which all members of a fleet share.

use crate::data::Dataset;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu};
use crate::loss::{Labels, Task, TaskLayout};

/// A dataset on the device.
pub(crate) struct Rows {
    pub count: usize,
    pub features: Buffer<f32>,
    pub labels: Buffer<u32>,
    pub tasks: Buffer<TaskLayout>,
    /// What `tasks` holds.
    pub layouts: Vec<TaskLayout>,
}

impl Rows {
    /// Uploads them.
    pub fn new(gpu: &Gpu, tasks: &[Task], data: &Dataset) -> Result<Self> {
        let packed = Labels::pack(tasks, data.targets())?;
        Ok(Self {
            count: data.rows(),
            features: Buffer::storage(gpu, "the dataset's features", data.features().values())?,
            labels: Buffer::storage(gpu, "the dataset's labels", &packed.words)?,
            tasks: Buffer::storage(gpu, "the tasks", &packed.layouts)?,
            layouts: packed.layouts,
        })
    }
}
