//! Parts in proportion: sizes stay, rare classes are trained on, labels are in every part.

use super::*;
use proptest::prelude::*;

fn classes_of(columns: &[&str]) -> Vec<Strata> {
    columns.iter().map(|&column| Strata::Classes(column.into())).collect()
}

/// A table with a first column `row`, and others of these names whose cells are a function of row and column.
fn table(rows: usize, columns: &[&str], cell: impl Fn(usize, usize) -> String) -> Table {
    let line = |row: usize| {
        let cells: Vec<String> = (0..columns.len()).map(|column| cell(row, column)).collect();
        format!("{row},{}\n", cells.join(","))
    };
    let lines: String = (0..rows).map(line).collect();
    Table::from_csv("t.csv", format!("row,{}\n{lines}", columns.join(",")).as_bytes()).unwrap()
}

/// Rows with this cell; missing ones for an empty text.
fn count(table: &Table, column: &str, cell: &str) -> usize {
    let cells = table.column(column).unwrap();
    (0..table.rows()).filter(|&row| cells.text(row).unwrap_or_default() == cell).count()
}

fn labelled(table: &Table, column: &str) -> usize {
    table.rows() - table.column(column).unwrap().missing()
}

/// Numbers that look random, the same every time.
fn scrambled(row: usize, column: usize) -> usize {
    let mixed = (row as u64 + 1000 * column as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33) as usize
}

#[test]
fn every_class_is_dealt_out_in_the_fractions_of_the_whole() {
    let counts = [("a", 700), ("b", 200), ("c", 50), ("", 40), ("d", 9), ("e", 1)];
    let table = classes(&counts);
    for fractions in [[0.6, 0.2, 0.2], [0.8, 0.1, 0.1], [0.5, 0.0, 0.5], [1.0 / 3.0; 3]] {
        let parts = table.split_stratified(5, fractions, &classes_of(&["class"])).unwrap();
        for (part, fraction) in parts.iter().zip(fractions) {
            for (class, rows) in counts {
                let (found, share) = (count(part, "class", class) as f64, fraction * rows as f64);
                assert!((found - share).abs() < 2.0, "{class:?}: {found} of a share of {share}");
            }
        }
    }
}

#[test]
fn the_classes_of_several_tasks_are_dealt_out_together() {
    let columns = ["a", "b"];
    let table = table(1_000, &columns, |row, column| (scrambled(row, column) % 10).to_string());
    let fractions = [0.7, 0.15, 0.15];
    for seed in 0..20 {
        let parts = table.split_stratified(seed, fractions, &classes_of(&columns)).unwrap();
        for (column, class) in columns.iter().flat_map(|c| (0..10).map(move |class| (c, class))) {
            let class = class.to_string();
            let all = count(&table, column, &class);
            for (part, fraction) in parts.iter().zip(fractions) {
                let off = count(part, column, &class) as f64 - fraction * all as f64;
                assert!(off.abs() < 3.0, "seed {seed}: {off} rows of {column} = {class} too many");
            }
        }
    }
}

#[test]
fn a_single_row_of_a_class_is_always_trained_on() {
    let cell = |row: usize, column: usize| match column {
        0 => if row == 17 { "rare" } else { ["x", "y"][row % 2] }.into(),
        1 => ["p", "q", "r"][scrambled(row, 1) % 3].into(),
        _ => if row.is_multiple_of(9) { "1.5" } else { "" }.into(),
    };
    let table = table(40, &["a", "b", "c"], cell);
    let [a, b] = ["a", "b"].map(|column| Strata::Classes(column.into()));
    let c = Strata::Labelled(vec!["c".into()]);
    let orders = [[&a, &b, &c], [&b, &a, &c], [&c, &b, &a], [&b, &c, &a]];
    for strata in orders.map(|order| order.map(Strata::clone)) {
        for seed in 0..200 {
            let [first, ..] = table.split_stratified(seed, [0.5, 0.25, 0.25], &strata).unwrap();
            assert_eq!(count(&first, "a", "rare"), 1, "seed {seed}, {strata:?}");
        }
    }
}

/// Of a thousand names that occur once, the rare class is still the first.
#[test]
fn a_rare_class_is_trained_on_beside_a_column_of_names() {
    let cell = |row: usize, column: usize| match (column, row) {
        (0, 0..3) => "twice or more".into(),
        (0, _) => format!("name {row}"),
        _ => if row == 50 { "rare" } else { ["x", "y"][row % 2] }.into(),
    };
    let table = table(100, &["name", "class"], cell);
    for seed in 0..50 {
        let strata = classes_of(&["name", "class"]);
        let [first, _] = table.split_stratified(seed, [0.3, 0.7], &strata).unwrap();
        assert_eq!((first.rows(), count(&first, "class", "rare")), (30, 1), "seed {seed}");
    }
}

#[test]
fn every_rare_tag_is_trained_on() {
    let tags = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"];
    let cell = |row: usize, tag: usize| {
        let positives = [1, 2, 2, 1, 2, 2, 1, 2][tag];
        let is_positive = (0..positives).any(|nth| row == scrambled(nth, tag) % 80);
        u8::from(is_positive).to_string()
    };
    let table = table(80, &tags, cell);
    for seed in 0..200 {
        let parts = table.split_stratified(seed, [0.7, 0.15, 0.15], &classes_of(&tags)).unwrap();
        for tag in tags {
            assert!(count(&parts[0], tag, "1") > 0, "seed {seed}, {tag}");
        }
    }
}

