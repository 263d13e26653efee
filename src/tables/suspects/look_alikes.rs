//! Texts that a reader takes for one and an encoder for two: `Male` and `male`, `New  York` and `New York`, an é of one
//! sign and one of two.

use super::look::Look;
use super::{Finding, SuspectKind};
use crate::tables::table::counted;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use unicode_normalization::UnicodeNormalization;

/// Words for yes and no, which the encoder folds itself where a column has no others.
const BOOLEANS: [[&str; 2]; 5] =
    [["true", "false"], ["yes", "no"], ["y", "n"], ["t", "f"], ["on", "off"]];

/// Signs that take no place.
const NO_WIDTH: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// So many texts that look alike are named.
const MOST_NAMED: usize = 3;

/// So much of a text is shown.
const LONGEST_TEXT: usize = 40;

/// A column of text in which some look alike.
pub(super) fn look_alikes(look: &Look<'_>) -> Option<Finding> {
    let texts = look.texts()?;
    let mut first_of: HashMap<Cow<'_, str>, usize> = HashMap::with_capacity(texts.of.len());
    // Most texts look like no other: only those that do are put together.
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (text, _)) in texts.of.iter().enumerate() {
        let first = *first_of.entry(key(text)).or_insert(index);
        if first != index {
            groups.entry(first).or_insert_with(|| vec![first]).push(index);
        }
    }
    if is_boolean(first_of.keys()) {
        return None;
    }
    let (_, indices) = groups.first_key_value()?;
    let mut group: Vec<(&str, usize)> = indices.iter().map(|&index| texts.of[index]).collect();
    group.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let more = match groups.len() - 1 {
        0 => String::new(),
        more => format!(", and {}", counted(more, "more such group", "more such groups")),
    };
    let what =
        format!("holds {}, which differ in {} alone{more}", list(&group), differences(&group));
    Some((SuspectKind::LookAlikes, what))
}

/// What look-alikes have in common: no capitals, one space for several of any kind, signs composed, none without width.
fn key(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    if text.bytes().all(is_plain) {
        return text.into();
    }
    let visible = text.chars().filter(|sign| !NO_WIDTH.contains(sign));
    let small: String = visible.flat_map(char::to_lowercase).nfc().collect();
    small.split_whitespace().collect::<Vec<_>>().join(" ").into()
}

fn is_boolean<'a>(keys: impl ExactSizeIterator<Item = &'a Cow<'a, str>> + Clone) -> bool {
    BOOLEANS.iter().any(|pair| keys.clone().all(|key| pair.contains(&key.as_ref())))
}

/// In what these texts differ.
fn differences(group: &[(&str, usize)]) -> &'static str {
    match group.iter().any(|(text, _)| text.contains(is_unseen)) {
        true => "capitals, spaces or invisible signs",
        false => "capitals or spaces",
    }
}

/// The texts with their numbers of cells: `"Male" (120 cells) and "male" (3 cells)`.
fn list(group: &[(&str, usize)]) -> String {
    let named = |&(text, count): &(&str, usize)| {
        format!("\"{}\" ({})", escaped(text), counted(count, "cell", "cells"))
    };
    let mut names: Vec<String> = group.iter().take(MOST_NAMED).map(named).collect();
    if group.len() > MOST_NAMED {
        names.push(format!("{} more", group.len() - MOST_NAMED));
    }
    let last = names.pop().unwrap_or_default();
    format!("{} and {last}", names.join(", "))
}

/// A text with its invisible signs made visible, cut short.
fn escaped(text: &str) -> String {
    let escape = |sign: char| match is_unseen(sign) {
        true => sign.escape_unicode().to_string(),
        false => sign.to_string(),
    };
    let shown: String = text.chars().take(LONGEST_TEXT).map(escape).collect();
    if text.chars().nth(LONGEST_TEXT).is_some() { shown + "…" } else { shown }
}

/// Whether a sign cannot be seen, or not be told from another: spaces but the common one, signs without width, and those
/// that combine with the one before.
fn is_unseen(sign: char) -> bool {
    sign != ' ' && (sign.is_whitespace() || sign.is_control())
        || NO_WIDTH.contains(&sign)
        || unicode_normalization::char::is_combining_mark(sign)
}

#[cfg(test)]
mod tests {
    use super::super::tests::column;
    use super::*;

    /// What is seen in a column with these texts, each in three cells but the last, which is in one.
    fn seen(texts: &[&str]) -> Option<String> {
        let last = 3 * texts.len() - 2;
        let cells = (0..last).map(|row| texts[row % texts.len()].to_string());
        let found = column("b", cells).suspects(&["b"], &["first"]).unwrap();
        let mut alike = found.into_iter().filter(|suspect| suspect.kind == SuspectKind::LookAlikes);
        alike.next().map(|suspect| suspect.what)
    }

    #[test]
    fn texts_that_differ_in_nothing_to_be_seen_are_named_with_their_counts() {
        let plain = "which differ in capitals or spaces alone";
        let hidden = "which differ in capitals, spaces or invisible signs alone";
        for (texts, what) in [
            (&["Male", "male"][..], format!("\"Male\" (2 cells) and \"male\" (2 cells), {plain}")),
            (
                &["New York", "Paris", "New  York"],
                format!("\"New York\" (3 cells) and \"New  York\" (2 cells), {plain}"),
            ),
            (
                &["New York", "Paris", "New\u{a0}York"],
                format!("\"New York\" (3 cells) and \"New\\u{{a0}}York\" (2 cells), {hidden}"),
            ),
            (
                &["owl", "o\u{200b}wl", "hawk"],
                format!("\"owl\" (3 cells) and \"o\\u{{200b}}wl\" (2 cells), {hidden}"),
            ),
            (
                &["café", "cafe\u{301}"],
                format!("\"café\" (2 cells) and \"cafe\\u{{301}}\" (2 cells), {hidden}"),
            ),
            (
                &["A", "a", "Öl", "öl", "ÖL"],
                format!("\"A\" (3 cells) and \"a\" (3 cells), {plain}, and 1 more such group"),
            ),
            (
                &["ab", "aB", "Ab", "AB", "c"],
                format!("\"ab\" (3 cells), \"aB\" (3 cells), \"Ab\" (3 cells) and 1 more, {plain}"),
            ),
        ] {
            assert_eq!(seen(texts), Some(format!("holds {what}")), "{texts:?}");
        }
    }

    #[test]
    fn texts_that_differ_to_the_eye_and_booleans_are_left_alone() {
        for texts in [
            &["male", "female"][..],
            &["Yes", "yes", "NO"],
            &["True", "TRUE", "false"],
            &["Y", "n", "y"],
            &["cafe", "café"],
            &["New York", "NewYork"],
            &["a-b", "a b"],
            &["0", "O", "o0"],
        ] {
            assert_eq!(seen(texts), None, "{texts:?}");
        }
        assert!(seen(&["yes", "Yes", "maybe"]).is_some());
    }

    #[test]
    fn the_more_frequent_text_comes_first() {
        let cells = (0..30).map(|row| if row % 10 == 0 { "wren" } else { "Wren" }.to_string());
        let found = column("b", cells).suspects(&["first"], &["b"]).unwrap();
        assert!(found[0].what.starts_with("holds \"Wren\" (27 cells) and \"wren\" (3 cells), "));
    }
}
