//! The fused engine's steps for small networks on software adapters: all steps of an epoch in one dispatch
//! (`shaders/small/`), made for the network's shape.
//!
//! A dispatch costs such an adapter as much as a whole step of a small network, and one core takes a network whose
//! parameters stay in its first cache through a step faster than two cores take one that does not.

use super::infos::OptimizerInfo;
use super::program::Program;
use super::resident::Resident;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, SMALL_TEMPLATES, kernels};
use crate::loss::{NONE, TaskLayout};
use crate::network::{Layer, Network};
use std::fmt::Write;

/// Registers of parameters, a lane's eighth of a layer each: beyond these, compilation takes seconds, and the
/// parameters, their gradient and their transposed copy outgrow the first cache.
const MOST_VECTORS: usize = 360;
/// Layers, each of which is code of its own.
const MOST_LAYERS: usize = 5;
/// A lane holds a task's σ.
const MOST_TASKS: usize = 8;

/// The program, or `None` where another has to do.
pub(super) fn program(resident: &Resident) -> Result<Option<Program>> {
    let gpu = &resident.gpu;
    let network = &resident.recipe.network;
    let batch = resident.batch;
    let Some(lanes) = gpu.vector_lanes() else {
        return Ok(None);
    };
    if !fits(network, batch, lanes) || !pays(network, batch) {
        return Ok(None);
    }
    // It knows neither the gradient's norm nor dropout.
    if resident.recipe.clip.is_some() || network.dropout() > 0.0 {
        return Ok(None);
    }
    // Registers that hold no parameter would become 0 / 0.
    if resident.recipe.optimizer.network.epsilon as f32 == 0.0 {
        return Ok(None);
    }
    // The gradients of this kernel come in no shares.
    let optimizer =
        Buffer::storage(gpu, "the optimizer", &[OptimizerInfo::new(&resident.recipe, 1, 1)])?;
    let buffers = [
        resident.features.binding(),
        resident.labels.binding(),
        resident.tasks.binding(),
        resident.order.binding(),
        resident.normalisers.binding(),
        optimizer.binding(),
        resident.step_slots().binding(),
        resident.parameters.binding(),
        resident.moments.binding(),
        resident.records.binding(),
        resident.stop.binding(),
    ];
    let most = steps_a_dispatch(batch, lanes);
    let text = text(network, &resident.layouts, most, lanes);
    let kernel = gpu.shaped_kernel(&kernels::SMALL_STEPS, &text, &[resident.scheme()]);
    Ok(Some(Program::run(vec![kernel.dispatch(gpu, &buffers, 1)], most)))
}

fn fits(network: &Network, batch: usize, lanes: usize) -> bool {
    let layers = network.layers();
    let vectors = |layer: &Layer| layer.outputs.div_ceil(lanes) * (layer.inputs + 1);
    layers.iter().map(vectors).sum::<usize>() <= MOST_VECTORS
        && layers.len() <= MOST_LAYERS
        && network.tasks().len() <= MOST_TASKS
        && steps_a_dispatch(batch, lanes) > 0
}

/// The most steps that a dispatch can make.
fn steps_a_dispatch(batch: usize, lanes: usize) -> usize {
    // A round for a row of each lane, one for each two of them, and the last of every loop, which finds that it is over.
    Gpu::MOST_ROUNDS / (2 + (2 + lanes / 2) * batch.div_ceil(lanes))
}

/// Whether one core here beats all cores with the kernels for larger networks, by what was measured on two of them
/// (docs/performance.md).
fn pays(network: &Network, batch: usize) -> bool {
    const HERE: f64 = 50e9;
    const ELSEWHERE_A_CORE: f64 = 20e9;
    const DISPATCHES: f64 = 100e-6;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let flops = 6.0 * (network.parameter_count() * batch) as f64;
    flops / HERE < flops / (ELSEWHERE_A_CORE * cores as f64) + DISPATCHES
}

/// The WGSL made for a network: its constants, then the files with a copy of every line and function a layer or task.
fn text(network: &Network, tasks: &[TaskLayout], steps: usize, lanes: usize) -> String {
    let layers = network.layers();
    let [layer_file, task_file, main_file] = SMALL_TEMPLATES;
    let mut text = constants(network, tasks, steps, lanes);
    for n in 0..layers.len() {
        text += &numbered(&numbered(layer_file, "_N", n), "_M", n + 1);
    }
    for k in 0..tasks.len() {
        text += &numbered(&numbered(task_file, "_K", k), "_L", layers.len());
    }
    main_file.lines().for_each(|line| text += &repeated(line, layers.len(), tasks.len()));
    text
}

