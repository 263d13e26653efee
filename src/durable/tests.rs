//! Every state that a crash may leave, in a file system that promises no more than POSIX does: what was not synced may be there
//! in part, as zeros, or not at all, and names that were not synced may have changed or not, each by itself.

use super::{Files, write_within};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

const NAME: &str = "run/state";
const OLDER: &str = "run/previous";

type Contents = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Sync(usize),
    /// A name is given to a file, or taken away.
    Name(String, Option<usize>),
    SyncFolder,
}

/// A folder, what was done in it, and what goes wrong.
#[derive(Clone, Default)]
struct Folder {
    /// Before the first change, all of it on the disk.
    first: Contents,
    names: BTreeMap<String, usize>,
    files: Vec<Vec<u8>>,
    /// Those of one call to the system are in one list.
    changes: Vec<Vec<Change>>,
    /// The call that fails.
    fails_at: Option<usize>,
    /// A disk that says it has synced, and has not.
    forgets_files: bool,
    forgets_names: bool,
}

#[derive(Clone)]
struct Recorder(Rc<RefCell<Folder>>);

struct Open(Recorder, usize);

fn name(path: &Path) -> String {
    path.to_str().expect("a name").to_string()
}

impl Folder {
    fn with(first: &Contents) -> Self {
        let mut folder = Self { first: first.clone(), ..Self::default() };
        for (name, bytes) in first {
            folder.names.insert(name.clone(), folder.files.len());
            folder.files.push(bytes.clone());
        }
        folder
    }

