//! One column while its cells come in: numbers until a cell is none, then text.
//!
//! What was a number may be text in the end, as `007` is where a later cell says `A7`, and must then read as it was
//! written. Keeping every number's text too would double the memory for a case that is rare, so the builder says how many
//! rows it has [lost](Builder::lost), and they are read a second time. A chunk, whose file is never seen whole, keeps them.

mod finish;

use super::missing::{Cell, MissingWords};
use super::numbers::{self, Decimal, NumberFormat, Recognised, Thousands};
use crate::tables::column::{Cells, MISSING, Texts, Written, code};
use crate::tables::table::Wrong;
use crate::tables::whole::digits_beyond;
use std::sync::Arc;

/// A column that grows by a cell at a time.
pub(super) struct Builder {
    words: Arc<MissingWords>,
    cells: Growing,
    /// How many cells are numbers, finite or not, before the column became text.
    numbers: usize,
    /// The first cell that is a number but not finite, and its row.
    not_finite: Option<(usize, String, Wrong)>,
    /// Cells that are missing among numbers and texts among texts: the row, and which of `doubtful` it says.
    doubts: Vec<(u32, u16)>,
    doubtful: Vec<Box<str>>,
    /// By which words cells are missing, and how many.
    missing: MissingCounts,
    /// How many numbers have a point, and whether each of those might group thousands by it.
    points: usize,
    points_group: bool,
    thousands: Thousands,
    /// The first number with a zero before its other digits.
    leading_zero: Option<Box<str>>,
    lost: usize,
    /// Whole numbers that `f64` does not hold, as they are written.
    beyond: Option<Written>,
    /// Whether the file is never seen whole.
    is_part: bool,
}

/// How many cells are missing by each word, in the order of the words' first cells; empty cells by the empty word.
pub(in crate::tables) type MissingCounts = Vec<(Box<str>, usize)>;

enum Growing {
    Numbers(Vec<f64>, Option<Written>),
    Text(Vec<u32>, Texts),
}

/// A finished column.
pub(super) struct Built {
    pub cells: Cells,
    pub missing: MissingCounts,
    /// How its numbers are written, where not plainly, and an example.
    pub format: Option<(NumberFormat, String)>,
    /// The row of a cell that is wrong in a column of numbers, what stands there, and why it is wrong.
    pub stray: Option<(usize, String, Wrong)>,
    /// The first number with a zero before its other digits.
    pub leading_zero: Option<Box<str>>,
}

impl Builder {
    /// An empty column, which keeps numbers as they are written too if asked to; of a part of a file, or of all of it.
    pub(super) fn new(words: MissingWords, keep_written: bool, is_part: bool) -> Self {
        Self {
            words: words.into(),
            is_part,
            cells: Growing::Numbers(Vec::new(), keep_written.then(Written::default)),
            numbers: 0,
            not_finite: None,
            doubts: Vec::new(),
            doubtful: Vec::new(),
            missing: Vec::new(),
            points: 0,
            points_group: true,
            thousands: Thousands::default(),
            leading_zero: None,
            lost: 0,
            beyond: None,
        }
    }

    fn rows(&self) -> usize {
        match &self.cells {
            Growing::Numbers(values, _) => values.len(),
            Growing::Text(codes, _) => codes.len(),
        }
    }

    /// Adds the cell of the next row.
    pub(super) fn push(&mut self, cell: &str, is_quoted: bool) {
        if let Growing::Numbers(values, written) = &mut self.cells {
            // Most cells are plain numbers: not even spaces are looked for then.
            if let Ok(number) = cell.parse::<f64>()
                && number.is_finite()
                && !self.words.has_number(number)
            {
                values.push(number);
                self.numbers += 1;
                if let Some(written) = written {
                    written.push(Some(cell));
                }
                self.look(cell, number);
                return;
            }
        }
        let words = self.words.clone();
        match (words.classify(cell, is_quoted), &mut self.cells) {
            (Cell::Missing(word), cells) => {
                match cells {
                    Growing::Text(codes, _) => codes.push(MISSING),
                    Growing::Numbers(values, written) => {
                        values.push(f64::NAN);
                        if let Some(written) = written {
                            written.push(None);
                        }
                    }
                }
                count_missing(&mut self.missing, word, 1);
            }
            (Cell::Doubtful(text) | Cell::Present(text), Growing::Text(codes, texts)) => {
                codes.push(code(texts, text));
            }
            (Cell::Doubtful(word), Growing::Numbers(..)) => self.doubt(word),
            (Cell::Present(text), Growing::Numbers(..)) => self.push_among_numbers(text),
        }
    }

    /// A number with spaces around it, one that is not finite, or the first text.
    fn push_among_numbers(&mut self, text: &str) {
        let row = self.rows();
        let Growing::Numbers(values, written) = &mut self.cells else { return };
        match text.parse::<f64>() {
            // Whether it is one too many or one of the texts of the column, only the whole file could tell.
            // In a part of a file an infinite number may be one of the texts of its column.
            Ok(number) if number.is_finite() || !self.is_part => {
                self.numbers += 1;
                values.push(if number.is_finite() { number } else { f64::NAN });
                if !number.is_finite() && self.not_finite.is_none() {
                    self.not_finite = Some((row, text.into(), Wrong::NotFinite));
                }
                if let Some(written) = written {
                    written.push(Some(text));
                }
                self.look(text, number);
            }
            _ => {
                self.turn_to_text();
                if let Growing::Text(codes, texts) = &mut self.cells {
                    codes.push(code(texts, text));
                }
            }
        }
    }

