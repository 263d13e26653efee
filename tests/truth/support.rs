//! What the tests share: making engines, running them, and comparing numbers.

use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, GpuEngine, MOST_STEPS, Recipe, Record, Reference, State, Step};
use awl::wgpu;
use awl::{Activation, Adam, Gpu, Loss, Network, Result, Task, Weighting};
use pollster::block_on;
use std::sync::OnceLock;

/// Makes an engine.
pub type Make<'a> = &'a dyn Fn(Recipe, Dataset) -> Box<dyn Engine>;

/// Makes a reference engine.
pub fn reference(recipe: Recipe, data: Dataset) -> Box<dyn Engine> {
    Box::new(Reference::new(recipe, data).expect("the recipe fits the data"))
}

/// The GPU that all tests share. Without one they fail: a test that did not run is not a test that passed.
pub fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| block_on(Gpu::new()).unwrap_or_else(|error| panic!("{error}")))
}

/// A device with these limits, or the adapter's own where those are lower.
pub fn device(limits: wgpu::Limits) -> (wgpu::Device, wgpu::Queue) {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = block_on(instance.request_adapter(&Default::default())).expect("an adapter");
    let descriptor = wgpu::DeviceDescriptor {
        required_limits: limits.or_worse_values_from(&adapter.limits()),
        ..Default::default()
    };
    block_on(adapter.request_device(&descriptor)).expect("a device")
}

/// A device whose bindings may hold no more than this many bytes.
pub fn small_gpu(bytes: u64) -> Gpu {
    let (device, queue) = device(wgpu::Limits {
        max_storage_buffer_binding_size: bytes,
        // What is bound of the steps' members is always 64 KiB.
        max_buffer_size: bytes.max(256 << 10),
        ..wgpu::Limits::default()
    });
    Gpu::from_device(device, queue).expect("limits that the kernels can work with")
}

/// Makes a fused engine.
pub fn fused(recipe: Recipe, data: Dataset) -> Box<dyn Engine> {
    let engine = block_on(GpuEngine::fused(gpu(), recipe, &data));
    Box::new(engine.expect("the recipe fits the data and the GPU"))
}

/// Makes an unfused engine.
pub fn unfused(recipe: Recipe, data: Dataset) -> Box<dyn Engine> {
    let engine = block_on(GpuEngine::unfused(gpu(), recipe, &data));
    Box::new(engine.expect("the recipe fits the data and the GPU"))
}

/// The engines on the GPU, by name.
pub const ON_GPU: [(&str, Make<'static>); 3] =
    [("fused", &fused), ("unfused", &unfused), ("fused on a plain device", &plain_fused)];

/// A device with WebGPU's limits and no optional feature, which takes other kernels on a software adapter: those that a GPU takes.
pub fn plain_gpu() -> &'static Gpu {
    static PLAIN: OnceLock<Gpu> = OnceLock::new();
    PLAIN.get_or_init(|| {
        let (device, queue) = device(wgpu::Limits::default());
        Gpu::from_device(device, queue).expect("a device with WebGPU's limits")
    })
}

fn plain_fused(recipe: Recipe, data: Dataset) -> Box<dyn Engine> {
    Box::new(block_on(GpuEngine::fused(plain_gpu(), recipe, &data)).expect("the recipe fits"))
}

/// Dispatches of a fused step of so many layers, none of them wide, at most. SwiftShader takes minutes over the kernel that
/// makes it two, and gets three a layer and one instead.
pub fn fused_dispatches(layers: usize) -> usize {
    if gpu().name().starts_with("SwiftShader") { 3 * layers + 1 } else { 2 }
}

/// The first `count` steps of a run: every epoch's batches, the last one short.
pub fn schedule(batch: usize, rows: usize, count: usize) -> Vec<Step> {
    let numbers = 1..=count as u64;
    numbers.map(|number| Step::numbered(number, rows, batch)).collect()
}

/// Runs these steps and returns their records.
pub fn run(engine: &mut dyn Engine, steps: &[Step]) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for some in steps.chunks(MOST_STEPS) {
        engine.submit(some)?;
        records.extend(block_on(engine.collect())?);
    }
    Ok(records)
}

