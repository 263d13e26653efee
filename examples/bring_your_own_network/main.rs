//! The fused losses and Adam in a wgpu program with a device, an encoder and a network of its own (kernels.wgsl).
//!
//! A step is the network's way forward, the loss pass, the way back, and Adam on the network's parameters and on σ, all recorded into
//! one encoder: no copy, no read-back, no allocation. The end is held against the library's own training of the same network.

use awl::loss::{Labels, LossBuffers, LossPass, Sums};
use awl::optimizer::{AdamBuffers, AdamPass};
use awl::wgpu::{self, BufferUsages, util::DeviceExt};
use awl::*;

const ROWS: usize = 64;
const STEPS: usize = 200;

fn main() -> Result<()> {
    pollster::block_on(run()).map(drop)
}

/// Trains, prints, and returns the totals that were printed, with those of the library's own training.
async fn run() -> Result<Vec<[f32; 2]>> {
    // What a renderer or an engine has already.
    let (device, queue) = device().await;
    let buffer = |label, contents: &[u8]| {
        let usage = BufferUsages::STORAGE;
        let descriptor = wgpu::util::BufferInitDescriptor { label: Some(label), contents, usage };
        device.create_buffer_init(&descriptor)
    };
    let numbers = |label, values: &[f32]| buffer(label, bytemuck::cast_slice(values));

    // Tasks and labels, as the library takes them.
    let tasks = [Task::new("height", Loss::Mse, 1), Task::new("side", Loss::cross_entropy(), 2)];
    let data = data()?;
    let labels = Labels::pack(&tasks, data.targets())?;
    let network = Network::new(2, &[8], Activation::Tanh, &tasks)?;
    let start = network.initial_parameters(0);
    let weighting: Weighting = AutomaticWeightedLoss::new(2).into();
    let adam = Adam::new(0.01);

    // The program's own buffers.
    let parameters = numbers("parameters", &start);
    let gradient = numbers("gradient", &vec![0.0; start.len()]);
    let features = numbers("features", data.features().values());
    let units = numbers("units", &[0.0; 8 * ROWS]);
    let [predictions, at_predictions] =
        ["predictions", "at predictions"].map(|label| numbers(label, &[0.0; 3 * ROWS]));
    let sigma = numbers("sigma", weighting.parameters());
    let words = buffer("labels", bytemuck::cast_slice(&labels.words));

    // Its own kernels.
    let module = device.create_shader_module(wgpu::include_wgsl!("kernels.wgsl"));
    let own = [&parameters, &features, &units, &predictions, &at_predictions, &gradient];
    let kernel = |entry_point: &str, bindings: &[u32]| {
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: None,
            module: &module,
            entry_point: Some(entry_point),
            compilation_options: Default::default(),
            cache: None,
        });
        let bind = |&binding: &u32| {
            let resource = own[binding as usize].as_entire_binding();
            wgpu::BindGroupEntry { binding, resource }
        };
        let entries: Vec<_> = bindings.iter().map(bind).collect();
        let layout = &pipeline.get_bind_group_layout(0);
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout, entries: &entries };
        (device.create_bind_group(&descriptor), pipeline)
    };
    let forward = kernel("forward", &[0, 1, 2, 3]);
    let backward = kernel("backward", &[0, 1, 2, 4, 5]);
    let dispatch = |encoder: &mut wgpu::CommandEncoder, kernel: &(_, _), invocations: usize| {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&kernel.1);
        pass.set_bind_group(0, &kernel.0, &[]);
        pass.dispatch_workgroups(invocations.div_ceil(64) as u32, 1, 1);
    };

    // The library's part: the losses, and Adam on the network and on σ.
    let gpu = Gpu::from_device(device.clone(), queue.clone())?;
    let buffers = LossBuffers {
        predictions: predictions.slice(..),
        labels: words.slice(..),
        sigma: sigma.slice(..),
        gradient: at_predictions.slice(..),
    };
    let sums = Sums::Repeatable;
    let losses = LossPass::new(&gpu, &labels.layouts, ROWS, &weighting, buffers, sums).await?;
    let own = AdamBuffers { parameters: parameters.slice(..), gradient: gradient.slice(..) };
    let optimizer = AdamPass::new(&gpu, &adam, &[own], Some(&losses)).await?;

    // The same by the library alone, to compare with.
    let mut recipe = Recipe::new(network, weighting, adam);
    (recipe.batch, recipe.shuffle) = (ROWS, false);
    let mut trainer = Trainer::new(GpuEngine::fused(&gpu, recipe, &data).await?);
    let records = trainer.steps(STEPS).await?;

    let mut totals = Vec::new();
    for step in 1..=STEPS {
        let mut encoder = device.create_command_encoder(&Default::default());
        dispatch(&mut encoder, &forward, ROWS);
        losses.encode(&mut encoder);
        dispatch(&mut encoder, &backward, start.len());
        optimizer.encode(&mut encoder);
        queue.submit([encoder.finish()]);
        if step % 50 == 0 {
            let found = losses.read().await?;
            let sigma: Vec<f32> =
                found.weights.iter().map(|weight| (0.5 / weight).sqrt()).collect();
            let total = found.total;
            println!("step {step}: total {total:.4}, losses {:.4?}, σ {sigma:.4?}", found.losses);
            totals.push([total, records[step - 1].total as f32]);
        }
    }
    println!(
        "{:?}; the library's own training ends at {:.4}",
        optimizer.progress().await?,
        totals[3][1]
    );
    Ok(totals)
}

/// Points of a plane: how high a hill is there, and on which side of a curve they lie.
fn data() -> Result<Dataset> {
    let points: Vec<[f32; 2]> =
        (0..ROWS).map(|i| [(i % 8) as f32 / 4.0 - 0.9, (i / 8) as f32 / 4.0 - 0.9]).collect();
    // Measured to a fifth or so.
    let noise = |i: usize| (i * 7 % 11) as f32 / 20.0 - 0.25;
    let height = points.iter().enumerate();
    let height = height.map(|(i, [x, y])| (1.5 * x).sin() + 0.5 * y + noise(i)).collect();
    let side = points.iter().map(|[x, y]| u32::from(*y > x * x - 0.3)).collect();
    let features = Matrix::new(2, points.concat())?;
    Dataset::new(features, vec![Target::numbers(Matrix::new(1, height)?), Target::classes(side)])
}

/// A device as any program opens one, with WebGPU's default limits.
async fn device() -> (wgpu::Device, wgpu::Queue) {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = instance.request_adapter(&Default::default()).await.expect("an adapter");
    adapter.request_device(&Default::default()).await.expect("a device")
}

#[test]
fn a_network_of_ones_own_trains_as_the_librarys_does() {
    let totals = pollster::block_on(run()).expect("a run");
    assert!(totals[3][0] < 0.9 * totals[0][0], "{totals:?}");
    for [own, library] in totals {
        assert!((own - library).abs() <= 1e-4 * library.abs().max(1.0), "{own}, {library}");
    }
}
