//! Length-prefixed frames: four bytes, big-endian, then as many bytes of one request. It is what the Collector's file exporter
//! writes as `proto`, and what recordings are.

use std::io::{self, BufRead, Read};

use super::Place;
use super::open::Out;
use super::piece::Piece;

/// Empty requests in a row that are taken for requests. A disk that was full, or lost its power, leaves zeros, which may go on
/// for very long.
const MOST_EMPTY: u32 = 1_000;

/// Reads frames to the end, or to where they break off: nothing after that can be told apart.
pub(super) fn read(mut input: &mut dyn BufRead, limit: usize, out: &mut Out<'_>) {
    let (mut frame, mut at, mut empty) = (0, 0, 0);
    loop {
        frame += 1;
        let place = Place::Frame(frame, at);
        let length = match length(&mut input) {
            Ok(None) => return,
            Ok(Some(length)) => length,
            Err(error) => {
                out.take(place, Err(words(&error)));
                return;
            }
        };
        empty = if length == 0 { empty + 1 } else { 0 };
        if empty > MOST_EMPTY {
            out.take(place, Err("nothing but zeros; what stands behind them is lost".to_owned()));
            return;
        }
        at += 4 + u64::from(length);
        let more = match body(&mut input, length, limit) {
            Ok(body) => out.take(place, body.and_then(|body| Piece::of_frame(place, body, limit))),
            Err(error) => {
                out.take(place, Err(words(&error)));
                return;
            }
        };
        if !more {
            return;
        }
    }
}

/// The length of the next frame; `None` at the end.
fn length(input: &mut impl Read) -> io::Result<Option<u32>> {
    let mut bytes = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut bytes)?;
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(length) => Ok(Some(u32::from_be_bytes(length))),
        Err(_) if bytes.is_empty() => Ok(None),
        Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The bytes of a frame; in words, where they are more than may be.
fn body(input: &mut impl Read, length: u32, limit: usize) -> io::Result<Result<Vec<u8>, String>> {
    let wanted = u64::from(length);
    let mut rest = input.by_ref().take(wanted);
    if usize::try_from(length).is_ok_and(|length| length <= limit) {
        let mut body = Vec::new();
        rest.read_to_end(&mut body)?;
        return if body.len() as u64 == wanted { Ok(Ok(body)) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
    }
    match io::copy(&mut rest, &mut io::sink())? {
        skipped if skipped == wanted => Ok(Err(format!("{length} bytes are more than {limit} (--max-body)"))),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "cut off; what stands behind it is lost".to_owned(),
        _ => format!("cannot be read, nor what stands behind it: {error}"),
    }
}