/// A copy of an engine's state.
pub fn state_of(engine: &mut dyn Engine) -> State {
    block_on(engine.state()).expect("the engine gives its state")
}

/// A linear network of one feature and heads of these tasks, all in one unshuffled batch.
pub fn linear(tasks: &[Task], weighting: impl Into<Weighting>, adam: Adam, rows: usize) -> Recipe {
    let network = Network::new(1, &[], Activation::Relu, tasks).expect("a network");
    let mut recipe = Recipe::new(network, weighting, adam);
    recipe.batch = rows;
    recipe.shuffle = false;
    recipe
}

/// A dataset of one feature, the same in every row.
pub fn constant_feature(value: f32, targets: Vec<Target>) -> Dataset {
    let rows = targets[0].rows();
    let features = Matrix::new(1, vec![value; rows]).expect("a column");
    Dataset::new(features, targets).expect("a dataset")
}

/// A target of one column of numbers.
pub fn numbers(values: &[f32]) -> Target {
    Target::numbers(Matrix::new(1, values.to_vec()).expect("a column"))
}

/// A task of one column under mean squared error.
pub fn regression(name: &str) -> Task {
    Task::new(name, Loss::Mse, 1)
}

/// The worst element of `found` against `expected`, as `(relative error, message)`.
///
/// The error of an element is measured against its own size or the root mean square of all expected
/// values, whichever is larger, so that elements near 0 are judged by their tensor's scale.
pub fn worst(found: &[f64], expected: &[f64]) -> (f64, String) {
    assert_eq!(found.len(), expected.len(), "number of elements");
    let squares: f64 = expected.iter().map(|e| e * e).sum();
    let scale = (squares / expected.len() as f64).sqrt();
    let mut worst = (0.0, format!("all {} elements agree", found.len()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let error = match (f - e).abs() {
            0.0 => 0.0,
            difference => difference / e.abs().max(scale),
        };
        if error.is_nan() || error > worst.0 {
            let error = if error.is_nan() { f64::INFINITY } else { error };
            let message = format!("element {i} of {} is {f:e}, expected {e:e}", found.len());
            worst = (error, format!("{message} (relative error {error:.1e})"));
        }
    }
    worst
}

/// Checks every element by itself, against its own size: for numbers that must each be right, such as the
/// losses of tasks of different scales, of which none may hide behind another.
#[track_caller]
pub fn assert_each_close(case: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{case}: number of elements");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let close = (f - e).abs() <= tolerance * e.abs();
        assert!(close, "{case}: element {i} is {f:e}, expected {e:e} within {tolerance:.0e}");
    }
}

/// Checks the network's tensors one by one: the distance from `expected` in units of its length, both over
/// the flat parameters. A tensor must agree by itself, however small beside the others.
#[track_caller]
pub fn assert_tensors_close(
    case: &str,
    network: &Network,
    found: &[f64],
    expected: &[f64],
    tolerance: f64,
) {
    assert_eq!(found.len(), expected.len(), "{case}: number of parameters");
    for tensor in network.tensors() {
        let (error, worst) = distance(&found[tensor.range.clone()], &expected[tensor.range]);
        let name = tensor.name;
        assert!(error <= tolerance, "{case}, {name}: off by {error:.1e} of its norm; {worst}");
    }
}

/// The distance of two vectors in units of the second one's length, with the worst element in words.
pub fn distance(found: &[f64], expected: &[f64]) -> (f64, String) {
    assert_eq!(found.len(), expected.len(), "number of elements");
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let length = square(&mut expected.iter().copied());
    let pairs = || found.iter().zip(expected);
    let error = square(&mut pairs().map(|(f, e)| f - e));
    let worst = pairs()
        .enumerate()
        .max_by(|(_, a), (_, b)| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()));
    let relative = if error == 0.0 { 0.0 } else { error / length };
    (relative, format!("worst (index, (found, expected)): {worst:?}"))
}

/// Checks that two slices agree, and prints the case and the worst element where they do not.
#[track_caller]
pub fn assert_close(case: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let (error, message) = worst(found, expected);
    assert!(error <= tolerance, "{case}: {message}; allowed {tolerance:.1e}");
}
