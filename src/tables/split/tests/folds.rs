//! Folds: every row in one, groups whole, strata in proportion, and what cannot be cut is refused.

use super::super::Strata;
use super::numbered;
use crate::Table;
use proptest::prelude::*;
use std::collections::HashMap;

/// Rows of these groups (none for 0) and classes.
fn table(rows: &[(usize, usize)]) -> Table {
    let cell = |group: usize| if group == 0 { String::new() } else { format!("g{group}") };
    let line = |(row, &(group, class)): (usize, &(usize, usize))| {
        format!("{row},{},c{class},{}\n", cell(group), if row % 4 == 1 { "" } else { "1.5" })
    };
    let lines: String = rows.iter().enumerate().map(line).collect();
    Table::from_csv("t.csv", format!("row,group,class,number\n{lines}").as_bytes()).unwrap()
}

fn strata() -> [Strata; 2] {
    [Strata::Classes("class".into()), Strata::Labelled(vec!["number".into()])]
}

/// Checks that every row is in exactly one fold.
fn check_whole(folds: &[Vec<usize>], rows: usize) -> Result<(), TestCaseError> {
    let mut all: Vec<usize> = folds.iter().flatten().copied().collect();
    all.sort_unstable();
    prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #[test]
    fn every_row_is_in_one_fold_and_folds_are_equal_in_rows_and_classes(
        classes in prop::collection::vec(prop_oneof![4 => 0usize..3, 1 => 3usize..9], 12..200),
        folds in 2usize..12,
        seed in any::<u64>(),
    ) {
        let rows: Vec<_> = classes.iter().map(|&class| (0, class)).collect();
        let table = table(&rows);
        // One entry: each fold has its share of every class to within less than one. Two: to within less than three.
        for (strata, off) in [(&[][..], None), (&strata()[..1], Some(1.0)), (&strata(), Some(3.0))] {
            let found = table.folds(seed, folds, strata).unwrap();
            prop_assert_eq!(found.len(), folds);
            check_whole(&found, rows.len())?;
            let size = |fold: &Vec<usize>| fold.len();
            let (least, most) = (found.iter().map(size).min(), found.iter().map(size).max());
            prop_assert!(most <= least.map(|least| least + 1), "{:?} to {:?}", least, most);
            for class in 0..9 {
                let of = |fold: &[usize]| fold.iter().filter(|&&row| classes[row] == class).count() as f64;
                let share = classes.iter().filter(|&&it| it == class).count() as f64 / folds as f64;
                for (fold, off) in found.iter().zip(off.into_iter().cycle()) {
                    let found = of(fold);
                    prop_assert!((found - share).abs() < off, "class {class}: {found}, a share of {share}");
                }
            }
            prop_assert_eq!(&table.folds(seed, folds, strata).unwrap(), &found);
        }
    }

    #[test]
    fn no_group_is_in_two_folds_and_each_fold_has_one(
        rows in prop::collection::vec((0usize..30, 0usize..3), 120..300),
        folds in 2usize..9,
        seed in any::<u64>(),
    ) {
        let found = table(&rows).folds_grouped(seed, folds, "group", &strata()).unwrap();
        check_whole(&found, rows.len())?;
        let mut fold_of = HashMap::new();
        for (number, fold) in found.iter().enumerate() {
            prop_assert!(!fold.is_empty());
            for &row in fold.iter().filter(|&&row| rows[row].0 > 0) {
                prop_assert_eq!(*fold_of.entry(rows[row].0).or_insert(number), number);
            }
        }
    }
}

/// A hundred groups of one to five rows, one in seven of a rare class.
#[test]
fn folds_of_many_small_groups_are_nearly_equal_and_stratified() {
    let group = |number: usize| (number, usize::from(number.is_multiple_of(7)));
    let rows: Vec<_> =
        (1..=100).flat_map(|number| std::iter::repeat_n(group(number), 1 + number % 5)).collect();
    let rare = rows.iter().filter(|(_, class)| *class == 1).count() as f64;
    for seed in 0..20 {
        let found = table(&rows).folds_grouped(seed, 5, "group", &strata()).unwrap();
        for fold in found {
            let own = fold.iter().filter(|&&row| rows[row].1 == 1).count() as f64;
            assert!((fold.len() as f64 - 60.0).abs() <= 4.0, "seed {seed}: {} rows", fold.len());
            assert!((own - rare / 5.0).abs() <= 4.0, "seed {seed}: {own} of {rare}");
        }
    }
}

#[test]
fn a_seed_always_gives_the_same_folds_and_another_seed_others() {
    let table = numbered(50);
    let [zero, again, one] = [0, 0, 1].map(|seed| table.folds(seed, 5, &[]).unwrap());
    assert_eq!(zero, again);
    assert_ne!(zero, one);
    assert_ne!(zero[0], (0..10).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_cut_into_folds_is_refused_with_the_limit() {
    let table = table(&[(1, 0), (1, 0), (2, 1), (2, 1), (3, 1)]);
    for folds in [0, 1, 6] {
        let error = table.folds(0, folds, &[]).unwrap_err().to_string();
        let expected =
            format!("t.csv has 5 rows, not to be cut into {folds} folds: ask for 2 to 5 folds");
        assert_eq!(error, expected);
    }
    let error = table.folds_grouped(0, 4, "group", &[]).unwrap_err().to_string();
    assert!(
        error.contains("has 3 groups of \"group\", not to be cut into 4 folds: ask for 2 to 3"),
        "{error}"
    );
    assert!(
        table.folds_grouped(0, 3, "grop", &[]).unwrap_err().to_string().contains("did you mean")
    );
    assert_eq!(
        numbered(1).folds(0, 2, &[]).unwrap_err().to_string(),
        "rows.csv has 1 row, not to be cut into 2 folds: folds need two at least"
    );
    // As many folds as rows: each row by itself.
    let folds = table.folds(0, 5, &[]).unwrap();
    assert!(folds.iter().all(|fold| fold.len() == 1));
}
