//! What can be wrong with a file.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A part of a file that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Where in it.
    pub place: Place,
    /// What is wrong there, for a person; may hold text of the file.
    pub what: String,
}

/// A place in a file, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of text.
    Line(u64),
    /// A frame, and the byte it begins at (from 0, after decompression).
    Frame(u64, u64),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(out, "line {line}"),
            Self::Frame(frame, byte) => write!(out, "frame {frame} at byte {byte}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: {}", self.path.display(), self.place, self.what)
    }
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
    },
    /// There is something in it, and none of it is of a form that can be read.
    #[error("{} holds no traces in any form that is known here: OTLP, Jaeger, Zipkin or Tempo, as JSON or protobuf, plain, gzip or zstd", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// The program is ending.
    #[error("the index is closed")]
    Ended,
}
