//! One request in protobuf, from the first byte of a file to its last.

use std::io::BufRead;

use super::open::Out;
use super::piece::Piece;
use super::{Place, whole};
use crate::source::Aside;

/// Reads all of it, if it has at most `limit` bytes.
pub(super) fn read(input: &mut dyn BufRead, (limit, mut aside): (usize, Aside), out: &mut Out<'_>) {
    let place = Place::Frame(1, 0);
    let mut body = Vec::new();
    let piece = match whole::to_end(input, (limit, &mut aside), &mut body) {
        Err(error) => Err(format!("cannot be read: {error}")),
        Ok(()) if body.len() > limit => Err(format!("one request may have {limit} bytes (a quarter of --memory)")),
        Ok(()) => Piece::of_frame(place, body, limit),
    };
    out.take(place, piece);
}
