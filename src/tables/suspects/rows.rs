//! Features that tell the rows apart and say nothing else: row numbers, identifiers, free text.
//!
//! What such a column has in the training part never comes again, so nothing that holds for other rows is learned from
//! it, while a network can learn the training part by heart with it.

use super::look::{Look, quoted};
use super::names::{is_identifier, is_row_number};
use super::{Finding, SuspectKind};
use std::collections::HashSet;

/// With fewer cells, that all are different or count up says little.
const LEAST_CELLS: usize = 20;

/// From so many different cells in a hundred on, an identifier's name is believed.
const IDENTIFIER_DISTINCT: usize = 95;

/// From so many different texts in a hundred cells on, text is free text.
const FREE_TEXT_DISTINCT: usize = 90;

/// A feature of integers that go up by one from row to row, if its first number, its place or its name says too that it
/// counts them: a table of years has one row a year, and that is no row number.
pub(super) fn numbered(look: &Look<'_>) -> Option<Finding> {
    let rows = look.column.rows();
    let (first, last) = (look.numbers()?.low.value, look.numbers()?.high.value);
    let counts = look.is_feature
        && rows >= LEAST_CELLS
        && look.present() == rows
        && look.numbers()?.whole
        && last - first == (rows - 1) as f64
        && look.column.values()?.enumerate().all(|(row, value)| value == first + row as f64);
    let told = first == 0.0 || first == 1.0 || look.place == 0 || is_row_number(look.name);
    let what = || format!("numbers the rows, {first} to {last}");
    (counts && told).then(|| (SuspectKind::RowNumber, what()))
}

/// A feature with the name of an identifier of which nearly every cell differs, or of UUIDs.
pub(super) fn named(look: &Look<'_>) -> Option<Finding> {
    if !look.is_feature || look.present() < LEAST_CELLS {
        return None;
    }
    let has_name = is_identifier(look.name);
    let distinct = match (look.numbers(), look.texts()) {
        (Some(numbers), _) if has_name && numbers.whole => distinct(look),
        (_, Some(texts)) if has_name || texts.most_are(IDENTIFIER_DISTINCT, is_uuid) => {
            texts.of.len()
        }
        _ => return None,
    };
    let present = look.present();
    let what = || format!("names the rows: {distinct} of {present} cells are different");
    (100 * distinct >= IDENTIFIER_DISTINCT * present).then(|| (SuspectKind::Identifier, what()))
}

/// A feature of text that nearly never repeats; but not numbers with a slip among them, which are to be seen to.
pub(super) fn free_text(look: &Look<'_>) -> Option<Finding> {
    let texts = look.texts()?;
    let (distinct, present) = (texts.of.len(), texts.present);
    let is_free = look.is_feature
        && present >= LEAST_CELLS
        && 100 * distinct >= FREE_TEXT_DISTINCT * present
        && !texts.are_mostly_numbers();
    let (example, _) = texts.of.first()?;
    let example = quoted(example);
    let what = || {
        format!("holds texts that nearly all differ, such as {example} ({distinct} of {present})")
    };
    is_free.then(|| (SuspectKind::FreeText, what()))
}

/// How many different numbers a column has.
fn distinct(look: &Look<'_>) -> usize {
    let values = look.column.values().into_iter().flatten().filter(|value| !value.is_nan());
    let different: HashSet<u64> = values.map(|value| (value + 0.0).to_bits()).collect();
    different.len()
}

