//! Against closed forms: models whose answers are written down here.

use super::*;
use crate::loss::Loss;
use pollster::block_on;
use std::fmt::Write;

/// Draws from a normal distribution, by the twelve-uniforms sum.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0
}

/// Numbers `a`, `b`, a text `c` of three words, an idle `d`; `y = 3a − b/2`, which `b` shares with `a`, and whether `c` is `p`.
fn table(rows: usize) -> Table {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut text = String::from("a,b,c,d,y,kind\n");
    for row in 0..rows {
        let a = normal(&mut random);
        let b = 4.0 * (0.6 * a + 0.8 * normal(&mut random));
        let (c, d) = (["p", "q", "r", "p"][row % 4], normal(&mut random));
        let kind = if c == "p" { "yes" } else { "no" };
        let _ = writeln!(text, "{a},{b},{c},{d},{},{kind}", 3.0 * a - 0.5 * b);
    }
    Table::from_csv("t", text.as_bytes()).unwrap()
}

fn encoder(table: &Table) -> Encoder {
    let targets = [("y", Loss::Mse), ("kind", Loss::Bce)];
    Encoder::fit(table, &["a", "b", "c", "d"], &targets).unwrap()
}

fn variance(table: &Table, column: &str) -> f64 {
    let values = table.numbers(column).unwrap();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / values.len() as f64
}

/// The right answers from the inputs: `a`, `b`, `c=p`, `c=q`, `c=r`, `d`, the numbers standardised.
fn right(table: &Table) -> impl Fn(&Matrix) -> Result<Matrix> {
    let [a, b, y] = ["a", "b", "y"].map(|it| variance(table, it).sqrt());
    move |features| {
        let answers = (0..features.rows()).flat_map(|row| {
            let x = features.row(row);
            let y = (3.0 * a * f64::from(x[0]) - 0.5 * b * f64::from(x[1])) / y;
            [y as f32, if x[2] > 0.5 { 4.0 } else { -4.0 }]
        });
        Matrix::new(2, answers.collect())
    }
}

/// Cells dealt anew are off by the difference of two cells, whose mean square is twice the variance: the squared error of a linear
/// model rises by `2·w²·var(x)`, whatever the feature shares with others, and R² falls by that over `var(y)`. Of the texts half
/// are `p`: half of the cells dealt anew say otherwise than the row's own.
#[test]
fn a_feature_of_a_linear_model_costs_twice_its_weighted_variance() {
    let table = table(2_000);
    let encoder = encoder(&table);
    let right = right(&table);
    let predict = async |features: &Matrix| right(features);
    let found = block_on(importances(&encoder, &table, 10, &[], predict)).unwrap();
    assert_eq!((found.rows, found.draws, found.passed_over), (2_000, 5, 0));
    let [y, kind] = [0, 1].map(|task| found.tasks[task].clone().unwrap());
    assert_eq!((y.measure.as_str(), kind.measure.as_str()), ("r2", "accuracy"));
    assert!((y.figure - 1.0).abs() < 1e-6 && kind.figure == 1.0, "{y:?}, {kind:?}");
    let of = |task: &TaskImportance, feature: &str| {
        task.features.iter().find(|it| it.feature == feature).unwrap().clone()
    };
    for (feature, weight) in [("a", 3.0_f64), ("b", -0.5)] {
        let rise = 2.0 * weight.powi(2) * variance(&table, feature) / variance(&table, "y");
        let found = of(&y, feature);
        // Five draws of 2,000 rows, each with a relative error of √2/√2000.
        assert!((found.drop / rise - 1.0).abs() < 0.06, "{found:?}, not {rise}");
        // The loss is that of standardised labels.
        assert!((found.loss_rise / rise - 1.0).abs() < 0.06, "{found:?}, not {rise}");
        let error = rise * (2.0 / 2_000.0_f64).sqrt();
        assert!((0.2 * error..3.0 * error).contains(&found.spread), "{found:?}, not {error}");
    }
    let text = of(&kind, "c");
    assert!((text.drop - 0.5).abs() < 0.03, "{text:?}");
    // A logit of 4 on the wrong side: the loss goes from ln(1 + e⁻⁴) to 4 more.
    assert!((text.loss_rise - 2.0).abs() < 0.12, "{text:?}");
    for idle in [of(&y, "c"), of(&y, "d"), of(&kind, "a"), of(&kind, "d")] {
        assert!(idle.drop == 0.0 && idle.spread == 0.0 && idle.loss_rise == 0.0, "{idle:?}");
    }
    assert_eq!(y.features[0].feature, "a");
}

#[test]
fn the_same_table_gives_the_same_answer_and_a_costly_model_fewer_rows() {
    let table = table(600);
    let encoder = encoder(&table);
    let right = right(&table);
    let find = |cost| {
        block_on(importances(&encoder, &table, cost, &[], async |it: &Matrix| right(it))).unwrap()
    };
    assert_eq!(find(10), find(10));
    assert_eq!(find(10).rows, 600);
    // 2e9 over 500,000 a row, 5 draws and 4 features.
    assert_eq!(find(500_000).rows, 200);
    assert_eq!(find(usize::MAX / 1_000).rows, FEWEST_ROWS);
}

/// Of 130 features 100 are looked at, and the one that matters is among them.
#[test]
fn of_many_features_those_that_matter_are_looked_at() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let names: Vec<String> = (0..130).map(|it| format!("x{it}")).collect();
    let mut text = names.join(",") + ",y\n";
    for _ in 0..300 {
        let cells: Vec<f64> = names.iter().map(|_| normal(&mut random)).collect();
        cells.iter().for_each(|cell| {
            let _ = write!(text, "{cell},");
        });
        let _ = writeln!(text, "{}", cells[129]);
    }
    let table = Table::from_csv("wide", text.as_bytes()).unwrap();
    let encoder = Encoder::fit(&table, &names, &[("y", Loss::Mse)]).unwrap();
    let last = async |features: &Matrix| {
        Matrix::new(1, (0..features.rows()).map(|row| features.row(row)[129]).collect())
    };
    // Of weights of chance with a large one.
    let strengths: Vec<f64> = (0..130).map(|it| if it == 129 { 3.0 } else { 1.0 }).collect();
    let found = block_on(importances(&encoder, &table, 1, &strengths, last)).unwrap();
    let task = found.tasks[0].clone().unwrap();
    assert_eq!((found.passed_over, task.features.len()), (30, 100));
    assert_eq!(task.features[0].feature, "x129");
    assert!((task.features[0].drop - 2.0).abs() < 0.2, "{:?}", task.features[0]);
}
