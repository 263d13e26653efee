//! Every kernel: which files make up its source, and what it binds. One table, so that a test can hold all
//! of them against naga without a GPU.
//!
//! A kernel's source is its own file after the shared ones that it uses, joined as they are, or before them what a template
//! makes of it (`gpu::template`); WGSL lets declarations stand in any order.

/// How a kernel uses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A uniform buffer.
    Uniform,
    /// A storage buffer that is only read.
    Read,
    /// A storage buffer that is written.
    Write,
}

/// What a kernel knows of the step that it is dispatched for (`shaders/shared/step.wgsl`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knows {
    /// Nothing.
    Alone,
    /// What it is for all members: group 1.
    Step,
    /// What it is for each, too: group 2. Not one group, since that which a kernel leaves alone costs software adapters time.
    Members,
}

/// A kernel's source and its bindings in group 0, in order.
pub(crate) struct Source {
    /// Its name, the file's under `shaders/`; also its label on the device.
    pub label: &'static str,
    /// The files, shared ones first; without its own where that is a template.
    pub parts: &'static [&'static str],
    /// Group 0.
    pub bindings: &'static [Access],
    /// What it knows of the step that it is dispatched for, in groups 1 and 2.
    pub knows: Knows,
    /// Whether it is for one vector of a software adapter, eight or sixteen lanes, with large private arrays
    /// (`gpu::software`).
    pub vector: bool,
    /// Whether a text comes before it that says what the schemes of a fleet do (`engine::rules`).
    #[cfg(test)]
    pub ruled: bool,
}

impl Source {
    /// The whole text; that of a template comes before it.
    pub fn text(&self) -> String {
        self.parts.concat()
    }

    /// Whether it is whole only with a text that is made.
    #[cfg(test)]
    pub fn is_made(&self) -> bool {
        self.ruled || TEMPLATES.iter().any(|(name, _)| *name == self.label)
    }
}

macro_rules! shader {
    ($path:literal) => {
        include_str!(concat!("../../shaders/", $path, ".wgsl"))
    };
}

/// The templates by name: those of kernels, and what they include.
pub(super) const TEMPLATES: [(&str, &str); 20] = [
    ("block/step", shader!("block/step")),
    ("block/pack", shader!("block/pack")),
    ("block/finish", shader!("block/finish")),
    ("block/places", shader!("block/places")),
    ("resident/steps", shader!("resident/steps")),
    ("resident/ending", shader!("resident/ending")),
    ("workgroup/units", shader!("workgroup/units")),
    ("workgroup/gradients", shader!("workgroup/gradients")),
    ("workgroup/passes", shader!("workgroup/passes")),
    ("workgroup/products", shader!("workgroup/products")),
    ("workgroup/losses", shader!("workgroup/losses")),
    ("small/steps", shader!("small/steps")),
    ("small/shares", shader!("small/shares")),
    ("small/tile", shader!("small/tile")),
    ("small/layer", shader!("small/layer")),
    ("small/layer_state", shader!("small/layer_state")),
    ("small/layer_share", shader!("small/layer_share")),
    ("small/task", shader!("small/task")),
    ("vector/rows", shader!("vector/rows")),
    ("gram/weights", shader!("gram/weights")),
];

