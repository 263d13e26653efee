//! A network in training: a few steps at a time, judged in between.

use crate::study::{Plan, Study};
use awl::data::{Target, Values};
use awl::engine::{Record, State};
use awl::tables::TargetColumn;
use awl::train::{TaskMetrics, Weights, metrics};
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Dataset, Encoder, Engine, Gpu, GpuEngine, Network,
    Recipe, Result, Trainer, Weighting,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Rows a batch, and of a table so large that an epoch of these would be long.
const BATCH: usize = 32;
const LARGE_BATCH: usize = 256;
const LARGE: usize = 8_192;

/// What the visitor can play with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Settings {
    /// Whether the task weights are learned, or else all 1.
    pub learned: bool,
    /// The network's learning rate.
    pub learning_rate: f64,
    /// σ's learning rate.
    pub sigma_learning_rate: f64,
    /// Widths of the trunk's layers.
    pub hidden: Vec<usize>,
}

impl Default for Settings {
    /// Those of `examples/two_heads.rs`.
    fn default() -> Self {
        Self { learned: true, learning_rate: 1e-3, sigma_learning_rate: 1e-2, hidden: vec![32, 32] }
    }
}

impl Settings {
    /// The recipe for these tasks and so many training rows.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    pub fn recipe(&self, encoder: &Encoder, rows: usize) -> Result<Recipe> {
        let tasks = encoder.tasks();
        let network = Network::new(encoder.features(), &self.hidden, Activation::Relu, &tasks)?;
        let weighting: Weighting = match self.learned {
            true => AutomaticWeightedLoss::new(tasks.len()).into(),
            false => Weighting::equal(tasks.len()),
        };
        let batch = if rows < LARGE { BATCH } else { LARGE_BATCH };
        Ok(Recipe { batch, ..Recipe::new(network, weighting, self.optimizer()) })
    }

    fn optimizer(&self) -> Adam {
        Adam::new(self.learning_rate).sigma_learning_rate(self.sigma_learning_rate)
    }
}

/// How one task fares on the held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Judgement {
    /// A task of classes.
    Classes {
        /// The share of right answers; `None` without a labelled row.
        accuracy: Option<f64>,
        /// How many rows of each class (first index) were given each class (second index).
        counts: Vec<Vec<u64>>,
    },
    /// A task of a number.
    Number {
        /// The root of the mean squared error in the column's unit; `None` without a labelled row.
        rmse: Option<f64>,
        /// The labels in the column's unit.
        truth: Vec<f64>,
        /// What was predicted for them.
        predicted: Vec<f64>,
    },
}

/// A network in training on a [`Study`].
pub struct Session {
    gpu: Gpu,
    encoder: Encoder,
    training: Dataset,
    judged: Dataset,
    trainer: Trainer<GpuEngine>,
}

impl Session {
    /// A fresh network for this plan.
    ///
    /// # Errors
    /// Those of [`Study::encoder`], [`Encoder::encode`] and [`GpuEngine::fused`].
    pub async fn new(gpu: &Gpu, study: &Study, plan: &Plan, settings: &Settings) -> Result<Self> {
        let encoder = study.encoder(plan)?;
        let training = encoder.encode(study.training())?;
        let judged = encoder.encode(&study.judged())?;
        let recipe = settings.recipe(&encoder, training.rows())?;
        let trainer = Trainer::new(GpuEngine::fused(gpu, recipe, &training).await?);
        Ok(Self { gpu: gpu.clone(), encoder, training, judged, trainer })
    }

