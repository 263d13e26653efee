//! Values that seem to stand for missing cells: −200 where all others are small, `unknown` among the classes of a label.
//!
//! A number is one only if it repeats and is the least or the greatest of its column, and then by how far it is from
//! the others, or by being a number that people choose for the purpose. A feature's text for a missing cell is as good a
//! category as any; a label's is a class to be predicted, which nobody wants.

use super::look::{End, Look, Numbers, quoted, shown};
use super::{Finding, SuspectKind};

/// A number that stands for missing cells is there at least so often.
const LEAST_CELLS: usize = 3;

/// With fewer other numbers the column is one of codes, whose gaps mean nothing.
const LEAST_OTHERS: usize = 5;

/// Where the others reach no further, −1 (and what else has one digit, but −9) may be one of a few grades.
const GRADES: f64 = 20.0;

/// What stands for a missing cell in words, in small letters.
const WORDS: [&str; 37] = [
    "na",
    "nan",
    "unknown",
    "missing",
    "n.a.",
    "n.a",
    "n/a",
    "n/d",
    "not available",
    "not applicable",
    "not known",
    "no data",
    "undefined",
    "unspecified",
    "tbd",
    "tba",
    "-",
    "--",
    "---",
    ".",
    "?",
    "??",
    "???",
    "none",
    "(none)",
    "nil",
    "null",
    "(null)",
    "<na>",
    "blank",
    "(blank)",
    "#ref!",
    "#value!",
    "#div/0!",
    "#name?",
    "#num!",
    "#null!",
];

/// The values of a column that seem to stand for missing cells.
pub(super) fn placeholders(look: &Look<'_>) -> Vec<Finding> {
    match (look.numbers(), look.texts()) {
        (Some(numbers), _) => of_numbers(numbers),
        (_, Some(texts)) if look.is_label && !texts.are_mostly_numbers() => {
            let words = texts.of.iter().filter(|(text, _)| is_word(text));
            words.map(|&(text, count)| of_text(text, count, texts.present)).collect()
        }
        _ => Vec::new(),
    }
}

