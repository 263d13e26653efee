//! Splits by groups and by time.

use super::super::Strata;
use crate::Table;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

const PARTS: [f64; 3] = [0.7, 0.15, 0.15];

/// Rows of these groups, numbered, each with a class.
fn table(groups: &[String], class: impl Fn(usize) -> usize) -> Table {
    let line = |(row, group): (usize, &String)| format!("{row},{group},c{}\n", class(row));
    let rows: String = groups.iter().enumerate().map(line).collect();
    Table::from_csv("t.csv", format!("row,group,class\n{rows}").as_bytes()).unwrap()
}

fn cells(part: &Table, column: &str) -> Vec<Option<String>> {
    let cells = part.column(column).unwrap();
    (0..part.rows()).map(|row| cells.text(row).map(Into::into)).collect()
}

proptest! {
    #[test]
    fn no_group_is_in_two_parts_and_no_row_is_lost(of in prop::collection::vec(0usize..25, 60..300), seed in 0u64..50) {
        let names: Vec<String> = of.iter().map(|group| format!("g{group}")).collect();
        let table = table(&names, |row| row % 3);
        let strata = [Strata::Classes("class".into())];
        let parts = table.split_grouped(seed, PARTS, "group", &strata).unwrap();
        let again = table.split_grouped(seed, PARTS, "group", &strata).unwrap();
        prop_assert_eq!(&parts, &again);
        let mut part_of = HashMap::new();
        let mut rows = BTreeSet::new();
        for (number, part) in parts.iter().enumerate() {
            prop_assert!(part.rows() > 0);
            for (group, row) in cells(part, "group").into_iter().zip(cells(part, "row")) {
                prop_assert_eq!(*part_of.entry(group.clone()).or_insert(number), number, "{:?}", group);
                rows.insert(row);
            }
        }
        prop_assert_eq!(rows.len(), of.len());
    }
}

/// Two hundred groups of one to five rows, one in five with a rare class: every part is near its share of rows and of the class.
#[test]
fn many_small_groups_fill_the_parts_in_proportion_and_stratified() {
    let mut groups = Vec::new();
    for group in 0..200 {
        groups.extend(std::iter::repeat_n(format!("g{group}"), 1 + group % 5));
    }
    let number = |row: usize| groups[row][1..].parse::<usize>().unwrap();
    let table = table(&groups, |row| usize::from(number(row).is_multiple_of(7)));
    let strata = [Strata::Classes("class".into())];
    let count = |part: &Table, class: &str| {
        cells(part, "class").iter().filter(|cell| cell.as_deref() == Some(class)).count() as f64
    };
    let rare = count(&table, "c1");
    for seed in 0..20 {
        let parts = table.split_grouped(seed, PARTS, "group", &strata).unwrap();
        for (part, share) in parts.iter().zip(PARTS) {
            let rows = part.rows() as f64;
            assert!((rows - share * 600.0).abs() <= 5.0, "seed {seed}: {rows} rows for {share}");
            let own = count(part, "c1");
            assert!((own - share * rare).abs() <= 5.0, "seed {seed}: {own} of {rare} for {share}");
        }
    }
    let [one, other] = [0, 1].map(|seed| table.split_grouped(seed, PARTS, "group", &strata));
    assert_ne!(one.unwrap(), other.unwrap(), "the seed says which groups");
}

#[test]
fn a_few_large_groups_leave_no_part_empty() {
    for (sizes, expected) in [
        (&[50, 30, 20][..], [50, 30, 20]),
        (&[90, 5, 5], [90, 5, 5]),
        (&[30, 30, 30, 1], [60, 30, 1]),
    ] {
        let mut groups = Vec::new();
        for (group, &size) in sizes.iter().enumerate() {
            groups.extend(std::iter::repeat_n(format!("g{group}"), size));
        }
        let parts = table(&groups, |row| row % 2).split_grouped(0, PARTS, "group", &[]).unwrap();
        assert_eq!(parts.map(|part| part.rows()), expected, "{sizes:?}");
    }
    let two: Vec<String> = (0..10).map(|row| format!("g{}", row % 2)).collect();
    let error = table(&two, |_| 0).split_grouped(0, PARTS, "group", &[]).unwrap_err();
    assert!(error.to_string().contains("has 2 different cells, but each of 3 parts"), "{error}");
    let parts = table(&two, |_| 0).split_grouped(0, [0.5, 0.5, 0.0], "group", &[]).unwrap();
    assert_eq!(parts.map(|part| part.rows()), [5, 5, 0]);
}

