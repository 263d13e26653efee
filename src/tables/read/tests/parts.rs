//! Files in parts, and whatever is written read again.

use super::files::{Files, gzipped};
use super::*;
use crate::tables::read::numbers::parse_number;
use proptest::prelude::*;

/// What one part of a file proves holds for the parts that follow, and what they prove otherwise is an error where it matters.
#[test]
fn parts_of_a_file_are_read_alike() {
    let files = Files::new();
    let parts = |rows: [&str; 4], options: &ReadOptions| {
        let path = files.write(
            "t.csv",
            format!("x;y\n{};u\n{};u\n{};u\n{};u\n", rows[0], rows[1], rows[2], rows[3]).as_bytes(),
        );
        let parts = Table::chunks(&path, 2, options)
            .map(|part| part.unwrap().numbers("x").map(|it| it.to_vec()));
        parts.collect::<Vec<_>>()
    };
    let none = ReadOptions::default();
    let format = |decimal, grouped| NumberFormat { decimal, grouped, sign: None };
    let known =
        |format| ReadOptions { formats: [("x".into(), format)].into(), ..Default::default() };
    for (rows, options, numbers) in [
        (["6,82", "1", "8,226", "3"], &none, [6.82, 1.0, 8.226, 3.0]),
        (["1.234,5", "1", "8.226", "3"], &none, [1234.5, 1.0, 8226.0, 3.0]),
        (["1.5", "1", "8.226", "3"], &none, [1.5, 1.0, 8.226, 3.0]),
        (
            ["8.226", "1.950", "1", "3.001"],
            &known(format(Decimal::Comma, true)),
            [8226.0, 1950.0, 1.0, 3001.0],
        ),
        (
            ["8.226", "1.950", "1", "3.001"],
            &known(format(Decimal::Point, false)),
            [8.226, 1.95, 1.0, 3.001],
        ),
    ] {
        let found: Vec<f64> =
            parts(rows, options).into_iter().flat_map(|part| part.unwrap()).collect();
        assert_eq!(found, numbers, "{rows:?}");
    }
    let found = parts(["8,226", "1,950", "1", "1.234,5"], &known(format(Decimal::Point, true)));
    assert_eq!(found[0].as_deref().unwrap(), [8226.0, 1950.0]);
    let error = found[1].as_ref().unwrap_err().to_string();
    assert!(error.contains("line 4, column \"x\"") && error.contains("--decimal"), "{error}");
}

#[test]
fn a_part_of_a_file_has_its_lines_and_its_own_errors() {
    let files = Files::new();
    let path = files.write("t.csv", b"a,b\n\n1,\"x\ny\"\n2,\n007,z\nlots,z\n5\n");
    let mut parts = Table::chunks(&path, 2, &ReadOptions::default());
    let first = parts.next().unwrap().unwrap();
    assert_eq!((first.rows(), first.line(0), first.line(1)), (2, 3, 5));
    assert_eq!(cells(&first, "b"), text(&[Some("x\ny"), None]));
    let second = parts.next().unwrap().unwrap();
    assert_eq!(cells(&second, "a"), text(&[Some("007"), Some("lots")]));
    let error = second.numbers("a").unwrap_err().to_string();
    assert!(error.contains("t.csv: line 7, column \"a\": \"lots\" is not a number"), "{error}");
    let error = parts.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("t.csv: line 8: the number of cells is 1"), "{error}");
    assert!(parts.next().is_none());
    let error =
        Table::chunks(&path, 0, &ReadOptions::default()).next().unwrap().unwrap_err().to_string();
    assert!(error.starts_with("a table is to be read in parts of 0 rows"), "{error}");
}

#[test]
fn a_part_is_encoded_as_the_whole_would_be() {
    let files = Files::new();
    // The categories 01 and 1, of which the last part has only cells that are numbers.
    let path = files.write("t.csv", b"c,y\n01,1\n1,2\nB,3\n1,4\n01,5\n1.0,6\n");
    let whole = Table::open(&path).unwrap().as_text("c").unwrap();
    let encoder =
        crate::Encoder::fit(&whole.select(&[0, 1, 2]), &["c"], &[("y", crate::Loss::Mse)]).unwrap();
    let parts = Table::chunks(&path, 3, &ReadOptions::default())
        .map(|part| encoder.encode(&part.unwrap()).unwrap());
    let found: Vec<f32> = parts.flat_map(|part| part.features().values().to_vec()).collect();
    let expected = encoder.encode(&whole).unwrap();
    assert_eq!(found, expected.features().values());
    assert_eq!(found[15..], [0.0, 0.0, 0.0]);
}

