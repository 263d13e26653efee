//! A figure of every run, with its mean and standard deviation.

use serde_json::{Value, json};

/// The values of a figure by run; none where a run lacks it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread(pub Vec<Option<f64>>);

impl Spread {
    fn present(&self) -> Vec<f64> {
        self.0.iter().flatten().copied().collect()
    }

    /// How many runs have the figure.
    pub fn counted(&self) -> usize {
        self.present().len()
    }

    /// The mean over them.
    pub fn mean(&self) -> Option<f64> {
        let values = self.present();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The standard deviation of their values, `√(Σ(x − x̄)²/(n − 1))`; none of fewer than two.
    pub fn deviation(&self) -> Option<f64> {
        let (values, mean) = (self.present(), self.mean()?);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
    }

    /// Run by run this less another.
    pub fn less(&self, other: &Self) -> Self {
        let pairs = self.0.iter().zip(&other.0);
        Self(pairs.map(|(own, other)| Some((*own)? - (*other)?)).collect())
    }

    pub fn json(&self) -> Value {
        json!({
            "mean": self.mean(),
            "sd": self.deviation(),
            "counted": self.counted(),
            "values": self.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_the_samples_and_what_is_lacking_is_left_out() {
        // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares 32.
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].map(Some);
        let spread = Spread([&values[..], &[None]].concat());
        assert_eq!((spread.mean(), spread.counted()), (Some(5.0), 8));
        assert_eq!(spread.deviation(), Some((32.0f64 / 7.0).sqrt()));
        assert_eq!(Spread(vec![Some(1.0)]).deviation(), None);
        assert_eq!(Spread(vec![None]).mean(), None);
        let other = Spread(vec![Some(1.0), None]);
        assert_eq!(Spread(vec![Some(3.0), Some(2.0)]).less(&other), Spread(vec![Some(2.0), None]));
    }
}
