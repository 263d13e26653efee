//! Figures of predicted numbers.

use super::head::mean;
use super::{Fit, Regression};
use crate::tables::is_rounding;

impl Fit {
    /// From predictions and labels of one column, at least one pair; `origin` is how far a label of 0 lies from the
    /// zero of the column's own unit.
    pub(super) fn of(pairs: &[(f64, f64)], origin: f64) -> Self {
        let count = pairs.len() as f64;
        let squares: f64 = pairs.iter().map(|(p, t)| (p - t).powi(2)).sum();
        let absolute: f64 = pairs.iter().map(|(p, t)| (p - t).abs()).sum();
        let labels = || pairs.iter().map(|&(_, label)| label);
        let average = labels().sum::<f64>() / count;
        // Compared with each other: the mean of equal numbers can miss them by a rounding.
        let (low, high) =
            (labels().fold(f64::INFINITY, f64::min), labels().fold(f64::NEG_INFINITY, f64::max));
        let constant = is_rounding(high - low, origin + low.abs().max(high.abs()));
        let variation: f64 = labels().map(|label| (label - average).powi(2)).sum();
        Self {
            rmse: (squares / count).sqrt(),
            mae: absolute / count,
            r2: (!constant).then(|| 1.0 - squares / variation),
        }
    }

    /// Of several columns with as many labels each.
    pub(super) fn of_columns(columns: &[Self]) -> Self {
        let mean_of = |figure: fn(&Self) -> f64| {
            columns.iter().map(figure).sum::<f64>() / columns.len() as f64
        };
        Self {
            rmse: mean_of(|column| column.rmse.powi(2)).sqrt(),
            mae: mean_of(|column| column.mae),
            r2: mean(columns.iter().map(|column| column.r2)),
        }
    }

    fn in_unit(self, unit: f64) -> Self {
        Self { rmse: self.rmse * unit, mae: self.mae * unit, r2: self.r2 }
    }
}

impl Regression {
    pub(super) fn in_units(mut self, units: &[f64]) -> Self {
        let unit = |column: usize| units.get(column).or(units.last()).copied().unwrap_or(1.0);
        if self.columns.is_empty() {
            self.fit = self.fit.in_unit(unit(0));
            return self;
        }
        let columns = self.columns.iter().enumerate();
        self.columns = columns.map(|(index, fit)| fit.in_unit(unit(index))).collect();
        self.fit = Fit::of_columns(&self.columns);
        self
    }
}
