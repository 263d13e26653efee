//! The name that was probably meant by a misspelt one.

/// The name nearest to `asked`, if it is near enough to be worth suggesting: at most one slip in every
/// three letters, capitals not counted. The first of several that are equally near.
pub(crate) fn nearest<'a>(
    asked: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let asked = asked.to_lowercase();
    let allowed = (asked.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (strsim::osa_distance(&asked, &name.to_lowercase()), name))
        .filter(|&(slips, name)| slips <= allowed && slips < name.chars().count())
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let names = ["species", "bill_length_mm", "bill_depth_mm", "sex", "x"];
        for (asked, meant) in [
            ("bill_lenght_mm", Some("bill_length_mm")),
            ("bill_depth", Some("bill_depth_mm")),
            ("Species", Some("species")),
            ("specie", Some("species")),
            ("sexe", Some("sex")),
            ("y", None),
            ("", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(asked, names), meant, "{asked}");
        }
    }
}