#[test]
fn a_row_without_a_group_is_one_of_its_own() {
    let groups: Vec<String> =
        (0..40).map(|row| if row < 20 { String::new() } else { format!("g{}", row % 4) }).collect();
    let parts = table(&groups, |_| 0).split_grouped(0, PARTS, "group", &[]).unwrap();
    let without = parts
        .each_ref()
        .map(|part| cells(part, "group").iter().filter(|group| group.is_none()).count());
    assert_eq!(without.iter().sum::<usize>(), 20);
    assert!(without.iter().filter(|&&rows| rows > 0).count() >= 2, "{without:?}");
}

/// A table with these cells in `at`.
fn at(times: &[&str]) -> Table {
    let rows: String =
        times.iter().enumerate().map(|(row, at)| format!("{row},\"{at}\"\n")).collect();
    Table::from_csv("t.csv", format!("row,at\n{rows}").as_bytes()).unwrap()
}

fn rows_of(parts: [Table; 3]) -> [Vec<f64>; 3] {
    parts.map(|part| part.numbers("row").unwrap().to_vec())
}

#[test]
fn the_newest_rows_are_in_the_last_part() {
    let table = at(&["2024-03-01", "2023-01-05", "2024-12-31", "2024-02-29"]);
    let parts = table.split_by_time([0.5, 0.25, 0.25], "at").unwrap();
    assert_eq!(rows_of(parts), [vec![1.0, 3.0], vec![0.0], vec![2.0]]);
    let table = at(&["3", "-1", "10", "2.5"]);
    let parts = table.split_by_time([0.5, 0.25, 0.25], "at").unwrap();
    assert_eq!(rows_of(parts), [vec![1.0, 3.0], vec![0.0], vec![2.0]]);
    // Numbers of unequal length are no texts: 9 comes before 10.
    let parts = at(&["9", "10", "100"]).split_by_time([0.4, 0.3, 0.3], "at").unwrap();
    assert_eq!(rows_of(parts), [vec![0.0], vec![1.0], vec![2.0]]);
}

#[test]
fn rows_of_one_time_are_in_one_part() {
    let table = at(&["1", "1", "1", "2", "2", "2", "2", "3", "3", "3"]);
    let parts = table.split_by_time([0.6, 0.2, 0.2], "at").unwrap();
    assert_eq!(parts.map(|part| part.rows()), [3, 4, 3]);
    let parts = table.split_by_time([0.9, 0.0, 0.1], "at").unwrap();
    assert_eq!(parts.map(|part| part.rows()), [7, 0, 3]);
    for (fractions, told) in [([0.5, 0.25, 0.25], "2 different times"), ([0.7, 0.3, 0.0], "")] {
        let found = at(&["1", "1", "1", "2"]).split_by_time(fractions, "at");
        match told {
            "" => assert_eq!(found.unwrap().map(|part| part.rows()), [3, 1, 0]),
            told => assert!(found.unwrap_err().to_string().contains(told)),
        }
    }
}

#[test]
fn a_time_that_is_missing_or_may_be_another_is_refused_with_its_line() {
    for (cells, line, told) in [
        (["2024-01-01", "", "2024-01-03"], 3, "the time is missing"),
        (["2024-01-01", "2024-01-02", "01/02/2024"], 4, "\"01/02/2024\" is no time"),
        (["1 Mar 2024", "soon", "2 Mar 2024"], 3, "\"soon\" is no time"),
        (["20-Jan-01", "21-Nov-15", "24-Dec-22"], 2, "\"20-Jan-01\" is no time"),
        (
            ["2024-01-01T00:30:00Z", "2024-01-02T00:30:00", "2024-01-03T00:30:00Z"],
            3,
            "lacks a time zone, unlike the first time",
        ),
    ] {
        let error = at(&cells).split_by_time([0.4, 0.3, 0.3], "at");
        let error = match error {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{cells:?}"),
        };
        assert!(error.contains(&format!("line {line}, column \"at\"")), "{error}");
        assert!(error.contains(told), "{error}");
    }
}
