//! The usual design: prost's structs, in a map of traces.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// Traces by id.
#[derive(Debug, Default)]
pub(crate) struct Traces(HashMap<Vec<u8>, Vec<(Arc<Resource>, Span)>>);

impl Traces {
    pub(crate) fn insert(&mut self, body: &[u8]) {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for group in request.resource_spans {
            let resource = Arc::new(group.resource.unwrap_or_default());
            for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                self.0.entry(span.trace_id.clone()).or_default().push((Arc::clone(&resource), span));
            }
        }
    }
}
