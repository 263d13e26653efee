//! Tests: every kernel in the languages of the drivers, at every value of its pipeline constants. naga translates, as
//! wgpu has it do, and compilers that know nothing of naga judge what it wrote.
//!
//! | language | for | judged by |
//! |---|---|---|
//! | SPIR-V | Vulkan | `spirv-val` |
//! | MSL | Metal | naga alone: Apple's compiler runs on Apple's machines |
//! | HLSL | DX12 | `glslangValidator -D` |
//! | GLSL ES 3.1 | GL | `glslangValidator` |
//! | WGSL | browsers | `tint`, whose rules are Chromium's: uniformity, reserved words, alignment |
//!
//! Judges that are absent are named on stderr, and fail where `AWL_JUDGES` asks for them (judges.rs).

use super::judges;
use super::shaders::Source;
use super::software;
use naga::back::{glsl, hlsl, msl, pipeline_constants};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{Module, ShaderStage};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// The values that the engines give to each pipeline constant.
const VALUES: [(&str, &[f64]); 34] = [
    ("SCHEME", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
    // Of weighting/step.
    ("PHASE", &[0.0, 1.0, 2.0, 3.0]),
    ("GRAM_SHARES", &[64.0]),
    ("REPRESENTATION_SHARES", &[0.0]),
    ("AT_INPUTS", &[0.0, 1.0]),
    ("AT_OUTPUTS", &[0.0, 1.0]),
    // Of gram/deltas and gram/products.
    ("QUADS", &[2.0]),
    ("OF_HEADS", &[0.0, 1.0]),
    ("SHARES", &[192.0]),
    ("OUTPUTS", &[7.0]),
    ("FIRST", &[64.0]),
    ("CLIP", &[0.0, 0.5]),
    // A tenth of the units, in 32 bits.
    ("DROPS_BELOW", &[0.0, 429_496_730.0]),
    ("KEPT", &[1.0, 1.0 / 0.9]),
    ("LANES_PER_ROW", &[1.0, 8.0, 64.0]),
    ("HAS_CLASS_WEIGHTS", &[0.0, 1.0]),
    ("HAS_SAMPLE_WEIGHTS", &[0.0, 1.0]),
    ("HAS_SMOOTHING", &[0.0, 1.0]),
    ("HAS_OWN_NOISE", &[0.0, 1.0]),
    ("KEEP_SHARES", &[0.0, 1.0]),
    ("CHECKS", &[0.0, 1.0]),
    ("HAS_ORDER", &[0.0, 1.0]),
    ("lhs_along_k", &[0.0, 1.0]),
    ("rhs_along_k", &[0.0, 1.0]),
    // Sizes, of which none changes what is asked of a compiler.
    ("GRADIENT_SHARES", &[64.0]),
    ("LOSS_SHARES", &[64.0]),
    ("LOSSES_AT", &[65_536.0]),
    ("SUMMED_LOSSES_AT", &[1_024.0]),
    ("CELLS", &[1_000.0]),
    ("TASKS", &[3.0]),
    ("NORMS", &[125.0]),
    ("NORMS_AT", &[1_033.0]),
    ("CELL_PARTS", &[1.0, 8.0]),
    ("TASK_PARTS", &[16.0]),
];

/// What a kernel is translated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Spirv,
    Msl,
    Hlsl,
    GlslEs,
    Wgsl,
}

/// The languages that wgpu translates to.
const TARGETS: [Target; 4] = [Target::Spirv, Target::Msl, Target::Hlsl, Target::GlslEs];

