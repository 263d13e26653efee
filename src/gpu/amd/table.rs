//! The tables: the most that every kernel may take on a family of GPUs, as one compiler found it, and its picture in
//! docs/performance.md. A kernel that takes more fails; so does one that takes far less, until its row is made anew.

use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What a kernel may take on a family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub kernel: String,
    /// Those of the pipeline, as `NAME=VALUE NAME=VALUE`.
    pub constants: String,
    pub family: String,
    /// At most.
    pub vgprs: u64,
    /// Bytes of workgroup memory, at most.
    pub lds: u64,
    /// At least.
    pub waves: u64,
    /// Bytes, at most.
    pub code: u64,
}

/// Rows, and the compiler whose they are.
#[derive(Debug, PartialEq)]
pub(super) struct Table {
    pub compiler: String,
    pub rows: Vec<Row>,
}

impl Table {
    /// Reads `tests/amd/NAME.csv`; none, if it is not there yet.
    pub fn read(name: &str) -> Self {
        let path = folder().join(name).with_extension("csv");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let (first, rows) = text.split_once('\n').unwrap_or_default();
        let rows = csv::Reader::from_reader(rows.as_bytes()).into_deserialize();
        let fail = |e| -> Row { panic!("{}: {e}", path.display()) };
        Self {
            compiler: first.trim_start_matches("# ").into(),
            rows: rows.map(|row| row.unwrap_or_else(fail)).collect(),
        }
    }

    /// Writes it there.
    pub fn write(&self, name: &str) {
        let path = folder().join(name).with_extension("csv");
        let mut rows = csv::Writer::from_writer(format!("# {}\n", self.compiler).into_bytes());
        self.rows.iter().for_each(|row| rows.serialize(row).expect("a row as CSV"));
        let text = rows.into_inner().expect("rows in memory");
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// What is wrong with these rows, held against this table.
    pub fn complaints(&self, found: &[Row]) -> Vec<String> {
        let of =
            |rows: &[Row], row: &Row| rows.iter().find(|other| other.key() == row.key()).cloned();
        let gone = self.rows.iter().filter(|row| of(found, row).is_none());
        let gone = gone.map(|row| {
            format!("{}: the table has a row for it, and there is no such kernel", row.title())
        });
        let judged = found.iter().flat_map(|row| match of(&self.rows, row) {
            Some(held) => held.complaints(row),
            None => vec![format!("{}: the table has no row for it", row.title())],
        });
        judged.chain(gone).collect()
    }
}

impl Row {
    fn key(&self) -> [&str; 3] {
        [&self.kernel, &self.constants, &self.family]
    }

    pub fn title(&self) -> String {
        match self.constants.as_str() {
            "" => format!("{} on {}", self.kernel, self.family),
            constants => format!("{} ({constants}) on {}", self.kernel, self.family),
        }
    }

