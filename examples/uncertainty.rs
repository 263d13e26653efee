//! All three uncertainties in one picture: noise that grows with x, noise that is the same everywhere, and ignorance where no row is.
//!
//! ```sh
//! cargo run --release --example uncertainty -- uncertainty.svg
//! ```
//!
//! Two tasks of one x. `growing` predicts its noise row by row (heteroscedastic, `gaussian_nll`), that of `even` is one number
//! (homoscedastic, `mse`), measured on the validation rows. Eight networks from different seeds disagree where they were taught
//! nothing (epistemic). After Kendall & Gal, *What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?* (2017).

use awl::tables::Table;
use awl::train::uncertainty::{Members, Moments};
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Encoder, Engine, Error, Gpu, GpuEngine, Loss, Matrix,
    Network, Recipe, Trainer,
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::fmt::Write;

const ROWS: usize = 400;
const NETWORKS: usize = 8;
/// No row has an x in here.
const GAP: [f64; 2] = [0.0, 0.7];
/// Standard deviation of the noise of `even`.
const EVEN: f64 = 0.1;
/// x of the picture.
const POINTS: usize = 121;

/// Standard deviation of the noise of `growing`.
fn growing(x: f64) -> f64 {
    0.02 + 0.13 * (x + 1.0)
}

fn truth(x: f64) -> [f64; 2] {
    [(5.0 * x).sin(), 0.6 * (4.0 * x).cos()]
}

fn rows(seed: u64) -> Result<Table, Error> {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut text = "x,growing,even\n".to_string();
    let mut rows = 0;
    while rows < ROWS {
        let x = 2.0 * random.random::<f64>() - 1.0;
        if (GAP[0]..GAP[1]).contains(&x) {
            continue;
        }
        let [a, b] = [1.0 - random.random::<f64>(), random.random()].map(f64::from);
        let length = (-2.0 * a.ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * b).sin_cos();
        let [first, second] = truth(x);
        let (first, second) = (first + growing(x) * length * cos, second + EVEN * length * sin);
        let _ = writeln!(text, "{x},{first},{second}");
        rows += 1;
    }
    Table::from_csv("rows", text.as_bytes())
}

/// What is known at an x of a task: the answer, its noise and its ignorance (standard deviations), and a 90 % interval.
#[derive(Clone, Copy, Debug)]
struct Known {
    x: f64,
    answer: f64,
    noise: f64,
    ignorance: f64,
    interval: [f64; 2],
}

/// Trains the networks; what they know of both tasks along x.
async fn learn(gpu: &Gpu) -> Result<[Vec<Known>; 2], Error> {
    let table = rows(0)?;
    let [training, validation, _] = table.split(0, [0.8, 0.2, 0.0])?;
    let targets = [("growing", Loss::GaussianNll { beta: 0.5 }), ("even", Loss::Mse)];
    let encoder = Encoder::fit(&training, &["x"], &targets)?;
    let (data, held_out) = (encoder.encode(&training)?, encoder.encode(&validation)?);

    // The weight of `growing` is held at 1: a likelihood has its noise in itself. That of `even` is learned.
    let network = Network::new(1, &[64, 64], Activation::Relu, &encoder.tasks())?;
    let recipe = |seed| {
        let adam = Adam::new(1e-2);
        let recipe = Recipe::new(network.clone(), AutomaticWeightedLoss::new(2), adam);
        Recipe { seed, ..recipe }
    };
    let recipes = (0..NETWORKS as u64).map(recipe).collect();
    let mut trainer = Trainer::new(GpuEngine::fleet(gpu, recipes, &data).await?);
    trainer.epochs(200).await?;

    // One number for the noise of `even`: what the answers are off by on rows kept apart, less the ignorance there.
    let mut moments = Moments::new(&encoder, held_out.rows());
    for member in 0..NETWORKS {
        moments.add(&trainer.engine().predict_by(member, held_out.features()).await?)?;
    }
    let noise = moments.noise(1, &held_out.targets()[1]).unwrap_or_default();
    let encoder = encoder.clone().with_noise("even", noise)?;

    let x = |point: usize| 2.4 * point as f64 / (POINTS - 1) as f64 - 1.2;
    let lines: String = (0..POINTS).map(|point| format!("{}\n", x(point))).collect();
    let asked = Table::from_csv("asked", format!("x\n{lines}").as_bytes())?;
    let features: Matrix = encoder.encode_features(&asked)?;
    let mut predictions = Vec::new();
    for member in 0..NETWORKS {
        predictions.push(trainer.engine().predict_by(member, &features).await?);
    }
    let members = Members::new(&encoder, predictions)?;
    let known = |task: usize, point: usize| {
        let mixture = members.number(point, task, 0)?;
        let encoding = &encoder.targets()[task].encoding.numbers()[0];
        let deviations = mixture.variance_of_number().deviations();
        let end = |probability| mixture.quantile_of_number(probability).unwrap_or(f64::NAN);
        Ok(Known {
            x: x(point),
            answer: encoding.restore(mixture.centre()),
            noise: deviations.noise.unwrap_or(f64::NAN),
            ignorance: deviations.ignorance,
            interval: [end(0.05), end(0.95)],
        })
    };
    let of_task = |task| (0..POINTS).map(|point| known(task, point)).collect::<Result<_, Error>>();
    Ok([of_task(0)?, of_task(1)?])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let known = pollster::block_on(async { learn(&Gpu::new().await?).await })?;
    println!("{:>6} {:>26} {:>26}", "", "growing: noise, ignorance", "even: noise, ignorance");
    for point in (0..POINTS).step_by(POINTS / 12) {
        let [a, b] = [&known[0][point], &known[1][point]];
        let (x, gap) = (a.x, if (GAP[0]..GAP[1]).contains(&a.x) { "  (no rows)" } else { "" });
        println!(
            "{x:6.2} {:>16.3} {:>9.3} {:>16.3} {:>9.3}{gap}",
            a.noise, a.ignorance, b.noise, b.ignorance
        );
    }
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(&path, picture(&known, &rows(0)?)?)?;
        println!("{path}");
    }
    Ok(())
}

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 250.0;

