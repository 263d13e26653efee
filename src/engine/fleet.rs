//! A fleet on the device: members with the same rows and the same shape of a step, which every dispatch serves together.

use super::device::{Planner, Rows, Training, Workspace};
use super::programs;
use super::recipe::Recipe;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use std::sync::Arc;

/// Members that share their dispatches: all of a fleet, where their buffers fit into a binding each and they are no more than
/// 1,024, else a part of it.
pub(super) struct Squad {
    /// The number of its first member in the fleet.
    pub first: usize,
    pub training: Training,
}

impl Squad {
    /// The numbers of its members in the fleet.
    pub fn members(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.training.workspace.seats()
    }
}

/// Checks that members may share their dispatches: that they differ only in what they are told step by step.
pub(super) fn check(recipes: &[Recipe]) -> Result<()> {
    let Some(first) = recipes.first() else {
        return Err(Error::invalid("the fleet has no member", "give it at least one recipe"));
    };
    for (member, recipe) in recipes.iter().enumerate() {
        let same = [
            ("network", recipe.network == first.network),
            ("batch size", recipe.batch == first.batch),
            ("shuffling", recipe.shuffle == first.shuffle),
            ("clipping", recipe.clip == first.clip),
        ];
        if let Some((what, _)) = same.iter().find(|(_, is_same)| !is_same) {
            return Err(Error::invalid(
                format!("member {member} of the fleet has another {what} than member 0"),
                "let members differ in seed, weighting, optimizer and schedule; train others as a fleet of their own",
            ));
        }
    }
    Ok(())
}

/// The squads of a fleet, each with the program that one member by itself would get, or one before it in the list.
pub(super) async fn squads(
    gpu: &Gpu,
    recipes: &[Recipe],
    rows: &Arc<Rows>,
    plan: Planner,
) -> Result<Vec<Squad>> {
    let make = |recipes: &[Recipe]| {
        let workspace = Workspace::new(gpu, recipes.to_vec(), Arc::clone(rows))?;
        let program = plan(&workspace)?;
        Ok(Training::new(workspace, program))
    };
    let mut alone = None;
    let mut squads = Vec::new();
    let mut first = 0;
    let mut most = Workspace::most_members(gpu, &recipes[0], rows.count).min(recipes.len());
    while first < recipes.len() {
        let end = recipes.len().min(first + most);
        let made = gpu.guarded(|| make(&recipes[first..end])).await;
        let training = match made {
            // More members at once take too much room.
            Err(Error::TooLarge { .. }) if most > 1 => None,
            made => Some(made?),
        };
        if end - first > 1 && alone.is_none() {
            let one = gpu.guarded(|| make(&recipes[first..=first])).await?;
            alone = Some(one.program.name);
        }
        let is_as_good = |training: &Training| {
            alone.is_none_or(|alone| programs::is_not_behind(training.program.name, alone))
        };
        match training.filter(is_as_good) {
            Some(training) => {
                squads.push(Squad { first, training });
                first = end;
            }
            None => most = ((end - first) / 2).max(1),
        }
    }
    Ok(squads)
}
