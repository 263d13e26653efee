//! Single cells far from all others: a slip of the pen or of the decimal point, by which a standardised column is
//! crushed to nothing.
//!
//! Far is judged by the spread of the other cells, in a few passes that copy nothing. Incomes, sizes and counts have
//! long tails by nature, so a cell must be far on the scale of magnitudes too, on which such tails are short.

use super::look::{End, Look, Numbers, shown};
use super::{Finding, SuspectKind};
use crate::tables::{Column, Table};

/// With fewer cells the spread of the others is not known well enough.
const LEAST_CELLS: usize = 30;

/// So many standard deviations of the other cells are far.
const DEVIATIONS: f64 = 30.0;

/// So many are far on the scale of magnitudes, if no number is negative.
const DEVIATIONS_OF_LOGARITHMS: f64 = 8.0;

/// So many are if some are: magnitudes of what scatters about zero spread more.
const DEVIATIONS_OF_SIGNED_LOGARITHMS: f64 = 4.0;

/// Magnitudes that deviate more, by a factor of e^½ on average, may have the tail of a power law.
const LONG_TAIL: f64 = 0.5;

/// The largest of `n` numbers with such a tail is about `ln n` deviations off on the scale of magnitudes; beyond that by
/// so many, it is so in less than one table of a hundred.
const BEYOND_A_LONG_TAIL: f64 = 4.0;

/// A value that more cells have is no slip.
const MOST_CELLS: usize = 2;

/// The cells of a column that are far from all others: its least, its greatest, both or neither.
pub(super) fn outliers(table: &Table, look: &Look<'_>) -> Vec<Finding> {
    let Some(numbers) = look.numbers().filter(|numbers| numbers.present >= LEAST_CELLS) else {
        return Vec::new();
    };
    let Numbers { low, high, .. } = numbers;
    let is_signed = low.value < 0.0;
    let ends = [(low, low.next, high.value), (high, low.value, high.next)];
    let outlier = |(end, least, greatest): (&End, f64, f64)| {
        let deviations = deviations(look.column, end, is_signed)?;
        let row = look.column.values()?.position(|value| value == end.value)?;
        let line = table.line(row);
        let value = shown(end.value);
        let deviations = shown(deviations.round());
        let (least, greatest) = (shown(least), shown(greatest));
        let what = format!(
            "holds {value} on line {line}, {deviations} standard deviations of all others ({least} to {greatest}) \
             from their mean"
        );
        Some((SuspectKind::Outlier { line }, what))
    };
    ends.into_iter().filter_map(outlier).collect()
}

/// How many standard deviations of all other cells an end is from their mean, if it is far on every scale.
fn deviations(column: Column<'_>, end: &End, is_signed: bool) -> Option<f64> {
    if end.count > MOST_CELLS || !end.next.is_finite() {
        return None;
    }
    let others = move || {
        let values = column.values().into_iter().flatten();
        values.filter(move |&value| !value.is_nan() && value != end.value)
    };
    let all = Spread::of(others)?;
    let deviations = all.deviations(end.value);
    if all.deviation == 0.0 || deviations <= DEVIATIONS {
        return None;
    }
    // Zeros have no magnitude; where nearly all others are zero, a number is not far but rare.
    let logarithms = move || others().filter(|&value| value != 0.0).map(|value| value.abs().ln());
    let enough = (LEAST_CELLS as f64).min(all.count / 10.0);
    let spread = Spread::of(logarithms).filter(|spread| spread.count >= enough)?;
    let far = match is_signed {
        true => DEVIATIONS_OF_SIGNED_LOGARITHMS,
        false if spread.deviation < LONG_TAIL => DEVIATIONS_OF_LOGARITHMS,
        false => DEVIATIONS_OF_LOGARITHMS.max(spread.count.ln() + BEYOND_A_LONG_TAIL),
    };
    (spread.deviations(end.value.abs().ln()) > far).then_some(deviations)
}

/// The mean and standard deviation of numbers.
struct Spread {
    count: f64,
    mean: f64,
    /// 0 if all are the same.
    deviation: f64,
}

impl Spread {
    /// In two passes, so that a large mean does not drown a small spread. `None` if there is no number, or their squares
    /// are too large.
    fn of<I: Iterator<Item = f64>>(numbers: impl Fn() -> I) -> Option<Self> {
        let (count, sum) =
            numbers().fold((0.0, 0.0), |(count, sum), number| (count + 1.0, sum + number));
        let mean = sum / count;
        let squares: f64 = numbers().map(|number| (number - mean).powi(2)).sum();
        let deviation = (squares / count).sqrt();
        // What is left of equal numbers is rounding.
        let deviation = if deviation > f64::EPSILON * mean.abs() { deviation } else { 0.0 };
        (count > 0.0 && squares.is_finite()).then_some(Self { count, mean, deviation })
    }

