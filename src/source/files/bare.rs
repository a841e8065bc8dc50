//! One request in protobuf, from the first byte of a file to its last.

use std::io::{BufRead, Read};

use super::Place;
use super::open::Out;
use super::piece::Piece;

/// Reads all of it, if it has at most `limit` bytes.
pub(super) fn read(input: &mut dyn BufRead, limit: usize, out: &mut Out<'_>) {
    let place = Place::Frame(1, 0);
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut body = Vec::new();
    let piece = match Read::take(input, most).read_to_end(&mut body) {
        Err(error) => Err(format!("cannot be read: {error}")),
        Ok(_) if body.len() > limit => Err(format!("one request may have {limit} bytes (half of --memory)")),
        Ok(_) => Piece::of_frame(place, body, limit),
    };
    out.take(place, piece);
}
