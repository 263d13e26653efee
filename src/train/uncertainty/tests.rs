//! Expected values are closed forms, or scipy's (1.16: brentq on the mixture's cdf, quad for moments, entropy).

use super::*;
use crate::data::{Matrix, Target};
use crate::loss::Loss;
use crate::tables::{Curve, Encoder, EncoderOptions, NumberEncoding, Scaling, Table, TargetSpec};

const PLAIN: NumberEncoding = NumberEncoding::NONE;

fn encoding(mean: f64, std: f64, curve: Curve) -> NumberEncoding {
    NumberEncoding { scaling: Scaling { mean, std }, curve }
}

fn mixture<'a>(of: &'a NumberEncoding, family: Family, members: &[(f64, f64)]) -> Mixture<'a> {
    let members = members.iter().map(|&(centre, variance)| Component { centre, variance });
    Mixture::new(of, family, members.collect())
}

fn is_near(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within * expected.abs().max(1.0),
        "{found}, not {expected}"
    );
}

#[test]
fn quantiles_and_densities_of_mixtures_are_scipys() {
    let normal = mixture(&PLAIN, Family::Normal, &[(-1.0, 0.25), (2.0, 2.25)]);
    let laplace = mixture(&PLAIN, Family::Laplace, &[(0.0, 1.0), (1.0, 4.0)]);
    for (of, probability, expected) in [
        (&normal, 0.05, -1.662_197_066_458_703),
        (&normal, 0.5, -0.25),
        (&normal, 0.95, 3.922_327_348_316_9),
        (&laplace, 0.05, -1.882_756_317_492_286),
        (&laplace, 0.5, 1.0 / 3.0),
        (&laplace, 0.95, 3.340_318_614_169_678),
    ] {
        is_near(of.quantile(probability).expect("a quantile"), expected, 1e-9);
    }
    is_near(normal.log_density(0.3).expect("a density"), -2.482_345_118_010_419_2, 1e-12);
    is_near(laplace.log_density(0.3).expect("a density"), -1.081_538_842_116_858_1, 1e-12);
    // Never the mean and so many standard deviations, 0.5 + 1.645·1.87.
    assert!(normal.quantile(0.95).expect("a quantile") > 0.5 + 1.645 * 1.87);
    assert_eq!((normal.quantile(0.0), normal.quantile(1.0)), (None, None));
}

#[test]
fn counts_are_mixtures_of_poisson_distributions_in_their_own_unit() {
    let of = encoding(0.0, 6.0, Curve::Rate);
    // Expected counts of 3 and 12: learned are counts over 6.
    let members: Vec<(f64, f64)> =
        [3.0, 12.0].iter().map(|rate| (rate / 6.0, rate / 36.0)).collect();
    let counts = mixture(&of, Family::Poisson, &members);
    for (probability, count) in [(0.05, 1.0), (0.5, 6.0), (0.95, 17.0)] {
        assert_eq!(counts.quantile_of_number(probability), Some(count));
    }
    is_near(counts.cdf(5.0 / 6.0).expect("known"), 0.468_211_543_692_812_5, 1e-10);
    is_near(counts.log_density(5.0 / 6.0).expect("known"), -2.868_575_951_999_793_5, 1e-10);
    let parts = counts.variance_of_number();
    is_near(parts.noise.expect("known"), 7.5, 1e-12);
    is_near(parts.ignorance, 4.5 * 4.5, 1e-12);
    // Beyond the exact formula: normal, and no different where both are right.
    let one = mixture(&of, Family::Poisson, &[(1e9, 1e9 / 6.0)]);
    let (high, sd) = (one.quantile_of_number(0.975).expect("known"), 6e9_f64.sqrt());
    is_near((high - 6e9) / sd, 1.959_964, 1e-3);
}

#[test]
fn variances_add_up_and_one_network_knows_no_ignorance() {
    // Centres 1, 2 and 6 (mean 3, squares 4 + 1 + 9), variances 0.5, 1 and 3.
    let of = encoding(10.0, 2.0, Curve::Line);
    let three = mixture(&of, Family::Normal, &[(1.0, 0.5), (2.0, 1.0), (6.0, 3.0)]);
    let parts = three.variance();
    is_near(parts.noise.expect("known"), 1.5, 1e-15);
    is_near(parts.ignorance, 14.0 / 3.0, 1e-15);
    is_near(parts.total().expect("known"), 1.5 + 14.0 / 3.0, 1e-15);
    let number = three.variance_of_number();
    is_near(number.noise.expect("known"), 6.0, 1e-15);
    is_near(number.ignorance, 4.0 * 14.0 / 3.0, 1e-15);
    assert_eq!(number.deviations().ignorance, number.ignorance.sqrt());
    let one = mixture(&of, Family::Normal, &[(0.1, 0.5)]);
    assert_eq!(one.variance().ignorance, 0.0);
    let alike = mixture(&of, Family::Normal, &[(0.1, 0.5); 3]);
    assert_eq!(alike.variance().ignorance, 0.0);
    let unknown = mixture(&of, Family::Unknown, &[(1.0, 0.0), (3.0, 0.0)]);
    assert_eq!(unknown.variance(), Parts { noise: None, ignorance: 1.0 });
    assert_eq!((unknown.quantile(0.5), unknown.log_density(0.0)), (None, None));
}

