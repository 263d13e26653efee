//! How a table's text is to be read, where that cannot or should not be recognised.

use super::missing::MissingWords;
use super::numbers::{Decimal, NumberFormat};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a table's text is to be read. By default all of it is recognised; what was found is in
/// [`Table::reading`](crate::Table::reading).
///
/// ```
/// use awl::tables::ReadOptions;
/// let options = ReadOptions { missing: vec!["-200".into()], ..ReadOptions::default() };
/// let table = awl::Table::from_csv_with("air", "co,t\n2.6,13\n-200,14\n".as_bytes(), &options)?;
/// assert_eq!(table.column("co")?.missing(), 1);
/// # Ok::<(), awl::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// Columns to take as text, each cell as it is written: for codes such as `00501`, which as a number would be the same as
    /// `501`. A name that the table lacks is no error.
    pub text: Vec<String>,
    /// Columns whose numbers are kept as they are written too, which [`Column::text`](crate::tables::Column::text) then gives: for
    /// labels, whose spelling may matter (`1.1` and `1.10` are one number, but two versions).
    pub written: Vec<String>,
    /// Words that stand for a missing cell, beside the [usual ones](crate::Table::open); capitals do not count, and a number
    /// such as `-200` is meant however it is written (`-200.0`). `column=word` is meant for one column. An empty word takes the
    /// usual ones away.
    pub missing: Vec<String>,
    /// What stands between cells: `,`, `;`, a tab, `|`, or any other sign of one byte.
    pub separator: Option<char>,
    /// What stands before the decimals of a number.
    pub decimal: Option<Decimal>,
    /// The encoding, under a name of the [WHATWG](https://encoding.spec.whatwg.org/#names-and-labels): `utf-8`,
    /// `windows-1252` (also called `latin1`), `utf-16le`, `shift_jis`, …
    pub encoding: Option<String>,
    /// How columns of numbers were written in another table, by name: decides where this one may be read in two ways, as
    /// `1,234` may.
    pub formats: BTreeMap<String, NumberFormat>,
}

/// The same, checked and ready for use.
#[derive(Clone)]
pub(super) struct Ready {
    pub text: Vec<String>,
    pub written: Vec<String>,
    pub missing: Vec<String>,
    pub separator: Option<u8>,
    pub decimal: Option<Decimal>,
    pub encoding: Option<&'static encoding_rs::Encoding>,
    pub formats: BTreeMap<String, NumberFormat>,
    /// How columns were read in the parts of the same file so far.
    pub settled: BTreeMap<String, Decimal>,
}

impl ReadOptions {
    /// The same options with a separator.
    pub(super) fn separated_by(separator: char) -> Self {
        Self { separator: Some(separator), ..Self::default() }
    }

    pub(super) fn ready(&self) -> Result<Ready> {
        let separator = self.separator.map(separator_byte).transpose()?;
        let encoding = self.encoding.as_deref().map(encoding).transpose()?;
        Ok(Ready {
            text: self.text.clone(),
            written: self.written.clone(),
            missing: self.missing.clone(),
            separator,
            decimal: self.decimal,
            encoding,
            formats: self.formats.clone(),
            settled: BTreeMap::new(),
        })
    }
}

impl Ready {
    /// The words for missing cells of a column among these.
    pub(super) fn words(&self, column: &str, columns: &[String]) -> MissingWords {
        MissingWords::of_column(&self.missing, column, columns)
    }
}

fn separator_byte(sign: char) -> Result<u8> {
    let wrong = matches!(sign, '"' | '\n' | '\r' | ' ') || sign.is_alphanumeric();
    u8::try_from(sign).ok().filter(|byte| byte.is_ascii() && !wrong).ok_or_else(|| {
        Error::invalid(
            format!("{sign:?} cannot stand between the cells of a table"),
            "use a comma, a semicolon, a tab, or another sign that is neither letter, digit, space nor quote",
        )
    })
}

fn encoding(name: &str) -> Result<&'static encoding_rs::Encoding> {
    encoding_rs::Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        Error::invalid(
            format!("there is no encoding \"{name}\""),
            "use a name such as utf-8, windows-1252 (latin1), utf-16le, iso-8859-2, shift_jis or gb18030",
        )
    })
}
