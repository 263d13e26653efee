//! Dates and times as text: to an encoder each is a category of its own, which no later row has.
//!
//! A text is read from its signs alone, in the forms that tables have. Its numbers must be those of a calendar or a
//! clock, so that codes (`12-34-5678`) and versions (`1.2.3`) are none.

use super::look::{Look, quoted};
use super::{Finding, SuspectKind};
use std::ops::RangeInclusive;

/// From so many in a hundred of the different texts on, a column holds dates.
const DATES: usize = 90;

/// What is longer is not even looked at.
const LONGEST: usize = 40;

/// What can be the year of a date.
const YEARS: RangeInclusive<u32> = 1000..=2999;

/// Months by their English names, of which three letters will do.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A column of text that is dates or times.
pub(super) fn dates(look: &Look<'_>) -> Option<Finding> {
    let texts = look.texts()?;
    if !texts.most_are(DATES, is_date_or_time) {
        return None;
    }
    let (example, _) = texts.of.iter().find(|(text, _)| is_date_or_time(text))?;
    let (example, count) = (quoted(example), texts.of.len());
    let what = format!("holds dates or times, such as {example}, as text ({count} different ones)");
    Some((SuspectKind::Date, what))
}

/// Whether a text is a date, a time, or a date with a time.
pub(super) fn is_date_or_time(text: &str) -> bool {
    if text.len() > LONGEST || !text.contains(|sign: char| sign.is_ascii_digit()) {
        return false;
    }
    let mut gaps = text.match_indices([' ', 'T']);
    is_date(text)
        || is_time(text)
        || gaps.any(|(at, _)| {
            is_time(text[at + 1..].trim_start()) && is_date(text[..at].trim_end_matches([' ', ',']))
        })
}

fn is_date(text: &str) -> bool {
    if text.contains(|sign: char| sign.is_alphabetic()) {
        return is_spelt_date(text);
    }
    let Some(sign) = text.chars().find(|sign| ['-', '/', '.'].contains(sign)) else { return false };
    let Some([a, b, c]) = three(text.split(sign)) else { return false };
    let year_first = is_long_year(a) && is_month(b) && is_day(c);
    let day_first = is_day(a) && is_month(b) && is_year(c);
    // Nobody writes the month first with full stops.
    let month_first = sign != '.' && is_month(a) && is_day(b) && is_year(c);
    year_first || day_first || month_first
}

/// Whether a text is a date with the month's name: `1 Mar 2024`, `Mar 1, 2024`, `01-Mar-24`.
fn is_spelt_date(text: &str) -> bool {
    let parts = text.split([' ', ',', '-', '.', '/']).filter(|part| !part.is_empty());
    match three(parts) {
        Some([a, b, c]) => {
            (is_day(a) && is_month_name(b) && is_year(c))
                || (is_month_name(a) && is_day(b) && is_year(c))
                || (is_long_year(a) && is_month_name(b) && is_day(c))
        }
        None => false,
    }
}

/// Whether a text is a time: `9:30`, `12:00:07.25+01:00`, `3:15 pm`, `18.00.00`.
fn is_time(text: &str) -> bool {
    let text = without_zone(text);
    let small = text.to_ascii_lowercase();
    let half = small.strip_suffix("am").or_else(|| small.strip_suffix("pm"));
    let clock = half.map_or(text, |half| text[..half.len()].trim_end());
    let mut parts = clock.split(':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(hour), Some(minute), None, _) => is_hour(hour) && is_sixtieth(minute),
        (Some(hour), Some(minute), Some(second), None) => {
            // Fractions of a second may have any number of digits.
            let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, "0"));
            is_hour(hour)
                && is_sixtieth(minute)
                && is_sixtieth(second)
                && number(fraction, 1..=9).is_some()
        }
        _ => three(clock.split('.')).is_some_and(|[hour, minute, second]| {
            hour.len() == 2 && is_hour(hour) && is_sixtieth(minute) && is_sixtieth(second)
        }),
    }
}

