//! Tests: no kernel makes more rounds of its loops than was said of its dispatch, which software drivers limit
//! (`gpu::rounds`). Every kernel counts them here, in steps of networks and batches of many shapes.

use super::device::Training;
use super::{GpuEngine, Recipe, Step, programs};
use crate::data::{Dataset, Matrix, Target};
use crate::gpu::{Buffer, Dispatch, Gpu, kernels, read};
use crate::loss::{Labels, LossBuffers, LossPass, Sums};
use crate::optimizer::{AdamBuffers, AdamPass};
use crate::{Activation, Adam, AutomaticWeightedLoss, Engine, Loss, Network, Task, Weighting};
use pollster::block_on;
use std::collections::BTreeSet;

/// A network and a batch.
struct Shape {
    rows: usize,
    hidden: &'static [usize],
    tasks: Vec<Task>,
    clip: Option<f64>,
    dropout: f64,
}

fn shapes() -> Vec<Shape> {
    let weighted = |classes: usize| Loss::CrossEntropy {
        label_smoothing: 0.1,
        class_weights: Some(vec![0.5; classes]),
    };
    let few = || {
        vec![
            Task::new("number", Loss::Mse, 2),
            Task::new("kind", weighted(5), 5),
            Task::new("flag", Loss::Bce, 1),
        ]
    };
    let many =
        || (0..300).map(|k| Task::new(k.to_string(), Loss::Huber { delta: 1.0 }, 1)).collect();
    let wide = || vec![Task::new("kind", weighted(700), 700), Task::new("number", Loss::Mse, 20)];
    let shape = |rows, hidden, tasks| Shape { rows, hidden, tasks, clip: None, dropout: 0.0 };
    let clip = Some(1.0);
    vec![
        shape(1, &[], few()),
        shape(2_000, &[16], few()),
        Shape { clip, ..shape(700, &[70, 33], few()) },
        Shape { dropout: 0.5, ..shape(300, &[40, 40], few()) },
        shape(40_000, &[], few()),
        Shape { clip, ..shape(3_000, &[300], few()) },
        shape(4_000, &[8], many()),
        Shape { dropout: 0.5, ..shape(4_000, &[8], many()) },
        shape(500, &[9], wide()),
    ]
}

fn data(shape: &Shape) -> Dataset {
    let rows = shape.rows;
    let target = |task: &Task| {
        let target = match task.loss.predicts_class() {
            true => Target::classes((0..rows).map(|row| (row % task.width) as u32).collect()),
            false => {
                Target::numbers(Matrix::new(task.width, vec![0.5; rows * task.width]).unwrap())
            }
        };
        target.labelled((0..rows).map(|row| row % 3 != 1).collect()).unwrap()
    };
    let targets = shape.tasks.iter().map(target).collect();
    Dataset::new(Matrix::new(3, vec![0.1; 3 * rows]).unwrap(), targets).unwrap()
}

fn recipe(shape: &Shape) -> Recipe {
    let network = Network::new(3, shape.hidden, Activation::Tanh, &shape.tasks).unwrap();
    let network = network.with_dropout(shape.dropout).unwrap();
    let awl = AutomaticWeightedLoss::new(shape.tasks.len());
    let mut recipe = Recipe::new(network, awl, Adam::new(1e-3));
    recipe.batch = shape.rows.div_ceil(2);
    recipe.clip = shape.clip;
    recipe
}

/// A dispatch that has run: its kernel, the rounds that were made, and those that were said.
type Held = (&'static str, usize, usize);

fn hold<'a>(gpu: &Gpu, dispatches: impl Iterator<Item = &'a Dispatch>) -> Vec<Held> {
    let one = |dispatch: &Dispatch| {
        let counter = dispatch.counter.as_ref().expect("every kernel counts");
        let made = block_on(read::<u32>(gpu, counter.raw(), 1)).expect("a count")[0];
        (dispatch.label(), made as usize, dispatch.rounds)
    };
    dispatches.map(one).collect()
}

/// The dispatches of two steps of a shape, in each engine and by the loss pass alone, held against what was said of them.
fn hold_shape(gpu: &Gpu, shape: &Shape) -> Vec<Held> {
    let (data, recipe) = (data(shape), recipe(shape));
    let mut held = Vec::new();
    let mut engines: Vec<GpuEngine> = [
        block_on(GpuEngine::fused(gpu, recipe.clone(), &data)),
        block_on(GpuEngine::unfused(gpu, recipe.clone(), &data)),
    ]
    .map(|engine| engine.expect("an engine"))
    .into();
    // By name, since software adapters do not take them otherwise.
    for program in [programs::block, programs::resident] {
        let made = GpuEngine::new(gpu, vec![recipe.clone()], &data, "fused", [program; 2], None);
        match block_on(made) {
            Ok(engine) => engines.push(engine),
            // No other reason to go without it.
            Err(error) => {
                assert!(error.to_string().contains("does not take this network"), "{error}");
            }
        }
    }
    for mut engine in engines {
        let steps = [1, 2].map(|number| Step::numbered(number, shape.rows, recipe.batch));
        engine.submit(&steps[..shape.rows.min(2)]).expect("a submission");
        block_on(engine.collect()).expect("records");
        block_on(engine.predict(data.features())).expect("predictions");
        let Training { workspace, program, .. } = engine.first();
        let dispatches =
            program.dispatches.iter().chain(&program.opening).chain(workspace.preparing());
        held.extend(hold(gpu, dispatches.chain([&workspace.keep])));
    }
    for sums in [Sums::OneDispatch, Sums::Repeatable] {
        held.extend(hold_loss_pass(gpu, shape, &data, sums));
    }
    held
}

