//! The bytes of a file as they are read: counted, and, where the file is followed, without an end.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How often it is looked whether a followed file has grown.
const LOOK_UP: Duration = Duration::from_millis(200);

/// Counts the bytes that are read through it.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A file that is read on as it grows. Where another one has taken its place, as log rotation does, or it has become shorter, it
/// is read from its beginning.
pub(super) struct Followed {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Bytes read of it.
    pub(super) at: u64,
    /// Whether nobody wants more of it.
    pub(super) is_over: Box<dyn Fn() -> bool + Send>,
    /// Told once its end is reached.
    pub(super) caught_up: Box<dyn Fn() + Send>,
}

impl Read for Followed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut told = false;
        loop {
            let count = self.file.read(buffer)?;
            self.at += count as u64;
            if count > 0 || buffer.is_empty() || (self.is_over)() {
                return Ok(count);
            }
            if !told {
                (self.caught_up)();
                told = true;
            }
            thread::sleep(LOOK_UP);
            self.look_again()?;
        }
    }
}

impl Followed {
    fn look_again(&mut self) -> io::Result<()> {
        // Between the end of one and the beginning of the next there may be none.
        let Ok(there) = fs::metadata(&self.path) else { return Ok(()) };
        if !is_same(&there, &self.file.metadata()?) {
            self.file = File::open(&self.path)?;
            self.at = 0;
        } else if there.len() < self.at {
            self.file.rewind()?;
            self.at = 0;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere only a shorter file is known for another one.
#[cfg(not(unix))]
fn is_same(_one: &fs::Metadata, _other: &fs::Metadata) -> bool {
    true
}
