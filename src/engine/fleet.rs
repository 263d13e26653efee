//! A fleet on the device: members with the same rows and the same shape of a step, which every dispatch serves together.

use super::device::{Planner, Rows, Training, Workspace};
use super::programs;
use super::recipe::Recipe;
use super::rules;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use std::slice;
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

/// The squads of a fleet, all with the program that suits a fleet of its size, or one before it in the list: where that takes fewer
/// members at once than the fleet has, or their buffers do not fit into a binding, they are squads of as many as it takes.
pub(super) async fn squads(
    gpu: &Gpu,
    recipes: &[Recipe],
    rows: &Arc<Rows>,
    plan: Planner,
) -> Result<Vec<Squad>> {
    let fleet = recipes.len();
    let make = |recipes: &[Recipe]| {
        let workspace = Workspace::new(gpu, recipes.to_vec(), Arc::clone(rows))?;
        let program = plan(&workspace, fleet)?;
        Ok(Training::new(workspace, program))
    };
    let mut best = None;
    let mut squads = Vec::new();
    let mut first = 0;
    let mut most = Workspace::most_members(gpu, &recipes[0], rows).min(recipes.len());
    while first < recipes.len() {
        let end = recipes.len().min(first + most);
        let made = gpu.guarded(|| make(&recipes[first..end])).await;
        let training = match made {
            // More members at once take too much room.
            Err(Error::TooLarge { .. }) if most > 1 => None,
            made => Some(made?),
        };
        if end - first > 1 && best.is_none() {
            // Of the members for which fewest programs will do.
            let has_rules = |recipe: &Recipe| rules::are_needed(slice::from_ref(recipe));
            let one = recipes.iter().find(|recipe| has_rules(recipe)).unwrap_or(&recipes[first]);
            let one = gpu.guarded(|| make(slice::from_ref(one))).await?;
            best = Some(one.program.name);
        }
        let is_as_good = |training: &Training| {
            best.is_none_or(|best| programs::is_not_behind(training.program.name, best))
        };
        // By itself a member takes what there is.
        match training.filter(|training| end - first == 1 || is_as_good(training)) {
            Some(training) => {
                squads.push(Squad { first, training });
                first = end;
            }
            None => most = ((end - first) / 2).max(1),
        }
    }
    Ok(squads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Matrix, Target};
    use crate::engine::GpuEngine;
    use crate::engine::device::Program;
    use crate::{Activation, Adam, Loss, Network, Task, Weighting};
    use pollster::block_on;

    /// A program for at most 768 members for fleets of some size, and another for smaller ones.
    fn plan(workspace: &Workspace, members: usize) -> Result<Program> {
        match members {
            64.. => programs::resident(workspace, members)
                .or_else(|_| programs::block(workspace, members)),
            _ => programs::block(workspace, members),
        }
    }

    fn squads_of(members: usize) -> Vec<(usize, &'static str)> {
        let gpu = block_on(Gpu::new()).expect("a device");
        let column = |values: &[f32]| Matrix::new(1, values.to_vec()).expect("a column");
        let target = Target::numbers(column(&[1.0, 2.0]));
        let data = Dataset::new(column(&[0.5, 1.0]), vec![target]).expect("data");
        let task = [Task::new("number", Loss::Mse, 1)];
        let network = Network::new(1, &[], Activation::Relu, &task).expect("a network");
        let recipe = Recipe::new(network, Weighting::equal(1), Adam::new(0.01));
        let engine = GpuEngine::new(&gpu, vec![recipe; members], &data, "fused", [plan; 2], None);
        let engine = block_on(engine).expect("a fleet");
        let squads = engine.squads.iter();
        squads.map(|squad| (squad.members().len(), squad.training.program.name)).collect()
    }

    #[test]
    fn all_squads_have_the_program_that_suits_the_fleet() {
        assert_eq!(squads_of(63), [(63, "block")]);
        assert_eq!(squads_of(770), [(385, "resident"); 2]);
        // The last would have another by itself.
        let [most, few] = [512, 40].map(|members| (members, "resident"));
        assert_eq!(squads_of(1_064), [most, most, few]);
    }
}
