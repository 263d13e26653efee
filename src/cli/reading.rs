//! The flags that say how a table is to be read, of every command that reads one; and lists of columns.

use super::failure::Failure;
use awl::tables::{Decimal, ReadOptions, name_list};
use std::path::Path;

/// How a table is to be read, where it cannot or should not be recognised.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingFlags {
    /// Words for a missing cell beside the usual ones (empty, NA, N/A, NaN, null); "" takes those away.
    ///
    /// COLUMN=WORD is meant for one column: --missing=sensor=-200. Among numbers, none, ?, -, . and the like are missing
    /// too. A number is meant however it is written: -200 is -200.0.
    #[arg(long, value_delimiter = ',', value_name = "WORD,…", allow_hyphen_values = true)]
    missing: Option<Vec<String>>,
    /// What stands between cells: , ; | or another sign, or tab [default: recognised].
    #[arg(long, value_name = "SIGN", value_parser = separator)]
    separator: Option<char>,
    /// What stands before the decimals of a number: . or , [default: recognised].
    #[arg(long, value_name = "SIGN", value_parser = decimal)]
    decimal: Option<Decimal>,
    /// The text's encoding, such as windows-1252 or utf-16le [default: recognised].
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
}

impl ReadingFlags {
    /// Changes the options by every flag that was given.
    pub fn apply(&self, options: &mut ReadOptions) {
        if let Some(missing) = &self.missing {
            // Words that a model remembers go on to count.
            options.missing.extend(missing.iter().cloned());
        }
        options.separator = self.separator.or(options.separator);
        options.decimal = self.decimal.or(options.decimal);
        if self.encoding.is_some() {
            options.encoding.clone_from(&self.encoding);
        }
    }
}

fn separator(text: &str) -> Result<char, String> {
    let mut signs = text.chars();
    match (text, signs.next(), signs.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(sign), None) => Ok(sign),
        _ => Err("use one sign, such as ; or |, or the word tab".into()),
    }
}

fn decimal(text: &str) -> Result<Decimal, String> {
    match text {
        "." | "point" => Ok(Decimal::Point),
        "," | "comma" => Ok(Decimal::Comma),
        _ => Err("use . or ,".into()),
    }
}

/// The columns that the lists of a flag name: every occurrence of it is a list.
pub fn columns(
    flag: &str,
    lists: &[String],
    table: &Path,
    names: &[String],
) -> Result<Vec<String>, Failure> {
    let mut columns = Vec::new();
    for list in lists.iter().filter(|list| !list.trim().is_empty()) {
        let named = name_list(list, names).map_err(|problem| {
            Failure::input(format!("{}: {problem} ({flag})", table.display()))
        })?;
        columns.extend(named);
    }
    Ok(columns)
}
