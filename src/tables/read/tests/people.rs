//! Numbers as people write them.

use super::*;

#[test]
fn a_comma_is_what_the_rest_of_the_file_says() {
    let comma = ReadOptions { decimal: Some(Decimal::Comma), ..Default::default() };
    let point = ReadOptions { decimal: Some(Decimal::Point), ..Default::default() };
    let format = NumberFormat { decimal: Decimal::Comma, grouped: false, sign: None };
    let known = ReadOptions { formats: [("x".into(), format)].into(), ..Default::default() };
    let none = ReadOptions::default();
    for (csv, options, x) in [
        ("x,y\n\"1,234\",1\n", &none, Some(1234.0)),
        ("x;y\n1,234;1\n", &none, Some(1.234)),
        ("x;y\n1,234;1\n", &point, Some(1234.0)),
        ("x,y\n\"1,234\",1\n", &comma, Some(1.234)),
        ("x,y\n\"1,234\",1\n", &known, Some(1.234)),
        ("x,y\n\"1,234\",\"1,5\"\n", &none, Some(1.234)),
        ("x,y\n\"1,234\",\"1,234.5\"\n", &known, Some(1.234)),
        // A point among decimal commas groups thousands, if it can.
        ("x;y\n1.234;1,5\n", &none, Some(1234.0)),
        ("x;y\n1.234;1\n", &none, Some(1.234)),
        ("x;y\n1.234;1\n", &comma, Some(1234.0)),
        ("x;y\n1.2345;1,5\n", &none, Some(1.2345)),
        ("x;y\n1.234;1,5\n", &point, Some(1.234)),
    ] {
        let table = Table::from_csv_with("t.csv", csv.as_bytes(), options).unwrap();
        assert_eq!(table.column("x").unwrap().number(0), x, "{csv:?} {options:?}");
    }
}

#[test]
fn signs_that_can_hardly_be_decimal_group_thousands() {
    let column = |cells: &[&str], separator: char| {
        let rows: String = cells.iter().map(|cell| format!("{cell}{separator}u\n")).collect();
        let table = Table::from_csv("t.csv", format!("x{separator}y\n{rows}").as_bytes()).unwrap();
        (0..cells.len()).map(|row| table.column("x").unwrap().number(row)).collect::<Vec<_>>()
    };
    let numbers = |numbers: &[f64]| numbers.iter().map(|&it| Some(it)).collect::<Vec<_>>();
    let points = ["2.072", "505", "1.038", "-9.100", "12.005", "999", "3.141"];
    let commas = points.map(|cell| cell.replace('.', ","));
    let grouped = numbers(&[2072.0, 505.0, 1038.0, -9100.0, 12_005.0, 999.0, 3141.0]);
    assert_eq!(column(&points, ';'), grouped);
    assert_eq!(column(&points, '\t'), grouped);
    assert_eq!(column(&commas.each_ref().map(String::as_str), ';'), grouped);
    // A number that is not below a thousand, another number of decimals, a zero before the point, or no number without one: these
    // are decimals.
    for other in ["1005", "2.5", "0.500"] {
        let cells = [&points[..], &[other]].concat();
        assert_eq!(column(&cells, ';')[0], Some(2.072), "{other}");
    }
    assert_eq!(column(&["2.072", "1.038", "9.100", "12.005", "3.141"], ';')[0], Some(2.072));
    assert_eq!(column(&["2.072", "505", "1.038"], ';')[0], Some(2.072));
}

#[test]
fn fractions_that_all_have_three_digits_are_no_thousands() {
    for cells in [
        // Thirds, sevenths, and means of thirteen, as R rounds and writes them.
        &["1.333", "1.667", "2", "2.333", "2.667", "3", "3.333", "3.667", "4", "5"][..],
        &["1.143", "1.286", "1.429", "1.571", "1.714", "1.857", "2", "3", "25"],
        &["10.077", "20.154", "30.231", "40.308", "50.385", "60.462", "99", "150"],
    ] {
        for (separator, sign) in [(',', '.'), (';', '.'), (';', ',')] {
            let cell =
                |cell: &&str| format!("{}{separator}u\n", cell.replace('.', &sign.to_string()));
            let text = format!("x{separator}y\n{}", cells.iter().map(cell).collect::<String>());
            let table = Table::from_csv("t.csv", text.as_bytes()).unwrap();
            let expected: f64 = cells[1].parse().unwrap();
            assert_eq!(table.column("x").unwrap().number(1), Some(expected), "{text}");
        }
    }
}

#[test]
fn colours_addresses_lists_and_telephones_are_no_numbers() {
    for cells in [
        ["(189,123,204)", "(1,2,3)", "(255,0,17)"],
        ["\"119,110,208\"", "\"120,200,100\"", "\"255,255,255\""],
        ["202.238.230.169", "102.238.230.100", "192.168.100.200"],
        ["+49 691 585", "+49 691 586", "+49 700 123"],
        ["45%", "0.45", "7%"],
        ["$5", "€6", "$7"],
    ] {
        let text =
            format!("x\n{}\n", cells.join("\n")).replace("(189,123,204)", "\"(189,123,204)\"");
        let text = text.replace("(1,2,3)", "\"(1,2,3)\"").replace("(255,0,17)", "\"(255,0,17)\"");
        let table = Table::from_csv("t.csv", text.as_bytes()).unwrap();
        assert!(table.column("x").unwrap().is_text(), "{cells:?}");
        assert!(table.numbers("x").is_err(), "{cells:?}");
    }
}
