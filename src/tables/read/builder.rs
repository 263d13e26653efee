//! One column while its cells come in: numbers until a cell is none, then text.
//!
//! What was a number may be text in the end, as `007` is where a later cell says `A7`, and must then read as it was
//! written. Keeping every number's text too would double the memory for a case that is rare, so the builder says how many
//! rows it has [lost](Builder::lost), and they are read a second time. A chunk, whose file is never seen whole, keeps them.

use crate::tables::column::{Cells, MISSING, Texts, Written, code};
use crate::tables::table::Stray;

/// What stands in files for a cell that is missing, in small letters.
const MISSING_WORDS: [&str; 9] = ["", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-"];

/// A cell without the spaces around it, or `None` if it is missing.
pub(super) fn present(cell: &str) -> Option<&str> {
    let cell = cell.trim();
    (!MISSING_WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))).then_some(cell)
}

/// A column that grows by a cell at a time.
pub(super) struct Builder {
    cells: Growing,
    /// How many cells are numbers, finite or not, before the column became text.
    numbers: usize,
    /// The first cell that is a number but not finite, and its line.
    not_finite: Option<(u64, String)>,
    /// The first cell that is not a number, and its line.
    first_text: Option<(u64, String)>,
    lost: usize,
}

enum Growing {
    Numbers(Vec<f64>, Option<Written>),
    Text(Codes),
}

impl Builder {
    /// An empty column, which keeps numbers as they are written too if asked to.
    pub(super) fn new(keep_written: bool) -> Self {
        Self {
            cells: Growing::Numbers(Vec::new(), keep_written.then(Written::default)),
            numbers: 0,
            not_finite: None,
            first_text: None,
            lost: 0,
        }
    }

    /// Adds the cell of the next row, which starts on this line.
    pub(super) fn push(&mut self, cell: &str, line: u64) {
        match &mut self.cells {
            Growing::Text(codes) => codes.push(present(cell)),
            Growing::Numbers(values, written) => {
                // Most cells are plain numbers: not even spaces are looked for then.
                let parsed = cell.parse::<f64>();
                if let (Ok(number), None) = (&parsed, &written)
                    && number.is_finite()
                {
                    values.push(*number);
                    self.numbers += 1;
                    return;
                }
                let present = present(cell);
                match present.map(str::parse::<f64>) {
                    Some(Err(_)) => return self.turn_to_text(present, line),
                    // Whether it is one too many or one of the texts of the column, only the whole file could tell.
                    Some(Ok(number)) if written.is_some() && !number.is_finite() => {
                        return self.turn_to_text(present, line);
                    }
                    Some(Ok(number)) => {
                        self.numbers += 1;
                        values.push(if number.is_finite() { number } else { f64::NAN });
                        if !number.is_finite() && self.not_finite.is_none() {
                            self.not_finite = Some((line, present.unwrap_or_default().into()));
                        }
                    }
                    None => values.push(f64::NAN),
                }
                if let Some(written) = written {
                    written.push(present);
                }
            }
        }
    }

    /// Goes on as text from this cell on.
    fn turn_to_text(&mut self, cell: Option<&str>, line: u64) {
        let Growing::Numbers(values, written) = &mut self.cells else { return };
        let rows = values.len();
        let mut codes = Codes::default();
        match written {
            Some(written) => (0..rows).for_each(|row| codes.push(written.get(row))),
            None => {
                codes.codes.resize(rows, MISSING);
                self.lost = if self.numbers > 0 { rows } else { 0 };
            }
        }
        // Those before were counted one by one.
        codes.numbers = 0;
        codes.push(cell);
        self.first_text = Some((line, cell.unwrap_or_default().into()));
        self.cells = Growing::Text(codes);
    }

    /// How many of the first rows must be [given again](Self::recover).
    pub(super) fn lost(&self) -> usize {
        self.lost
    }

    /// Gives back the cell of one of the lost rows.
    pub(super) fn recover(&mut self, row: usize, cell: &str) {
        if let Growing::Text(codes) = &mut self.cells
            && row < self.lost
            && let Some(cell) = present(cell)
        {
            codes.codes[row] = codes.code(cell);
        }
    }

    /// The cells, and the one that made them text though most are numbers; or the line of a number that is not finite
    /// and what stands there.
    pub(super) fn finish(self) -> Result<(Cells, Option<Stray>), (u64, String)> {
        match (self.cells, self.not_finite) {
            (Growing::Numbers(..), Some(not_finite)) => Err(not_finite),
            (Growing::Numbers(mut values, written), None) => {
                values.shrink_to_fit();
                Ok((Cells::Numbers(values, written), None))
            }
            (Growing::Text(codes), _) => {
                let numbers = self.numbers + codes.numbers;
                let Codes { mut codes, texts, .. } = codes;
                codes.shrink_to_fit();
                let present = codes.iter().filter(|&&code| code != MISSING).count();
                let stray = self.first_text.filter(|_| 2 * numbers > present);
                let stray = stray.map(|(line, cell)| Stray { cell, line, numbers, present });
                Ok((Cells::Text(codes, texts), stray))
            }
        }
    }
}

/// A column of text, and how many of its cells are numbers.
#[derive(Default)]
struct Codes {
    codes: Vec<u32>,
    texts: Texts,
    is_number: Vec<bool>,
    numbers: usize,
}

impl Codes {
    fn push(&mut self, cell: Option<&str>) {
        let code = cell.map_or(MISSING, |cell| {
            let code = self.code(cell);
            self.numbers += usize::from(self.is_number[code as usize]);
            code
        });
        self.codes.push(code);
    }

    /// The code of a text, and whether it is a number is known of it then.
    fn code(&mut self, cell: &str) -> u32 {
        let code = code(&mut self.texts, cell);
        if code as usize == self.is_number.len() {
            self.is_number.push(cell.parse::<f64>().is_ok());
        }
        code
    }
}
