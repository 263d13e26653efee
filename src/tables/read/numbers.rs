//! Numbers as people and spreadsheets write them: `1,163.74`, `1.234,50`, `1 234`, `$12.50`, `45%`, `($3.00)`.
//!
//! A column of text in which every cell is such a number, all written alike, is a column of numbers. Whether a comma is a
//! decimal sign or groups thousands is decided by the whole column; where its cells leave it open (`1,234`), by what else is
//! known: what the user said, how the column was written before, the file's other columns, and what separates its cells.

use serde::{Deserialize, Serialize};

/// What stands before the decimals of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decimal {
    /// `1234.5`, with thousands as in `1,234.5`.
    #[default]
    Point,
    /// `1234,5`, with thousands as in `1.234,5`.
    Comma,
}

/// How the numbers of a column are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberFormat {
    /// What stands before the decimals.
    pub decimal: Decimal,
    /// Whether thousands are grouped, in some cells at least.
    pub grouped: bool,
    /// The sign of a currency, or `%`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<String>,
}

/// Signs of currencies.
pub(in crate::tables) const CURRENCIES: [char; 16] =
    ['$', '€', '£', '¥', '₹', '₽', '₩', '₺', '₫', '฿', '₴', '₪', '₦', '₱', '¢', '₿'];

/// What groups thousands in either way of writing, beside the sign that is not the decimal one.
const GROUPS: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '’'];

/// A cell that is a number in one way of writing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Written<'a> {
    pub value: f64,
    pub sign: Option<&'a str>,
    pub grouped: bool,
}

/// The number that a text is in this way of writing; `None` if it is none, or not finite.
pub(super) fn parse(text: &str, decimal: Decimal) -> Option<Written<'_>> {
    let (mut rest, mut negative, mut sign) = (text.trim(), false, None);
    let in_parentheses = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    if let Some(inner) = in_parentheses {
        (rest, negative) = (inner.trim(), true);
    }
    for _ in 0..2 {
        if let Some(after) = rest.strip_prefix(['-', '−', '+']) {
            // One sign, and none in parentheses, which say minus themselves.
            if negative || after.starts_with(['-', '−', '+']) {
                return None;
            }
            negative = !rest.starts_with('+');
            rest = after.trim_start();
        }
        if sign.is_none()
            && let Some(after) = rest.strip_prefix(CURRENCIES)
        {
            sign = Some(&rest[..rest.len() - after.len()]);
            rest = after.trim_start();
        }
    }
    if sign.is_none()
        && let Some(before) = rest.strip_suffix('%').or_else(|| rest.strip_suffix(CURRENCIES))
    {
        sign = Some(&rest[before.len()..]);
        rest = before.trim_end();
    }
    let (value, grouped) = plain(rest, decimal)?;
    // +49 691 585 is a telephone.
    if grouped && text.trim().starts_with('+') {
        return None;
    }
    // (12) alone may be a note; ($12) and (1,200) are what accountants write.
    if in_parentheses.is_some() && sign.is_none() && !grouped {
        return None;
    }
    Some(Written { value: if negative { -value } else { value }, sign, grouped })
}

/// The number that a cell is in this way of writing.
pub(in crate::tables) fn parse_number(text: &str, decimal: Decimal) -> Option<f64> {
    parse(text, decimal).map(|number| number.value)
}

/// The value of digits with or without groups and decimals, and whether there are groups.
fn plain(text: &str, decimal: Decimal) -> Option<(f64, bool)> {
    let (point, group) = if decimal == Decimal::Point { ('.', ',') } else { (',', '.') };
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == point) {
        return None;
    }
    let whole_end = text.find([point, 'e', 'E']).unwrap_or(text.len());
    let (whole, rest) = text.split_at(whole_end);
    let separators: Vec<char> = whole.chars().filter(|c| !c.is_ascii_digit()).collect();
    let mut number = whole.to_string();
    if let Some(&first) = separators.first() {
        let is_one_kind = separators.iter().all(|&c| c == first);
        let is_group = first == group || GROUPS.contains(&first);
        let pieces: Vec<&str> = whole.split(first).collect();
        if !is_one_kind || !is_group || !are_groups(&pieces) {
            return None;
        }
        number = pieces.concat();
    }
    // A comma must have a decimal behind it; a list may end in one.
    if rest.starts_with(',') && !rest[1..].starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    number.push_str(&rest.replacen(point, ".", 1));
    let value: f64 = number.parse().ok()?;
    value.is_finite().then_some((value, !separators.is_empty()))
}