#[test]
fn transforms_have_the_moments_of_numerical_integration() {
    let log = encoding(0.5, 2.0, Curve::Log);
    for (family, variance) in
        [(Family::Normal, 1.504_536_647_609_878_5), (Family::Laplace, 2.136_277_755_723_304)]
    {
        let of = mixture(&log, family, &[(0.25, 0.04)]);
        is_near(of.variance_of_number().noise.expect("known"), variance, 1e-9);
    }
    // Of two members the variance between their means in the unit, e^1 apart by a factor e^½.
    let means = [0.25, 0.5].map(|centre| (0.5 + 2.0 * centre + 0.5 * 4.0 * 0.04_f64).exp());
    let of = mixture(&log, Family::Normal, &[(0.25, 0.04), (0.5, 0.04)]);
    is_near(of.variance_of_number().ignorance, ((means[1] - means[0]) / 2.0).powi(2), 1e-12);
    let median = of.quantile_of_number(0.5).expect("known");
    assert!(median > 1.0_f64.exp() && median < 1.5_f64.exp());
    // b = 2·√(v/2) reaches ½: no variance.
    let wide = mixture(&log, Family::Laplace, &[(0.0, 0.125)]);
    assert_eq!(wide.variance_of_number().noise, Some(f64::INFINITY));
    let ranks = encoding(0.0, 1.0, Curve::Quantile(vec![0.0, 1.0, 4.0]));
    for (centre, variance, expected) in
        [(0.0, 1.0, 1.416_666_666_666), (0.5, 0.09, 0.352_632_521_844)]
    {
        let of = mixture(&ranks, Family::Normal, &[(centre, variance)]);
        is_near(of.variance_of_number().noise.expect("known"), expected, 2e-3);
    }
}

#[test]
fn no_noise_is_a_step_and_no_number_is_made_up() {
    let sure = mixture(&PLAIN, Family::Normal, &[(1.0, 0.0), (3.0, 0.0)]);
    assert_eq!(sure.cdf(2.0), Some(0.5));
    assert_eq!((sure.quantile(0.25), sure.quantile(0.75)), (Some(1.0), Some(3.0)));
    assert_eq!(sure.log_density(1.0), Some(f64::INFINITY));
    assert_eq!(sure.log_density(2.0), Some(f64::NEG_INFINITY));
}

#[test]
fn entropy_and_mutual_information_are_scipys() {
    let logs = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]].map(|it: [f64; 3]| it.map(f64::ln).to_vec());
    let of = OfClasses::new(&logs);
    is_near(of.entropy, 1.080_527_626_604_171_7, 1e-12);
    is_near(of.mutual_information, 0.230_645_487_904_113_1, 1e-12);
    is_near(of.probabilities[0], 0.4, 1e-15);
    assert_eq!(OfClasses::new(&logs[..1]).mutual_information, 0.0);
    assert!(OfClasses::new(&vec![logs[0].clone(); 3]).mutual_information < 1e-15);
    // Two networks that are sure of different answers: all of it is ignorance.
    let torn = [[0.0, -800.0], [-800.0, 0.0]].map(|it| it.to_vec());
    is_near(OfClasses::new(&torn).mutual_information, 2_f64.ln(), 1e-12);
}

fn table() -> Table {
    Table::from_csv("points", "x,y,kind\n1,10,a\n2,20,b\n3,30,a\n4,,b\n".as_bytes())
        .expect("a table")
}

fn encoder(loss: Loss) -> Encoder {
    let targets =
        [TargetSpec::new("y").with_loss(loss), TargetSpec::new("kind").with_loss(Loss::Bce)];
    Encoder::fit_with(&table(), &["x"], &targets, EncoderOptions::default()).expect("an encoder")
}

/// Two networks' predictions of four rows: their mean is 0, 1, 2, 5, their variance 0.25 and the last's 1.
fn predictions() -> [Matrix; 2] {
    let of = |by: [f32; 4]| {
        let rows = [0.0, 1.0, 2.0, 5.0].into_iter().zip(by);
        Matrix::new(2, rows.flat_map(|(it, by)| [it + by, by]).collect()).expect("rows")
    };
    [of([0.5, 0.5, 0.5, 1.0]), of([-0.5, -0.5, -0.5, -1.0])]
}

