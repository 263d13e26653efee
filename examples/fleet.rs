//! A thousand networks at once: the same small network on the penguins from a thousand seeds, with learned and equal task weights by
//! turns, as one fleet. `cargo run --release --example fleet -- 100` trains a hundred.

use awl::*;
use std::time::Instant;

const PENGUINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins/penguins.csv");
const EPOCHS: usize = 30;

fn main() {
    if let Err(error) = pollster::block_on(run()) {
        eprintln!("fleet: {error}");
        std::process::exit(1);
    }
}

async fn run() -> Result<()> {
    let members = std::env::args().nth(1).map_or(Ok(1_000), |count| count.parse());
    let members: usize = members.map_err(|_| Error::Invalid {
        what: "the number of members is not a whole number".into(),
        remedy: "name one, such as 100, or none for 1000".into(),
    })?;
    let gpu = Gpu::new().await?;
    let parts = Table::read_csv(PENGUINS)?.split(0, [0.6, 0.2, 0.2])?;
    let features = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "island", "sex"];
    let targets = [("species", Loss::cross_entropy()), ("body_mass_g", Loss::Mse)];
    let encoder = Encoder::fit(&parts[0], &features, &targets)?;
    let (training, test) = (encoder.encode(&parts[0])?, encoder.encode(&parts[2])?);

    let network = Network::new(encoder.features(), &[16], Activation::Relu, &encoder.tasks())?;
    let recipe = |seed: usize| {
        let weighting = match seed % 2 {
            0 => AutomaticWeightedLoss::new(2).into(),
            _ => Weighting::equal(2),
        };
        let mut recipe = Recipe::new(network.clone(), weighting, Adam::new(1e-2));
        recipe.seed = (seed / 2) as u64;
        recipe
    };
    let engine = GpuEngine::fleet(&gpu, (0..members).map(recipe).collect(), &training).await?;
    println!("{members} networks on {}, by {}", gpu.name(), engine.program());
    let mut trainer = Trainer::new(engine);
    // Compiles the kernels.
    trainer.steps(1).await?;
    let start = Instant::now();
    let steps = EPOCHS * trainer.steps_per_epoch() - 1;
    trainer.steps(steps).await?;
    let took = start.elapsed();
    let each = took.as_secs_f64() * 1e6 / (steps * members) as f64;
    println!("{EPOCHS} epochs in {:.2} s: {each:.1} µs a step and network", took.as_secs_f64());

    trainer.engine().hold_out(&test).await?;
    let losses = trainer.engine().validate_members().await?;
    for (first, name) in ["awl", "equal"].iter().enumerate() {
        for (k, task) in encoder.tasks().iter().enumerate() {
            let of_task = losses.iter().skip(first).step_by(2).filter_map(|losses| losses[k]);
            let mut of_task: Vec<f64> = of_task.collect();
            of_task.sort_by(f64::total_cmp);
            let at = |share: usize| of_task.get(share * of_task.len() / 10).copied();
            if let [Some(low), Some(middle), Some(high)] = [1, 5, 9].map(at) {
                let name = format!("{name:>5} {:>12}", task.name);
                println!(
                    "{name}: test loss {middle:.3}, from {low:.3} to {high:.3} in 8 of 10 networks"
                );
            }
        }
    }
    Ok(())
}
