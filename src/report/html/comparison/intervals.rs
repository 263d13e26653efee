//! A task's test losses: a line a scheme, with every run, the mean and its interval.

use super::super::colour;
use super::super::scale::{Scale, number};
use super::compared;
use crate::compare::{Comparison, EQUAL, Interval};
use maud::{Markup, html};

/// As wide as a phone's screen.
const WIDTH: f64 = 340.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 22.0;
/// From one scheme to the next.
const LINE: f64 = 17.0;
/// Letters of a name, and about how wide one is.
const LETTERS: usize = 17;
const LETTER: f64 = 6.2;

/// A scheme's place in the picture.
struct Line<'a> {
    name: &'a str,
    colour: String,
    runs: Vec<(u64, f64)>,
    interval: Interval,
}

pub(super) fn figure(all: &Comparison, task: usize) -> Markup {
    let name = &all.tasks[task].name;
    let lines: Vec<Line<'_>> = compared(all)
        .filter_map(|(at, scheme)| {
            let runs = scheme.entry.runs.iter().filter(|run| run.failure.is_none());
            let runs = runs.filter_map(|run| Some((run.seed, run.test.get(task)?.as_ref()?.loss)));
            Some(Line {
                name: &scheme.entry.name,
                colour: colour(at - 1),
                runs: runs.collect(),
                interval: scheme.tasks[task].loss?,
            })
        })
        .collect();
    let values = lines.iter().flat_map(|line| {
        let ends = [line.interval.low, line.interval.high].into_iter().flatten();
        line.runs.iter().map(|run| run.1).chain(ends).chain([line.interval.mean])
    });
    let left = LETTER
        * lines.iter().map(|it| it.name.chars().count().min(LETTERS)).max().unwrap_or(0) as f64
        + 8.0;
    let scale = Scale::fitting_linear(values).onto([left, RIGHT]);
    let bottom = TOP + LINE * lines.len() as f64;
    let equal = lines.iter().find(|line| line.name == EQUAL).map(|line| line.interval.mean);
    let words: Vec<String> =
        lines.iter().map(|it| format!("{} {}", it.name, number(it.interval.mean))).collect();
    html! {
        figure {
            figcaption { (name) }
            svg viewBox=(format!("0 0 {WIDTH} {}", bottom + 38.0)) role="img" {
                title { "Test losses of " (name) }
                desc { "Mean test losses: " (words.join(", ")) "." }
                g.grid {
                    @for tick in scale.ticks(4) {
                        @let x = place(scale.at(tick));
                        line x1=(x) x2=(x) y1=(TOP - 8.0) y2=(bottom) {}
                        text x=(x) y=(bottom + 14.0) text-anchor="middle" { (number(tick)) }
                    }
                }
                @if let Some(equal) = equal {
                    @let x = place(scale.at(equal));
                    line.of-equal x1=(x) x2=(x) y1=(TOP - 8.0) y2=(bottom) {}
                    text x=(x) y=(TOP - 11.0) text-anchor=(if x > WIDTH - 60.0 { "end" } else { "middle" }) { "equal weights" }
                }
                @for (at, line) in lines.iter().enumerate() {
                    @let y = TOP + LINE * (at as f64 + 0.5);
                    text.label x="0" y=(y) dy="0.35em" { (line.name.chars().take(LETTERS).collect::<String>()) }
                    g class=(line.colour) {
                        @if let (Some(low), Some(high)) = (line.interval.low, line.interval.high) {
                            line.range-line x1=(place(scale.at(low))) x2=(place(scale.at(high))) y1=(y) y2=(y) {}
                        }
                        @for (seed, loss) in &line.runs {
                            circle.run cx=(place(scale.at(*loss))) cy=(y) r="3" { title { "seed " (seed) ": " (number(*loss)) } }
                        }
                        circle.mean cx=(place(scale.at(line.interval.mean))) cy=(y) r="3.5" { title { (line.name) ": " (number(line.interval.mean)) } }
                    }
                }
                text.label x=(place((left + RIGHT) / 2.0)) y=(bottom + 32.0) text-anchor="middle" { "test loss" }
            }
        }
    }
}

/// A place with one decimal: finer than a screen shows.
fn place(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}
