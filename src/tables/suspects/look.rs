//! One pass over a column, and what it tells every rule.
//!
//! Of numbers: their ends, with how often each is there and what comes next to it, which is where placeholders and
//! outliers are. Of text: the different texts, each with how often it is there. Nothing is sorted, and no number copied.

use crate::tables::Column;
use crate::tables::column::MISSING;

/// So many different numbers are counted; from there on there are simply many.
pub(super) const MANY: usize = 10;

/// A column, what it is meant for, and what one pass over it tells.
pub(super) struct Look<'a> {
    pub name: &'a str,
    /// Its place among the table's columns.
    pub place: usize,
    pub column: Column<'a>,
    pub cells: Seen<'a>,
    pub is_feature: bool,
    pub is_label: bool,
}

/// What one pass over a column tells.
pub(super) enum Seen<'a> {
    Numbers(Numbers),
    Texts(Texts<'a>),
}

impl<'a> Look<'a> {
    pub(super) fn new(
        name: &'a str,
        place: usize,
        column: Column<'a>,
        is_feature: bool,
        is_label: bool,
    ) -> Self {
        let cells = match column.values() {
            Some(values) => Seen::Numbers(Numbers::of(values)),
            None => Seen::Texts(Texts::of(column)),
        };
        Self { name, place, column, cells, is_feature, is_label }
    }

    /// What was seen, if this is a column of numbers.
    pub(super) fn numbers(&self) -> Option<&Numbers> {
        match &self.cells {
            Seen::Numbers(numbers) => Some(numbers),
            Seen::Texts(_) => None,
        }
    }

    /// What was seen, if this is a column of text.
    pub(super) fn texts(&self) -> Option<&Texts<'a>> {
        match &self.cells {
            Seen::Numbers(_) => None,
            Seen::Texts(texts) => Some(texts),
        }
    }

    /// Number of cells that are not missing.
    pub(super) fn present(&self) -> usize {
        match &self.cells {
            Seen::Numbers(numbers) => numbers.present,
            Seen::Texts(texts) => texts.present,
        }
    }
}

/// The least or greatest number of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    pub value: f64,
    /// How many cells have it.
    pub count: usize,
    /// The nearest other number; the end itself turned round (±∞) where there is none.
    pub next: f64,
}

impl End {
    /// Takes a number in; `sign` is 1 at the lower end and −1 at the upper, whose numbers are seen upside down.
    fn take(&mut self, value: f64, sign: f64) {
        let [number, end, next] = [value, self.value, self.next].map(|number| number * sign);
        if number > end {
            if number < next {
                self.next = value;
            }
        } else if number == end {
            self.count += 1;
        } else {
            *self = Self {
                value,
                count: 1,
                next: if self.count == 0 { self.next } else { self.value },
            };
        }
    }
}

/// What one pass over numbers tells.
pub(super) struct Numbers {
    pub present: usize,
    /// Whether all are whole.
    pub whole: bool,
    pub low: End,
    pub high: End,
    /// The different numbers, up to [`MANY`] of them.
    pub few: Vec<f64>,
}

impl Numbers {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let end = |infinity| End { value: infinity, count: 0, next: infinity };
        let mut seen = Self {
            present: 0,
            whole: true,
            low: end(f64::INFINITY),
            high: end(f64::NEG_INFINITY),
            few: Vec::with_capacity(MANY),
        };
        for value in values.filter(|value| !value.is_nan()) {
            seen.present += 1;
            seen.whole &= value == value.trunc();
            seen.low.take(value, 1.0);
            seen.high.take(value, -1.0);
            if seen.few.len() < MANY && !seen.few.contains(&value) {
                seen.few.push(value);
            }
        }
        seen
    }
}

/// The different texts of a column, in the order in which they first occur in its file.
pub(super) struct Texts<'a> {
    /// Each with the number of its cells.
    pub of: Vec<(&'a str, usize)>,
    pub present: usize,
    /// How many cells are numbers.
    pub numbers: usize,
}

impl<'a> Texts<'a> {
    fn of(column: Column<'a>) -> Self {
        let mut seen = Self { of: Vec::new(), present: 0, numbers: 0 };
        let Some((codes, texts)) = column.codes() else { return seen };
        let mut counts = vec![0; texts.len()];
        for code in codes.filter(|&code| code != MISSING) {
            counts[code as usize] += 1;
        }
        for (text, count) in texts.iter().zip(counts).filter(|&(_, count)| count > 0) {
            seen.of.push((text, count));
            seen.present += count;
            seen.numbers += if is_number(text) { count } else { 0 };
        }
        seen
    }

    /// Whether the column would be one of numbers but for a few cells, which the reader tells of.
    pub(super) fn are_mostly_numbers(&self) -> bool {
        2 * self.numbers > self.present
    }

    /// Whether at least this many in a hundred of the different texts are such, without looking at all where too many
    /// are not. No text is not enough.
    pub(super) fn most_are(&self, hundredths: usize, such: impl Fn(&'a str) -> bool) -> bool {
        let all = self.of.len();
        let allowed = all - (all * hundredths).div_ceil(100);
        let others = self.of.iter().filter(|(text, _)| !such(text));
        all > 0 && others.take(allowed + 1).count() <= allowed
    }
}

/// Whether a text is what the reader takes for a number.
pub(super) fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A number for a message: as it is, but for digits beyond the sixth and very large or small ones.
pub(super) fn shown(number: f64) -> String {
    /// What is longer is rounded.
    const LONGEST: usize = 10;
    let exact = number.to_string();
    if exact.len() <= LONGEST {
        return exact;
    }
    let rounded = format!("{number:.5e}");
    // Read back, so that zeros at its end are gone.
    let short = rounded.parse::<f64>().map_or(rounded, |rounded| rounded.to_string());
    if short.len() <= LONGEST { short } else { format!("{number:.2e}") }
}

/// A text for a message, in quotes and cut short.
pub(super) fn quoted(text: &str) -> String {
    /// What is longer is cut.
    const LONGEST: usize = 40;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_counted_and_know_their_neighbours() {
        for (values, low, high) in [
            (&[3.0, 1.0, 2.0, 1.0, f64::NAN][..], (1.0, 2, 2.0), (3.0, 1, 2.0)),
            (&[1.0, 2.0, 3.0, 3.0], (1.0, 1, 2.0), (3.0, 2, 2.0)),
            (&[3.0, 2.0, 1.0], (1.0, 1, 2.0), (3.0, 1, 2.0)),
            (&[0.0, -0.0, -5.0, 7.0], (-5.0, 1, 0.0), (7.0, 1, 0.0)),
            (&[4.0, 4.0], (4.0, 2, f64::INFINITY), (4.0, 2, f64::NEG_INFINITY)),
        ] {
            let seen = Numbers::of(values.iter().copied());
            let of = |end: End| (end.value, end.count, end.next);
            assert_eq!((of(seen.low), of(seen.high)), (low, high), "{values:?}");
        }
    }

    #[test]
    fn numbers_are_shown_short() {
        for (number, text) in [
            (31_800.0, "31800"),
            (0.1 + 0.2, "0.3"),
            (-200.0, "-200"),
            (1.0 / 3.0, "0.333333"),
            (1e300, "1.00e300"),
            (123_456_789_012.0, "1.23e11"),
        ] {
            assert_eq!(shown(number), text);
        }
    }
}
