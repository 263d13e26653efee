//! Delimited text in any encoding, gzipped or not.

use awl::tables::{Decimal, EncoderOptions, ReadOptions, Scale, TargetSpec, Transform};
use awl::{Encoder, Error, Table};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// Reads the bytes but for the first two, which say how, and learns how to encode the table.
pub fn table(bytes: &[u8]) {
    let [how, then, text @ ..] = bytes else { return };
    let of = |list: &[Option<&str>], at: u8| list[usize::from(at) % list.len()].map(String::from);
    let separators = [None, None, Some(','), Some(';'), Some('\t'), Some('|'), Some(':'), None];
    let decimals = [None, None, Some(Decimal::Point), Some(Decimal::Comma)];
    let options = ReadOptions {
        separator: separators[usize::from(how & 7)],
        decimal: decimals[usize::from(how >> 3 & 3)],
        encoding: of(&ENCODINGS, how >> 5),
        missing: if then & 8 > 0 { vec!["-1".into(), "b=x".into()] } else { Vec::new() },
        text: if then & 16 > 0 { vec!["a".into()] } else { Vec::new() },
        written: if then & 32 > 0 { vec!["b".into()] } else { Vec::new() },
        ..ReadOptions::default()
    };
    let found = Table::from_csv_with("a table", text, &options);
    if then & 7 == 0 && !text.starts_with(&[0x1f, 0x8b]) {
        let packed = Table::from_csv_with("a table", &gzipped(text)[..], &options);
        assert_eq!(told(&packed), told(&found), "gzipped it is another table");
    }
    if let Ok(table) = found {
        learn(&table, *then);
    }
}

const ENCODINGS: [Option<&str>; 8] = [
    None,
    None,
    None,
    Some("utf-8"),
    Some("windows-1252"),
    Some("utf-16le"),
    Some("shift_jis"),
    Some("gb18030"),
];

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(text);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// All that can be seen of a table, or the error.
fn told(table: &Result<Table, Error>) -> String {
    match table {
        Ok(table) => {
            let cells = table.columns().map(|column| {
                let cells = (0..table.rows()).map(|row| column.text(row));
                format!("{:?}", cells.collect::<Vec<_>>())
            });
            format!("{:?} {:?} {:?}", table.names(), cells.collect::<Vec<_>>(), table.reading())
        }
        Err(error) => error.to_string(),
    }
}

/// Encodes the last column's cells from those of the others.
pub fn learn(table: &Table, how: u8) {
    let Some((last, others)) = table.names().split_last() else { return };
    let transforms = [Transform::None, Transform::Log, Transform::Log1p, Transform::Quantile];
    let target = TargetSpec::new(last).with_transform(transforms[usize::from(how >> 6)]);
    let scales = [Scale::Standard, Scale::Robust, Scale::Quantile];
    let scale = scales[usize::from(how) % scales.len()];
    let options = EncoderOptions { scale, ..EncoderOptions::default() };
    let _ = table.reading().sentences();
    let Ok(encoder) = Encoder::fit_with(table, others, &[target], options) else { return };
    let saved = serde_json::to_string(&encoder).map_err(|error| error.to_string());
    let read = saved.and_then(|it| serde_json::from_str(&it).map_err(|error| error.to_string()));
    assert_eq!(read, Ok(encoder.clone()), "what was written of an encoder is read as another");
    let _ = encoder.encode(table);
}
