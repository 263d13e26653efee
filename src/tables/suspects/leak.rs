//! Features that determine a label alone: a copy of it, a code for it, or what was only known after it.
//!
//! A feature leaks if each of its values goes with one class of the label, if it and a label of numbers are
//! proportional but for rounding, or if its numbers fall into as many stretches as the label has classes. Each is
//! refuted by a single pair of rows, which a sample of them nearly always has: only what passes on the sample is looked
//! at in full, so a column costs next to nothing however many rows there are.

use super::look::{Look, MANY};
use super::{Finding, SuspectKind};
use crate::tables::Column;
use crate::tables::column::{Cells, MISSING};
use std::collections::HashMap;

/// With fewer rows that have both cells, a feature may sort the classes by chance.
const LEAST_ROWS: usize = 30;

/// A label with more different values has no classes but numbers, or is a text of its own.
const MOST_CLASSES: usize = 20;

/// With more classes, that their stretches of numbers do not overlap is not asked.
const MOST_STRETCHES: usize = 10;

/// A class with fewer rows is no evidence.
const LEAST_OF_A_CLASS: usize = 5;

/// On average a value must have so many rows: each alone goes with one class, of course.
const LEAST_OF_A_VALUE: usize = 5;

/// Beyond this correlation two columns of numbers differ by rounding alone.
const CORRELATION: f64 = 0.99999;

/// A sample whose correlation is no higher is not of such columns, whatever the other rows hold.
const CORRELATION_OF_SAMPLE: f64 = 0.999;

/// So many rows, spread over the table, are looked at first.
const SAMPLE: usize = 1_000;

/// Where features, labels and rows multiplied are more, leaks are not looked for: it would take too long.
const MOST_CELLS: f64 = 2e9;

/// Among more features some determine a label by chance, and each costs.
const MOST_FEATURES: usize = 2_000;

/// A task is easy rather than given away if more features than these determine it, and more than half of all.
const EASY: usize = 3;

/// What determines a label alone, of the features that may; `features` is the number of all.
pub(super) fn all<'a>(
    may_leak: &[&'a Look<'a>],
    labels: &[&'a Look<'a>],
    features: usize,
) -> Vec<(&'a Look<'a>, Finding)> {
    let rows = labels.first().map_or(0, |label| label.column.rows());
    let cells = features as f64 * labels.len() as f64 * rows as f64;
    if features > MOST_FEATURES || cells > MOST_CELLS {
        return Vec::new();
    }
    let mut found = Vec::new();
    for label in labels {
        let answer = Label::of(label);
        let task = SuspectKind::Leak { task: label.name.into() };
        let others = may_leak.iter().filter(|feature| feature.place != label.place);
        let leaks = others
            .filter_map(|&feature| Some((feature, (task.clone(), answer.given_by(feature)?))));
        let leaks: Vec<_> = leaks.collect();
        // Classes may be easy to tell; a number that is another one is never so by nature.
        let is_easy = label.numbers().is_none_or(|seen| seen.few.len() < MANY);
        if !is_easy || leaks.len() <= EASY || 2 * leaks.len() <= features {
            found.extend(leaks);
        }
    }
    found
}

/// A label as features are held against it.
struct Label<'a> {
    look: &'a Look<'a>,
    /// The class of each row, [`MISSING`] where there is none, if there are few classes.
    classes: Option<Vec<u32>>,
    /// Rows with a label, spread over all of them.
    sample: Vec<usize>,
}

impl<'a> Label<'a> {
    fn of(look: &'a Look<'a>) -> Self {
        let step = look.present().div_ceil(SAMPLE).max(1);
        let labelled = (0..look.column.rows()).filter(|&row| cell(look.column, row).is_some());
        Self { look, classes: classes(look.column), sample: labelled.step_by(step).collect() }
    }

    /// How a feature determines this label, if it does.
    fn given_by(&self, feature: &Look<'_>) -> Option<String> {
        let classes = self.classes.as_deref();
        let why = classes
            .and_then(|classes| self.given_by_classes(feature, classes))
            .or_else(|| self.given_by_correlation(feature))?;
        Some(format!("determines \"{}\" alone: {why}", self.look.name))
    }