/// What cannot be, by whose word, and why. Where that judge is installed these must fail, so that nothing stays here longer
/// than it has to. These kernels run on software adapters for Vulkan only, not on DX12 or in browsers.
const EXEMPT: [(&str, Target, &str, &str); 4] = [
    ("vector/rows", Target::Hlsl, "glslangValidator", NO_ARRAY_ZEROS),
    ("small/steps", Target::Hlsl, "glslangValidator", NO_ARRAY_ZEROS),
    ("small/shares", Target::Hlsl, "glslangValidator", NO_ARRAY_ZEROS),
    (
        "small/steps",
        Target::Wgsl,
        "tint",
        "its subgroups stand under conditions on private variables",
    ),
];
const NO_ARRAY_ZEROS: &str = "glslang knows no zero of an array, which naga starts arrays with";

pub(super) type Constants = Vec<(&'static str, f64)>;

/// Holds a kernel against every target, at every value of its constants. Judges, a process each time, see every pair of values.
pub(super) fn check(source: &Source, text: &str) {
    let module = naga::front::wgsl::parse_str(text)
        .unwrap_or_else(|e| panic!("{}: {}", source.label, e.emit_to_string(text)));
    // No rule that `tint` knows depends on the values of constants.
    hold(source, &module, text, &vec![], Target::Wgsl, true);
    let mut seen = BTreeSet::new();
    for constants in constants_for(source, &module) {
        let is_judged = has_new_pair(&constants, &mut seen);
        for target in TARGETS {
            hold(source, &module, text, &constants, target, is_judged);
        }
    }
}

/// Two constants and their values, as bits.
type Pair = [(&'static str, u64); 2];

/// Whether any two of these values have not been seen together. A value alone is a pair with itself.
fn has_new_pair(constants: &Constants, seen: &mut BTreeSet<Pair>) -> bool {
    let bits: Vec<_> = constants.iter().map(|(name, value)| (*name, value.to_bits())).collect();
    let before = seen.len();
    let is_first = constants.is_empty();
    seen.extend(bits.iter().flat_map(|a| bits.iter().map(move |b| [*a, *b])));
    is_first || seen.len() > before
}

/// All combinations of the values of a kernel's constants; of a kernel for GPUs that is made for a shape, and long, every value.
fn constants_for(source: &Source, module: &Module) -> Vec<Constants> {
    match source.is_made() && !source.vector {
        true => every_value(source.label, module),
        false => specialisations(source.label, module),
    }
}

/// Translates, has it judged if so asked, and panics unless that goes as it should.
fn hold(
    source: &Source,
    module: &Module,
    text: &str,
    constants: &Constants,
    target: Target,
    is_judged: bool,
) {
    let label = source.label;
    let exempt = EXEMPT.iter().find(|(name, of, ..)| *name == label && *of == target);
    let translated = translate(source, module, text, constants, target);
    let outcome = translated.and_then(|work| match (work, is_judged) {
        (Some(work), true) => work.judge(),
        _ => Ok(()),
    });
    match (outcome, exempt) {
        (Ok(()), Some(_)) if !is_judged => {}
        (Ok(()), None) | (Err(_), Some(_)) => {}
        (Err(error), None) => panic!("{label}, {target:?}, {constants:?}: {error}"),
        (Ok(()), Some((.., judge, why))) => {
            assert!(!is_installed(judge), "{label} can go to {target:?} after all, though {why}");
        }
    }
}

/// A module's constants with their values.
fn constants_of(label: &str, module: &Module) -> Vec<(&'static str, &'static [f64])> {
    let names = module.overrides.iter().filter_map(|(_, constant)| constant.name.as_deref());
    let values = |name| {
        let known = VALUES.iter().find(|(known, _)| *known == name);
        *known.unwrap_or_else(|| panic!("{label}: which values has {name}?"))
    };
    names.map(values).collect()
}

/// All combinations of the values of a module's constants.
fn specialisations(label: &str, module: &Module) -> Vec<Constants> {
    constants_of(label, module).iter().fold(vec![vec![]], |combinations, (name, values)| {
        let with = |constants: &Constants| {
            values.iter().map(|v| [constants, &[(*name, *v)][..]].concat()).collect::<Vec<_>>()
        };
        combinations.iter().flat_map(with).collect()
    })
}

/// The fewest combinations that have every value of every constant: the first value of each, the second, and so on.
pub(super) fn every_value(label: &str, module: &Module) -> Vec<Constants> {
    let constants = constants_of(label, module);
    let most = constants.iter().map(|(_, values)| values.len()).max().unwrap_or(1);
    let nth = |n: usize| constants.iter().map(|(name, v)| (*name, v[n.min(v.len() - 1)])).collect();
    (0..most).map(nth).collect()
}

/// A translation with the judge of its language.
struct Work {
    judge: &'static str,
    arguments: &'static [&'static str],
    kind: &'static str,
    file: Vec<u8>,
}

impl Work {
    fn judge(&self) -> Result<(), String> {
        judge(self.judge, self.arguments, self.kind, &self.file)
    }
}

/// Translates; nothing of a language that naga alone judges.
fn translate(
    source: &Source,
    module: &Module,
    text: &str,
    constants: &[(&'static str, f64)],
    target: Target,
) -> Result<Option<Work>, String> {
    let (judge, arguments, kind, file): (_, &[&str], _, _) = match target {
        Target::Spirv => {
            let words = software::spirv(source.label, text, constants);
            // What software adapters are given is changed further.
            let words = if source.vector { software::rewritten(&words) } else { words };
            let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            ("spirv-val", &["--target-env", "vulkan1.1"], "spv", bytes)
        }
        Target::Msl => return to_msl(&specialised(module, constants)?).map(|()| None),
        Target::Hlsl => {
            let text = to_hlsl(&specialised(module, constants)?, source.vector)?;
            let arguments = &["-D", "-S", "comp", "-e", "main", "-V", "--target-env", "vulkan1.1"];
            ("glslangValidator", arguments, "hlsl", text.into_bytes())
        }
        Target::GlslEs => {
            let text = to_glsl(&specialised(module, constants)?)?;
            ("glslangValidator", &["-S", "comp"], "comp", text.into_bytes())
        }
        Target::Wgsl => {
            // naga takes subgroups without asking, browsers do not.
            let prologue = if source.vector { "enable subgroups;\n" } else { "" };
            let text = prologue.to_string() + text;
            ("tint", &["--format", "wgsl", "-o", NULL_DEVICE], "wgsl", text.into_bytes())
        }
    };
    Ok(Some(Work { judge, arguments, kind, file }))
}

const NULL_DEVICE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// A module whose constants have these values.
pub(super) fn specialised(
    module: &Module,
    constants: &[(&'static str, f64)],
) -> Result<(Module, ModuleInfo), String> {
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP);
    validator.subgroup_operations(SubgroupOperationSet::all());
    validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
    let info = validator.validate(module).map_err(|e| format!("{e:?}"))?;
    let constants = constants.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let entry_point = Some((ShaderStage::Compute, "main"));
    let made = pipeline_constants::process_overrides(module, &info, entry_point, &constants);
    let (module, info) = made.map_err(|e| e.to_string())?;
    Ok((module.into_owned(), info.into_owned()))
}

fn to_msl((module, info): &(Module, ModuleInfo)) -> Result<(), String> {
    let options = msl::Options {
        lang_version: (2, 2),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            buffer: BoundsCheckPolicy::Restrict,
            ..Default::default()
        },
        zero_initialize_workgroup_memory: false,
        ..Default::default()
    };
    let entry_point = Some((ShaderStage::Compute, "main".to_string()));
    let pipeline = msl::PipelineOptions { entry_point, ..Default::default() };
    let (_, written) =
        msl::write_string(module, info, &options, &pipeline).map_err(|e| e.to_string())?;
    // naga reports a binding that it cannot place beside the text.
    written.entry_point_names.into_iter().try_for_each(|name| match name {
        Ok(_) => Ok(()),
        Err(e) => Err(e.to_string()),
    })
}

fn to_hlsl((module, info): &(Module, ModuleInfo), has_subgroups: bool) -> Result<String, String> {
    let options = hlsl::Options {
        // 5.1 is what Windows' own compiler takes; subgroups came with 6.0.
        shader_model: match has_subgroups {
            true => hlsl::ShaderModel::V6_0,
            false => hlsl::ShaderModel::V5_1,
        },
        zero_initialize_workgroup_memory: false,
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions::default();
    let mut text = String::new();
    let mut writer = hlsl::Writer::new(&mut text, &options, &pipeline);
    writer.write(module, info, None).map_err(|e| e.to_string())?;
    Ok(text)
}

fn to_glsl((module, info): &(Module, ModuleInfo)) -> Result<String, String> {
    let options = glsl::Options {
        version: glsl::Version::new_gles(310),
        zero_initialize_workgroup_memory: false,
        ..Default::default()
    };
    let pipeline = glsl::PipelineOptions {
        shader_stage: ShaderStage::Compute,
        entry_point: "main".into(),
        multiview: None,
    };
    let mut text = String::new();
    let policies = BoundsCheckPolicies::default();
    let writer = glsl::Writer::new(&mut text, module, info, &options, &pipeline, policies);
    writer.and_then(|mut writer| writer.write()).map_err(|e| e.to_string())?;
    Ok(text)
}

/// Has a program judge a file with these contents; its words, if it is not content.
fn judge(program: &'static str, arguments: &[&str], kind: &str, file: &[u8]) -> Result<(), String> {
    let file = Temporary::new(kind, file);
    match Command::new(program)
        .args(arguments)
        .arg(&file.0)
        .current_dir(std::env::temp_dir())
        .output()
    {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Err(format!("{program}: {}", String::from_utf8_lossy(&said)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            judges::absent(program, &error.to_string());
            Ok(())
        }
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// A file that is removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(kind: &str, contents: &[u8]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("awl-translation-{}-{count}.{kind}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, contents).expect("a temporary file");
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judge_that_is_not_content_is_heard() {
        let error = judge("spirv-val", &[], "spv", b"no SPIR-V");
        assert_eq!(error.is_err(), is_installed("spirv-val"), "{error:?}");
    }

    /// Of eight combinations of three, fewer have every pair.
    #[test]
    fn judges_see_every_pair_of_values() {
        let mut seen = BTreeSet::new();
        let all = (0..8u32).map(|n| {
            let bit = |at: u32| f64::from((n >> at) & 1);
            vec![("SCHEME", bit(2)), ("CHECKS", bit(1)), ("CLIP", bit(0))]
        });
        let judged: Vec<Constants> = all.filter(|it| has_new_pair(it, &mut seen)).collect();
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let pairs = judged.iter().map(|it| (it[a].1.to_bits(), it[b].1.to_bits()));
            assert_eq!(pairs.collect::<BTreeSet<_>>().len(), 4, "{judged:?}");
        }
        assert!(judged.len() < 8, "{judged:?}");
        assert!(has_new_pair(&vec![], &mut BTreeSet::new()));
    }

    #[test]
    fn every_combination_of_constants_is_one_specialisation() {
        let text = "override SCHEME: u32; override KEEP_SHARES: bool;
            @compute @workgroup_size(1) fn main() { _ = SCHEME; _ = KEEP_SHARES; }";
        let module = naga::front::wgsl::parse_str(text).expect("a module");
        let of = |scheme, keep| vec![("SCHEME", scheme), ("KEEP_SHARES", keep)];
        let schemes = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let all = schemes.map(|scheme| [of(scheme, 0.0), of(scheme, 1.0)]);
        assert_eq!(specialisations("a test", &module), all.concat());
        let few = schemes.map(|scheme| of(scheme, scheme.min(1.0)));
        assert_eq!(every_value("a test", &module), few);
    }
}
