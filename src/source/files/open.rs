//! Opens a file and finds out what it is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use flate2::bufread::MultiGzDecoder;
use tokio::sync::mpsc::Sender;

use super::input::{Counted, Followed};
use super::piece::Piece;
use super::shape::{self, Shape};
use super::{FileError, Limits, Told, bare, frames, lines, zstd};
use crate::source::Aside;
use crate::source::foreign::jaeger;

/// Bytes read at once.
const BUFFER: usize = 64 * 1024;
/// Bytes of a request that is made of a part of a document.
const PART: usize = 4 << 20;
/// What every gzip stream begins with (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that could be opened.
pub(super) struct Opened {
    path: PathBuf,
    /// `None`: standard input.
    file: Option<File>,
    total: Option<u64>,
    /// Bytes read so far, as they are on the disk.
    pub(super) read: Arc<AtomicU64>,
}

/// How a file is read.
pub(super) struct How<'a> {
    pub(super) limits: Limits,
    pub(super) follow: bool,
    pub(super) told: &'a Told,
    pub(super) pieces: &'a Sender<Piece>,
    /// What is held of a document that can only be read whole.
    pub(super) aside: Aside,
}

impl Opened {
    pub(super) fn open(path: &PathBuf) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.clone(), source };
        let read = Arc::default();
        if path.as_os_str() == "-" {
            return Ok(Self { path: PathBuf::from("standard input"), file: None, total: None, read });
        }
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(unreadable(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let total = metadata.is_file().then_some(metadata.len());
        Ok(Self { path: path.clone(), file: Some(file), total, read })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes there are in all, where that can be known.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Reads it to its end. Answers how many pieces there were, broken ones included.
    ///
    /// # Errors
    /// Where not even its beginning can be read.
    pub(super) fn read(self, how: How<'_>) -> Result<u64, FileError> {
        let path = self.path.clone();
        let unreadable = |source| FileError::Unreadable { path: path.clone(), source };
        let follow = how.follow && self.total.is_some();
        let mut plain = BufReader::with_capacity(BUFFER, self.input(&how));
        let start = filled(&mut plain).map_err(unreadable)?;
        let mut input: Box<dyn BufRead> = if start.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain)))
        } else if start.starts_with(&zstd::MAGIC) {
            Box::new(BufReader::with_capacity(BUFFER, zstd::Frames::new(plain)))
        } else {
            Box::new(plain)
        };
        let mut out = Out { told: how.told, pieces: how.pieces, most: how.limits.piece, seen: 0 };
        match input.fill_buf() {
            Ok([]) => {}
            Ok(start) if is_json(start) => lines::read(&mut *input, (how.limits, follow, how.aside), &mut out),
            // A frame that begins so would be longer than any may be: it is a request of its own.
            Ok([0x0a, ..]) => bare::read(&mut *input, (how.limits.document, how.aside), &mut out),
            Ok(_) => frames::read(&mut *input, how.limits.piece, &mut out),
            // Not even its beginning can be decompressed.
            Err(error) => drop(out.take(super::Place::Frame(1, 0), Err(error.to_string()))),
        }
        Ok(out.seen)
    }

    fn input(self, how: &How<'_>) -> Box<dyn Read + Send> {
        let Self { path, file, read, .. } = self;
        let inner: Box<dyn Read + Send> = match file {
            None => Box::new(io::stdin()),
            Some(file) if how.follow => {
                let (pieces, told) = (how.pieces.clone(), how.told.clone());
                Box::new(Followed {
                    path,
                    file,
                    at: 0,
                    is_over: Box::new(move || pieces.is_closed()),
                    caught_up: Box::new(move || told.caught_up()),
                })
            }
            Some(file) => Box::new(file),
        };
        Box::new(Counted { inner, read })
    }
}

fn filled(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    input.fill_buf()
}

/// Whether this is the beginning of JSON. Protobuf begins with a line feed to the eye, and a length may look like a bracket.
fn is_json(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let Some((bracket, inside)) = text.split_first() else { return true };
    let inside = inside.trim_ascii_start().first();
    let opened = matches!(bracket, b'{' | b'[');
    opened
        && (inside.is_none_or(|first| matches!(first, b'"' | b'{' | b'[' | b'}' | b']')) || text.len() == start.len())
}

/// Where pieces go, good and broken.
pub(super) struct Out<'a> {
    told: &'a Told,
    pieces: &'a Sender<Piece>,
    /// Bytes that a piece may have.
    most: usize,
    seen: u64,
}

impl Out<'_> {
    /// Takes a piece, or what is wrong with it. Answers whether more is wanted.
    pub(super) fn take(&mut self, place: super::Place, piece: Result<Piece, String>) -> bool {
        self.seen += 1;
        match piece {
            Ok(piece) => self.send(piece),
            Err(what) => {
                self.told.fault(place, what);
                !self.pieces.is_closed()
            }
        }
    }

    /// Takes a request in JSON, or what is wrong with it, as [`take`](Self::take) does. What is Jaeger's goes on bit by bit: one trace
    /// may be all of a large file.
    pub(super) fn take_json(&mut self, place: super::Place, text: Result<Vec<u8>, String>, limit: usize) -> bool {
        let text = match text {
            Ok(text) if shape::of_json(&text) == Shape::Jaeger => text,
            other => return self.take(place, other.and_then(|text| Piece::json(place, &text, limit))),
        };
        let read = jaeger::in_parts(&text, PART, &mut |part| self.send(Piece::spans(place, part)));
        match read {
            Ok(()) => {
                self.seen += 1;
                !self.pieces.is_closed()
            }
            Err(error) => self.take(place, Err(error.to_string())),
        }
    }

    fn send(&self, piece: Piece) -> bool {
        piece.parted(self.most).into_iter().all(|piece| self.pieces.blocking_send(piece).is_ok())
    }
}
