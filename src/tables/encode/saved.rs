//! An encoder as it comes from a file: plain data that may not be trusted before it is checked.

use super::number::Curve;
use super::{
    Encoder, FeatureColumn, FeatureEncoding, NumberEncoding, SampleWeights, TargetColumn,
    TargetEncoding,
};
use crate::loss::Loss;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Saved {
    features: Vec<FeatureColumn>,
    targets: Vec<TargetColumn>,
    #[serde(default)]
    sample_weights: Option<SampleWeights>,
}

impl TryFrom<Saved> for Encoder {
    type Error = String;

    /// Checks what the methods of an encoder rely on.
    fn try_from(saved: Saved) -> Result<Self, String> {
        let Saved { features, targets, sample_weights } = saved;
        if features.iter().all(|feature| feature.width() == 0) || targets.is_empty() {
            return Err("the encoder has no feature or no task".into());
        }
        if let Some(wrong) = features.iter().find(|feature| !feature_is_sound(feature)) {
            return Err(format!("the encoding of feature \"{}\" makes no sense", wrong.column));
        }
        if let Some(wrong) = targets.iter().find(|target| !target_is_sound(target)) {
            return Err(format!("the encoding of task \"{}\" makes no sense", wrong.name));
        }
        if sample_weights.as_ref().is_some_and(|it| !(it.mean.is_finite() && it.mean > 0.0)) {
            return Err("the mean weight of the rows makes no sense".into());
        }
        Ok(Self { features, targets, sample_weights })
    }
}

fn feature_is_sound(feature: &FeatureColumn) -> bool {
    match &feature.encoding {
        FeatureEncoding::Number { scaling, scale, .. } => scaling.is_sound() && scale.is_sound(),
        FeatureEncoding::Category { categories, rare } => !categories.is_empty() || rare.is_some(),
        FeatureEncoding::Constant { .. } => true,
    }
}

fn target_is_sound(target: &TargetColumn) -> bool {
    let columns = target.columns.len();
    let fits = match (&target.encoding, &target.loss) {
        (TargetEncoding::Numbers(numbers), loss) if loss.predicts_number() => {
            let is_rate =
                |it: &NumberEncoding| (it.curve == Curve::Rate) == (*loss == Loss::Poisson);
            numbers.len() == columns && numbers.iter().all(|it| it.is_sound() && is_rate(it))
        }
        (TargetEncoding::Binary(pairs), Loss::Bce) => pairs.len() == columns,
        (TargetEncoding::Classes(names), Loss::CrossEntropy { .. }) => {
            columns == 1 && names.len() > 1
        }
        _ => false,
    };
    fits && columns > 0
        && target.is_sound_at(&target.thresholds)
        && target.could_have(&target.noise)
        && target.loss.check(&target.name, target.width()).is_ok()
}
