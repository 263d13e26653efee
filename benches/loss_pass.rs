//! The fused loss pass by itself: 65,536 rows (or the most that one of the adapter's bindings holds), a head with `mse`
//! and one with `cross_entropy`, with few and with many classes, its sums added up at once and in a fixed order.
//!
//! `cargo bench --bench loss_pass`; with `-- --test`, every pass is made once and nothing is timed.

use awl::loss::{Labels, LossBuffers, Sums};
use awl::wgpu::util::{BufferInitDescriptor, DeviceExt};
use awl::{AutomaticWeightedLoss, Gpu, Loss, LossPass, Matrix, Result, Target, Task, wgpu};
use criterion::{BenchmarkId, Criterion, Throughput};

const ROWS: usize = 65_536;
const CLASSES: [usize; 3] = [10, 100, 1000];

/// A pass over this many rows; it keeps its buffers alive.
async fn loss_pass(gpu: &Gpu, rows: usize, classes: usize, sums: Sums) -> Result<LossPass> {
    let tasks =
        [Task::new("value", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), classes)];
    let value = Matrix::new(1, (0..rows).map(|row| (row % 7) as f32 / 7.0).collect())?;
    let kinds = (0..rows).map(|row| (row * 31 % classes) as u32).collect();
    let labels = Labels::pack(&tasks, &[Target::numbers(value), Target::classes(kinds)])?;
    let predictions: Vec<f32> =
        (0..rows * (1 + classes)).map(|index| (index % 13) as f32 / 13.0).collect();
    let buffer = |label, contents| {
        let usage = wgpu::BufferUsages::STORAGE;
        let descriptor = BufferInitDescriptor { label: Some(label), contents, usage };
        gpu.device().create_buffer_init(&descriptor)
    };
    let predictions: &[u8] = bytemuck::cast_slice(&predictions);
    let labelled = buffer("labels", bytemuck::cast_slice(&labels.words));
    let sigma = buffer("sigma", bytemuck::cast_slice(&[1f32, 1.0]));
    let [predictions, gradient] =
        ["predictions", "gradient"].map(|label| buffer(label, predictions));
    let buffers = LossBuffers {
        predictions: predictions.slice(..),
        labels: labelled.slice(..),
        sigma: sigma.slice(..),
        gradient: gradient.slice(..),
    };
    let weighting = AutomaticWeightedLoss::new(2).into();
    LossPass::new(gpu, &labels.layouts, rows, &weighting, buffers, sums).await
}

/// Submits one pass and waits until it is done.
fn run(gpu: &Gpu, pass: &LossPass) {
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    pass.encode(&mut encoder);
    let submission = Some(gpu.queue().submit([encoder.finish()]));
    let wait = wgpu::PollType::Wait { submission_index: submission, timeout: None };
    gpu.device().poll(wait).expect("the device works");
    gpu.check().expect("the pass is valid");
}

fn benchmark(criterion: &mut Criterion) -> Result<()> {
    let gpu = pollster::block_on(Gpu::new())?;
    let most = gpu.device().limits().max_storage_buffer_binding_size;
    let mut group = criterion.benchmark_group("loss_pass");
    group.sample_size(20);
    for classes in CLASSES {
        let rows = ROWS.min((most / (4 * (1 + classes as u64))) as usize);
        group.throughput(Throughput::Elements(rows as u64));
        for sums in [Sums::OneDispatch, Sums::Repeatable] {
            let pass = pollster::block_on(loss_pass(&gpu, rows, classes, sums))?;
            let size = format!("{classes} classes, {rows} rows");
            group.bench_function(BenchmarkId::new(format!("{sums:?}"), size), |bencher| {
                bencher.iter(|| run(&gpu, &pass));
            });
        }
    }
    group.finish();
    Ok(())
}

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    benchmark(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