    fn deviations(&self, number: f64) -> f64 {
        (number - self.mean).abs() / self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{column, kinds};
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// So many draws of what a function makes of a uniform and a normal number.
    fn draws(rows: usize, cell: impl Fn(f64, f64) -> f64) -> Vec<String> {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut draw = || {
            let normal = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            cell(random.random(), normal)
        };
        (0..rows).map(|_| draw().to_string()).collect()
    }

    fn lengths(rows: usize) -> Vec<String> {
        draws(rows, |uniform, _| 3.0 + (700.0 * uniform).floor() / 100.0)
    }

    #[test]
    fn a_cell_far_from_all_others_is_named_with_its_line() {
        for (cells, wrong) in [
            (lengths(50_000), &["31800"][..]),
            // As the depth of diamonds is, in a table of them that many know.
            (
                draws(
                    50_000,
                    |uniform, normal| if uniform < 0.001 { 0.0 } else { 3.5 + 0.7 * normal },
                ),
                &["31.8"],
            ),
            (lengths(60), &["100000", "100000"]),
            (draws(1_000, |_, normal| 10.0 + 8.0 * normal), &["1000"]),
            (draws(1_000, |_, normal| 10.0 + 8.0 * normal), &["-99999"]),
            (draws(400, |_, normal| 1_013.0 + 5.0 * normal), &["0"]),
            (draws(30, |uniform, _| (5.0 * uniform).floor()), &["1e300"]),
            ((0..60).map(|row| (row * row % 7 % 2).to_string()).collect(), &["999"]),
        ] {
            let mut cells = cells;
            for (place, wrong) in wrong.iter().enumerate() {
                cells[20 + place] = wrong.to_string();
            }
            // The header is line 1.
            assert_eq!(kinds("b", cells), [SuspectKind::Outlier { line: 22 }], "{wrong:?}");
        }
    }

    #[test]
    fn long_tails_rare_numbers_and_a_value_of_its_own_are_quiet() {
        let far_but_often = |far: &str| {
            let mut cells = draws(200, |_, normal| normal);
            cells[..3].fill(far.into());
            cells[3..6].fill(format!("-{far}"));
            cells
        };
        let rare =
            |cell: fn(usize) -> &'static str| (0..20_000).map(|row| cell(row).into()).collect();
        for (what, cells) in [
            ("normal", draws(20_000, |_, normal| normal)),
            ("incomes", draws(20_000, |_, normal| (10.0 + 1.5 * normal).exp().round())),
            ("a power law", draws(20_000, |uniform, _| (1.0 / (1.0 - uniform)).floor())),
            ("counts", draws(20_000, |uniform, _| (0.2 / (1.0 - uniform)).floor())),
            (
                "gains and losses",
                draws(20_000, |uniform, normal| (uniform - 0.5).signum() * (2.0 * normal).exp()),
            ),
            ("one 1", rare(|row| if row == 77 { "1" } else { "0" })),
            (
                "a few",
                rare(|row| ["0", "1", "2"][usize::from(row == 9) + usize::from(row % 9_000 == 9)]),
            ),
            ("grades", rare(|row| ["-1", "0", "1"][usize::from(row != 6) + usize::from(row == 8)])),
            ("often", far_but_often("5000")),
            (
                "29 cells",
                (0..29)
                    .map(|row| if row == 3 { "9000".into() } else { (row % 5).to_string() })
                    .collect(),
            ),
            (
                "halfway",
                (0..100)
                    .map(|row| if row == 3 { "25".into() } else { (row % 5).to_string() })
                    .collect(),
            ),
        ] {
            assert_eq!(kinds("b", cells), [], "{what}");
        }
    }

    #[test]
    fn what_was_seen_says_how_far_from_what() {
        let mut cells: Vec<String> = (0..100).map(|row| (row % 5).to_string()).collect();
        cells[50] = "2000".into();
        let found = column("b", cells).suspects(&["b"], &["first"]).unwrap();
        assert_eq!(
            found[0].what,
            "holds 2000 on line 52, 1420 standard deviations of all others (0 to 4) from their mean"
        );
    }
}
