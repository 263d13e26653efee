//! The programs: ways to make a step in a workspace (`engine::device`), each with kernels of its own.
//!
//! | program | engine |
//! |---|---|
//! | [`small`], a run of steps or a step in shares | fused, on software adapters |
//! | [`vector`] | fused, on software adapters |
//! | [`resident`], a run of steps by one workgroup | fused, on GPUs |
//! | [`block`] | fused, on GPUs |
//! | [`tiled`] | fused, on any adapter, for any network |
//! | [`unfused`] | unfused |
//!
//! Each has the same face, `program(&Workspace) -> Result<Option<Program>>`, which says whether it takes the network on this
//! adapter, and with which dispatches. None knows of another or of the list here; what several share lies below them, in
//! `engine::ending` and `engine::layers`.

mod block;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod extremes;
mod resident;
mod small;
mod tiled;
mod unfused;
mod vector;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::unfused::UnfusedLossPass;
pub(super) use self::unfused::program as unfused;

use super::device::{Program, Workspace};
use super::{rules, task_gradients};
use crate::error::{Error, Result};

/// Makes a program for a workspace, or declines.
type Make = fn(&Workspace) -> Result<Option<Program>>;

/// The fused engine's programs: the first that takes the network on this adapter is the fastest there.
const FUSED: [(&str, Make); 6] = [
    (small::run::NAME, small::run::program),
    (small::shares::NAME, small::shares::program),
    (vector::NAME, vector::program),
    (resident::NAME, resident::program),
    (block::NAME, block::program),
    (tiled::NAME, tiled::program),
];

/// The fused engine's program for one network by itself, whatever fleet it is in. Rows held out are taken by it, so that a
/// member's losses have the bits that they have alone.
///
/// # Errors
/// Those of making it.
pub(super) fn fused_alone(workspace: &Workspace, _members: usize) -> Result<Program> {
    choose(workspace, 1, None)
}

/// The variable that names the fused engine's program, for tests and comparisons.
const VARIABLE: &str = "AWL_PROGRAM";

/// The fused engine's program for a fleet of so many members, or the first of those that `AWL_PROGRAM` names which takes the
/// network.
///
/// # Errors
/// [`Error::Invalid`] if one has no such name, or none takes the network on this adapter.
pub(super) fn fused_or_named(workspace: &Workspace, members: usize) -> Result<Program> {
    let names = std::env::var_os(VARIABLE);
    choose(workspace, members, names.as_ref().map(|names| names.to_string_lossy()).as_deref())
}

/// Whether a program stands in the list where another does, or before it; so does one that is not in it.
pub(super) fn is_not_behind(name: &str, other: &str) -> bool {
    let place = |name| FUSED.iter().position(|(of, _)| *of == name);
    place(name) <= place(other)
}

/// `block`, on any adapter.
#[cfg(test)]
pub(super) fn block(workspace: &Workspace, members: usize) -> Result<Program> {
    choose(workspace, members, Some(block::NAME))
}

/// `resident`, on any adapter, for any batch.
#[cfg(test)]
pub(super) fn resident(workspace: &Workspace, members: usize) -> Result<Program> {
    choose(workspace, members, Some(resident::NAME))
}

/// The first program that takes this workspace: of all that pay on this adapter for a fleet of so many members, or of those with
/// these names.
fn choose(workspace: &Workspace, members: usize, names: Option<&str>) -> Result<Program> {
    let Some(names) = names else {
        let paying = FUSED.into_iter().filter(|(name, _)| pays(name, workspace, members));
        return first(workspace, paying)?
            .ok_or_else(|| Error::invalid("no program takes this network", "report it"));
    };
    let known = FUSED.map(|(name, _)| name);
    let refused = |name: &str, why| {
        let remedy = format!("name one or several of {}, or unset the variable", known.join(", "));
        Error::invalid(format!("{VARIABLE} is \"{name}\", which {why}"), remedy)
    };
    let mut named = Vec::new();
    for name in names.split(',').map(str::trim) {
        let found = FUSED.into_iter().find(|(of, _)| *of == name);
        named.push(found.ok_or_else(|| refused(name, "is no program of the fused engine"))?);
    }
    first(workspace, named.into_iter())?
        .ok_or_else(|| refused(names, "does not take this network on this adapter"))
}

/// Whether a program that takes the network on this adapter is also fast there, for a fleet of so many members.
fn pays(name: &str, workspace: &Workspace, members: usize) -> bool {
    let Workspace { gpu, recipe, batch, .. } = workspace;
    match name {
        block::NAME => !gpu.is_software(),
        resident::NAME => !gpu.is_software() && resident::pays(&recipe.network, *batch, members),
        _ => true,
    }
}

