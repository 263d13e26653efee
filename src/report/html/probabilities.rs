//! Whether the probabilities of classes can be believed, and how well they put rare classes first: as charts.

use super::chart::{Chart, Frame};
use super::run::TaskFacts;
use super::scale::{Scale, fraction, number, percent};
use super::{class, legend};
use crate::train::{ByClass, Calibration, PrecisionRecall};
use maud::{Markup, html};

const HEIGHT: f64 = 230.0;
/// How high the longest bar is that counts rows.
const HIGHEST: f64 = 0.25;

/// Precision against recall of some classes; nothing where no class has a curve.
pub(super) fn precision_recall(
    task: &TaskFacts,
    column: usize,
    part: &str,
    of: &ByClass,
) -> Markup {
    if of.curves.is_empty() {
        return html! {};
    }
    let rows: u64 = of.classes.iter().map(|it| it.labelled).sum();
    let words = |curve: &PrecisionRecall| {
        let it = of.classes.get(curve.class);
        let precision = it.and_then(|it| it.average_precision).map_or("–".into(), fraction);
        let share = it.map_or(0, |it| it.labelled) as f64 / rows.max(1) as f64;
        let name = task.class(column, curve.class);
        format!("{name}: average precision {precision}, {} of the rows", percent(share))
    };
    let all: Vec<String> = of.curves.iter().map(words).collect();
    let chart = Chart::new(Frame {
        title: format!("{}{}: precision and recall", task.of_column(column), task.name),
        description: format!("{}.", all.join("; ")),
        height: HEIGHT,
        x: Scale::between(0.0, 1.0),
        y: Scale::between(0.0, 1.0),
        x_label: "recall",
        y_label: "precision",
        y_format: number,
    });
    let is_all = of.classes.len() == of.curves.len() || of.classes.len() == 2;
    html! {
        figure.block {
            figcaption { (task.of_column(column)) "Precision and recall" }
            (chart.draw(&html! {
                @for (index, curve) in of.curves.iter().enumerate() {
                    @let points: Vec<_> = curve.points.iter().map(|&[recall, precision]| (recall, Some(precision))).collect();
                    (chart.line(&class(index), &points))
                }
            }))
            ul.legend { @for (index, words) in all.iter().enumerate() { (legend(&class(index), words)) } }
            p.words {
                "Each class against the rest, " (part) " part"
                @if !is_all { "; the " (of.curves.len()) " rarest classes with labels enough" }
                ". By chance the precision is the class's share of the rows."
            }
        }
    }
}

/// A reliability diagram.
pub(super) fn calibration(task: &TaskFacts, column: usize, part: &str, it: &Calibration) -> Markup {
    let is_yes = task.loss == "bce";
    let yes = task.class(column, 1);
    let [across, up] = match is_yes {
        true => [format!("probability of {yes}"), format!("share of {yes}")],
        false => ["probability of the answer".into(), "share of right answers".into()],
    };
    let chart = Chart::new(Frame {
        title: format!("{}{}: calibration", task.of_column(column), task.name),
        description: format!(
            "The {up} against the {across}, in {} bins; the expected calibration error is {}.",
            it.bins.len(),
            fraction(it.error)
        ),
        height: HEIGHT,
        x: Scale::between(0.0, 1.0),
        y: Scale::between(0.0, 1.0),
        x_label: "predicted probability",
        y_label: "share that came true",
        y_format: number,
    });
    let most = it.bins.iter().map(|bin| bin.rows).max().unwrap_or(1) as f64;
    let rows: u64 = it.bins.iter().map(|bin| bin.rows).sum();
    let words = |bin: &crate::train::Bin| {
        format!(
            "{} rows: probability {}, came true {}",
            number(bin.rows as f64),
            percent(bin.probability),
            percent(bin.share)
        )
    };
    let dots: Vec<_> = it.bins.iter().map(|bin| (bin.probability, bin.share, words(bin))).collect();
    let line: Vec<_> = it.bins.iter().map(|bin| (bin.probability, Some(bin.share))).collect();
    html! {
        figure.block {
            figcaption { (task.of_column(column)) "Calibration" }
            (chart.draw(&html! {
                @for bin in &it.bins {
                    @let low = (10.0 * bin.probability).floor().min(9.0) / 10.0;
                    @let height = HIGHEST * bin.rows as f64 / most;
                    (chart.area("counts", &words(bin), &[(low + 0.01, 0.0, height), (low + 0.09, 0.0, height)]))
                }
                (chart.line("diagonal", &[(0.0, Some(0.0)), (1.0, Some(1.0))]))
                (chart.line("c0", &line))
                (chart.dots("c0", &dots, 3.0))
            }))
            p.words {
                "The " (up) " against the " (across) ": on the line probabilities are what they say. Bars count the "
                (number(rows as f64)) " rows of the " (part) " part, the highest " (number(most))
                ". Expected calibration error: " (fraction(it.error)) "."
            }
        }
    }
}