    fn given_by_classes(&self, feature: &Look<'_>, classes: &[u32]) -> Option<String> {
        if let Some(count) = given_by_values(feature, classes, &self.sample) {
            return Some(format!("each of its {count} values goes with one label"));
        }
        if given_by_gaps(feature, classes) {
            return Some("it is missing for one label and there for the other".into());
        }
        let count = given_by_stretches(feature, classes, &self.sample)?;
        Some(format!("its numbers fall into {count} stretches, one a label"))
    }

    fn given_by_correlation(&self, feature: &Look<'_>) -> Option<String> {
        let of_many = |look: &Look<'_>| look.numbers().is_some_and(|seen| seen.few.len() == MANY);
        if !of_many(feature) || !of_many(self.look) {
            return None;
        }
        let (one, other) = (feature.column, self.look.column);
        // Of constant numbers there is no correlation, and a sample of them says nothing.
        let of_sample = correlation(one, other, || self.sample.iter().copied());
        if of_sample.is_some_and(|found| found.abs() <= CORRELATION_OF_SAMPLE) {
            return None;
        }
        let found = correlation(one, other, || 0..one.rows())?;
        if found.abs() <= CORRELATION {
            return None;
        }
        Some(match (0..one.rows()).all(|row| agree(one, other, row)) {
            true => "the two are the same".into(),
            false => format!("their correlation is {found:.6}"),
        })
    }
}

/// A cell as bits that are equal where cells are, or `None` where it is missing.
fn cell(column: Column<'_>, row: usize) -> Option<u64> {
    match column.cells {
        Cells::Numbers(..) => number(column, row).map(|number| (number + 0.0).to_bits()),
        Cells::Text(codes, _) => {
            let code = codes[place(column, row)];
            (code != MISSING).then_some(code.into())
        }
    }
}

/// A cell of a column of numbers.
fn number(column: Column<'_>, row: usize) -> Option<f64> {
    match column.cells {
        Cells::Numbers(values, _) => {
            Some(values[place(column, row)]).filter(|number| !number.is_nan())
        }
        Cells::Text(..) => None,
    }
}

fn place(column: Column<'_>, row: usize) -> usize {
    column.rows.map_or(row, |rows| rows[row] as usize)
}