    /// Makes this many steps. Where training stops among them, the records before come first, and the next call says
    /// why.
    ///
    /// # Errors
    /// Those of [`Trainer::each_step`].
    pub async fn train(&mut self, steps: usize) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        let outcome = self.trainer.each_step(steps, |record| records.push(record)).await;
        match outcome {
            // The engine says so again as long as it is not given another state.
            Err(_) if !records.is_empty() => Ok(records),
            _ => outcome.map(|()| records),
        }
    }

    /// Changes the learning rates; all else goes on from where it is.
    ///
    /// # Errors
    /// Those of [`GpuEngine::fused`].
    pub async fn set_rates(&mut self, settings: &Settings) -> Result<()> {
        let state = self.state().await?;
        let optimizer = settings.optimizer();
        let recipe = Recipe { optimizer, ..self.recipe().clone() };
        let engine = GpuEngine::fused(&self.gpu, recipe, &self.training).await?;
        self.trainer = Trainer::resume(engine, &state)?;
        Ok(())
    }

    /// How each task fares on the held-out rows, in the order of the heads.
    ///
    /// # Errors
    /// Those of [`Engine::predict`] and [`metrics`].
    pub async fn judge(&mut self) -> Result<Vec<Judgement>> {
        let predictions = self.trainer.engine().predict(self.judged.features()).await?;
        let network = &self.trainer.engine().recipe().network;
        let metrics = metrics(network, &predictions, &self.judged)?;
        let columns = self.encoder.targets().iter().zip(network.offsets());
        let tasks = columns.zip(self.judged.targets()).zip(metrics);
        let judged = tasks.map(|(((column, offset), labels), metrics)| {
            let own = |row: usize| &predictions.row(row)[offset..][..column.outputs()];
            judged(column, labels, own, metrics)
        });
        Ok(judged.collect())
    }

    /// The training state.
    ///
    /// # Errors
    /// Those of [`Engine::state`].
    pub async fn state(&mut self) -> Result<State> {
        self.trainer.engine().state().await
    }

    /// The weights as a safetensors file under PyTorch's names.
    ///
    /// # Errors
    /// Those of [`Engine::state`] and [`Weights::to_bytes`].
    pub async fn safetensors(&mut self) -> Result<Vec<u8>> {
        let weights = Weights::of(&self.state().await?);
        // As the program `awl` writes them: what predictions need beside the weights.
        let version = env!("CARGO_PKG_VERSION");
        let notes = json!({ "version": version, "network": self.recipe().network, "encoder": self.encoder });
        weights.to_bytes(self.recipe(), &notes)
    }

    /// What is trained, and how.
    pub fn recipe(&mut self) -> &Recipe {
        self.trainer.engine().recipe()
    }

    /// How the table became numbers.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Rows to train on, and rows to judge by.
    pub fn rows(&self) -> [usize; 2] {
        [self.training.rows(), self.judged.rows()]
    }

    /// Number of steps that make an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.trainer.steps_per_epoch()
    }
}

