//! Parts by time: the oldest rows first. Rows of one time are in the same part.

use super::super::table::Table;
use crate::error::{Error, Result};
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// Ways to write a day that cannot be taken for another, beside the standard's `2024-03-01`; with or without a time of the day.
const DAYS: [&str; 7] =
    ["%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"];
const CLOCKS: [&str; 4] = ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"];

/// The rows of a table from the oldest to the newest, and where each of `ends` falls among them: as near as may be, but between
/// different times, and so that every part has a row that was to have some.
pub(super) fn order(
    table: &Table,
    column: &str,
    ends: &[usize],
) -> Result<(Vec<usize>, Vec<usize>)> {
    let times = times(table, column)?;
    let mut rows: Vec<usize> = (0..table.rows()).collect();
    // Stable: rows of one time stay in the table's order.
    rows.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    let cuts: Vec<usize> =
        (1..rows.len()).filter(|&at| times[rows[at - 1]] != times[rows[at]]).collect();
    let starts = [0].into_iter().chain(ends.iter().copied());
    let has_rows: Vec<bool> = starts.zip(ends).map(|(start, end)| start < *end).collect();
    let mut moved = Vec::with_capacity(ends.len());
    let mut start = 0;
    for (part, &end) in ends.iter().enumerate() {
        // Cuts that the later parts need.
        let later = has_rows[part + 1..].iter().filter(|has| **has).count();
        let end = match (has_rows[part], later) {
            (false, _) => start,
            (true, 0) => rows.len(),
            (true, later) => {
                let open = cuts.len().checked_sub(later - 1).map(|last| &cuts[..last]);
                let after = open.into_iter().flatten().filter(|&&cut| cut > start);
                let nearest = after.min_by_key(|cut| cut.abs_diff(end));
                *nearest.ok_or_else(|| too_few(table, column, cuts.len() + 1))?
            }
        };
        moved.push(end);
        start = end;
    }
    Ok((rows, moved))
}

fn too_few(table: &Table, column: &str, times: usize) -> Error {
    let plural = if times == 1 { "" } else { "s" };
    Error::invalid(
        format!(
            "{}: column \"{column}\" has {times} different time{plural}, too few for every part to have some of its own",
            table.name()
        ),
        "split by a column of more times, or into fewer parts (--validation 0 or --test 0)",
    )
}

/// Every row's time, as a number that grows.
fn times(table: &Table, column: &str) -> Result<Vec<f64>> {
    let cells = table.column(column)?;
    if let Some(row) = (0..table.rows()).find(|&row| cells.is_missing(row)) {
        let problem = "the time is missing, so that the row is neither old nor new: fill it in, or leave the row out";
        return Err(table.error_at(row, column, problem));
    }
    if !cells.is_text() {
        return Ok(table.numbers(column)?.into_owned());
    }
    let mut first_zone = None;
    let mut time = |row: usize| {
        let cell = cells.text(row).unwrap_or_default();
        let (seconds, has_zone) = seconds(cell.trim()).ok_or_else(|| {
            let problem = format!(
                "\"{cell}\" is no time that can surely be told older from newer: write dates with the year first or the month's name, \
                 such as 2024-03-01 12:30 or 1 Mar 2024, or numbers"
            );
            table.error_at(row, column, problem)
        })?;
        match *first_zone.get_or_insert(has_zone) == has_zone {
            true => Ok(seconds),
            false => {
                let problem = format!(
                    "\"{cell}\" {} a time zone, unlike the first time: write all of them alike",
                    if has_zone { "has" } else { "lacks" }
                );
                Err(table.error_at(row, column, problem))
            }
        }
    };
    (0..table.rows()).map(&mut time).collect()
}

/// Seconds from 1970 to a date with or without a time of the day, which holds in UTC unless it says where; and whether it does.
fn seconds(text: &str) -> Option<(f64, bool)> {
    let seconds = |at: Timestamp| at.as_second() as f64 + f64::from(at.subsec_nanosecond()) / 1e9;
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((seconds(at), true));
    }
    let civil =
        text.parse::<DateTime>().ok().filter(|_| year_first(text)).or_else(|| spelt(text))?;
    // Of two digits, the year may be the day.
    let civil = (civil.year() >= 1000).then_some(civil)?;
    TimeZone::UTC.to_timestamp(civil).ok().map(|at| (seconds(at), false))
}

/// The standard's short forms (`20240301`) are rather numbers.
fn year_first(text: &str) -> bool {
    text.as_bytes().get(4).is_some_and(|sign| !sign.is_ascii_digit())
}

fn spelt(text: &str) -> Option<DateTime> {
    let day = |format: &str| civil::Date::strptime(format, text).ok();
    if let Some(date) = DAYS.into_iter().find_map(day) {
        return Some(date.to_datetime(civil::Time::midnight()));
    }
    let formats = DAYS.into_iter().chain(["%Y-%m-%d"]);
    let formats = formats.flat_map(|day| CLOCKS.map(|clock| format!("{day} {clock}")));
    formats.into_iter().find_map(|format| strtime::parse(&format, text).ok()?.to_datetime().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_cannot_be_taken_for_others_are_read() {
        for (text, expected) in [
            ("1970-01-02", 86_400.0),
            ("1970/01/02", 86_400.0),
            ("1970.01.02", 86_400.0),
            ("2 Jan 1970", 86_400.0),
            ("02-Jan-1970", 86_400.0),
            ("Jan 2, 1970", 86_400.0),
            ("2 January 1970", 86_400.0),
            ("January 2, 1970", 86_400.0),
            ("1970-01-01T00:01:30", 90.0),
            ("1970-01-01 00:01:30", 90.0),
            ("1970-01-01 00:01", 60.0),
            ("1970-01-01T00:00:00.25Z", 0.25),
            ("1970-01-01T01:00:00+01:00", 0.0),
            ("1970/01/01 00:01:30.5", 90.5),
            ("Jan 1, 1970 1:00 PM", 46_800.0),
            ("1969-12-31", -86_400.0),
        ] {
            assert_eq!(seconds(text).map(|it| it.0), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_may_be_another_day_or_is_none_is_not() {
        for text in [
            "01/02/2024",
            "1.2.2024",
            "03-04-05",
            "2024-13-01",
            "2024-02-30",
            "yesterday",
            "2024",
            "12:30",
            "20-Jan-01",
            "24 Dec 22",
            "20240301",
            "",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