/// The dispatches of two steps with schemes that do something around them, a member each.
fn hold_schemes(gpu: &Gpu, shape: &Shape) -> Vec<Held> {
    let (data, recipe) = (data(shape), recipe(shape));
    let classes = vec![false; shape.tasks.len()];
    let all =
        [&["rlw", "dwa", "stch", "famo", "uw-so"][..], &["upgrad", "aligned-mtl", "fairgrad"]];
    let mut held = Vec::new();
    for schemes in all {
        let member = |scheme: &&str| {
            let weighting = Weighting::named(scheme, &[], &classes).expect("a weighting");
            Recipe { weighting, ..recipe.clone() }
        };
        let fleet: Vec<Recipe> = schemes.iter().map(member).collect();
        let mut engine = block_on(GpuEngine::fleet(gpu, fleet, &data)).expect("a fleet");
        let steps = [1, 2].map(|number| Step::numbered(number, shape.rows, recipe.batch));
        engine.submit(&steps[..shape.rows.min(2)]).expect("a submission");
        block_on(engine.collect()).expect("records");
        held.extend(hold(gpu, engine.first().program.dispatches.iter()));
    }
    held
}

fn hold_loss_pass(gpu: &Gpu, shape: &Shape, data: &Dataset, sums: Sums) -> Vec<Held> {
    let labels = Labels::pack(&shape.tasks, data.targets()).expect("labels");
    let outputs = shape.tasks.iter().map(Task::outputs).sum::<usize>() * shape.rows;
    let sigma = vec![1f32; shape.tasks.len()];
    let [predictions, gradient] = [(); 2].map(|()| Buffer::<f32>::zeros(gpu, "", outputs).unwrap());
    let words = Buffer::storage(gpu, "", &labels.words).unwrap();
    let sigma = Buffer::storage(gpu, "", &sigma).unwrap();
    let buffers = LossBuffers {
        predictions: predictions.raw().slice(..),
        labels: words.raw().slice(..),
        sigma: sigma.raw().slice(..),
        gradient: gradient.raw().slice(..),
    };
    let awl = AutomaticWeightedLoss::new(shape.tasks.len()).into();
    let pass = LossPass::new(gpu, &labels.layouts, shape.rows, &awl, buffers, sums);
    let pass = block_on(pass).expect("a pass");
    let own = [(); 2].map(|()| Buffer::<f32>::zeros(gpu, "", 1_000).unwrap());
    let [parameters, gradient] = own.each_ref().map(|buffer| buffer.raw().slice(..));
    let own = [AdamBuffers { parameters, gradient }];
    let adam = block_on(AdamPass::new(gpu, &Adam::new(0.1), &own, Some(&pass))).expect("Adam");
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    pass.encode(&mut encoder);
    adam.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    block_on(pass.read()).expect("results");
    assert_eq!(block_on(adam.progress()).expect("progress").steps, 1);
    hold(gpu, pass.encoded().iter().chain(adam.encoded()))
}

#[test]
fn no_kernel_makes_more_rounds_than_was_said() {
    let mut held = BTreeSet::new();
    for is_plain in [false, true] {
        let gpu = block_on(Gpu::counting(is_plain)).expect("a device");
        shapes().iter().for_each(|shape| held.extend(hold_shape(&gpu, shape)));
        let is_for_schemes = |shape: &&Shape| !shape.hidden.is_empty() && shape.tasks.len() <= 16;
        let few = shapes().into_iter().filter(|shape| is_for_schemes(&shape)).take(2);
        few.for_each(|shape| held.extend(hold_schemes(&gpu, &shape)));
    }
    let wrong: Vec<_> = held.iter().filter(|(_, made, said)| made > said).collect();
    assert!(wrong.is_empty(), "(kernel, rounds made, rounds said): {wrong:?}");
    // What is said must also mean something. What a scheme solves depends on its problem; one dispatch of a run is good for many more steps than are made here, and
    // how long a row's walk to its place is, chance decides.
    let varies =
        |label| ["small/steps", "resident/steps", "epoch/order", "weighting/step"].contains(&label);
    let is_loose = |&&(label, made, said): &&Held| !varies(label) && said > 60 + 4 * made;
    let loose: Vec<_> = held.iter().filter(is_loose).collect();
    assert!(loose.is_empty(), "(kernel, rounds made, rounds said): {loose:?}");
    // Which of the kernels for software adapters are taken is up to the adapter; the benchmark's counts for itself.
    let made_for_lanes = ["small/steps", "small/shares", "vector/rows"];
    let ended_in_turn = ["ending/gradient_norm", "ending/loss_sums", "ending/finish"];
    // `engine::gram` counts that of the solvers by themselves.
    let others = ["bench/arithmetic", "gram/weights"];
    let elsewhere = [&made_for_lanes[..], &ended_in_turn, &others].concat();
    let is_held = |label: &&str| held.iter().any(|(of, ..)| of == label);
    let all = kernels::ALL.iter().map(|source| source.label);
    let missing: Vec<_> = all.filter(|of| !is_held(of) && !elsewhere.contains(of)).collect();
    assert!(missing.is_empty(), "no dispatch of {missing:?} was counted");
}
