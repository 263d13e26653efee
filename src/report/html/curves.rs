//! How training went: losses, σ, weights, shares and learning rate, as charts over the steps.

use super::chart::{Chart, Frame};
use super::run::{Epoch, Run, Step, TaskStep};
use super::scale::{Scale, number, percent};
use super::{class, colour, legend};
use maud::{Markup, html};

const HEIGHT: f64 = 205.0;
/// A line has at most so many points; more could not be told apart.
const MOST_POINTS: usize = 300;
/// An area has fewer: its noise would hide its trend.
const MOST_SHARES: usize = 80;
/// A line with more points has no dot at each.
const MOST_DOTS: usize = 40;

/// A value a step or epoch, where there is one.
type Points = Vec<(f64, Option<f64>)>;

/// A chart a task: its loss in training and validation.
pub(super) fn losses(run: &Run) -> Markup {
    html! {
        @for index in 0..run.results.tasks.len() { (loss(run, index)) }
    }
}

fn loss(run: &Run, index: usize) -> Markup {
    let task = &run.results.tasks[index];
    let steps = thin(&of_steps(&run.steps, index, |task| task.loss));
    let of_epochs = |loss: &dyn Fn(&Epoch) -> Option<f64>| -> Points {
        run.epochs.iter().map(|epoch| (epoch.step as f64, loss(epoch))).collect()
    };
    let by_name = |losses: &super::run::Losses| losses.losses.get(&task.name).copied().flatten();
    let training = of_epochs(&|epoch| by_name(&epoch.train));
    let validation = of_epochs(&|epoch| epoch.validation.as_ref().and_then(by_name));
    let all = || [&steps, &training, &validation].into_iter().flatten();
    let values = all().filter_map(|(_, loss)| *loss);
    if values.clone().next().is_none() {
        return html! { figure { figcaption { (task.name) } p.none { "No row of training had a label." } } };
    }
    let first = run.steps.first().map_or(1, |step| step.number) as f64;
    let xs = all().map(|(step, _)| *step).chain([first.min(1.0)]);
    let best = best_epoch(run);
    let at_best = best.and_then(|best| by_name(best.validation.as_ref()?));
    let chart = Chart::new(Frame {
        title: format!("Loss of {}", task.name),
        description: describe_loss(&training, at_best),
        height: HEIGHT,
        x: Scale::counts(xs),
        y: Scale::fitting(values),
        x_label: "step",
        y_label: "loss",
        y_format: number,
    });
    let series = colour(index);
    let marks = html! {
        (chart.line(&format!("{series} faint"), &steps))
        @if let Some(best) = best { (chart.upright(best.step as f64, &format!("best: epoch {}", best.epoch))) }
        (chart.line(&series, &thin(&training)))
        (chart.line("other", &thin(&validation)))
        (epoch_dots(&chart, &series, run, &training, "training"))
        (epoch_dots(&chart, "other", run, &validation, "validation"))
    };
    let has_validation = validation.iter().any(|(_, loss)| loss.is_some());
    html! {
        figure {
            figcaption { (task.name) " " span.loss { (task.learned()) } }
            (chart.draw(&marks))
            ul.legend {
                (legend(&format!("{series} faint"), "steps"))
                (legend(&series, "training, mean of an epoch"))
                @if has_validation { (legend("other", "validation")) }
            }
        }
    }
}

fn describe_loss(training: &Points, at_best: Option<f64>) -> String {
    let mut known = training.iter().filter_map(|(_, loss)| *loss);
    let (first, last) = (known.next(), known.next_back());
    let mut words = match (first, last) {
        (Some(first), Some(last)) => format!(
            "The training loss goes from {} in the first epoch to {} in the last.",
            number(first),
            number(last)
        ),
        (Some(only), None) => format!("The training loss of the only epoch is {}.", number(only)),
        (None, _) => "The training loss of every step.".into(),
    };
    if let Some(loss) = at_best {
        words += &format!(" The validation loss of the best epoch is {}.", number(loss));
    }
    words
}

