//! What weighting schemes do beside the optimizer's steps (`shaders/weighting/`): find weights from a batch's losses before its
//! step, and change what they keep after it.
//!
//! A fused pass has its weights before its losses, so a scheme of [`Kind::Losses`](crate::weighting::Kind::Losses) costs another
//! forward pass: its program's own ([`Look`]), or the layers' kernels and the loss pass of `tiled`. What changes after a step is
//! part of the ending, and costs no dispatch.

use super::device::{Covers, Look, Program, Workspace};
use super::ending::Shares;
use super::layers::{Activations, Source, forward};
use super::recipe::Recipe;
use crate::error::Result;
use crate::gpu::{Buffer, Dispatch, Work, kernels, rounds_of};
use crate::loss::spread;
use crate::weighting::gradients::REPRESENTATION;
use crate::weighting::{Kind, SCHEMES, Scheme};
use std::fmt::Write;
use wgpu::BindingResource as Binding;

macro_rules! shader {
    ($path:literal) => {
        include_str!(concat!("../../shaders/", $path, ".wgsl"))
    };
}

const HASH: &str = shader!("shared/hash");
const DRAWS: &str = shader!("weighting/draws");
const TASKS: &str = shader!("weighting/tasks");
const MADE: &str = shader!("weighting/made");

/// What schemes that look at gradients solve with.
const GRAM: [&str; 7] = [
    shader!("shared/permutation"),
    shader!("gram/present"),
    shader!("gram/matrices"),
    shader!("gram/correlation"),
    shader!("gram/pivoting"),
    shader!("gram/jacobi"),
    shader!("gram/fair"),
];

/// The files that the texts of this module are made of, beside those of the schemes.
#[cfg(test)]
pub(crate) const PARTS: [&str; 4] = [HASH, DRAWS, TASKS, MADE];

/// What is made for a kernel where no scheme does anything.
#[cfg(test)]
pub(crate) fn none_for(kernel: &str) -> String {
    match kernel {
        "weighting/step" => own_step(&[]),
        "ending/finish" => after_serial(&[]),
        "ending/plain" | "block/finish" => after_parallel(&[]),
        _ => String::new(),
    }
}

/// When a scheme does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Weigh,
    After,
    Follow,
    Combine,
}

impl Phase {
    /// Those around a step.
    const AROUND: [Self; 3] = [Self::Weigh, Self::After, Self::Follow];
    const ALL: [Self; 4] = [Self::Weigh, Self::After, Self::Follow, Self::Combine];

    fn name(self) -> &'static str {
        match self {
            Self::Weigh => "weigh",
            Self::After => "after",
            Self::Follow => "follow",
            Self::Combine => "combine",
        }
    }

    /// The WGSL function by which a scheme does it.
    fn function(self, scheme: &dyn Scheme) -> String {
        let does = if self == Self::Combine { "weigh" } else { self.name() };
        format!("{}_{does}", scheme.name().replace('-', "_"))
    }

    fn is_of(self, scheme: &dyn Scheme) -> bool {
        let is_other = match self {
            Self::Weigh => scheme.kind() == Kind::Gradients,
            Self::Combine => scheme.kind() != Kind::Gradients,
            _ => false,
        };
        !is_other && scheme.wgsl().contains(&format!("fn {}(", self.function(scheme)))
    }

    fn is_of_any(self, recipes: &[Recipe]) -> bool {
        recipes.iter().any(|recipe| self.is_of(recipe.weighting.scheme()))
    }
}

/// Whether a scheme of these recipes does anything beside the optimizer's steps.
pub(super) fn are_needed(recipes: &[Recipe]) -> bool {
    Phase::ALL.iter().any(|phase| phase.is_of_any(recipes))
}

/// Whether one of them needs the losses of a batch by themselves.
pub(super) fn look_first(recipes: &[Recipe]) -> bool {
    Phase::Weigh.is_of_any(recipes) || Phase::Follow.is_of_any(recipes)
}

/// The places in [`SCHEMES`] of those of these recipes that do something then, with the schemes.
fn schemes(recipes: &[Recipe], phases: &[Phase]) -> Vec<(usize, &'static dyn Scheme)> {
    let is_had =
        |scheme: &dyn Scheme| recipes.iter().any(|it| it.weighting.name() == scheme.name());
    let acts = |scheme: &dyn Scheme| phases.iter().any(|phase| phase.is_of(scheme));
    let all = SCHEMES.iter().copied().enumerate();
    all.filter(|(_, scheme)| is_had(*scheme) && acts(*scheme)).collect()
}

