//! Kendall's toy: two lines with noise of standard deviation 10 and 1, and what is learned of the noise.
//!
//! ```sh
//! scripts/with-adapter cargo run --release --example toy-kendall
//! ```
//!
//! The data are those of the authors' notebook (yaringal/multi-task-learning-example: numpy's seed 0, 100 rows, `y₁ = 2x + 8 + 10ε`,
//! `y₂ = 3x + 3 + ε`), the network is theirs: one hidden layer of 1,024 rectified units, a head a task, Adam, batches of 20, 2,000
//! epochs. They publish learned standard deviations of 8.648 and 0.9255 (Keras), 8.587 and 0.9198 (PyTorch), for noise of which the
//! 100 rows have 10.379 and 0.954.
//!
//! **Why they differ.** Two reasons. After 2,000 epochs σ is still on its way: Adam moves `s = ln σ²` by 0.001 a step at most, and less
//! where its gradient is mostly noise; it is at 8.6 while the network is 9.7 from its rows, and comes to that distance after some 8,000.
//! And the network is large enough to follow some of the noise: that distance is from the rows that it was trained on. A straight line,
//! which cannot follow noise, is 10.28 and 0.949 from them; rows that were held out are further from the network than either. σ of the
//! automatic weighted loss is no standard deviation: it stands for noise of variance `2σ⁴/(1+σ²)`, which comes to the same as Kendall's.

use awl::{
    Activation, Adam, AutomaticWeightedLoss, Dataset, Engine, Gpu, GpuEngine, Loss, Matrix,
    Network, Recipe, Result, SigmaForm, Target, Task, Trainer, Weighting,
};

const ROWS: &str = include_str!("kendall.csv");
/// As published, and until σ rests.
const EPOCHS: [usize; 2] = [2_000, 8_000];
const NAMES: [&str; 2] = ["y1", "y2"];

/// The rows: x and both labels.
pub fn rows() -> Vec<[f32; 3]> {
    let row = |line: &str| {
        let mut numbers = line.split(',').map(|number| number.parse().unwrap_or(f32::NAN));
        std::array::from_fn(|_| numbers.next().unwrap_or(f32::NAN))
    };
    ROWS.lines().skip(1).map(row).collect()
}

/// A line's least squares: the root of the mean squared residual of a task.
pub fn least_squares(rows: &[[f32; 3]], task: usize) -> f64 {
    let points: Vec<[f64; 2]> =
        rows.iter().map(|row| [row[0].into(), row[1 + task].into()]).collect();
    let count = points.len() as f64;
    let mean = |of: &dyn Fn(&[f64; 2]) -> f64| points.iter().map(of).sum::<f64>() / count;
    let [x, y] = [mean(&|p| p[0]), mean(&|p| p[1])];
    let slope = mean(&|p| (p[0] - x) * (p[1] - y)) / mean(&|p| (p[0] - x).powi(2));
    mean(&|p| (p[1] - y - slope * (p[0] - x)).powi(2)).sqrt()
}

/// What a run learned, a number a task.
#[derive(Debug)]
pub struct Learned {
    /// σ.
    pub sigma: [f64; 2],
    /// The noise that it stands for.
    pub noise: [f64; 2],
    /// The root mean squared error of the rows that it was trained on.
    pub trained: [f64; 2],
    /// That of the rows that were held out; of none NaN.
    pub held_out: [f64; 2],
}

/// Trains on the first rows, holds out the rest.
pub async fn learn(
    gpu: &Gpu,
    weighting: Weighting,
    rows: &[[f32; 3]],
    train: usize,
    epochs: usize,
) -> Result<Learned> {
    let tasks = NAMES.map(|name| Task::new(name, Loss::Mse, 1));
    let network = Network::new(1, &[1_024], Activation::Relu, &tasks)?;
    let is_awl = weighting.form().is_some();
    let mut recipe = Recipe::new(network, weighting.clone(), Adam::new(1e-3));
    recipe.batch = 20;
    let (kept, rest) = rows.split_at(train);
    let mut trainer = Trainer::new(GpuEngine::fused(gpu, recipe, &data(kept)?).await?);
    trainer.epochs(epochs).await?;
    let engine = trainer.engine();
    let parameters = engine.state().await?.sigma;
    let sigma = [0, 1].map(|k| weighting.sigma(k, parameters[k]).map_or(f64::NAN, f64::abs));
    let noise = sigma.map(|it| match is_awl {
        true => (2.0 * it.powi(4) / (1.0 + it * it)).sqrt(),
        false => it,
    });
    Ok(Learned {
        sigma,
        noise,
        trained: errors(engine, kept).await?,
        held_out: if rest.is_empty() { [f64::NAN; 2] } else { errors(engine, rest).await? },
    })
}