    fn call(&mut self, changes: Vec<Change>) -> io::Result<()> {
        if self.fails_at == Some(self.changes.len()) {
            self.fails_at = None;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        for change in &changes {
            match change {
                Change::Write(file, bytes) => self.files[*file].extend(bytes),
                Change::Name(name, Some(file)) => _ = self.names.insert(name.clone(), *file),
                Change::Name(name, None) => _ = self.names.remove(name),
                Change::Sync(_) | Change::SyncFolder => {}
            }
        }
        self.changes.push(changes);
        Ok(())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let found = self.names.get(&name(path)).copied();
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// All that may be found after a crash when so many calls were made.
    fn after(&self, calls: usize) -> BTreeSet<Contents> {
        let mut files: Vec<Vec<u8>> = self.first.values().cloned().collect();
        let mut synced: Vec<usize> = files.iter().map(Vec::len).collect();
        let mut names: BTreeMap<String, usize> =
            self.first.keys().cloned().zip(0..files.len()).collect();
        let mut pending: Vec<(&String, &Option<usize>)> = Vec::new();
        for change in self.changes[..calls].iter().flatten() {
            match change {
                Change::Write(file, bytes) => files[*file].extend(bytes),
                Change::Sync(_) if self.forgets_files => {}
                Change::Sync(file) => synced[*file] = files[*file].len(),
                Change::Name(name, file) => {
                    if let Some(new) = file.filter(|file| *file == files.len()) {
                        files.push(Vec::new());
                        synced.push(0);
                        assert_eq!(new + 1, files.len());
                    }
                    pending.push((name, file));
                }
                Change::SyncFolder if self.forgets_names => {}
                Change::SyncFolder => {
                    pending.drain(..).for_each(|(name, file)| rename(&mut names, name, *file));
                }
            }
        }
        let mut states = BTreeSet::new();
        for chosen in 0..1u32 << pending.len() {
            let mut names = names.clone();
            for (place, (name, file)) in pending.iter().enumerate() {
                if chosen & 1 << place != 0 {
                    rename(&mut names, name, **file);
                }
            }
            let mut found = vec![Contents::new()];
            for (name, &file) in &names {
                let with = |state: &Contents| {
                    let state = state.clone();
                    damaged(&files[file], synced[file]).into_iter().map(move |bytes| {
                        let mut state = state.clone();
                        state.insert(name.clone(), bytes);
                        state
                    })
                };
                found = found.iter().flat_map(with).collect();
            }
            states.extend(found);
        }
        states
    }
}

fn rename(names: &mut BTreeMap<String, usize>, name: &str, file: Option<usize>) {
    match file {
        Some(file) => _ = names.insert(name.into(), file),
        None => _ = names.remove(name),
    }
}

/// What a file may hold of which so many bytes are synced: any prefix, and any with zeros after it.
fn damaged(bytes: &[u8], synced: usize) -> BTreeSet<Vec<u8>> {
    let zeros = |length: usize| vec![0; bytes.len() - length];
    (synced..=bytes.len())
        .flat_map(|length| [bytes[..length].to_vec(), [&bytes[..length], &zeros(length)].concat()])
        .collect()
}

impl Files for Recorder {
    type File = Open;

    fn create(&self, path: &Path) -> io::Result<Open> {
        let mut folder = self.0.borrow_mut();
        assert!(folder.find(path).is_err(), "{} is written over", path.display());
        let file = folder.files.len();
        folder.files.push(Vec::new());
        folder.call(vec![Change::Name(name(path), Some(file))])?;
        Ok(Open(self.clone(), file))
    }

    fn sync(&self, file: &Open) -> io::Result<()> {
        self.0.borrow_mut().call(vec![Change::Sync(file.1)])
    }

    fn link(&self, file: &Path, new: &Path) -> io::Result<()> {
        let found = self.0.borrow().find(file)?;
        self.0.borrow_mut().call(vec![Change::Name(name(new), Some(found))])
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let found = self.0.borrow().find(from)?;
        let changes = vec![Change::Name(name(to), Some(found)), Change::Name(name(from), None)];
        self.0.borrow_mut().call(changes)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.borrow().find(path)?;
        self.0.borrow_mut().call(vec![Change::Name(name(path), None)])
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        assert_eq!(path, Path::new("run"));
        self.0.borrow_mut().call(vec![Change::SyncFolder])
    }
}

impl Write for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.borrow_mut().call(vec![Change::Write(self.1, bytes.into())])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a file in a folder of this state; the folder, and whether it was said to be there.
fn written(folder: Folder, bytes: &[u8]) -> (Folder, bool) {
    let recorder = Recorder(Rc::new(RefCell::new(folder)));
    let outcome = write_within(recorder.clone(), Path::new(NAME), Some(Path::new(OLDER)), bytes);
    let folder = recorder.0.borrow().clone();
    (folder, outcome.is_ok())
}

/// The states after a write that breaks off anywhere, held against what may be in them; whether they are what they should be.
fn hold(folder: &Folder, is_done: bool, new: &[u8], seen: &mut BTreeSet<Contents>) -> bool {
    let old = folder.first.get(NAME);
    let older = folder.first.get(OLDER);
    let last = folder.changes.len();
    let is_right = |state: &Contents, calls: usize| {
        let found = state.get(NAME);
        let is_new = found.is_some_and(|found| found == new);
        let before = state.get(OLDER);
        // Kept names hold whole files too, and never none where there was one.
        (is_new || found == old && !(is_done && calls == last))
            && (before == older || before == old)
    };
    let mut all = true;
    for calls in 0..=last {
        let states = folder.after(calls);
        all &= states.iter().all(|state| is_right(state, calls));
        seen.extend(states);
    }
    all
}

/// A second process goes on from whatever the first one left, and may crash too.
#[test]
fn after_any_crash_the_whole_old_file_or_the_whole_new_one_is_there() {
    let first = Contents::from([(NAME.into(), b"old".to_vec()), (OLDER.into(), b"er".to_vec())]);
    for first in [Contents::new(), first] {
        let mut left = BTreeSet::new();
        let (folder, is_done) = written(Folder::with(&first), b"new");
        assert!(is_done && hold(&folder, true, b"new", &mut left));
        assert!(left.len() >= 10, "only {} states", left.len());
        for state in left {
            let (folder, is_done) = written(Folder::with(&state), b"last");
            assert!(is_done && hold(&folder, true, b"last", &mut BTreeSet::new()), "{state:?}");
        }
    }
}

#[test]
fn a_write_that_fails_leaves_the_old_file_and_no_draft() {
    let first = Contents::from([(NAME.into(), b"old".to_vec())]);
    let calls = written(Folder::with(&first), b"new").0.changes.len();
    for fails_at in 0..calls {
        let broken = Folder { fails_at: Some(fails_at), ..Folder::with(&first) };
        let (folder, is_done) = written(broken, b"new");
        // Only a second name may fail without a word: some file systems have none.
        assert!(!is_done || fails_at == 3, "call {fails_at}");
        assert!(hold(&folder, is_done, b"new", &mut BTreeSet::new()), "call {fails_at}");
        let drafts = folder.names.keys().filter(|name| *name != NAME && *name != OLDER);
        assert_eq!(drafts.count(), 0, "call {fails_at}: {:?}", folder.names);
    }
}

/// What the tests above see: a disk that syncs nothing cannot be written to safely.
#[test]
fn without_either_sync_there_are_crashes_that_lose_a_file() {
    let first = Contents::from([(NAME.into(), b"old".to_vec())]);
    for (forgets_files, forgets_names) in [(true, false), (false, true)] {
        let folder = Folder { forgets_files, forgets_names, ..Folder::with(&first) };
        let (folder, is_done) = written(folder, b"new");
        assert!(is_done && !hold(&folder, true, b"new", &mut BTreeSet::new()));
    }
}
