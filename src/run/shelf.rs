//! Earlier and saved filters in their file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::app::{Answer, Library, LibraryChange};

/// A file larger than this is none of ours.
const LARGEST: u64 = 4 << 20;
/// Changes that may wait for the disk.
const WAITING: usize = 64;

/// The thread that reads and writes the file, from outside: a disk may be slow, and the screen must not wait for it.
pub(super) struct Shelf {
    changes: Option<SyncSender<LibraryChange>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Shelf {
    /// Starts the thread; what the file holds after each change goes to `answers`. Without a `path` (a person without a
    /// home) nothing is kept.
    pub(super) fn start(path: Option<PathBuf>, answers: &mpsc::Sender<Answer>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self { changes: None, thread: None }) };
        let (sender, changes) = sync_channel(WAITING);
        let answers = answers.clone();
        // What the file held last, for when it cannot be had; a person is told of that once.
        let (mut last, mut told) = (Library::default(), false);
        let thread = thread::Builder::new().name("shelf".to_owned()).spawn(move || {
            while let Ok(change) = changes.recv() {
                let answer = match keep(&path, &change) {
                    Ok((library, trouble)) => {
                        last.clone_from(&library);
                        Answer::Library(Arc::new(library), trouble)
                    }
                    Err(error) => {
                        tracing::warn!(%error, path = %path.display(), "filters are not kept");
                        last.apply(&change);
                        let trouble =
                            (!std::mem::replace(&mut told, true)).then(|| format!("filters are not kept: {error}"));
                        Answer::Library(Arc::new(last.clone()), trouble)
                    }
                };
                // At the end nobody listens any more, and what is asked for is still written.
                let _ = answers.blocking_send(answer);
            }
        })?;
        Ok(Self { changes: Some(sender), thread: Some(thread) })
    }

    /// Has a change made. Where so many wait that the disk must be stuck, it is made for this session only.
    pub(super) fn push(&self, change: LibraryChange) {
        if let Some(changes) = &self.changes
            && changes.try_send(change).is_err()
        {
            tracing::warn!("the disk is too slow: a filter is not kept");
        }
    }

    /// Waits until what was asked for is on the disk, though not for ever: a disk may be gone. `answers` must not be full for
    /// good: its receiver must be closed.
    pub(super) fn finish(mut self) {
        self.changes = None;
        let Some(thread) = self.thread.take() else { return };
        for _ in 0..200 {
            if thread.is_finished() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Makes a change to what the file holds now, which another program may have changed since, and answers what it holds then.
fn keep(path: &Path, change: &LibraryChange) -> io::Result<(Library, Option<String>)> {
    let folder = path.parent().ok_or_else(|| io::Error::other("the file has no folder"))?;
    fs::create_dir_all(folder)?;
    // Two programs at once change it one after the other. The lock ends with the file's being closed.
    let lock = private(OpenOptions::new().create(true).truncate(false).write(true), &path.with_extension("lock"))?;
    lock.lock()?;
    let (mut library, trouble) = read(path)?;
    library.apply(change);
    if *change != LibraryChange::Read {
        write(path, &library)?;
    }
    Ok((library, trouble))
}

/// What the file holds. A damaged one is set aside and told of.
fn read(path: &Path) -> io::Result<(Library, Option<String>)> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Library::default(), None)),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    let fits = bytes.len() as u64 <= LARGEST;
    match serde_json::from_slice(&bytes) {
        Ok(library) if fits => Ok((library, None)),
        _ => {
            let aside = path.with_extension("damaged");
            fs::rename(path, &aside)?;
            let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((
                Library::default(),
                Some(format!("the file of your filters was damaged: set aside as {name}, begun anew")),
            ))
        }
    }
}

/// Puts the file in its place whole: whoever reads it finds the old or the new one.
fn write(path: &Path, library: &Library) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = private(OpenOptions::new().create(true).truncate(true).write(true), &new)?;
    let mut text = serde_json::to_string_pretty(library)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)
}

/// Opens a file that only its owner may read: filters hold names of customers and the like.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remember(text: &str) -> LibraryChange {
        LibraryChange::Remember(text.to_owned())
    }

    #[test]
    fn filters_are_kept_across_restarts_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/filters.json");
        assert_eq!(keep(&path, &LibraryChange::Read).unwrap(), (Library::default(), None));
        keep(&path, &remember("error=true")).unwrap();
        let (library, trouble) = keep(&path, &LibraryChange::Read).unwrap();
        assert_eq!((library.history, trouble), (vec!["error=true".to_owned()], None));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!path.with_extension("new").exists());
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filters.json");
        for damage in [&b"{\"history\": [1"[..], b"\xff\xfe", b"", &vec![b' '; usize::try_from(LARGEST).unwrap() + 2]] {
            fs::write(&path, damage).unwrap();
            let (library, trouble) = keep(&path, &remember("kept")).unwrap();
            assert_eq!(library.history, ["kept"]);
            assert!(trouble.unwrap().contains("damaged"));
            assert_eq!(fs::read(path.with_extension("damaged")).unwrap(), damage);
            assert_eq!(keep(&path, &LibraryChange::Read).unwrap().0.history, ["kept"]);
        }
    }

    #[test]
    fn two_programs_at_once_lose_nothing_of_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filters.json");
        thread::scope(|scope| {
            for program in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for number in 0..20 {
                        keep(path, &remember(&format!("key={program}.{number}"))).unwrap();
                    }
                });
            }
        });
        assert_eq!(keep(&path, &LibraryChange::Read).unwrap().0.history.len(), 80);
    }

    #[test]
    fn what_was_asked_for_last_is_on_the_disk_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filters.json");
        let (sender, answers) = mpsc::channel(4);
        let shelf = Shelf::start(Some(path.clone()), &sender).unwrap();
        for number in 0..3 {
            shelf.push(remember(&format!("key={number}")));
        }
        shelf.finish();
        assert_eq!(keep(&path, &LibraryChange::Read).unwrap().0.history.len(), 3);
        drop(answers);
    }

    #[test]
    fn where_nothing_can_be_kept_filters_live_as_long_as_the_program_and_it_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "in the way").unwrap();
        let (sender, mut answers) = mpsc::channel(4);
        let shelf = Shelf::start(Some(file.join("filters.json")), &sender).unwrap();
        shelf.push(remember("a=1"));
        shelf.push(remember("b=2"));
        shelf.finish();
        let mut said = Vec::new();
        while let Ok(Answer::Library(library, trouble)) = answers.try_recv() {
            said.push((library.history.len(), trouble.is_some()));
        }
        assert_eq!(said, [(1, true), (2, false)]);
    }
}
