//! Where traces are written to: a file that appears once it is whole, and replaces another only where that was said.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context as _, Result, bail};

/// A file under way, or standard output.
#[derive(Debug)]
pub(super) enum Target {
    /// Standard output.
    Stdout(BufWriter<Stdout>),
    /// A file.
    File(Draft),
}

/// A file beside the one it is to become. Removed when dropped.
#[derive(Debug)]
pub(super) struct Draft {
    out: BufWriter<File>,
    own: PathBuf,
    path: PathBuf,
    replace: bool,
}

impl Target {
    /// Standard output.
    pub(super) fn stdout() -> Self {
        Self::Stdout(BufWriter::new(io::stdout()))
    }

    /// The file `path`, which nothing but [`Self::keep`] brings about. Only its owner may read it, as traces hold what is theirs.
    ///
    /// # Errors
    /// Where there is such a file and it is not to be replaced, or none can be made there.
    pub(super) fn new(path: &Path, replace: bool) -> Result<Self> {
        if !replace && path.symlink_metadata().is_ok() {
            bail!("{} is there already", path.display());
        }
        let Some(name) = path.file_name() else { bail!("{} is no name of a file", path.display()) };
        let mut own = std::ffi::OsString::from(".");
        own.push(name);
        own.push(format!(".{}.part", process::id()));
        let own = path.with_file_name(own);
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&own).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File(Draft { out: BufWriter::new(file), own, path: path.to_owned(), replace }))
    }

    /// What was written is whole: the file appears. Answers its path.
    ///
    /// # Errors
    /// Where it cannot, or another has appeared meanwhile.
    pub(super) fn keep(self) -> Result<Option<PathBuf>> {
        match self {
            Self::Stdout(mut out) => out.flush().map(|()| None).map_err(Into::into),
            Self::File(mut draft) => {
                let path = draft.path.clone();
                draft.settle().with_context(|| format!("cannot write {}", path.display()))?;
                Ok(Some(path))
            }
        }
    }
}

impl Draft {
    fn settle(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        if self.replace {
            return fs::rename(&self.own, &self.path);
        }
        // A link is not made where there is something already; a name is given to whatever is there.
        match fs::hard_link(&self.own, &self.path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists && self.path.symlink_metadata().is_err() => {
                fs::rename(&self.own, &self.path)
            }
            linked => linked,
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.own);
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(draft) => draft.out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(draft) => draft.out.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all_and_replaces_none_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut given_up = Target::new(&path, false).unwrap();
        given_up.write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(names(), 0);
        let mut target = Target::new(&path, false).unwrap();
        target.write_all(b"one").unwrap();
        assert!(!path.exists());
        assert_eq!(target.keep().unwrap(), Some(path.clone()));
        assert_eq!((fs::read(&path).unwrap(), names()), (b"one".to_vec(), 1));
        assert!(Target::new(&path, false).unwrap_err().to_string().contains("there already"));
        // One that appears while another is being written stays too.
        let other = folder.path().join("b.json");
        let late = Target::new(&other, false).unwrap();
        fs::write(&other, "theirs").unwrap();
        assert!(late.keep().is_err());
        assert_eq!(fs::read(&other).unwrap(), b"theirs");
        let mut target = Target::new(&path, true).unwrap();
        target.write_all(b"two").unwrap();
        target.keep().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"two".to_vec(), 2));
        assert!(Target::new(&folder.path().join("none/c.json"), false).is_err());
    }
}
