//! What the rules find together, features that leak, and what the tests of each rule begin with.

use super::{Suspect, SuspectKind};
use crate::Table;

/// A table of two columns: `first`, of letters, and one with these cells.
pub(super) fn column(name: &str, cells: impl IntoIterator<Item = String>) -> Table {
    let line = |(row, cell): (usize, String)| {
        format!("{},\"{}\"\n", ["p", "q", "r"][row * row % 7 % 3], cell.replace('"', "\"\""))
    };
    let lines: String = cells.into_iter().enumerate().map(line).collect();
    Table::from_csv("t", format!("first,{name}\n{lines}").as_bytes()).unwrap()
}

/// What a feature with these cells is suspected of.
pub(super) fn kinds(name: &str, cells: impl IntoIterator<Item = String>) -> Vec<SuspectKind> {
    let found = column(name, cells).suspects(&[name], &[] as &[&str]).unwrap();
    found.into_iter().map(|suspect| suspect.kind).collect()
}

/// What gives the label `y` away in a table of `y` and features `a`, `b`, …, of which a function makes the rows.
fn leaks(rows: usize, row: impl Fn(usize) -> String) -> Vec<(String, String)> {
    let lines: String = (0..rows).map(|index| row(index) + "\n").collect();
    let features: Vec<String> =
        ('a'..).take(row(0).matches(',').count()).map(String::from).collect();
    let csv = format!("y,{}\n{lines}", features.join(","));
    let table = Table::from_csv("t", csv.as_bytes()).unwrap();
    let found = table.suspects(&features, &["y"]).unwrap();
    let leaks =
        found.into_iter().filter(|suspect| suspect.kind == SuspectKind::Leak { task: "y".into() });
    leaks.map(|Suspect { column, what, .. }| (column, what)).collect()
}

/// A number from 0 to 999 that has nothing to do with the row.
fn mixed(row: usize) -> usize {
    (row * 7_919 + row * row * 104_729) % 99_991 % 1_000
}

const BIRDS: [&str; 3] = ["owl", "hawk", "wren"];

#[test]
fn a_feature_that_determines_a_label_alone_is_named() {
    let bird = |row| BIRDS[mixed(row) % 3];
    let values = |count: usize| {
        format!("determines \"y\" alone: each of its {count} values goes with one label")
    };
    let stretches = |count: usize| {
        format!("determines \"y\" alone: its numbers fall into {count} stretches, one a label")
    };
    let correlation = |found: &str| format!("determines \"y\" alone: their correlation is {found}");
    type Row = Box<dyn Fn(usize) -> String>;
    let cases: [(Row, String); 8] = [
        (Box::new(move |row| format!("{},{}", bird(row), bird(row).to_uppercase())), values(3)),
        (Box::new(move |row| format!("{},{}", bird(row), mixed(row) % 3)), values(3)),
        (
            Box::new(move |row| format!("{},{}{}", bird(row), bird(row), mixed(row + 1) % 4)),
            values(12),
        ),
        (Box::new(move |row| format!("{},{}", mixed(row) % 2, 7 + mixed(row) % 2)), values(2)),
        (
            Box::new(move |row| {
                format!("{},{}.5", bird(row), mixed(row) % 3 * 1_000 + mixed(row + 1))
            }),
            stretches(3),
        ),
        (
            Box::new(|row| format!("{},{}.25", usize::from(mixed(row) > 500), mixed(row))),
            stretches(2),
        ),
        (
            Box::new(|row| format!("{},{:.1}", mixed(row), 32.0 + 1.8 * mixed(row) as f64)),
            correlation("1.000000"),
        ),
        (
            Box::new(|row| format!("{0},{0}", mixed(row))),
            "determines \"y\" alone: the two are the same".into(),
        ),
    ];
    for (row, what) in cases {
        for rows in [100, 3_000] {
            assert_eq!(leaks(rows, &row), [("a".into(), what.clone())], "{}", row(0));
        }
    }
    let fall = leaks(50, |row| format!("{},{}", mixed(row), 5e200 - 1e195 * mixed(row) as f64));
    assert_eq!(fall[0].1, correlation("-1.000000"));
}

