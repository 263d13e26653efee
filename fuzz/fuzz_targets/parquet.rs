#![no_main]

/// What the crate `parquet` may reserve for a compressed page, by what its header says.
const PAGE: usize = i32::MAX as usize;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| awl_fuzz::bounded(
    awl_fuzz::targets::parquet,
    bytes,
    PAGE
));
