#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| awl_fuzz::bounded(awl_fuzz::targets::config, bytes, 0));