/// Whether two columns of numbers do not contradict each other in a row.
fn agree(one: Column<'_>, other: Column<'_>, row: usize) -> bool {
    match (number(one, row), number(other, row)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// The class of each row, if there are few.
fn classes(column: Column<'_>) -> Option<Vec<u32>> {
    let mut seen: Vec<u64> = Vec::new();
    let class = |row| {
        let Some(cell) = cell(column, row) else { return Some(MISSING) };
        let known = seen.iter().position(|&known| known == cell);
        let class = known.unwrap_or_else(|| {
            seen.push(cell);
            seen.len() - 1
        });
        (class < MOST_CLASSES).then_some(class as u32)
    };
    (0..column.rows()).map(class).collect()
}

/// How many rows each class has.
#[derive(Default)]
struct Counts([usize; MOST_CLASSES]);

impl Counts {
    fn take(&mut self, class: u32) {
        self.0[class as usize] += 1;
    }

    fn rows(&self) -> usize {
        self.0.iter().sum()
    }

    /// The numbers of rows of those classes that have any.
    fn some(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied().filter(|&count| count > 0)
    }
}

/// Whether a feature has cells in all rows of one class of two, and in none of the other.
fn given_by_gaps(feature: &Look<'_>, classes: &[u32]) -> bool {
    // Rows of the first and of the second class, with a cell and without.
    let mut rows = [[0_usize; 2]; 2];
    for (row, &class) in classes.iter().enumerate().filter(|(_, class)| **class != MISSING) {
        let Some(of_class) = rows.get_mut(class as usize) else { return false };
        of_class[usize::from(feature.column.is_missing(row))] += 1;
        if rows.iter().any(|of_class| of_class[0] > 0 && of_class[1] > 0) {
            return false;
        }
    }
    let [[a, b], [c, d]] = rows;
    let are_apart = (a > 0 && d > 0) || (b > 0 && c > 0);
    are_apart && (a + b).min(c + d) >= LEAST_OF_A_CLASS && a + b + c + d >= LEAST_ROWS
}

/// The number of different texts or integers of a feature, if each goes with one class and most come again.
fn given_by_values(feature: &Look<'_>, classes: &[u32], sample: &[usize]) -> Option<usize> {
    if feature.numbers().is_some_and(|numbers| !numbers.whole) {
        return None;
    }
    let column = feature.column;
    one_class_a_value(column, classes, sample.iter().copied(), usize::MAX)?;
    let most = feature.present() / LEAST_OF_A_VALUE;
    let (values, counts) = one_class_a_value(column, classes, 0..classes.len(), most)?;
    let large = counts.some().filter(|&count| count >= LEAST_OF_A_CLASS).count();
    let rows = counts.rows();
    (rows >= LEAST_ROWS && large >= 2 && values * LEAST_OF_A_VALUE <= rows).then_some(values)
}

/// The number of values in these rows and what classes they have, if there are at most so many and none has two.
fn one_class_a_value(
    column: Column<'_>,
    classes: &[u32],
    rows: impl Iterator<Item = usize>,
    most: usize,
) -> Option<(usize, Counts)> {
    let mut counts = Counts::default();
    let mut class_of = HashMap::new();
    for row in rows {
        let class = classes[row];
        let Some(cell) = cell(column, row).filter(|_| class != MISSING) else { continue };
        if *class_of.entry(cell).or_insert(class) != class || class_of.len() > most {
            return None;
        }
        counts.take(class);
    }
    Some((class_of.len(), counts))
}

/// The number of stretches into which the numbers of a feature fall, if each has one class and each class has one.
fn given_by_stretches(feature: &Look<'_>, classes: &[u32], sample: &[usize]) -> Option<usize> {
    feature.numbers()?;
    one_stretch_a_class(feature.column, classes, sample.iter().copied())?;
    let counts = one_stretch_a_class(feature.column, classes, 0..classes.len())?;
    let stretches = counts.some().count();
    let are_large = counts.some().all(|count| count >= LEAST_OF_A_CLASS);
    let are_some = (2..=MOST_STRETCHES).contains(&stretches) && counts.rows() >= LEAST_ROWS;
    (are_large && are_some).then_some(stretches)
}

/// What classes these rows have, if sorted by the feature those of each class are next to each other, and no number has
/// two classes.
fn one_stretch_a_class(
    column: Column<'_>,
    classes: &[u32],
    rows: impl Iterator<Item = usize>,
) -> Option<Counts> {
    let labelled = rows.filter(|&row| classes[row] != MISSING);
    let mut cells: Vec<(f64, u32)> =
        labelled.filter_map(|row| Some((number(column, row)? + 0.0, classes[row]))).collect();
    cells.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let mut counts = Counts::default();
    let mut last = None;
    for (number, class) in cells {
        let goes_on = last.is_some_and(|(_, last)| last == class);
        let is_shared = last.is_some_and(|(last, _)| last == number);
        if !goes_on && (is_shared || counts.0[class as usize] > 0) {
            return None;
        }
        counts.take(class);
        last = Some((number, class));
    }
    Some(counts)
}

/// Pearson's correlation in the rows that have both numbers; `None` if one column is constant there, or there are few.
fn correlation<I: Iterator<Item = usize>>(
    one: Column<'_>,
    other: Column<'_>,
    rows: impl Fn() -> I,
) -> Option<f64> {
    let pairs = || rows().filter_map(|row| Some((number(one, row)?, number(other, row)?)));
    let (count, a, b) = pairs().fold((0.0, 0.0, 0.0), |(n, a, b), (x, y)| (n + 1.0, a + x, b + y));
    let (a, b) = (a / count, b / count);
    // Their squares could overflow, or vanish, if the deviations were not scaled.
    let (most_a, most_b) = pairs().fold((0.0, 0.0), |(m, n): (f64, f64), (x, y)| {
        (m.max((x - a).abs()), n.max((y - b).abs()))
    });
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        let (x, y) = ((x - a) / most_a, (y - b) / most_b);
        (aa, ab, bb) = (aa + x * x, ab + x * y, bb + y * y);
    }
    let found = ab / (aa.sqrt() * bb.sqrt());
    (count >= MANY as f64 && found.is_finite()).then_some(found)
}
