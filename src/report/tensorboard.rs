//! Event files for TensorBoard: scalars a step, in the format that `tensorboard --logdir` reads.
//!
//! A file is a sequence of TFRecords, each the length of an `Event` message, the message, and a masked CRC-32C of
//! either. Every record is handed to the system in one write and nothing is held back, so that after a crash all
//! records but the one being written can be read.
//! Sources: [`event.proto`, `summary.proto`](https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto),
//! [TFRecord](https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details).

use crate::error::{Error, Result};
use prost::Message;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Writes scalars to an event file.
///
/// ```
/// use awl::report::tensorboard::EventWriter;
/// # let directory = std::env::temp_dir().join(format!("awl-doc-{}", std::process::id()));
/// let mut events = EventWriter::create(&directory)?;
/// events.scalar(1, "loss/species", 1.0986)?;
/// events.scalars(2, [("loss/species", 0.9), ("sigma/species", 0.99)])?;
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), awl::Error>(())
/// ```
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    path: PathBuf,
}

impl EventWriter {
    /// A new event file in a directory, which is made if need be.
    ///
    /// # Errors
    /// [`Error::File`] if the directory or the file cannot be made or written.
    pub fn create(directory: &Path) -> Result<Self> {
        let failed = |source| Error::File { path: directory.into(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let (file, path) = new_file(directory).map_err(failed)?;
        let mut writer = Self { file, path };
        writer.write(0, What::FileVersion("brain.Event:2".into()))?;
        Ok(writer)
    }

    /// A new event file for a run that goes on after this many steps: what earlier files in the directory say of later
    /// steps is void.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn resume(directory: &Path, step: u64) -> Result<Self> {
        let mut writer = Self::create(directory)?;
        writer.write(step.saturating_add(1), What::SessionLog(SessionLog { status: START }))?;
        Ok(writer)
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one value; a `/` in the tag makes groups in TensorBoard.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written.
    pub fn scalar(&mut self, step: u64, tag: &str, value: f64) -> Result<()> {
        self.scalars(step, [(tag, value)])
    }

    /// Writes the values of one step in one record.
    ///
    /// # Errors
    /// As [`scalar`](Self::scalar).
    pub fn scalars<T: Into<String>>(
        &mut self,
        step: u64,
        values: impl IntoIterator<Item = (T, f64)>,
    ) -> Result<()> {
        let value = |(tag, value): (T, f64)| Value { tag: tag.into(), simple_value: value as f32 };
        let values = values.into_iter().map(value).collect();
        self.write(step, What::Summary(Summary { values }))
    }

    fn write(&mut self, step: u64, what: What) -> Result<()> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let event = Event { wall_time: seconds_since_1970(), step, what: Some(what) };
        let record = record(&event.encode_to_vec());
        let failed = |source| Error::File { path: self.path.clone(), source };
        self.file.write_all(&record).map_err(failed)
    }
}

/// A file of a name that is still free. TensorBoard knows event files by `tfevents` in their names, and reads them in
/// the order of their names, hence of their times; if the clock went back, the new one takes the latest time there is.
fn new_file(directory: &Path) -> io::Result<(File, PathBuf)> {
    let now = seconds_since_1970() as u64;
    let names = fs::read_dir(directory)?.flatten().map(|entry| entry.file_name());
    let last = names.filter_map(|name| time_and_number(&name)).max();
    let (seconds, mut number) = match last {
        Some((latest, number)) if latest >= now => (latest, number.saturating_add(1)),
        _ => (now, 0),
    };
    loop {
        let path = directory.join(format!("{EVENTS}{seconds:010}.awl.{number:03}"));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            made => return Ok((made?, path)),
        }
    }
}

const EVENTS: &str = "events.out.tfevents.";

/// What the name of an event file of ours says.
fn time_and_number(name: &OsStr) -> Option<(u64, u32)> {
    let (seconds, number) = name.to_str()?.strip_prefix(EVENTS)?.split_once(".awl.")?;
    Some((seconds.parse().ok()?, number.parse().ok()?))
}

fn seconds_since_1970() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |duration| duration.as_secs_f64())
}

/// A TFRecord.
fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let parts = [&length[..], &checksum(&length), message, &checksum(message)];
    parts.concat()
}

/// The CRC-32C, rotated and shifted: a checksum of data that hold checksums would else be poor.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[derive(Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Value>,
}

#[derive(Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

