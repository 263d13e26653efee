//! Of two tasks: the plane of their test losses, with every run, the schemes' means by number, and the front of these.

use super::super::chart::{Chart, Frame};
use super::super::colour;
use super::super::scale::{Scale, number};
use super::compared;
use crate::compare::{Comparison, front};
use maud::{Markup, html};

/// A scheme's runs, and their mean.
struct Cloud<'a> {
    number: usize,
    name: &'a str,
    runs: Vec<(f64, f64, String)>,
    mean: [f64; 2],
}

pub(super) fn figure(all: &Comparison) -> Option<Markup> {
    let [x_task, y_task] = &all.tasks[..] else { return None };
    let clouds: Vec<Cloud<'_>> = compared(all)
        .filter_map(|(number, scheme)| {
            let name = scheme.entry.name.as_str();
            let runs = scheme.entry.runs.iter().filter(|run| run.failure.is_none());
            let runs = runs.filter_map(|run| {
                let loss = |task: usize| Some(run.test.get(task)?.as_ref()?.loss);
                Some((loss(0)?, loss(1)?, format!("{name}, seed {}", run.seed)))
            });
            let mean = [scheme.tasks[0].loss?.mean, scheme.tasks[1].loss?.mean];
            Some(Cloud { number, name, runs: runs.collect(), mean })
        })
        .collect();
    let means: Vec<[f64; 2]> = clouds.iter().map(|it| it.mean).collect();
    let is_front = front(&means);
    let mut on_front: Vec<&Cloud<'_>> =
        clouds.iter().zip(&is_front).filter(|(_, is)| **is).map(|(cloud, _)| cloud).collect();
    on_front.sort_by(|a, b| a.mean[0].total_cmp(&b.mean[0]));
    let names: Vec<&str> = on_front.iter().map(|it| it.name).collect();
    let runs = || clouds.iter().flat_map(|it| &it.runs);
    let chart = Chart::new(Frame {
        title: "Both test losses".into(),
        description: format!("On the front: {}.", names.join(", ")),
        height: 320.0,
        x: Scale::fitting_linear(runs().map(|it| it.0)),
        y: Scale::fitting_linear(runs().map(|it| it.1)),
        x_label: "test loss of the first task",
        y_label: "test loss of the second",
        y_format: number,
    });
    let line: Vec<(f64, Option<f64>)> =
        on_front.iter().map(|it| (it.mean[0], Some(it.mean[1]))).collect();
    let marks = html! {
        (chart.line("front", &line))
        @for cloud in &clouds {
            (chart.dots(&format!("cloud {}", colour(cloud.number - 1)), &cloud.runs, 2.5))
        }
        @for cloud in &clouds {
            @let words = format!("{}: {}, {}", cloud.name, number(cloud.mean[0]), number(cloud.mean[1]));
            (chart.dots(&colour(cloud.number - 1), &[(cloud.mean[0], cloud.mean[1], words)], 4.0))
            (chart.label(cloud.mean[0], cloud.mean[1], &cloud.number.to_string()))
        }
    };
    Some(html! {
        figure {
            figcaption { (x_task.name) " (first), " (y_task.name) " (second)" }
            (chart.draw(&marks))
            ul.legend {
                @for cloud in &clouds {
                    li {
                        svg.key viewBox="0 0 24 10" aria-hidden="true" { g class=(format!("dots {}", colour(cloud.number - 1))) { circle cx="12" cy="5" r="4" {} } }
                        span { (cloud.number) " " (cloud.name) }
                    }
                }
            }
            p.words {
                "Small dots are runs, large ones the means; down and left is better. No mean lies below and left of those on the dashed line: "
                (names.join(", ")) ". How near they are to each other is told by the small dots."
            }
        }
    })
}
