//! A table that grows by a line whenever a few epochs are done.

use crate::Loss;
use crate::engine::Record;
use crate::tables::{Encoder, TargetColumn};
use crate::train::TaskMetrics;
use std::fmt::Write;

/// Formats losses, weights, σ and validation metrics, a group of columns a task.
///
/// ```text
///         species                            body_mass_g
/// epoch      loss   weight       σ  accuracy      loss   weight       σ      rmse
///    10    0.8813    0.518   0.982    79.4 %    0.6017    0.528   0.973     602.1
/// ```
#[derive(Clone, Debug)]
pub struct EpochTable {
    targets: Vec<TargetColumn>,
}

/// Width of one task's group of columns.
const GROUP: usize = 40;

impl EpochTable {
    /// A table for the encoder's tasks, in whose units the metrics are shown.
    pub fn new(encoder: &Encoder) -> Self {
        Self { targets: encoder.targets().to_vec() }
    }

    /// The two lines above the first row.
    pub fn header(&self) -> String {
        let mut names = format!("{:5}", "");
        let mut columns = format!("{:>5}", "epoch");
        for target in &self.targets {
            let metric = metric_name(target);
            let name: String = target.name.chars().take(GROUP - 4).collect();
            let _ = write!(names, "    {name:width$}", width = GROUP - 4);
            let _ = write!(columns, "{:>10}{:>9}{:>9}{metric:>12}", "loss", "weight", "σ");
        }
        format!("{}\n{columns}", names.trim_end())
    }

    /// Every task's metric on one line, in its own unit: `species accuracy 97.1 %, body_mass_g rmse 312.4`.
    pub fn metrics(&self, metrics: &[Option<TaskMetrics>]) -> String {
        let pairs = self.targets.iter().zip(metrics);
        let words = pairs.map(|(target, metric)| {
            let value = shown(target, metric.as_ref());
            format!("{} {} {value}", target.name, metric_name(target))
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// One row: the mean losses of these steps' records (of standardised targets, as they are trained on), their
    /// last weights and σ, and metrics of validation rows in their columns' units.
    pub fn row(
        &self,
        epoch: usize,
        records: &[Record],
        validation: &[Option<TaskMetrics>],
    ) -> String {
        let mut line = format!("{epoch:>5}");
        for (k, target) in self.targets.iter().enumerate() {
            let losses: Vec<f64> = records.iter().filter_map(|r| r.tasks.get(k)?.loss).collect();
            let loss = match losses.len() {
                0 => "–".to_string(),
                count => format!("{:.4}", losses.iter().sum::<f64>() / count as f64),
            };
            let last = records.last().and_then(|record| record.tasks.get(k));
            let number = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.3}"));
            let (weight, sigma) = (last.map(|task| task.weight), last.and_then(|task| task.sigma));
            let metric = shown(target, validation.get(k).and_then(Option::as_ref));
            let (weight, sigma) = (number(weight), number(sigma));
            let _ = write!(line, "{loss:>10}{weight:>9}{sigma:>9}{metric:>12}");
        }
        line
    }
}

fn metric_name(target: &TargetColumn) -> &'static str {
    match target.loss {
        Loss::Bce | Loss::CrossEntropy { .. } => "accuracy",
        _ => "rmse",
    }
}

/// A metric in its columns' units; a dash where there is none, also since numbers are transformed.
fn shown(target: &TargetColumn, metric: Option<&TaskMetrics>) -> String {
    let units = target.encoding.units();
    let metric = metric.zip(units).map(|(metric, units)| metric.clone().in_units(&units));
    metric.map_or("–".into(), |metric| metric.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::TaskRecord;
    use crate::tables::Table;
    use crate::train::{ClassScores, Classification, Fit, Regression};

    #[test]
    fn a_row_shows_mean_losses_last_weights_and_metrics_in_their_units() -> crate::Result<()> {
        let text = "x,kind,weight\n1,owl,100\n2,hawk,300\n";
        let table = Table::from_csv("birds", text.as_bytes())?;
        let targets = [("kind", Loss::cross_entropy()), ("weight", Loss::Mse)];
        let report = EpochTable::new(&Encoder::fit(&table, &["x"], &targets)?);
        let task =
            |loss, weight, sigma| TaskRecord { loss, weight, regulariser: 0.0, sigma: Some(sigma) };
        let record = |tasks: [TaskRecord; 2]| Record {
            member: 0,
            step: 1,
            total: 0.0,
            tasks: tasks.to_vec(),
        };
        let records = [
            record([task(Some(0.5), 0.5, 1.0), task(None, 0.5, 1.0)]),
            record([task(Some(0.25), 0.6, 0.9), task(None, 0.5, 1.0)]),
        ];
        let scores = ClassScores {
            accuracy: 0.975,
            macro_f1: 0.97,
            auc: None,
            average_precision: None,
            log_loss: Some(0.1),
            unknown: 0,
            confusion: vec![vec![20, 1], vec![0, 19]],
        };
        let fit = Fit { rmse: 0.5, mae: 0.4, r2: Some(0.75) };
        let (loss, labelled) = (Some(0.1), 40);
        let (kind, weight) = (
            Classification { loss, labelled, scores, columns: Vec::new() },
            Regression { loss, labelled, fit, columns: Vec::new() },
        );
        let metrics =
            [Some(TaskMetrics::Classification(kind)), Some(TaskMetrics::Regression(weight))];
        // The weights' standard deviation is 100.
        let row = report.row(7, &records, &metrics);
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            cells,
            ["7", "0.3750", "0.600", "0.900", "97.5", "%", "–", "0.500", "1.000", "50.0"]
        );
        let header = report.header();
        let lines: Vec<&str> = header.lines().collect();
        assert_eq!(lines[1].chars().count(), row.chars().count());
        assert!(lines[0].contains("kind") && lines[0].contains("weight"));
        Ok(())
    }
}
