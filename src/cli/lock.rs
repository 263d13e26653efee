//! One process at a time writes in a run's directory.
//!
//! The lock is the operating system's own, on a file in the directory, and goes with the process however that ends: no lock is ever
//! left behind, and the file stays. Whoever only reads does not ask for it.

use super::failure::Failure;
use std::fs::{File, TryLockError};
use std::path::Path;

/// The file that is locked.
const FILE: &str = ".lock";

/// That no other process writes in a directory, until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "its lock ends when it is closed")] File);

impl Lock {
    /// Takes the lock of a directory, or says that another process has it.
    pub fn take(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| Failure::writing(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::input(format!(
                    "{}: another process is at work in this directory: wait until it has ended, or stop it; reading (evaluate, \
                     predict, export) is possible meanwhile",
                    directory.display()
                )));
            }
            // Some file systems of networks have no locks.
            Err(TryLockError::Error(error)) => eprintln!(
                "warning: {}: the file system has no locks ({error}): see to it that no other process trains in this directory",
                path.display()
            ),
        }
        Ok(Self(file))
    }
}