/// Whether a text has the shape of a UUID, in braces or not.
fn is_uuid(text: &str) -> bool {
    /// How many digits each part has.
    const DIGITS: [usize; 5] = [8, 4, 4, 4, 12];
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq(DIGITS) && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::super::tests::kinds;
    use super::*;

    #[test]
    fn a_column_that_counts_the_rows_is_told_by_its_start_its_place_or_its_name() {
        for (name, first, rows) in [
            ("b", 0, 20),
            ("anything", 1, 344),
            ("row", 7, 25),
            ("obs", 100, 40),
            ("X", 5, 20),
            ("sample_id", 1_000, 30),
        ] {
            let cells = (first..first + rows).map(|cell| cell.to_string());
            assert_eq!(kinds(name, cells), [SuspectKind::RowNumber], "{name}");
        }
    }

    #[test]
    fn a_first_column_that_counts_up_from_anywhere_numbers_the_rows() {
        let rows: String = (50..90).map(|row| format!("{row},{}\n", row * row % 11)).collect();
        let table = crate::Table::from_csv("t", format!("week,y\n{rows}").as_bytes()).unwrap();
        let found = table.suspects(&["week"], &["y"]).unwrap();
        assert_eq!(found[0].what, "numbers the rows, 50 to 89");
        // As a label it may be what is to be learned.
        assert_eq!(table.suspects(&["y"], &["week"]).unwrap(), []);
    }

    #[test]
    fn what_merely_rises_or_has_gaps_or_few_rows_does_not_count_the_rows() {
        let number = |cell: i64| cell.to_string();
        let cells: [(&str, Vec<String>); 6] = [
            ("year", (1_990..2_021).map(number).collect()),
            ("b", (0..19).map(number).collect()),
            ("even", (0..40).map(|cell| number(2 * cell)).collect()),
            ("down", (0..40).rev().map(number).collect()),
            (
                "id",
                (0..40)
                    .map(|cell| if cell == 7 { String::new() } else { number(cell / 2) })
                    .collect(),
            ),
            ("half", (0..40).map(|cell| format!("{cell}.5")).collect()),
        ];
        for (name, cells) in cells {
            assert_eq!(kinds(name, cells), [], "{name}");
        }
    }

    #[test]
    fn an_identifier_has_the_name_of_one_and_hardly_ever_repeats() {
        let cells = |cell: &dyn Fn(u64) -> String| (0..40).map(cell).collect::<Vec<_>>();
        let mixed = |row: u64| row * 7_919 % 10_007;
        for (name, cells) in [
            ("PassengerId", cells(&|row| mixed(row).to_string())),
            ("customer_id", cells(&|row| format!("C-{}", mixed(row)))),
            ("ID", cells(&|row| mixed(row / 39).max(row).to_string() + "7")),
            ("uuid", cells(&|row| format!("{:x}f", mixed(row)))),
            ("ref", cells(&|row| format!("{:08x}-0000-4000-8000-{:012X}", mixed(row), row))),
        ] {
            assert_eq!(kinds(name, cells), [SuspectKind::Identifier], "{name}");
        }
    }

    #[test]
    fn other_names_fractions_and_repetition_make_no_identifier() {
        let cells = |cell: &dyn Fn(u64) -> String| (0..40).map(cell).collect::<Vec<_>>();
        let mixed = |row: u64| row * 7_919 % 10_007;
        for (name, cells) in [
            ("acid", cells(&|row| mixed(row).to_string())),
            ("shop_id", cells(&|row| (mixed(row) % 8).to_string())),
            ("shop_id", cells(&|row| format!("shop {}", row % 9))),
            ("id", cells(&|row| format!("{}.5", mixed(row)))),
            ("id", (0..19).map(|row| mixed(row).to_string()).collect()),
            ("price", cells(&|row| mixed(row).to_string())),
        ] {
            assert_eq!(kinds(name, cells), [], "{name}");
        }
    }

    #[test]
    fn text_that_hardly_ever_repeats_is_free() {
        let all = |text: &str| (0..30).map(|row| text.replace('#', &row.to_string())).collect();
        let some: Vec<String> = (0..30).map(|row| format!("note {}", row.min(27))).collect();
        for cells in
            [all("Mr. #th Smith"), all("v#.beta"), all("A#"), all("see p. #, and on"), some]
        {
            assert_eq!(kinds("note", cells), [SuspectKind::FreeText]);
        }
        let few: Vec<String> = (0..19).map(|row| format!("note {row}")).collect();
        let half: Vec<String> = (0..40).map(|row| format!("note {}", row / 2)).collect();
        let fifths: Vec<String> = (0..40).map(|row| format!("note {}", row % 33)).collect();
        let strays: Vec<String> =
            (0..40).map(|row| if row == 3 { "x".into() } else { format!("{row}.25") }).collect();
        let numbers = (0..40).map(|row| format!("{}", row * row)).collect();
        for cells in [few, half, fifths, strays, numbers] {
            assert_eq!(kinds("note", cells), []);
        }
    }
}
