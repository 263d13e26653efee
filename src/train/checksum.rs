//! The checksum by which damage is noticed that left a file of tensors readable: the CRC-32C of the whole file, header and all.
//!
//! It lies before the notes, `{"crc32c": "1a2b3c4d", "sealed": …}`, at the same place of every file, and counts as zeros in what it sums
//! up. Files without it, PyTorch's or awl's from before, are taken as they are.

use serde_json::{Value, json};

/// What a file with a checksum begins with, after the eight bytes that say how long its header is.
const START: &[u8] = br#"{"__metadata__":{"awl":"{\"crc32c\":\""#;
const AT: usize = 8 + START.len();
const DIGITS: &[u8; 8] = b"00000000";
const KEY: &str = "crc32c";
/// The notes' key, by which a file is known to have a checksum whose own key was damaged.
const NOTES: &str = "sealed";

/// Notes with room for the checksum.
pub(super) fn with_room(notes: &Value) -> Value {
    json!({ KEY: String::from_utf8_lossy(DIGITS), NOTES: notes })
}

/// The notes themselves, from a file with or without a checksum; none if the checksum is not where it was written.
pub(super) fn notes_of(bytes: &[u8], mut found: Value) -> Option<Value> {
    match found.as_object().is_some_and(|it| it.len() == 2 && it.contains_key(NOTES)) {
        true => sum(bytes).map(|_| found[NOTES].take()),
        false => Some(found),
    }
}

/// Puts the checksum into its room; whether there was one.
pub(super) fn seal(bytes: &mut [u8]) -> bool {
    let Some(sum) = sum(bytes) else { return false };
    bytes[AT..][..DIGITS.len()].copy_from_slice(digits(sum).as_bytes());
    true
}

/// Whether a file is what was written, as far as it says.
pub(super) fn is_right(bytes: &[u8]) -> bool {
    sum(bytes).is_none_or(|sum| bytes[AT..].starts_with(digits(sum).as_bytes()))
}

fn digits(sum: u32) -> String {
    format!("{sum:08x}")
}

/// The checksum of a file that has room for one.
fn sum(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.get(8..)?.strip_prefix(START)?.get(DIGITS.len()..)?;
    let sum = crc32c::crc32c(&bytes[..AT]);
    Some(crc32c::crc32c_append(crc32c::crc32c_append(sum, DIGITS), rest))
}
