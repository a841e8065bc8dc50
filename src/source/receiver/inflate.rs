//! Decompression that stops at the limit and pays for its bytes before it uses them.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::refusal::{Refusal, RefusalKind};
use crate::source::Reservation;
use crate::source::contain::contain;

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

/// Decompresses `wire` to at most `limit` bytes, which are taken from `room` before they are used. A decoder that panics
/// costs only this body.
pub(super) fn inflate(coding: Coding, wire: &[u8], limit: usize, room: &mut Reservation) -> Result<Bytes, Refusal> {
    if wire.is_empty() {
        return Ok(Bytes::new());
    }
    let mut sink = Inflated { bytes: Vec::new(), limit, room, hint: wire.len().saturating_mul(6) };
    contained(|| sink.decode(coding, wire))?;
    Ok(Bytes::from(sink.bytes))
}

fn contained(work: impl FnOnce() -> Result<(), Refusal>) -> Result<(), Refusal> {
    contain(work).unwrap_or_else(|| Err(bad("the decoder failed on it")))
}

/// The window that every decoder of zstd has to support, in bytes (RFC 8878, 3.1.1.1.2).
const WINDOW: usize = 8 << 20;

/// All frames of a zstd stream, one after the other; skippable frames are skipped (RFC 8878, 3.1).
fn unzstd(mut wire: &[u8], sink: &mut Inflated<'_>) -> Result<(), Refusal> {
    let window = u64::try_from(sink.limit.max(WINDOW)).unwrap_or(u64::MAX);
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
    fn decode(&mut self, coding: Coding, wire: &[u8]) -> Result<(), Refusal> {
        match coding {
            Coding::Identity => self.drain(wire),
            Coding::Gzip => self.drain(MultiGzDecoder::new(wire)),
            // RFC 9110 means the zlib format by "deflate"; some senders write the raw one.
            Coding::Deflate if wire.first().is_some_and(|byte| byte & 0x0f == 8) => self.drain(ZlibDecoder::new(wire)),
            Coding::Deflate => self.drain(DeflateDecoder::new(wire)),
            Coding::Zstd => unzstd(wire, self),
        }
    }

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

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use super::*;
    use crate::model::Timestamp;
    use crate::source::feed;

    const CODINGS: [Coding; 3] = [Coding::Gzip, Coding::Deflate, Coding::Zstd];

    fn deflate(coding: Coding, plain: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::fast();
        match coding {
            Coding::Identity => plain.to_vec(),
            Coding::Zstd => ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest),
            Coding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Deflate => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    /// Text that compresses to something with all kinds of blocks.
    fn plain() -> Vec<u8> {
        (0_u32..4000).flat_map(|n| format!("{} SELECT {n} ", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let (feed, _queue) = feed(1 << 20, 1, Arc::new(|| Timestamp(0)));
        for coding in CODINGS {
            let mut room = feed.reservation();
            let back = inflate(coding, &deflate(coding, &plain()), 1 << 20, &mut room).unwrap();
            assert_eq!(back, plain(), "{coding:?}");
            assert!(feed.held() >= back.len());
        }
        assert_eq!(feed.held(), 0);
    }

    #[test]
    fn bomb_stops_at_the_limit_or_at_the_budget() {
        let bomb = vec![0; 4 << 20];
        let (feed, _queue) = feed(1 << 20, 1, Arc::new(|| Timestamp(0)));
        for coding in CODINGS {
            let wire = deflate(coding, &bomb);
            let limited = inflate(coding, &wire, 1 << 16, &mut feed.reservation()).unwrap_err();
            assert_eq!(limited.kind, RefusalKind::TooLarge);
            let poor = inflate(coding, &wire, 8 << 20, &mut feed.reservation()).unwrap_err();
            assert!(matches!(poor.kind, RefusalKind::Overload(_)), "{coding:?}");
            assert_eq!(feed.held(), 0);
        }
    }

    #[test]
    fn decoder_that_panics_costs_only_its_body() {
        struct Panics;
        impl Read for Panics {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                assert!(out.is_empty(), "a decoder's own mistake");
                Ok(0)
            }
        }
        let (feed, _queue) = feed(1 << 20, 1, Arc::new(|| Timestamp(0)));
        let mut room = feed.reservation();
        let mut sink = Inflated { bytes: Vec::new(), limit: 1 << 16, room: &mut room, hint: 0 };
        let refusal = contained(|| sink.drain(Panics)).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::BadCompression);
    }

    #[test]
    fn damaged_bodies_of_every_kind_end_in_an_answer() {
        let (feed, _queue) = feed(1 << 20, 1, Arc::new(|| Timestamp(0)));
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random >> 16).unwrap() % below
        };
        for coding in CODINGS {
            let good = deflate(coding, &plain()[..2000]);
            for _ in 0..2000 {
                let mut wire = good.clone();
                for _ in 0..=next(4) {
                    let (at, bit) = (next(wire.len()), next(8));
                    wire[at] ^= 1 << bit;
                }
                if next(3) == 0 {
                    wire.truncate(next(good.len()));
                }
                let _ = inflate(coding, &wire, 1 << 16, &mut feed.reservation());
            }
        }
        assert_eq!(feed.held(), 0);
    }
}
