//! Files: what they are, and what is no table.

use super::*;
use std::io::Write;
use std::path::PathBuf;

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Table::read_csv("no/such/table.csv").unwrap_err();
    assert!(matches!(&error, Error::File { path, .. } if path.ends_with("table.csv")));
    assert!(error.to_string().starts_with("no/such/table.csv: "));

    struct Torn;
    impl Read for Torn {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable is out"))
        }
    }
    let error = Table::from_csv("net.csv", Torn).unwrap_err();
    assert_eq!(error.to_string(), "net.csv: the cable is out");
}

/// Files of a test, taken away when it ends.
pub(super) struct Files(tempfile::TempDir);

impl Files {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_is_read_by_its_name_and_its_first_bytes() {
    let files = Files::new();
    let (commas, tabs) = ("a,b\n007,x\nA7,y\n", "a\tb\n007\tx\nA7\ty\n");
    for (name, bytes) in [
        ("t.csv", commas.into()),
        ("t.CSV", commas.into()),
        ("t.tsv", tabs.into()),
        ("t.tab", tabs.into()),
        ("commas.tsv", commas.into()),
        ("tabs.csv", tabs.into()),
        ("semicolons.csv", commas.replace(',', ";").into()),
        ("t.txt", commas.into()),
        ("tabs.txt", tabs.into()),
        ("t", format!("\u{feff}\n{tabs}").into()),
        ("t.csv.gz", gzipped(commas.as_bytes())),
        ("t.tsv.gz", gzipped(tabs.as_bytes())),
        ("marked.csv.gz", gzipped(format!("\u{feff}{commas}").as_bytes())),
        ("packed", gzipped(tabs.as_bytes())),
        ("parts.csv.gz", [gzipped(b"a,b\n007,"), gzipped(b"x\nA7,y\n")].concat()),
    ] {
        let path = files.write(name, &bytes);
        let table = Table::open(&path).unwrap();
        assert_eq!(table.names(), ["a", "b"], "{name}");
        assert_eq!(cells(&table, "a"), text(&[Some("007"), Some("A7")]), "{name}");
        assert_eq!(cells(&table, "b"), text(&[Some("x"), Some("y")]), "{name}");
        assert_eq!(
            Table::chunks(&path, 9, &ReadOptions::default()).next().unwrap().unwrap(),
            table,
            "{name}"
        );
    }
}

#[test]
fn what_is_no_table_is_told_what_it_is() {
    let files = Files::new();
    let rows: String = (0..5_000).map(|row| format!("{row},{}\n", row * row % 7_919)).collect();
    let packed = gzipped(format!("a,b\n{rows}").as_bytes());
    let mut damaged = packed.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 0xff;
    let short = |length: usize| packed[..length].to_vec();
    for (name, bytes, message) in [
        ("empty.csv", vec![], "the file is empty: name the columns in its first line"),
        ("empty.csv.gz", gzipped(b""), "the file is empty"),
        (
            "twice.csv",
            b"a,b,a\n1,2,3\n".to_vec(),
            "line 1: columns 1 and 3 are both named \"a\": rename",
        ),
        (
            "ragged.tsv",
            b"a\tb\n1\n".to_vec(),
            "line 2: the number of cells is 1, but the header names 2 columns: write NA for a missing cell, quote text that holds a tab",
        ),
        (
            "quote.csv",
            b"a,b\n1,\"2\n3,4\n".to_vec(),
            "line 2: a quote opened here is never closed: close it",
        ),
        (
            "damaged.csv",
            b"a,b\n1,\xc3\xa9\n1,\xe9\n".to_vec(),
            "line 3, column 2: the text is not UTF-8: save the file as UTF-8",
        ),
        ("start.gz", short(5), "the gzipped data ends too early: copy or download the file again"),
        ("short.csv.gz", short(packed.len() - 900), "the gzipped data ends too early"),
        ("sum.csv.gz", short(packed.len() - 3), "the gzipped data ends too early"),
        ("damaged.csv.gz", damaged, "the gzipped data is damaged: copy or download"),
        (
            "picture.csv",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            "this is a binary file, not a table of text: save it as",
        ),
        ("packed.csv.gz", gzipped(b"a,b\n\0\x01"), "this is a binary file"),
        (
            "book.csv",
            b"PK\x03\x04\x14\0".to_vec(),
            "this is a zip archive or a spreadsheet's workbook: unpack it",
        ),
        (
            "t.csv.zst",
            b"\x28\xb5\x2f\xfd\0".to_vec(),
            "the file is compressed, but not by gzip: unpack it",
        ),
    ] {
        let path = files.write(name, &bytes);
        let expected = format!("{}: {message}", path.display());
        for found in [
            Table::open(&path),
            Table::chunks(&path, 10_000, &ReadOptions::default()).next().unwrap(),
        ] {
            let found = found.unwrap_err().to_string();
            assert!(found.starts_with(&expected), "{found}");
        }
    }
    let directory = files.0.path();
    let error = Table::open(directory).unwrap_err().to_string();
    assert_eq!(error, format!("{}: this is a directory: name a file in it", directory.display()));
    let missing = Table::open(directory.join("none.csv")).unwrap_err();
    assert!(
        matches!(&missing, Error::File { path, .. } if path.ends_with("none.csv")),
        "{missing}"
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_asks_for_its_feature() {
    let files = Files::new();
    let path = files.write("t.parquet", b"PAR1\x15\0\x15");
    for found in
        [Table::open(&path), Table::chunks(&path, 9, &ReadOptions::default()).next().unwrap()]
    {
        let error = found.unwrap_err().to_string();
        assert!(
            error.contains("t.parquet: this is a Parquet file, which needs the feature parquet"),
            "{error}"
        );
    }
}
