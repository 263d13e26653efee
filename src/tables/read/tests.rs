use super::builder::present;
use super::*;
use proptest::prelude::*;
use std::io::Write;
use std::path::PathBuf;

fn read(text: &str) -> Result<Table> {
    Table::from_csv("t.csv", text.as_bytes())
}

/// A column's kind and its cells.
type Cells = (bool, Vec<Option<String>>);

fn cells(table: &Table, name: &str) -> Cells {
    let column = table.column(name).unwrap();
    (column.is_text(), (0..column.rows()).map(|row| column.text(row).map(Into::into)).collect())
}

fn numbers(cells: &[Option<f64>]) -> Cells {
    (false, cells.iter().map(|cell| cell.map(|number| number.to_string())).collect())
}

fn text(cells: &[Option<&str>]) -> Cells {
    (true, cells.iter().map(|cell| cell.map(Into::into)).collect())
}

#[test]
fn a_column_is_numbers_if_every_cell_present_is_one() {
    for (csv, column) in [
        ("1\n-2.5\n+3e2\n.5", numbers(&[Some(1.0), Some(-2.5), Some(300.0), Some(0.5)])),
        (" 7 \nNA\n na\nNaN\nNULL\n\"\"", numbers(&[Some(7.0), None, None, None, None, None])),
        ("NA\nnull", numbers(&[None, None])),
        ("1\nn/a\n#N/A\nNone\n?\n-", numbers(&[Some(1.0), None, None, None, None, None])),
        ("gravel\nnone\n - \n?\n--", text(&[Some("gravel"), None, None, None, Some("--")])),
        ("-1\n- 1\nnone left", text(&[Some("-1"), Some("- 1"), Some("none left")])),
        ("1\n2 mm\nNA", text(&[Some("1"), Some("2 mm"), None])),
        // Numbers above a text read as they are written.
        (
            "007\n 1.50 \nNA\n+3e2\ninf\n-nan\nA7\n1.0",
            text(&[
                Some("007"),
                Some("1.50"),
                None,
                Some("+3e2"),
                Some("inf"),
                Some("-nan"),
                Some("A7"),
                Some("1.0"),
            ]),
        ),
        ("\"1,000\"\n2", text(&[Some("1,000"), Some("2")])),
        ("inf\nzero", text(&[Some("inf"), Some("zero")])),
        (" Zoë \nnan", text(&[Some("Zoë"), None])),
    ] {
        let table = read(&format!("x\n{csv}\n")).unwrap();
        assert_eq!(cells(&table, "x"), column, "{csv}");
    }
}

#[test]
fn rows_know_their_lines_as_an_editor_counts_them() {
    for (what, csv, lines) in [
        ("plain", "a,b\n1,x\n2,y\n", [2, 3]),
        ("no line break at the end", "a,b\n1,x\n2,y", [2, 3]),
        ("Windows", "a,b\r\n1,x\r\n2,y\r\n", [2, 3]),
        ("old Macintosh", "a,b\r1,x\r2,y\r", [2, 3]),
        ("blank lines", "a,b\n\n1,x\n\n\n2,y\n\n", [3, 6]),
        ("blank lines, Windows", "a,b\r\n\r\n1,x\r\n\r\n2,y\r\n", [3, 5]),
        ("a line break in quotes", "a,b\n1,\"x\ny\"\n2,z\n", [2, 4]),
        ("a byte order mark", "\u{feff}a,b\n1,x\n2,y\n", [2, 3]),
        ("spaces around names", " a , b \n1,x\n2,y\n", [2, 3]),
    ] {
        let table = read(csv).unwrap();
        assert_eq!(table.names(), ["a", "b"], "{what}");
        assert_eq!([table.line(0), table.line(1)], lines, "{what}");
        assert_eq!(cells(&table, "a"), numbers(&[Some(1.0), Some(2.0)]), "{what}");
    }
}