#[test]
fn noise_is_what_ignorance_leaves_of_the_errors() {
    let encoder = encoder(Loss::Mse);
    let mut moments = Moments::new(&encoder, 4);
    predictions().iter().for_each(|it| moments.add(it).expect("a member"));
    let labels = Matrix::new(1, vec![1.0, 0.0, 2.0, 9.0]).expect("labels");
    let labels = Target::numbers(labels).labelled(vec![true, true, true, false]).expect("labels");
    // Errors 1, −1 and 0 of the labelled rows: 2/3 less 0.25.
    let noise = moments.noise(0, &labels).expect("noise");
    is_near(noise[0], 2.0 / 3.0 - 0.25, 1e-12);
    assert_eq!(moments.noise(1, &labels), None, "classes have none");
    let exact = Target::numbers(Matrix::new(1, vec![0.0, 1.0, 2.0, 5.0]).expect("labels"));
    assert_eq!(moments.noise(0, &exact), Some(vec![0.0]), "not below 0");
    let known = encoder.clone().with_noise("y", noise.clone()).expect("noise");
    let scores = moments.scores(&known, std::slice::from_ref(&labels));
    let one = 1.0 / (noise[0] + 0.25).sqrt();
    let found = scores.of("y").expect("scores");
    assert_eq!(found.len(), 3);
    for (found, expected) in found.iter().zip([0.0, one, one]) {
        is_near(*found, expected, 1e-12);
    }
    assert!(moments.scores(&encoder, std::slice::from_ref(&labels)).is_empty(), "not measured");
    assert!(encoder.clone().with_noise("y", vec![-1.0]).is_err());
    assert!(encoder.clone().with_noise("kind", vec![1.0]).is_err());
    assert!(encoder.with_noise("y", vec![1.0, 1.0]).is_err());
}

#[test]
fn members_say_what_their_predictions_mean() {
    let plain = encoder(Loss::Mae);
    let unmeasured = Members::new(&plain, predictions().to_vec()).expect("members");
    assert!(
        unmeasured.number(0, 0, 0).expect_err("no noise").to_string().contains("train it again")
    );
    let known = plain.clone().with_noise("y", vec![0.3]).expect("noise");
    let text = serde_json::to_string(&known).expect("JSON");
    assert_eq!(serde_json::from_str::<Encoder>(&text).expect("an encoder"), known);
    let members = Members::new(&known, predictions().to_vec()).expect("members");
    let of = members.number(3, 0, 0).expect("a number");
    assert_eq!((of.family(), of.centre()), (Family::Laplace, 5.0));
    assert_eq!(of.variance(), Parts { noise: Some(0.3), ignorance: 1.0 });
    let classes = members.classes(0, 1);
    let yes = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    is_near(classes[0].probabilities[1], (yes(0.5) + yes(-0.5)) / 2.0, 1e-12);
    is_near(classes[0].entropy, 2_f64.ln(), 1e-12);
    assert!(members.number(0, 1, 0).is_err() && members.classes(0, 0).is_empty());
    assert!(Members::new(&known, Vec::new()).is_err());
    let quantile = encoder(Loss::Quantile { quantile: 0.9 });
    let members = Members::new(&quantile, predictions().to_vec()).expect("members");
    assert_eq!(members.number(0, 0, 0).expect("a number").family(), Family::Unknown);
}

#[test]
fn the_reach_of_an_interval_is_the_next_score_and_takes_enough_of_them() {
    let mut scores = Scores::default();
    scores.insert("y", (0..19).rev().map(f64::from).collect());
    // ⌈20·0.9⌉ = 18: the 18th smallest of 0 to 18.
    assert_eq!(scores.reach("y", 0.9).expect("a reach"), 17.0);
    assert_eq!(scores.reach("y", 0.95).expect("a reach"), 18.0);
    let error = scores.reach("y", 0.99).expect_err("too few").to_string();
    assert!(error.contains("99 at least") && error.contains("19 validation rows"), "{error}");
    assert!(scores.reach("z", 0.9).is_err() && scores.reach("y", 1.0).is_err());
    let bytes = scores.to_bytes().expect("a file");
    assert_eq!(Scores::from_bytes("scores", &bytes).expect("scores"), scores);
    assert!(Scores::from_bytes("scores", &bytes[..40]).is_err());
    assert_eq!(Scores::score(2.0, 0.0), f64::MAX);
    assert_eq!(Scores::score(0.0, 0.0), 0.0);
    scores.insert("y", vec![f64::MAX; 19]);
    assert_eq!(scores.reach("y", 0.5).expect("a reach"), f64::INFINITY);
}
