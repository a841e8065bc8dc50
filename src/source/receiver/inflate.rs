//! Decompression that stops at the limit and pays for its bytes before it uses them.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::refusal::{Refusal, RefusalKind};
use crate::source::Reservation;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Deflate,
    Zstd,
}

impl Coding {
    /// The codings that are understood, as `accept-encoding` and `grpc-accept-encoding` list them.
    pub(super) const ACCEPTED: &str = "identity,gzip,zstd,deflate";

    /// Reads one word of `content-encoding` or `grpc-encoding`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        const NAMES: [(&str, Coding); 6] = [
            ("", Coding::Identity),
            ("identity", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("zstd", Coding::Zstd),
        ];
        let word = word.trim();
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, coding)| *coding)
    }
}

/// Decompresses `wire` to at most `limit` bytes, which are taken from `room` before they are used.
pub(super) fn inflate(coding: Coding, wire: &[u8], limit: usize, room: &mut Reservation) -> Result<Bytes, Refusal> {
    if wire.is_empty() {
        return Ok(Bytes::new());
    }
    let mut sink = Inflated { bytes: Vec::new(), limit, room, hint: wire.len().saturating_mul(6) };
    match coding {
        Coding::Identity => sink.drain(wire)?,
        Coding::Gzip => sink.drain(MultiGzDecoder::new(wire))?,
        // RFC 9110 means the zlib format by "deflate"; some senders write the raw one.
        Coding::Deflate if wire.first().is_some_and(|byte| byte & 0x0f == 8) => sink.drain(ZlibDecoder::new(wire))?,
        Coding::Deflate => sink.drain(DeflateDecoder::new(wire))?,
        Coding::Zstd => unzstd(wire, &mut sink)?,
    }
    Ok(Bytes::from(sink.bytes))
}

/// All frames of a zstd stream, one after the other; skippable frames are skipped (RFC 8878, 3.1).
fn unzstd(mut wire: &[u8], sink: &mut Inflated<'_>) -> Result<(), Refusal> {
    let window = u64::try_from(sink.limit).unwrap_or(u64::MAX);
    while !wire.is_empty() {
        match StreamingDecoder::new_with_max_window_size(&mut wire, window) {
            Ok(decoder) => sink.drain(decoder)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                wire = wire.get(length..).ok_or_else(|| bad("a skippable frame is cut off"))?;
            }
            Err(error) => return Err(bad(&error.to_string())),
        }
    }
    Ok(())
}

fn bad(words: &str) -> Refusal {
    Refusal::new(RefusalKind::BadCompression, format!("the body could not be decompressed: {words}"))
}

struct Inflated<'a> {
    bytes: Vec<u8>,
    limit: usize,
    room: &'a mut Reservation,
    hint: usize,
}

impl Inflated<'_> {
    fn drain(&mut self, mut reader: impl Read) -> Result<(), Refusal> {
        let mut chunk = [0_u8; 16 * 1024];
        loop {
            let count = reader.read(&mut chunk).map_err(|error| bad(&error.to_string()))?;
            if count == 0 {
                return Ok(());
            }
            if self.bytes.len() + count > self.limit {
                return Err(Refusal::too_large(self.limit));
            }
            self.make_room(count)?;
            self.bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }

    fn make_room(&mut self, count: usize) -> Result<(), Refusal> {
        let have = self.bytes.capacity();
        let need = self.bytes.len() + count;
        if need <= have {
            return Ok(());
        }
        let capacity = self.hint.max(have.saturating_mul(2)).min(self.limit).max(need);
        self.room.grow(capacity - have)?;
        self.bytes.reserve_exact(capacity - self.bytes.len());
        Ok(())
    }
}
