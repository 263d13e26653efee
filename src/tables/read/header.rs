//! The header: the columns' names, and which columns of the file are none of the table's.

use super::layout::name_of;
use super::records::Record;
use crate::tables::names::{key, spelt};
use std::collections::HashMap;

/// A header that has been checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// The names of the table's columns.
    pub names: Vec<String>,
    /// What each column of the file is.
    pub roles: Vec<Role>,
}

/// What a column of the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Column,
    /// The first one, without a name: it names the rows, as pandas and R write them.
    RowNames,
    /// Another one without a name, which must be empty.
    Nameless,
}

impl Header {
    /// The columns' names, or what is wrong with them; `is_said` if the separator was named, not recognised.
    pub(super) fn check(header: &Record<'_>, separator: u8, is_said: bool) -> Result<Self, String> {
        let line = header.line;
        let all: Vec<String> = header.cells().map(|cell| cell.trim().into()).collect();
        if let ([name], true) = (&all[..], is_said) {
            check_separator(name, separator)
                .map_err(|problem| format!("line {line}: {problem}"))?;
        }
        check_distinct(&all).map_err(|problem| format!("line {line}: {problem}"))?;
        let role = |(index, name): (usize, &String)| match (name.is_empty(), index) {
            (false, _) => Role::Column,
            (true, 0) if all.len() > 1 => Role::RowNames,
            (true, _) => Role::Nameless,
        };
        let roles: Vec<Role> = all.iter().enumerate().map(role).collect();
        let names: Vec<String> = all.into_iter().filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Err(format!(
                "line {line}: no column has a name: name the columns in the first line"
            ));
        }
        Ok(Self { names, roles })
    }

    /// Number of columns of the file that are none of the table's.
    pub(super) fn left_out(&self) -> usize {
        self.roles.len() - self.names.len()
    }
}

fn check_distinct(names: &[String]) -> Result<(), String> {
    let mut seen = HashMap::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let Some(first) = seen.insert(key(name), index) else { continue };
        let (one, two) = (first + 1, index + 1);
        let other = &names[first];
        return Err(if other == name {
            format!("columns {one} and {two} are both named \"{name}\": rename one")
        } else {
            format!(
                "columns {one} and {two} have names that look alike, \"{}\" and \"{}\": rename one",
                spelt(other),
                spelt(name)
            )
        });
    }
    Ok(())
}

/// Checks that a header's only name is not a whole header with other separators than expected.
fn check_separator(name: &str, separator: u8) -> Result<(), String> {
    let mut others =
        [(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars"), (',', "commas")].into_iter();
    match others.find(|&(sign, _)| name.contains(sign) && sign != char::from(separator)) {
        Some((_, signs)) => Err(format!(
            "the header names one column, \"{}\", with {signs} in it, but the separator is the {}: name the right one \
             (--separator)",
            name.escape_debug(),
            name_of(separator)
        )),
        None => Ok(()),
    }
}
