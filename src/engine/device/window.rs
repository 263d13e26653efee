//! Rows beyond what the device binds or holds: they stay with the host, and the device has those of the steps under way.
//!
//! The steps of a submission are cut into runs whose rows fit. Before each run its rows are written to the device in the order in
//! which the epoch visits them, so that at every place of every batch the kernels find the values that they would find in the whole
//! table: the same bits. While the device makes the steps of one submission, the host gathers the rows of the next.

use super::rows::Rows;
use crate::data::{Dataset, Matrix};
use crate::engine::recipe::Recipe;
use crate::engine::step::{MOST_STEPS, Step};
use crate::gpu::Gpu;
use crate::loss::{Labels, TaskLayout};

/// Bytes of features, or of labels, that a window takes unless told otherwise: more steps than a submission makes of most tables.
const BYTES: u64 = 64 << 20;

/// Rows of a set come in multiples of this, so that no two sets share a word of a mask.
const MASKED: usize = 32;

/// What the host keeps, and how much of it the device has at a time.
pub(crate) struct Window {
    pub features: Matrix,
    pub labels: Labels,
    /// Rows of a set.
    pub rows: usize,
    /// Batches of a set.
    batches: usize,
    /// Sets of rows, one a member; one for all members where they take the same rows.
    pub sets: usize,
    is_shared: bool,
}

impl Window {
    /// A window for members of these recipes in at most so many bytes of features, and of labels; in more where a batch of a
    /// member takes more.
    pub fn new(
        gpu: &Gpu,
        recipes: &[Recipe],
        data: &Dataset,
        labels: Labels,
        bytes: Option<u64>,
    ) -> Self {
        let bytes = bytes.unwrap_or(BYTES).min(most_bytes(gpu));
        let batch = recipes[0].batch.min(data.rows());
        let words = data.features().columns().max(labels.words.len().div_ceil(data.rows()) + 1);
        let rows = (bytes / (4 * words as u64)) as usize;
        let is_shared = take_the_same_rows(recipes);
        let sets = match is_shared {
            true => 1,
            false => (rows / batch.next_multiple_of(MASKED)).clamp(1, recipes.len()),
        };
        let batches = (rows / sets / MASKED * MASKED / batch).clamp(1, MOST_STEPS);
        let rows = (batches * batch).next_multiple_of(MASKED);
        Self { features: data.features().clone(), labels, rows, batches, sets, is_shared }
    }

    /// The labels' layouts in the window, and its words before any row is in it.
    pub fn layouts(&self) -> (Vec<TaskLayout>, Vec<u32>) {
        self.labels.of_rows(self.sets * self.rows)
    }

    /// `[members, rows]`: where the rows lie that a member's steps take.
    pub fn order(&self, members: usize) -> Vec<u32> {
        let of = |member| self.set(member)..self.set(member) + self.rows;
        (0..members).flat_map(of).map(|at| at as u32).collect()
    }

    /// Where the set of a member starts.
    fn set(&self, member: usize) -> usize {
        if self.is_shared { 0 } else { member * self.rows }
    }

    /// The most members that it is for.
    pub fn most_members(&self) -> usize {
        if self.is_shared { usize::MAX } else { self.sets }
    }

    /// The first of these steps, as far as their rows are in the window together: of one epoch, and no more batches than it has.
    pub fn run(&self, steps: &[Step]) -> usize {
        let fits = |step: &&Step| step.epoch == steps[0].epoch;
        steps.iter().take(self.batches).take_while(fits).count()
    }

    /// Writes the rows that these steps of a [run](Self::run) take, for these members.
    pub fn fill(
        &self,
        gpu: &Gpu,
        rows: &Rows,
        recipes: &[Recipe],
        members: &[usize],
        steps: &[Step],
    ) {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
            return;
        };
        let positions = first.first..last.first + last.rows;
        let members = if self.is_shared { &members[..members.len().min(1)] } else { members };
        for &member in members {
            let visited = recipes[member].visited(rows.count, first.epoch, positions.clone());
            let set = self.set(member);
            let of_row = |&row: &u32| self.features.row(row as usize);
            let features: Vec<f32> = visited.iter().flat_map(of_row).copied().collect();
            rows.features.write(gpu, set * self.features.columns(), &features);
            self.labels.gather(&rows.layouts, &visited, set, |at, words| {
                rows.labels.write(gpu, at, words);
            });
        }
    }
}

/// Whether the steps of all these members take the same rows.
fn take_the_same_rows(recipes: &[Recipe]) -> bool {
    let first = &recipes[0];
    let in_order = |recipe: &Recipe| !recipe.shuffle && !recipe.bootstrap;
    let as_first =
        |recipe: &Recipe| recipe.seed == first.seed && recipe.bootstrap == first.bootstrap;
    recipes.iter().all(in_order) || recipes.iter().all(as_first)
}

/// Bytes that the device binds of one buffer.
pub(super) fn most_bytes(gpu: &Gpu) -> u64 {
    let limits = gpu.device().limits();
    limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
}