/// A time without what says where it holds: `Z`, ` UTC`, `+01:00`, `-0530`.
fn without_zone(text: &str) -> &str {
    if let Some(clock) = ["Z", " UTC", " GMT"].iter().find_map(|zone| text.strip_suffix(zone)) {
        return clock;
    }
    let Some((clock, zone)) = text.rsplit_once(['+', '-']) else { return text };
    let (hour, minute) = match zone.split_once(':') {
        Some(parts) => parts,
        None => zone.split_at_checked(2).unwrap_or((zone, "")),
    };
    let is_zone = hour.len() == 2 && is_hour(hour) && (minute.is_empty() || is_sixtieth(minute));
    if is_zone { clock.trim_end() } else { text }
}

/// The parts, if there are three of them.
fn three<'a>(mut parts: impl Iterator<Item = &'a str>) -> Option<[&'a str; 3]> {
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

/// The number that a text of so many digits is.
fn number(text: &str, digits: RangeInclusive<usize>) -> Option<u32> {
    let is_one = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_one)
}

fn is_long_year(text: &str) -> bool {
    number(text, 4..=4).is_some_and(|year| YEARS.contains(&year))
}

fn is_year(text: &str) -> bool {
    number(text, 2..=2).is_some() || is_long_year(text)
}

fn is_month(text: &str) -> bool {
    number(text, 1..=2).is_some_and(|month| (1..=12).contains(&month))
}

fn is_month_name(text: &str) -> bool {
    let small = text.to_ascii_lowercase();
    // Of four letters it is September's only abbreviation.
    small == "sept" || (small.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(&small)))
}

fn is_day(text: &str) -> bool {
    number(text, 1..=2).is_some_and(|day| (1..=31).contains(&day))
}

fn is_hour(text: &str) -> bool {
    number(text, 1..=2).is_some_and(|hour| hour < 24)
}

/// Minutes, or seconds, of which a leap second is the sixtieth.
fn is_sixtieth(text: &str) -> bool {
    number(text, 2..=2).is_some_and(|sixtieth| sixtieth <= 60)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{column, kinds};
    use super::*;

    #[test]
    fn dates_and_times_are_known_by_their_form() {
        for text in [
            "2024-03-01",
            "2024/03/01",
            "2024-03-01T12:00",
            "2024-03-01T12:00:00.123Z",
            "2024-03-01 12:00:00+01:00",
            "2024-03-01T12:00:07-0530",
            "31/12/1999",
            "12/31/99",
            "3/7/2021 4:05 PM",
            "1.3.2024",
            "10.04.98",
            "24-12-2020",
            "1 Mar 2024",
            "Mar 1, 2024",
            "01-Mar-24",
            "September 30 1987",
            "1 Sept 2020, 17:30",
            "7:45",
            "23:59:60",
            "12:30 UTC",
            "18.00.00",
            "10/03/2004 18.00.00",
        ] {
            assert!(is_date_or_time(text), "{text}");
        }
    }

    #[test]
    fn codes_versions_and_numbers_are_no_dates() {
        for text in [
            "12-34-5678",
            "1.2.3",
            "2024-13-01",
            "2024-00-10",
            "32/12/1999",
            "24:00",
            "12:61",
            "7:5",
            "1.2.3.4",
            "10-11",
            "2024",
            "03/2024",
            "A-12-24",
            "1 Max 2024",
            "May",
            "5 m 2024",
            "192.168.1.1",
            "2024-03-01T",
            "T12:00x",
            "4711/12/5",
            "0.5",
            "16:9",
            "12.5 kg",
            "",
            "1:30:00:00",
            "Room 12:30",
            "5678-12-11",
            "12.31.2024",
            "99.00.00",
        ] {
            assert!(!is_date_or_time(text), "{text}");
        }
    }

    #[test]
    fn a_column_of_dates_may_have_a_few_other_texts() {
        let dates = |others: usize| {
            let cell = move |row| match row < others {
                true => format!("unclear {row}"),
                false => format!("2024-{:02}-{:02}", row % 12 + 1, row % 28 + 1),
            };
            (0..60).map(cell)
        };
        let table = column("day", dates(0));
        let found = table.suspects(&["day"], &["first"]).unwrap();
        assert_eq!(
            found[0].what,
            "holds dates or times, such as \"2024-01-01\", as text (60 different ones)"
        );
        assert_eq!(table.suspects(&["first"], &["day"]).unwrap()[0].kind, SuspectKind::Date);
        assert_eq!(kinds("day", dates(6)), [SuspectKind::Date]);
        // Free text, in a feature.
        assert_eq!(kinds("day", dates(7)), [SuspectKind::FreeText]);
    }
}
