//! Writing files so that, whatever happens, a name holds the whole old file or the whole new one.
//!
//! 1. The bytes go into a draft beside the file, under a name that nobody reads, and are synced: else a machine that loses power
//!    could keep the new name with old bytes, zeros or nothing in it.
//! 2. The draft takes the file's name, in one step.
//! 3. The folder is synced: else the machine could come back with the old file after the program said that the new one is there.
//!
//! The tests go through every state that a crash may leave.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// What is asked of a file system, so that a test can stand in for it.
pub trait Files {
    type File: Write;
    /// A file of a name that must be free: what has two names after a crash is not written over under either.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// A second name for a file.
    fn link(&self, file: &Path, name: &Path) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The machine's own.
#[derive(Clone, Copy)]
pub struct Disk;

impl Files for Disk {
    type File = fs::File;

    fn create(&self, path: &Path) -> io::Result<fs::File> {
        fs::File::create_new(path)
    }

    fn sync(&self, file: &fs::File) -> io::Result<()> {
        file.sync_all()
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        fs::hard_link(file, name)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    #[cfg(unix)]
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        match fs::File::open(path)?.sync_all() {
            // Some file systems, of networks above all, sync no folders.
            Err(error) if matches!(error.kind(), UNABLE | io::ErrorKind::Unsupported) => Ok(()),
            synced => synced,
        }
    }

    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        // Windows opens no folder as a file, and NTFS keeps the order of its names by a journal.
        Ok(())
    }
}

/// What a file system answers that cannot sync a folder.
#[cfg(unix)]
const UNABLE: io::ErrorKind = io::ErrorKind::InvalidInput;

/// A file on its way to a name. Unless it is [kept](Self::keep), nothing of it is left.
pub struct Draft<F: Files> {
    files: F,
    path: PathBuf,
    new: PathBuf,
    /// Until it has its name.
    file: Option<F::File>,
}

impl Draft<Disk> {
    /// A file that is to have this name.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::within(Disk, path)
    }
}

impl<F: Files> Draft<F> {
    fn within(files: F, path: &Path) -> io::Result<Self> {
        let new = beside(path);
        free(&files, &new)?;
        let file = Some(files.create(&new)?);
        Ok(Self { files, path: path.into(), new, file })
    }

    /// Gives it its name, for good.
    pub fn keep(self) -> io::Result<()> {
        self.keep_old(None)
    }

    /// The same; the file that had the name before has this one afterwards, where the file system gives second names.
    fn keep_old(mut self, old: Option<&Path>) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.flush()?;
            self.files.sync(file)?;
        }
        if let Some(old) = old {
            let name = beside(old);
            free(&self.files, &name)?;
            // There may be none yet.
            if self.files.link(&self.path, &name).is_ok() {
                let renamed = self.files.rename(&name, old);
                renamed.inspect_err(|_| _ = self.files.remove(&name))?;
            }
        }
        self.files.rename(&self.new, &self.path)?;
        self.file = None;
        self.files.sync_folder(folder(&self.path))
    }
}

impl<F: Files> Write for Draft<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl<F: Files> Drop for Draft<F> {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = self.files.remove(&self.new);
        }
    }
}

/// Writes a file so that, whatever happens, either the old one or the whole new one is there.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_within(Disk, path, None, bytes)
}

/// The same, with the old file kept under another name, in the same folder.
pub fn write_keeping(path: &Path, old: &Path, bytes: &[u8]) -> io::Result<()> {
    write_within(Disk, path, Some(old), bytes)
}

fn write_within<F: Files>(
    files: F,
    path: &Path,
    old: Option<&Path>,
    bytes: &[u8],
) -> io::Result<()> {
    let mut draft = Draft::within(files, path)?;
    draft.write_all(bytes)?;
    draft.keep_old(old)
}

/// Puts a file in the place of another, for good.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    Disk.rename(from, to)?;
    Disk.sync_folder(folder(to))
}

/// Makes what was named or unnamed in a folder outlast a crash.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    Disk.sync_folder(path)
}

/// The folder that a file is in.
pub fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Frees the name of a draft that a process which was killed left behind.
fn free<F: Files>(files: &F, draft: &Path) -> io::Result<()> {
    match files.remove(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where a file is written before it takes its name.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}
