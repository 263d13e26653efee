//! How good the networks of a run are on the rows kept apart: each alone, and together.

use super::data::{Data, Part};
use super::thresholds::{self, Chosen};
use crate::cli::baselines::{self, OfBaselines};
use crate::cli::failure::Failure;
use crate::cli::{scores, sureness};
use awl::data::Values;
use awl::engine::Engine;
use awl::tables::{FeatureEncoding, NumberEncoding, Scaling, TargetColumn};
use awl::train::{
    Baselines, Ensemble, Intervals, Judgement, TaskMetrics, Trainer, judge, judge_encoded,
};
use awl::{Encoder, Matrix};
use serde_json::{Map, Value};

/// Errors larger than this, in standard deviations of the training labels, are no result: always answering the mean is wrong
/// by one.
const DIVERGED_ERROR: f64 = 100.0;
/// As large a logarithm of the probability given to the labels, on average, is none either.
const DIVERGED_LOG_LOSS: f64 = 100.0;

/// A part of the rows with the figures of all networks together.
pub struct PartFigures<'a> {
    pub name: &'static str,
    pub part: &'a Part,
    pub predictions: Matrix,
    pub judgements: Vec<Judgement>,
    pub baselines: OfBaselines,
    /// How sure the figures are; of the last part alone.
    pub intervals: Vec<Intervals>,
}

/// What became of one network.
pub struct Alone {
    pub member: usize,
    /// Its figures on each part; none where it is the only network.
    pub parts: Vec<Vec<Judgement>>,
    /// Why its answers are not to be believed, if they are not.
    pub diverged: Option<String>,
}

/// What became of all of them.
pub struct Judged<'a> {
    /// The encoder by which the answers are decoded: with the thresholds that were chosen.
    pub encoder: Encoder,
    pub thresholds: Vec<Chosen>,
    pub parts: Vec<PartFigures<'a>>,
    pub alone: Vec<Alone>,
    /// Those that make the model: all that can be believed, or just all if none can.
    pub kept: Vec<usize>,
    pub warnings: Vec<String>,
}

impl Judged<'_> {
    /// Why the run is a failure, if it is: no network can be believed.
    pub fn diverged(&self) -> Option<String> {
        let all = self.alone.iter().all(|it| it.diverged.is_some());
        let why = self.alone.first().filter(|_| all)?.diverged.as_ref()?;
        Some(format!("the run diverged: {why}"))
    }

    /// The figures of a network alone, by part.
    pub fn figures_of(&self, encoder: &Encoder, alone: &Alone) -> Value {
        let parts = self.parts.iter().zip(&alone.parts);
        let figures =
            parts.map(|(part, own)| (part.name.to_string(), scores::as_json(encoder, own)));
        figures.collect::<Map<_, _>>().into()
    }
}

/// Judges these members of an engine, whose weights are those to keep.
pub async fn judge_members<'a, E: Engine>(
    trainer: &mut Trainer<E>,
    members: &[usize],
    data: &'a Data,
    baselines: &Baselines,
) -> Result<Judged<'a>, Failure> {
    let parts = [("validation", &data.validation), ("test", &data.test)];
    let parts: Vec<(&'static str, &Part)> =
        parts.into_iter().filter_map(|(name, part)| Some((name, part.as_ref()?))).collect();
    let network = trainer.engine().recipe().network.clone();
    let none = || vec![Ensemble::new(&network); parts.len()];
    // Of networks that can be believed, and of the others.
    let mut together = [none(), none()];
    let (mut alone, mut warnings) = (Vec::new(), Vec::new());
    for &member in members {
        let (mut figures, mut predictions) = (Vec::new(), Vec::new());
        for (_, part) in &parts {
            let features = part.data.features();
            let predicted = trainer.engine().predict_by(member, features).await?;
            let judged = judge(&data.encoder, &part.table, &predicted);
            figures.push(judged.map_err(Failure::at_run_time)?);
            predictions.push(predicted);
        }
        let absurd = parts.iter().zip(&figures);
        let absurd =
            absurd.flat_map(|((name, _), judgements)| absurd_figures(data, name, judgements));
        let absurd: Vec<String> = absurd.collect();
        let diverged = match absurd.is_empty() {
            true => None,
            false => match diverged(trainer, member, data, &absurd.join("; ")).await? {
                Ok(diverged) => Some(diverged),
                Err(warning) => {
                    warnings.push(of_member(members, member, warning));
                    None
                }
            },
        };
        let ensembles = &mut together[usize::from(diverged.is_some())];
        for (ensemble, predictions) in ensembles.iter_mut().zip(&predictions) {
            ensemble.add(predictions)?;
        }
        alone.push(Alone { member, parts: figures, diverged });
    }
    let believed = alone.iter().filter(|it| it.diverged.is_none()).map(|it| it.member);
    let believed: Vec<usize> = believed.collect();
    let [good, bad] = together;
    let (kept, together) = match believed.is_empty() {
        true => (members.to_vec(), bad),
        false => (believed, good),
    };
    let predictions = together.into_iter().map(Ensemble::predictions);
    let predictions: Vec<Matrix> = predictions.collect::<Result<_, _>>()?;
    let of_validation = parts.iter().position(|(name, _)| *name == "validation");
    let of_validation = of_validation.map(|index| &predictions[index]);
    let rules = &data.thresholds;
    let thresholds =
        thresholds::choose(rules, &data.encoder, data.validation.as_ref(), of_validation)?;
    let encoder = thresholds::apply(&data.encoder, &thresholds)?;
    if !thresholds.is_empty() {
        judge_anew(trainer, &encoder, &parts, &mut alone).await?;
    }
    let mut judged = Vec::with_capacity(parts.len());
    for (index, ((name, part), predictions)) in parts.into_iter().zip(predictions).enumerate() {
        let judgements = match &mut alone[..] {
            [only] => std::mem::take(&mut only.parts[index]),
            _ => judge(&encoder, &part.table, &predictions).map_err(Failure::at_run_time)?,
        };
        let features = part.data.features();
        let baselines = baselines::judged(baselines, &encoder, &part.table, features)?;
        let intervals = Vec::new();
        judged.push(PartFigures { name, part, predictions, judgements, baselines, intervals });
    }
    if let Some(last) = judged.last_mut() {
        let (table, group) = (&last.part.table, data.group.as_deref());
        last.intervals = sureness::of(&encoder, table, &last.predictions, &last.judgements, group)?;
    }
    Ok(Judged { encoder, thresholds, parts: judged, alone, kept, warnings })
}

