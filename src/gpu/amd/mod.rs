//! Tests: what AMD's compiler makes of every kernel that a GPU may get, on families of GPUs that nobody need have at hand:
//! registers, workgroup memory, waves and code (`radv.rs`), held to the tables in `tests/amd` (`table.rs`).

mod radv;
mod table;

use self::radv::{Binary, Compiled, Figures, Kind};
use self::table::{ANEW, Row, Table};
use super::shaders::{Source, kernels};
use super::{judges, lock, translations};
use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::{AddressSpace, Module, ShaderStage};
use std::sync::Mutex;

/// Families of GPUs. RDNA 2 and GCN 5 have 256 vector registers a lane. For RDNA 3 Mesa 22.3 takes 128 at most: it stands for
/// GPUs that have no more, as Apple's and Intel's.
const FAMILIES: [&str; 3] = ["navi21", "vega10", LEAN];
const LEAN: &str = "gfx1100";

/// A kernel to be judged.
pub(crate) struct Candidate {
    /// Its label; with its shape, if it is made for one.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Values of its pipeline's constants.
    pub constants: translations::Constants,
    /// Whether it is to do with 128 registers too.
    pub is_lean: bool,
}

/// Compiles kernels and holds what they take against `tests/amd/NAME.csv`, which has a row for each of them and none besides.
/// With `AWL_AMD_TABLE=write` it makes that table anew, and its picture in docs/performance.md. What spills fails.
///
/// # Panics
/// With all that is wrong. Where the driver is absent nothing is judged; where it is of another version than the table, spills
/// alone are. Either is told, and fails where `AWL_JUDGES` asks for `radv`.
pub(crate) fn hold(name: &str, candidates: &[Candidate]) {
    let (mut compiler, mut found) = (String::new(), Vec::new());
    for family in FAMILIES {
        let takes = |candidate: &&Candidate| family != LEAN || candidate.is_lean;
        let candidates: Vec<_> = candidates.iter().filter(takes).collect();
        let binaries: Vec<_> = candidates.iter().map(|candidate| binary(candidate)).collect();
        match radv::compile(family, &binaries) {
            Err(reason) => return judges::absent("radv", &reason),
            Ok(compiled) => {
                found.extend(rows(family, &candidates, &compiled));
                compiler = compiled.compiler;
            }
        }
    }
    let place = |row: &Row| candidates.iter().position(|candidate| candidate.name == row.kernel);
    found.sort_by_key(place);
    judge(name, Table { compiler, rows: found });
}

/// The rows of a family, none of which spills.
fn rows(family: &str, candidates: &[&Candidate], compiled: &Compiled) -> Vec<Row> {
    let rows = candidates.iter().zip(&compiled.figures).map(|(candidate, figures)| {
        let row = row(family, candidate, figures);
        let Figures { spills, scratch, seconds, .. } = figures;
        assert!(
            *spills == 0 && *scratch == 0,
            "{}: {spills} registers spill, {scratch} bytes of memory for a wave",
            row.title()
        );
        // Shown by `--nocapture` alone: it depends on what else the machine does.
        if *seconds > 0.1 {
            println!("{}: compiled in {seconds:.2} s", row.title());
        }
        row
    });
    rows.collect()
}

fn row(family: &str, candidate: &Candidate, figures: &Figures) -> Row {
    let constants = candidate.constants.iter().map(|(name, value)| format!("{name}={value}"));
    let Figures { vgprs, lds, waves, code, .. } = *figures;
    Row {
        kernel: candidate.name.clone(),
        constants: constants.collect::<Vec<_>>().join(" "),
        family: family.into(),
        vgprs,
        lds,
        waves,
        code,
    }
}

/// The documentation shows the tables of all who come here: one writes at a time.
static TABLES: Mutex<()> = Mutex::new(());

/// Whether the tables are to be made anew.
fn writes() -> bool {
    match std::env::var("AWL_AMD_TABLE").as_deref() {
        Ok("write") => true,
        Ok(other) => panic!("AWL_AMD_TABLE={other}: the only word is \"write\""),
        Err(_) => false,
    }
}

/// Holds a table against the one that is kept, or keeps it.
fn judge(name: &str, found: Table) {
    let _one = lock(&TABLES);
    if writes() {
        found.write(name);
        return table::show(true);
    }
    let kept = Table::read(name);
    if kept.compiler != found.compiler && !kept.rows.is_empty() {
        let reason = format!(
            "it is {}, and the table is of {}; nothing spills",
            found.compiler, kept.compiler
        );
        return judges::absent("radv", &reason);
    }
    let complaints = kept.complaints(&found.rows);
    let all = complaints.join("\n");
    let of = found.compiler;
    assert!(
        complaints.is_empty(),
        "tests/amd/{name}.csv, of {of}:\n{all}\nIf that is right, {ANEW}"
    );
}

/// A kernel in SPIR-V, under the options that wgpu takes for RADV.
fn binary(candidate: &Candidate) -> Binary {
    let Candidate { name, text, constants, .. } = candidate;
    let fail = |e: &dyn std::fmt::Display| -> ! { panic!("{name}: {e}") };
    let module =
        naga::front::wgsl::parse_str(text).unwrap_or_else(|e| fail(&e.emit_to_string(text)));
    let groups = groups(&module);
    let (module, info) = translations::specialised(&module, constants).unwrap_or_else(|e| fail(&e));
    let options = spv::Options {
        // Of Vulkan 1.3.
        lang_version: (1, 6),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            // The device has robustBufferAccess2.
            buffer: BoundsCheckPolicy::Unchecked,
            ..Default::default()
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: true,
        ..Default::default()
    };
    let entry_point =
        spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".into() };
    let words =
        spv::write_vec(&module, &info, &options, Some(&entry_point)).unwrap_or_else(|e| fail(&e));
    Binary { words, groups }
}

/// What each group binds: numbered from 0 without gaps, as in all of our kernels.
fn groups(module: &Module) -> Vec<Vec<Kind>> {
    let mut groups: Vec<Vec<Kind>> = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(binding) = &variable.binding else { continue };
        let kind = match variable.space {
            AddressSpace::Uniform => Kind::Uniform,
            _ => Kind::Storage,
        };
        let (group, at) = (binding.group as usize, binding.binding as usize);
        groups.resize(groups.len().max(group + 1), vec![]);
        let bindings = &mut groups[group];
        bindings.resize(bindings.len().max(at + 1), kind);
        bindings[at] = kind;
    }
    groups
}

/// A kernel at every value of its constants.
fn candidates(source: &Source) -> Vec<Candidate> {
    let text = crate::engine::no_rules_for(source.label) + &source.text();
    let module = naga::front::wgsl::parse_str(&text).expect("a valid kernel");
    let candidate = |constants| Candidate {
        name: source.label.into(),
        text: text.clone(),
        constants,
        is_lean: true,
    };
    translations::every_value(source.label, &module).into_iter().map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_takes_no_more_than_its_row_says() {
        let for_gpus = kernels::ALL.iter().filter(|source| !source.is_made() || source.ruled);
        hold("kernels", &for_gpus.flat_map(|source| candidates(source)).collect::<Vec<_>>());
    }

    #[test]
    fn the_documentation_shows_the_tables() {
        let _one = lock(&TABLES);
        table::show(writes());
    }
}
