//! Names of columns as people type them: found though written in another form of Unicode or with signs that nobody sees, and
//! told apart where they look alike.

use crate::nearest::nearest;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Signs that take no room: a name must not depend on them.
const INVISIBLE: [char; 6] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}'];

/// What two names that look alike have in common: composed letters (NFC), plain spaces, nothing invisible.
pub(super) fn key(name: &str) -> String {
    let visible = name.nfc().filter(|sign| !INVISIBLE.contains(sign));
    let spaced: String =
        visible.map(|sign| if sign.is_whitespace() { ' ' } else { sign }).collect();
    spaced.trim().into()
}

/// The place of a name: as it stands, else the only one that looks like it.
pub(super) fn find(name: &str, names: &[String]) -> Option<usize> {
    names.iter().position(|other| other == name).or_else(|| {
        // Only names with other signs than ASCII's can look like another.
        let is_plain = name.is_ascii() && name.trim().len() == name.len();
        let key_of_name = key(name);
        let looks_like =
            |other: &String| !(is_plain && other.is_ascii()) && key(other) == key_of_name;
        let mut alike = names.iter().enumerate().filter(|(_, other)| looks_like(other));
        match (alike.next(), alike.next()) {
            (Some((index, _)), None) => Some(index),
            _ => None,
        }
    })
}

/// A name with its signs beyond ASCII spelt out, for where it must be told from another: `Gr\u{f6}\u{df}e`.
pub(super) fn spelt(name: &str) -> String {
    let spell = |sign: char| match sign.is_ascii() && !sign.is_ascii_control() {
        true => sign.to_string(),
        false => sign.escape_unicode().to_string(),
    };
    name.chars().map(spell).collect()
}

/// The columns that a list with commas names, where the names themselves may hold commas: as they stand, or in double quotes.
///
/// ```
/// let names = ["id", "GDP per capita, PPP", "x"].map(String::from);
/// for list in ["id,GDP per capita, PPP", "id,\"GDP per capita, PPP\""] {
///     assert_eq!(awl::tables::name_list(list, &names)?, ["id", "GDP per capita, PPP"]);
/// }
/// assert!(awl::tables::name_list("GDP per capita", &names).is_err());
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// A sentence about the first name that is none of `names`, with the one that was probably meant.
pub fn name_list(list: &str, names: &[String]) -> Result<Vec<String>, String> {
    let pieces = pieces(list);
    let mut found = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        // The longest run of pieces that is a name: `a, b` before `a`.
        let run = (start + 1..=pieces.len()).rev().find_map(|end| {
            let text = joined(&pieces[start..end]);
            find(text.trim(), names).map(|index| (end, names[index].clone()))
        });
        let Some((end, name)) = run else {
            return Err(no_column(&pieces, start, list, names));
        };
        found.push(name);
        start = end;
    }
    Ok(found)
}

/// A word as a shell takes it: in single quotes where it has other signs than letters, digits and some more.
pub fn shell_word(word: &str) -> String {
    let is_plain = |sign: char| sign.is_alphanumeric() || "_-.,:/=+".contains(sign);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Every name that a list with commas may mean, for where the names are not known yet: its pieces, and up to four of them
/// with the commas between.
pub fn possible_names(list: &str) -> Vec<String> {
    let pieces = pieces(list);
    let runs = (0..pieces.len())
        .flat_map(|start| (start + 1..=pieces.len().min(start + 4)).map(move |end| (start, end)));
    let names = runs.map(|(start, end)| joined(&pieces[start..end]).trim().to_string());
    names.filter(|name| !name.is_empty()).collect()
}

/// A piece of a list: what stands between two commas.
struct Piece<'a> {
    text: Cow<'a, str>,
    /// Quoted pieces stand for themselves.
    is_quoted: bool,
}

