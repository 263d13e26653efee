//! Whole numbers that `f64` does not tell from their neighbours: identifiers and hashes of 17 digits and more, mostly.
//!
//! A column of numbers keeps such cells as they are written too. As numbers they are rounded, as a measurement is; as classes
//! or categories they must not become one.

/// From here on not all whole numbers have an `f64` of their own: 2⁵³.
pub(super) const INEXACT: f64 = 9_007_199_254_740_992.0;

/// The digits of a cell that is a whole number which its `f64` would not be written as: `9007199254740993`, and
/// `1152921504606846976`, which is 2⁶⁰ but would be written as `1152921504606847000`. Without a plus and zeros behind a point.
pub(super) fn digits_beyond(cell: &str, number: f64) -> Option<&str> {
    if number.is_nan() || number.abs() < INEXACT {
        return None;
    }
    let cell = cell.trim();
    let cell = cell.strip_prefix('+').unwrap_or(cell);
    let whole = match cell.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => cell,
    };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_whole && number.to_string() != whole).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_that_would_be_written_otherwise_are_beyond() {
        for (cell, beyond) in [
            ("9007199254740991", None),
            ("9007199254740992", None),
            ("9007199254740993", Some("9007199254740993")),
            ("-9007199254740993", Some("-9007199254740993")),
            ("+9007199254740993.00", Some("9007199254740993")),
            (" 9007199254740993 ", Some("9007199254740993")),
            ("9007199254740993.5", None),
            ("9007199254740994", None),
            // 2^60, and what f64 makes of it in its shortest form.
            ("1152921504606846976", Some("1152921504606846976")),
            ("1152921504606847000", None),
            ("1152921504606846977", Some("1152921504606846977")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("1e300", None),
            (
                "12345678901234567890123456789012345678901",
                Some("12345678901234567890123456789012345678901"),
            ),
            ("NaN", None),
            ("42", None),
        ] {
            assert_eq!(digits_beyond(cell, cell.trim().parse().unwrap()), beyond, "{cell}");
        }
    }
}
