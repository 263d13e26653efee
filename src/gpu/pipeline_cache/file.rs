//! The file of a pipeline cache: a mark, a checksum, then the data. It is replaced as a whole, and read only if it is
//! whole.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

const MARK: &[u8; 8] = b"awlpipes";
const SUM_BYTES: usize = 8;

/// The data of a file, unless it is missing, longer than `most` bytes, damaged, or open to other people's writing.
pub(super) fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    let meta = fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > most || !is_private(&meta) {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (sum, data) = bytes.strip_prefix(MARK)?.split_at_checked(SUM_BYTES)?;
    (sum == checksum(data)).then(|| data.to_vec())
}

/// Puts this data in the place of a file, whose folder is made if need be: first under another name, so that nobody
/// ever reads half of it.
pub(super) fn write(path: &Path, data: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let draft = path.with_extension(format!("{}-{count}.tmp", std::process::id()));
    let written = create(&draft).and_then(|mut file| {
        file.write_all(MARK)?;
        file.write_all(&checksum(data))?;
        file.write_all(data)?;
        drop(file);
        fs::rename(&draft, path)
    });
    if written.is_err() {
        // It may not even exist.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Against accidents. Another version of the standard library may add up differently, and then starts afresh.
fn checksum(data: &[u8]) -> [u8; SUM_BYTES] {
    let mut hasher = DefaultHasher::new();
    hasher.write(data);
    hasher.finish().to_le_bytes()
}

#[cfg(unix)]
fn is_private(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const OTHERS_WRITE: u32 = 0o022;
    meta.permissions().mode() & OTHERS_WRITE == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file, which must not exist: a link that somebody put there is not followed.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A folder of this test's own, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("awl-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_left() {
        let folder = Folder::new("whole");
        let path = folder.0.join("deep").join("pipelines");
        assert_eq!(read(&path, 100), None);
        for data in [&b"first"[..], b"", b"the third"] {
            write(&path, data).expect("a file");
            assert_eq!(read(&path, 100).as_deref(), Some(data));
        }
        let files = fs::read_dir(folder.0.join("deep")).expect("a folder").count();
        assert_eq!(files, 1);
    }

    #[test]
    fn damage_anywhere_and_excess_are_noticed() {
        let folder = Folder::new("damage");
        let path = folder.0.join("pipelines");
        write(&path, b"some data").expect("a file");
        let whole = fs::read(&path).expect("its bytes");
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            fs::write(&path, &damaged).expect("a damaged file");
            assert_eq!(read(&path, 100), None, "byte {place}");
            fs::write(&path, &whole[..place]).expect("a file cut short");
            assert_eq!(read(&path, 100), None, "cut at {place}");
        }
        fs::write(&path, [&whole[..], b"!"].concat()).expect("a longer file");
        assert_eq!(read(&path, 100), None);
        fs::write(&path, &whole).expect("the whole file");
        assert_eq!(read(&path, whole.len() as u64 - 1), None);
        assert!(read(&path, whole.len() as u64).is_some());
    }

    #[test]
    fn a_place_that_is_no_folder_is_an_error_and_a_folder_is_no_file() {
        let folder = Folder::new("place");
        let path = folder.0.join("pipelines");
        fs::create_dir_all(&path).expect("a folder in its place");
        assert!(write(&path, b"data").is_err());
        assert_eq!(read(&path, 100), None);
        assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 1, "the draft was left");
        let file = folder.0.join("file");
        fs::write(&file, "").expect("a file");
        assert!(write(&file.join("pipelines"), b"data").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_write_is_not_read_and_ours_they_may_not() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("others");
        let path = folder.0.join("pipelines");
        write(&path, b"data").expect("a file");
        let mode =
            |path: &Path| fs::metadata(path).expect("its permissions").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&folder.0)), (0o600, 0o700));
        for open in [0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("permissions");
            assert_eq!(read(&path, 100), None, "{open:o}");
        }
    }
}
