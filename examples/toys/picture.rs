//! The picture: a panel a scheme, all over the same contours of the two losses' mean.

use super::{FRONT, ON_FRONT, Point, STARTS, distance, losses};
use std::fmt::Write;

/// What is shown of each scheme: its runs, one a start, or why there are none.
pub type Panel<'a> = (&'a str, Result<Vec<Vec<Point>>, String>);

const COLUMNS: usize = 4;
/// Pixels of a panel, of the gap between two, and of its title.
const PANEL: f64 = 220.0;
const GAP: f64 = 14.0;
const TITLE: f64 = 24.0;
/// The part of the plane that is shown: each coordinate from minus this to this.
const REACH: f64 = 11.0;
/// A colour a start, which the colour-blind can tell apart (Okabe & Ito 2008).
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];
/// Squares of the grid that contours are found on, and their levels.
const SQUARES: usize = 88;
const LEVELS: [f64; 9] = [-19.0, -17.0, -15.0, -12.0, -9.0, -6.0, -3.0, 0.0, 3.0];

/// The SVG's text.
pub fn svg(panels: &[Panel<'_>]) -> String {
    let rows = panels.len().div_ceil(COLUMNS);
    let width = COLUMNS as f64 * (PANEL + GAP) + GAP;
    let height = rows as f64 * (PANEL + TITLE + GAP) + GAP;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<defs><g id=\"plane\">{}</g></defs>\n",
        plane()
    );
    for (number, (name, runs)) in panels.iter().enumerate() {
        let x = GAP + (number % COLUMNS) as f64 * (PANEL + GAP);
        let y = GAP + (number / COLUMNS) as f64 * (PANEL + TITLE + GAP);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "<g transform=\"translate({x} {y})\">{}</g>", panel(name, runs));
    }
    text + "</svg>\n"
}

fn panel(name: &str, runs: &Result<Vec<Vec<Point>>, String>) -> String {
    let Ok(runs) = runs else {
        return format!(
            "<text y=\"15\"><tspan font-weight=\"bold\">{name}</tspan></text>\
             <rect y=\"{TITLE}\" width=\"{PANEL}\" height=\"{PANEL}\" fill=\"#f4f4f4\"/>\
             <text x=\"{0}\" y=\"{0}\" dy=\"{TITLE}\" text-anchor=\"middle\" fill=\"#555\">\
             refuses losses below 0</text>",
            PANEL / 2.0
        );
    };
    let arrived = runs.iter().filter(|points| has_arrived(points)).count();
    let mut text = format!(
        "<text y=\"15\"><tspan font-weight=\"bold\">{name}</tspan> <tspan fill=\"#555\">{arrived} of {}</tspan></text>\
         <g transform=\"translate(0 {TITLE})\"><use href=\"#plane\"/>",
        STARTS.len()
    );
    for (points, colour) in runs.iter().zip(COLOURS) {
        text += &run(points, colour);
    }
    text + "</g>"
}

/// Whether a run ended on the front.
pub fn has_arrived(points: &[Point]) -> bool {
    points.last().is_some_and(|end| distance(*end) < ON_FRONT)
}

/// A run: a ring where it starts, and a disc where it ends, filled if that is the front.
fn run(points: &[Point], colour: &str) -> String {
    let mut line = String::new();
    let mut last = [f64::INFINITY; 2];
    for point in points.iter().chain(points.last()) {
        if (point[0] - last[0]).hypot(point[1] - last[1]) > 0.1 {
            let [x, y] = place(*point);
            let _ = write!(line, "{x:.1},{y:.1} ");
            last = *point;
        }
    }
    let disc = |point: &Point, radius: f64, fill: &str| {
        let [x, y] = place(*point);
        format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
        )
    };
    let ends = points.first().zip(points.last()).map(|(first, end)| {
        let fill = if has_arrived(points) { colour } else { "#fff" };
        disc(first, 2.0, "#fff") + &disc(end, 4.5, fill)
    });
    format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>{}",
        line.trim_end(),
        ends.unwrap_or_default()
    )
}

/// Where a point lies in a panel.
fn place([x, y]: Point) -> Point {
    [(x + REACH) / (2.0 * REACH) * PANEL, (REACH - y) / (2.0 * REACH) * PANEL]
}

/// What all panels share: a frame, contours, and the front.
fn plane() -> String {
    let mut text =
        format!("<rect width=\"{PANEL}\" height=\"{PANEL}\" fill=\"#fcfcfc\" stroke=\"#ccc\"/>");
    for level in LEVELS {
        let _ = write!(text, "<path d=\"{}\" stroke=\"#d8d8d8\" fill=\"none\"/>", contour(level));
    }
    let (level, ends) = FRONT;
    let [[x1, y], [x2, _]] = ends.map(|x| place([x, level]));
    text + &format!(
        "<path d=\"M{x1:.1} {y:.1}H{x2:.1}\" stroke=\"#222\" stroke-width=\"4\" opacity=\"0.5\"/>"
    )
}

/// Where the mean loss has this value, by marching squares: a line through each square at whose corners it is on both sides.
fn contour(level: f64) -> String {
    let mean = |x: Point| losses(x).0.iter().sum::<f64>() / 2.0 - level;
    let at = |i: usize| (2.0 * i as f64 / SQUARES as f64 - 1.0) * REACH;
    let mut text = String::new();
    for (i, j) in (0..SQUARES).flat_map(|i| (0..SQUARES).map(move |j| (i, j))) {
        let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)].map(|(i, j)| [at(i), at(j)]);
        let sides = (0..4).map(|k| (corners[k], corners[(k + 1) % 4]));
        let crossed: Vec<Point> = sides
            .filter_map(|(a, b)| {
                let (from, to) = (mean(a), mean(b));
                let part = from / (from - to);
                let between = |k: usize| a[k] + part * (b[k] - a[k]);
                ((from > 0.0) != (to > 0.0)).then(|| place([between(0), between(1)]))
            })
            .collect();
        for pair in crossed.chunks_exact(2) {
            let [[x1, y1], [x2, y2]] = [pair[0], pair[1]];
            let _ = write!(text, "M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}");
        }
    }
    text
}
