//! Suspects in sentences: those of one kind in one, so that thirteen equal warnings become one.

use super::{Suspect, SuspectKind};

/// No more columns are named in one sentence.
const MOST_NAMES: usize = 12;

/// No sentence is longer, in bytes.
const LONGEST: usize = 900;

/// A longer name of a column is cut if there are others beside it.
const LONGEST_NAME: usize = 60;

impl Suspect {
    /// Says what was seen in a sentence for each kind of suspect: for one column in its own words, for several with
    /// their names. Placeholders of different values, and leaks of different tasks, are sentences of their own.
    ///
    /// At most 12 columns are named, and no sentence is longer than 900 bytes. What to do is left to the caller.
    ///
    /// ```
    /// let text = (0..30).map(|i| format!("{i},{i},{}\n", i * i % 7)).collect::<String>();
    /// let table = awl::Table::from_csv("t", format!("id,row,y\n{text}").as_bytes())?;
    /// let suspects = table.suspects(&["id", "row"], &["y"])?;
    /// assert_eq!(awl::tables::Suspect::sentences(&suspects), ["columns \"id\", \"row\" number the rows"]);
    /// # Ok::<(), awl::Error>(())
    /// ```
    pub fn sentences<'a>(suspects: impl IntoIterator<Item = &'a Suspect>) -> Vec<String> {
        let mut groups: Vec<Vec<&Suspect>> = Vec::new();
        for suspect in suspects {
            match groups.iter_mut().find(|group| is_one_kind(&group[0].kind, &suspect.kind)) {
                Some(group) => group.push(suspect),
                None => groups.push(vec![suspect]),
            }
        }
        groups.iter().map(|group| sentence(group)).collect()
    }
}

/// Whether suspects of these kinds share a sentence.
fn is_one_kind(one: &SuspectKind, other: &SuspectKind) -> bool {
    let are_outliers =
        matches!((one, other), (SuspectKind::Outlier { .. }, SuspectKind::Outlier { .. }));
    one == other || are_outliers
}

/// A sentence for suspects of one kind.
fn sentence(group: &[&Suspect]) -> String {
    if let [Suspect { column, what, .. }] = group {
        return cut(&format!("column \"{column}\" {what}"), LONGEST);
    }
    let names: Vec<String> = group.iter().map(|suspect| name(suspect)).collect();
    let verb = verb(&group[0].kind);
    let with = |named: usize| match names.len() - named {
        0 => format!("columns {} {verb}", names.join(", ")),
        _ => format!("columns {} … ({} in all) {verb}", names[..named].join(", "), names.len()),
    };
    let fits = |sentence: &String| sentence.len() <= LONGEST;
    let sentences = (1..=names.len().min(MOST_NAMES)).rev().map(with);
    sentences.into_iter().find(fits).unwrap_or_else(|| cut(&with(1), LONGEST))
}

/// A column's name, with the line of its outlier.
fn name(suspect: &Suspect) -> String {
    let name = cut(&suspect.column, LONGEST_NAME);
    match suspect.kind {
        SuspectKind::Outlier { line } => format!("\"{name}\" (line {line})"),
        _ => format!("\"{name}\""),
    }
}

/// What several columns do.
fn verb(kind: &SuspectKind) -> String {
    match kind {
        SuspectKind::RowNumber => "number the rows".into(),
        SuspectKind::Identifier => "name the rows: nearly all of their cells are different".into(),
        SuspectKind::FreeText => "hold texts that nearly all differ".into(),
        SuspectKind::Date => "hold dates or times as text".into(),
        SuspectKind::Placeholder { value } => {
            format!("hold \"{value}\", which seems to stand for missing cells")
        }
        SuspectKind::Outlier { .. } => "hold a number far from all others".into(),
        SuspectKind::Unit => "hold numbers with something around them, such as units".into(),
        SuspectKind::LookAlikes => {
            "hold texts that differ in capitals, spaces or invisible signs alone".into()
        }
        SuspectKind::Leak { task } => format!("each determine \"{task}\" alone"),
    }
}

/// A text of at most so many bytes.
fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.into();
    }
    let mut end = longest - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspect(column: impl Into<String>, kind: SuspectKind) -> Suspect {
        Suspect { column: column.into(), kind, what: "was seen".into() }
    }

    fn placeholder(value: &str) -> SuspectKind {
        SuspectKind::Placeholder { value: value.into() }
    }

    #[test]
    fn one_column_is_told_of_in_its_own_words_and_several_in_one_sentence() {
        let leak = |task: &str| SuspectKind::Leak { task: task.into() };
        let suspects = [
            suspect("id", SuspectKind::RowNumber),
            suspect("a", SuspectKind::Date),
            suspect("b", SuspectKind::Date),
            suspect("c", placeholder("-200")),
            suspect("d", placeholder("99")),
            suspect("e", placeholder("-200")),
            suspect("f", SuspectKind::Outlier { line: 7 }),
            suspect("g", SuspectKind::Outlier { line: 9 }),
            suspect("h", leak("y")),
            suspect("h", leak("z")),
            suspect("i", leak("y")),
        ];
        let sentences = [
            "column \"id\" was seen",
            "columns \"a\", \"b\" hold dates or times as text",
            "columns \"c\", \"e\" hold \"-200\", which seems to stand for missing cells",
            "column \"d\" was seen",
            "columns \"f\" (line 7), \"g\" (line 9) hold a number far from all others",
            "columns \"h\", \"i\" each determine \"y\" alone",
            "column \"h\" was seen",
        ];
        assert_eq!(Suspect::sentences(&suspects), sentences);
        assert!(Suspect::sentences([]).is_empty());
    }

    #[test]
    fn twelve_names_are_enough_and_long_ones_are_fewer() {
        let many = |length: usize| -> Vec<Suspect> {
            let name = |index| format!("p{index:0>length$}");
            (0..30).map(|index| suspect(name(index), SuspectKind::FreeText)).collect()
        };
        let short = Suspect::sentences(&many(1));
        assert_eq!(
            short,
            [
                "columns \"p0\", \"p1\", \"p2\", \"p3\", \"p4\", \"p5\", \"p6\", \"p7\", \"p8\", \"p9\", \"p10\", \"p11\" … \
              (30 in all) hold texts that nearly all differ"
            ]
        );
        for length in [10, 50, 70, 100, 2_000] {
            let sentences = Suspect::sentences(&many(length));
            assert_eq!(sentences.len(), 1);
            assert!(sentences[0].len() <= LONGEST, "{}", sentences[0].len());
            assert!(sentences[0].contains("… (30 in all) hold"), "{}", sentences[0]);
        }
        for one in [
            suspect("é".repeat(2_000), SuspectKind::Unit),
            suspect("b", placeholder(&"x".repeat(2_000))),
        ] {
            for suspects in [vec![&one], vec![&one, &one]] {
                let sentences = Suspect::sentences(suspects);
                assert!(sentences[0].len() <= LONGEST, "{}", sentences[0].len());
            }
        }
    }
}