/// Whether digits are grouped by thousands, or as in India: `12,34,567`.
fn are_groups(pieces: &[&str]) -> bool {
    let (Some((first, others)), Some((last, inner))) = (pieces.split_first(), pieces.split_last())
    else {
        return false;
    };
    let inner = inner.get(1..).unwrap_or_default();
    let of = |pieces: &[&str], length: usize| pieces.iter().all(|piece| piece.len() == length);
    let leads = |most: usize| (1..=most).contains(&first.len()) && !first.starts_with('0');
    (of(others, 3) && leads(3))
        || (last.len() == 3 && of(inner, 2) && !inner.is_empty() && leads(2))
}

/// What a column's cells say together of a sign that has three digits behind it wherever it stands: it groups thousands, or it
/// is decimal and no cell has fewer digits. Thirds have three everywhere (`1.333`, `2`, `2.667`), but then whole numbers are no
/// larger than what stands before the sign; where they go up to a thousand and the others begin anew, nothing else makes sense.
#[derive(Clone, Debug, Default)]
pub(super) struct Thousands {
    /// Cells with the sign, and different digits behind it, as far as they matter.
    signs: usize,
    tails: Vec<u16>,
    /// The largest number before a sign, and of cells without one.
    lead: f64,
    whole: f64,
    /// Whether a cell cannot be one among thousands.
    is_refuted: bool,
}

impl Thousands {
    /// As many different digits behind the sign are no fraction's.
    const TAILS: usize = 5;
    /// Numbers below a thousand are at least so large, somewhere, and so many times what stands before a sign.
    const WHOLE: f64 = 100.0;
    const BEYOND_LEAD: f64 = 5.0;

    /// Looks at a cell that is a number with this sign, if it has one, as decimal one.
    pub(super) fn look(&mut self, cell: &str, sign: char, number: f64) {
        if self.is_refuted {
            return;
        }
        let Some((lead, tail)) = cell.rsplit_once(sign) else {
            self.whole = self.whole.max(number.abs());
            self.is_refuted = number.abs() >= 1_000.0 || number.fract() != 0.0;
            return;
        };
        self.signs += 1;
        let lead = lead.trim_start_matches(['-', '+', '−']).replace(sign, "");
        match (tail.parse::<u16>(), lead.parse::<f64>()) {
            (Ok(tail_number), Ok(lead)) if tail.len() == 3 => {
                self.lead = self.lead.max(lead);
                if self.tails.len() < Self::TAILS && !self.tails.contains(&tail_number) {
                    self.tails.push(tail_number);
                }
            }
            _ => self.is_refuted = true,
        }
    }

    /// Whether the sign can hardly do anything but group thousands.
    pub(super) fn is_proven(&self) -> bool {
        let are_many = self.signs >= Self::TAILS && self.tails.len() >= Self::TAILS;
        !self.is_refuted
            && are_many
            && self.whole >= Self::WHOLE
            && self.whole > Self::BEYOND_LEAD * self.lead
    }
}

/// What is known of how numbers are written in a file, beside the cells of a column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hints {
    /// What the user said: nothing else counts then.
    pub said: Option<Decimal>,
    /// What decides where cells leave it open.
    pub likely: Decimal,
}

/// What a column's texts say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Recognised {
    /// All are numbers, in one way of writing alone, or with one outcome in either.
    As(NumberFormat),
    /// All are numbers in either way, but not the same ones.
    Either,
    /// Some are no numbers.
    Not,
}

/// Recognises how the texts of a column are written, if all are numbers; at least one must be there.
pub(super) fn recognise<'a>(
    texts: impl Iterator<Item = &'a str> + Clone,
    said: Option<Decimal>,
) -> Recognised {
    let ways = match said {
        Some(decimal) => vec![decimal],
        None => vec![Decimal::Point, Decimal::Comma],
    };
    let found: Vec<NumberFormat> =
        ways.into_iter().filter_map(|decimal| format_in(texts.clone(), decimal)).collect();
    match &found[..] {
        [] => Recognised::Not,
        [only] => Recognised::As(only.clone()),
        [point, ..] => {
            let value = |text, decimal| parse(text, decimal).map(|written| written.value);
            let same = |text| value(text, Decimal::Point) == value(text, Decimal::Comma);
            if texts.clone().all(same) { Recognised::As(point.clone()) } else { Recognised::Either }
        }
    }
}

/// How all of these texts are written with this decimal sign: with one currency at most, and either all or none with `%`.
pub(super) fn format_in<'a>(
    texts: impl Iterator<Item = &'a str>,
    decimal: Decimal,
) -> Option<NumberFormat> {
    let mut format = NumberFormat { decimal, grouped: false, sign: None };
    let (mut percents, mut count, mut parentheses, mut colours) = (0, 0, 0, 0);
    for text in texts {
        let written = parse(text, decimal)?;
        count += 1;
        parentheses += usize::from(text.trim().starts_with('('));
        colours += usize::from(is_address_or_colour(text));
        percents += usize::from(written.sign == Some("%"));
        format.grouped |= written.grouped;
        match (&format.sign, written.sign) {
            (Some(known), Some(sign)) if known != sign => return None,
            (_, None) => {}
            (_, Some(sign)) => format.sign = Some(sign.into()),
        }
    }
    // What accountants write has numbers without parentheses beside those with them.
    let are_numbers = parentheses < count.max(1) && colours < count;
    (count > 0 && are_numbers && (percents == 0 || percents == count)).then_some(format)
}

