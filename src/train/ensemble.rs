//! Several networks' predictions as one: what an ensemble answers.

use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::loss::{Loss, Task};
use crate::network::Network;

/// The predictions of an ensemble, put together from those of one member after the other: the mean of numbers (on the scale that
/// they are learned in), of expected counts, and of classes' probabilities; the noise of numbers that have one becomes that of one
/// distribution with the mean and variance of all members' together. Like an engine's predictions they are numbers and logits: the logits of the mean probabilities (Lakshminarayanan
/// et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles", section 2.4). Those of one member are
/// its own, bit for bit.
#[derive(Clone, Debug)]
pub struct Ensemble {
    tasks: Vec<Task>,
    members: usize,
    /// The first member's predictions.
    first: Option<Matrix>,
    /// A value for every prediction: the sum of numbers, the logarithm of the sum of counts and of probabilities.
    sums: Vec<f64>,
    /// Of labels of yes and no: the logarithm of the sum of the probabilities of no; of numbers the sum of squares, of their noise
    /// the sum of variances.
    others: Vec<f64>,
}

impl Ensemble {
    /// An ensemble of networks like this one, of no members yet.
    pub fn new(network: &Network) -> Self {
        let tasks = network.tasks().to_vec();
        Self { tasks, members: 0, first: None, sums: Vec::new(), others: Vec::new() }
    }

    /// Adds a member's predictions, of shape `[rows, outputs]`, of the same rows as the members' before.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for another shape.
    pub fn add(&mut self, predictions: &Matrix) -> Result<()> {
        self.check(predictions)?;
        match self.first.take() {
            None => {
                self.sums = vec![0.0; predictions.values().len()];
                self.others = self.sums.clone();
                self.first = Some(predictions.clone());
                self.add_to_sums(predictions);
            }
            first => {
                self.first = first;
                self.add_to_sums(predictions);
            }
        }
        self.members += 1;
        Ok(())
    }

    /// The predictions of all members together, of shape `[rows, outputs]`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is no member.
    pub fn predictions(self) -> Result<Matrix> {
        let Some(first) = &self.first else {
            return Err(Error::invalid("an ensemble has no members", "add one at least"));
        };
        if self.members == 1 {
            return Ok(first.clone());
        }
        let members = self.members as f64;
        let kinds = kinds(&self.tasks).cycle();
        let together = self.sums.iter().zip(&self.others).zip(kinds);
        let together = together.enumerate().map(|(at, ((sum, others), kind))| match kind {
            Kind::Number => sum / members,
            Kind::YesOrNo => sum - others,
            Kind::Rate | Kind::Class => sum - members.ln(),
            Kind::LogScale(task) => self.log_scale(&self.tasks[task], at),
        });
        Matrix::new(first.columns(), together.map(|value| value as f32).collect())
    }

    /// The logarithm of the scale of one distribution with the variance of all members': that of their noise, on average, and of their
    /// locations (Lakshminarayanan et al. 2017, section 2.4).
    fn log_scale(&self, task: &Task, at: usize) -> f64 {
        let members = self.members as f64;
        let of_number = at - task.width;
        let (noise, mean) = (self.others[at] / members, self.sums[of_number] / members);
        let spread = (self.others[of_number] / members - mean * mean).max(0.0);
        task.loss.log_scale(noise + spread).unwrap_or(f64::NAN)
    }

    fn check(&self, predictions: &Matrix) -> Result<()> {
        let outputs = self.tasks.iter().map(Task::outputs).sum();
        let rows = self.first.as_ref().map_or(predictions.rows(), Matrix::rows);
        for (unit, found, expected, why) in [
            ("columns", predictions.columns(), outputs, "the network's outputs"),
            ("rows", predictions.rows(), rows, "those of member 0"),
        ] {
            if found != expected {
                let what = format!("the predictions of member {}", self.members);
                return Err(Error::Mismatch { what, unit, found, expected, why: why.into() });
            }
        }
        Ok(())
    }

    fn add_to_sums(&mut self, predictions: &Matrix) {
        let is_first = self.members == 0;
        let mut at = 0;
        for row in 0..predictions.rows() {
            let mut rest = predictions.row(row);
            for task in &self.tasks {
                let (own, others) = rest.split_at(task.outputs());
                rest = others;
                let normaliser = log_sum_exp(own.iter().copied().map(f64::from));
                for (output, &value) in own.iter().enumerate() {
                    let value = f64::from(value);
                    let (sum, others) = (&mut self.sums[at], &mut self.others[at]);
                    at += 1;
                    let add = |sum: &mut f64, logarithm| match is_first {
                        true => *sum = logarithm,
                        false => *sum = log_sum_exp([*sum, logarithm].into_iter()),
                    };
                    match task.loss.noise_variance(value).filter(|_| output >= task.width) {
                        // NaN stays one.
                        Some(variance) if value.is_finite() => *others += variance,
                        Some(_) => *others = f64::NAN,
                        None => {}
                    }
                    match Kind::of(&task.loss) {
                        Kind::Number if output < task.width => {
                            *sum += value;
                            *others += value * value;
                        }
                        Kind::Number | Kind::LogScale(_) => {}
                        Kind::Rate => add(sum, value),
                        Kind::Class => add(sum, value - normaliser),
                        Kind::YesOrNo => {
                            add(sum, log_sigmoid(value));
                            add(others, log_sigmoid(-value));
                        }
                    }
                }
            }
        }
    }
}

/// What a prediction is.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    /// The logarithm of an expected count.
    Rate,
    /// The logit of yes.
    YesOrNo,
    /// A class's logit.
    Class,
    /// The logarithm of the scale of a number's noise, of the task of this place.
    LogScale(usize),
}

