//! Single cells far from all others: a slip of the pen or of the decimal point, by which a standardised column is
//! crushed to nothing.
//!
//! Far is judged by the mean and spread of the other cells, and by how far the farthest of those is: incomes, sizes and
//! counts have long tails by nature, whose last cell is far from the mean but not from the last but one.

use super::look::{Look, Numbers, shown};
use super::{Finding, SuspectKind};
use crate::tables::Table;

/// With fewer cells the spread of the others is not known well enough.
const LEAST_CELLS: usize = 30;

/// So many standard deviations of the other cells are far.
const DEVIATIONS: f64 = 25.0;

/// So many times as far as the farthest of the others is a cell that is none of them.
const BEYOND_THE_TAIL: f64 = 4.0;

/// Where no number is negative, sizes may differ by factors: so many standard deviations of their logarithms are far.
const DEVIATIONS_OF_LOGARITHMS: f64 = 6.0;

/// More cells than these that are far from all others are no slips.
const MOST_CELLS: usize = 3;

/// At least this part of the cells must differ from the commonest value: where nearly all are zero, a number is not far
/// but rare.
const LEAST_VARIED: f64 = 0.1;

/// As many cells tell where the middle of a column is.
const SAMPLE: usize = 1_000;

/// The cells of a column that are far from all others, told as one finding of the farthest.
pub(super) fn outliers(table: &Table, look: &Look<'_>) -> Vec<Finding> {
    match look.numbers() {
        Some(numbers) if numbers.present >= LEAST_CELLS && may_be_far(look, numbers) => {}
        _ => return Vec::new(),
    }
    let mut cells: Vec<(f64, usize)> = look
        .column
        .values()
        .into_iter()
        .flatten()
        .zip(0..)
        .filter(|(value, _)| !value.is_nan())
        .collect();
    cells.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let Some((start, end)) = inner(&cells) else { return Vec::new() };
    let spread = Spread::of(&cells[start..end]);
    let far = cells[..start].iter().chain(&cells[end..]);
    let Some(&(value, row)) = far
        .clone()
        .max_by(|one, other| spread.deviations(one.0).total_cmp(&spread.deviations(other.0)))
    else {
        return Vec::new();
    };
    let line = table.line(row);
    let others = far.count() - 1;
    let more = match others {
        0 => String::new(),
        1 => " (and one more cell like it)".into(),
        count => format!(" (and {count} more cells like it)"),
    };
    let (deviations, value) = (shown(spread.deviations(value).round()), shown(value));
    let (least, greatest) = (shown(cells[start].0), shown(cells[end - 1].0));
    let what = format!(
        "holds {value} on line {line}{more}, {deviations} standard deviations of all others ({least} to {greatest}) from \
         their mean"
    );
    vec![(SuspectKind::Outlier { line }, what)]
}

/// Whether the ends of a column are so far from the middle half of a sample that sorting all of it is worth the time: numbers of
/// which half lie in a stretch spread by a quarter of that at least.
fn may_be_far(look: &Look<'_>, numbers: &Numbers) -> bool {
    let values = look.column.values().into_iter().flatten().filter(|value| !value.is_nan());
    let mut sample: Vec<f64> = values.step_by(numbers.present.div_ceil(SAMPLE)).collect();
    sample.sort_unstable_by(f64::total_cmp);
    let [low, middle, high] = [1, 2, 3].map(|quarter| sample[quarter * (sample.len() - 1) / 4]);
    let farthest = (numbers.high.value - middle).max(middle - numbers.low.value);
    farthest >= DEVIATIONS / 5.0 * (high - low)
}

/// The stretch of sorted cells that is left when some at the ends are far from all of it: the longest one.
fn inner(cells: &[(f64, usize)]) -> Option<(usize, usize)> {
    let count = cells.len();
    (1..=MOST_CELLS).find_map(|out| {
        (0..=out).find_map(|below| {
            let (start, end) = (below, count - (out - below));
            are_far(cells, start, end).then_some((start, end))
        })
    })
}

/// Whether all cells outside of this stretch are far from it.
fn are_far(cells: &[(f64, usize)], start: usize, end: usize) -> bool {
    let inside = &cells[start..end];
    let spread = Spread::of(inside);
    if spread.deviation == 0.0 || !spread.deviation.is_finite() || !is_varied(inside) {
        return false;
    }
    let farthest =
        spread.deviations(inside[0].0).max(spread.deviations(inside[inside.len() - 1].0));
    let limit = DEVIATIONS.max(BEYOND_THE_TAIL * farthest);
    let sizes = Sizes::of(inside);
    let is_far = |&(value, _): &(f64, usize)| {
        spread.deviations(value) > limit && sizes.as_ref().is_none_or(|sizes| sizes.is_far(value))
    };
    cells[..start].iter().chain(&cells[end..]).all(is_far)
}

/// Whether enough of these sorted cells differ from the commonest value among them.
fn is_varied(cells: &[(f64, usize)]) -> bool {
    let commonest = cells.chunk_by(|one, other| one.0 == other.0).map(<[_]>::len).max();
    let others = cells.len() - commonest.unwrap_or(0);
    others as f64 >= LEAST_VARIED * cells.len() as f64
}

/// The mean and standard deviation of numbers.
struct Spread {
    mean: f64,
    /// 0 if all are the same.
    deviation: f64,
}

impl Spread {
    /// In two passes, so that a large mean does not drown a small spread.
    fn of(cells: &[(f64, usize)]) -> Self {
        Self::of_numbers(cells.iter().map(|cell| cell.0))
    }

    fn of_numbers(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let (count, sum) =
            numbers.clone().fold((0.0, 0.0), |(count, sum), number| (count + 1.0, sum + number));
        let mean = sum / count;
        let squares: f64 = numbers.map(|number| (number - mean).powi(2)).sum();
        let deviation = (squares / count).sqrt();
        // What is left of equal numbers is rounding.
        let deviation = if deviation > f64::EPSILON * mean.abs() { deviation } else { 0.0 };
        Self { mean, deviation }
    }

    fn deviations(&self, number: f64) -> f64 {
        (number - self.mean).abs() / self.deviation
    }
}

/// The logarithms of numbers of which none is negative, and which differ by factors.
struct Sizes(Spread);

impl Sizes {
    /// `None` where sizes hardly differ by factors, or some numbers are negative.
    fn of(cells: &[(f64, usize)]) -> Option<Self> {
        let positive = cells.iter().map(|cell| cell.0).filter(|&value| value > 0.0);
        let spread = Spread::of_numbers(positive.map(f64::ln));
        (cells[0].0 >= 0.0 && spread.deviation > 0.5).then_some(Self(spread))
    }

    fn is_far(&self, value: f64) -> bool {
        value <= 0.0 || self.0.deviations(value.ln()) > DEVIATIONS_OF_LOGARITHMS
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