/// Whether a text may be an address of the internet or a colour: three or four numbers below 256.
fn is_address_or_colour(text: &str) -> bool {
    [',', '.'].into_iter().any(|sign| {
        let pieces = text.split(sign);
        let are_bytes = pieces.clone().all(|piece| piece.parse::<u8>().is_ok());
        are_bytes && (3..=4).contains(&pieces.count())
    })
}

/// Whether a number written with a point might be one of thousands where the comma is the decimal sign: `1.234`.
pub(super) fn may_be_grouped(text: &str) -> bool {
    text.contains('.')
        && plain(text.trim().trim_start_matches(['-', '+']), Decimal::Comma).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Decimal::{Comma, Point};

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, point, comma) in [
            ("1,163.74", Some(1163.74), None),
            ("1.163,74", None, Some(1163.74)),
            ("1,234", Some(1234.0), Some(1.234)),
            ("12.500", Some(12.5), Some(12_500.0)),
            ("1,234,567", Some(1_234_567.0), None),
            ("12,34,567.5", Some(1_234_567.5), None),
            ("1 234 567,8", None, Some(1_234_567.8)),
            ("1\u{202f}234", Some(1234.0), Some(1234.0)),
            ("1'234.5", Some(1234.5), None),
            ("$12.50", Some(12.5), None),
            ("-$1,200", Some(-1200.0), Some(-1.2)),
            ("$-3", Some(-3.0), Some(-3.0)),
            ("($3.00)", Some(-3.0), None),
            ("(1,200)", Some(-1200.0), None),
            ("12,50 €", None, Some(12.5)),
            ("45%", Some(45.0), Some(45.0)),
            ("4.5 %", Some(4.5), None),
            ("−7", Some(-7.0), Some(-7.0)),
            ("3,5e2", None, Some(350.0)),
            (".5", Some(0.5), None),
            ("349.6", Some(349.6), None),
            // None of these is a number.
            ("(12)", None, None),
            ("1,", None, None),
            ("1,23", None, Some(1.23)),
            ("1,2345", None, Some(1.2345)),
            ("0,123", None, Some(0.123)),
            ("1,234.567.8", None, None),
            ("12 kg", None, None),
            ("2024-01-02", None, None),
            ("18.00.00", None, None),
            ("1.2.3", None, None),
            ("", None, None),
            ("$", None, None),
            ("--5", None, None),
            ("inf", None, None),
            ("1e999", None, None),
            ("e5", None, None),
        ] {
            let value = |decimal| parse(text, decimal).map(|written| written.value);
            assert_eq!((value(Point), value(Comma)), (point, comma), "{text:?}");
        }
    }

    #[test]
    fn a_column_is_written_in_one_way_or_may_be_in_two() {
        let format = |decimal, grouped, sign: Option<&str>| {
            Recognised::As(NumberFormat { decimal, grouped, sign: sign.map(Into::into) })
        };
        for (texts, expected) in [
            (&["1,163.74", "349.6", "12"][..], format(Point, true, None)),
            (&["1.234,50", "80,00"], format(Comma, true, None)),
            (&["1.234", "80,5"], format(Comma, true, None)),
            (&["1,234", "2,001"], Recognised::Either),
            (&["1,234", "2,01"], format(Comma, false, None)),
            (&["1 234", "12"], format(Point, true, None)),
            (&["$1", "$2.5", "3"], format(Point, false, Some("$"))),
            (&["$1", "€2"], Recognised::Not),
            (&["45%", "12%"], format(Point, false, Some("%"))),
            (&["45%", "0.5"], Recognised::Not),
            (&["1.5", "2,5"], Recognised::Not),
            (&["1,163.74", "lots"], Recognised::Not),
        ] {
            assert_eq!(recognise(texts.iter().copied(), None), expected, "{texts:?}");
        }
        assert_eq!(recognise(["1,234"].into_iter(), Some(Comma)), format(Comma, false, None));
        assert_eq!(recognise(["1,234.5"].into_iter(), Some(Comma)), Recognised::Not);
    }

    #[test]
    fn points_may_group_thousands() {
        for (text, may) in [
            ("1.234", true),
            ("-12.500", true),
            ("1.234.567", true),
            ("1.5", false),
            ("7", false),
            ("0.125", false),
        ] {
            assert_eq!(may_be_grouped(text), may, "{text}");
        }
    }
}
