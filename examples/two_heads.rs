//! One network, two heads, learned task weights: which species is this penguin, and how heavy?
//! Data: examples/data/penguins (Gorman, Williams & Fraser 2014), missing cells included.

use awl::report::EpochTable;
use awl::*;

const PENGUINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins/penguins.csv");

fn main() {
    awl::prefer_wide_vectors();
    if let Err(error) = pollster::block_on(run()) {
        eprintln!("two_heads: {error}");
        std::process::exit(1);
    }
}

async fn run() -> Result<()> {
    let gpu = Gpu::new().await?;
    println!("training on {}", gpu.name());
    let parts = Table::read_csv(PENGUINS)?.split(0, [0.6, 0.2, 0.2])?;
    let features = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "island", "sex"];
    let targets = [("species", Loss::cross_entropy()), ("body_mass_g", Loss::Mse)];
    let encoder = Encoder::fit(&parts[0], &features, &targets)?;
    let [training, validation, test] = [0, 1, 2].map(|part| encoder.encode(&parts[part]));
    let (training, validation, test) = (training?, validation?, test?);

    let model = Network::new(encoder.features(), &[32, 32], Activation::Relu, &encoder.tasks())?;
    let optimizer = Adam::new(1e-3).sigma_learning_rate(1e-2);
    let table = EpochTable::new(&encoder);
    let mut results = Vec::new();
    for weighting in [AutomaticWeightedLoss::new(2).into(), Weighting::equal(2)] {
        println!("\nweighting: {}\n{}", weighting.name(), table.header());
        let recipe = Recipe::new(model.clone(), weighting, optimizer);
        let mut trainer = Trainer::new(GpuEngine::fused(&gpu, recipe, &training).await?);
        let mut compiled = None;
        for epoch in (10..=100).step_by(10) {
            let records = trainer.epochs(10).await?;
            println!("{}", table.row(epoch, &records, &trainer.evaluate(&validation).await?));
            compiled = compiled.or_else(|| trainer.engine().gpu_time());
        }
        results.push(trainer.evaluate(&test).await?);
        if let (Some(compiled), Some(time)) = (compiled, trainer.engine().gpu_time()) {
            let steps = 90 * trainer.steps_per_epoch() as u128;
            println!("{} µs of GPU time a step, compiled", (time - compiled).as_micros() / steps);
        }
    }

    println!("\ntest: {} penguins that no choice was made on", test.rows());
    for (name, metrics) in ["awl", "equal"].iter().zip(&results) {
        println!("  weighting {name:>5}: {}", table.metrics(metrics));
    }
    Ok(())
}
