mod files;
mod parts;
mod people;

use super::*;

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

/// Numbers that read as text as they are written.
fn written(cells: &[Option<&str>]) -> Cells {
    (false, text(cells).1)
}

#[test]
fn a_column_is_numbers_if_every_cell_present_is_one() {
    for (csv, column) in [
        ("1\n-2.5\n+3e2\n.5", numbers(&[Some(1.0), Some(-2.5), Some(300.0), Some(0.5)])),
        (" 7 \nNA\n na\nNaN\nNULL\n\"\"", numbers(&[Some(7.0), None, None, None, None, None])),
        ("NA\nnull", numbers(&[None, None])),
        ("1\nn/a\n#N/A\nNone\n?\n-", numbers(&[Some(1.0), None, None, None, None, None])),
        ("-nan\n1\n<NA>\n\"NA\"\n.\nnil", numbers(&[None, Some(1.0), None, None, None, None])),
        // Among texts, what may mean something is a text.
        (
            "gravel\nnone\n - \n?\nNA\n\"NA\"",
            text(&[Some("gravel"), Some("none"), Some("-"), Some("?"), None, Some("NA")]),
        ),
        ("None\n1\nNone\nB", text(&[Some("None"), Some("1"), Some("None"), Some("B")])),
        ("None\nNA\nMinor", text(&[Some("None"), None, Some("Minor")])),
        ("?\n?", text(&[Some("?"), Some("?")])),
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
                None,
                Some("A7"),
                Some("1.0"),
            ]),
        ),
        // As people write numbers.
        ("\"1,000\"\n2", written(&[Some("1,000"), Some("2")])),
        ("$1\n\"$1,200.50\"\n?", written(&[Some("$1"), Some("$1,200.50"), None])),
        ("45%\n7 %\nNA", written(&[Some("45%"), Some("7 %"), None])),
        ("45%\n0.5", text(&[Some("45%"), Some("0.5")])),
        ("$1\n€2", text(&[Some("$1"), Some("€2")])),
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
            "a\n1,2\n",
            "line 2: the number of cells is 2, but the header names 1 column: if its first cell names the row, as in \
             R's write.table, write the table with row.names=FALSE",
        ),
        ("a,,c\n1,2,3\n", "line 2: column 2 holds \"2\" but has no name: name it in the header"),
        ("a,b,\n1,2,\n,,\n1,2,x\n", "line 4: column 3 holds \"x\" but has no name"),
        (",\n1,2\n", "line 1: no column has a name"),
        (
            "Größe,Gro\u{308}ße\n1,2\n",
            "line 1: columns 1 and 2 have names that look alike, \"Gr\\u{f6}\\u{df}e\" and \"Gro\\u{308}\\u{df}e\": rename one",
        ),
        (
            "a,a\u{200b}\n1,2\n",
            "line 1: columns 1 and 2 have names that look alike, \"a\" and \"a\\u{200b}\"",
        ),
        ("\na,b, a\n1,2,3\n", "line 2: columns 1 and 3 are both named \"a\": rename one"),
        (
            "a,b\n1,2\n\n3\n",
            "line 4: the number of cells is 1, but the header names 2 columns: write NA",
        ),
        (
            "a,b\r\n1,2\r\n3,4,5\r\n",
            "line 3: the number of cells is 3, but the header names 2 columns",
        ),
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

/// The cells of a table of one column, and what was found.
fn read_with(bytes: &[u8], options: &ReadOptions) -> Result<(Vec<Option<String>>, Reading)> {
    let table = Table::from_csv_with("t.csv", bytes, options)?;
    Ok((cells(&table, "x").1, table.reading().clone()))
}