    /// Notes what a number's spelling says: the sign of its decimals, and zeros that codes have.
    fn look(&mut self, cell: &str, number: f64) {
        if let [b'0', b'0'..=b'9', ..] = cell.as_bytes() {
            self.leading_zero.get_or_insert_with(|| cell.into());
        }
        if let Some(digits) = digits_beyond(cell, number) {
            let row = self.rows() - 1;
            self.beyond.get_or_insert_default().push_at(row, digits);
        }
        if !self.points_group {
            return;
        }
        if cell.contains('.') {
            self.points += 1;
            self.points_group = numbers::may_be_grouped(cell);
        }
        self.thousands.look(cell, '.', number);
    }

    fn doubt(&mut self, word: &str) {
        let row = self.rows();
        let known = self.doubtful.iter().position(|it| **it == *word);
        let index = known.unwrap_or_else(|| {
            self.doubtful.push(word.into());
            self.doubtful.len() - 1
        });
        // Words differ in capitals at most: there are few.
        self.doubts.push((row as u32, index as u16));
        if let Growing::Numbers(values, written) = &mut self.cells {
            values.push(f64::NAN);
            if let Some(written) = written {
                written.push(Some(word));
            }
        }
    }

    /// Goes on as text: what was written before is known, or [lost](Self::lost).
    fn turn_to_text(&mut self) {
        let Growing::Numbers(values, written) = &self.cells else { return };
        let rows = values.len();
        let (mut codes, mut texts) = (vec![MISSING; rows], Texts::new());
        match written {
            Some(written) => {
                for (row, it) in codes.iter_mut().enumerate() {
                    if let Some(text) = written.get(row) {
                        *it = code(&mut texts, text);
                    }
                }
            }
            None if self.numbers > 0 => self.lost = rows,
            None => self.doubts_become_texts(&mut codes, &mut texts),
        }
        self.doubts = Vec::new();
        self.beyond = None;
        self.cells = Growing::Text(codes, texts);
    }

    fn doubts_become_texts(&self, codes: &mut [u32], texts: &mut Texts) {
        for &(row, word) in &self.doubts {
            codes[row as usize] = code(texts, &self.doubtful[usize::from(word)]);
        }
    }

    /// How many of the first rows must be [given again](Self::recover).
    pub(super) fn lost(&self) -> usize {
        self.lost
    }

    /// Gives back the cell of one of the lost rows.
    pub(super) fn recover(&mut self, row: usize, cell: &str, is_quoted: bool) {
        if let Growing::Text(codes, texts) = &mut self.cells
            && row < self.lost
            && let Cell::Doubtful(text) | Cell::Present(text) = self.words.classify(cell, is_quoted)
        {
            codes[row] = code(texts, text);
        }
    }

    /// What the column proves of the decimal sign: its numbers fit one alone.
    pub(super) fn proven(&self) -> Option<Decimal> {
        let Growing::Text(_, texts) = &self.cells else {
            return (self.points > 0 && !self.points_group).then_some(Decimal::Point);
        };
        let texts = texts.iter().map(|text| &**text).filter(|text| !self.words.is_no_number(text));
        let fits = |decimal| numbers::format_in(texts.clone(), decimal).is_some();
        match (fits(Decimal::Point), fits(Decimal::Comma)) {
            (true, false) => Some(Decimal::Point),
            (false, true) => Some(Decimal::Comma),
            _ => None,
        }
    }

    /// What the column makes likely, where it proves nothing: its signs can hardly do anything but group thousands.
    pub(super) fn likely(&self) -> Option<Decimal> {
        match &self.cells {
            Growing::Numbers(..) => {
                (self.may_be_grouped() && self.thousands.is_proven()).then_some(Decimal::Comma)
            }
            Growing::Text(codes, texts) => {
                let mut thousands = Thousands::default();
                for &code in codes.iter().filter(|&&code| code != MISSING) {
                    let text = texts.get_index(code as usize)?;
                    let Some(number) = numbers::parse(text, Decimal::Comma) else { continue };
                    thousands.look(text, ',', number.value);
                }
                thousands.is_proven().then_some(Decimal::Point)
            }
        }
    }

    /// Whether the column's numbers may be read in two ways.
    pub(super) fn is_open(&self) -> bool {
        let Growing::Text(_, texts) = &self.cells else { return self.may_be_grouped() };
        let texts = texts.iter().map(|text| &**text).filter(|text| !self.words.is_no_number(text));
        texts.clone().next().is_some() && numbers::recognise(texts, None) == Recognised::Either
    }

    /// Whether this is a column of numbers all of whose points may group thousands, and one has a point.
    pub(super) fn may_be_grouped(&self) -> bool {
        matches!(self.cells, Growing::Numbers(..)) && self.points > 0 && self.points_group
    }
}

/// Counts cells that are missing by a word.
pub(super) fn count_missing(missing: &mut MissingCounts, word: &str, cells: usize) {
    match missing.iter_mut().find(|(known, _)| **known == *word) {
        Some((_, known)) => *known += cells,
        None => missing.push((word.into(), cells)),
    }
}
