//! `awl describe`: what `awl train` would see, and nothing trained.

use super::{PENGUINS, awl, folder, json, succeed};

#[test]
fn a_table_is_described_as_training_would_see_it_and_nothing_is_made() {
    let folder = folder("describe");
    let flags = ["--task", "species", "--task", "body_mass_g", "--ignore", "year", "--seed", "3"];
    let found = json(&folder, &[&["describe", PENGUINS, "--json"], &flags[..]].concat());
    assert_eq!(found["rows"], 344);
    assert_eq!(found["split"], serde_json::json!({"train": 241, "validation": 51, "test": 52}));
    let columns = found["columns"].as_array().expect("columns");
    let column = |name: &str| {
        columns.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let species = column("species");
    assert_eq!((&species["type"], &species["used"]), (&"text".into(), &"task".into()));
    assert_eq!(species["common"][0], serde_json::json!(["Adelie", 152]));
    assert_eq!(species["distinct"], 3);
    let mass = column("body_mass_g");
    assert_eq!(mass["missing_words"], serde_json::json!({"NA": 2}));
    assert_eq!(
        (&mass["least"], &mass["most"], &mass["distinct"]),
        (&2700.0.into(), &6300.0.into(), &94.into())
    );
    assert!((mass["mean"].as_f64().expect("a mean") - 4_201.754_385_964).abs() < 1e-6);
    assert_eq!(
        (&column("year")["used"], &column("sex")["used"]),
        (&"no".into(), &"feature".into())
    );
    // What training says, word for word, and the split that it makes.
    let results = json(
        &folder,
        &[&["train", PENGUINS, "--epochs", "1", "--quiet", "--json", "--out", "run"], &flags[..]]
            .concat(),
    );
    assert_eq!(found["choices"], results["choices"]);
    assert_eq!(found["data"], results["data"]);
    assert_eq!(found["split"], results["rows"]);

    let text = succeed(&folder, &[&["describe", PENGUINS], &flags[..]].concat());
    assert!(text.starts_with(&format!("{PENGUINS}: 344 rows, 8 columns\n")), "{text}");
    assert!(text.contains("Adelie 152, Gentoo 124, Chinstrap 68\n"), "{text}");
    // Three islands, two sexes, and three measures with a mark each where cells are missing.
    assert!(text.contains("241 rows to train on, 51 to validate, 52 to test; 11 inputs"), "{text}");
    let made: Vec<_> = std::fs::read_dir(&folder).expect("the folder").flatten().collect();
    assert_eq!(made.len(), 1, "the run alone");
}

#[test]
fn what_training_refuses_describing_refuses_too() {
    let folder = folder("describe_refused");
    for (arguments, told) in [
        (&["describe", PENGUINS, "--task", "spicies"][..], "did you mean"),
        (&["describe", "nowhere.csv", "--task", "a"], "nowhere.csv"),
        (&["describe", "--resume", "run"], "give --config RUN/config.toml"),
        (&["describe", PENGUINS], "--task"),
    ] {
        let output = awl(&folder, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
    }
}
