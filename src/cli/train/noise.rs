//! How noisy the labels of numbers are: measured when training has ended, on the rows that it was not learned from.

use super::data::Data;
use crate::cli::failure::Failure;
use awl::engine::Engine;
use awl::tables::{Encoder, TargetColumn};
use awl::train::Trainer;
use awl::train::uncertainty::{Moments, Scores};
use awl::{Dataset, Target};

/// What was measured.
pub struct Measured {
    /// The encoder with the noise of its tasks.
    pub encoder: Encoder,
    /// How far the labels of the validation rows were from the answers.
    pub scores: Scores,
    pub warnings: Vec<String>,
}

/// Measures the noise of what these members answer together: on the validation rows, and of tasks that have no label there on the
/// training rows.
pub async fn measure<E: Engine>(
    trainer: &mut Trainer<E>,
    members: &[usize],
    data: &Data,
    encoder: &Encoder,
) -> Result<Measured, Failure> {
    let validation = data.validation.as_ref().map(|part| &part.data);
    let mut measured =
        Measured { encoder: encoder.clone(), scores: Scores::default(), warnings: Vec::new() };
    let wanted = |it: &TargetColumn| it.noise_is_measured() && it.noise().is_empty();
    if let Some(rows) = validation {
        let moments = moments(trainer, members, encoder, rows).await?;
        measured.encoder = give(measured.encoder, &moments, rows.targets(), wanted)?;
        measured.scores = moments.scores(&measured.encoder, rows.targets());
    }
    let rest: Vec<String> = measured
        .encoder
        .targets()
        .iter()
        .filter(|it| wanted(it))
        .map(|it| it.name.clone())
        .collect();
    if !rest.is_empty() {
        let moments = moments(trainer, members, encoder, &data.training).await?;
        measured.encoder = give(measured.encoder, &moments, data.training.targets(), wanted)?;
        measured.warnings.extend(rest.iter().filter(|name| has_noise(&measured.encoder, name)).map(|name| {
            format!(
                "the noise of \"{name}\" was measured on the rows that it was learned from, for want of validation rows with a label: an \
                 overfit network then looks too sure of its answers"
            )
        }));
    }
    Ok(measured)
}

fn has_noise(encoder: &Encoder, task: &str) -> bool {
    encoder.targets().iter().any(|it| it.name == task && !it.noise().is_empty())
}

async fn moments<'a, E: Engine>(
    trainer: &mut Trainer<E>,
    members: &[usize],
    encoder: &'a Encoder,
    rows: &Dataset,
) -> Result<Moments<'a>, Failure> {
    let mut moments = Moments::new(encoder, rows.rows());
    for &member in members {
        moments.add(&trainer.engine().predict_by(member, rows.features()).await?)?;
    }
    Ok(moments)
}

/// The encoder with the noise of the tasks that are wanted and have labels here.
fn give(
    mut encoder: Encoder,
    moments: &Moments<'_>,
    labels: &[Target],
    wanted: impl Fn(&TargetColumn) -> bool,
) -> Result<Encoder, Failure> {
    for (task, labels) in labels.iter().enumerate() {
        let target = &encoder.targets()[task];
        let noise = moments.noise(task, labels).filter(|_| wanted(target));
        let name = target.name.clone();
        if let Some(noise) = noise {
            encoder = encoder.with_noise(&name, noise)?;
        }
    }
    Ok(encoder)
}
