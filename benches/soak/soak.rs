//! Whether long use leaves anything behind, on the workload `seed` of `awl bench`.
//!
//! ```sh
//! cargo run --release --example soak -- steps 2000000     # memory, every 100,000 steps
//! cargo run --release --example soak -- drift 20000       # beside the f64 reference
//! cargo run --release --example soak -- trainings 200     # objects of the GPU that outlive a training
//! ```
//!
//! Each ends with exit status 1 where what it measures is beyond its bound (docs/reliability.md).

use awl::bench::WORKLOADS;
use awl::engine::{Engine, MOST_STEPS, Record, Reference, Step};
use awl::{Gpu, GpuEngine, Trainer, wgpu};
use pollster::block_on;
use std::process::ExitCode;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Steps from one look at the memory to the next.
const LOOK: usize = 100_000;
/// MiB that memory may grow by after the first look.
const MOST_GROWTH: f64 = 4.0;
/// Steps that are told of together. Of the first of these every total is the reference's but for rounding; later ones are another run's
/// of the same kind, since rounding grows as in any training, and σ, run into 0 by tasks that are learned, throws spikes at other steps.
const STRETCH: usize = 1_000;
/// How far a total of the first stretch may be off, and the mean of all.
const MOST_DRIFT: [f64; 2] = [1e-4, 0.02];
/// The training whose objects are compared with the last one's.
const SETTLED: usize = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = arguments.get(1).and_then(|count| count.parse().ok());
    let outcome = match (arguments.first().map(String::as_str), count) {
        (Some("steps"), Some(count)) => steps(count),
        (Some("drift"), Some(count)) => drift(count),
        (Some("trainings"), Some(count)) => trainings(count),
        _ => Err("say what to do: steps, drift or trainings, and how many".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::from(2)
        }
    }
}

/// MiB of memory that the process holds, as Linux counts it; 0 elsewhere.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

fn steps(count: usize) -> Outcome<bool> {
    let seed = WORKLOADS[0];
    let gpu = block_on(Gpu::new())?;
    let engine = block_on(GpuEngine::fused(&gpu, seed.recipe()?, &seed.dataset()?))?;
    println!("{} steps of {} by {} on {}", count, seed.name, engine.program(), gpu.name());
    let mut trainer = Trainer::new(engine);
    let (start, mut made, mut first, mut last) = (Instant::now(), 0, None, 0.0);
    while made < count {
        let some = LOOK.min(count - made);
        block_on(trainer.each_step(some, |record| last = record.total))?;
        made += some;
        let now = resident();
        first = first.or(Some(now));
        println!(
            "{made:>9} steps, {:>6.0} s, total {last:.4}, {now:.1} MiB",
            start.elapsed().as_secs_f64()
        );
    }
    let grown = resident() - first.unwrap_or_default();
    println!("grown by {grown:.1} MiB since the first {LOOK} steps, of {MOST_GROWTH} at most");
    Ok(grown <= MOST_GROWTH)
}

fn drift(count: usize) -> Outcome<bool> {
    let seed = WORKLOADS[0];
    let (recipe, data) = (seed.recipe()?, seed.dataset()?);
    let gpu = block_on(Gpu::new())?;
    let mut fused = block_on(GpuEngine::fused(&gpu, recipe.clone(), &data))?;
    let mut reference = Reference::new(recipe, data)?;
    let numbers: Vec<u64> = (1..=count as u64).collect();
    let (mut first, mut sums) = (None, [0.0, 0.0]);
    for some in numbers.chunks(STRETCH) {
        let [found, truth] = [stretch(&mut fused, some)?, stretch(&mut reference, some)?];
        let apart = found.iter().zip(&truth).map(|(a, b)| (a.total / b.total - 1.0).abs());
        let worst = apart.fold(0.0, f64::max);
        let own = [&found, &truth].map(|records| records.iter().map(|it| it.total).sum::<f64>());
        first = first.or(Some(worst));
        sums = [sums[0] + own[0], sums[1] + own[1]];
        let means = own.map(|sum| sum / some.len() as f64);
        let last = some[some.len() - 1];
        println!(
            "to step {last:>6}: mean {:.5}, the reference's {:.5}; worst single step {worst:.1e}",
            means[0], means[1]
        );
    }
    let drift = [first.unwrap_or(0.0), (sums[0] / sums[1] - 1.0).abs()];
    println!(
        "first stretch off by {:.1e}, the mean of all by {:.1e}; at most {MOST_DRIFT:?}",
        drift[0], drift[1]
    );
    Ok(drift.iter().zip(MOST_DRIFT).all(|(found, most)| *found <= most))
}