/// The epoch that was chosen, if a choice was made.
pub(super) fn best_epoch(run: &Run) -> Option<&Epoch> {
    let best = run.results.best_epoch?;
    let has_choice = |epoch: &&Epoch| epoch.epoch == best && epoch.validation.is_some();
    run.epochs.iter().find(has_choice)
}

fn epoch_dots(chart: &Chart, class: &str, run: &Run, points: &Points, what: &str) -> Markup {
    if points.len() > MOST_DOTS {
        return html! {};
    }
    let dot = |((step, value), epoch): (&(f64, Option<f64>), &Epoch)| {
        let value = (*value)?;
        Some((*step, value, format!("epoch {}, {what}: {}", epoch.epoch, number(value))))
    };
    let dots: Vec<_> = points.iter().zip(&run.epochs).filter_map(dot).collect();
    chart.dots(class, &dots, 2.2)
}

/// σ of every task; nothing if none is learned.
pub(super) fn sigma(run: &Run) -> Option<Markup> {
    let title = "σ, learned";
    let words = "The larger a task's σ, the less its loss counts.";
    by_task(run, title, "σ", words, |task| task.sigma)
}

/// The weight of every task.
pub(super) fn weights(run: &Run) -> Option<Markup> {
    let words = "By what a task's loss is multiplied in the total that training lowers.";
    by_task(run, "Weight", "weight", words, |task| task.weight)
}

/// A chart with a line a task.
fn by_task(
    run: &Run,
    title: &str,
    label: &'static str,
    words: &str,
    value: fn(&TaskStep) -> Option<f64>,
) -> Option<Markup> {
    let tasks = &run.results.tasks;
    let lines = (0..tasks.len()).map(|index| thin(&of_steps(&run.steps, index, value)));
    let lines: Vec<Points> = lines.collect();
    let values = || lines.iter().flatten().filter_map(|(_, value)| *value);
    values().next()?;
    let at_end = |index: usize| run.steps.last().and_then(|step| value(&step.tasks[index]));
    let ends = (0..tasks.len()).filter_map(|index| Some((&tasks[index].name, at_end(index)?)));
    let ends: Vec<_> = ends.map(|(name, end)| format!("{name} {}", number(end))).collect();
    let chart = Chart::new(Frame {
        title: title.into(),
        description: format!("{words} At the last step: {}.", ends.join(", ")),
        height: HEIGHT,
        x: Scale::counts(lines.iter().flatten().map(|(step, _)| *step)),
        y: Scale::fitting(values()),
        x_label: "step",
        y_label: label,
        y_format: number,
    });
    let marks = html! {
        @for (index, line) in lines.iter().enumerate() { (chart.line(&class(index), line)) }
    };
    Some(html! {
        figure {
            figcaption { (title) }
            (chart.draw(&marks))
            ul.legend {
                @for (index, task) in tasks.iter().enumerate() {
                    (legend(&class(index), &match at_end(index) {
                        Some(end) => format!("{}: {} at the end", task.name, number(end)),
                        None => task.name.clone(),
                    }))
                }
            }
            p.words { (words) }
        }
    })
}

/// Which share of `Σ weight · loss` each task has.
pub(super) fn shares(run: &Run) -> Option<Markup> {
    let tasks = &run.results.tasks;
    let product = |task: &TaskStep| Some((task.weight? * task.loss?).max(0.0));
    let products =
        (0..tasks.len()).map(|index| means(&of_steps(&run.steps, index, product), MOST_SHARES));
    let products: Vec<Points> = products.collect();
    let bands = stack(&products);
    let first = bands.first().filter(|band| !band.is_empty())?;
    let chart = Chart::new(Frame {
        title: "Share of the weighted loss".into(),
        description: describe_shares(run, &bands),
        height: HEIGHT,
        x: Scale::counts(first.iter().map(|(step, ..)| *step)),
        y: Scale::between(0.0, 1.0),
        x_label: "step",
        y_label: "share",
        y_format: |share| format!("{:.0} %", 100.0 * share),
    });
    let marks = html! {
        @for (index, band) in bands.iter().enumerate() {
            (chart.area(&class(index), &tasks[index].name, band))
        }
    };
    Some(html! {
        figure {
            figcaption { "Share of the weighted loss" }
            (chart.draw(&marks))
            ul.legend {
                @for (index, task) in tasks.iter().enumerate() {
                    (legend(&format!("{} filled", class(index)), &task.name))
                }
            }
            p.words { "Weight times loss of each task, of their sum: whom training works for." }
        }
    })
}