impl Kind {
    fn of(loss: &Loss) -> Self {
        match loss {
            Loss::Mse
            | Loss::Mae
            | Loss::Huber { .. }
            | Loss::Quantile { .. }
            | Loss::GaussianNll { .. }
            | Loss::LaplaceNll => Self::Number,
            Loss::Poisson => Self::Rate,
            Loss::Bce => Self::YesOrNo,
            Loss::CrossEntropy { .. } => Self::Class,
        }
    }
}

/// What the predictions of a row are, output by output.
fn kinds(tasks: &[Task]) -> impl Iterator<Item = Kind> + Clone {
    tasks.iter().enumerate().flat_map(|(place, task)| {
        let scales = task.outputs() - task.width;
        let numbers = std::iter::repeat_n(Kind::of(&task.loss), task.width);
        numbers.chain(std::iter::repeat_n(Kind::LogScale(place), scales))
    })
}

/// `ln 1/(1 + e⁻ˣ)`, finite for every finite x.
fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// `ln Σ eˣ`, whose terms may overflow.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activation;

    fn network() -> Network {
        let tasks = [
            Task::new("number", Loss::Mse, 2),
            Task::new("yes or no", Loss::Bce, 1),
            Task::new("class", Loss::cross_entropy(), 3),
        ];
        Network::new(1, &[], Activation::Relu, &tasks).expect("a network")
    }

    fn together(members: &[Matrix]) -> Matrix {
        let mut ensemble = Ensemble::new(&network());
        members.iter().for_each(|it| ensemble.add(it).expect("a member"));
        ensemble.predictions().expect("an ensemble")
    }

    fn softmax(logits: &[f32]) -> Vec<f64> {
        let exps: Vec<f64> = logits.iter().map(|&it| f64::from(it).exp()).collect();
        exps.iter().map(|it| it / exps.iter().sum::<f64>()).collect()
    }

    #[test]
    fn numbers_and_probabilities_are_means() {
        let rows = [[1.0, -2.0, 0.5, 0.1, 0.2, 3.0], [4.0, 2.5, -1.5, 2.0, -1.0, 0.0]];
        let members = rows.map(|row| Matrix::new(6, row.to_vec()).expect("a row"));
        let found = together(&members);
        let found = found.row(0);
        assert_eq!(found[..2], [2.5, 0.25]);
        let sigmoid = |logit: f32| 1.0 / (1.0 + (-f64::from(logit)).exp());
        let yes = (sigmoid(0.5) + sigmoid(-1.5)) / 2.0;
        assert!((sigmoid(found[2]) - yes).abs() < 1e-7);
        let [one, other] = rows.map(|row| softmax(&row[3..]));
        for (class, found) in softmax(&found[3..]).into_iter().enumerate() {
            assert!((found - (one[class] + other[class]) / 2.0).abs() < 1e-7, "class {class}");
        }
    }

    /// Mean and variance of a mixture: ½(σ₁² + μ₁² + σ₂² + μ₂²) − μ².
    #[test]
    fn noise_becomes_that_of_the_mixture() {
        let tasks = [
            Task::new("normal", Loss::GaussianNll { beta: 0.0 }, 1),
            Task::new("laplace", Loss::LaplaceNll, 1),
        ];
        let network = Network::new(1, &[], Activation::Relu, &tasks).expect("a network");
        let mut ensemble = Ensemble::new(&network);
        let half = 0.5_f32.ln();
        for row in [[1.0, 0.0, 4.0, 0.0], [3.0, 2.0_f32.ln(), 4.0, half]] {
            ensemble.add(&Matrix::new(4, row.to_vec()).expect("a row")).expect("a member");
        }
        let found = ensemble.predictions().expect("an ensemble");
        // ½(1 + 1 + 2 + 9) − 4 = 2.5; variances 2 and ½ of Laplace, 1.25 = 2b².
        let expected = [2.0, 2.5_f64.ln(), 4.0, 0.625_f64.sqrt().ln()];
        for (found, expected) in found.row(0).iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }

    #[test]
    fn sure_answers_stay_finite_and_what_is_not_finite_is_seen() {
        let sure = [0.0, 0.0, 3e38, 3e38, -3e38, 0.0];
        let other = [0.0, 0.0, -3e38, -3e38, 3e38, 0.0];
        let members = [sure, other].map(|row| Matrix::new(6, row.to_vec()).expect("a row"));
        let found = together(&members);
        assert!(found.values().iter().all(|value| value.is_finite()), "{found:?}");
        assert_eq!(found.row(0)[2], 0.0, "as many say yes as no");
        for at in [0, 2, 4] {
            let mut bad = sure;
            bad[at] = f32::NAN;
            let members = [bad, other].map(|row| Matrix::new(6, row.to_vec()).expect("a row"));
            let found = together(&members);
            assert!(found.row(0)[at].is_nan(), "{at}");
        }
    }

    #[test]
    fn one_member_is_itself_and_none_or_another_shape_is_refused() {
        let one = Matrix::new(6, vec![0.1, 0.2, 0.3, 1e-30, 5.0, -7.0]).expect("a row");
        assert_eq!(together(std::slice::from_ref(&one)), one);
        let mut ensemble = Ensemble::new(&network());
        assert!(matches!(ensemble.clone().predictions(), Err(Error::Invalid { .. })));
        ensemble.add(&one).expect("a member");
        let narrow = Matrix::new(3, vec![0.0; 6]).expect("two rows");
        let long = Matrix::new(6, vec![0.0; 12]).expect("two rows");
        for other in [narrow, long] {
            let error = ensemble.add(&other).expect_err("another shape");
            assert!(error.to_string().contains("member 1"), "{error}");
        }
    }
}
