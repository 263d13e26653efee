//! Two losses of two parameters, on which published schemes were first shown: which of them reach the Pareto front, and from where?
//!
//! ```sh
//! cargo run --release --example toy-two-d -- two_d.svg
//! ```
//!
//! The losses are CAGrad's (Liu et al. 2021, appendix), with a steep valley for each at x₂ > 0 and a common basin below, whose
//! Pareto front is x₂ = −8.3552, −7 ≤ x₁ ≤ 7. The starts are Nash-MTL's (Navon et al. 2022), who train with Adam at 1e-3, as here.
//! No GPU is needed: the gradients are two numbers long.

mod picture;

use awl::Error;
use awl::weighting::gradients::{AtStep, schemes, weights};

/// A point of the plane, or a gradient there.
pub type Point = [f64; 2];

/// Nash-MTL's starts.
pub const STARTS: [Point; 5] = [[-8.5, 7.5], [0.0, 0.0], [9.0, 9.0], [-7.5, -0.5], [9.0, -1.0]];

/// The front: x₂ there, and the ends of x₁.
pub const FRONT: (f64, [f64; 2]) = (-8.3552, [-7.0, 7.0]);

/// How near counts as arrived.
pub const ON_FRONT: f64 = 0.1;

const STEPS: usize = 100_000;
const RATE: f64 = 1e-3;

/// Both losses at x, and their gradients.
pub fn losses(x: Point) -> ([f64; 2], [Point; 2]) {
    let tanh = x[1].tanh();
    let slope = 1.0 - tanh * tanh;
    let above = logarithm(0.5 * (-x[0] - 7.0) + tanh, [-0.5, slope]);
    let beside = logarithm(0.5 * (-x[0] + 3.0) - tanh + 2.0, [-0.5, -slope]);
    let bowl = |centre: f64| {
        let value = ((x[0] - centre).powi(2) + 0.1 * (x[1] + 8.0).powi(2)) / 10.0 - 20.0;
        (value, [(x[0] - centre) / 5.0, (x[1] + 8.0) / 50.0])
    };
    let mixed = |(f, df): (f64, Point), (q, dq): (f64, Point)| {
        let ((up, dup), (down, ddown)) = (half(x[1]), half(-x[1]));
        let gradient = [df[0] * up + dq[0] * down, df[1] * up + f * dup + dq[1] * down - q * ddown];
        (f * up + q * down, gradient)
    };
    let [first, second] = [mixed(above, bowl(7.0)), mixed(beside, bowl(-7.0))];
    ([first.0, second.0], [first.1, second.1])
}

/// `ln max(|u|, 5e-6) + 6`, u with this gradient.
fn logarithm(u: f64, gradient: Point) -> (f64, Point) {
    match u.abs() > 5e-6 {
        true => (u.abs().ln() + 6.0, gradient.map(|g| g / u)),
        false => (5e-6f64.ln() + 6.0, [0.0; 2]),
    }
}

/// `max(tanh ½x, 0)` and its slope, of which PyTorch takes a half where both are the same.
fn half(x: f64) -> (f64, f64) {
    let tanh = (0.5 * x).tanh();
    let part = if x > 0.0 { 1.0 } else { f64::from(x == 0.0) * 0.5 };
    (tanh.max(0.0), part * 0.5 * (1.0 - tanh * tanh))
}

/// How far x is from the front.
pub fn distance(x: Point) -> f64 {
    let (level, [left, right]) = FRONT;
    (x[0] - x[0].clamp(left, right)).hypot(x[1] - level)
}

/// The points that a scheme passes from a start, by Adam; `equal` weighs both losses 1.
///
/// # Errors
/// The scheme's own, such as that a loss is below 0.
pub fn trajectory(scheme: &str, start: Point) -> Result<Vec<Point>, Error> {
    let scheme = schemes().into_iter().find(|it| it.name() == scheme);
    let settings: Vec<f64> = scheme
        .map(|it| it.settings().iter().map(|setting| setting.default).collect())
        .unwrap_or_default();
    let memory = &mut vec![[0.0; 4]; 2];
    let (mut x, mut moments) = (start, [[0.0; 2]; 2]);
    let mut points = vec![start];
    for step in 1..=STEPS {
        let (losses, [g, h]) = losses(x);
        let dot = |a: Point, b: Point| a[0] * b[0] + a[1] * b[1];
        let gram = &[dot(g, g), dot(g, h), dot(g, h), dot(h, h)];
        let key = [step as u32, 0];
        let w = match scheme {
            None => vec![1.0; 2],
            Some(scheme) => {
                let at = &mut AtStep { gram, losses: &losses, memory, step: step as u64, key };
                weights(scheme, &settings, at)?
            }
        };
        for k in 0..2 {
            let gradient = w[0] * g[k] + w[1] * h[k];
            let [first, second] = &mut moments[k];
            *first += 0.1 * (gradient - *first);
            *second += 0.001 * (gradient * gradient - *second);
            let [a, b] = [0.9f64, 0.999].map(|beta| 1.0 - beta.powi(step as i32));
            x[k] -= RATE * (*first / a) / ((*second / b).sqrt() + 1e-8);
        }
        points.push(x);
    }
    Ok(points)
}