#[test]
fn few_labels_go_round_all_parts_and_the_first_has_the_only_one() {
    let fractions = [0.7, 0.15, 0.15];
    for (labels, represented) in
        [(6, [true; 3]), (2, [true, true, false]), (1, [true, false, false])]
    {
        let cell = |row: usize, column: usize| match scrambled(row, 7) % 2 {
            _ if column == 0 && row % 10 == 3 && row / 10 < labels => "2.5".into(),
            _ if column == 0 => String::new(),
            class => ["x", "y"][class].into(),
        };
        let table = table(60, &["length", "class"], cell);
        let length = Strata::Labelled(vec!["length".into()]);
        let class = Strata::Classes("class".into());
        for strata in [&[length.clone()][..], &[class, length]] {
            for seed in 0..200 {
                let parts = table.split_stratified(seed, fractions, strata).unwrap();
                let found = parts.each_ref().map(|part| labelled(part, "length") > 0);
                assert_eq!(found, represented, "{labels} labels, seed {seed}");
            }
        }
    }
}

#[test]
fn a_task_of_several_columns_is_labelled_where_all_of_them_are() {
    let cell = |row: usize, column: usize| match (row % 2 == column, row) {
        (_, 5 | 25 | 35) | (true, _) => "1.5".into(),
        _ => String::new(),
    };
    let table = table(40, &["x", "y"], cell);
    let strata = [Strata::Labelled(vec!["x".into(), "y".into()])];
    for seed in 0..50 {
        let parts = table.split_stratified(seed, [0.6, 0.2, 0.2], &strata).unwrap();
        for part in parts {
            let both = [part.numbers("x").unwrap(), part.numbers("y").unwrap()];
            let both = (0..part.rows()).filter(|&row| both.iter().all(|n| !n[row].is_nan()));
            assert_eq!(both.count(), 1, "seed {seed}");
        }
    }
}

#[test]
fn stratified_parts_follow_their_seed_and_are_shuffled() {
    let table = classes(&[("a", 50), ("b", 50)]);
    let split = |seed| table.split_stratified(seed, [0.5, 0.5], &classes_of(&["class"])).unwrap();
    assert_eq!(split(0), split(0));
    assert_ne!(split(0), split(1));
    let [first, _] = split(0);
    let changes = |column: crate::tables::Column<'_>| {
        (1..50).filter(|&row| column.text(row) != column.text(row - 1)).count()
    };
    assert!(changes(first.column("class").unwrap()) > 10);
    let strata = classes_of(&["clas"]);
    let error = table.split_stratified(0, [0.5, 0.5], &strata).unwrap_err().to_string();
    assert_eq!(error, "t.csv: there is no column \"clas\": did you mean \"class\"?");
}

#[test]
fn where_nothing_tells_rows_apart_the_seed_alone_decides() {
    let table = classes(&[("a", 60)]);
    for (name, strata) in [
        ("no entry", vec![]),
        ("one class", classes_of(&["class"])),
        ("every cell another class", classes_of(&["row"])),
        ("all labelled", vec![Strata::Labelled(vec!["row".into(), "class".into()])]),
    ] {
        for seed in 0..3 {
            let parts = table.split_stratified(seed, [0.5, 0.5], &strata).unwrap();
            assert_eq!(parts, table.split(seed, [0.5, 0.5]).unwrap(), "{name}");
        }
    }
}

proptest! {
    #[test]
    fn sizes_are_kept_no_row_is_shared_and_every_class_is_trained_on(
        rows in 60usize..150,
        classes in prop::collection::vec(1usize..9, 3),
        sparse in 1usize..20,
        percent in (45u32..75, 5u32..20),
        seed in any::<u64>(),
    ) {
        let columns = ["a", "b", "c", "n"];
        // Skewed: the higher a class's number, the rarer it is; the last column has few labels.
        let cell = |row: usize, column: usize| match classes.get(column) {
            Some(&most) => {
                let draw = (scrambled(row, column + seed as usize % 1_000) % 1_000) as f64 / 1_000.0;
                (((most as f64).powf(draw) - 0.5) as usize).to_string()
            }
            None => if row.is_multiple_of(sparse) { "0.5".into() } else { String::new() },
        };
        let table = table(rows, &columns, cell);
        let (first, second) = (f64::from(percent.0) / 100.0, f64::from(percent.1) / 100.0);
        let fractions = [first, second, 1.0 - first - second];
        let mut strata = classes_of(&columns[..3]);
        strata.push(Strata::Labelled(vec!["n".into()]));
        let parts = table.split_stratified(seed, fractions, &strata).unwrap();
        let sizes = table.split(seed, fractions).unwrap().map(|part| part.rows());
        prop_assert_eq!(parts.each_ref().map(Table::rows), sizes);
        let mut all: Vec<usize> = parts.iter().flat_map(numbers).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
        for column in &columns[..3] {
            for class in 0..9 {
                let class = class.to_string();
                let lacks = count(&table, column, &class) > 0 && count(&parts[0], column, &class) == 0;
                prop_assert!(!lacks, "{} = {}", column, class);
            }
        }
        for (part, fraction) in parts.iter().zip(fractions) {
            let enough = labelled(&table, "n") >= 20;
            prop_assert!(fraction == 0.0 || !enough || labelled(part, "n") > 0);
        }
    }
}
