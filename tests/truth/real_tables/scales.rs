//! Scales are judged relative to rounding: what is constant up to rounding is constant, and what is small is not.

use super::{Bench, column, drawn, rows};

#[test]
fn features_that_only_rounding_tells_apart_say_nothing() {
    let bench = Bench::new("scales_constant");
    let sum = |count: usize| (0..count).map(|_| 0.1).sum::<f64>();
    let cases: [(&str, [f64; 2], f64); 6] = [
        ("a sum", [0.3, 0.1 + 0.2], 0.31),
        ("ten tenths", [1.0, sum(10)], 1.5),
        ("a product", [1.1 * 1.1, 1.21], -4.0),
        ("large", [7e15, 7e15 + 1.0], 9e15),
        ("small", [3e-200, 3e-200 * (1.0 + f64::EPSILON)], 1.0),
        ("the same", [5.0, 5.0], 1e12),
    ];
    for (name, cells, new) in cases {
        let table = |dose: &dyn Fn(usize) -> f64| {
            rows("dose,age,y", 80, |row| {
                format!("{:?},{:.3},{:.3}", dose(row), drawn(row, 1), 9.0 * drawn(row, 1))
            })
        };
        bench.write("t.csv", table(&|row| cells[row % 2])).write("new.csv", table(&|_| new));
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, results) = bench.train("t.csv --task y:mse --epochs 20 --out run");
        done.says(&["\"dose\"", "the same in every training row"]);
        assert!(results["warnings"].to_string().contains("dose"), "{name}: {results}");
        let (old, new) =
            (bench.succeed("predict run t.csv").out, bench.succeed("predict run new.csv").out);
        assert_eq!(old, new, "{name}: a feature that said nothing changes an answer");
    }
}

#[test]
fn small_spreads_are_learned_from() {
    let bench = Bench::new("scales_small");
    for (name, offset, scale) in [
        ("around 0", 0.0, 1e-9),
        ("around 1e-11", 1e-11, 1e-12),
        ("tiny", 0.0, 1e-300),
        ("a day among Julian dates", 2_460_310.5, 0.25),
        ("microseconds since 1970", 1.7e15, 1e6),
        ("huge", 0.0, 1e300),
    ] {
        let table = rows("x,y", 80, |row| {
            format!("{:e},{:.4}", offset + scale * drawn(row, 1), drawn(row, 1))
        });
        bench.write("t.csv", &table);
        let _ = std::fs::remove_dir_all(bench.path().join("run"));
        let (done, _) = bench.train("t.csv --task y:mse --validation 0 --epochs 150 --out run");
        done.is_silent_of("the same in every");
        let r2 = bench.evaluate("run t.csv")["tasks"]["y"]["r2"].as_f64();
        assert!(r2 > Some(0.9), "{name}: R² {r2:?}");
    }
}

#[test]
fn targets_that_only_rounding_tells_apart_are_nothing_to_learn() {
    let bench = Bench::new("scales_target");
    for (cells, loss) in [
        (["0.3", "0.30000000000000004"], ":mse"),
        (["0.3", "0.30000000000000004"], ""),
        (["1.21", "1.2100000000000002"], ":bce"),
        (["7", "7.0"], ":mse"),
        (["-5e-300", "-5.0000000000000001e-300"], ":mae"),
    ] {
        bench
            .write("t.csv", rows("x,y", 40, |row| format!("{},{}", drawn(row, 1), cells[row % 2])));
        let done = bench.awl(&format!("train t.csv --task y{loss} --out run"));
        assert_eq!(done.code, 2, "{}", done.told);
        done.says(&["\"y\"", "nothing to learn"]);
        assert!(!bench.path().join("run").exists());
    }
}

#[test]
fn numbers_far_from_all_that_was_learned_are_told() {
    let bench = Bench::new("scales_far");
    bench.write("t.csv", rows("x,y", 60, |row| format!("{},{}", drawn(row, 1), drawn(row, 2))));
    bench.train("t.csv --task y:mse --epochs 2 --out run -q");
    for (cell, far) in
        [("1e6", true), ("-300", true), ("1e30", true), ("0.5", false), ("NA", false)]
    {
        bench.write("new.csv", format!("x,y\n{cell},1\n0.1,2\n"));
        for command in ["predict run new.csv", "evaluate run new.csv"] {
            let done = bench.succeed(command);
            match far {
                true => done.says(&["\"x\" (1 cell)", "100 standard deviations"]),
                false => done.is_silent_of("standard deviations"),
            };
        }
    }
    assert_eq!(column(&bench.succeed("predict run new.csv").out, "y").len(), 2);
}