#[derive(Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `SessionLog.START`.
const START: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// CRC-32C a bit at a time, Castagnoli's polynomial reversed.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            let bit = |crc: u32, _| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
            (0..8).fold(crc ^ u32::from(*byte), bit)
        })
    }

    /// Takes `count` bytes off the front.
    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
        let (front, rest) = bytes.split_at_checked(count)?;
        *bytes = rest;
        Some(front)
    }

    /// The messages of whole records, their checksums checked; stops at one that is cut off, as TensorBoard does.
    fn messages(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut found = Vec::new();
        let mut next = || {
            let length = take(&mut bytes, 8)?;
            let length_crc = take(&mut bytes, 4)?;
            let message = take(&mut bytes, u64::from_le_bytes(length.try_into().ok()?) as usize)?;
            let message_crc = take(&mut bytes, 4)?;
            for (part, masked) in [(length, length_crc), (message, message_crc)] {
                let crc = crc(part);
                #[expect(clippy::manual_rotate, reason = "the format's formula as it is written")]
                let expected = ((crc >> 15) | (crc << 17)).wrapping_add(0xa282_ead8);
                assert_eq!(masked, expected.to_le_bytes());
            }
            Some(message)
        };
        while let Some(message) = next() {
            found.push(message);
        }
        found
    }

    /// The fields of a protobuf message: number and contents, which are a varint or fixed bytes as they are.
    fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        fn varint(bytes: &mut &[u8]) -> u64 {
            let mut value = 0;
            for shift in (0..).step_by(7) {
                let byte = take(bytes, 1).unwrap()[0];
                value |= u64::from(byte & 127) << shift;
                if byte < 128 {
                    break;
                }
            }
            value
        }
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let contents = match key & 7 {
                0 => varint(&mut bytes).to_le_bytes().to_vec(),
                1 => take(&mut bytes, 8).unwrap().to_vec(),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    take(&mut bytes, length).unwrap().to_vec()
                }
                5 => take(&mut bytes, 4).unwrap().to_vec(),
                wire => panic!("wire type {wire}"),
            };
            found.push((key >> 3, contents));
        }
        found
    }

    fn field(message: &[u8], number: u64) -> Option<Vec<u8>> {
        fields(message).into_iter().find(|field| field.0 == number).map(|field| field.1)
    }

    /// `(step, tag, value)` of every scalar of an event file's bytes.
    fn scalars(bytes: &[u8]) -> Vec<(u64, String, f32)> {
        let mut found = Vec::new();
        for event in messages(bytes) {
            let step =
                field(event, 2).map_or(0, |step| u64::from_le_bytes(step.try_into().unwrap()));
            for (_, value) in field(event, 5).iter().flat_map(|summary| fields(summary)) {
                let tag = String::from_utf8(field(&value, 1).unwrap()).unwrap();
                let number = field(&value, 2).map_or([0; 4], |bytes| bytes.try_into().unwrap());
                found.push((step, tag, f32::from_le_bytes(number)));
            }
        }
        found
    }

    /// A directory that goes when the test ends.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("awl-events-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_rfc() {
        // RFC 3720, B.4: 32 bytes of 0, and 0 to 31.
        for (bytes, expected) in
            [([0; 32], 0x8a91_36aa), (std::array::from_fn(|i| i as u8), 0x46dd_794e)]
        {
            assert_eq!((crc(&bytes), crc32c::crc32c(&bytes)), (expected, expected));
        }
    }

    #[test]
    fn what_is_written_is_read_and_a_cut_off_record_spoils_no_other() {
        let scratch = Scratch::new("read");
        let mut writer = EventWriter::create(&scratch.0).unwrap();
        writer.scalar(1, "loss/körpermasse", 0.5).unwrap();
        writer.scalars(300, [("sigma/a", 2.0), ("sigma/b", 0.0)]).unwrap();
        writer.scalar(301, "loss/a", f64::NAN).unwrap();
        let bytes = fs::read(writer.path()).unwrap();
        let version = field(messages(&bytes)[0], 3);
        assert_eq!(version.as_deref(), Some("brain.Event:2".as_bytes()));
        let wall_time = field(messages(&bytes)[1], 1).unwrap();
        let age = seconds_since_1970() - f64::from_le_bytes(wall_time.try_into().unwrap());
        assert!((0.0..3600.0).contains(&age), "{age}");
        let expected = [
            (1, "loss/körpermasse".to_string(), 0.5),
            (300, "sigma/a".to_string(), 2.0),
            (300, "sigma/b".to_string(), 0.0),
        ];
        let found = scalars(&bytes);
        assert_eq!(found[..3], expected);
        assert!(found[3].2.is_nan());
        for cut in 1..20 {
            assert_eq!(scalars(&bytes[..bytes.len() - cut]), expected, "without {cut} bytes");
        }
    }

    #[test]
    fn a_resumed_run_has_a_file_of_its_own_that_voids_later_steps() {
        let scratch = Scratch::new("resumed");
        let first = EventWriter::create(&scratch.0).unwrap();
        let second = EventWriter::resume(&scratch.0, 40).unwrap();
        assert!(first.path() < second.path(), "{first:?} {second:?}");
        let bytes = fs::read(second.path()).unwrap();
        let start = messages(&bytes)[1];
        assert_eq!(field(start, 2), Some(41u64.to_le_bytes().to_vec()));
        assert_eq!(field(&field(start, 7).unwrap(), 1), Some(1u64.to_le_bytes().to_vec()));
    }

    #[test]
    fn after_the_clock_went_back_a_new_file_is_still_the_last() {
        let scratch = Scratch::new("clock");
        fs::create_dir_all(&scratch.0).unwrap();
        let later = scratch.0.join("events.out.tfevents.9999999999.awl.007");
        fs::write(&later, "").unwrap();
        // Of other programs, with whatever they take for a time.
        fs::write(scratch.0.join("events.out.tfevents.99999999999.host"), "").unwrap();
        let first = EventWriter::resume(&scratch.0, 40).unwrap();
        let second = EventWriter::resume(&scratch.0, 50).unwrap();
        let mut names: Vec<PathBuf> = fs::read_dir(&scratch.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_str().unwrap().contains(".awl."))
            .collect();
        names.sort();
        assert_eq!(names[names.len() - 2..], [first.path(), second.path()]);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let scratch = Scratch::new("file");
        fs::write(&scratch.0, "a file").unwrap();
        let error = EventWriter::create(&scratch.0).unwrap_err().to_string();
        fs::remove_file(&scratch.0).unwrap();
        assert!(error.contains("awl-events-file"), "{error}");
    }
}
