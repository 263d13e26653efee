//! Columns of numbers that are text because of what stands around the numbers: units, currencies, percent signs,
//! separators of thousands. To an encoder each is a category of its own.
//!
//! Codes such as `2b` look like that too, so a word right behind the digits must be one of few in its column.

use super::dates::is_date_or_time;
use super::look::{Look, quoted};
use super::written::Written;
use super::{Finding, SuspectKind};
use std::collections::HashSet;

/// From so many in a hundred of the different texts on, a column holds numbers.
const NUMBERS: usize = 80;

/// From so many in a hundred of those on, what is around them is no slip in a single cell.
const MORE_THAN_PLAIN: usize = 10;

/// A column with more different words behind its numbers has codes rather than units.
const MOST_UNITS: usize = 5;

/// With fewer different texts, words right behind digits make codes: 2WD, 4WD.
const LEAST_ATTACHED: usize = 5;

/// Letters that alone right behind digits may be units in one column: of magnitude, as in 201k and 19M.
const MAGNITUDES: &str = "kmbKMB";

/// Letters that alone right behind digits may be a unit, if no other is there.
const LETTERS: &str = "mglhsWVAKCFJ";

/// A column of text of which most are numbers with something around them.
pub(super) fn unit<'a>(look: &Look<'a>) -> Option<Finding> {
    let texts = look.texts()?;
    let read = |text: &'a str| Written::read(text).filter(|_| !is_date_or_time(text));
    if !texts.most_are(NUMBERS, |text| read(text).is_some()) {
        return None;
    }
    let mut around = Around::default();
    let mut example = None;
    let mut numbers = 0;
    for &(text, _) in &texts.of {
        let Some(written) = read(text) else { continue };
        numbers += 1;
        if written.is_more() {
            example.get_or_insert(text);
            around.add(written);
        }
    }
    if 100 * around.count < MORE_THAN_PLAIN * numbers || around.are_codes() {
        return None;
    }
    Some((SuspectKind::Unit, format!("{}, such as {}", around.what(), quoted(example?))))
}

/// What stands around the numbers of a column.
#[derive(Default)]
struct Around<'a> {
    /// The texts that are more than a plain number.
    count: usize,
    /// The different signs before and words after, in the order in which they come.
    before: Vec<&'a str>,
    after: Vec<&'a str>,
    /// The letters that stand alone right behind digits, and how many of the texts have one.
    letters: HashSet<char>,
    lettered: usize,
    /// How many texts have a word right behind their digits.
    attached: usize,
}

impl<'a> Around<'a> {
    fn add(&mut self, written: Written<'a>) {
        self.count += 1;
        for (part, seen) in [(written.before, &mut self.before), (written.after, &mut self.after)] {
            // There is no need to know them all where there are too many.
            if let Some(part) = part
                && seen.len() <= MOST_UNITS
                && !seen.contains(&part)
            {
                seen.push(part);
            }
        }
        let word = written.after.filter(|word| word.starts_with(char::is_alphabetic));
        if let Some(word) = word.filter(|_| !written.is_apart) {
            self.attached += 1;
            let mut signs = word.chars();
            if let (Some(letter), None) = (signs.next(), signs.next()) {
                self.letters.insert(letter);
                self.lettered += 1;
            }
        }
    }

    /// Whether the words behind the numbers are rather parts of codes: 12a, 12b, 14c.
    fn are_codes(&self) -> bool {
        let all_of = |letters: &str| self.letters.iter().all(|&letter| letters.contains(letter));
        let are_units = match self.letters.len() {
            0 => true,
            1 => all_of(LETTERS) || all_of(MAGNITUDES),
            _ => all_of(MAGNITUDES),
        };
        let few =
            self.attached > 0 && self.attached < LEAST_ATTACHED && self.attached == self.count;
        let rare = self.lettered > 0 && 2 * self.lettered < self.count;
        self.after.len() > MOST_UNITS || !are_units || few || rare
    }

    fn what(&self) -> String {
        let list = |words: &[&str]| {
            let quoted: Vec<String> =
                words.iter().take(3).map(|word| format!("\"{word}\"")).collect();
            quoted.join(" or ")
        };
        let (before, after) = (list(&self.before), list(&self.after));
        match (before.is_empty(), after.is_empty()) {
            (true, true) => "holds numbers with separators of thousands or decimal commas".into(),
            (false, true) => format!("holds numbers with {before} before them"),
            (true, false) => format!("holds numbers with {after} after them"),
            (false, false) => format!("holds numbers with {before} before or {after} after them"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::column;
    use super::*;

    /// What is seen in a column with these texts, each in several cells.
    fn seen(texts: &[&str]) -> Option<String> {
        let cells = (0..8 * texts.len()).map(|row| texts[row % texts.len()].to_string());
        let found = column("b", cells).suspects(&["b"], &["first"]).unwrap();
        let mut units = found.into_iter().filter(|suspect| suspect.kind == SuspectKind::Unit);
        units.next().map(|suspect| suspect.what)
    }

    #[test]
    fn numbers_with_something_around_them_are_known() {
        for (texts, what) in [
            (&["12 kg", "7.5 kg", "10 kg"][..], "\"kg\" after them, such as \"12 kg\""),
            (&["36 months", "60 months"], "\"months\" after them, such as \"36 months\""),
            (&["3.5cm", "4cm", "5.25cm", "6cm", "7cm"], "\"cm\" after them, such as \"3.5cm\""),
            (&["$5", "$1,200", "$7.25", "$9", "$11", "free"], "\"$\" before them, such as \"$5\""),
            (
                &["€5", "7 $", "$8", "12"],
                "\"€\" or \"$\" before or \"$\" after them, such as \"€5\"",
            ),
            (&["10%", "2.5%", "0%", "lots", "1%"], "\"%\" after them, such as \"10%\""),
            (&["19M", "201k", "3.5M", "14M", "7k"], "\"M\" or \"k\" after them, such as \"19M\""),
            (
                &["1,200 USD", "90 USD", "3 EUR"],
                "\"USD\" or \"EUR\" after them, such as \"1,200 USD\"",
            ),
            (
                &["1,163.74", "2,000", "12", "5,250.10", "unpaid"],
                "separators of thousands or decimal commas, such as \"1,163.74\"",
            ),
        ] {
            assert_eq!(seen(texts), Some(format!("holds numbers with {what}")), "{texts:?}");
        }
    }

    #[test]
    fn codes_ordinals_dates_and_categories_are_left_alone() {
        for texts in [
            &["B5", "A12", "C7"][..],
            &["1st", "2nd", "3rd"],
            &["2WD", "4WD"],
            &["12a", "12b", "14a", "3c", "7b", "9c"],
            &["1", "2", "2b", "3", "4", "5"],
            &["2024-03-01", "2024-03-02"],
            &["12:30", "9:15"],
            &["12 kg", "7 kg", "heavy", "light", "10 kg"],
            &["low", "high"],
            &["1.5", "2.5", "3.5", "4.5", "x"],
            &["1 a", "2 b", "3 c", "4 d", "5 e", "6 f"],
        ] {
            assert_eq!(seen(texts), None, "{texts:?}");
        }
    }
}