fn column(values: impl Iterator<Item = f32>) -> Result<Matrix> {
    Matrix::new(1, values.collect())
}

fn data(rows: &[[f32; 3]]) -> Result<Dataset> {
    let target = |k: usize| Ok(Target::numbers(column(rows.iter().map(|row| row[1 + k]))?));
    let targets = [0, 1].map(target).into_iter().collect::<Result<_>>()?;
    Dataset::new(column(rows.iter().map(|row| row[0]))?, targets)
}

async fn errors(engine: &mut GpuEngine, rows: &[[f32; 3]]) -> Result<[f64; 2]> {
    let found = engine.predict(&column(rows.iter().map(|row| row[0]))?).await?;
    let of = |k: usize| {
        let square =
            |(at, row): (usize, &[f32; 3])| f64::from(found.row(at)[k] - row[1 + k]).powi(2);
        (rows.iter().enumerate().map(square).sum::<f64>() / rows.len() as f64).sqrt()
    };
    Ok([of(0), of(1)])
}

/// Both weightings. Kendall's loss is twice that of `uncertainty`, which Adam does not notice. AWL learns `ln σ²`, as Kendall's does:
/// Adam moves what is learned by its rate a step, so that σ itself, with a longer way, would still be at 5 after 10,000 steps.
pub fn weightings() -> Result<[(&'static str, Weighting); 2]> {
    let kendall = Weighting::named("uncertainty", &[], &[false, false])?;
    let awl = AutomaticWeightedLoss::new(2).with_form(SigmaForm::log());
    Ok([("Kendall's e^-s L + s", kendall), ("awl", awl.into())])
}

async fn run() -> Result<()> {
    let gpu = Gpu::new().await?;
    let rows = rows();
    let line = [0, 1].map(|task| least_squares(&rows, task));
    println!("standard deviations, y1 and y2");
    println!("{:<22}{:>18}", "noise in the rows", "10.379  0.954");
    println!("{:<22}{:>10.3}{:>8.3}", "a line's residuals", line[0], line[1]);
    for (name, weighting) in weightings()? {
        for epochs in EPOCHS {
            let all = learn(&gpu, weighting.clone(), &rows, rows.len(), epochs).await?;
            println!("{name}, {epochs} epochs");
            for (what, [first, second]) in [
                ("  σ", all.sigma),
                ("  noise it stands for", all.noise),
                ("  training residuals", all.trained),
            ] {
                println!("{what:<22}{first:>10.3}{second:>8.3}");
            }
        }
        let [first, second] = learn(&gpu, weighting, &rows, 80, EPOCHS[0]).await?.held_out;
        println!("{:<22}{first:>10.3}{second:>8.3}", "  20 rows held out");
    }
    println!(
        "published: 8.648 0.9255 (Keras), 8.587 0.9198 (PyTorch), of 2,000 epochs: a σ that is on its way"
    );
    println!("to the residuals of a network that follows some of the noise");
    Ok(())
}

fn main() -> Result<()> {
    pollster::block_on(run())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows are the notebook's, and a line's residuals those of numpy's lstsq.
    #[test]
    fn the_rows_are_the_published_ones() {
        let rows = rows();
        assert_eq!(rows.len(), 100);
        let first = [1.764_052_35, 30.359_611_66, 7.922_975_2];
        assert!(rows[0].iter().zip(first).all(|(&a, b)| (f64::from(a) - b).abs() < 1e-6 * b));
        for (task, expected) in [10.281_886, 0.949_240_8].into_iter().enumerate() {
            let found = least_squares(&rows, task);
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
    }

    /// Within 2 % of what was published: two programs, Keras and PyTorch, differ by 0.7 % from each other.
    #[test]
    fn what_is_learned_is_what_was_published() {
        let gpu = pollster::block_on(Gpu::new()).expect("an adapter");
        let rows = rows();
        let near = |found: [f64; 2], expected: [f64; 2], part: f64| {
            let close = |(a, b): (f64, f64)| (a - b).abs() < part * b;
            assert!(found.into_iter().zip(expected).all(close), "{found:?}, not {expected:?}");
        };
        let [kendall, awl] = weightings().expect("weightings").map(|(_, weighting)| {
            pollster::block_on(learn(&gpu, weighting, &rows, rows.len(), EPOCHS[0])).expect("a run")
        });
        near(kendall.sigma, [8.62, 0.9227], 0.02);
        // AWL's, which has the shorter way, is near what it comes to: how far the network is from its rows.
        near(awl.noise, awl.trained, 0.03);
        // Kendall's is not there yet.
        assert!(kendall.sigma[0] < 0.95 * kendall.trained[0], "{kendall:?}");
    }
}