#[test]
fn whatever_is_wrong_is_named_with_its_place_and_a_remedy() {
    for (csv, message) in [
        ("", "the file is empty: name the columns in its first line"),
        ("\n\n", "the file is empty"),
        ("a,b\n", "there is a header but no row: add at least one"),
        (
            "a;b\n1,5;2,5\n",
            "line 1: the header names one column, \"a;b\", with semicolons in it: separate the cells by commas",
        ),
        (
            "\na\tb\n1\t2\n",
            "line 2: the header names one column, \"a\\tb\", with tabs in it: separate the cells by commas",
        ),
        ("a\n1,2\n", "line 2: the number of cells is 2, but the header names 1 column: write NA"),
        ("a,,c\n1,2,3\n", "line 1: column 2 has no name: name it"),
        ("\na,b, a\n1,2,3\n", "line 2: columns 1 and 3 are both named \"a\": rename one"),
        (
            "a,b\n1,2\n\n3\n",
            "line 4: the number of cells is 1, but the header names 2 columns: write NA",
        ),
        (
            "a,b\r\n1,2\r\n3,4,5\r\n",
            "line 3: the number of cells is 3, but the header names 2 columns",
        ),
        ("a,b\n1,2\n-inf,3\n", "line 3, column \"a\": \"-inf\" is not a finite number: correct it"),
        ("a\n1\n1e999\n", "line 3, column \"a\": \"1e999\" is not a finite number"),
        ("a\n1\n-nan\n", "line 3, column \"a\": \"-nan\" is not a finite number"),
        ("a,b\n1,2\n3,\"4\n5,6\n7,8\n", "line 3: a quote opened here is never closed: close it"),
    ] {
        let found = read(csv).unwrap_err().to_string();
        let expected = format!("t.csv: {message}");
        assert!(found.starts_with(&expected), "{csv:?}: {found}");
    }
}

#[test]
fn an_open_quote_is_refused_wherever_the_file_ends() {
    for (csv, line) in [
        ("a,b\n1,\"x", 2),
        ("a,b\n1,\"x\n", 2),
        ("a,b\n1,\"", 2),
        ("a,b\n1,x\n2,\"y\n3,z\"\"", 3),
        ("a,b\r\n1,\"x\r\n2,y\r\n", 2),
        ("a,\"b\n1,x\n", 1),
        ("\u{feff}\"a,b\n1,x\n", 1),
    ] {
        let found = read(csv).unwrap_err().to_string();
        let expected = format!("t.csv: line {line}: a quote opened here is never closed");
        assert!(found.starts_with(&expected), "{csv:?}: {found}");
    }
}

#[test]
fn a_quote_that_is_closed_or_opens_nothing_is_none_left_open() {
    for (last, cell) in [
        ("\"x\ny\n\" \n\n", "x\ny"),
        ("\"x\"", "x"),
        ("\"x\"\"\"", "x\""),
        ("5\"\n", "5\""),
        ("say \"x", "say \"x"),
        (" \"x", "\"x"),
        ("\"x\"y\"", "xy\""),
    ] {
        let table = read(&format!("a,b\n1,{last}")).unwrap();
        assert_eq!(cells(&table, "b"), text(&[Some(cell)]), "{last:?}");
    }
}

#[test]
fn text_in_another_encoding_is_refused() {
    let latin1 = b"name,town\nZoe,Lyon\nNoah,Orl\xe9ans\n";
    assert_eq!(
        Table::from_csv("latin1.csv", &latin1[..]).unwrap_err().to_string(),
        "latin1.csv: line 3, column 2: the text is not UTF-8: save the file as UTF-8"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Table::read_csv("no/such/table.csv").unwrap_err();
    assert!(matches!(&error, Error::File { path, .. } if path.ends_with("table.csv")));
    assert!(error.to_string().starts_with("no/such/table.csv: "));

    struct Torn;
    impl Read for Torn {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable is out"))
        }
    }
    let error = Table::from_csv("net.csv", Torn).unwrap_err();
    assert_eq!(error.to_string(), "net.csv: the cable is out");
}

