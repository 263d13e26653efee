//! The files that fuzzing found worth keeping (`fuzz/corpus`), through the same functions, without the fuzzer.

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::path::Path;

/// Hands every file of a target's corpus to it; none may panic.
fn all(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).expect("a corpus").flatten();
    let files: Vec<_> = files.map(|file| file.path()).collect();
    assert!(files.len() > 5, "{name} has {} files", files.len());
    for file in files {
        let bytes = std::fs::read(&file).expect("a file");
        // A panic is told with the file that it is of.
        let outcome = std::panic::catch_unwind(|| target(&bytes));
        assert!(outcome.is_ok(), "{}", file.display());
    }
}

#[test]
fn hostile_tables_are_refused_or_read() {
    all("table", targets::table);
}

#[cfg(feature = "parquet")]
#[test]
fn hostile_parquet_files_are_refused_or_read() {
    all("parquet", targets::parquet);
}

#[test]
fn hostile_safetensors_files_are_refused_or_read() {
    all("safetensors", targets::safetensors);
}

#[test]
fn hostile_configurations_are_refused_or_read() {
    all("config", targets::config);
}

#[test]
fn models_of_any_names_and_numbers_are_exported_whole_or_refused() {
    all("onnx", targets::onnx);
}
