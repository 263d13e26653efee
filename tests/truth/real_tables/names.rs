//! Files are read back by whoever reads them: every column has a name of its own, names with commas can be said, names that look
//! alike are told apart, and what would stop an export is told before training.

use super::{Bench, column, drawn, rows};
use serde_json::Value;

fn birds(bench: &Bench) {
    bench.write(
        "birds.csv",
        rows("id,w,noise,species,mass", 60, |row| {
            let w = drawn(row, 1);
            format!(
                "id{row},{w:.4},{:.4},{},{:.3}",
                drawn(row, 2),
                ["owl", "hawk", "rook"][row % 3],
                40.0 + w
            )
        }),
    );
}

#[test]
fn kept_columns_and_answers_have_names_of_their_own() {
    let bench = Bench::new("names_keep");
    birds(&bench);
    bench.train("birds.csv --task species --task mass:mse --ignore id --epochs 2 --out run -q");
    let answers = ["species", "species=hawk", "species=owl", "species=rook", "mass"];
    for (keep, kept) in [
        ("", &[][..]),
        ("--keep id", &["id"]),
        ("--keep id,species", &["id", "species.kept"]),
        ("--keep mass,species", &["mass.kept", "species.kept"]),
        ("--keep species --keep id", &["species.kept", "id"]),
        ("--keep id,id", &["id", "id.kept"]),
    ] {
        let out = bench.succeed(&format!("predict run birds.csv {keep}")).out;
        let header: Vec<&str> = out.lines().next().expect("a header").split(',').collect();
        assert_eq!(header, [kept, &answers].concat(), "{keep}");
        let objects = bench.succeed(&format!("predict run birds.csv {keep} --json")).out;
        let first: Value =
            serde_json::from_str(objects.lines().next().expect("a row")).expect("JSON");
        assert_eq!(first.as_object().map(serde_json::Map::len), Some(header.len()), "{first}");
        // The kept label is there as it was.
        if keep.contains("species") {
            let table = std::fs::read_to_string(bench.path().join("birds.csv")).expect("the table");
            assert_eq!(column(&out, "species.kept"), column(&table, "species"));
        }
    }
    // What was written can be read again by the program itself.
    bench.write("answers.csv", bench.succeed("predict run birds.csv --keep w,noise,species").out);
    bench.succeed("evaluate run answers.csv");
}

#[test]
fn names_with_commas_can_be_said_in_every_list() {
    let bench = Bench::new("names_commas");
    let header =
        "Country,\"GDP per capita, PPP\",\"Life expectancy, total\",\"Births, crude\",Income";
    bench.write(
        "t.csv",
        rows(header, 60, |row| {
            let w = drawn(row, 1);
            format!(
                "C{row},{:.0},{:.2},{:.2},{}",
                20_000.0 + 9_000.0 * w,
                75.0 + w,
                30.0 - w,
                ["low", "high"][row % 2]
            )
        }),
    );
    let config = |run: &str| {
        std::fs::read_to_string(bench.path().join(run).join("config.toml")).expect("a file")
    };
    for (number, (flags, features)) in [
        ("--ignore 'GDP per capita, PPP' --ignore 'Life expectancy, total'", "[\"Births, crude\"]"),
        ("--ignore 'GDP per capita, PPP,Life expectancy, total,Country'", "[\"Births, crude\"]"),
        ("--ignore '\"GDP per capita, PPP\",\"Life expectancy, total\"'", "[\"Births, crude\"]"),
        ("--features 'Births, crude'", "[\"Births, crude\"]"),
        (
            "--features '\"Births, crude\",Life expectancy, total'",
            "[\"Births, crude\", \"Life expectancy, total\"]",
        ),
        ("--text 'Births, crude' --features 'Births, crude'", "[\"Births, crude\"]"),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("run-{number}");
        bench.train(&format!("t.csv --task Income {flags} --epochs 1 --out {out} -q"));
        assert!(
            config(&out).contains(&format!("features = {features}")),
            "{flags}: {}",
            config(&out)
        );
    }
    let out = bench.succeed("predict run-3 t.csv --keep 'GDP per capita, PPP,Country'").out;
    let header: Vec<String> = csv::Reader::from_reader(out.as_bytes())
        .headers()
        .expect("a header")
        .iter()
        .map(Into::into)
        .collect();
    assert_eq!(header[..2], ["GDP per capita, PPP", "Country"]);
    // Tasks of several columns too, and slips are told with the comma in mind.
    bench.train("t.csv --task 'size=GDP per capita, PPP,Births, crude:mse' --features 'Life expectancy, total' --epochs 1 --out pair -q");
    for (flag, told) in [
        ("--ignore 'GDP per capita'", "a comma separates names"),
        ("--features 'Births, crud'", "Births, crude"),
        ("--ignore Contry", "did you mean \"Country\"?"),
    ] {
        let done = bench.awl(&format!("train t.csv --task Income {flag} --out x"));
        assert_eq!(done.code, 2, "{}", done.told);
        done.says(&[told]);
    }
}