/// Files of a test, taken away when it ends.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_is_read_by_its_name_and_its_first_bytes() {
    let files = Files::new();
    let (commas, tabs) = ("a,b\n007,x\nA7,y\n", "a\tb\n007\tx\nA7\ty\n");
    for (name, bytes) in [
        ("t.csv", commas.into()),
        ("t.CSV", commas.into()),
        ("t.tsv", tabs.into()),
        ("t.tab", tabs.into()),
        ("t.txt", commas.into()),
        ("tabs.txt", tabs.into()),
        ("t", format!("\u{feff}\n{tabs}").into()),
        ("t.csv.gz", gzipped(commas.as_bytes())),
        ("t.tsv.gz", gzipped(tabs.as_bytes())),
        ("marked.csv.gz", gzipped(format!("\u{feff}{commas}").as_bytes())),
        ("packed", gzipped(tabs.as_bytes())),
        ("parts.csv.gz", [gzipped(b"a,b\n007,"), gzipped(b"x\nA7,y\n")].concat()),
    ] {
        let path = files.write(name, &bytes);
        let table = Table::open(&path).unwrap();
        assert_eq!(table.names(), ["a", "b"], "{name}");
        assert_eq!(cells(&table, "a"), text(&[Some("007"), Some("A7")]), "{name}");
        assert_eq!(cells(&table, "b"), text(&[Some("x"), Some("y")]), "{name}");
        assert_eq!(Table::chunks(&path, 9).next().unwrap().unwrap(), table, "{name}");
    }
}

