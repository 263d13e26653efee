//! Never refused by the luck of the seed: classes come from all rows, the only rows of a class train, and counts are told.

use super::{Bench, drawn, rows};
use serde_json::Value;

/// How many of a class train, by the run's own account.
fn training(results: &Value, task: &str, class: &str) -> u64 {
    results["data"]["tasks"][task]["training_classes"][class]
        .as_u64()
        .unwrap_or_else(|| panic!("{results}"))
}

#[test]
fn a_class_of_one_row_trains_whatever_the_seed_and_the_order_of_the_tasks() {
    let bench = Bench::new("rare_class");
    bench.write(
        "t.csv",
        rows("w,sex,kind,mass", 120, |row| {
            let kind = if row == 57 { "kite" } else { ["owl", "hawk", "rook"][row % 3] };
            format!(
                "{:.3},{},{kind},{:.2}",
                drawn(row, 1),
                ["f", "m"][row * 7 % 5 % 2],
                40.0 + drawn(row, 2)
            )
        }),
    );
    for (seed, tasks) in (0..8).flat_map(|seed| {
        [
            "--task sex --task kind --task mass:mse",
            "--task kind --task mass:mse --task sex",
            "--task mass:mse --task kind",
        ]
        .map(|tasks| (seed, tasks))
    }) {
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, results) =
            bench.train(&format!("t.csv {tasks} --seed {seed} --epochs 1 --out run"));
        assert_eq!(training(&results, "kind", "kite"), 1, "seed {seed}, {tasks}");
        done.says(&["kite of \"kind\" (1 of 1)"]);
    }
}

#[test]
fn tags_with_few_positives_have_one_to_learn_from() {
    let bench = Bench::new("rare_tags");
    let positive = |tag: usize, row: usize| match tag {
        0..3 => drawn(row, tag as u64) > 0.3,
        3 => row == 31,
        4 => [12, 140].contains(&row),
        _ => [77, 78, 79].contains(&row),
    };
    bench.write(
        "t.csv",
        rows("x,z,tag_0,tag_1,tag_2,tag_3,tag_4,tag_5", 150, |row| {
            let tags: Vec<String> =
                (0..6).map(|tag| u8::from(positive(tag, row)).to_string()).collect();
            format!("{:.3},{:.3},{}", drawn(row, 8), drawn(row, 9), tags.join(","))
        }),
    );
    let tasks: String = (0..6).map(|tag| format!(" --task tag_{tag}")).collect();
    let together = " --task 'tags=tag_0,tag_1,tag_2,tag_3,tag_4,tag_5:bce'";
    for seed in 0..6 {
        for tasks in [&tasks[..], together] {
            let _ = std::fs::remove_dir_all(bench.path().join("run"));
            let (_, results) =
                bench.train(&format!("t.csv{tasks} --seed {seed} --epochs 1 --out run -q"));
            for tag in 3..6 {
                let count = match tasks == together {
                    true => training(&results, "tags", &format!("tag_{tag}=1")),
                    false => training(&results, &format!("tag_{tag}"), "1"),
                };
                assert!(count > 0, "seed {seed}: no positive of tag_{tag} trains");
            }
        }
    }
}

#[test]
fn a_class_that_only_other_parts_have_is_told_and_no_reason_to_refuse() {
    let bench = Bench::new("rare_split");
    let part = |row: usize| ["train", "train", "train", "validation", "test"][row % 5];
    // The rows of the class, and the parts that they are in.
    for (name, of_class) in [("validation", &[3usize][..]), ("test", &[4, 9]), ("both", &[3, 4])] {
        let table = rows("w,kind,mass,part", 100, |row| {
            let kind = if of_class.contains(&row) { "kite" } else { ["owl", "hawk"][row % 2] };
            format!("{:.3},{kind},{:.2},{}", drawn(row, 1), drawn(row, 2), part(row))
        });
        bench.write("t.csv", table);
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, results) =
            bench.train("t.csv --task kind --task mass:mse --split part --epochs 2 --out run");
        done.says(&["task \"kind\": no training row has kite", "--split"]);
        assert_eq!(results["data"]["tasks"]["kind"]["classes"]["kite"], of_class.len(), "{name}");
        assert_eq!(training(&results, "kind", "kite"), 0);
    }
    // Two tags whose positives are all in the test part, told at once.
    bench.write(
        "t.csv",
        rows("w,a,b,y,part", 100, |row| {
            let tag = |row: usize, of: usize| u8::from(row % 20 == of);
            format!(
                "{:.3},{},{},{:.2},{}",
                drawn(row, 1),
                tag(row, 4),
                tag(row, 9),
                drawn(row, 2),
                part(row)
            )
        }),
    );
    let _ = std::fs::remove_dir_all(bench.path().join("run"));
    let (done, _) =
        bench.train("t.csv --task a --task b --task y:mse --split part --epochs 2 --out run");
    for tag in ["a", "b"] {
        done.says(&[&format!("task \"{tag}\": no training row has 1 (5 in other parts)")]);
        done.says(&[&format!("task \"{tag}\": every training row has the same label")]);
    }
}

#[test]
fn many_classes_and_few_rows_are_trained_on() {
    let bench = Bench::new("rare_many");
    // Two hundred classes of two rows; five of six in twelve rows; numbers that are nearly all alike.
    bench.write(
        "classes.csv",
        rows("x,z,kind", 400, |row| {
            format!("{:.3},{:.3},class {}", drawn(row, 1), drawn(row, 2), row % 200)
        }),
    );
    bench.write(
        "tiny.csv",
        rows("x,kind,y", 12, |row| {
            format!("{:.3},{},{row}", drawn(row, 1), ["a", "b", "c", "d", "e", "a"][row % 6])
        }),
    );
    bench.write(
        "zeros.csv",
        rows("x,y", 100, |row| {
            format!("{:.3},{}", drawn(row, 1), if row == 13 { 4.5 } else { 0.0 })
        }),
    );
    for seed in 0..5 {
        for (file, task) in [("classes", "kind"), ("tiny", "kind"), ("zeros", "y:mse")] {
            let _ = std::fs::remove_dir_all(bench.path().join("run"));
            let (_, results) = bench
                .train(&format!("{file}.csv --task {task} --seed {seed} --epochs 1 --out run"));
            if file == "classes" {
                let counts = results["data"]["tasks"]["kind"]["training_classes"]
                    .as_object()
                    .expect("counts");
                assert!(
                    counts.len() == 200 && counts.values().all(|count| count.as_u64() > Some(0)),
                    "{counts:?}"
                );
            }
        }
    }
}