/// The records of the steps with these numbers.
fn stretch(engine: &mut dyn Engine, numbers: &[u64]) -> Outcome<Vec<Record>> {
    let (rows, batch) = (engine.rows(), engine.recipe().batch);
    let mut records = Vec::with_capacity(numbers.len());
    for some in numbers.chunks(MOST_STEPS) {
        let steps: Vec<Step> = some.iter().map(|&it| Step::numbered(it, rows, batch)).collect();
        engine.submit(&steps)?;
        records.extend(block_on(engine.collect())?);
    }
    Ok(records)
}

fn trainings(count: usize) -> Outcome<bool> {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = block_on(instance.request_adapter(&Default::default()))?;
    let descriptor =
        wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() };
    let (device, queue) = block_on(adapter.request_device(&descriptor))?;
    let gpu = Gpu::from_device(device, queue)?;
    let (mut settled, mut last) = (Vec::new(), Vec::new());
    for number in 1..=count {
        one_training(&gpu, number as u64)?;
        gpu.device().poll(wgpu::PollType::wait_indefinitely())?;
        last = objects(&instance)?;
        if number == SETTLED.min(count) {
            settled.clone_from(&last);
        }
        if number.is_multiple_of(SETTLED) || number == count {
            let told: Vec<String> =
                last.iter().map(|(what, live)| format!("{live} {what}")).collect();
            println!("{number:>4} trainings, {:.1} MiB: {}", resident(), told.join(", "));
        }
    }
    Ok(last == settled)
}

/// One training as a program makes it, by both engines: steps, rows held out, predictions, and all of it dropped.
fn one_training(gpu: &Gpu, number: u64) -> Outcome<()> {
    let seed = WORKLOADS[0];
    let (recipe, data) = (seed.member(number as usize)?, seed.dataset()?);
    let fused = block_on(GpuEngine::fused(gpu, recipe.clone(), &data))?;
    let unfused = block_on(GpuEngine::unfused(gpu, recipe, &data))?;
    for engine in [fused, unfused] {
        let mut trainer = Trainer::new(engine);
        block_on(trainer.steps(20))?;
        block_on(trainer.engine().hold_out(&data))?;
        block_on(trainer.engine().validate())?;
        block_on(trainer.engine().predict(data.features()))?;
    }
    Ok(())
}

/// How many objects of each kind wgpu holds.
fn objects(instance: &wgpu::Instance) -> Outcome<Vec<(&'static str, usize)>> {
    let report = instance.generate_report().ok_or("wgpu gives no report here")?;
    let hub = report.hub_report();
    Ok(vec![
        ("buffers", hub.buffers.num_allocated),
        ("bind groups", hub.bind_groups.num_allocated),
        ("bind group layouts", hub.bind_group_layouts.num_allocated),
        ("pipeline layouts", hub.pipeline_layouts.num_allocated),
        ("pipelines", hub.compute_pipelines.num_allocated),
        ("shader modules", hub.shader_modules.num_allocated),
        ("command encoders", hub.command_encoders.num_allocated),
        ("command buffers", hub.command_buffers.num_allocated),
        ("query sets", hub.query_sets.num_allocated),
        ("textures", hub.textures.num_allocated),
    ])
}
