//! Files that pyarrow wrote (files/write.py), and what it wrote into them.

use crate::Table;
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/tables/read/parquet/files").join(name)
}

#[test]
fn columns_of_every_kind_read_as_they_were_written() {
    let table = Table::open(file("birds.parquet")).unwrap();
    assert_eq!((table.rows(), table.line(0), table.line(4)), (5, 1, 5));
    for (name, cells) in [
        ("kind", [Some("owl"), None, Some("hawk"), None, Some("Zoë")]),
        ("code", [Some("007"), Some("12"), Some("7"), Some("1"), Some("2")]),
        ("wet", [Some("true"), Some("false"), None, Some("true"), Some("false")]),
        ("group", [Some("a"), Some("b"), Some("a"), None, Some("b")]),
    ] {
        let column = table.column(name).unwrap();
        assert!(column.is_text(), "{name}");
        let found = [0, 1, 2, 3, 4].map(|row| column.text(row));
        assert_eq!(found.each_ref().map(Option::as_deref), cells, "{name}");
    }
    for (name, cells) in [
        ("small", [Some(1.0), None, Some(-3.0), Some(4.0), Some(5.0)]),
        ("count", [Some(4_294_967_295.0), Some(0.0), Some(7.0), None, Some(1.0)]),
        ("large", [Some(-9_007_199_254_740_991.0), Some(2.0), None, Some(4.0), Some(5.0)]),
        ("half", [Some(0.5), None, None, Some(-2.25), Some(f64::from(1e30_f32))]),
        ("length", [Some(38.1), Some(54.0), None, Some(1e-300), Some(-0.1)]),
    ] {
        let column = table.column(name).unwrap();
        assert!(!column.is_text(), "{name}");
        assert_eq!([0, 1, 2, 3, 4].map(|row| column.number(row)), cells, "{name}");
    }
    let required = Table::open(file("required.parquet")).unwrap();
    assert_eq!(required.column("small").unwrap().number(0), Some(1.0));
}

#[test]
fn whole_numbers_beyond_f64_keep_their_digits() {
    let path = file("whole.parquet");
    let whole = Table::open(&path).unwrap();
    for (name, texts) in [
        (
            "id",
            [
                Some("9007199254740993"),
                Some("9007199254740992"),
                None,
                Some("-9007199254740993"),
                Some("5"),
            ],
        ),
        (
            "hash",
            [
                Some("18446744073709551615"),
                Some("18446744073709551614"),
                Some("1152921504606846976"),
                None,
                Some("7"),
            ],
        ),
    ] {
        let column = whole.column(name).unwrap();
        assert!(!column.is_text(), "{name}");
        assert_eq!(column.number(0), column.number(1).map(|number| number + 0.0), "{name}");
        let text = whole.clone().as_text(name).unwrap();
        let mut parts = Table::chunks(&path, 2, &Default::default()).map(Result::unwrap);
        let parts: Vec<Option<String>> = parts
            .by_ref()
            .flat_map(|part| {
                let column = part.column(name).unwrap();
                (0..part.rows()).map(|row| column.text(row).map(Into::into)).collect::<Vec<_>>()
            })
            .collect();
        for (row, expected) in texts.into_iter().enumerate() {
            assert_eq!(column.text(row).as_deref(), expected, "{name}, row {row}");
            let text = text.column(name).unwrap();
            assert_eq!(text.text(row).as_deref(), expected, "{name} as text, row {row}");
            assert_eq!(parts[row].as_deref(), expected, "{name} in parts, row {row}");
        }
    }
}

#[test]
fn parts_have_the_rows_of_the_whole_and_so_has_a_stream() {
    let path = file("birds.parquet");
    let whole = Table::open(&path).unwrap();
    for most in 1..4 {
        let mut start = 0;
        for part in Table::chunks(&path, most, &Default::default()) {
            let part = part.unwrap();
            assert!(part.rows() <= most);
            let rows: Vec<usize> = (start..start + part.rows()).collect();
            assert_eq!(part, whole.select(&rows));
            start += part.rows();
        }
        assert_eq!(start, 5);
    }
    let stream = std::fs::File::open(&path).unwrap();
    let ready = crate::tables::ReadOptions::default().ready().unwrap();
    let name = path.display().to_string();
    let found = super::super::read_stream(&name, stream, None, &ready).unwrap();
    assert_eq!(found, whole);
}

#[test]
fn what_cannot_be_read_is_named() {
    let whole = std::fs::read(file("birds.parquet")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.parquet");
    std::fs::write(&cut, &whole[..whole.len() - 100]).unwrap();
    for (path, message) in [
        (cut, "the Parquet file cannot be read ("),
        (
            file("zstd.parquet"),
            "Disabled feature at compile time: zstd: write the Parquet file without compression",
        ),
        (file("infinite.parquet"), "row 3, column \"x\": \"inf\" is not a finite number"),
        (
            file("date.parquet"),
            "column \"day\" is of type Date, which is no number, text or yes/no",
        ),
        (file("nested.parquet"), "column \"pair.list.element\" is nested"),
    ] {
        let expected = format!("{}: {message}", path.display());
        let part = Table::chunks(&path, 9, &Default::default()).find_map(Result::err).unwrap();
        for found in [Table::open(&path).unwrap_err(), part] {
            assert!(found.to_string().starts_with(&expected), "{found}");
        }
    }
    let rowless = file("rowless.parquet");
    let error = Table::open(&rowless).unwrap_err().to_string();
    assert!(error.contains("there is a header but no row"), "{error}");
    let parts: Vec<_> = Table::chunks(&rowless, 9, &Default::default()).collect();
    assert!(matches!(&parts[..], [Ok(part)] if part.is_empty()), "{parts:?}");
}
