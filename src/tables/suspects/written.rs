//! Numbers as people write them: `$1,200.50`, `12 kg`, `3,5 %`, taken apart into the number and what is around it.

use super::look::is_number;
use crate::tables::read::CURRENCIES;

/// What can separate the thousands.
const THOUSANDS: [char; 8] = [',', '.', ' ', '\u{a0}', '\u{202f}', '\'', '’', '_'];

/// Endings of words that make a number an ordinal.
const ORDINALS: [&str; 4] = ["st", "nd", "rd", "th"];

/// A longer word is no unit.
const LONGEST_UNIT: usize = 16;

/// A text that is a number with something around it, or a plain number, around which there is nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Written<'a> {
    /// A sign of a currency.
    pub before: Option<&'a str>,
    /// A unit, a percent sign or a sign of a currency.
    pub after: Option<&'a str>,
    /// Whether there is a space between the number and what is after it.
    pub is_apart: bool,
    /// Whether its digits are not those of a plain number: it has separators of thousands, or a decimal comma.
    pub is_separated: bool,
}

impl<'a> Written<'a> {
    /// Takes a text apart, if it is such a number.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if is_number(text) {
            let (before, after, is_apart, is_separated) = (None, None, false, false);
            return Some(Self { before, after, is_apart, is_separated });
        }
        let body = text.trim_start_matches(CURRENCIES);
        // The sign comes before or after that of the currency: -$5, $-5.
        let (before, body) = match text.strip_prefix(['-', '+']) {
            Some(unsigned) if body.len() == text.len() => {
                let body = unsigned.trim_start_matches(CURRENCIES);
                (&unsigned[..unsigned.len() - body.len()], body)
            }
            _ => (&text[..text.len() - body.len()], body.strip_prefix(['-', '+']).unwrap_or(body)),
        };
        let body = body.trim_start();
        let last_digit = body.rfind(|sign: char| sign.is_ascii_digit())?;
        // Digits within a unit are those of m2 and cm3.
        let end = match body.find(|sign: char| sign.is_alphabetic()) {
            Some(letter) if letter <= last_digit => body[..letter].trim_end().len(),
            _ => last_digit + 1,
        };
        let (digits, rest) = body.split_at(end);
        let after = rest.trim_start();
        let is_apart = after.len() < rest.len();
        let is_separated = !is_plain(digits);
        let is_number = !is_separated || has_separators(digits);
        let some = |text: &'a str| (!text.is_empty()).then_some(text);
        (is_number && (after.is_empty() || is_unit(after, is_apart))).then(|| Self {
            before: some(before),
            after: some(after),
            is_apart,
            is_separated,
        })
    }

    /// Whether this is more than a plain number.
    pub(super) fn is_more(&self) -> bool {
        self.is_separated || self.before.is_some() || self.after.is_some()
    }
}

/// Whether these are the digits of a plain number without a sign.
fn is_plain(digits: &str) -> bool {
    let signs = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    signs && digits.parse::<f64>().is_ok()
}

/// Whether these digits have separators between thousands, `1.234.567,8`, or a decimal comma, `3,5`.
fn has_separators(digits: &str) -> bool {
    let Some(thousands) = digits.chars().find(|sign| !sign.is_ascii_digit()) else { return false };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // What comes after another sign is a fraction.
    let is_other = |sign: char| (sign == '.' || sign == ',') && sign != thousands;
    let (whole, fraction) = match digits.rsplit_once(is_other) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut groups = whole.split(thousands);
    let is_first = groups.next().is_some_and(|first| is_digits(first) && first.len() <= 3);
    let are_grouped = THOUSANDS.contains(&thousands)
        && is_first
        && groups.all(|group| is_digits(group) && group.len() == 3)
        && fraction.is_none_or(is_digits);
    let has_comma =
        || digits.split_once(',').is_some_and(|(whole, part)| is_digits(whole) && is_digits(part));
    are_grouped || has_comma()
}

/// Whether what comes after a number is a sign or one word for a unit: `%`, `€`, `kg`, `km/h`, `°C`, `m²`, `cm3`.
fn is_unit(text: &str, is_apart: bool) -> bool {
    if text == "%" || text == "‰" || text.chars().all(|sign| CURRENCIES.contains(&sign)) {
        return true;
    }
    let is_sign = |sign: char| sign.is_alphabetic() || "/°²³µ%\"'.".contains(sign);
    let stem = text.strip_suffix(['2', '3']).unwrap_or(text);
    let is_ordinal = ORDINALS.iter().any(|ordinal| text.eq_ignore_ascii_case(ordinal));
    text.chars().count() <= LONGEST_UNIT
        && !stem.is_empty()
        && stem.chars().all(is_sign)
        && text.chars().any(|sign| !".'/".contains(sign))
        && (is_apart || !is_ordinal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_apart() {
        for (text, before, after, is_apart, is_separated) in [
            ("12 kg", None, Some("kg"), true, false),
            ("3.5cm", None, Some("cm"), false, false),
            ("1,200 USD", None, Some("USD"), true, true),
            ("$1,163.74", Some("$"), None, false, true),
            ("-€ 5", Some("€"), None, false, false),
            ("£-7.5", Some("£"), None, false, false),
            ("45%", None, Some("%"), false, false),
            ("3,5 %", None, Some("%"), true, true),
            ("1.234.567,8", None, None, false, true),
            ("1 200", None, None, false, true),
            ("12 km/h", None, Some("km/h"), true, false),
            ("21°C", None, Some("°C"), false, false),
            ("70 m2", None, Some("m2"), true, false),
            ("14.0", None, None, false, false),
            ("-1e5", None, None, false, false),
        ] {
            let written = Written { before, after, is_apart, is_separated };
            assert_eq!(Written::read(text), Some(written), "{text}");
        }
    }

    #[test]
    fn codes_dates_lists_and_words_are_no_numbers() {
        for text in [
            "B5",
            "A12",
            "3rd",
            "2nd",
            "21st",
            "4th",
            "kg",
            "",
            "1.2.3",
            "12-34-5678",
            "12:30",
            "2024-03-01",
            "1,2,3",
            "5 ft 10 in",
            "10+ years",
            "12 of 20",
            "7a8",
            "192.168.1.1",
            "<5",
            "1/2",
            "12,34.5,6",
            "1 Mar 2024",
            "12 --",
            "3 blind mice",
        ] {
            assert_eq!(Written::read(text), None, "{text}");
        }
    }
}