fn first(
    workspace: &Workspace,
    programs: impl Iterator<Item = (&'static str, Make)>,
) -> Result<Option<Program>> {
    let by_gradients = task_gradients::are_needed(&workspace.recipes);
    for (_, make) in programs.filter(|(name, _)| !by_gradients || *name == tiled::NAME) {
        if let Some(program) = make(workspace)? {
            return rules::around(workspace, program, true).map(Some);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Matrix, Target};
    use crate::engine::device::{Rows, Training};
    use crate::engine::{Recipe, Record, Reference, Step};
    use crate::{Activation, Adam, AutomaticWeightedLoss, Engine, Gpu, Loss, Network, Task};
    use pollster::block_on;

    const ROWS: usize = 50;

    /// Two tasks over 50 rows, two batches an epoch, the second short.
    fn problem() -> (Recipe, Dataset) {
        problem_with(1.0)
    }

    /// The same, with a label of the first row.
    fn problem_with(label: f32) -> (Recipe, Dataset) {
        let features: Vec<f32> = (0..3 * ROWS).map(|i| ((i * i) % 17) as f32 / 17.0).collect();
        let mut numbers: Vec<f32> = features.iter().step_by(3).map(|x| 1.0 - x).collect();
        numbers[0] = label;
        let kinds = (0..ROWS as u32).map(|row| row % 4).collect();
        let targets = vec![
            Target::numbers(Matrix::new(1, numbers).expect("numbers")),
            Target::classes(kinds),
        ];
        let features = Matrix::new(3, features).expect("features");
        let tasks =
            [Task::new("number", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 4)];
        let network = Network::new(3, &[8], Activation::Tanh, &tasks).expect("a network");
        let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(0.01));
        (recipe.batch, recipe.seed) = (30, 7);
        (recipe, Dataset::new(features, targets).expect("data"))
    }

    fn steps(recipe: &Recipe) -> Vec<Step> {
        (1..=6).map(|number| Step::numbered(number, ROWS, recipe.batch)).collect()
    }

    fn workspace() -> Workspace {
        workspace_on(&block_on(Gpu::new()).expect("a device"))
    }

    fn workspace_on(gpu: &Gpu) -> Workspace {
        let (recipe, data) = problem();
        alone(gpu, recipe, &data)
    }

    fn alone(gpu: &Gpu, recipe: Recipe, data: &Dataset) -> Workspace {
        let rows =
            block_on(Rows::upload(gpu, std::slice::from_ref(&recipe), data, None)).expect("rows");
        Workspace::new(gpu, vec![recipe], rows.into()).expect("buffers")
    }

    #[test]
    fn each_program_goes_by_its_name_and_trains_as_the_reference_does() {
        let (recipe, data) = problem();
        let mut reference = Reference::new(recipe.clone(), data).expect("the reference");
        reference.submit(&steps(&recipe)).expect("steps");
        let expected = block_on(reference.collect()).expect("records");
        // A plain device ends a step as GPUs do.
        for gpu in [block_on(Gpu::new()), block_on(Gpu::plain())] {
            hold_programs(&gpu.expect("a device"), &expected);
        }
    }

    fn hold_programs(gpu: &Gpu, expected: &[Record]) {
        let taken: Vec<&str> =
            FUSED.iter().filter_map(|&(name, _)| trained(gpu, name, expected)).collect();
        assert_eq!(taken.last(), Some(&"tiled"), "of {taken:?}");
        // What is first to take it is what trains where nobody asks for another.
        let workspace = workspace_on(gpu);
        let first = taken.iter().find(|name| pays(name, &workspace, 1)).expect("a program");
        assert_eq!(choose(&workspace, 1, None).expect("a program").name, *first);
    }

    /// The name, if the program takes the network; its records are held against the reference's.
    fn trained(gpu: &Gpu, name: &'static str, expected: &[Record]) -> Option<&'static str> {
        let workspace = workspace_on(gpu);
        let program = choose(&workspace, 1, Some(name)).ok()?;
        assert_eq!(program.name, name);
        let steps = steps(&workspace.recipe);
        let mut training = Training::new(workspace, program);
        training.submit(&steps, &[0]).expect("steps");
        let records = block_on(training.collect()).expect("records");
        assert_eq!(records.len(), expected.len(), "{name}");
        for (record, expected) in records.iter().zip(expected) {
            let (found, total) = (record.total, expected.total);
            assert!((found - total).abs() < 1e-5 * total, "{name}: {found}, not {total}");
        }
        Some(name)
    }

    /// The square of the label is beyond `f32`, in one batch of the first epoch.
    #[test]
    fn no_program_makes_a_step_whose_total_is_not_finite() {
        let (recipe, data) = problem_with(3e30);
        for gpu in [block_on(Gpu::new()), block_on(Gpu::plain())] {
            let gpu = gpu.expect("a device");
            for (name, _) in FUSED {
                let workspace = alone(&gpu, recipe.clone(), &data);
                let Ok(program) = choose(&workspace, 1, Some(name)) else { continue };
                let mut training = Training::new(workspace, program);
                training.submit(&steps(&recipe), &[0]).expect("steps");
                let made = block_on(training.collect()).map_or(0, |records| records.len());
                assert!(made < 2, "{name}: {made} steps");
                assert!(training.failure(0).is_some(), "{name} tells nothing");
                let state = block_on(training.state(0)).expect("a state");
                assert_eq!(state.step, made as u64, "{name}");
                let finite = state.parameters.iter().all(|x| x.is_finite() && x.abs() < 100.0);
                assert!(finite, "{name}: {:?}", state.parameters);
            }
        }
    }

    #[test]
    fn a_program_that_is_not_there_or_declines_is_named() {
        let told = |workspace: &Workspace, name| match choose(workspace, 1, Some(name)) {
            Ok(program) => panic!("{} was made", program.name),
            Err(error) => error.to_string(),
        };
        let workspace = workspace();
        for name in ["unfused", "small", ""] {
            let told = told(&workspace, name);
            let problem =
                format!("AWL_PROGRAM is \"{name}\", which is no program of the fused engine");
            assert!(told.starts_with(&problem), "{told}");
            assert!(
                told.contains("small/run, small/shares, vector, resident, block, tiled"),
                "{told}"
            );
        }
        // No run of steps can clip gradients.
        let (mut recipe, data) = problem();
        recipe.clip = Some(1.0);
        let clipping = alone(&workspace.gpu, recipe, &data);
        let told = told(&clipping, "small/run");
        assert!(told.contains("\"small/run\", which does not take this network"), "{told}");
    }
}