/// How one task fares, from its labels and its own part of each row's predictions.
fn judged<'a>(
    column: &TargetColumn,
    labels: &Target,
    predictions: impl Fn(usize) -> &'a [f32],
    metrics: Option<TaskMetrics>,
) -> Judgement {
    match (labels.values(), column.encoding.numbers().first()) {
        (Values::Numbers(numbers), Some(encoding)) => {
            let rows = (0..labels.rows()).filter(|&row| labels.has_label(row));
            let number = |row: usize| encoding.number(numbers.row(row)[0].into());
            let answer = |row: usize| encoding.restore(predictions(row)[0].into());
            let (truth, predicted): (Vec<f64>, Vec<f64>) =
                rows.map(|row| (number(row), answer(row))).unzip();
            let squares = truth.iter().zip(&predicted).map(|(t, p)| (t - p).powi(2));
            let rmse = (squares.sum::<f64>() / truth.len() as f64).sqrt();
            Judgement::Number { rmse: (!truth.is_empty()).then_some(rmse), truth, predicted }
        }
        _ => match metrics {
            Some(TaskMetrics::Classification(figures)) => Judgement::Classes {
                accuracy: Some(figures.scores.accuracy),
                counts: figures.scores.confusion,
            },
            _ => {
                let classes = column.encoding.classes().map_or(0, <[String]>::len);
                Judgement::Classes { accuracy: None, counts: vec![vec![0; classes]; classes] }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::SafeTensors;

    async fn penguins(settings: &Settings) -> Result<Session> {
        let study = Study::penguins()?;
        Session::new(&Gpu::new().await?, &study, study.plan(), settings).await
    }

    fn sum(judgement: &Judgement) -> usize {
        match judgement {
            Judgement::Classes { counts, .. } => counts.iter().flatten().sum::<u64>() as usize,
            Judgement::Number { truth, .. } => truth.len(),
        }
    }

    #[test]
    fn penguins_are_told_apart_and_weighed_after_forty_epochs() -> Result<()> {
        pollster::block_on(async {
            let mut session = penguins(&Settings::default()).await?;
            assert_eq!((session.rows(), session.steps_per_epoch()), ([275, 69], 9));
            let records = session.train(360).await?;
            assert_eq!(records.last().map(|record| record.step), Some(360));
            let judgements = session.judge().await?;
            // The two penguins without a mass are among the training rows.
            assert_eq!(judgements.iter().map(sum).collect::<Vec<_>>(), [69, 69]);
            let [
                Judgement::Classes { accuracy, counts },
                Judgement::Number { rmse, truth, predicted },
            ] = &judgements[..]
            else {
                panic!("{judgements:?}")
            };
            let right: u64 = (0..3).map(|class| counts[class][class]).sum();
            assert_eq!(accuracy.map(|share| (69.0 * share).round() as u64), Some(right));
            assert!(right >= 66, "{right} of 69 species are right");
            let squares = truth.iter().zip(predicted).map(|(t, p)| (t - p).powi(2));
            let expected = (squares.sum::<f64>() / 69.0).sqrt();
            let rmse = rmse.expect("labels");
            assert!((rmse - expected).abs() < 1e-3 * expected, "{rmse}, not {expected}");
            assert!(rmse < 400.0, "off by {rmse} g");
            assert!(truth.iter().all(|grams| (2_700.0..=6_300.0).contains(grams)));
            Ok(())
        })
    }

    #[test]
    fn learning_rates_change_in_the_middle_of_an_epoch_and_nothing_else_does() -> Result<()> {
        pollster::block_on(async {
            let settings = Settings::default();
            let (mut changed, mut plain) = (penguins(&settings).await?, penguins(&settings).await?);
            let mut expected = plain.train(25).await?;
            let mut found = changed.train(13).await?;
            changed.set_rates(&settings).await?;
            found.extend(changed.train(12).await?);
            assert_eq!(found, expected);

            let still = Settings { learning_rate: 0.0, sigma_learning_rate: 0.0, ..settings };
            changed.set_rates(&still).await?;
            let before = changed.state().await?;
            expected = changed.train(2).await?;
            assert_eq!(expected[1].step, 27);
            let after = changed.state().await?;
            assert_eq!((before.parameters, before.sigma), (after.parameters, after.sigma));
            Ok(())
        })
    }

    #[test]
    fn training_that_leaves_the_finite_numbers_says_so_after_its_last_records() -> Result<()> {
        pollster::block_on(async {
            let wild = Settings { learning_rate: 1e30, ..Settings::default() };
            let mut session = penguins(&wild).await?;
            let records = session.train(20).await?;
            assert!(!records.is_empty() && records.len() < 20, "{} records", records.len());
            for _ in 0..2 {
                let error = session.train(20).await.expect_err("training stopped");
                assert!(error.to_string().contains("lower the learning rate"), "{error}");
            }
            Ok(())
        })
    }

    #[test]
    fn the_saved_weights_have_pytorchs_names_and_the_states_numbers() -> Result<()> {
        pollster::block_on(async {
            for learned in [true, false] {
                let settings = Settings { learned, hidden: vec![8, 4], ..Settings::default() };
                let mut session = penguins(&settings).await?;
                session.train(2).await?;
                let (file, state) = (session.safetensors().await?, session.state().await?);
                let file = SafeTensors::deserialize(&file).expect("safetensors");
                let mut found: Vec<(String, Vec<usize>)> = file
                    .tensors()
                    .into_iter()
                    .map(|(name, view)| (name, view.shape().to_vec()))
                    .collect();
                found.sort_unstable();
                // 11 inputs: three measurements, each with a flag for missing cells, three islands and two sexes.
                let expected: [(&str, &[usize]); 9] = [
                    ("awl.params", &[2]),
                    ("heads.body_mass_g.bias", &[1]),
                    ("heads.body_mass_g.weight", &[1, 4]),
                    ("heads.species.bias", &[3]),
                    ("heads.species.weight", &[3, 4]),
                    ("trunk.0.bias", &[8]),
                    ("trunk.0.weight", &[8, 11]),
                    ("trunk.2.bias", &[4]),
                    ("trunk.2.weight", &[4, 8]),
                ];
                let expected = expected.map(|(name, shape)| (name.to_string(), shape.to_vec()));
                assert_eq!(found, expected[usize::from(!learned)..]);
                let first = file.tensor("trunk.0.weight").expect("a weight").data()[..4].to_vec();
                assert_eq!(first, (state.parameters[0] as f32).to_le_bytes());
            }
            Ok(())
        })
    }
}