/// The schemes, in the order in which they are drawn.
pub fn names() -> Vec<&'static str> {
    let of_gradients = schemes().into_iter().map(|scheme| scheme.name());
    ["equal"].into_iter().chain(of_gradients).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:12} {}",
        "",
        STARTS.map(|[a, b]| format!("{:>17}", format!("from ({a}, {b})"))).concat()
    );
    let mut panels = Vec::new();
    for name in names() {
        let runs: Result<Vec<_>, _> = STARTS.iter().map(|start| trajectory(name, *start)).collect();
        let text = match &runs {
            Err(error) => format!(" {error}"),
            Ok(runs) => runs.iter().map(|points| format!("{:>17}", end(points))).collect(),
        };
        println!("{name:12} {text}");
        panels.push((name, runs.map_err(|error| error.to_string())));
    }
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(path, picture::svg(&panels))?;
    }
    Ok(())
}

/// Where a run ended, in words.
fn end(points: &[Point]) -> String {
    let x = points[points.len() - 1];
    match distance(x) < ON_FRONT {
        true => format!("front, x₁ {:.2}", x[0]),
        false => format!("({:.2}, {:.2})", x[0], x[1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values computed by others (CAGrad's and Nash-MTL's code).
    #[test]
    fn losses_are_the_published_ones() {
        for (x, expected) in [
            ([0.0, -8.3552], [-15.0916, -15.0916]),
            ([7.0, -8.3552], [-19.9893, -0.3986]),
            ([-8.5, 7.5], [6.5524, 7.9008]),
            ([9.0, -1.0], [-8.8311, 2.8143]),
            ([-8.5, -5.0], [4.0599, -19.4215]),
        ] {
            let (found, _) = losses(x);
            let close = found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-4);
            assert!(close, "{x:?}: {found:?}");
        }
    }

    #[test]
    fn gradients_are_differences() {
        for x in [[-8.5, 7.5], [9.0, 9.0], [-7.5, -0.5], [9.0, -1.0], [3.0, 0.2], [0.0, 0.0]] {
            for k in 0..2 {
                let moved = |by: f64| {
                    let mut moved = x;
                    moved[k] += by;
                    losses(moved).0
                };
                let (after, before) = (moved(1e-6), moved(-1e-6));
                for (task, gradient) in losses(x).1.iter().enumerate() {
                    let slope = (after[task] - before[task]) / 2e-6;
                    assert!((slope - gradient[k]).abs() < 1e-5, "{x:?}: {slope}, {gradient:?}");
                }
            }
        }
    }

    /// As the papers have it: the plain sum stays in the valleys of two starts; MGDA stops where it first meets the front; CAGrad
    /// goes on to the least mean loss; Nash-MTL arrives from everywhere, between both losses.
    #[test]
    fn schemes_arrive_where_their_papers_say() {
        let ends = |name: &str| STARTS.map(|start| trajectory(name, start).unwrap()[STEPS]);
        let arrive = |ends: [Point; 5]| ends.map(|end| distance(end) < ON_FRONT);
        let equal = ends("equal");
        assert_eq!(arrive(equal), [false, true, false, true, true], "{equal:?}");
        for name in ["mgda", "cagrad", "nash-mtl"] {
            let ends = ends(name);
            assert_eq!(arrive(ends), [true; 5], "{name}: {ends:?}");
            let beside = ends.iter().map(|end| end[0].abs());
            match name {
                "mgda" => assert!(beside.min_by(f64::total_cmp) > Some(6.9), "{ends:?}"),
                "cagrad" => assert!(beside.max_by(f64::total_cmp) < Some(0.1), "{ends:?}"),
                _ => assert!(beside.max_by(f64::total_cmp) < Some(6.0), "{ends:?}"),
            }
        }
    }

    #[test]
    fn what_needs_positive_losses_says_so() {
        for name in ["gradnorm", "db-mtl"] {
            let error = trajectory(name, STARTS[2]).expect_err("a loss below 0").to_string();
            assert!(error.contains("needs losses of 0 or more"), "{error}");
        }
    }

    #[test]
    fn the_picture_has_a_panel_a_scheme() {
        let run = || vec![vec![[-8.5, 7.5], [0.0, -8.3552]], vec![[9.0, 9.0], [5.0, 2.0]]];
        let panels = [("mgda", Ok(run())), ("db-mtl", Err("below 0".to_string()))];
        let text = picture::svg(&panels);
        let document = roxmltree::Document::parse(&text).expect("an SVG");
        let of = |tag: &str| document.descendants().filter(|it| it.has_tag_name(tag)).count();
        assert_eq!((of("polyline"), of("circle"), of("use")), (2, 4, 1));
        assert!(text.contains("1 of 5") && text.contains("refuses losses below 0"));
    }
}