#[test]
fn what_is_no_table_is_told_what_it_is() {
    let files = Files::new();
    let rows: String = (0..5_000).map(|row| format!("{row},{}\n", row * row % 7_919)).collect();
    let packed = gzipped(format!("a,b\n{rows}").as_bytes());
    let mut damaged = packed.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 0xff;
    let short = |length: usize| packed[..length].to_vec();
    for (name, bytes, message) in [
        ("empty.csv", vec![], "the file is empty: name the columns in its first line"),
        ("empty.csv.gz", gzipped(b""), "the file is empty"),
        ("header.csv", b"a,b\n".to_vec(), "there is a header but no row: add at least one"),
        (
            "twice.csv",
            b"a,b,a\n1,2,3\n".to_vec(),
            "line 1: columns 1 and 3 are both named \"a\": rename",
        ),
        (
            "ragged.tsv",
            b"a\tb\n1\n".to_vec(),
            "line 2: the number of cells is 1, but the header names 2 columns: write NA for a missing cell, quote text that holds a tab",
        ),
        (
            "commas.tsv",
            b"a,b\n1,2\n".to_vec(),
            "line 1: the header names one column, \"a,b\", with commas in it: separate the cells by tabs",
        ),
        (
            "tabs.csv",
            b"a\tb\n1\t2\n".to_vec(),
            "line 1: the header names one column, \"a\\tb\", with tabs in it: separate the cells by commas",
        ),
        (
            "quote.csv",
            b"a,b\n1,\"2\n3,4\n".to_vec(),
            "line 2: a quote opened here is never closed: close it",
        ),
        (
            "latin1.csv",
            b"a,b\n1,\xe9\n".to_vec(),
            "line 2, column 2: the text is not UTF-8: save the file as UTF-8",
        ),
        ("half.csv", b"a,b\n\xc3,\xa9\n".to_vec(), "line 2, column 1: the text is not UTF-8"),
        ("start.gz", short(5), "the gzipped data ends too early: copy or download the file again"),
        ("short.csv.gz", short(packed.len() - 900), "the gzipped data ends too early"),
        ("sum.csv.gz", short(packed.len() - 3), "the gzipped data ends too early"),
        ("damaged.csv.gz", damaged, "the gzipped data is damaged: copy or download"),
        (
            "picture.csv",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            "this is a binary file, not a table of text: save it as",
        ),
        ("packed.csv.gz", gzipped(b"a,b\n\0\x01"), "this is a binary file"),
        (
            "book.csv",
            b"PK\x03\x04\x14\0".to_vec(),
            "this is a zip archive or a spreadsheet's workbook: unpack it",
        ),
        ("wide.csv", b"\xff\xfea\0,\0b\0".to_vec(), "the text is UTF-16: save the file as UTF-8"),
        (
            "t.csv.zst",
            b"\x28\xb5\x2f\xfd\0".to_vec(),
            "the file is compressed, but not by gzip: unpack it",
        ),
    ] {
        let path = files.write(name, &bytes);
        let expected = format!("{}: {message}", path.display());
        for found in [Table::open(&path), Table::chunks(&path, 10_000).next().unwrap()] {
            let found = found.unwrap_err().to_string();
            assert!(found.starts_with(&expected), "{found}");
        }
    }
    let directory = files.0.path();
    let error = Table::open(directory).unwrap_err().to_string();
    assert_eq!(error, format!("{}: this is a directory: name a file in it", directory.display()));
    let missing = Table::open(directory.join("none.csv")).unwrap_err();
    assert!(
        matches!(&missing, Error::File { path, .. } if path.ends_with("none.csv")),
        "{missing}"
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_asks_for_its_feature() {
    let files = Files::new();
    let path = files.write("t.parquet", b"PAR1\x15\0\x15");
    for found in [Table::open(&path), Table::chunks(&path, 9).next().unwrap()] {
        let error = found.unwrap_err().to_string();
        assert!(
            error.contains("t.parquet: this is a Parquet file, which needs the feature parquet"),
            "{error}"
        );
    }
}

#[test]
fn a_part_of_a_file_has_its_lines_and_its_own_errors() {
    let files = Files::new();
    let path = files.write("t.csv", b"a,b\n\n1,\"x\ny\"\n2,\n007,z\nlots,z\n5\n");
    let mut parts = Table::chunks(&path, 2);
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
    let error = Table::chunks(&path, 0).next().unwrap().unwrap_err().to_string();
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
    let parts = Table::chunks(&path, 3).map(|part| encoder.encode(&part.unwrap()).unwrap());
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

fn written(rows: &[[String; 2]], separator: u8) -> Vec<u8> {
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

/// Whether a table's cells are those that were written: as text, or as numbers where all of the column are.
fn check(table: &Table, rows: &[[String; 2]]) -> Result<(), TestCaseError> {
    for (index, name) in ["first", "second"].into_iter().enumerate() {
        let column = table.column(name).unwrap();
        for (row, cells) in rows.iter().enumerate() {
            let cell = present(&cells[index]);
            if column.is_text() {
                let text = column.text(row);
                prop_assert_eq!(text.as_deref(), cell, "row {}", row);
            } else {
                prop_assert_eq!(
                    column.number(row),
                    cell.map(|cell| cell.parse().unwrap()),
                    "row {}",
                    row
                );
            }
        }
        let all_numbers = rows
            .iter()
            .filter_map(|cells| present(&cells[index]))
            .all(|cell| cell.parse::<f64>().is_ok());
        prop_assert_eq!(column.is_text(), !all_numbers);
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
        let bytes = written(&rows, separator);
        let (bytes, extension) =
            if form < 2 { (bytes, extension.into()) } else { (gzipped(&bytes), format!("{extension}.gz")) };
        let files = Files::new();
        let path = files.write(&format!("t.{extension}"), &bytes);
        let table = match Table::open(&path) {
            Ok(table) => table,
            Err(error) => {
                prop_assert!(error.to_string().contains("is not a finite number"), "{}", error);
                return Ok(());
            }
        };
        check(&table, &rows)?;
        // From a stream, which cannot be read a second time.
        let stream = read_stream(table.name(), &bytes[..], Separator::of(&path), &[]).unwrap();
        prop_assert_eq!(&stream, &table);

        let mut start = 0;
        for part in Table::chunks(&path, most) {
            let part = part.unwrap();
            for row in 0..part.rows() {
                prop_assert_eq!(part.line(row), table.line(start + row));
            }
            for name in ["first", "second"] {
                let (part, whole) = (part.column(name).unwrap(), table.column(name).unwrap());
                for row in 0..part.rows() {
                    prop_assert_eq!(part.number(row), whole.number(start + row));
                    if whole.is_text() {
                        prop_assert_eq!(part.text(row), whole.text(start + row));
                    }
                }
            }
            start += part.rows();
        }
        prop_assert_eq!(start, table.rows());
    }
}
