//! No table is a special case: none of its rows, thousands of its columns, whatever separates its cells and encodes its letters.

use super::{Bench, column, drawn, rows};

fn table() -> String {
    rows("town,x,y", 60, |row| {
        let x = drawn(row, 1);
        format!("{},{x:.3},{:.3}", ["Zoë", "Köln", "plain"][row % 3], 2.0 * x)
    })
}

#[test]
fn one_table_is_the_same_in_every_layout() {
    let bench = Bench::new("layouts");
    let text = table();
    bench.write("t.csv", &text);
    bench.train("t.csv --task y:mse --epochs 30 --out run -q");
    let expected = bench.succeed("predict run t.csv").out;
    let semicolons = text.replace(',', ";");
    let commas = semicolons.replace('.', ",");
    let utf_16 = |text: &str, mark: &str| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let latin: Vec<u8> = text.chars().map(|sign| sign as u8).collect();
    let quoted = text
        .lines()
        .map(|line| format!("\"{}\"\n", line.replace(',', "\",\"")))
        .collect::<String>();
    for (name, bytes, told) in [
        ("semicolons.csv", semicolons.clone().into_bytes(), "semicolon"),
        ("decimal.csv", commas.clone().into_bytes(), "decimal comma"),
        ("tabs.txt", text.replace(',', "\t").into_bytes(), "tab"),
        ("bars.csv", text.replace(',', "|").into_bytes(), "vertical bar"),
        ("excel.csv", format!("sep=,\r\n{}", text.replace('\n', "\r\n")).into_bytes(), "Excel"),
        ("excel2.csv", format!("\"sep=;\"\r\n{semicolons}").into_bytes(), "Excel"),
        ("windows.csv", text.replace('\n', "\r\n").into_bytes(), ""),
        ("macintosh.csv", text.replace('\n', "\r").into_bytes(), ""),
        ("marked.csv", format!("\u{feff}{text}").into_bytes(), ""),
        ("latin.csv", latin, "windows-1252"),
        ("wide.csv", utf_16(&text, "\u{feff}"), "UTF-16"),
        ("unmarked.csv", utf_16(&text, ""), "UTF-16"),
        ("quoted.csv", quoted.into_bytes(), ""),
        ("blank.csv", text.replace('\n', "\n\n").into_bytes(), "60 blank lines"),
        (
            "index.csv",
            text.lines()
                .enumerate()
                .map(
                    |(row, line)| {
                        if row == 0 { format!(",{line}\n") } else { format!("{row},{line}\n") }
                    },
                )
                .collect::<String>()
                .into_bytes(),
            "index=False",
        ),
        ("trailing.csv", text.replace('\n', ",,\n").into_bytes(), "2 columns without a name"),
    ] {
        bench.write(name, bytes);
        let done = bench.succeed(&format!("predict run {name}"));
        assert_eq!(done.out, expected, "{name}\n{}", done.told);
        if told.is_empty() {
            assert_eq!(done.told, "", "{name}");
        } else {
            done.says(&[told]);
        }
        let _ = std::fs::remove_dir_all(bench.path().join("again"));
        bench.train(&format!("{name} --task y:mse --epochs 30 --out again -q"));
        assert_eq!(bench.succeed("predict again t.csv").out, expected, "{name}");
    }
    // What cannot be recognised can be said.
    bench.write("odd.csv", text.replace(',', "^").replace('.', ","));
    bench.succeed("predict run odd.csv --separator ^ --decimal ,").says(&["decimal comma"]);
    assert_eq!(bench.awl("predict run odd.csv").code, 2);
    let polish: Vec<u8> = "town,x,y\n\u{142}\u{f3}d\u{17a},0.1,1\n"
        .chars()
        .map(|sign| match sign {
            'ł' => 0xb3,
            'ź' => 0xbc,
            other => other as u8,
        })
        .collect();
    bench.write("polish.csv", polish);
    let kept = bench.succeed("predict run polish.csv --keep town --encoding iso-8859-2").out;
    assert_eq!(column(&kept, "town"), ["łódź"]);
}

#[test]
fn no_rows_give_no_answers_and_their_header() {
    let bench = Bench::new("layouts_rowless");
    bench.write("t.csv", table());
    bench.train("t.csv --task y:mse --epochs 1 --out run -q");
    let header = "town,y\n";
    for (name, text) in [
        ("none.csv", "town,x\n"),
        ("more.csv", "x,y,town,z\n"),
        ("blank.csv", "town,x\n\n\n"),
        ("empty_rows.csv", "town,x\n,\n,\n"),
        ("excel.csv", "sep=,\ntown,x\n"),
    ] {
        bench.write(name, text);
        assert_eq!(bench.succeed(&format!("predict run {name} --keep town")).out, header, "{name}");
        assert_eq!(bench.succeed(&format!("predict run {name} --json")).out, "", "{name}");
        bench.succeed(&format!("predict run {name} --keep town --out answers.csv"));
        assert_eq!(
            std::fs::read_to_string(bench.path().join("answers.csv")).expect("a file"),
            header
        );
    }
    for (name, text, told) in
        [("no_x.csv", "town,z\n", "no column \"x\""), ("nothing.csv", "", "the file is empty")]
    {
        bench.write(name, text);
        let done = bench.awl(&format!("predict run {name}"));
        assert_eq!(done.code, 2);
        done.says(&[told]);
    }
    // There is nothing to train on or to judge by.
    bench.write("none.csv", "town,x,y\n");
    for command in ["train none.csv --task y", "evaluate run none.csv"] {
        let done = bench.awl(command);
        assert_eq!(done.code, 2);
        done.says(&["no row"]);
    }
}

#[test]
fn tables_of_few_rows_or_many_columns_are_trained_on_or_refused_in_words() {
    let bench = Bench::new("layouts_sizes");
    let wide = |columns: usize, rows_: usize| {
        let names: Vec<String> = (0..columns).map(|column| format!("gene{column:05}")).collect();
        rows(&format!("{},y", names.join(",")), rows_, |row| {
            let cells: Vec<String> = (0..columns)
                .map(|column| format!("{:.2}", drawn(row * columns + column, 3)))
                .collect();
            format!("{},{:.3}", cells.join(","), drawn(row, 1))
        })
    };
    bench
        .write("wide.csv", wide(2_000, 40))
        .write("one.csv", "y\n1\n2\n3\n")
        .write("single.csv", "x,y\n1,2\n");
    bench.write("two.csv", "x,y\n1,2\n2,3\n").write("five.csv", "x,y\n1,2\n2,3\n3,5\n4,4\n5,1\n");
    bench.train("wide.csv --task y:mse --epochs 1 --out wide");
    bench.succeed("predict wide wide.csv");
    bench.train("five.csv --task y:mse --epochs 2 --out five --validation 0.2");
    for (command, told) in [
        ("train one.csv --task y", "no column is left to predict from"),
        ("train single.csv --task y:mse", "row"),
        ("train two.csv --task y:mse", "row"),
        ("train wide.csv --task y:mse --ignore gene", "gene"),
    ] {
        let done = bench.awl(command);
        assert_eq!(done.code, 2, "{command}: {}", done.told);
        done.says(&[told]);
    }
}
