//! What becomes of a step that cannot be finished.
//!
//! A loss that is not finite is found before its step changes anything. A gradient is not: by the time that one parameter is
//! found to have none, others are updated. So the state before every submission is kept on the device
//! (`shaders/epoch/keep.wgsl`), and where a step in it fails, training goes back there and makes the steps before the failed one
//! again: the same steps from the same state give the same bits. A member that fails stops alone; the others go on.

use super::training::Training;
use super::workspace::Workspace;
use crate::engine::first_row::Search;
use crate::engine::outcome::{Failure, NEVER};
use crate::engine::step::{Record, Step};
use crate::error::{Error, FirstRow, Result};
use crate::gpu::{read, read_range};
use crate::loss::Labels;
use std::sync::Arc;

/// Bytes of features that are read back at a time.
const READ: usize = 16 << 20;

impl Training {
    /// Why a member's training stopped, if it has and a record told.
    pub fn failure(&self, member: usize) -> Option<Error> {
        let failure = self.members[member].failure;
        failure.map(|failure| failure.error(&self.workspace.recipes[member]))
    }

    /// Takes note of a member's marks after a submission of these steps.
    pub(super) fn note_failure(
        &mut self,
        member: usize,
        marks: [u32; 2],
        records: &[Record],
        steps: &[Step],
    ) -> Result<()> {
        if self.members[member].failure.is_none() {
            let own = || records.iter().filter(|record| record.member == member);
            self.members[member].failure = Failure::read(marks, own());
        }
        match self.members[member].failure {
            Some(Failure::Gradient { step, .. }) => self.rewind(member, step, steps),
            _ => Ok(()),
        }
    }

    /// Looks for the row at which each member's training stopped, unless that was done.
    pub async fn find_first_rows(&mut self) -> Result<()> {
        let failed =
            |it: &usize| self.members[*it].failure.is_some() && !self.members[*it].is_searched;
        let failed: Vec<usize> = (0..self.members.len()).filter(failed).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let Workspace { gpu, rows, .. } = &self.workspace;
        let rows = Arc::clone(rows);
        let read_back;
        let labels = match &rows.window {
            Some(window) => &window.labels,
            None => {
                let words = read(gpu, rows.labels.raw(), rows.labels.len()).await?;
                read_back = Labels { words, layouts: rows.layouts.clone() };
                &read_back
            }
        };
        for member in failed {
            let first = self.first_row(member, labels).await?;
            let standing = &mut self.members[member];
            standing.failure = standing.failure.map(|failure| failure.at_row(first));
            standing.is_searched = true;
        }
        Ok(())
    }

    async fn first_row(&mut self, member: usize, labels: &Labels) -> Result<Option<FirstRow>> {
        let state = self.states(&[member]).await?.swap_remove(0);
        let Workspace { gpu, rows, recipes, .. } = &self.workspace;
        let recipe = &recipes[member];
        let single = |value: f64| f64::from(value as f32);
        let before = [&state.parameters[..], &state.sigma];
        let Some(search) = self.members[member]
            .failure
            .and_then(|it| Search::new(recipe, &it, labels, rows.count, before, single))
        else {
            return Ok(None);
        };
        if let Some(window) = &rows.window {
            return Ok(search.among(0, window.features.values()));
        }
        let features = recipe.network.features();
        let at_once = (READ / 4 / features).max(1);
        for start in (0..rows.count).step_by(at_once) {
            let some = start..rows.count.min(start + at_once);
            if search.concerns(&some) {
                let (bytes, length) = (4 * (start * features) as u64, some.len() * features);
                let values: Vec<f32> = read_range(gpu, rows.features.raw(), bytes, length).await?;
                if let Some(first) = search.among(start, &values) {
                    return Ok(Some(first));
                }
            }
        }
        Ok(None)
    }

    /// Takes back half-made steps under way, so that every member's state is that after the last step which was made.
    pub async fn settle(&mut self) -> Result<()> {
        for (member, [_, stop]) in self.workspace.stop_marks().await?.into_iter().enumerate() {
            if stop == NEVER {
                continue;
            }
            let failed = u64::from(stop);
            let mut flights = self.under_way.flights.iter().map(|flight| &flight.steps);
            let of_failed = |steps: &&Vec<Step>| steps.iter().any(|step| step.number == failed);
            // None has it where the step was made by itself, for its times.
            let steps = flights.find(of_failed).cloned().unwrap_or_default();
            self.rewind(member, failed, &steps)?;
        }
        Ok(())
    }

    /// Brings a member back to the state before the submission of the step that failed, and makes the steps before that one
    /// again.
    fn rewind(&mut self, member: usize, failed: u64, steps: &[Step]) -> Result<()> {
        if std::mem::replace(&mut self.members[member].is_rewound, true) {
            return Ok(());
        }
        let again = steps.iter().filter(|step| step.number < failed);
        let again: Vec<Step> = again.copied().collect();
        let Workspace { gpu, state, kept, .. } = &self.workspace;
        let gpu = gpu.clone();
        self.workspace.mark(member, [NEVER, NEVER]);
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let [start, bytes] = self.workspace.state_bytes(member);
        encoder.copy_buffer_to_buffer(kept.raw(), start, state.raw(), start, bytes);
        gpu.queue().submit([encoder.finish()]);
        // The order on the device may be that of a later epoch; afterwards that of the others is.
        self.under_way.prepared = None;
        if !again.is_empty() {
            self.make(&again, &[member], |_, _| {})?;
            self.under_way.prepared = None;
        }
        // No step after it is made, as before.
        self.workspace.mark(member, [NEVER, failed as u32]);
        gpu.check()
    }

    /// A member's last step that was made, by its marks of the first whose loss, and whose gradient, was not finite.
    pub(super) fn last_made(&self, member: usize, [loss, gradient]: [u64; 2]) -> u64 {
        let failed = loss.min(gradient);
        let standing = &self.members[member];
        match standing.first {
            Some(first) if first >= failed => standing.loaded,
            _ => standing.submitted.min(failed - 1),
        }
    }
}