/// The constants that the files ask for, and the types of the layers' units.
fn constants(network: &Network, tasks: &[TaskLayout], steps: usize, lanes: usize) -> String {
    let layers = network.layers();
    let mut text = String::from("// Made by engine::small for one network.\n");
    let mut constant = |name: &str, value: usize| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "const {name} = {value}u;");
    };
    constant("LANES", lanes);
    constant("STEPS_A_DISPATCH", steps);
    constant("TASKS", tasks.len());
    constant("FEATURES", network.features());
    constant("PARAMETERS", network.parameter_count());
    constant("ACTIVATION", network.activation().code() as usize);
    for (n, layer) in layers.iter().enumerate() {
        constant(&format!("INPUTS_{n}"), layer.inputs);
        constant(&format!("OUTPUTS_{n}"), layer.outputs);
        constant(&format!("PARAMETER_{n}"), layer.weight);
    }
    for (k, task) in tasks.iter().enumerate() {
        constant(&format!("TASK_{k}"), k);
        constant(&format!("LOSS_{k}"), task.loss as usize);
        constant(&format!("WIDTH_{k}"), task.width as usize);
        constant(&format!("FIRST_{k}"), task.prediction as usize);
        constant(&format!("LABELS_{k}"), task.label_stride as usize);
    }
    let mut flag = |name: String, value: bool| {
        let _ = writeln!(text, "const {name} = {value};");
    };
    for n in 0..layers.len() {
        flag(format!("IS_FIRST_{n}"), n == 0);
        flag(format!("IS_LAST_{n}"), n + 1 == layers.len());
    }
    for (k, task) in tasks.iter().enumerate() {
        flag(format!("IS_MASKED_{k}"), task.mask != NONE);
        flag(format!("IS_SMOOTHED_{k}"), task.is_smoothed());
        flag(format!("IS_WEIGHTED_{k}"), task.class_weights != NONE);
    }
    let widths = layers.iter().map(|layer| layer.inputs).chain([network.outputs()]);
    for (n, width) in widths.enumerate() {
        let _ = writeln!(text, "alias Units_{n} = array<vec2<f32>, {}>;", width.div_ceil(lanes));
    }
    text
}

/// The text with a number for the mark wherever it ends a name.
fn numbered(text: &str, mark: &str, number: usize) -> String {
    let mut parts = text.split(mark);
    let mut numbered = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let goes_on = part.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        match goes_on {
            true => numbered += mark,
            false => numbered += &format!("_{number}"),
        }
        numbered += part;
    }
    numbered
}

/// A line of the kernel as often as it names layers or tasks.
fn repeated(line: &str, layers: usize, tasks: usize) -> String {
    let line = numbered(line, "_L", layers) + "\n";
    let of_layer = |n: usize| numbered(&numbered(&line, "_N", n), "_M", n + 1);
    let names = |mark: &str| numbered(&line, mark, 0) != line;
    if line.trim_start().starts_with("//") {
        line
    } else if line.contains("// last to first") {
        (0..layers).rev().map(of_layer).collect()
    } else if names("_N") || names("_M") {
        (0..layers).map(of_layer).collect()
    } else if names("_K") {
        (0..tasks).map(|k| numbered(&line, "_K", k)).collect()
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Matrix, Target};
    use crate::gpu::check_shader;
    use crate::loss::Task;
    use crate::{Activation, Loss};

    fn made(hidden: &[usize], tasks: &[Task], lanes: usize) -> String {
        let network = Network::new(5, hidden, Activation::Gelu, tasks).expect("a network");
        let target = |task: &Task| match task.loss.predicts_class() {
            true => Target::classes(vec![0, 1]).labelled(vec![true, false]),
            false => {
                let zeros = vec![0.0; 2 * task.width];
                Ok(Target::numbers(Matrix::new(task.width, zeros).expect("a matrix")))
            }
        };
        let targets: Vec<Target> = tasks.iter().map(|t| target(t).expect("a target")).collect();
        let labels = crate::loss::Labels::pack(tasks, &targets).expect("labels");
        text(&network, &labels.layouts, 7, lanes)
    }

    #[test]
    fn the_text_made_for_a_network_is_a_valid_kernel() {
        let smoothed =
            Loss::CrossEntropy { label_smoothing: 0.1, class_weights: Some(vec![1.0, 2.0, 3.0]) };
        let tasks = [
            Task::new("value", Loss::Mse, 9),
            Task::new("kind", smoothed, 3),
            Task::new("flag", Loss::Bce, 1),
        ];
        for hidden in [&[][..], &[8], &[3, 17, 1]] {
            for lanes in [8, 16] {
                check_shader(&kernels::SMALL_STEPS, &made(hidden, &tasks, lanes));
                check_shader(&kernels::SMALL_STEPS, &made(hidden, &tasks[1..2], lanes));
            }
        }
    }

    #[test]
    fn a_mark_is_replaced_only_where_it_ends_a_name() {
        assert_eq!(numbered("a_N + RECORD_NONE_N(b_NN)", "_N", 3), "a_3 + RECORD_NONE_3(b_NN)");
    }

    #[test]
    fn lines_are_repeated_for_layers_and_tasks() {
        assert_eq!(repeated("f_N(u_N, u_M);", 2, 1), "f_0(u_0, u_1);\nf_1(u_1, u_2);\n");
        assert_eq!(
            repeated("b_N(); // last to first", 2, 1).lines().next(),
            Some("b_1(); // last to first")
        );
        assert_eq!(repeated("t_K(u_L);", 3, 2), "t_0(u_3);\nt_1(u_3);\n");
        assert_eq!(repeated("// of _N", 3, 2), "// of _N\n");
    }
}