/// Judges each network alone again, by the thresholds that were chosen for all of them together.
async fn judge_anew<E: Engine>(
    trainer: &mut Trainer<E>,
    encoder: &Encoder,
    parts: &[(&'static str, &Part)],
    alone: &mut [Alone],
) -> Result<(), Failure> {
    for it in alone {
        for ((_, part), judgements) in parts.iter().zip(&mut it.parts) {
            let predicted = trainer.engine().predict_by(it.member, part.data.features()).await?;
            let judged = judge(encoder, &part.table, &predicted);
            *judgements = judged.map_err(Failure::at_run_time)?;
        }
    }
    Ok(())
}

/// What is said of a member, with its number where there are several.
pub fn of_member(members: &[usize], member: usize, words: String) -> String {
    if members.len() == 1 { words } else { format!("member {member}: {words}") }
}

/// Whether a network whose figures are absurd has diverged, or else what to look for.
async fn diverged<E: Engine>(
    trainer: &mut Trainer<E>,
    member: usize,
    data: &Data,
    figures: &str,
) -> Result<Result<String, String>, Failure> {
    // Rows with extreme features are answered absurdly by a good network too; the rows that it learned from are not.
    let judged = async {
        let predictions = trainer.engine().predict_by(member, data.training.features()).await?;
        judge_encoded(&data.encoder, &data.training, &predictions)
    };
    let judgements = judged.await.map_err(Failure::at_run_time)?;
    if absurd_figures(data, "training", &judgements).is_empty() {
        return Ok(Err(format!(
            "{figures}: look for rows with extreme features, since training rows are answered well"
        )));
    }
    // Of numbers far from 0, no learning rate helps.
    let targets = data.encoder.targets().iter();
    let raw = targets.flat_map(|it| it.encoding.numbers()).any(|it| *it == NumberEncoding::NONE)
        || data.encoder.feature_columns().iter().any(|it| {
            matches!(it.encoding, FeatureEncoding::Number { scaling: Scaling::NONE, .. })
        });
    let remedy = match raw {
        true => {
            "standardise features and targets (without --no-standardize), or lower the learning rate (--lr)"
        }
        false => "lower the learning rate (--lr), or scale gradients down (--clip 1)",
    };
    Ok(Ok(format!("{figures}: {remedy}")))
}

/// What is absurd among the figures of a part: answers far beyond all labels.
fn absurd_figures(data: &Data, part: &str, judgements: &[Judgement]) -> Vec<String> {
    let targets = data.encoder.targets().iter().zip(data.training.targets()).zip(judgements);
    let is_far = |((target, labels), judgement): ((&TargetColumn, &awl::Target), &Judgement)| {
        let (name, far) = (&target.name, judgement.figures()?);
        match far {
            TaskMetrics::Classification(it) => {
                let loss = it.scores.log_loss.filter(|loss| *loss > DIVERGED_LOG_LOSS)?;
                Some(format!("log loss of \"{name}\" is {loss:.3e} on the {part} part"))
            }
            TaskMetrics::Regression(it) => {
                let fits =
                    if it.columns.is_empty() { std::slice::from_ref(&it.fit) } else { &it.columns };
                let encodings = target.encoding.numbers().iter().enumerate();
                let mut pairs = fits.iter().zip(encodings);
                let (fit, _) = pairs.find(|(fit, (column, encoding))| {
                    fit.rmse > DIVERGED_ERROR * deviation(encoding, labels, *column)
                })?;
                let r2 = fit.r2.map_or(String::new(), |r2| format!(", R² {r2:.3e}"));
                Some(format!("\"{name}\" is off by {:.3e} on the {part} part{r2}", fit.rmse))
            }
        }
    };
    targets.filter_map(is_far).collect()
}

/// The standard deviation of a column of training labels.
fn deviation(encoding: &NumberEncoding, labels: &awl::Target, column: usize) -> f64 {
    if let Some(unit) = encoding.unit().filter(|_| *encoding != NumberEncoding::NONE) {
        return unit;
    }
    let Values::Numbers(matrix) = labels.values() else { return f64::INFINITY };
    let rows = (0..matrix.rows()).filter(|&row| labels.has_label(row));
    let values: Vec<f64> =
        rows.map(|row| encoding.number(matrix.row(row)[column].into())).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}