fn is_word(text: &str) -> bool {
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn of_text(text: &str, count: usize, present: usize) -> Finding {
    let what =
        format!("holds {} in {count} of {present} cells, as if it were a class", quoted(text));
    (SuspectKind::Placeholder { value: text.into() }, what)
}

fn of_numbers(numbers: &Numbers) -> Vec<Finding> {
    let Numbers { low, high, few, present, .. } = numbers;
    if few.len() <= LEAST_OTHERS {
        return Vec::new();
    }
    let finding = |end: &End, seen: String| {
        let (value, count) = (end.value.to_string(), end.count);
        let what = format!("holds {value} in {count} of {present} cells, {seen}");
        (SuspectKind::Placeholder { value }, what)
    };
    let below = seen_below(numbers).map(|seen| finding(low, seen));
    let above = seen_above(numbers).map(|seen| finding(high, seen));
    below.into_iter().chain(above).collect()
}

/// How the least number stands to the others, if it seems to stand for missing cells.
fn seen_below(Numbers { low, high, whole, .. }: &Numbers) -> Option<String> {
    let (least, greatest) = (low.next, high.value);
    let is_far = least - low.value > greatest - least;
    let is_grade = low.value > -9.0 && !(*whole && greatest > GRADES);
    let is_chosen = low.value < 0.0 && least >= 0.0 && is_negative_code(low.value) && !is_grade;
    let others = format!("all others ({} to {})", shown(least), shown(greatest));
    let seen = if is_far { format!("far from {others}") } else { format!("below {others}") };
    (low.count >= LEAST_CELLS && (is_far || is_chosen)).then_some(seen)
}

/// How the greatest number stands to the others, if it seems to stand for missing cells.
fn seen_above(Numbers { low, high, .. }: &Numbers) -> Option<String> {
    let (least, greatest) = (low.value, high.next);
    let (gap, range) = (high.value - greatest, greatest - least);
    let is_far = gap > range;
    // Doses and sizes often double from one to the next: the last of them is far, but by no larger factor than others.
    let is_next_size = least > 0.0 && high.value / greatest <= greatest / least;
    let is_chosen = gap > range / 2.0 && is_all_nines_or_eights(high.value);
    let others = format!("all others ({} to {})", shown(least), shown(greatest));
    let seen = if is_far { format!("far from {others}") } else { format!("above {others}") };
    let is_one = is_chosen || (is_far && !is_next_size);
    (high.count >= LEAST_CELLS && is_one).then_some(seen)
}

/// Whether a negative number is one that people choose: all digits the same (−1, −99, −777), or whole hundreds.
fn is_negative_code(value: f64) -> bool {
    value == value.trunc() && (value % 100.0 == 0.0 || is_all_one_digit(value, |_| true))
}

/// Whether a number is 99, 888, 99.9, … but not 9, a grade.
fn is_all_nines_or_eights(value: f64) -> bool {
    value > 10.0 && is_all_one_digit(value, |digit| digit == '9' || digit == '8')
}

/// Whether all digits of a number are the same, and such.
fn is_all_one_digit(value: f64, such: impl Fn(char) -> bool) -> bool {
    let text = value.to_string();
    let mut digits = text.chars().filter(char::is_ascii_digit);
    digits.next().is_some_and(|first| such(first) && digits.all(|digit| digit == first))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{column, kinds};
    use super::*;

    /// Numbers in this many steps of this size from a start, with a value in every tenth cell.
    fn with(value: &str, start: f64, step: f64, steps: usize) -> Vec<String> {
        let cell = |row: usize| match row % 10 {
            7 => value.to_string(),
            _ => (start + step * (row * 7 % steps) as f64).to_string(),
        };
        (0..60).map(cell).collect()
    }

    #[test]
    fn a_number_far_from_all_others_or_chosen_for_it_stands_for_missing_cells() {
        for (value, start, step, steps) in [
            ("-200", 0.125, 0.25, 25),
            ("-1", 0.0, 1.0, 53),
            ("-9", 0.0, 0.5, 11),
            ("-999", -40.0, 1.5, 50),
            ("-99", 0.0, 10.0, 40),
            ("-300", 0.0, 100.0, 33),
            ("99", 1.0, 1.0, 45),
            ("99.9", 12.5, 0.5, 50),
            ("999", 18.0, 1.0, 50),
            ("88", 0.0, 1.0, 50),
            ("0", 1_000.0, 10.0, 20),
            ("1000", 12.0, 1.5, 30),
            ("1", 0.0, 0.015625, 20),
        ] {
            let kind = SuspectKind::Placeholder { value: value.into() };
            assert_eq!(kinds("b", with(value, start, step, steps)), [kind], "{value}");
        }
    }

    #[test]
    fn what_is_within_reach_of_the_others_is_a_number_like_any() {
        for (value, start, step, steps) in [
            ("-1", 0.0, 1.0, 17),
            ("-1", 0.5, 1.0, 50),
            ("-9", -5.0, 1.0, 30),
            ("-37", 0.0, 1.0, 50),
            ("-200", -150.0, 10.0, 30),
            ("99", 0.0, 1.0, 80),
            ("100", 0.0, 1.0, 60),
            ("9", 1.0, 1.0, 6),
            ("0", 20.0, 1.0, 40),
            ("24", 1.0, 1.0, 8),
            ("200", 6.25, 12.5, 8),
            ("-200", 0.0, 1.0, 4),
        ] {
            assert_eq!(kinds("b", with(value, start, step, steps)), [], "{value} {start} {step}");
        }
        let mut twice = with("5", 0.0, 1.0, 11);
        twice[3] = "-999".into();
        twice[30] = "-999".into();
        assert!(
            !kinds("b", twice).iter().any(|kind| matches!(kind, SuspectKind::Placeholder { .. }))
        );
    }

    #[test]
    fn what_was_seen_names_the_others() {
        let what = |cells: Vec<String>| {
            let found = column("b", cells).suspects(&["b"], &[] as &[&str]).unwrap();
            found[0].what.clone()
        };
        assert_eq!(
            what(with("-200", 0.125, 0.25, 25)),
            "holds -200 in 6 of 60 cells, far from all others (0.125 to 6.125)"
        );
        assert_eq!(
            what(with("-1", 0.0, 1.0, 53)),
            "holds -1 in 6 of 60 cells, below all others (0 to 52)"
        );
        assert_eq!(
            what(with("99", 1.0, 1.0, 45)),
            "holds 99 in 6 of 60 cells, far from all others (1 to 45)"
        );
    }

    #[test]
    fn a_word_for_a_missing_cell_is_told_of_in_labels_alone() {
        for word in [
            "unknown",
            "Missing",
            "N.A.",
            "not available",
            "TBD",
            "--",
            "#REF!",
            "#DIV/0!",
            "(blank)",
        ] {
            let cells: Vec<String> =
                (0..30).map(|row| ["owl", "hawk", word][row % 3].to_string()).collect();
            let table = column("kind", cells.clone());
            let found = table.suspects(&[] as &[&str], &["kind"]).unwrap();
            assert_eq!(found[0].kind, SuspectKind::Placeholder { value: word.into() });
            let what = format!("holds \"{word}\" in 10 of 30 cells, as if it were a class");
            assert_eq!((found[0].what.as_str(), found.len()), (what.as_str(), 1));
            assert_eq!(kinds("kind", cells), [], "{word}");
        }
        for word in ["other", "no", "unknowable", "na wi", "x"] {
            let cells = (0..30).map(|row| ["owl", "hawk", word][row % 3].to_string());
            let found = column("kind", cells).suspects(&[] as &[&str], &["kind"]).unwrap();
            assert_eq!(found, [], "{word}");
        }
    }
}
