//! The loss pass by itself, as a caller's program runs it, against what the reference engine saw in its first step.

use super::{CASES, ROWS, TOLERANCE, dataset, largest_of, recipe};
use crate::data::Dataset;
use crate::engine::{Engine, Reference};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::loss::{Labels, LossBuffers, LossPass, LossResults, Sums};
use crate::train::Trainer;

/// Runs the pass both ways, and says how far losses, weights and total are from the reference's.
pub(super) async fn same_as_reference(gpu: &Gpu) -> Result<String, String> {
    let compare = async {
        let data = dataset()?;
        let mut recipe = recipe(&CASES[0])?;
        recipe.batch = ROWS;
        let mut trainer = Trainer::new(Reference::new(recipe, data.clone())?);
        let predictions = trainer.engine().predict(data.features()).await?;
        let record = trainer.steps(1).await?.remove(0);
        let mut expected = vec![record.total];
        expected.extend(record.tasks.iter().map(|task| task.loss.unwrap_or(0.0)));
        expected.extend(record.tasks.iter().map(|task| task.weight));
        let mut worst = 0.0;
        for sums in [Sums::OneDispatch, Sums::Repeatable] {
            let found = pass(gpu, trainer.engine(), &data, predictions.values(), sums).await?;
            let found = [&[found.total][..], &found.losses, &found.weights].concat();
            let errors = expected.iter().zip(found).map(|(expected, found)| {
                (expected - f64::from(found)).abs() / expected.abs().max(1.0)
            });
            worst = errors.fold(worst, largest_of);
        }
        Ok::<_, Error>(worst)
    };
    match compare.await {
        Ok(worst) if worst <= TOLERANCE => Ok(format!("{worst:.0e} from the f64 reference")),
        Ok(worst) => Err(format!(
            "losses or weights are {worst:.0e} from the f64 reference, where {TOLERANCE:.0e} is allowed: do not use the \
             loss pass on this driver"
        )),
        Err(error) => Err(error.to_string()),
    }
}

async fn pass(
    gpu: &Gpu,
    engine: &Reference,
    data: &Dataset,
    predictions: &[f32],
    sums: Sums,
) -> Result<LossResults> {
    let recipe = engine.recipe();
    let packed = Labels::pack(recipe.network.tasks(), data.targets())?;
    let labels = Buffer::storage(gpu, "the drill's labels", &packed.words)?;
    let sigma = Buffer::storage(gpu, "the drill's σ", recipe.weighting.parameters())?;
    let gradient = Buffer::<f32>::zeros(gpu, "the drill's gradient", predictions.len())?;
    let predictions = Buffer::storage(gpu, "the drill's predictions", predictions)?;
    let buffers = LossBuffers {
        predictions: predictions.raw().slice(..),
        labels: labels.raw().slice(..),
        sigma: sigma.raw().slice(..),
        gradient: gradient.raw().slice(..),
    };
    let pass = LossPass::new(gpu, &packed.layouts, ROWS, &recipe.weighting, buffers, sums).await?;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    pass.encode(&mut encoder);
    gpu.queue().submit([encoder.finish()]);
    pass.read().await
}