/// A panel a task: rows, answer and bands above, the two parts of the deviation below.
fn picture(known: &[Vec<Known>; 2], rows: &Table) -> Result<String, Error> {
    let mut svg = String::from(concat!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 440" font-family="system-ui, sans-serif" font-size="13">"#,
        "\n<style>:root{color-scheme:light dark} text{fill:#222} .n{fill:#0072b2} .i{fill:#d55e00} .rows{fill:#888;opacity:.45} .total{fill:#0072b2;opacity:.18}",
        " .noise{fill:#0072b2;opacity:.32} .answer,.sd{fill:none;stroke:#0072b2;stroke-width:2} .ignorance{fill:none;stroke:#d55e00;stroke-width:2}",
        " .truth{fill:none;stroke:#444;stroke-dasharray:4 3} .gap{fill:#d55e00;opacity:.08} .axis{stroke:#999}",
        "@media(prefers-color-scheme:dark){text{fill:#ddd}.truth{stroke:#bbb}}</style>\n"
    ));
    for (task, (name, known)) in ["growing", "even"].into_iter().zip(known).enumerate() {
        let left = 20.0 + 440.0 * task as f64;
        let across = |x: f64| left + (x + 1.2) / 2.4 * WIDTH;
        let up = |y: f64| 30.0 + (2.0 - y.clamp(-2.0, 2.0)) / 4.0 * HEIGHT;
        let below = |sd: f64| 420.0 - sd.min(0.4) / 0.4 * 110.0;
        let line = |of: &dyn Fn(&Known) -> f64| -> String {
            known.iter().map(|it| format!("{:.1},{:.1} ", across(it.x), of(it))).collect()
        };
        let band = |half: &dyn Fn(&Known) -> [f64; 2]| -> String {
            let there = known.iter().map(|it| (it.x, half(it)[1]));
            let back = known.iter().rev().map(|it| (it.x, half(it)[0]));
            let all = there.chain(back);
            all.map(|(x, y)| format!("{:.1},{:.1} ", across(x), up(y))).collect()
        };
        let [from, to] = GAP.map(across);
        let _ = writeln!(
            svg,
            r#"<rect class="gap" x="{from:.1}" y="30" width="{:.1}" height="390"/>"#,
            to - from
        );
        let (xs, ys) = (rows.numbers("x")?, rows.numbers(name)?);
        for (x, y) in xs.iter().zip(ys.iter()) {
            let _ = writeln!(
                svg,
                r#"<circle class="rows" cx="{:.1}" cy="{:.1}" r="1.3"/>"#,
                across(*x),
                up(*y)
            );
        }
        // 1.645 deviations of the noise alone: 90 % of a normal distribution.
        let noise = |it: &Known| [-1.645, 1.645].map(|times| it.answer + times * it.noise);
        let _ = writeln!(svg, r#"<polygon class="total" points="{}"/>"#, band(&|it| it.interval));
        let _ = writeln!(svg, r#"<polygon class="noise" points="{}"/>"#, band(&noise));
        let _ = writeln!(
            svg,
            r#"<polyline class="truth" points="{}"/>"#,
            line(&|it| up(truth(it.x)[task]))
        );
        let _ =
            writeln!(svg, r#"<polyline class="answer" points="{}"/>"#, line(&|it| up(it.answer)));
        let deviation = |it: &Known| if task == 0 { growing(it.x).max(0.0) } else { EVEN };
        let _ = writeln!(
            svg,
            r#"<line class="axis" x1="{left}" y1="420" x2="{}" y2="420"/>"#,
            left + WIDTH
        );
        let _ = writeln!(
            svg,
            r#"<polyline class="truth" points="{}"/>"#,
            line(&|it| below(deviation(it)))
        );
        let _ = writeln!(svg, r#"<polyline class="sd" points="{}"/>"#, line(&|it| below(it.noise)));
        let _ = writeln!(
            svg,
            r#"<polyline class="ignorance" points="{}"/>"#,
            line(&|it| below(it.ignorance))
        );
        let title = ["growing: noise predicted row by row", "even: one noise for all rows"][task];
        let _ = writeln!(svg, r#"<text x="{left}" y="20">{title}</text>"#);
        let _ = writeln!(
            svg,
            r#"<text x="{left}" y="305">standard deviations: <tspan class="n">noise</tspan>, <tspan class="i">ignorance</tspan>, dashed the true noise</text>"#
        );
        let _ = writeln!(
            svg,
            r#"<text x="{:.1}" y="436" font-size="11" text-anchor="middle">no rows</text>"#,
            0.5 * (from + to)
        );
    }
    Ok(svg + "</svg>\n")
}
