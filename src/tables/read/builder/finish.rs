//! What a column turns out to be when all of its cells are in: numbers, written plainly or for people, or text.

use super::{Builder, Built, Growing, count_missing};
use crate::tables::column::{Cells, MISSING, Texts, Written};
use crate::tables::read::numbers::{self, Decimal, Hints, NumberFormat, Recognised};
use crate::tables::table::Wrong;

impl Builder {
    /// The column. `hints` are `None` for one that is to stay text.
    pub(in crate::tables::read) fn finish(mut self, hints: Option<Hints>) -> Built {
        if let Growing::Numbers(values, _) = &self.cells
            && self.numbers == 0
            && !self.doubts.is_empty()
        {
            let (mut codes, mut texts) = (vec![MISSING; values.len()], Texts::new());
            self.doubts_become_texts(&mut codes, &mut texts);
            self.cells = Growing::Text(codes, texts);
        }
        match (std::mem::replace(&mut self.cells, Growing::Text(Vec::new(), Texts::new())), hints) {
            (Growing::Text(codes, texts), hints) => self.finish_text(codes, texts, hints),
            (Growing::Numbers(values, written), hints) => {
                self.finish_numbers(values, written, hints)
            }
        }
    }

    fn finish_numbers(
        mut self,
        mut values: Vec<f64>,
        written: Option<Written>,
        hints: Option<Hints>,
    ) -> Built {
        let mut format = None;
        let decimal = hints.map_or(Decimal::Point, |hints| hints.said.unwrap_or(hints.likely));
        if let (Some(written), Decimal::Comma, true) =
            (&written, decimal, self.points > 0 && self.points_group)
        {
            for (row, value) in values.iter_mut().enumerate().filter(|(_, value)| !value.is_nan()) {
                let Some(text) = written.get(row) else { continue };
                let Some(number) = numbers::parse(text, Decimal::Comma) else { continue };
                *value = number.value;
                if self.words.has_number(number.value) {
                    *value = f64::NAN;
                    count_missing(&mut self.missing, text, 1);
                }
                if number.grouped && format.is_none() {
                    let like = NumberFormat { decimal, grouped: true, sign: None };
                    format = Some((like, text.to_string()));
                }
            }
        }
        for &(_, word) in &self.doubts {
            count_missing(&mut self.missing, &self.doubtful[usize::from(word)], 1);
        }
        values.shrink_to_fit();
        let cells = Cells::Numbers(values, written.or(self.beyond));
        let (missing, leading_zero) = (self.missing, self.leading_zero);
        let stray = self.not_finite.filter(|_| hints.is_some());
        Built { cells, missing, format, stray, leading_zero }
    }

    fn finish_text(self, mut codes: Vec<u32>, texts: Texts, hints: Option<Hints>) -> Built {
        codes.shrink_to_fit();
        if let Some(hints) = hints
            && let Some(format) = self.format(&texts, hints)
        {
            return self.finish_written_numbers(&codes, &texts, format);
        }
        let stray = hints.and_then(|hints| self.stray(&codes, &texts, hints));
        let cells = Cells::Text(codes, texts);
        Built { cells, missing: self.missing, format: None, stray, leading_zero: None }
    }

    /// How the numbers of a column of text are written, if all its texts are numbers.
    fn format(&self, texts: &Texts, hints: Hints) -> Option<NumberFormat> {
        let texts = texts.iter().map(|text| &**text).filter(|text| !self.words.is_no_number(text));
        texts.clone().next()?;
        match numbers::recognise(texts.clone(), hints.said) {
            Recognised::As(format) => Some(format),
            Recognised::Either => numbers::format_in(texts, hints.likely),
            Recognised::Not => None,
        }
    }

    fn finish_written_numbers(
        mut self,
        codes: &[u32],
        texts: &Texts,
        format: NumberFormat,
    ) -> Built {
        let mut of_code = vec![f64::NAN; texts.len()];
        let mut example = None;
        for (value, text) in of_code.iter_mut().zip(texts) {
            let Some(number) = numbers::parse(text, format.decimal) else { continue };
            *value = number.value;
            // The most telling one is what no plain number looks like.
            if text.parse::<f64>().is_err() || number.grouped {
                example.get_or_insert_with(|| text.to_string());
            }
        }
        let mut values = Vec::with_capacity(codes.len());
        let mut written = Written::default();
        let mut doubted = vec![0; texts.len()];
        for &code in codes {
            let number =
                of_code.get(code as usize).copied().filter(|&it| !self.words.has_number(it));
            if code != MISSING && number.is_none_or(f64::is_nan) {
                doubted[code as usize] += 1;
            }
            values.push(number.unwrap_or(f64::NAN));
            written.push(texts.get_index(code as usize).map(|text| &**text));
        }
        for (text, cells) in texts.iter().zip(doubted).filter(|(_, cells)| *cells > 0) {
            count_missing(&mut self.missing, text, cells);
        }
        let format = example.map(|example| (format, example));
        Built {
            cells: Cells::Numbers(values, Some(written)),
            missing: self.missing,
            format,
            stray: None,
            leading_zero: None,
        }
    }

    /// The first cell that is no number, if most are.
    fn stray(&self, codes: &[u32], texts: &Texts, hints: Hints) -> Option<(usize, String, Wrong)> {
        let mut cells = vec![0_usize; texts.len()];
        codes.iter().filter(|&&code| code != MISSING).for_each(|&code| cells[code as usize] += 1);
        let are_words: Vec<bool> = texts.iter().map(|text| self.words.is_no_number(text)).collect();
        let numbers_in = |decimal| -> Vec<bool> {
            let is_number = |text: &str| {
                let written = || numbers::parse(text, decimal).filter(|it| it.sign.is_none());
                let is_number = text.parse::<f64>().is_ok() || written().is_some();
                is_number && !self.words.is_no_number(text)
            };
            texts.iter().map(|text| is_number(text)).collect()
        };
        let count = |of: &[bool]| {
            let counted = cells.iter().zip(of).filter(|(_, of)| **of).map(|(cells, _)| *cells);
            counted.sum::<usize>()
        };
        let present = cells.iter().sum::<usize>() - count(&are_words);
        // The way of writing in which most are numbers, the point where both are as good.
        let ways = hints.said.map_or(vec![Decimal::Comma, Decimal::Point], |decimal| vec![decimal]);
        let are_numbers = ways.into_iter().map(numbers_in).max_by_key(|of| count(of))?;
        let numbers = count(&are_numbers);
        if 2 * numbers <= present {
            return None;
        }
        let is_stray = |code: &u32| {
            *code != MISSING && !are_numbers[*code as usize] && !are_words[*code as usize]
        };
        let row = codes.iter().position(is_stray)?;
        let cell = texts.get_index(codes[row] as usize)?.to_string();
        Some((row, cell, Wrong::Text { numbers, present }))
    }
}
