//! One request of a file.

use bytes::Bytes;

use super::shape::{self, Shape};
use super::{Place, zstd};
use crate::model::{Receipt, Signal};
use crate::otlp::{json, peek};
use crate::source::foreign::{jaeger, zipkin};
use crate::source::parts::parts;

/// A request, as protobuf.
pub(super) struct Piece {
    /// Where it stands.
    pub(super) place: Place,
    /// What it carries.
    pub(super) signal: Signal,
    /// An `Export…ServiceRequest`.
    pub(super) protobuf: Bytes,
    /// What of it could not be read.
    pub(super) refused: Receipt,
    /// Its form cannot hold all that spans have.
    pub(super) lossy: bool,
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
        if shape::of_protobuf(&body) == Shape::Zipkin {
            let spans = zipkin::protobuf_to_protobuf(&body, limit);
            return spans.map(|spans| Self::spans(place, spans)).map_err(|error| error.to_string());
        }
        // What a request carries shows in its first record.
        Ok(Self {
            place,
            signal: peek::signal(&body),
            protobuf: body.into(),
            refused: Receipt::default(),
            lossy: false,
        })
    }

    /// A request in JSON, or spans in that of Jaeger or Zipkin.
    ///
    /// # Errors
    /// What is wrong with it, where it cannot be read.
    pub(super) fn json(place: Place, text: &[u8], limit: usize) -> Result<Self, String> {
        match shape::of_json(text) {
            Shape::Otlp => {}
            Shape::Events => return Err("Trace Event Format (Perfetto): what was saved so cannot be opened".to_owned()),
            Shape::Zipkin => {
                let spans = zipkin::json_to_protobuf(text, limit);
                return spans.map(|spans| Self::spans(place, spans)).map_err(|error| error.to_string());
            }
            Shape::Jaeger => {
                let spans = jaeger::to_protobuf(text);
                return spans.map(|spans| Self::spans(place, spans)).map_err(|error| error.to_string());
            }
        }
        let mut wrong = None;
        for signal in SIGNALS {
            match json::to_protobuf_within(signal, text, limit) {
                Ok(json::Converted { protobuf, refused }) => {
                    return Ok(Self { place, signal, protobuf: protobuf.into(), refused, lossy: false });
                }
                Err(error) => {
                    wrong.get_or_insert(error);
                }
            }
        }
        Err(wrong.map_or_else(String::new, |error| error.to_string()))
    }

    /// Spans of another form than OTLP.
    pub(super) fn spans(place: Place, json::Converted { protobuf, refused }: json::Converted) -> Self {
        Self { place, signal: Signal::Traces, protobuf: protobuf.into(), refused, lossy: true }
    }

    /// The same in requests of about `most` bytes each, unless a span alone has more.
    pub(super) fn parted(self, most: usize) -> Vec<Self> {
        let Self { place, signal, protobuf, mut refused, lossy } = self;
        if protobuf.len() <= most || signal != Signal::Traces {
            return vec![Self { place, signal, protobuf, refused, lossy }];
        }
        let piece = |protobuf| Self { place, signal, protobuf, refused: std::mem::take(&mut refused), lossy };
        parts(&protobuf, most).into_iter().map(piece).collect()
    }
}
