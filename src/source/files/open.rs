//! Opens a file and finds out what it is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tokio::sync::mpsc::Sender;

use super::piece::Piece;
use super::{FileError, Told, frames, lines};

/// Bytes read at once.
const BUFFER: usize = 64 * 1024;
/// What every gzip stream begins with (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that could be opened.
pub(super) struct Opened {
    path: PathBuf,
    input: Box<dyn Read + Send>,
}

impl Opened {
    pub(super) fn open(path: &PathBuf) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.clone(), source };
        if path.as_os_str() == "-" {
            return Ok(Self { path: PathBuf::from("standard input"), input: Box::new(io::stdin()) });
        }
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        Ok(Self { path: path.clone(), input: Box::new(file) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it to its end. Answers how many pieces there were, broken ones included.
    ///
    /// # Errors
    /// Where not even its beginning can be read.
    pub(super) fn read(self, limit: usize, told: &Told, pieces: &Sender<Piece>) -> Result<u64, FileError> {
        let unreadable = |source| FileError::Unreadable { path: self.path.clone(), source };
        let mut plain = BufReader::with_capacity(BUFFER, self.input);
        let start = peek(&mut plain).map_err(unreadable)?;
        let mut input: Box<dyn BufRead> = if start.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        let mut out = Out { told, pieces, seen: 0 };
        match input.fill_buf().map(<[u8]>::first) {
            Ok(Some(b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n' | 0xef)) => lines::read(&mut *input, limit, &mut out),
            Ok(_) => frames::read(&mut *input, limit, &mut out),
            // Not even its beginning can be decompressed.
            Err(error) => drop(out.take(super::Place::Frame(1, 0), Err(error.to_string()))),
        }
        Ok(out.seen)
    }
}

fn peek(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    input.fill_buf()
}

/// Where pieces go, good and broken.
pub(super) struct Out<'a> {
    told: &'a Told,
    pieces: &'a Sender<Piece>,
    seen: u64,
}

impl Out<'_> {
    /// Takes a piece, or what is wrong with it. Answers whether more is wanted.
    pub(super) fn take(&mut self, place: super::Place, piece: Result<Piece, String>) -> bool {
        self.seen += 1;
        match piece {
            Ok(piece) => self.pieces.blocking_send(piece).is_ok(),
            Err(what) => {
                self.told.fault(place, what);
                !self.pieces.is_closed()
            }
        }
    }
}