/// A cell that is often a number, a missing one's word, or hard to write.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a1,\"\n\r ;\t-]{0,6}",
        "[0-9.e-]{0,4}",
        "-?0?[0-9]{1,3}(\\.[0-9]{1,2})?",
        "NA|null|\\?",
        "\\PC{0,4}"
    ]
}

fn write(rows: &[[String; 2]], separator: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .delimiter(separator)
        .from_writer(Vec::new());
    writer.write_record(["first", "second"]).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// What a quoted cell is to a column of texts, and to one of numbers.
fn as_text(cell: &str) -> Option<&str> {
    Some(cell.trim()).filter(|cell| !cell.is_empty())
}

fn as_number(cell: &str) -> Option<&str> {
    as_text(cell).filter(|cell| !MissingWords::new(&[]).is_no_number(cell))
}

/// Whether a table's cells are those that were written: as text, or as numbers where all of the column are.
fn check(table: &Table, rows: &[&[String; 2]]) -> Result<(), TestCaseError> {
    for (index, name) in ["first", "second"].into_iter().enumerate() {
        let column = table.column(name).unwrap();
        let numbers = || rows.iter().filter_map(|cells| as_number(&cells[index]));
        let all_plain = numbers().all(|cell| cell.parse::<f64>().is_ok());
        for (row, cells) in rows.iter().enumerate() {
            let cell = &*cells[index];
            if column.is_text() {
                let text = column.text(row);
                prop_assert_eq!(text.as_deref(), as_text(cell), "row {}", row);
            } else if all_plain {
                let number = as_number(cell).map(|cell| cell.parse().unwrap());
                prop_assert_eq!(column.number(row), number, "row {}", row);
            }
        }
        if column.is_text() {
            prop_assert!(numbers().next().is_none() || !all_plain);
        } else {
            let is_number = |cell| {
                [Decimal::Point, Decimal::Comma].map(|it| parse_number(cell, it)) != [None; 2]
            };
            prop_assert!(all_plain || numbers().all(is_number));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_again_whole_and_in_parts(
        rows in proptest::collection::vec([cell(), cell()], 1..12),
        most in 1usize..5,
        form in 0..4,
    ) {
        let (separator, extension) = if form % 2 == 0 { (b',', "csv") } else { (b'\t', "tsv") };
        let bytes = write(&rows, separator);
        let is_row = |row: &&[String; 2]| row.iter().any(|cell| as_text(cell).is_some());
        let rows: Vec<&[String; 2]> = rows.iter().filter(is_row).collect();
        let (bytes, extension) =
            if form < 2 { (bytes, extension.into()) } else { (gzipped(&bytes), format!("{extension}.gz")) };
        let files = Files::new();
        let path = files.write(&format!("t.{extension}"), &bytes);
        let table = match Table::open(&path) {
            Ok(table) => table,
            Err(error) => {
                prop_assert!(rows.is_empty() && error.to_string().contains("no row"), "{}", error);
                return Ok(());
            }
        };
        check(&table, &rows)?;
        // From a stream, which cannot be read a second time.
        let named = layout::of_name(&path);
        let ready = ReadOptions::default().ready().unwrap();
        let stream = read_stream(table.name(), &bytes[..], named, &ready).unwrap();
        prop_assert_eq!(&stream, &table);

        let mut start = 0;
        for part in Table::chunks(&path, most, &ReadOptions::default()) {
            let part = part.unwrap();
            for row in 0..part.rows() {
                prop_assert_eq!(part.line(row), table.line(start + row));
            }
            for name in ["first", "second"] {
                let (part, whole) = (part.column(name).unwrap(), table.column(name).unwrap());
                for row in 0..part.rows() {
                    if !whole.is_text() {
                        prop_assert_eq!(part.number(row), whole.number(start + row));
                    } else if !part.is_missing(row) {
                        // Missing among the numbers of a part is a word that is doubtful.
                        prop_assert_eq!(part.text(row), whole.text(start + row));
                    }
                }
            }
            start += part.rows();
        }
        prop_assert_eq!(start, table.rows());
    }
}