/// Declares kernels: `NAME: "label" = [shared files…] [bindings…], members, step or alone;`
///
/// `template` marks those that are made for a shape, whose own file is a template; `vector` those of them that are for one
/// vector of a software adapter; `ruled` those that say what the schemes of a fleet do.
macro_rules! kernels {
    (@knows alone) => { Knows::Alone };
    (@knows step) => { Knows::Step };
    (@knows members) => { Knows::Members };
    (@vector template vector) => { true };
    (@vector $(template)? $(ruled)?) => { false };
    (@ruled $(template)? ruled) => { true };
    (@ruled $(template)? $(vector)?) => { false };
    (@parts template $(vector)? $(ruled)? $label:literal $($part:literal)*) => { &[$(shader!($part)),*] };
    (@parts $(ruled)? $label:literal $($part:literal)*) => { &[$(shader!($part),)* shader!($label)] };
    ($($(#[$doc:meta])* $name:ident: $label:literal = [$($part:literal),*] [$($access:ident),*], $knows:ident $(, $mark:ident)*;)*) => {
        /// The kernels by name.
        pub(crate) mod kernels {
            use super::{Access::*, Knows, Source};
            $(
                $(#[$doc])*
                pub static $name: Source = Source {
                    label: $label,
                    parts: kernels!(@parts $($mark)* $label $($part)*),
                    bindings: &[$($access),*],
                    knows: kernels!(@knows $knows),
                    vector: kernels!(@vector $($mark)*),
                    #[cfg(test)]
                    ruled: kernels!(@ruled $($mark)*),
                };
            )*
            /// All of them.
            #[cfg(test)]
            pub static ALL: &[&Source] = &[$(&$name),*];
        }
    };
}

kernels! {
    /// The epoch's order of the rows.
    ORDER: "epoch/order" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/permutation"]
        [Write, Read], members;
    /// What each batch's losses are divided by.
    NORMALISERS: "epoch/normalisers" = ["shared/grid", "shared/labels", "shared/losses", "shared/numbers", "shared/reduction", "shared/long_sum"]
        [Read, Read, Read, Write, Read], alone;
    /// Their shares added up.
    NORMALISER_SUMS: "epoch/normaliser_sums" = ["shared/grid", "shared/reduction", "shared/long_sum"]
        [Read, Write], alone;
    /// The state before a submission, in case one of its steps cannot be finished.
    KEEP: "epoch/keep" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member"]
        [Read, Read, Write], members;
    /// A layer with its activation.
    FORWARD: "tiled/forward" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/activations", "shared/hash", "shared/dropout", "shared/layer", "shared/tile"]
        [Read, Read, Read, Read, Write, Write], members;
    /// The fused loss pass of a training step.
    LOSS: "tiled/loss" = ["shared/step", "shared/this_step", "shared/this_member", "shared/grid", "shared/numbers", "shared/weighting", "shared/labels", "shared/losses", "shared/reduction", "shared/loss_pass", "shared/long_sum"]
        [Read, Read, Read, Read, Read, Read, Write, Write], members;
    /// The gradient at a layer's input.
    INPUT_GRADIENT: "tiled/input_gradient" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/layer", "shared/tile"]
        [Read, Read, Read, Read, Write], members;
    /// Shares of the gradient of a layer's parameters.
    WEIGHT_GRADIENT: "tiled/weight_gradient" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/layer", "shared/tile"]
        [Read, Read, Read, Read, Write], members;
    /// A fused step but for its end, for one vector of lanes.
    VECTOR_ROWS: "vector/rows" = ["shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/activations", "shared/weighting", "shared/labels", "shared/long_sum", "shared/losses", "vector/layers", "vector/losses"]
        [Read, Read, Read, Read, Read, Read, Write, Write], members, template, vector;
    /// Whole steps of a small network, for one vector of lanes.
    SMALL_STEPS: "small/steps" = ["shared/step", "shared/numbers", "shared/activations", "shared/weighting", "shared/labels", "shared/long_sum", "shared/losses", "shared/adam", "shared/optimizer", "shared/records", "small/lanes"]
        [Read, Read, Read, Read, Read, Read, Read, Read, Write, Write, Write], members, template, vector;
    /// A step of a small network but for its end, for one vector of lanes.
    SMALL_SHARES: "small/shares" = ["shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/activations", "shared/weighting", "shared/labels", "shared/long_sum", "shared/losses", "small/lanes"]
        [Read, Read, Read, Read, Read, Read, Write, Write], members, template, vector;
    /// Whole steps of a small network, by one workgroup.
    RESIDENT_STEPS: "resident/steps" = ["shared/step", "shared/numbers", "shared/activations", "shared/hash", "shared/dropout", "shared/weighting", "shared/labels", "shared/long_sum", "shared/losses", "shared/clip", "shared/adam", "shared/optimizer", "shared/records"]
        [Read, Read, Read, Read, Read, Write, Write, Write, Uniform, Uniform], members, template;
    /// A fused step but for its end, in blocks of rows, on GPUs.
    BLOCK_STEP: "block/step" = ["shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/activations", "shared/hash", "shared/dropout", "shared/weighting", "shared/labels", "shared/long_sum", "shared/losses"]
        [Read, Read, Read, Read, Read, Read, Write, Write], members, template;
    /// The parameters as it reads them.
    BLOCK_PACK: "block/pack" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member"]
        [Read, Write], members, template;
    /// The end of its step.
    BLOCK_FINISH: "block/finish" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/clip", "shared/weighting", "shared/adam", "shared/optimizer", "shared/records", "shared/reduction", "shared/long_sum", "ending/share_sums", "ending/parallel"]
        [Read, Write, Read, Read, Write, Write, Write], members, template;
    /// The end of a fused step on GPUs, of other programs.
    PARALLEL_FINISH: "ending/plain" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/clip", "shared/weighting", "shared/adam", "shared/optimizer", "shared/records", "shared/reduction", "shared/long_sum", "ending/share_sums", "ending/parallel"]
        [Read, Write, Read, Read, Write, Write], members, ruled;
    /// Before the end of a fused step on GPUs that clips its gradient, or has many losses: all sums.
    SUMS: "ending/sums" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/reduction", "shared/long_sum", "ending/share_sums"]
        [Read, Write], members;
    /// Before the end of a fused step that clips its gradient: the gradient's sum and norm.
    GRADIENT_NORM: "ending/gradient_norm" = ["shared/grid", "shared/step", "shared/this_step", "shared/reduction", "shared/long_sum"]
        [Read, Write], step;
    /// Before the end of a fused step with many tasks and shares: the losses' sums.
    LOSS_SUMS: "ending/loss_sums" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/reduction", "shared/long_sum"]
        [Read, Write], members;
    /// Every task's gradient at a layer.
    GRAM_DELTAS: "gram/deltas" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/layer"]
        [Read, Read, Read, Read, Read, Read, Write], members;
    /// A layer's part of the products of the tasks' gradients.
    GRAM_PRODUCTS: "gram/products" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/layer"]
        [Read, Read, Read, Read, Write], members;
    /// The tasks' weights on the gradient from the heads.
    GRAM_SCALE: "gram/scale" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/weighting"]
        [Read, Read, Write, Write], members;
    /// What a scheme does by a dispatch of its own.
    WEIGHTING_STEP: "weighting/step" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/adam", "shared/optimizer", "shared/records", "shared/long_sum"]
        [Read, Write, Read, Read, Read, Write, Write, Read], members, ruled;
    /// The end of a fused step: sums, σ and Adam.
    FINISH: "ending/finish" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/clip", "shared/weighting", "shared/adam", "shared/optimizer", "shared/records", "shared/long_sum"]
        [Read, Write, Read, Read, Read, Write, Write], members, ruled;
    /// The solvers of schemes from gradients by themselves, many problems at once, for tests: a training step has them in
    /// `weighting/step`.
    #[cfg_attr(not(test), allow(dead_code))]
    GRAM_WEIGHTS: "gram/weights" = ["shared/grid", "shared/numbers", "shared/permutation", "gram/present", "gram/matrices", "gram/correlation", "gram/pivoting", "gram/jacobi", "gram/fair"]
        [Read, Read, Read, Read, Write, Write, Write], alone, template;
    /// The fused loss pass on a caller's buffers.
    LOSS_ALONE: "loss_pass/loss_alone" = ["shared/grid", "shared/numbers", "shared/weighting", "shared/labels", "shared/losses", "shared/reduction", "shared/loss_pass", "shared/long_sum"]
        [Read, Read, Read, Read, Read, Write, Write, Read], alone;
    /// Its shares added up in a fixed order.
    LOSS_ALONE_SUM: "loss_pass/loss_alone_sum" = ["shared/grid", "shared/numbers", "shared/weighting", "shared/reduction", "shared/long_sum"]
        [Read, Read, Write, Read], alone;
    /// Adam by itself, on a caller's parameters.
    ADAM_ALONE: "optimizer/adam_alone" = ["shared/grid", "shared/numbers", "shared/adam", "optimizer/clock"]
        [Read, Write, Write, Write, Read, Write], alone;
    /// Its clock, and Adam on the σ of a loss pass.
    ADAM_SIGMA: "optimizer/adam_sigma" = ["shared/grid", "shared/numbers", "shared/adam", "optimizer/clock"]
        [Read, Write, Write, Read, Read, Write], alone;
    /// How fast the adapter computes, for benchmarks, which a browser does not run.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    ARITHMETIC: "bench/arithmetic" = ["shared/grid"]
        [Write], alone;
    /// Unfused: the batch's rows.
    GATHER: "unfused/gather" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member"]
        [Read, Read, Read, Write], members;
    /// Unfused: a matrix product.
    PRODUCT: "unfused/product" = ["shared/grid", "shared/step", "shared/this_step", "shared/tile"]
        [Read, Read, Read, Write], step;
    /// Unfused: adding the bias.
    BIAS: "unfused/bias" = ["shared/grid", "shared/step", "shared/this_step", "shared/layer"]
        [Read, Read, Write], step;
    /// Unfused: the activation.
    ACTIVATION: "unfused/activation" = ["shared/grid", "shared/step", "shared/this_step", "shared/numbers", "shared/activations", "shared/layer"]
        [Read, Read, Write], step;
    /// Unfused: the activation's gradient.
    ACTIVATION_GRADIENT: "unfused/activation_gradient" = ["shared/grid", "shared/step", "shared/this_step", "shared/numbers", "shared/activations", "shared/layer"]
        [Read, Read, Write], step;
    /// Unfused: dropout, forward and backward.
    DROPOUT: "unfused/dropout" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/hash", "shared/dropout", "shared/layer"]
        [Read, Write], members;
    /// Unfused: shares of the bias's gradient.
    BIAS_GRADIENT: "unfused/bias_gradient" = ["shared/grid", "shared/step", "shared/this_step", "shared/layer", "shared/long_sum"]
        [Read, Read, Write], step;
    /// Unfused: the shares of all gradients added up.
    SUM_SHARES: "unfused/sum_shares" = ["shared/grid", "shared/long_sum"]
        [Read, Write], alone;
    /// Unfused: shares of the sum of the gradient's squares.
    SQUARE_SUMS: "unfused/square_sums" = ["shared/grid", "shared/reduction", "shared/long_sum"]
        [Read, Write], alone;
    /// Unfused: by what clipping multiplies the gradient.
    CLIP_FACTOR: "unfused/clip_factor" = ["shared/grid", "shared/numbers", "shared/clip", "shared/reduction", "shared/long_sum"]
        [Read, Write], alone;
    /// Unfused: the gradient multiplied by it.
    SCALE: "unfused/scale" = ["shared/grid"]
        [Read, Write], alone;
    /// Unfused: the loss of each row, numbers.
    ELEMENT_LOSS: "unfused/element_loss" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/labels", "shared/losses", "shared/one_task", "shared/reduction"]
        [Read, Read, Read, Read, Read, Write], members;
    /// Unfused: the gradient at each prediction, numbers.
    ELEMENT_GRADIENT: "unfused/element_gradient" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/labels", "shared/losses", "shared/one_task"]
        [Read, Read, Read, Read, Read, Read, Read, Write], members;
    /// Unfused: log-probabilities of classes.
    LOG_SOFTMAX: "unfused/log_softmax" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/labels", "shared/losses", "shared/one_task", "shared/reduction"]
        [Read, Read, Read, Read, Read, Write], members;
    /// Unfused: the loss of each row, classes.
    CLASS_LOSS: "unfused/class_loss" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/labels", "shared/losses", "shared/one_task", "shared/reduction"]
        [Read, Read, Read, Read, Read, Write], members;
    /// Unfused: the gradient at each logit.
    CLASS_GRADIENT: "unfused/class_gradient" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/labels", "shared/losses", "shared/one_task"]
        [Read, Read, Read, Read, Read, Read, Read, Write], members;
    /// Unfused: shares of a task's summed loss.
    ROW_SUMS: "unfused/row_sums" = ["shared/grid", "shared/step", "shared/this_step", "shared/reduction", "shared/long_sum"]
        [Read, Write], step;
    /// Unfused: a task's mean loss.
    MEAN_LOSS: "unfused/mean_loss" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/reduction", "shared/long_sum"]
        [Read, Read, Read, Write], members;
    /// Unfused: weights and total.
    WEIGH: "unfused/weigh" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/weighting", "shared/records", "shared/long_sum"]
        [Read, Read, Read, Write, Write], members;
    /// Unfused: the gradient of σ.
    SIGMA_GRADIENT: "unfused/sigma_gradient" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/weighting"]
        [Read, Read, Read, Write], members;
    /// Unfused: Adam.
    ADAM: "unfused/adam" = ["shared/grid", "shared/step", "shared/this_step", "shared/this_member", "shared/numbers", "shared/weighting", "shared/adam", "shared/optimizer", "shared/records"]
        [Read, Write, Read, Read, Read, Read, Write], members;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use naga::valid::{Capabilities, SubgroupOperationSet, ValidationFlags, Validator};
    use std::path::Path;

    /// Holds a kernel's text, with what is made for a shape, against naga, the table, and the languages of all drivers.
    pub(crate) fn check(source: &Source, made: &str) {
        let text = made.to_string() + &source.text();
        let fail = |e: &dyn std::fmt::Display| -> ! { panic!("{}: {e}", source.label) };
        let module =
            naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| fail(&e.emit_to_string(&text)));
        // WebGPU without optional features, but for the kernels that ask for more.
        let capabilities = match source.vector {
            true => Capabilities::SUBGROUP,
            false => Capabilities::empty(),
        };
        Validator::new(ValidationFlags::all(), capabilities)
            .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
            .subgroup_operations(SubgroupOperationSet::all())
            .validate(&module)
            .unwrap_or_else(|e| fail(&e.emit_to_string(&text)));
        let bound = module.global_variables.iter().filter_map(|(_, variable)| {
            let binding = variable.binding.as_ref()?;
            (binding.group == 0).then(|| (binding.binding, access(variable.space)))
        });
        let mut found: Vec<_> = bound.collect();
        found.sort_by_key(|(binding, _)| *binding);
        let declared: Vec<_> = (0..).zip(source.bindings.iter().copied()).collect();
        assert_eq!(found, declared, "{}", source.label);
        let storage = source.bindings.iter().filter(|a| **a != Access::Uniform).count();
        let most = if source.vector { 11 } else { 8 };
        assert!(storage <= most, "{} has more than {most} storage buffers", source.label);
        #[cfg(not(target_arch = "wasm32"))]
        crate::gpu::translations::check(source, &text);
    }

    fn access(space: naga::AddressSpace) -> Access {
        match space {
            naga::AddressSpace::Uniform => Access::Uniform,
            naga::AddressSpace::Storage { access }
                if access.contains(naga::StorageAccess::STORE) =>
            {
                Access::Write
            }
            _ => Access::Read,
        }
    }

    #[test]
    fn every_kernel_is_valid_and_binds_what_the_table_says() {
        // Those made for a shape are checked where they are made.
        kernels::ALL.iter().filter(|source| !source.is_made()).for_each(|source| check(source, ""));
    }

    #[test]
    fn every_shader_file_belongs_to_a_kernel() {
        let mut used: Vec<&str> =
            kernels::ALL.iter().flat_map(|source| source.parts).copied().collect();
        used.extend(TEMPLATES.map(|(_, text)| text));
        used.extend(crate::engine::RULES);
        used.extend(crate::weighting::SCHEMES.iter().map(|scheme| scheme.wgsl()));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
        let entries = |folder: &Path| {
            let entries = std::fs::read_dir(folder).expect("a folder of shaders");
            entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>()
        };
        let mut files = 0;
        // Every kernel lies in a folder, and no folder within another.
        for path in entries(&root).iter().flat_map(|folder| entries(folder)) {
            let text = std::fs::read_to_string(&path).expect("a text");
            let is_used = used.iter().any(|part| *part == text);
            assert!(is_used, "{} is used by no kernel", path.display());
            files += 1;
        }
        assert!(files > 40, "only {files} shader files were found");
    }
}
