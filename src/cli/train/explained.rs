//! What is told of the networks beyond their figures on the rows kept apart: figures of the training rows beside them, classes one
//! by one, and what each feature is worth.

use super::data::Data;
use super::judged::{Judged, PartFigures};
use crate::cli::scores;
use awl::data::Values;
use awl::engine::Engine;
use awl::train::{Ensemble, Trainer, by_class, importances, judge_encoded};
use awl::{Dataset, Encoder, Matrix, Network, Result, Target};
use serde_json::{Map, Value, json};

/// Training rows that are judged, at most: of more, so many are evenly taken.
const MOST_ROWS: usize = 20_000;

/// What `results.json` has of it.
pub struct Explained {
    /// The figures of the training rows, by task; null where the answers cannot be judged.
    pub training: Value,
    /// Of the last part, by task.
    pub by_class: Value,
    /// Of the last part; null where there is none.
    pub importance: Value,
    pub warnings: Vec<String>,
}

/// Looks at the networks that are kept. What cannot be told is left out and said to be: a trained model is there all the same.
pub async fn explain<E: Engine>(
    trainer: &mut Trainer<E>,
    data: &Data,
    judged: &Judged<'_>,
) -> Explained {
    let network = trainer.engine().recipe().network.clone();
    let mut networks = Together { trainer, network, members: &judged.kept };
    let mut warnings = Vec::new();
    let mut told = |what: &str, found: Result<Value>| match found {
        Ok(found) => found,
        Err(error) => {
            warnings.push(format!("{what} left out: {error}"));
            Value::Null
        }
    };
    let training = told(
        "the figures of the training rows are",
        training(&mut networks, &judged.encoder, data).await,
    );
    let (mut classes, mut importance) = (json!({}), Value::Null);
    if let Some(last) = judged.parts.last() {
        classes = told("the figures of each class are", of_classes(&judged.encoder, last));
        let found = importance_of(&mut networks, &judged.encoder, last).await;
        importance = told("the features' importance is", found);
    }
    Explained { training, by_class: classes, importance, warnings }
}

/// The networks that answer together.
struct Together<'a, E> {
    trainer: &'a mut Trainer<E>,
    network: Network,
    members: &'a [usize],
}

impl<E: Engine> Together<'_, E> {
    /// Of each input the norm of the weights that read it, over all networks.
    async fn strengths(&mut self) -> Result<Vec<f64>> {
        let mut squares = vec![0.0; self.network.features()];
        let layers = self.network.layers();
        for state in self.trainer.engine().states_of(self.members).await? {
            let weights =
                layers.first().map_or(&[][..], |it| &state.parameters[it.weight..it.bias]);
            for row in weights.chunks_exact(squares.len()) {
                squares.iter_mut().zip(row).for_each(|(square, weight)| *square += weight * weight);
            }
        }
        Ok(squares.into_iter().map(f64::sqrt).collect())
    }

    async fn predict(&mut self, features: &Matrix) -> Result<Matrix> {
        let mut ensemble = Ensemble::new(&self.network);
        for &member in self.members {
            ensemble.add(&self.trainer.engine().predict_by(member, features).await?)?;
        }
        ensemble.predictions()
    }
}

async fn training<E: Engine>(
    networks: &mut Together<'_, E>,
    encoder: &Encoder,
    data: &Data,
) -> Result<Value> {
    let rows = some(&data.training)?;
    let predictions = networks.predict(rows.features()).await?;
    Ok(scores::as_json(encoder, &judge_encoded(encoder, &rows, &predictions)?))
}

fn of_classes(encoder: &Encoder, part: &PartFigures<'_>) -> Result<Value> {
    let found = by_class(encoder, &part.part.table, &part.predictions)?;
    let pairs = encoder.targets().iter().zip(found).filter(|(_, columns)| !columns.is_empty());
    let pairs = pairs.map(|(target, columns)| (target.name.clone(), json!(columns)));
    Ok(pairs.collect::<Map<_, _>>().into())
}

async fn importance_of<E: Engine>(
    networks: &mut Together<'_, E>,
    encoder: &Encoder,
    part: &PartFigures<'_>,
) -> Result<Value> {
    let cost = networks.network.parameter_count().saturating_mul(networks.members.len());
    let strengths = networks.strengths().await?;
    let predict = async |features: &Matrix| networks.predict(features).await;
    let found = importances(encoder, &part.part.table, cost, &strengths, predict).await?;
    let tasks = encoder.targets().iter().zip(&found.tasks);
    let tasks: Map<_, _> = tasks.map(|(target, task)| (target.name.clone(), json!(task))).collect();
    let mut json = json!(found);
    json["part"] = part.name.into();
    json["tasks"] = tasks.into();
    Ok(json)
}

/// The rows, or as many of them as are judged.
fn some(all: &Dataset) -> Result<Dataset> {
    if all.rows() <= MOST_ROWS {
        return Ok(all.clone());
    }
    let rows: Vec<usize> = (0..MOST_ROWS).map(|row| row * all.rows() / MOST_ROWS).collect();
    let of = |matrix: &Matrix| {
        let values = rows.iter().flat_map(|&row| matrix.row(row).iter().copied());
        Matrix::new(matrix.columns(), values.collect())
    };
    let target = |target: &Target| {
        let some = match target.values() {
            Values::Numbers(matrix) => Target::numbers(of(matrix)?),
            Values::Classes(classes) => {
                Target::classes(rows.iter().map(|&row| classes[row]).collect())
            }
        };
        let some = match target.mask() {
            None => some,
            Some(mask) => some.labelled(rows.iter().map(|&row| mask[row]).collect())?,
        };
        match target.sample_weights() {
            None => Ok(some),
            Some(weights) => {
                some.weighted(rows.iter().map(|&row| weights[row]).collect::<Vec<_>>())
            }
        }
    };
    Dataset::new(of(all.features())?, all.targets().iter().map(target).collect::<Result<_>>()?)
}