/// A function that does what the member's scheme does then.
fn switch(schemes: &[(usize, &'static dyn Scheme)], phase: Phase) -> String {
    let mut text =
        format!("fn {}_step() {{\n    switch optimizers[member.number].scheme {{\n", phase.name());
    for (number, scheme) in schemes.iter().filter(|(_, scheme)| phase.is_of(*scheme)) {
        let _ = writeln!(text, "        case {number}u: {{ {}(); }}", phase.function(*scheme));
    }
    text + "        default: {}\n    }\n}\n\n"
}

/// A function that says whether something is so of the member's scheme.
fn question(
    name: &str,
    schemes: &[(usize, &'static dyn Scheme)],
    is_so: impl Fn(&dyn Scheme) -> bool,
) -> String {
    let mut text =
        format!("fn {name}() -> bool {{\n    switch optimizers[member.number].scheme {{\n");
    for (number, _) in schemes.iter().filter(|(_, scheme)| is_so(*scheme)) {
        let _ = writeln!(text, "        case {number}u: {{ return true; }}");
    }
    text + "        default: { return false; }\n    }\n}\n\n"
}

/// A function that says whether the member's scheme looks at the gradients at the representation, as its setting of that has it.
fn looks_at_representation(schemes: &[(usize, &'static dyn Scheme)]) -> String {
    let mut text =
        "fn looks_at_representation() -> bool {\n    switch optimizers[member.number].scheme {\n"
            .to_string();
    for (number, scheme) in schemes {
        let place = scheme.settings().iter().position(|setting| *setting == REPRESENTATION);
        if let Some(place) = place {
            let _ =
                writeln!(text, "        case {number}u: {{ return setting({place}u) != 0.0; }}");
        }
    }
    text + "        default: { return false; }\n    }\n}\n\n"
}

fn with_parts(schemes: &[(usize, &'static dyn Scheme)], rest: String) -> String {
    let of_schemes = schemes.iter().map(|(_, scheme)| scheme.wgsl());
    let parts = [HASH, DRAWS, TASKS].into_iter().chain(of_schemes);
    parts.collect::<Vec<_>>().join("\n") + "\n" + &rest
}

/// What an ending by several lanes does after the step's record is made.
pub(super) fn after_parallel(recipes: &[Recipe]) -> String {
    let none = "fn after_records(updates: bool, lane: u32) {}\n";
    let some = "fn after_records(updates: bool, lane: u32) {\n    storageBarrier();\n    if updates && lane == 0u {\n        after_step();\n    }\n}\n";
    after(recipes, none, some)
}

/// The same of one whose first lane has made the record.
pub(super) fn after_serial(recipes: &[Recipe]) -> String {
    let none = "fn after_records(updates: bool) {}\n";
    let some = "fn keep_sigma(k: u32) {}\n\nfn after_records(updates: bool) {\n    if updates {\n        after_step();\n    }\n}\n";
    after(recipes, none, some)
}

/// Rounds that an ending makes for it.
pub(super) fn rounds_after(recipes: &[Recipe]) -> usize {
    let tasks = recipes[0].network.tasks().len();
    let makes = Phase::After.is_of_any(recipes);
    if makes { 12 * rounds_of(tasks, 0) } else { 0 }
}

fn after(recipes: &[Recipe], none: &str, some: &str) -> String {
    let schemes = schemes(recipes, &[Phase::After]);
    if schemes.is_empty() {
        return none.into();
    }
    let rest = format!("{MADE}\n{}{some}", switch(&schemes, Phase::After));
    with_parts(&schemes, rest)
}

/// What `weighting/step` does for these recipes.
fn own_step(recipes: &[Recipe]) -> String {
    let schemes = schemes(recipes, &Phase::ALL);
    let mut rest: String = Phase::ALL.map(|phase| switch(&schemes, phase)).concat();
    rest += &question("weighs_first", &schemes, |scheme| Phase::Weigh.is_of(scheme));
    rest += &question("combines_gradients", &schemes, |scheme| Phase::Combine.is_of(scheme));
    rest += &question("needs_positive_losses", &schemes, |it| it.needs_positive_losses());
    rest += &looks_at_representation(&schemes);
    if Phase::Combine.is_of_any(recipes) {
        rest += &GRAM.join("\n");
        rest += "fn combine_gradients() -> bool {\n    let is_good = find_present();\n    if is_good && tasks > 0u {\n        combine_step();\n    }\n    return is_good;\n}\n";
    } else {
        rest += "fn combine_gradients() -> bool {\n    return true;\n}\n";
    }
    with_parts(&schemes, rest)
}

/// The program with what the schemes do around its steps; `has_after`: what they do after a step is part of it.
pub(super) fn around(workspace: &Workspace, program: Program, has_after: bool) -> Result<Program> {
    let recipes = &workspace.recipes;
    let [weighs, acts_after, follows] = Phase::AROUND.map(|phase| phase.is_of_any(recipes));
    let acts_after = acts_after && !has_after;
    if program.covers != Covers::Step || !(weighs || acts_after || follows) {
        return Ok(program);
    }
    let Program { name, opening, dispatches: of_step, covers, look } = program;
    let own = OwnSteps::new(workspace, look)?;
    let mut dispatches = Vec::new();
    if weighs {
        dispatches.extend(own.look.dispatches.iter().cloned());
        dispatches.push(own.dispatch(Phase::Weigh)?);
        // What the program's kernels read in place of the state.
        dispatches.extend(opening.iter().cloned());
    }
    dispatches.extend(of_step);
    if acts_after {
        dispatches.push(own.dispatch(Phase::After)?);
    }
    if follows {
        dispatches.extend(own.look.dispatches.iter().cloned());
        dispatches.push(own.dispatch(Phase::Follow)?);
    }
    Ok(Program { name, opening, dispatches, covers, look: None })
}

/// The dispatches of schemes, and of the forward passes that they need.
struct OwnSteps<'a> {
    workspace: &'a Workspace,
    look: Look,
    found: Buffer<f32>,
}

impl<'a> OwnSteps<'a> {
    fn new(workspace: &'a Workspace, look: Option<Look>) -> Result<Self> {
        let look = look.map_or_else(|| tiled_look(workspace), Ok)?;
        Ok(Self { workspace, look, found: found(workspace)? })
    }

    fn dispatch(&self, phase: Phase) -> Result<Dispatch> {
        let losses = (self.look.losses.binding(), self.look.shares);
        own_dispatch(self.workspace, phase, losses, &self.found, None)
    }
}

/// The losses of the step's batch by the network as it is, by the kernels of `tiled`.
fn tiled_look(workspace: &Workspace) -> Result<Look> {
    let Workspace { gpu, recipe, rows, order, state, shares, normalisers, batch, .. } = workspace;
    let network = &recipe.network;
    let all_rows = workspace.seats() * batch;
    let activations = Activations::new(gpu, network, all_rows)?;
    // At the predictions, which nobody reads.
    let gradient = Buffer::<f32>::zeros(gpu, "no gradient", all_rows * network.outputs())?;
    let work = spread::work(gpu, &rows.layouts, *batch);
    let look = Look::new(workspace, work.workgroups)?;
    let dropout = workspace.dropout();
    let source = Source { features: &rows.features, order: Some(order), dropout: &dropout };
    let mut dispatches = forward(gpu, network, &source, state, &activations, *batch, *shares)?;
    let buffers = [
        activations.predictions().binding(),
        rows.labels.binding(),
        rows.tasks.binding(),
        order.binding(),
        state.binding(),
        normalisers.binding(),
        gradient.binding(),
        look.losses.binding(),
    ];
    let kernel = gpu.kernel(&kernels::LOSS, &workspace.loss_constants());
    dispatches.push(kernel.dispatch(gpu, &buffers, work)?);
    Ok(Look { dispatches, ..look })
}

/// What finds weights from the products of gradients.
pub(super) struct Combiner<'a> {
    pub losses: &'a Shares,
    /// `[seats, shares, tasks, tasks]`
    pub products: &'a Buffer<f32>,
    pub shares: usize,
    /// Of the shares, the last: those at the representation.
    pub at_representation: usize,
}

impl Combiner<'_> {
    pub fn dispatch(&self, workspace: &Workspace) -> Result<Dispatch> {
        let found = found(workspace)?;
        let products = Some((self.products, [self.shares, self.at_representation]));
        let losses = (self.losses.losses(), self.losses.of_losses);
        own_dispatch(workspace, Phase::Combine, losses, &found, products)
    }
}

/// `[seats, 2 + tasks, tasks]`
fn found(workspace: &Workspace) -> Result<Buffer<f32>> {
    let tasks = workspace.recipe.network.tasks().len();
    Buffer::zeros(&workspace.gpu, "the weights found", workspace.seats() * (2 + tasks) * tasks)
}

/// A dispatch of `weighting/step`.
fn own_dispatch(
    workspace: &Workspace,
    phase: Phase,
    (losses, shares): (Binding<'_>, usize),
    found: &Buffer<f32>,
    products: Option<(&Buffer<f32>, [usize; 2])>,
) -> Result<Dispatch> {
    let Workspace { gpu, recipes, recipe, state, normalisers, records, stop, .. } = workspace;
    let optimizers = workspace.optimizers([0; 3])?;
    let (products, [gram_shares, at_representation]) = products.unwrap_or((normalisers, [1, 0]));
    let buffers = [
        optimizers.binding(),
        state.binding(),
        losses,
        normalisers.binding(),
        records.binding(),
        stop.binding(),
        found.binding(),
        products.binding(),
    ];
    let constants = [
        ("PHASE", f64::from(phase as u8)),
        ("LOSS_SHARES", shares as f64),
        ("GRAM_SHARES", gram_shares as f64),
        ("REPRESENTATION_SHARES", at_representation as f64),
    ];
    let tasks = recipe.network.tasks().len();
    let mut rounds = rounds_of(tasks.div_ceil(64), rounds_of(shares, 0)) + 12 * rounds_of(tasks, 0);
    if phase == Phase::Combine {
        let entries = (tasks * tasks).div_ceil(64);
        rounds += rounds_of(entries, rounds_of(gram_shares, 0)) + rounds_of_gradients(tasks);
    }
    let text = own_step(recipes);
    let kernel = gpu.shaped_kernel(&kernels::WEIGHTING_STEP, &text, &constants);
    kernel.dispatch(gpu, &buffers, Work::new(1, rounds))
}

/// The most rounds of an invocation: those of the scheme that makes the most, and a loop each of the others.
pub(super) fn rounds_of_gradients(tasks: usize) -> usize {
    let plain = rounds_of(tasks, 0);
    let square = rounds_of(tasks, plain);
    // `present` and `correlation`, and the choice.
    let common = 2 * square + 4 * plain + 60;
    let path = 3 * plain + rounds_of(3 * tasks + 1, 2 * plain);
    let upgrad = rounds_of(tasks, 2 * plain + path);
    let pairs = tasks * tasks.saturating_sub(1) / 2;
    let aligned_mtl = square + rounds_of(14, plain + pairs * (1 + 5 + plain) + tasks);
    let solved = 2 * plain + rounds_of(tasks, plain);
    let fairgrad = rounds_of(60, solved + 2 * plain);
    let pcgrad = rounds_of(tasks, rounds_of(tasks, 2 * plain));
    common + 4 * plain + upgrad.max(aligned_mtl).max(fairgrad).max(pcgrad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::check_shader as check;
    use crate::{Activation, Adam, Loss, Network, Task, Weighting};

    /// A recipe of every scheme.
    fn recipes() -> Vec<Recipe> {
        let task = [Task::new("number", Loss::Mse, 1)];
        let network = Network::new(1, &[], Activation::Relu, &task).expect("a network");
        let recipe = |scheme: &dyn Scheme| {
            let weighting = Weighting::named(scheme.name(), &[], &[false]).expect("a weighting");
            Recipe::new(network.clone(), weighting, Adam::new(0.01))
        };
        SCHEMES.iter().copied().map(recipe).collect()
    }

    #[test]
    fn the_kernels_of_every_scheme_are_valid() {
        let recipes = recipes();
        for recipe in [&recipes[..1], &recipes] {
            check(&kernels::WEIGHTING_STEP, &own_step(recipe));
            check(&kernels::FINISH, &after_serial(recipe));
            check(&kernels::PARALLEL_FINISH, &after_parallel(recipe));
        }
    }
}