/// The pieces of a list; inside double quotes a comma separates nothing, and two quotes are one.
fn pieces(list: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = list;
    loop {
        let quoted = rest.trim_start().strip_prefix('"').and_then(|rest| {
            let mut from = 0;
            loop {
                let end = from + rest[from..].find('"')?;
                if !rest[end + 1..].starts_with('"') {
                    return Some((&rest[..end], &rest[end + 1..]));
                }
                from = end + 2;
            }
        });
        match quoted {
            Some((text, after))
                if after.trim_start().is_empty() || after.trim_start().starts_with(',') =>
            {
                pieces.push(Piece { text: text.replace("\"\"", "\"").into(), is_quoted: true });
                match after.trim_start().strip_prefix(',') {
                    Some(after) => rest = after,
                    None => return pieces,
                }
            }
            _ => match rest.split_once(',') {
                Some((text, after)) => {
                    pieces.push(Piece { text: text.into(), is_quoted: false });
                    rest = after;
                }
                None => {
                    pieces.push(Piece { text: rest.into(), is_quoted: false });
                    return pieces;
                }
            },
        }
    }
}

/// Pieces as they stood in the list; only one that is quoted may stand alone.
fn joined(pieces: &[Piece<'_>]) -> String {
    match pieces {
        [one] => one.text.to_string(),
        several if several.iter().any(|piece| piece.is_quoted) => String::new(),
        several => several.iter().map(|piece| &*piece.text).collect::<Vec<_>>().join(","),
    }
}

fn no_column(pieces: &[Piece<'_>], at: usize, list: &str, names: &[String]) -> String {
    let name = pieces[at].text.trim();
    let what = format!("there is no column \"{name}\"");
    if let Some(meant) = nearest(name, names.iter().map(String::as_str)) {
        return format!("{what}: did you mean \"{meant}\"?");
    }
    let whole = nearest(list.trim(), names.iter().map(String::as_str));
    let starts = names.iter().find(|other| {
        !name.is_empty()
            && other.contains(',')
            && (other.starts_with(name) || other.ends_with(name))
    });
    match whole.or(starts.map(String::as_str)) {
        Some(meant) if meant.contains(',') => format!(
            "{what}: a comma separates names here; did you mean '\"{meant}\"', in double quotes since a comma is part of it?"
        ),
        Some(meant) => format!("{what}: did you mean \"{meant}\"?"),
        None if pieces.len() > 1 => format!(
            "{what}: its columns are {} (a comma separates names; one that holds a comma goes in double quotes)",
            super::quoted(names.iter().map(String::as_str))
        ),
        None => {
            format!("{what}: its columns are {}", super::quoted(names.iter().map(String::as_str)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_form_of_unicode() {
        let names = ["Gro\u{308}ße", "a\u{200b}b", "unit\u{a0}price", "x"].map(String::from);
        for (asked, place) in [
            ("Größe", Some(0)),
            ("Gro\u{308}ße", Some(0)),
            ("ab", Some(1)),
            ("unit price", Some(2)),
            ("x", Some(3)),
            ("Größ", None),
            ("X", None),
        ] {
            assert_eq!(find(asked, &names), place, "{asked}");
        }
        let twins = ["é", "e\u{301}"].map(String::from);
        assert_eq!((find("é", &twins), find("e\u{301}", &twins)), (Some(0), Some(1)));
        assert_eq!(spelt("né\u{200b}"), "n\\u{e9}\\u{200b}");
    }

    #[test]
    fn lists_name_columns_with_commas_in_their_names() {
        let names = ["a", "a, b", "b", "GDP, total", "say \"so\", x", " c"].map(String::from);
        for (list, expected) in [
            ("a", &["a"][..]),
            ("a,b", &["a", "b"]),
            ("a, b", &["a, b"]),
            ("\"a\",b", &["a", "b"]),
            ("\"a\", \"b\"", &["a", "b"]),
            ("a,GDP, total,b", &["a", "GDP, total", "b"]),
            ("\"GDP, total\",a", &["GDP, total", "a"]),
            ("\"say \"\"so\"\", x\"", &["say \"so\", x"]),
            ("say \"so\", x", &["say \"so\", x"]),
        ] {
            assert_eq!(name_list(list, &names).unwrap(), expected, "{list}");
        }
        for (list, told) in [
            ("GDP", "a comma separates names here; did you mean '\"GDP, total\"'"),
            ("GDP, totl", "did you mean '\"GDP, total\"'"),
            ("zebra", "there is no column \"zebra\": its columns are"),
            ("a,zebra", "there is no column \"zebra\""),
            ("a,,b", "there is no column \"\""),
        ] {
            let found = name_list(list, &names).unwrap_err();
            assert!(found.contains(told), "{list}: {found}");
        }
    }
}
