//! Bad input: every mistake is an error that names the task or tensor and says what to do. No panic.

use crate::support::{
    Make, ON_GPU, constant_feature, device, gpu, linear, numbers, reference, regression, small_gpu,
};
use awl::data::{Dataset, Matrix, Target};
use awl::engine::{Engine, GpuEngine, Recipe, Reference, Step};
use awl::optimizer::Schedule;
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Error, Gpu, Loss, Network, Result, SigmaForm, Task,
    Weighting,
};
use pollster::block_on;
use std::process::Command;

/// Checks that an error says all of this.
#[track_caller]
fn says<T>(result: Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("no error that says {parts:?}") };
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}

fn network(features: usize, hidden: &[usize], tasks: &[Task]) -> Result<Network> {
    Network::new(features, hidden, Activation::Relu, tasks)
}

#[test]
fn a_network_needs_tasks_and_widths() {
    let task = || regression("mass");
    says(network(3, &[], &[]), &["no tasks", "at least one"]);
    says(network(0, &[], &[task()]), &["no features"]);
    says(network(3, &[8, 0], &[task()]), &["hidden layer 1 has width 0"]);
    says(network(3, &[], &[Task::new("mass", Loss::Mse, 0)]), &["\"mass\"", "width 0"]);
    says(network(3, &[], &[task(), task()]), &["two tasks are named \"mass\""]);
    says(network(3, &[], &[Task::new("", Loss::Mse, 1)]), &["no name"]);
    for dropout in [1.0, -0.1, f64::NAN, f64::INFINITY] {
        let network = network(3, &[8], &[task()]).and_then(|it| it.with_dropout(dropout));
        says(network, &[&format!("dropout is {dropout}"), "less than 1"]);
    }
    for hidden in [&[1 << 16, 1 << 16][..], &[usize::MAX], &[usize::MAX, usize::MAX]] {
        says(network(3, hidden, &[task()]), &["more parameters", "narrower"]);
    }
}

#[test]
fn a_loss_is_checked_with_its_task() {
    let classes = |label_smoothing, class_weights| {
        let loss = Loss::CrossEntropy { label_smoothing, class_weights };
        network(3, &[], &[Task::new("species", loss, 3)])
    };
    says(classes(1.0, None), &["\"species\"", "label smoothing is 1", "[0, 1)"]);
    says(classes(f32::NAN, None), &["\"species\"", "NaN"]);
    says(
        classes(0.0, Some(vec![1.0; 2])),
        &["class weights of task \"species\"", "number of entries", "is 2, but must be 3"],
    );
    says(classes(0.0, Some(vec![1.0, -1.0, 1.0])), &["\"species\"", "class weight is -1"]);
    for delta in [0.0, -1.0, f32::INFINITY, f32::NAN] {
        let task = Task::new("price", Loss::Huber { delta }, 1);
        says(network(3, &[], &[task]), &["\"price\"", "delta", "positive"]);
    }
}

#[test]
fn tables_of_numbers_are_checked() {
    says(Matrix::new(0, vec![]), &["no column"]);
    says(Matrix::new(3, vec![0.0; 7]), &["number of values", "is 7, but must be 9"]);
    let empty = Matrix::new(2, vec![]).and_then(|x| Dataset::new(x, vec![]));
    says(empty, &["no rows"]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let features = Matrix::new(2, vec![0.0, 1.0, 2.0, bad]).expect("a matrix");
        says(Dataset::new(features, vec![]), &["features", "row 1, column 1", &bad.to_string()]);
    }
    let features = Matrix::new(1, vec![0.0; 3]).expect("a matrix");
    says(
        Dataset::new(features, vec![numbers(&[1.0; 2])]),
        &["target of task 0", "number of rows", "is 2, but must be 3"],
    );
    says(
        numbers(&[1.0; 3]).labelled(vec![true; 2]),
        &["mask", "number of rows", "is 2, but must be 3"],
    );
}

/// A recipe for one task of classes and one of numbers, with targets that may not fit it.
fn try_targets(targets: Vec<Target>) -> Result<()> {
    let tasks = [Task::new("species", Loss::cross_entropy(), 3), regression("mass")];
    let recipe = linear(&tasks, AutomaticWeightedLoss::new(2), Adam::new(0.1), 2);
    recipe.check(&constant_feature(1.0, targets))
}

