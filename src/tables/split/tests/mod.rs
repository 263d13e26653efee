//! Splitting tables: sizes, proportions, seeds and refusals.

mod folds;
mod grouped;
mod stratified;

use super::*;

fn numbered(rows: usize) -> Table {
    let text: String = (0..rows).map(|row| format!("{row}\n")).collect();
    Table::from_csv("rows.csv", format!("row\n{text}").as_bytes()).unwrap()
}

fn numbers(table: &Table) -> Vec<usize> {
    table.numbers("row").unwrap().iter().map(|&number| number as usize).collect()
}

/// Rows of a class that repeats by these counts, missing where the class is empty.
fn classes(counts: &[(&str, usize)]) -> Table {
    let rows = counts.iter().flat_map(|&(class, count)| std::iter::repeat_n(class, count));
    let text: String = rows.enumerate().map(|(row, class)| format!("{row},{class}\n")).collect();
    Table::from_csv("t.csv", format!("row,class\n{text}").as_bytes()).unwrap()
}

#[test]
fn parts_have_the_promised_sizes_and_share_no_row() {
    for (rows, fractions, sizes) in [
        (344, [0.6, 0.2, 0.2], [206, 69, 69]),
        (10, [0.6, 0.2, 0.2], [6, 2, 2]),
        (10, [0.7, 0.1, 0.2], [7, 1, 2]),
        (3, [1.0 / 3.0; 3], [1, 1, 1]),
        (5, [0.5, 0.2, 0.3], [3, 1, 1]),
        (15, [0.7, 0.2, 0.1], [11, 3, 1]),
        (1_000, [0.998, 0.001, 0.001], [998, 1, 1]),
        (10, [0.5, 0.5, 0.0], [5, 5, 0]),
        (10, [0.7, 0.0, 0.3], [7, 0, 3]),
        (3, [0.0, 1.0, 0.0], [0, 3, 0]),
        // Fractions that add up to 1 only within a rounding.
        (30, [0.1 + 0.2, 0.7, 0.0], [9, 21, 0]),
    ] {
        let parts = numbered(rows).split(3, fractions).unwrap();
        assert_eq!(parts.each_ref().map(Table::rows), sizes, "{rows} rows");
        let mut all: Vec<usize> = parts.iter().flat_map(numbers).collect();
        all.sort_unstable();
        assert_eq!(all, (0..rows).collect::<Vec<_>>(), "{rows} rows");
    }
}

#[test]
fn a_seed_always_gives_the_same_parts_and_another_seed_others() {
    let table = numbered(100);
    let split = |seed| table.split(seed, [0.5, 0.5]).unwrap();
    assert_eq!(split(0), split(0));
    assert_ne!(split(0), split(1));
    let [first, _] = split(0);
    assert_ne!(numbers(&first), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_part_of_everything_is_the_table_shuffled() {
    let [all] = numbered(7).split(0, [1.0]).unwrap();
    assert_eq!(all.rows(), 7);
}

#[test]
fn fractions_that_cannot_be_met_are_refused() {
    for (rows, fractions, message) in [
        (
            10,
            [0.5, -0.5, 1.0],
            "a part of a split is -0.5 of the rows: use fractions between 0 and 1",
        ),
        (10, [f64::NAN, 0.5, 0.5], "a part of a split is NaN"),
        (10, [f64::INFINITY, 0.5, 0.5], "a part of a split is inf"),
        (10, [0.5, 0.25, 0.125], "the fractions of a split add up to 0.875: make them add up to 1"),
        (10, [0.5, 0.5, 0.5], "the fractions of a split add up to 1.5"),
        (
            10,
            [0.96, 0.02, 0.02],
            "part 2 of rows.csv, 0.02 of its 10 rows, would have no row: use a larger",
        ),
        (2, [0.4, 0.3, 0.3], "part 2 of rows.csv"),
    ] {
        let found = numbered(rows).split(0, fractions).unwrap_err().to_string();
        assert!(found.starts_with(message), "{fractions:?}: {found}");
    }
}
