//! Zstandard (RFC 8878): streams of frames, and single messages.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::source::contain::contain;

/// What every frame begins with (RFC 8878, 3.1.1), in the order of the file.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The largest window that is decoded: what `zstd --ultra -22` asks for.
const WINDOW: u64 = 128 << 20;

/// The content of all frames of a stream, one after the other.
pub(super) struct Frames<R> {
    input: R,
    decoder: Box<FrameDecoder>,
    open: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { input, decoder: Box::new(decoder), open: false }
    }

    /// Goes to the next frame; answers whether there is one.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            let (decoder, input) = (&mut self.decoder, &mut self.input);
            match contain(|| decoder.init(input)) {
                Some(Ok(())) => return Ok(true),
                Some(Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length, ..
                }))) => {
                    io::copy(&mut Read::take(&mut self.input, length.into()), &mut io::sink())?;
                }
                Some(Err(error)) => return Err(io::Error::other(error.to_string())),
                None => return Err(failed()),
            }
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.open && !self.advance()? {
                return Ok(0);
            }
            self.open = true;
            let (decoder, input) = (&mut *self.decoder, &mut self.input);
            let count = contain(|| decode(decoder, input, buffer)).ok_or_else(failed)??;
            if count > 0 {
                return Ok(count);
            }
            self.open = false;
        }
        Ok(0)
    }
}

/// The next bytes of a frame; none at its end.
fn decode(decoder: &mut FrameDecoder, input: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    while decoder.can_collect() == 0 && !decoder.is_finished() {
        let decoded = decoder.decode_blocks(&mut *input, BlockDecodingStrategy::UptoBlocks(1));
        decoded.map_err(|error| io::Error::other(error.to_string()))?;
    }
    decoder.read(buffer)
}

fn failed() -> io::Error {
    io::Error::other("the decoder failed on it")
}

/// A message that is compressed by itself, decompressed to at most `limit` bytes.
///
/// # Errors
/// In words, where it cannot be, or is longer.
pub(super) fn message(packed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = Frames::new(packed).take(most).read_to_end(&mut plain);
    read.map_err(|error| format!("cannot be decompressed: {error}"))?;
    if plain.len() > limit {
        return Err(format!("it is more than {limit} bytes when decompressed (--max-body)"));
    }
    Ok(plain)
}
