//! Our worker in the comparison with other frameworks (README.md): makes as many fused steps as each line of stdin
//! says, and answers with their seconds and the total that the last one saw. Started as
//! `peers-ours WORKLOAD FEATURES WIDTH BATCH FILE`; `workloads.py` says what is in the file.

use awl::bench::{WORKLOADS, Workload};
use awl::engine::State;
use awl::{Dataset, Engine, Gpu, GpuEngine, Matrix, Target, Trainer};
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

/// Copies of the batch in the dataset: an epoch's opening is paid for once in so many steps, as in `awl bench`.
const COPIES: usize = 4;

/// The words of the inputs' file, in order.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self, count: usize) -> impl Iterator<Item = [u8; 4]> {
        let (words, rest) = self.0.split_at(4 * count);
        self.0 = rest;
        words.chunks_exact(4).map(|word| word.try_into().expect("four bytes"))
    }
}

async fn trainer(gpu: &Gpu, workload: &Workload, bytes: &[u8]) -> awl::Result<Trainer<GpuEngine>> {
    let mut words = Words(bytes);
    let mut numbers = |count| words.next(count).map(f32::from_le_bytes).collect::<Vec<f32>>();
    let features = numbers(workload.batch * workload.features).repeat(COPIES);
    let value = numbers(workload.batch).repeat(COPIES);
    let kind = words.next(workload.batch).map(u32::from_le_bytes).collect::<Vec<_>>();
    let targets =
        vec![Target::numbers(Matrix::new(1, value)?), Target::classes(kind.repeat(COPIES))];
    let data = Dataset::new(Matrix::new(workload.features, features)?, targets)?;
    let mut recipe = workload.recipe()?;
    recipe.shuffle = false;
    let mut state = State::initial(&recipe);
    let parameters = words.next(state.parameters.len());
    state.parameters = parameters.map(|word| f64::from(f32::from_le_bytes(word))).collect();
    let mut engine = GpuEngine::fused(gpu, recipe, &data).await?;
    engine.load(&state)?;
    Ok(Trainer::new(engine))
}

fn main() -> Result<(), Box<dyn Error>> {
    awl::prefer_wide_vectors();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, features, width, batch, file] = arguments.as_slice() else {
        return Err("usage: peers-ours WORKLOAD FEATURES WIDTH BATCH FILE".into());
    };
    let width = width.parse()?;
    let [features, batch] = [features.parse()?, batch.parse()?];
    let same = |it: &&Workload| {
        it.name == name && (it.features, it.hidden, it.batch) == (features, [width, width], batch)
    };
    let workload = WORKLOADS.iter().find(same).ok_or_else(|| {
        format!("{name} is not a workload of this size: make workloads.py and src/bench/workload.rs agree")
    })?;

    let gpu = pollster::block_on(Gpu::new())?;
    let mut trainer = pollster::block_on(trainer(&gpu, workload, &std::fs::read(file)?))?;
    let mut out = std::io::stdout().lock();
    let (version, device) = (concat!("awl ", env!("CARGO_PKG_VERSION")), gpu.name());
    writeln!(out, "{}", serde_json::json!({ "version": version, "device": device }))?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let count = line?.trim().parse()?;
        let started = Instant::now();
        let records = pollster::block_on(trainer.steps(count))?;
        let seconds = started.elapsed().as_secs_f64();
        let total = records.last().map(|record| record.total);
        writeln!(out, "{}", serde_json::json!({ "seconds": seconds, "total": total }))?;
        out.flush()?;
    }
    Ok(())
}
