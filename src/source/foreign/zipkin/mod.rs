//! Zipkin v2, JSON and protobuf, to OTLP.
//!
//! The formats: <https://zipkin.io/zipkin-api/> and `zipkin.proto` beside it. The mapping is that of the OpenTelemetry
//! specification for its Zipkin exporter, read backwards (`trace/sdk_exporters/zipkin.md`), with what the Collector's
//! translator makes of its own exports.

mod json;
mod map;
mod marks;
mod protobuf;
mod resource;

use crate::model::{Receipt, RejectReason};
use crate::otlp::encode::Request;
pub use crate::otlp::json::Converted;

use self::map::ZipkinSpan;
use self::resource::Resources;

/// Why a body was refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZipkinError {
    /// It is not what it should be.
    #[error("{0}")]
    Broken(String),
    /// It stands for more bytes of protobuf than may be made of it.
    #[error("it is more than {0} bytes as protobuf")]
    TooLarge(usize),
}

/// Turns Zipkin's JSON, an array of spans, into an OTLP request of at most `most` bytes. Lenient: wrong types of fields
/// that matter little are passed over, a single span and several arrays in a row are taken too.
///
/// # Errors
/// Where it is not JSON, is not made of spans, or there would be more.
pub fn json_to_protobuf(body: &[u8], most: usize) -> Result<Converted, ZipkinError> {
    let mut taken = Taken::new(most);
    json::read(body, &mut taken)?;
    taken.finish()
}

/// Turns a `ListOfSpans` into an OTLP request of at most `most` bytes.
///
/// # Errors
/// Where its framing is broken, or there would be more.
pub fn protobuf_to_protobuf(body: &[u8], most: usize) -> Result<Converted, ZipkinError> {
    let mut taken = Taken::new(most);
    protobuf::read(body, &mut taken)?;
    taken.finish()
}

/// What has been read of a body.
struct Taken {
    request: Request,
    resources: Resources,
    refused: Receipt,
    most: usize,
}

impl Taken {
    fn new(most: usize) -> Self {
        Self { request: Request::default(), resources: Resources::default(), refused: Receipt::default(), most }
    }

    fn span(&mut self, span: ZipkinSpan) -> Result<(), ZipkinError> {
        match span.into_span(&mut self.resources) {
            Ok(span) => self.request.push(&span),
            Err(reason) => self.refused.reject(reason, 1),
        }
        if self.request.len() > self.most { Err(ZipkinError::TooLarge(self.most)) } else { Ok(()) }
    }

    /// Counts an item that is no span.
    fn refuse(&mut self) {
        self.refused.reject(RejectReason::MalformedSpan, 1);
    }

    fn finish(self) -> Result<Converted, ZipkinError> {
        let protobuf = self.request.finish();
        if protobuf.len() > self.most {
            return Err(ZipkinError::TooLarge(self.most));
        }
        Ok(Converted { protobuf, refused: self.refused })
    }
}

#[cfg(test)]
mod tests;