#[test]
fn a_feature_that_leaves_a_doubt_is_no_leak() {
    let bird = |row| BIRDS[mixed(row) % 3];
    let above = |row, least| usize::from(mixed(row) > least);
    type Row<'a> = &'a dyn Fn(usize) -> String;
    let cases: [(&str, usize, Row<'_>); 9] = [
        // The sample does not have it.
        ("one row apart", 3_000, &|row| {
            format!("{},{}", bird(row), if row == 2_777 { bird(row + 1) } else { bird(row) })
        }),
        ("few rows", 29, &|row| format!("{},{}", bird(row), mixed(row) % 3)),
        ("one class", 60, &|row| format!("owl,{}", mixed(row) % 4)),
        ("a class of four", 60, &|row| format!("{0},{0}", usize::from(row % 15 == 3))),
        ("values nearly each alone", 60, &|row| format!("{},b{}", bird(row), row % 31)),
        ("a shared number", 1_000, &|row| format!("{},{}.5", above(row, 490), mixed(row) / 50)),
        ("correlated", 200, &|row| format!("{},{}", mixed(row), mixed(row) + row % 9)),
        ("few numbers", 200, &|row| format!("{},{}.5", mixed(row) % 9, mixed(row) % 9 / 2)),
        ("nowhere both", 200, &|row| match row % 2 {
            0 => format!("{},", mixed(row)),
            _ => format!(",{}", mixed(row)),
        }),
    ];
    assert_ne!(bird(2_777), bird(2_778), "the case of one row apart is none");
    for (what, rows, row) in cases {
        assert_eq!(leaks(rows, row), [], "{what}");
    }
}

#[test]
fn rows_without_either_cell_do_not_count() {
    let row = |row: usize| match row % 3 {
        0 => format!(",x{}", mixed(row) % 5),
        1 => format!("{},", mixed(row) % 2),
        _ => format!("{},{}", mixed(row) % 2, ["x0", "x1"][mixed(row) % 2]),
    };
    let what = "determines \"y\" alone: each of its 2 values goes with one label";
    assert_eq!(leaks(300, row), [("a".into(), what.into())]);
}

#[test]
fn a_task_that_most_features_solve_is_easy() {
    let row = |features: usize| {
        move |row: usize| {
            let label = mixed(row) % 2;
            format!(
                "{label}{}",
                format!(",{}", label + 3).repeat(features)
                    + &format!(",{}", mixed(row) % 7).repeat(3)
            )
        }
    };
    for (solving, told) in [(2, 2), (3, 3), (4, 0)] {
        assert_eq!(leaks(100, row(solving)).len(), told, "{solving}");
    }
}

#[test]
fn suspects_come_by_kind_and_then_in_the_order_of_the_columns() {
    let line = |row: usize| {
        let far = if row == 9 { 90_000 } else { row * row % 13 };
        let code =
            if row.is_multiple_of(4) { "-999".into() } else { (mixed(row) % 50).to_string() };
        let sex = ["Male", "male", "female"][mixed(row) % 3];
        let day = format!("2024-01-{:02}", row % 28 + 1);
        format!("{sex},{far},{code},{day},{row},note {row},x{}q,{} kg", row * 17, row % 11)
    };
    let lines: String = (1..=60).map(|row| line(row) + "\n").collect();
    let csv = format!("sex,far,code,day,nr,note,key,mass\n{lines}");
    let table = Table::from_csv("t", csv.as_bytes()).unwrap();
    let features = ["mass", "key", "note", "nr", "day", "code", "far"];
    let found = table.suspects(&features, &["sex"]).unwrap();
    let seen: Vec<(&str, SuspectKind)> =
        found.iter().map(|suspect| (suspect.column.as_str(), suspect.kind.clone())).collect();
    let expected = [
        ("nr", SuspectKind::RowNumber),
        ("key", SuspectKind::Identifier),
        ("note", SuspectKind::FreeText),
        ("day", SuspectKind::Date),
        ("code", SuspectKind::Placeholder { value: "-999".into() }),
        ("far", SuspectKind::Outlier { line: 10 }),
        ("mass", SuspectKind::Unit),
        ("sex", SuspectKind::LookAlikes),
    ];
    assert_eq!(seen, expected);
    assert!(found[..4].iter().all(|suspect| suspect.kind.is_left_out()));
    assert!(!found[4..].iter().any(|suspect| suspect.kind.is_left_out()));
    let json = serde_json::to_string(&found[4]).unwrap();
    assert!(
        json.starts_with(r#"{"column":"code","kind":{"placeholder":{"value":"-999"}},"what":"#)
    );
}

#[test]
fn a_column_that_is_not_there_is_an_error() {
    let table = column("b", ["1".into()]);
    for (features, labels) in [(vec!["c", "b"], vec![]), (vec!["first"], vec!["c"])] {
        let error = table.suspects(&features, &labels).unwrap_err().to_string();
        assert!(error.starts_with("t: there is no column \"c\": "), "{error}");
    }
}

#[test]
fn a_table_without_rows_or_cells_has_no_suspects() {
    let empty = column("b", (0..40).map(|_| String::new()));
    assert_eq!(empty.suspects(&["b"], &["first"]).unwrap(), []);
    assert_eq!(empty.suspects(&["first"], &["b"]).unwrap(), []);
    let none = column("b", (0..40).map(|row| format!("x{row}"))).select(&[]);
    assert_eq!(none.suspects(&["b"], &["first"]).unwrap(), []);
    assert_eq!(none.suspects(&[] as &[&str], &[] as &[&str]).unwrap(), []);
}

#[test]
fn a_part_of_a_table_is_judged_by_its_own_rows() {
    let cells = (0..90).map(|row| if row < 30 { "Male" } else { ["male", "female"][row % 2] });
    let table = column("sex", cells.map(String::from));
    let of = |rows: std::ops::Range<usize>| {
        let part = table.select(&rows.collect::<Vec<_>>());
        part.suspects(&["sex"], &["first"]).unwrap().len()
    };
    assert_eq!((of(0..90), of(30..90), of(0..30)), (1, 0, 0));
}

#[test]
fn the_penguins_are_above_suspicion() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins/penguins.csv");
    let table = Table::read_csv(path).unwrap();
    let features = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "year"];
    assert_eq!(table.suspects(&features, &["species", "sex", "body_mass_g"]).unwrap(), []);
}
