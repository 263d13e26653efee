//! A chart as inline SVG: frame, grid, labels, lines, areas and marks, in colours that the page's style sheet names.

use super::scale::{Scale, number};
use maud::{Markup, html};
use std::fmt::Write;

/// As wide as a phone's screen, so that text keeps its size there.
const WIDTH: f64 = 340.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 26.0;
/// A character is at most about so wide: a digit of DejaVu Sans, the widest of the fonts that are asked for.
const LETTER: f64 = 7.0;
/// Of fewer ticks the eye sees no scale.
const FEWEST_TICKS: usize = 3;

/// What a chart is to be; what is drawn in it comes as [`Markup`].
pub(super) struct Frame {
    /// What it shows, for those who hear it and for the pointer that rests on it.
    pub(super) title: String,
    /// What can be seen in it, for those who hear it.
    pub(super) description: String,
    pub(super) height: f64,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    /// How a value on the y axis is written.
    pub(super) y_format: fn(f64) -> String,
}

/// A chart whose axes have their places.
pub(super) struct Chart {
    frame: Frame,
    /// Labels of the y axis, from its low end.
    y_ticks: Vec<(f64, String)>,
    /// Where the x axis starts: right of those labels, however long they are.
    left: f64,
    top: f64,
    bottom: f64,
    x: Scale,
    y: Scale,
}

impl Chart {
    /// Gives the axes their places.
    pub(super) fn new(mut frame: Frame) -> Self {
        let (top, bottom) = (TOP, frame.height - 40.0);
        let y = std::mem::replace(&mut frame.y, Scale::between(0.0, 1.0)).onto([bottom, top]);
        let ticks = y.ticks((frame.height / 40.0) as usize).into_iter();
        let y_ticks: Vec<_> = ticks.map(|tick| (tick, (frame.y_format)(tick))).collect();
        let longest = y_ticks.iter().map(|(_, label)| width(label)).fold(18.0, f64::max);
        let left = (longest + 8.0).min(WIDTH / 2.0);
        let x = std::mem::replace(&mut frame.x, Scale::between(0.0, 1.0)).onto([left, RIGHT]);
        Self { frame, y_ticks, left, top, bottom, x, y }
    }

    /// The SVG; `marks` lie above the grid.
    pub(super) fn draw(&self, marks: &Markup) -> Markup {
        let Self { frame, left, top, bottom, .. } = self;
        let middle = (left + RIGHT) / 2.0;
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {}", frame.height)) role="img" {
                title { (frame.title) }
                desc { (frame.description) }
                g.grid {
                    @for (tick, label) in &self.y_ticks {
                        @let y = place(self.y.at(*tick));
                        line x1=(place(*left)) x2=(RIGHT) y1=(y) y2=(y) {}
                        text x=(place(left - 6.0)) y=(y) dy="0.35em" text-anchor="end" { (label) }
                    }
                    @for (x, label) in self.x_ticks() {
                        line x1=(x) x2=(x) y1=(bottom) y2=(bottom + 4.0) {}
                        @if let Some((x, label)) = label {
                            text x=(x) y=(bottom + 16.0) text-anchor="middle" { (label) }
                        }
                    }
                }
                text.label x=(place(middle)) y=(frame.height - 6.0) text-anchor="middle" { (frame.x_label) @if self.x.is_log() { " (log)" } }
                text.label x="0" y=(top - 14.0) { (frame.y_label) @if self.y.is_log() { " (log)" } }
                (marks)
                line.axis x1=(place(*left)) x2=(RIGHT) y1=(bottom) y2=(bottom) {}
            }
        }
    }

    /// The places of the x axis' ticks, with the place and the words of their labels where there is room for one.
    fn x_ticks(&self) -> Vec<(f64, Option<(f64, String)>)> {
        let mut ticks = self.x.ticks(4);
        if ticks.len() < FEWEST_TICKS {
            ticks = self.x.ticks(8);
        }
        let mut free = f64::NEG_INFINITY;
        let of_tick = |tick: f64| {
            let (x, label) = (self.x.at(tick), number(tick));
            let half = width(&label) / 2.0;
            // A long label at the end would be cut by the picture's edge.
            let middle = x.min(WIDTH - half);
            let fits = middle - half >= free;
            if fits {
                free = middle + half + LETTER;
            }
            (place(x), fits.then(|| (place(middle), label)))
        };
        ticks.into_iter().map(of_tick).collect()
    }

    /// A line through points; it is broken where one has no value.
    pub(super) fn line(&self, class: &str, points: &[(f64, Option<f64>)]) -> Markup {
        let mut path = String::new();
        for piece in points.split(|(_, y)| y.is_none()) {
            let places = piece.iter().filter_map(|&(x, y)| Some((self.x.at(x), self.y.at(y?))));
            for (index, (x, y)) in places.enumerate() {
                let command = if index == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{command}{} {}", place(x), place(y));
            }
            if piece.len() == 1 {
                // A dash with round ends.
                path.push_str("h2");
            }
        }
        html! { path class=(format!("line {class}")) d=(path) {} }
    }

    /// Dots, each with what the pointer is told that rests on it.
    pub(super) fn dots(&self, class: &str, points: &[(f64, f64, String)], radius: f64) -> Markup {
        html! {
            g class=(format!("dots {class}")) {
                @for (x, y, words) in points {
                    circle cx=(place(self.x.at(*x))) cy=(place(self.y.at(*y))) r=(radius) { title { (words) } }
                }
            }
        }
    }

    /// Words right above a point.
    pub(super) fn label(&self, x: f64, y: f64, words: &str) -> Markup {
        let (x, y) = (place(self.x.at(x)), place(self.y.at(y) - 6.0));
        html! { text.number x=(x) y=(y) text-anchor="middle" { (words) } }
    }

    /// The area between two lines over the same x.
    pub(super) fn area(&self, class: &str, name: &str, band: &[(f64, f64, f64)]) -> Markup {
        let point = |x: f64, y: f64| format!("{} {}", place(self.x.at(x)), place(self.y.at(y)));
        let upper = band.iter().map(|&(x, _, high)| point(x, high));
        let lower = band.iter().rev().map(|&(x, low, _)| point(x, low));
        let path = upper.chain(lower).collect::<Vec<_>>().join("L");
        html! { path class=(format!("area {class}")) d=(format!("M{path}Z")) { title { (name) } } }
    }

    /// An upright line with a word above.
    pub(super) fn upright(&self, x: f64, words: &str) -> Markup {
        let (top, bottom) = (self.top, self.bottom);
        let at = self.x.at(x);
        let anchor = match () {
            () if at < self.left + 60.0 => "start",
            () if at > RIGHT - 60.0 => "end",
            () => "middle",
        };
        html! {
            g.best {
                line x1=(place(at)) x2=(place(at)) y1=(top) y2=(bottom) {}
                text x=(place(at)) y=(top - 7.0) text-anchor=(anchor) { (words) }
            }
        }
    }
}

/// How wide a label is, at most.
fn width(label: &str) -> f64 {
    LETTER * label.chars().count() as f64
}

/// A place with one decimal: finer than a screen shows.
fn place(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}
