//! What is left on the GPU of a training that is over: nothing but the pipelines, which the next one takes.
//! `cargo run --release --example soak -- trainings 200` does it at length.

use crate::support::{constant_feature, linear, numbers, regression};
use awl::loss::{Labels, LossBuffers, LossPass, Sums};
use awl::{Adam, AutomaticWeightedLoss, Gpu, GpuEngine, Trainer};
use pollster::block_on;

/// Buffers, bind groups and their layouts, shader modules, pipelines and their layouts, encoders, command buffers, query sets.
fn objects(instance: &wgpu::Instance) -> [usize; 9] {
    let report = instance.generate_report().expect("a report");
    let hub = report.hub_report();
    [
        &hub.buffers,
        &hub.bind_groups,
        &hub.bind_group_layouts,
        &hub.shader_modules,
        &hub.pipeline_layouts,
        &hub.compute_pipelines,
        &hub.command_encoders,
        &hub.command_buffers,
        &hub.query_sets,
    ]
    .map(|kind| kind.num_allocated)
}

/// Steps of both engines, rows held out, predictions, a state that is read and loaded, one that fails, and a loss pass.
fn train(gpu: &Gpu) {
    let tasks = ["first", "second"].map(regression);
    let targets = vec![numbers(&[1.0, 2.0, 3.0]), numbers(&[0.5, 0.25, 1e30])];
    let data = constant_feature(1.0, targets);
    let recipe = linear(&tasks, AutomaticWeightedLoss::new(2), Adam::new(0.1), 2);
    let fused = block_on(GpuEngine::fused(gpu, recipe.clone(), &data)).expect("an engine");
    let unfused = block_on(GpuEngine::unfused(gpu, recipe, &data)).expect("an engine");
    for engine in [fused, unfused] {
        let mut trainer = Trainer::new(engine);
        block_on(trainer.steps(9)).expect_err("the third label's loss is infinite");
        use awl::engine::Engine;
        let engine = trainer.engine();
        let state = block_on(engine.state()).expect("a state");
        engine.load(&state).expect("the state fits");
        block_on(engine.hold_out(&data)).expect("rows");
        block_on(engine.validate()).expect("losses");
        block_on(engine.predict(data.features())).expect("predictions");
    }
    let labels = Labels::pack(&tasks, data.targets()).expect("labels");
    let buffer = |label| {
        gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: 1024,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        })
    };
    let [predictions, words, sigma, gradient] =
        ["predictions", "labels", "sigma", "gradient"].map(buffer);
    let buffers = LossBuffers {
        predictions: predictions.slice(..),
        labels: words.slice(..),
        sigma: sigma.slice(..),
        gradient: gradient.slice(..),
    };
    let awl = AutomaticWeightedLoss::new(2).into();
    let pass = LossPass::new(gpu, &labels.layouts, 3, &awl, buffers, Sums::Repeatable);
    let pass = block_on(pass).expect("a pass");
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    pass.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    block_on(pass.read()).expect("results");
}

#[test]
fn a_training_that_is_over_leaves_nothing_on_the_gpu() {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = block_on(instance.request_adapter(&Default::default())).expect("an adapter");
    let opened = block_on(adapter.request_device(&Default::default()));
    let (device, queue) = opened.expect("a device");
    let gpu = Gpu::from_device(device, queue).expect("limits that the kernels can work with");
    let after = |_| {
        train(&gpu);
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
        objects(&instance)
    };
    let after: Vec<[usize; 9]> = (0..5).map(after).collect();
    // The first one compiles.
    assert!(after[1..].iter().all(|it| *it == after[1]), "{after:?}");
    assert!(after[4][5] > 5, "pipelines are kept: {after:?}");
}