fn describe_shares(run: &Run, bands: &[Vec<(f64, f64, f64)>]) -> String {
    let at_end = run.results.tasks.iter().zip(bands).filter_map(|(task, band)| {
        let (_, low, high) = band.last()?;
        Some(format!("{} {}", task.name, percent(high - low)))
    });
    format!("At the end: {}.", at_end.collect::<Vec<_>>().join(", "))
}

/// Bands `(step, low, high)` of shares of 1, one upon the other, at those steps where there is something to share.
fn stack(products: &[Points]) -> Vec<Vec<(f64, f64, f64)>> {
    let mut bands = vec![Vec::new(); products.len()];
    for point in 0..products.first().map_or(0, Vec::len) {
        let values = products.iter().map(|points| points[point].1.unwrap_or(0.0));
        let sum: f64 = values.clone().sum();
        if !(sum.is_finite() && sum > 0.0) {
            continue;
        }
        let mut low = 0.0;
        for (band, value) in bands.iter_mut().zip(values) {
            let high = low + value / sum;
            band.push((products[0][point].0, low, high));
            low = high;
        }
    }
    bands
}

/// The learning rate of every epoch.
pub(super) fn learning_rate(run: &Run) -> Option<Markup> {
    let rate = |epoch: &Epoch| (epoch.step as f64, epoch.learning_rate);
    let points: Points = run.epochs.iter().map(rate).collect();
    let values = || points.iter().filter_map(|(_, rate)| *rate);
    let (first, last) = (values().next()?, values().next_back()?);
    let is_constant = values().all(|rate| rate == first);
    let chart = Chart::new(Frame {
        title: "Learning rate".into(),
        description: format!("From {} to {}.", number(first), number(last)),
        height: HEIGHT,
        x: Scale::counts(points.iter().map(|(step, _)| *step).chain([1.0])),
        y: Scale::fitting(values().chain([0.0])),
        x_label: "step",
        y_label: "learning rate",
        y_format: number,
    });
    let marks = html! {
        (chart.line("other", &thin(&points)))
        (epoch_dots(&chart, "other", run, &points, "learning rate"))
    };
    Some(html! {
        figure {
            figcaption { "Learning rate" }
            (chart.draw(&marks))
            p.words {
                @if is_constant { "Always " (number(first)) "." }
                @else { "From " (number(first)) " in the first epoch to " (number(last)) " in the last." }
            }
        }
    })
}

/// A task's values of every step.
fn of_steps(steps: &[Step], index: usize, value: impl Fn(&TaskStep) -> Option<f64>) -> Points {
    steps.iter().map(|step| (step.number as f64, value(&step.tasks[index]))).collect()
}

fn thin(points: &[(f64, Option<f64>)]) -> Points {
    means(points, MOST_POINTS)
}

/// At most so many means of neighbouring points, each of those that have a value.
fn means(points: &[(f64, Option<f64>)], most: usize) -> Points {
    let size = points.len().div_ceil(most).max(1);
    let mean = |chunk: &[(f64, Option<f64>)]| {
        let middle = chunk.iter().map(|(x, _)| x).sum::<f64>() / chunk.len() as f64;
        let values = chunk.iter().filter_map(|(_, y)| *y);
        let (sum, count) = values.fold((0.0, 0), |(sum, count), y| (sum + y, count + 1));
        (middle, (count > 0).then(|| sum / f64::from(count)))
    };
    points.chunks(size).map(mean).collect()
}
