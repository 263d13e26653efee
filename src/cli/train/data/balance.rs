//! Class weights by which every class counts alike.

use super::Told;
use crate::cli::failure::Failure;
use crate::cli::train::config::{ClassWeights, Task as TaskConfig};
use awl::data::Values;
use awl::tables::{EncoderOptions, TargetSpec};
use awl::{Encoder, Loss, Table};

/// The encoder with the classes of balanced tasks weighed, where there are such tasks: by `n/(K·nₖ)` of the training labels, as
/// scikit-learn's `class_weight="balanced"` does. A class without any counts as one does.
pub fn balance(
    encoder: Encoder,
    tasks: &[TaskConfig],
    training: &Table,
    mut specs: Vec<TargetSpec>,
    options: EncoderOptions,
    told: &mut Told,
) -> Result<Encoder, Failure> {
    let is_balanced = |task: &TaskConfig| matches!(task.class_weights, Some(ClassWeights::Word(_)));
    if !tasks.iter().any(is_balanced) {
        return Ok(encoder);
    }
    let data = encoder.encode(training)?;
    for (index, spec) in
        specs.iter_mut().enumerate().filter(|(index, _)| is_balanced(&tasks[*index]))
    {
        let (target, names) = (&data.targets()[index], encoder.targets()[index].encoding.classes());
        let (Values::Classes(classes), Some(names)) = (target.values(), names) else { continue };
        let mut counts = vec![0.0f64; names.len()];
        let labelled = (0..target.rows()).filter(|&row| target.has_label(row));
        labelled.for_each(|row| counts[classes[row] as usize] += 1.0);
        let (all, width) = (counts.iter().sum::<f64>(), counts.len() as f64);
        let weight = |&count: &f64| if count > 0.0 { all / (width * count) } else { 1.0 };
        let weights: Vec<f32> = counts.iter().map(|count| weight(count) as f32).collect();
        let listed = names.iter().zip(&weights).take(MOST_CLASSES);
        let listed: Vec<String> =
            listed.map(|(name, weight)| format!("{name} {weight:.3}")).collect();
        let more = if names.len() > MOST_CLASSES { ", …" } else { "" };
        told.choices.push(format!(
            "class weights of \"{}\": {}{more}",
            spec.name,
            listed.join(", ")
        ));
        if let Some(Loss::CrossEntropy { class_weights, .. }) = &mut spec.loss {
            *class_weights = Some(weights);
        }
    }
    let features: Vec<String> =
        encoder.feature_columns().iter().map(|feature| feature.column.clone()).collect();
    Ok(Encoder::fit_with(training, &features, &specs, options)?)
}

/// Classes in a sentence are no more than these.
const MOST_CLASSES: usize = 12;