#[test]
fn names_that_look_alike_are_one_or_told_apart() {
    let bench = Bench::new("names_alike");
    let body = rows("", 40, |row| {
        format!("{:.3},{:.3},{:.3}", drawn(row, 1), drawn(row, 2), drawn(row, 3))
    });
    let (composed, decomposed) = ("Gr\u{f6}\u{df}e", "Gro\u{308}\u{df}e");
    bench.write("t.csv", format!("{composed},x,y{body}"));
    bench.train(&format!("t.csv --task {decomposed}:mse --epochs 1 --out run -q"));
    for header in [
        format!("{decomposed},x,y"),
        format!("{composed},\u{feff}x,y"),
        format!("{composed},x\u{200b},y\u{a0}"),
    ] {
        bench.write("new.csv", format!("{header}{body}"));
        let told = bench.evaluate("run new.csv");
        assert_eq!(
            told["tasks"]
                .as_object()
                .and_then(|tasks| tasks.values().next())
                .map(|task| task["labelled"].clone()),
            Some(40.into()),
            "{header:?}: {told}"
        );
    }
    for (header, told) in [
        (format!("{composed},{decomposed},y"), "Gr\\u{f6}\\u{df}e"),
        ("x,x\u{200b},y".to_string(), "x\\u{200b}"),
        ("a b,a\u{a0}b,y".to_string(), "a\\u{a0}b"),
        ("x,x,y".to_string(), "columns 1 and 2 are both named \"x\""),
    ] {
        bench.write("bad.csv", format!("{header}{body}"));
        let done = bench.awl("train bad.csv --task y:mse --out x");
        assert_eq!(done.code, 2);
        done.says(&[told, "columns 1 and 2"]);
    }
}

#[test]
fn what_would_stop_a_later_command_is_told_before_training() {
    let bench = Bench::new("names_later");
    bench.write(
        "t.csv",
        rows("size,type,Petal.Width,y,z", 60, |row| {
            format!(
                "{:.3},{},{:.3},{:.3},{:.3}",
                drawn(row, 1),
                ["red", "white"][row % 2],
                drawn(row, 2),
                drawn(row, 3),
                drawn(row, 4)
            )
        }),
    );
    let (done, _) = bench
        .train("t.csv --task 'size=y,z:mse' --task type --features size --epochs 1 --out clash");
    done.says(&["could not be exported to ONNX", "\"size\""]);
    assert_eq!(bench.awl("export clash --onnx").code, 2);
    let (done, _) = bench.train(
        "t.csv --task type --task Petal.Width:mse --task 'a/b=y:mse' --epochs 1 --out heads",
    );
    done.says(&["heads.type_ for \"type\"", "heads.Petal_Width for \"Petal.Width\""])
        .is_silent_of("ONNX");
    bench.succeed("export heads --onnx");
    let bytes = std::fs::read(bench.path().join("heads/model.safetensors")).expect("a model");
    let header = String::from_utf8_lossy(&bytes[..4_000.min(bytes.len())]).into_owned();
    assert!(header.contains("heads.Petal_Width.weight") && header.contains("heads.type_.weight"));
    let out = bench.succeed("predict heads t.csv").out;
    assert!(
        out.starts_with("type,type=red,type=white,Petal.Width,a/b\n"),
        "{}",
        out.lines().next().unwrap_or("")
    );
}

