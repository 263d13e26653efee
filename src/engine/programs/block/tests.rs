//! Tests: the kernel is one for every shape that it says it takes, and trains as the reference does. Software adapters compile it
//! for seconds, so the networks are small; `scripts/conformance block` runs all tests of numerics with it.

use super::*;
use crate::engine::no_rules_for;
use crate::engine::programs::cases::{
    agrees, data, drop_and_clip, drop_rectified_units, mixed, two,
};
use crate::gpu::{Source, check_shader};
use crate::loss::Labels;
use crate::{Activation, Loss, Network, Task};

const MEMORY: usize = 32 << 10;

/// What is made of a kernel for a shape, with no scheme that does anything after a step.
fn made(source: &Source, shape: &Shape) -> String {
    no_rules_for(source.label) + &render(source.label, shape).expect("a kernel")
}

fn plenty() -> Means {
    Means::plenty(MEMORY, 256)
}

fn shape(
    features: usize,
    hidden: &[usize],
    tasks: &[Task],
    rows: usize,
    means: Means,
) -> Option<Shape> {
    let network = Network::new(features, hidden, Activation::Gelu, tasks).expect("a network");
    let labels = Labels::pack(tasks, data(features, tasks).targets()).expect("labels");
    Shape::new(&network, &labels.layouts, rows, means)
}

#[test]
fn the_kernels_made_for_a_shape_are_valid_everywhere() {
    for (features, hidden, tasks) in [
        (5, &[][..], mixed()),
        (16, &[32, 32], two()),
        (3, &[17, 40, 6], mixed()),
        (200, &[32], two()),
        (16, &[128, 128], two()),
    ] {
        let shape = shape(features, hidden, &tasks, 16, plenty()).expect("a shape");
        for source in [&kernels::BLOCK_STEP, &kernels::BLOCK_PACK, &kernels::BLOCK_FINISH] {
            check_shader(source, &made(source, &shape));
        }
    }
}

#[test]
fn a_shape_keeps_to_what_the_adapter_gives() {
    for means in [plenty(), Means::lean(16 << 10, 256)] {
        for width in [8, 30, 64, 100, 128] {
            for rows in ROWS_OF_BLOCKS {
                let Some(shape) = shape(16, &[width, width], &two(), rows, means) else {
                    continue;
                };
                assert!(shape.memory() <= means.memory && shape.registers() <= means.registers);
                assert!(shape.lanes <= 256);
            }
        }
    }
    assert!(shape(16, &[64, 64], &two(), 16, plenty()).is_some());
    assert!(shape(16, &[128, 128], &two(), 16, plenty()).is_some());
    // What cannot go in.
    assert!(shape(16, &[128, 128], &two(), 16, Means { lanes: 64, ..plenty() }).is_none());
    assert!(shape(16, &[2_048], &two(), 8, plenty()).is_none());
    assert!(shape(16, &[256, 256], &two(), 8, plenty()).is_none());
    assert!(shape(16, &[8], &[Task::new("wide", Loss::Mse, 65)], 8, plenty()).is_none());
}

#[test]
fn odd_widths_and_every_loss_train_as_the_reference_does() {
    agrees(program, 5, &[9, 6], &mixed(), |_| ());
    agrees(program, 4, &[], &mixed(), |_| ());
}

/// Wide enough for two lanes to share the rows of both, forward and backward.
#[test]
fn halves_of_products_are_put_together() {
    let of = shape(6, &[32, 32], &two(), 8, plenty()).expect("a shape");
    assert!(of.layers[1].splits_forward && of.layers[1].splits_backward);
    agrees(program, 6, &[32, 32], &two(), |_| ());
}

#[test]
fn dropout_and_clipping_train_as_the_reference_does() {
    drop_and_clip(program);
}

#[test]
fn rectified_units_with_dropout_train_as_the_reference_does() {
    drop_rectified_units(program);
}

/// The workloads of the benchmark (`bench::workload`) at their batches, and what GPUs with few registers get.
#[cfg(target_os = "linux")]
#[test]
fn amd_compiles_the_blocks_of_every_workload_without_spills() {
    use crate::gpu::amd::{Candidate, hold};
    let widths = |width| [width, width];
    let (plenty, lean) = (plenty(), Means::lean(MEMORY, 256));
    let mut candidates = Vec::new();
    let (relu, gelu) = (Activation::Relu, Activation::Gelu);
    let many = || (0..12).map(|k| Task::new(k.to_string(), Loss::cross_entropy(), 5)).collect();
    for (name, hidden, tasks, activation, rows, means) in [
        ("seed", widths(32), two(), relu, 8, plenty),
        ("small", widths(64), two(), relu, 8, plenty),
        ("medium", widths(128), two(), relu, 16, plenty),
        ("large", widths(64), two(), relu, 16, plenty),
        ("medium with gelu", widths(128), two(), gelu, 16, plenty),
        ("large with every loss", widths(64), mixed(), gelu, 16, plenty),
        ("seed with twelve tasks", widths(32), many(), relu, 8, plenty),
        ("seed, lean", widths(32), two(), relu, 8, lean),
        ("small, lean", widths(64), two(), relu, 8, lean),
        ("large, lean", widths(64), two(), relu, 16, lean),
    ] {
        let network = Network::new(16, &hidden, activation, &tasks).expect("a network");
        let labels = Labels::pack(&tasks, data(16, &tasks).targets()).expect("labels");
        let shape = Shape::new(&network, &labels.layouts, rows, means).expect("a shape");
        let mut add = |source: &crate::gpu::Source, constants: &[(&'static str, f64)]| {
            candidates.push(Candidate {
                name: format!("{} {name}", source.label),
                text: made(source, &shape) + &source.text(),
                constants: constants.to_vec(),
                is_lean: name.ends_with("lean"),
            });
        };
        add(&kernels::BLOCK_STEP, &[("DROPS_BELOW", 0.0), ("KEPT", 1.0)]);
        if name == "medium" {
            let sizes = [("GRADIENT_SHARES", 128.0), ("LOSS_SHARES", 128.0), ("TASKS", 2.0)];
            let parts = [("CELL_PARTS", 8.0), ("TASK_PARTS", 32.0), ("LOSSES_AT", 2_621_440.0)];
            let rest = [("CLIP", 0.0), ("NORMS", 0.0), ("NORMS_AT", 0.0)];
            add(&kernels::BLOCK_FINISH, &[&sizes[..], &parts[..], &rest[..]].concat());
            add(&kernels::BLOCK_PACK, &[]);
        }
    }
    hold("block", &candidates);
}
