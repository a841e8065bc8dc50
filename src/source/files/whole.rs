//! What can only be read whole, and how much memory that takes.

use std::io::{self, BufRead, Read};

use crate::source::Aside;

/// Bytes after which it is said how much is held.
const STEP: u64 = 4 << 20;
/// What is made of a document takes up to twice its size beside it: what was read of it, and the request.
const TIMES: usize = 3;

/// Reads to the end behind what is in `text`, or until there are more than `most` bytes in it.
pub(super) fn to_end(
    input: &mut dyn BufRead,
    (most, aside): (usize, &mut Aside),
    text: &mut Vec<u8>,
) -> io::Result<()> {
    while text.len() <= most && Read::take(&mut *input, step(text.len(), most)).read_to_end(text)? > 0 {
        aside.set(text.len().saturating_mul(TIMES));
    }
    Ok(())
}

/// Reads to the end of a line, or until there are more than `most` bytes in it. Answers how many.
pub(super) fn line(
    input: &mut dyn BufRead,
    (most, aside): (usize, &mut Aside),
    text: &mut Vec<u8>,
) -> io::Result<usize> {
    while text.len() <= most && !text.ends_with(b"\n") {
        if Read::take(&mut *input, step(text.len(), most)).read_until(b'\n', text)? == 0 {
            break;
        }
        aside.set(text.len().saturating_mul(TIMES));
    }
    Ok(text.len())
}

fn step(held: usize, most: usize) -> u64 {
    u64::try_from(most.saturating_sub(held)).map_or(STEP, |left| left.saturating_add(1).min(STEP))
}
