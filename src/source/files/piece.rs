//! One request of a file.

use super::Place;
use crate::model::{Receipt, Signal};
use crate::otlp::{json, peek};

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
    /// A request in protobuf. What it carries shows in its first record.
    pub(super) fn protobuf(place: Place, protobuf: Vec<u8>) -> Self {
        Self { place, signal: peek::signal(&protobuf), protobuf, refused: Receipt::default() }
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
}
