//! The WGSL of `shaders/small/`, made for a network.

use crate::gpu::SMALL_TEMPLATES;
use crate::loss::{NONE, TaskLayout};
use crate::network::Network;
use std::fmt::Write;

/// The WGSL made for a network: its constants, then the files with a copy of every line and function a layer or task.
/// The last two are those of one of the two programs: what it does with a layer, and its `main`.
pub(super) fn text(
    network: &Network,
    tasks: &[TaskLayout],
    lanes: usize,
    [own_layer_file, main_file]: [&str; 2],
) -> String {
    let layers = network.layers();
    let [layer_file, task_file, tile_file] = SMALL_TEMPLATES;
    let mut text = constants(network, tasks, lanes);
    for n in 0..layers.len() {
        for file in [layer_file, own_layer_file] {
            text += &numbered(&numbered(file, "_N", n), "_M", n + 1);
        }
    }
    for k in 0..tasks.len() {
        text += &numbered(&numbered(task_file, "_K", k), "_L", layers.len());
    }
    let lines = tile_file.lines().chain(main_file.lines());
    lines.for_each(|line| text += &repeated(line, layers.len(), tasks.len()));
    text
}

/// The constants that the files ask for, and the types of the layers' units.
fn constants(network: &Network, tasks: &[TaskLayout], lanes: usize) -> String {
    let layers = network.layers();
    let mut text = String::from("// Made by engine::programs::small for one network.\n");
    let mut constant = |name: &str, value: usize| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "const {name} = {value}u;");
    };
    constant("LANES", lanes);
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
    use crate::gpu::{SMALL_RUN, SMALL_SHARE, check_shader, kernels};
    use crate::loss::Task;
    use crate::{Activation, Loss};

    fn made(hidden: &[usize], tasks: &[Task], lanes: usize, templates: [&str; 2]) -> String {
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
        text(&network, &labels.layouts, lanes, templates)
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
            for (tasks, lanes) in [(&tasks[..], 8), (&tasks[1..2], 16)] {
                let steps = made(hidden, tasks, lanes, SMALL_RUN);
                check_shader(
                    &kernels::SMALL_STEPS,
                    &("const STEPS_A_DISPATCH = 7u;\n".to_string() + &steps),
                );
                check_shader(&kernels::SMALL_SHARES, &made(hidden, tasks, lanes, SMALL_SHARE));
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