#[test]
fn targets_must_fit_their_tasks() {
    let classes = || Target::classes(vec![0, 1, 2]);
    let masses = || numbers(&[1.0, 2.0, 3.0]);
    try_targets(vec![classes(), masses()]).expect("they fit");
    says(
        try_targets(vec![Target::classes(vec![0, 3, 1]), masses()]),
        &["\"species\"", "class 3 at row 1", "0..3"],
    );
    says(
        try_targets(vec![classes(), numbers(&[1.0, f32::NAN, 0.0])]),
        &["\"mass\"", "NaN at row 1, column 0"],
    );
    says(
        try_targets(vec![masses(), masses()]),
        &["\"species\"", "class indices", "Target::classes"],
    );
    says(try_targets(vec![classes(), classes()]), &["\"mass\"", "numbers", "Target::numbers"]);
    says(try_targets(vec![classes()]), &["number of targets", "is 1, but must be 2"]);
    let wide = Target::numbers(Matrix::new(2, vec![0.0; 6]).expect("a matrix"));
    says(
        try_targets(vec![classes(), wide]),
        &["\"mass\"", "number of columns", "is 2, but must be 1"],
    );
    let answer = Task::new("answer", Loss::Bce, 2);
    let answers = |values: &[f32]| Target::numbers(Matrix::new(2, values.to_vec()).expect("two"));
    answer.check_target(&answers(&[0.0, 1.0, 0.5, 0.0])).expect("probabilities");
    says(
        answer.check_target(&answers(&[0.0, 1.0, 0.5, 2.0])),
        &["\"answer\" is 2 at row 1, column 1", "from 0 to 1"],
    );
    // A label that is missing may hold anything.
    let masked = numbers(&[1.0, f32::NAN, 0.0]).labelled(vec![true, false, true]).expect("a mask");
    let odd = Target::classes(vec![0, 9, 1]).labelled(vec![true, false, true]).expect("a mask");
    try_targets(vec![odd, masked]).expect("missing labels are not looked at");
}

/// The recipe with one thing changed, on two tasks and three rows.
fn try_recipe(change: impl FnOnce(&mut Recipe)) -> Result<()> {
    let mut recipe =
        linear(&["a", "b"].map(regression), AutomaticWeightedLoss::new(2), Adam::new(0.1), 2);
    change(&mut recipe);
    recipe.check(&constant_feature(1.0, vec![numbers(&[1.0; 3]), numbers(&[2.0; 3])]))
}

#[test]
fn a_recipe_is_checked_before_anything_runs() {
    try_recipe(|_| ()).expect("it is sound");
    says(try_recipe(|r| r.batch = 0), &["batch has 0 rows"]);
    says(
        try_recipe(|r| r.weighting = AutomaticWeightedLoss::new(3).into()),
        &["weighting", "number of tasks", "is 3, but must be 2"],
    );
    for sigma in [0.0, f32::NAN, f32::INFINITY] {
        let weighting = AutomaticWeightedLoss::starting_at(vec![1.0, sigma]);
        says(
            try_recipe(|r| r.weighting = weighting.into()),
            &["task \"b\"", "σ", &sigma.to_string()],
        );
    }
    let floored = |sigma, floor| {
        let awl = AutomaticWeightedLoss::starting_at(vec![1.0, sigma]);
        let weighting = awl.with_form(SigmaForm::Log { floor }).into();
        try_recipe(|r| r.weighting = weighting)
    };
    floored(-0.25, 0.25).expect("σ starts at its floor");
    says(floored(0.0, 0.01), &["task \"b\"", "σ starts at 0", "other than 0"]);
    says(floored(-0.24, 0.25), &["task \"b\"", "σ starts at -0.24", "floor of 0.25"]);
    for floor in [0.0, -1.0, 1e-20, f32::NAN, f32::INFINITY] {
        says(floored(1.0, floor), &["floor of", &floor.to_string(), "such as 0.01"]);
    }
    let negative = Weighting::fixed(vec![-1.0, 1.0]);
    says(try_recipe(|r| r.weighting = negative), &["task \"a\"", "weight is -1"]);
    says(
        try_recipe(|r| r.optimizer.network.learning_rate = f64::NAN),
        &["network", "learning rate is NaN"],
    );
    says(try_recipe(|r| r.optimizer.sigma.betas.1 = 1.0), &["σ", "beta is 1", "[0, 1)"]);
    says(try_recipe(|r| r.optimizer.network.epsilon = 0.0), &["epsilon is 0"]);
    says(try_recipe(|r| r.optimizer.network.weight_decay = -0.1), &["weight decay is -0.1"]);
    for (schedule, parts) in [
        (Schedule::cosine(0), ["cosine has 0 steps", "leave the schedule out"]),
        (Schedule::step(0, 0.5), ["falls every 0 steps", "1 or more"]),
        (Schedule::step(5, 0.0), ["learning rate falls is 0", "above 0"]),
        (Schedule::step(5, 1.5), ["learning rate falls is 1.5", "at most 1"]),
        (Schedule::step(5, f64::NAN), ["learning rate falls is NaN", "such as 0.1"]),
    ] {
        says(try_recipe(|r| r.schedule = schedule.warm_up(3)), &parts);
    }
    for clip in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let clipped = format!("clipped at a norm of {clip}");
        says(try_recipe(|r| r.clip = Some(clip)), &[&clipped, "positive number"]);
    }
    let other = network(4, &[], &["a", "b"].map(regression)).expect("a network");
    says(
        try_recipe(|r| r.network = other),
        &["dataset", "number of features", "is 1, but must be 4"],
    );
}

