use super::*;

fn birds() -> Table {
    let text = "bird,wing_mm,Note\nrobin,75,a\nwren,NA,b\nrook,310.5,NA\n";
    Table::from_csv("birds", text.as_bytes()).unwrap()
}

#[test]
fn selected_rows_keep_their_order_and_their_lines() {
    let some = birds().select(&[2, 0, 2]);
    assert_eq!(some.name(), "birds");
    assert_eq!(some.names(), birds().names());
    assert_eq!(*some.numbers("wing_mm").unwrap(), [310.5, 75.0, 310.5]);
    assert_eq!(some.column("bird").unwrap().text(0).as_deref(), Some("rook"));
    assert_eq!([some.line(0), some.line(1), some.line(2)], [4, 2, 4]);
    assert_eq!(birds().select(&[]).rows(), 0);
}

#[test]
fn a_misspelt_column_is_met_with_the_nearest_name() {
    for (asked, answer) in [
        ("wing_m", "birds: there is no column \"wing_m\": did you mean \"wing_mm\"?"),
        ("note", "birds: there is no column \"note\": did you mean \"Note\"?"),
        (
            "price",
            "birds: there is no column \"price\": its columns are \"bird\", \"wing_mm\", \"Note\"",
        ),
    ] {
        assert_eq!(birds().column(asked).unwrap_err().to_string(), answer);
    }
}

#[test]
fn a_column_of_text_gives_numbers_only_where_all_its_cells_are_numbers() {
    let table = Table::from_csv("t", "a,b\n1,x\n2.5,y\n,x\nlots,y\n".as_bytes()).unwrap();
    assert_eq!(
        table.numbers("a").unwrap_err().to_string(),
        "t: line 5, column \"a\": \"lots\" is not a number, but 2 of the column's 3 cells are: correct the cell, leave it \
         empty, say that this word means a missing cell (--missing=lots), or say that the column is text (--text=a; in Rust, \
         Table::as_text)"
    );
    let numbers = table.select(&[1, 0, 2]);
    let numbers = numbers.numbers("a").unwrap();
    assert_eq!(numbers[..2], [2.5, 1.0]);
    assert!(numbers[2].is_nan());
}

#[test]
fn long_lists_of_names_are_cut_short() {
    let names: Vec<String> = (0..30).map(|i| format!("p{i}")).collect();
    let text = quoted(names.iter().map(String::as_str));
    assert!(text.ends_with("\"p10\", \"p11\" … (30 in all)"), "{text}");
}

#[test]
fn parts_of_one_table_are_joined_in_its_order() {
    let table = birds();
    let [one, other] = [table.select(&[2]), table.select(&[1, 0])];
    assert_eq!(one.joined(&other).unwrap(), table.select(&[0, 1, 2]));
    let error = one.joined(&birds()).unwrap_err().to_string();
    assert!(error.contains("are two tables: join parts of one table"), "{error}");
}