    /// What is wrong with the figures found, held against this row.
    fn complaints(&self, found: &Self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut say = |what, is, bound, held| {
            complaints.push(format!("{}: {is} {what}, its row says {bound} {held}", self.title()));
        };
        for (what, is, most) in [
            ("vector registers", found.vgprs, self.vgprs),
            ("bytes of workgroup memory", found.lds, self.lds),
            ("bytes of code", found.code, self.code),
        ] {
            if is > most {
                say(what, is, "at most", most);
            } else if 4 * is < 3 * most {
                say(what, is, "far too much,", most);
            }
        }
        if found.waves < self.waves {
            say("waves", found.waves, "at least", self.waves);
        }
        complaints
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/amd")
}

/// Where docs/performance.md shows the tables, between these lines.
const SHOWN: [&str; 2] = ["<!-- tests/amd -->\n", "<!-- /tests/amd -->\n"];

/// The remedy.
pub(super) const ANEW: &str = "make them anew: AWL_AMD_TABLE=write cargo test --release --lib amd";

/// Has docs/performance.md show all tables: writes them there, or panics where others stand.
pub(super) fn show(writes: bool) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    let page = std::fs::read_to_string(&path).expect("docs/performance.md");
    let [begin, end] = SHOWN;
    let (before, rest) = page.split_once(begin).expect("a line that says where the tables begin");
    let (shown, after) = rest.split_once(end).expect("a line that says where they end");
    let files = std::fs::read_dir(folder()).expect("tests/amd");
    let mut names: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    names.sort();
    let names = names.iter().filter_map(|path| path.file_stem()?.to_str());
    let made = picture(&names.flat_map(|name| Table::read(name).rows).collect::<Vec<_>>());
    match writes {
        true => std::fs::write(&path, [before, begin, &made, end, after].concat())
            .expect("docs/performance.md"),
        false => assert!(
            shown == made,
            "docs/performance.md shows other figures than tests/amd holds; {ANEW}"
        ),
    }
}

/// A line a kernel: the worst of its constants.
fn picture(rows: &[Row]) -> String {
    const FAMILIES: [&str; 2] = ["navi21", "vega10"];
    let mut kernels: Vec<&str> = rows.iter().map(|row| row.kernel.as_str()).collect();
    kernels.dedup();
    let mut picture =
        "| kernel | vector registers | workgroup memory | waves a SIMD | bytes of code |\n"
            .to_string();
    picture += "|---|--:|--:|--:|--:|\n";
    for kernel in kernels {
        let of = |family: &str| {
            let rows = rows.iter().filter(move |row| row.kernel == kernel && row.family == family);
            rows.map(|row| (row.vgprs, row.lds, row.waves, row.code)).collect::<Vec<_>>()
        };
        let families =
            FAMILIES.map(|family| of(family).into_iter().reduce(worst).unwrap_or_default());
        let [(vgprs, lds, waves, code), (v, l, w, c)] = families;
        let lds = if lds == l { lds.to_string() } else { format!("{lds}, {l}") };
        // Writing to a string cannot fail.
        let _ =
            writeln!(picture, "| `{kernel}` | {vgprs}, {v} | {lds} | {waves}, {w} | {code}, {c} |");
    }
    picture
}

fn worst(one: (u64, u64, u64, u64), other: (u64, u64, u64, u64)) -> (u64, u64, u64, u64) {
    (one.0.max(other.0), one.1.max(other.1), one.2.min(other.2), one.3.max(other.3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(vgprs: u64, lds: u64, waves: u64, code: u64) -> Row {
        let [kernel, constants, family] = ["rows", "CLIP=0.5", "navi21"].map(String::from);
        Row { kernel, constants, family, vgprs, lds, waves, code }
    }

    #[test]
    fn every_figure_is_held_to_its_row() {
        let table = Table { compiler: "Mesa 1".into(), rows: vec![row(32, 4608, 7, 1000)] };
        let said =
            |vgprs, lds, waves, code| table.complaints(&[row(vgprs, lds, waves, code)]).join("; ");
        for (found, about) in [
            (said(32, 4608, 7, 1000), ""),
            (said(24, 3456, 9, 750), ""),
            (said(40, 4608, 7, 1000), "40 vector registers, its row says at most 32"),
            (said(32, 5120, 7, 1000), "5120 bytes of workgroup memory, its row says at most 4608"),
            (said(32, 4608, 6, 1000), "6 waves, its row says at least 7"),
            (said(32, 4608, 7, 1001), "1001 bytes of code, its row says at most 1000"),
            (said(23, 4608, 7, 1000), "23 vector registers, its row says far too much, 32"),
            (
                said(32, 3455, 7, 1000),
                "3455 bytes of workgroup memory, its row says far too much, 4608",
            ),
            (said(32, 4608, 7, 749), "749 bytes of code, its row says far too much, 1000"),
        ] {
            let whole = format!("rows (CLIP=0.5) on navi21: {about}");
            assert_eq!(found, if about.is_empty() { "" } else { &whole });
        }
    }

    #[test]
    fn a_kernel_without_a_row_and_a_row_without_a_kernel_are_told() {
        let table = Table { compiler: "Mesa 1".into(), rows: vec![row(32, 0, 7, 1000)] };
        let other = Row { family: "vega10".into(), ..row(32, 0, 7, 1000) };
        let [new, gone] = &table.complaints(&[other])[..] else { panic!("two complaints") };
        assert!(new.contains("on vega10") && new.contains("no row"), "{new}");
        assert!(gone.contains("on navi21") && gone.contains("no such kernel"), "{gone}");
    }
}
