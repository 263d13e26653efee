//! The rows to train on, on the device: features and labels, which all members of a fleet share.

use super::window::{Window, most_bytes};
use crate::data::Dataset;
use crate::engine::recipe::Recipe;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::loss::{Labels, TaskLayout};

/// A dataset on the device: all of it, or the part that the steps under way take.
pub(crate) struct Rows {
    /// Rows of the dataset.
    pub count: usize,
    pub features: Buffer<f32>,
    pub labels: Buffer<u32>,
    pub tasks: Buffer<TaskLayout>,
    /// What `tasks` holds.
    pub layouts: Vec<TaskLayout>,
    /// Where it is a part.
    pub window: Option<Window>,
}

impl Rows {
    /// Uploads them for members of these recipes: all, where the device binds and holds them, else a window of them at a time.
    /// Where a number of bytes is given, a window of about so many.
    pub async fn upload(
        gpu: &Gpu,
        recipes: &[Recipe],
        data: &Dataset,
        window: Option<u64>,
    ) -> Result<Self> {
        let labels = Labels::pack(recipes[0].network.tasks(), data.targets())?;
        if window.is_none() && fits(gpu, recipes, data, &labels) {
            match gpu.guarded(|| Self::whole(gpu, data, &labels)).await {
                Err(Error::OutOfMemory { .. }) => {}
                made => return made,
            }
        }
        let count = data.rows();
        let window = Window::new(gpu, recipes, data, labels, window);
        gpu.guarded(|| Self::part(gpu, count, data.features().columns(), window)).await
    }

    fn whole(gpu: &Gpu, data: &Dataset, labels: &Labels) -> Result<Self> {
        Ok(Self {
            count: data.rows(),
            features: Buffer::storage(gpu, "the dataset's features", data.features().values())?,
            labels: Buffer::storage(gpu, "the dataset's labels", &labels.words)?,
            tasks: Buffer::storage(gpu, "the tasks", &labels.layouts)?,
            layouts: labels.layouts.clone(),
            window: None,
        })
    }

    fn part(gpu: &Gpu, count: usize, features: usize, window: Window) -> Result<Self> {
        let (layouts, words) = window.layouts();
        let values = window.sets * window.rows * features;
        Ok(Self {
            count,
            features: Buffer::zeros(gpu, "the features of the steps under way", values)?,
            labels: Buffer::storage(gpu, "the labels of the steps under way", &words)?,
            tasks: Buffer::storage(gpu, "the tasks", &layouts)?,
            layouts,
            window: Some(window),
        })
    }

    /// Rows on the device of a member.
    pub fn at_once(&self) -> usize {
        self.window.as_ref().map_or(self.count, |window| window.rows)
    }

    /// The most members that they are for.
    pub fn most_members(&self) -> usize {
        self.window.as_ref().map_or(usize::MAX, Window::most_members)
    }
}

/// Whether the device binds all that depends on the number of rows, of one member.
fn fits(gpu: &Gpu, recipes: &[Recipe], data: &Dataset, labels: &Labels) -> bool {
    let recipe = &recipes[0];
    let batches = data.rows().div_ceil(recipe.batch.max(1));
    let words = [
        data.features().values().len(),
        labels.words.len(),
        data.rows(),
        batches * recipe.network.tasks().len(),
    ];
    words.into_iter().all(|words| 4 * words as u64 <= most_bytes(gpu))
}
