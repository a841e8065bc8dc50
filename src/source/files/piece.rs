//! One request of a file.

use super::{Place, zstd};
use crate::model::{Receipt, Signal};
use crate::otlp::{decode, encode, json, peek};

/// A request, as protobuf.
pub(super) struct Piece {
    /// Where it stands.
    pub(super) place: Place,
    /// What it carries.
    pub(super) signal: Signal,
    /// An `Export…ServiceRequest`.
    pub(super) protobuf: Vec<u8>,
    /// What of it could not be read.
    pub(super) refused: Receipt,
}

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

impl Piece {
    /// What stands in a frame: a request in protobuf or JSON, or either of them compressed by itself, as the Collector's file
    /// exporter does with `compression: zstd`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of_frame(place: Place, body: Vec<u8>, limit: usize) -> Result<Self, String> {
        let body = if body.starts_with(&zstd::MAGIC) { zstd::message(&body, limit)? } else { body };
        if matches!(body.first(), Some(b'{' | b'[')) {
            return Self::json(place, &body, limit);
        }
        // What a request carries shows in its first record.
        Ok(Self { place, signal: peek::signal(&body), protobuf: body, refused: Receipt::default() })
    }

    /// A request in JSON.
    ///
    /// # Errors
    /// What is wrong with it, where it cannot be read.
    pub(super) fn json(place: Place, text: &[u8], limit: usize) -> Result<Self, String> {
        let mut wrong = None;
        for signal in SIGNALS {
            match json::to_protobuf_within(signal, text, limit) {
                Ok(json::Converted { protobuf, refused }) => return Ok(Self { place, signal, protobuf, refused }),
                Err(error) => {
                    wrong.get_or_insert(error);
                }
            }
        }
        Err(wrong.map_or_else(String::new, |error| error.to_string()))
    }

    /// The same in requests of at most about `most` bytes each, unless a span alone has more.
    pub(super) fn parted(self, most: usize) -> impl Iterator<Item = Self> {
        let mut parts = vec![];
        let spans = if self.protobuf.len() > most && self.signal == Signal::Traces {
            decode::request(&self.protobuf).ok()
        } else {
            None
        };
        let Some((spans, mut refused)) = spans else {
            parts.push(self);
            return parts.into_iter();
        };
        refused.accepted = 0;
        for (reason, count) in &self.refused.rejected {
            refused.reject(*reason, *count);
        }
        // Resources stand in each part again, so parts are somewhat longer than their share.
        let share = self.protobuf.len().div_ceil(most / 2 + 1);
        for part in spans.chunks(spans.len().div_ceil(share).max(1)) {
            let (protobuf, refused) = (encode::spans(part), std::mem::take(&mut refused));
            parts.push(Self { place: self.place, signal: Signal::Traces, protobuf, refused });
        }
        parts.into_iter()
    }
}
