//! The log file: capped, and never on screen.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use crate::config;

/// Bytes after which the log starts anew; the one before is kept beside it.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Starts logging to the usual file, as `TRACEFALL_LOG` says (`info` by default). Answers where it is; `None` where it cannot
/// be written: the program does without, then.
pub(super) fn start() -> Option<PathBuf> {
    let path = config::log_file()?;
    let file = Capped::open(&path).ok()?;
    let filter = EnvFilter::try_from_env("TRACEFALL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_writer(Mutex::new(file));
    subscriber.try_init().ok()?;
    Some(path)
}

/// A file that starts anew when it has grown too large. Never fails towards its writer: a full disk costs log lines only.
struct Capped {
    path: PathBuf,
    file: File,
    written: u64,
}

impl Capped {
    fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let written = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, written })
    }

    fn turn_over(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("log.old"))?;
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written >= LARGEST && self.turn_over().is_err() {
            return Ok(bytes.len());
        }
        if self.file.write_all(bytes).is_ok() {
            self.written += bytes.len() as u64;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.file.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_starts_anew_when_it_is_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/tracefall.log");
        let mut log = Capped::open(&path).unwrap();
        log.written = LARGEST;
        log.write_all(b"new\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new\n");
        assert!(path.with_extension("log.old").exists());
    }
}