/// Versions, codes and identifiers that are classes stay what they are written.
#[test]
fn classes_are_spelt_as_the_table_spells_them() {
    let bench = Bench::new("names_spelling");
    let cases: [(&str, [&str; 3], &str, &[&str]); 8] = [
        ("versions", ["1.1", "1.10", "1.2"], ":cross_entropy", &["1.1", "1.10", "1.2"]),
        ("versions alone", ["1.1", "1.10", "1.2"], "", &["1.1", "1.10", "1.2"]),
        ("agents", ["007", "07", "100"], ":cross_entropy", &["007", "07", "100"]),
        ("codes", ["007", "012", "100"], "", &["007", "012", "100"]),
        ("hashes", ["1e5", "100000", "2e5"], ":cross_entropy", &["100000", "1e5", "2e5"]),
        (
            "identifiers",
            ["1234567890123456780", "1234567890123456781", "2234567890123456780"],
            ":cross_entropy",
            &["1234567890123456780", "1234567890123456781", "2234567890123456780"],
        ),
        ("whole numbers of pandas", ["1.0", "1", "2.0"], ":cross_entropy", &["1", "2"]),
        ("plain", ["10", "9", "8"], ":cross_entropy", &["8", "9", "10"]),
    ];
    for (name, cells, loss, classes) in cases {
        bench.write(
            "t.csv",
            rows("x,z,k", 90, |row| {
                format!("{:.3},{:.3},{}", drawn(row, 1), drawn(row, 2), cells[row % 3])
            }),
        );
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, results) = bench.train(&format!("t.csv --task k{loss} --epochs 1 --out run"));
        assert_eq!(results["tasks"][0]["classes"], serde_json::json!(classes), "{name}");
        if classes.len() == 3 && name != "plain" {
            done.says(&["labels of \"k\" are taken as texts"]);
        } else {
            done.is_silent_of("taken as texts");
        }
        // Whoever joins answers and labels finds them.
        let answers = column(&bench.succeed("predict run t.csv").out, "k");
        assert!(
            answers.iter().all(|answer| classes.contains(&answer.as_str())),
            "{name}: {answers:?}"
        );
        assert_eq!(bench.evaluate("run t.csv")["tasks"]["k"]["unknown"], Value::Null, "{name}");
    }
    // Codes among features are asked about.
    bench.write(
        "zip.csv",
        rows("zip,y", 60, |row| format!("0{},{:.3}", 1_000 + row % 9, drawn(row, 1))),
    );
    let (done, _) = bench.train("zip.csv --task y:mse --epochs 1 --out zip");
    done.says(&["\"zip\"", "zeros before their digits", "--text=zip"]);
    let (done, _) = bench.train("zip.csv --task y:mse --text=zip --epochs 1 --out zip-text");
    done.is_silent_of("zeros before");
}

#[test]
fn answers_never_take_the_place_of_their_table() {
    let bench = Bench::new("names_out");
    birds(&bench);
    bench.train("birds.csv --task species --ignore id --epochs 1 --out run -q");
    let before = std::fs::read(bench.path().join("birds.csv")).expect("the table");
    for out in ["birds.csv", "./birds.csv", "run/../birds.csv"] {
        let done = bench.awl(&format!("predict run birds.csv --out {out}"));
        assert_eq!(done.code, 2);
        done.says(&["is the table itself"]);
        assert_eq!(std::fs::read(bench.path().join("birds.csv")).expect("the table"), before);
    }
    let done =
        bench.awl("train birds.csv --task species --features w,noise --ignore noise --out x");
    assert_eq!(done.code, 2);
    done.says(&["\"noise\"", "both"]);
}
