use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Table> {
    Table::from_csv("t.csv", text.as_bytes())
}

fn numbers(cells: &[Option<f64>]) -> Column {
    Column::Numbers(cells.to_vec())
}

fn text(cells: &[Option<&str>]) -> Column {
    Column::Text(cells.iter().map(|cell| cell.map(Into::into)).collect())
}

#[test]
fn a_column_is_numbers_if_every_cell_present_is_one() {
    for (cells, column) in [
        ("1\n-2.5\n+3e2\n.5", numbers(&[Some(1.0), Some(-2.5), Some(300.0), Some(0.5)])),
        (" 7 \nNA\n na\nNaN\nNULL\n\"\"", numbers(&[Some(7.0), None, None, None, None, None])),
        ("NA\nnull", numbers(&[None, None])),
        ("1\nn/a\n#N/A\nNone\n?\n-", numbers(&[Some(1.0), None, None, None, None, None])),
        ("gravel\nnone\n - \n?\n--", text(&[Some("gravel"), None, None, None, Some("--")])),
        ("-1\n- 1\nnone left", text(&[Some("-1"), Some("- 1"), Some("none left")])),
        ("1\n2 mm\nNA", text(&[Some("1"), Some("2 mm"), None])),
        ("\"1,000\"\n2", text(&[Some("1,000"), Some("2")])),
        ("inf\nzero", text(&[Some("inf"), Some("zero")])),
        (" Zoë \nnan", text(&[Some("Zoë"), None])),
    ] {
        let table = read(&format!("x\n{cells}\n")).unwrap();
        assert_eq!(table.column("x").unwrap(), &column, "{cells}");
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
        assert_eq!(table.column("a").unwrap(), &numbers(&[Some(1.0), Some(2.0)]), "{what}");
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
        assert_eq!(table.column("b").unwrap(), &text(&[Some(cell)]), "{last:?}");
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

proptest! {
    #[test]
    fn a_quote_is_left_open_where_a_further_line_falls_into_its_cell(text in "[a1,\"\n\r ]{0,12}") {
        let further = format!("{text}\nQ");
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(further.as_bytes());
        let last = reader.records().last().expect("Q at least").expect("UTF-8");
        prop_assert_eq!(ends_in_quotes(text.as_bytes()), last.iter().next_back() != Some("Q"));
    }

    #[test]
    fn whatever_is_written_as_csv_is_read_again(
        rows in proptest::collection::vec(["[a1,\"\n\r ;-]{0,6}", "[0-9.e-]{0,4}"], 1..6),
    ) {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        writer.write_record(["first", "second"]).expect("no file is behind it");
        for row in &rows {
            writer.write_record(row).expect("no file is behind it");
        }
        let bytes = writer.into_inner().expect("no file is behind it");
        match Table::from_csv("t.csv", &bytes[..]) {
            Ok(table) => for (index, name) in ["first", "second"].into_iter().enumerate() {
                let column = table.column(name).expect("it was written");
                for (row, cells) in rows.iter().enumerate() {
                    let same = match column {
                        Column::Text(found) => found[row].as_deref() == present(&cells[index]),
                        Column::Numbers(found) => found[row] == present(&cells[index]).and_then(|c| c.parse().ok()),
                    };
                    prop_assert!(same, "row {}: {:?}", row, cells[index]);
                }
            },
            Err(error) => prop_assert!(error.to_string().contains("is not a finite number"), "{}", error),
        }
    }
}