#[test]
fn text_in_another_encoding_is_recognised_or_read_as_said() {
    let utf_16 = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|it| if big { it.to_be_bytes() } else { it.to_le_bytes() })
            .collect()
    };
    let said =
        |encoding: &str| ReadOptions { encoding: Some(encoding.into()), ..Default::default() };
    let none = ReadOptions::default();
    for (bytes, options, encoding, cell) in [
        (b"x\nOrl\xe9ans\n".to_vec(), &none, Some("windows-1252"), "Orléans"),
        ("x\nOrléans\n".into(), &none, None, "Orléans"),
        (utf_16("\u{feff}x\nOrléans\n", false), &none, Some("UTF-16LE"), "Orléans"),
        (utf_16("\u{feff}x\nOrléans\n", true), &none, Some("UTF-16BE"), "Orléans"),
        (utf_16("x\nOrléans\n", false), &none, Some("UTF-16LE"), "Orléans"),
        (b"x\n\xb1\n".to_vec(), &said("iso-8859-2"), Some("ISO-8859-2"), "ą"),
        (b"x\n\x83\x6e\n".to_vec(), &said("shift_jis"), Some("Shift_JIS"), "ハ"),
        (b"x\n\xe9\n".to_vec(), &said("latin1"), Some("windows-1252"), "é"),
    ] {
        let (cells, reading) = read_with(&bytes, options).unwrap();
        assert_eq!((cells, reading.encoding.as_deref()), (vec![Some(cell.into())], encoding));
    }
    for (bytes, options, message) in [
        // One letter shows that the file is UTF-8, so that another is damaged.
        (
            "x\nZoë\n".bytes().chain(*b"Orl\xe9ans\n").collect::<Vec<u8>>(),
            &none,
            "t.csv: line 3, column 1: the text is not UTF-8: save the file as UTF-8, or name its encoding",
        ),
        (b"x\n\xe9\n".to_vec(), &said("utf-8"), "t.csv: line 2, column 1: the text is not UTF-8"),
        // Bytes that the encoding has no letters for are not replaced unseen.
        (
            b"x,y\n1,a\n2,\xff\xff\n".to_vec(),
            &said("shift_jis"),
            "t.csv: line 3, column 2: the text is not Shift_JIS: say which encoding the file has",
        ),
        (
            b"x\n1\n".to_vec(),
            &said("latin-17"),
            "there is no encoding \"latin-17\": use a name such as",
        ),
    ] {
        let found = read_with(&bytes, options).unwrap_err().to_string();
        assert!(found.starts_with(message), "{found}");
    }
}

#[test]
fn what_was_found_while_reading_is_told() {
    for (csv, told) in [
        ("x,y\n1,2\n", &[][..]),
        ("sep=;\nx;y\n1;2\n", &["line 1, which tells Excel the separator, is passed over"]),
        ("x;y\n1;2\n", &["the cells are separated by a semicolon (--separator says otherwise)"]),
        ("\"\",x,y\n1,2,3\n", &["the first column has no name: it is left out as the rows' names"]),
        ("x,y,,\n1,2,,\n", &["2 columns without a name and without a cell are left out"]),
        ("x,y\n1,2\n,\n", &["1 row without any cell is left out (line 3)"]),
        ("x,y\n,\n1,2\n , \n\"\",\n", &["3 rows without any cell are left out (lines 2 to 5)"]),
        (
            "x,y,z\n\"1,200\",3,\"1,5\"\n\"2,300.5\",2,\"2,5\"\n",
            &[
                "numbers with thousands separators, such as \"1,200\" (read as 1200): \"x\"",
                "numbers with a decimal comma, such as \"1,5\" (read as 1.5): \"z\"",
            ],
        ),
        ("x,y\n$1,$2\n$3,$4\n", &["numbers with \"$\", such as \"$1\" (read as 1): \"x\", \"y\""]),
        ("x,y\n1,2\n\n\n3,4\n\n", &["2 blank lines between rows are passed over"]),
        ("\n\nx,y\r\n1,2\r\n\r\n3,4\r\n", &["1 blank line between rows is passed over"]),
        ("x,y\n1,2,,\n3,4\n", &["1 row ends in separators beyond the header's"]),
        ("sep=,,\nx,y,z\n1,2,3\n", &["line 1, which tells Excel the separator"]),
    ] {
        let found = read(csv).unwrap().reading().sentences();
        assert_eq!(found.len(), told.len(), "{csv:?}: {found:?}");
        for (found, told) in found.iter().zip(told) {
            assert!(found.starts_with(told), "{csv:?}: {found}");
        }
    }
}

#[test]
fn an_infinite_number_is_told_where_its_column_is_used() {
    for (csv, message) in [
        (
            "a,b\n1,2\n-inf,3\n",
            "t.csv: line 3, column \"a\": \"-inf\" is not a finite number: correct it",
        ),
        ("a\n1\n1e999\n", "t.csv: line 3, column \"a\": \"1e999\" is not a finite number"),
    ] {
        let table = read(csv).unwrap();
        let found = table.numbers("a").unwrap_err().to_string();
        assert!(found.starts_with(message), "{found}");
    }
    assert!(read("a,b\n1,2\n-inf,3\n").unwrap().numbers("b").is_ok());
}

#[test]
fn missing_cells_are_counted_by_word() {
    let csv = "x,y\n1,a\nNA,None\n?,\n,NA\nNA,None\n-200,b\n";
    let options = ReadOptions { missing: vec!["-200".into()], ..Default::default() };
    let table = Table::from_csv_with("t.csv", csv.as_bytes(), &options).unwrap();
    let counts = |name: &str| -> Vec<(String, usize)> {
        let counts = table.missing(name).unwrap().iter();
        counts.map(|(word, cells)| (word.to_string(), *cells)).collect()
    };
    let count = |word: &str, cells| (word.to_string(), cells);
    assert_eq!(counts("x"), [count("NA", 2), count("", 1), count("-200", 1), count("?", 1)]);
    assert_eq!(counts("y"), [count("", 1), count("NA", 1)]);
    assert_eq!(table.column("y").unwrap().missing(), 2);
}
