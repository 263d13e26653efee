use super::*;
use proptest::prelude::*;

/// Gives a byte at a time.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(&mut into[..1])
    }
}

#[test]
fn cells_in_quotes_are_known() {
    for (text, quoted) in [
        ("a,\"b\",c\n", &[false, true, false][..]),
        ("\"NA\",NA,\"\"\n", &[true, false, true]),
        ("\r\n\n\"x,y\",\"say \"\"so\"\"\", z\r\n", &[true, true, false]),
        ("5\",\"\n\n\"\n", &[false, true]),
        (",,\"\"\n", &[false, false, true]),
        ("plain,\n", &[]),
    ] {
        let mut records = Records::new(Trickle(text.as_bytes()), b',');
        let Ok(Some(record)) = records.next() else { panic!("{text:?} is a record") };
        assert_eq!(record.quoted(), quoted, "{text:?}");
    }
}

#[test]
fn letters_that_are_not_utf8_are_those_of_windows_if_they_always_were() {
    let read = |bytes: &[u8]| {
        let mut records = Records::new(bytes, b',');
        let mut cells = Vec::new();
        loop {
            match records.next() {
                Ok(Some(record)) => cells.extend(record.cells().map(String::from)),
                Ok(None) => return (cells, records.foreign(), false),
                Err(_) => return (cells, records.foreign(), true),
            }
        }
    };
    let (cells, foreign, damaged) = read(b"a,b\nZo\xeb,1\nM\xfcller,\x80\n");
    assert_eq!(cells, ["a", "b", "Zoë", "1", "Müller", "€"]);
    assert_eq!((foreign, damaged), (Some(2), false));
    // Two letters that would be one of UTF-8 are two where the file was found to be none.
    assert_eq!(read(b"a\nM\xfcller\n\xc3\xbc\n").0, ["a", "Müller", "Ã¼"]);
    let (cells, foreign, damaged) = read("a\nZoë\n".as_bytes());
    assert_eq!((cells, foreign, damaged), (vec!["a".into(), "Zoë".into()], None, false));
    let (_, foreign, damaged) = read(b"a\nZo\xc3\xab\nM\xfcller\n");
    assert_eq!((foreign, damaged), (None, true));
}

/// The records and their lines, and whether a quote is left open.
fn all(reader: impl Read) -> (Vec<(u64, Vec<String>)>, bool) {
    let (mut records, mut found) = (Records::new(reader, b','), Vec::new());
    loop {
        match records.next() {
            Ok(Some(record)) => {
                found.push((record.line, record.cells().map(String::from).collect()));
            }
            Ok(None) => return (found, false),
            Err(_) => return (found, true),
        }
    }
}

/// What of gzip a file of a few kilobytes unpacks to: it must not be kept whole before it is refused.
#[test]
fn a_row_without_an_end_is_refused_and_blank_lines_without_one_are_not_kept() {
    for byte in [b'a', b',', b'"'] {
        let mut records = Records::new(std::io::repeat(byte), b',');
        let Err(Problem::Text(told)) = records.next() else { panic!("{byte} has an end") };
        assert!(
            told.starts_with("line 1: the row that begins here has more than 64 MiB"),
            "{told}"
        );
        assert!(records.raw.len() <= 4 * MOST_BYTES, "{byte}: {}", records.raw.len());
    }
    let mut records = Records::new(std::io::repeat(b'\n').take(1 << 20), b',');
    assert!(matches!(records.next(), Ok(None)));
    assert!(records.raw.capacity() < 1 << 19, "{}", records.raw.capacity());
}

proptest! {
    #[test]
    fn records_are_those_of_the_csv_crate_on_the_lines_of_an_editor(text in "[a1,\"\n\r ]{0,30}") {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut expected = Vec::new();
        for record in reader.records() {
            let record = record.expect("UTF-8");
            let start = record.position().expect("it was read").byte() as usize;
            let before = text[start..].find(|c| !matches!(c, '\n' | '\r')).expect("a record has text") + start;
            let line = text[..before].replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() as u64 + 1;
            expected.push((line, record.iter().map(String::from).collect::<Vec<_>>()));
        }
        // A further line that falls into the last cell says that a quote is open.
        let further = format!("{text}\nQ");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(further.as_bytes());
        let last = reader.records().last().expect("Q at least").expect("UTF-8");
        let open = last.iter().next_back() != Some("Q");
        if open {
            expected.pop();
        }
        prop_assert_eq!(&all(text.as_bytes()), &(expected, open));
        prop_assert_eq!(all(Trickle(text.as_bytes())), all(text.as_bytes()));
    }
}
