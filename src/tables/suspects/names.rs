//! What columns are called that number or name the rows.

/// Names of columns that number the rows, in small letters; too common to make an identifier of any column.
const NUMBERS: [&str; 10] =
    ["", "#", "nr", "no", "num", "obs", "observation", "case", "record", "sample"];

/// Names of columns that number or name the rows, in small letters.
const IDENTIFIERS: [&str; 12] = [
    "id",
    "ids",
    "uuid",
    "guid",
    "key",
    "index",
    "idx",
    "row",
    "rowid",
    "rownum",
    "row_number",
    "rownames",
];

/// How the names of identifiers end, in small letters.
const ENDS: [&str; 6] = ["_id", "-id", ".id", " id", "_uuid", "_guid"];

/// How the names of identifiers begin, in small letters: the last is what pandas calls a column without a name.
const STARTS: [&str; 4] = ["id_", "id-", "id ", "unnamed:"];

/// Whether a column of this name is likely to count the rows.
pub(super) fn is_row_number(name: &str) -> bool {
    // R calls a column without a name X.
    name == "X" || NUMBERS.contains(&name.to_lowercase().as_str()) || is_identifier(name)
}

/// Whether a column of this name is likely to name the rows.
pub(super) fn is_identifier(name: &str) -> bool {
    let small = name.to_lowercase();
    IDENTIFIERS.contains(&small.as_str())
        || ENDS.iter().any(|end| small.ends_with(end))
        || STARTS.iter().any(|start| small.starts_with(start))
        || ends_in_camel_case(name)
}

/// Whether a name ends as `passengerId` and `customerID` do, but not as `humid` and `ACID`.
fn ends_in_camel_case(name: &str) -> bool {
    let stem = name.strip_suffix("Id").or_else(|| name.strip_suffix("ID"));
    stem.is_some_and(|stem| stem.ends_with(|last: char| last.is_lowercase() || last.is_numeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_told_by_a_word_of_its_own() {
        for name in [
            "id",
            "ID",
            "Ids",
            "uuid",
            "customer_id",
            "ORDER_ID",
            "user-id",
            "PassengerId",
            "customerID",
            "id_sample",
            "row.id",
            "rownames",
            "Unnamed: 0",
            "Customer ID",
            "index",
            "KEY",
        ] {
            assert!(is_identifier(name) && is_row_number(name), "{name}");
        }
        for name in [
            "acid",
            "humid",
            "paid",
            "Covid",
            "ACID",
            "fluid",
            "identity",
            "keyboard",
            "idea",
            "Index of prices",
            "x",
            "",
        ] {
            assert!(!is_identifier(name), "{name}");
        }
    }

    #[test]
    fn more_names_do_for_what_counts_the_rows() {
        for name in ["", "X", "row", "Row_Number", "nr", "No", "obs", "case", "Sample"] {
            assert!(is_row_number(name), "{name}");
        }
        for name in ["x", "year", "rowing", "nod", "cases", "time", "samples"] {
            assert!(!is_row_number(name), "{name}");
        }
    }
}
