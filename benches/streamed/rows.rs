//! What streaming the rows costs: time a step and the process's memory, with all rows on the device where it binds them, and with a
//! window of them at a time.
//!
//! ```sh
//! cargo run --release --example streamed -- --rows 10000000 --features 20
//! ```

use awl::data::{Dataset, Matrix, Target};
use awl::engine::Engine;
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Gpu, GpuEngine, Loss, Network, Recipe, Task, Trainer,
};
use clap::Parser;
use std::time::Instant;

/// Times training on tables of any length.
#[derive(Parser)]
struct Arguments {
    /// Rows of the table
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// Its features
    #[arg(long, default_value_t = 20)]
    features: usize,
    /// Rows of a batch
    #[arg(long, default_value_t = 1024)]
    batch: usize,
    /// Steps to time
    #[arg(long, default_value_t = 2000)]
    steps: usize,
    /// MiB of a window; without it, as the engine chooses
    #[arg(long)]
    window: Option<u64>,
}

/// A table from a hash, whose second task is a sign of the first.
fn table(rows: usize, features: usize) -> awl::Result<Dataset> {
    let value = |i: usize| {
        let mixed = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    let values = Matrix::new(features, (0..rows * features).map(value).collect())?;
    let sums: Vec<f32> = (0..rows).map(|row| values.row(row).iter().sum()).collect();
    let signs = sums.iter().map(|&sum| u32::from(sum > 0.0)).collect();
    let targets = vec![Target::numbers(Matrix::new(1, sums)?), Target::classes(signs)];
    Dataset::new(values, targets)
}

/// MiB that the process has had at most, where the system says so.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok().map(|kibibytes: u64| kibibytes >> 10)
}

fn say_peak(when: &str) {
    if let Some(peak) = peak() {
        println!("{when}: {peak} MiB at most");
    }
}

fn main() -> awl::Result<()> {
    let Arguments { rows, features, batch, steps, window } = Arguments::parse();
    let data = table(rows, features)?;
    say_peak("with the table");
    let tasks = [Task::new("sum", Loss::Mse, 1), Task::new("sign", Loss::cross_entropy(), 2)];
    let network = Network::new(features, &[64, 64], Activation::Relu, &tasks)?;
    let mut recipe = Recipe::new(network, AutomaticWeightedLoss::new(2), Adam::new(1e-3));
    recipe.batch = batch;
    pollster::block_on(async {
        let gpu = Gpu::new().await?;
        let started = Instant::now();
        let engine = match window {
            Some(mebibytes) => {
                GpuEngine::streamed(&gpu, vec![recipe], &data, mebibytes << 20).await?
            }
            None => GpuEngine::fused(&gpu, recipe, &data).await?,
        };
        let how = if engine.is_streamed() { "streamed" } else { "on the device" };
        println!("{rows} x {features}, {how}, {}: ready in {:.1?}", gpu.name(), started.elapsed());
        say_peak("with the engine");
        let mut trainer = Trainer::new(engine);
        trainer.steps(steps / 4).await?;
        let started = Instant::now();
        let records = trainer.steps(steps).await?;
        let microseconds = started.elapsed().as_secs_f64() * 1e6 / records.len().max(1) as f64;
        let total = records.last().map_or(f64::NAN, |record| record.total);
        println!("{microseconds:.1} us a step of {batch} rows; last total {total}");
        say_peak("after training");
        Ok(())
    })
}
