//! The lists of changes that `scripts/mutants` makes: each can still be made, and leaves out no kernel.

use std::collections::BTreeSet;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The tables of a list, as strings by key.
fn list(name: &str) -> Vec<toml::Table> {
    let path = Path::new(ROOT).join("tests/mutations").join(name);
    let text = std::fs::read_to_string(&path).expect("a list");
    let whole: toml::Table = text.parse().expect("TOML");
    let tables = whole["mutation"].as_array().expect("tables");
    tables.iter().map(|table| table.as_table().expect("a table").clone()).collect()
}

fn text<'a>(mutation: &'a toml::Table, key: &str) -> &'a str {
    mutation[key].as_str().unwrap_or_else(|| panic!("{key} of {mutation}"))
}

#[test]
fn every_change_can_be_made() {
    for mutation in ["rust.toml", "shaders.toml", "weighting.toml"].into_iter().flat_map(list) {
        let [file, find, replace, breaks, killed_by] =
            ["file", "find", "replace", "breaks", "killed_by"].map(|key| text(&mutation, key));
        let source = std::fs::read_to_string(Path::new(ROOT).join(file)).expect(file);
        assert_eq!(source.matches(find).count(), 1, "{file}, {breaks}: {find}");
        assert_ne!(find, replace, "{file}, {breaks}");
        let (target, names) = killed_by.split_once(' ').expect("a target and names of tests");
        assert!(["lib", "bin", "truth"].contains(&target) && !names.is_empty(), "{file}, {breaks}");
    }
}

#[test]
fn every_kernel_that_computes_is_changed() {
    let lists = ["shaders.toml", "weighting.toml"].into_iter().flat_map(list);
    let changed: BTreeSet<String> = lists.map(|mutation| text(&mutation, "file").into()).collect();
    // Structs and places alone, what software adapters take on a CPU with AVX-512 only, and what benchmarks measure with.
    let without = [
        "bench/arithmetic",
        "shared/grid",
        "shared/layer",
        "shared/one_task",
        "shared/records",
        "shared/step",
        "shared/this_step",
        "small/lanes",
        "small/layer_share",
        "small/shares",
        "unfused/clip_factor",
    ];
    let mut missing = Vec::new();
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("a folder of shaders");
        entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>()
    };
    let folders = entries(&Path::new(ROOT).join("shaders"));
    for path in folders.iter().flat_map(|folder| entries(folder)) {
        let name = path.strip_prefix(ROOT).expect("within").display().to_string();
        if !changed.contains(&name) {
            missing.push(name);
        }
    }
    let is_without =
        |name: &String| without.iter().any(|without| *name == format!("shaders/{without}.wgsl"));
    missing.retain(|name| !is_without(name));
    assert!(missing.is_empty(), "no change of {missing:?}");
}