#[test]
fn every_engine_checks_its_recipe() {
    let mut recipe = linear(&[regression("a")], AutomaticWeightedLoss::new(1), Adam::new(0.1), 2);
    recipe.batch = 0;
    let data = constant_feature(1.0, vec![numbers(&[1.0; 3])]);
    says(Reference::new(recipe.clone(), data.clone()), &["batch has 0 rows"]);
    says(block_on(GpuEngine::fused(gpu(), recipe.clone(), &data)), &["batch has 0 rows"]);
    says(block_on(GpuEngine::unfused(gpu(), recipe, &data)), &["batch has 0 rows"]);
}

#[test]
fn features_to_predict_from_are_checked() {
    for (_, make) in ON_GPU.into_iter().chain([("reference", &reference as Make)]) {
        let recipe = linear(&[regression("a")], AutomaticWeightedLoss::new(1), Adam::new(0.1), 2);
        let mut engine = make(recipe, constant_feature(1.0, vec![numbers(&[1.0; 3])]));
        let bad = Matrix::new(1, vec![0.0, f32::NAN]).expect("a matrix");
        says(block_on(engine.predict(&bad)), &["features to predict", "NaN at row 1"]);
        let none = Matrix::new(1, vec![]).expect("an empty matrix");
        assert_eq!(block_on(engine.predict(&none)).expect("nothing to predict").rows(), 0);
    }
}

#[test]
fn a_device_with_too_small_limits_is_refused() {
    let (device, queue) = device(wgpu::Limits {
        max_compute_invocations_per_workgroup: 32,
        max_compute_workgroup_size_x: 32,
        ..wgpu::Limits::default()
    });
    says(Gpu::from_device(device, queue), &["maxComputeInvocationsPerWorkgroup is 32", "64"]);
}

#[test]
fn tensors_beyond_the_adapters_limits_are_named() {
    let gpu = small_gpu(1 << 20);
    let task = [regression("y")];
    let engine = |rows: usize, hidden: &[usize]| {
        let network = network(1, hidden, &task).expect("a network");
        let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(1), Adam::new(0.1));
        recipe.batch = rows;
        let data = constant_feature(1.0, vec![numbers(&vec![1.0; rows])]);
        block_on(GpuEngine::fused(&gpu, recipe, &data)).map(|_| ())
    };
    engine(4096, &[16]).expect("it fits");
    let limit = "maxStorageBufferBindingSize of 1048576 bytes";
    says(
        engine(300_000, &[16]),
        &["features of the steps under way", "1200000 bytes", limit, "smaller batch"],
    );
    says(
        engine(4096, &[100]),
        &["the outputs of layer 0", "1638400 bytes", limit, "smaller batch"],
    );
    says(engine(4096, &[2, 140_000]), &["the parameters", limit, "narrower network"]);
}

#[test]
fn a_lost_device_is_an_error_not_a_panic() {
    let gpu = block_on(Gpu::new()).expect("a GPU of its own");
    let recipe = || linear(&[regression("y")], AutomaticWeightedLoss::new(1), Adam::new(0.1), 2);
    let data = constant_feature(1.0, vec![numbers(&[1.0; 4])]);
    let mut engine = block_on(GpuEngine::fused(&gpu, recipe(), &data)).expect("an engine");
    let steps = [Step::numbered(1, 4, 2)];
    engine.submit(&steps).expect("a submission");
    block_on(engine.collect()).expect("a record");
    gpu.device().destroy();
    let lost = |error: Error| assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
    let again = engine.submit(&steps).and_then(|()| block_on(engine.collect()));
    lost(again.expect_err("the device is gone"));
    lost(block_on(engine.state()).expect_err("the device is gone"));
    let features = Matrix::new(1, vec![1.0]).expect("a matrix");
    lost(block_on(engine.predict(&features)).expect_err("the device is gone"));
    let another = block_on(GpuEngine::fused(&gpu, recipe(), &data)).map(|_| ());
    lost(another.expect_err("the device is gone"));
}

#[test]
fn without_an_adapter_the_program_lists_what_it_saw() {
    let awl = |name: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_awl"));
        command.arg("adapters").env(name, value).output().expect("the program runs")
    };
    let output = awl("WGPU_ADAPTER_NAME", "no such adapter");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in [
        "no GPU adapter can be used",
        "adapters found",
        "\"no such adapter\"",
        "install a Vulkan driver",
    ] {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
    let output =
        Command::new(env!("CARGO_BIN_EXE_awl")).arg("adapters").output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
