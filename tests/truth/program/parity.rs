//! `awl train` as a plain PyTorch loop over the table in order: the trajectories that PyTorch computed.

use super::{folder, lines, succeed};
use crate::golden::Golden;
use awl::data::Values;
use safetensors::tensor::{Dtype, TensorView};
use std::fmt::Write;

/// The table and the first weights of a trajectory, as a user would have them, in a new folder; and the program's
/// arguments.
fn lay_out(golden: &Golden, folder: &std::path::Path, engine: &str) -> Vec<String> {
    let data = &golden.data;
    let width = data.features().columns();
    let mut table = (0..width).map(|column| format!("x{column},")).collect::<String>() + "y0,y1\n";
    for row in 0..data.rows() {
        data.features().row(row).iter().for_each(|x| write!(table, "{x},").expect("room"));
        let [Values::Numbers(first), Values::Classes(second)] =
            [0, 1].map(|k| data.targets()[k].values())
        else {
            panic!("a number and a class");
        };
        writeln!(table, "{},{}", first.row(row)[0], second[row]).expect("room");
    }
    std::fs::write(folder.join("table.csv"), table).expect("a file");
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = golden
        .recipe
        .network
        .tensors()
        .into_iter()
        .map(|tensor| {
            let values = &golden.initial.parameters[tensor.range];
            let bytes = values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect();
            (tensor.name, tensor.shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor"))
    });
    let bytes = safetensors::serialize(views, None).expect("a file");
    std::fs::write(folder.join("init.safetensors"), bytes).expect("a file");
    let group = &golden.recipe.optimizer.network;
    let batch = golden.recipe.batch;
    let epochs = golden.steps.div_ceil(data.rows().div_ceil(batch));
    let hidden: Vec<String> = golden.recipe.network.hidden().iter().map(usize::to_string).collect();
    let hidden = hidden.join(",");
    format!(
        "train table.csv --task 0=y0:mse --task 1=y1:cross_entropy --no-shuffle --no-standardize --validation 0 \
         --init init.safetensors --epochs {epochs} --batch-size {batch} --hidden {hidden} --dropout 0 --optimizer adam --lr {} \
         --weight-decay {} --engine {engine} --out run --quiet",
        group.learning_rate, group.weight_decay
    )
    .split_whitespace()
    .map(Into::into)
    .collect()
}

#[test]
fn the_program_repeats_pytorchs_trajectories() {
    for name in ["two_heads", "two_heads_scaled_weight_decay"] {
        let golden = Golden::load(name);
        for (engine, tolerance) in [("reference", 1e-6), ("fused", 1e-3)] {
            let folder = folder(&format!("parity_{name}_{engine}"));
            let arguments = lay_out(&golden, &folder, engine);
            succeed(&folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
            let all = lines(&folder.join("run/metrics.jsonl"));
            let steps: Vec<_> = all.iter().filter(|line| line.get("epoch").is_none()).collect();
            assert!(steps.len() >= golden.steps);
            for (number, line) in steps.into_iter().take(golden.steps).enumerate() {
                let close = |what: &str, found: &serde_json::Value, expected: f64| {
                    let found = found.as_f64().expect("a number");
                    let error = (found - expected).abs() / (1e-6 + expected.abs());
                    assert!(
                        error < tolerance,
                        "{name} {engine} step {number} {what}: {found}, not {expected}"
                    );
                };
                close("total", &line["total"], golden.totals[number]);
                for task in 0..2 {
                    let key = task.to_string();
                    close("loss", &line["losses"][&key], golden.losses[2 * number + task]);
                    close("sigma", &line["sigma"][&key], golden.sigma[2 * number + task]);
                }
            }
        }
    }
}
