//! Nothing that was acknowledged is lost, whatever the budget, and while it moves.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message as _;
use tracefall::analysis::TraceNotes;
use tracefall::index::{self, Options, Sealing};
use tracefall::model::{SourceId, Timestamp};
use tracefall::source::load::{Load, Shape};

/// A body of the load as a careless sender might send it: some of its spans without an id.
fn careless(body: &[u8], every: usize) -> Vec<u8> {
    let mut request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    for span in scopes.flat_map(|scope| &mut scope.spans).step_by(every) {
        span.span_id.clear();
    }
    request.encode_to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Retries, refused spans, broken bodies, names that turn over, and a budget that gives way to what waits.
    #[test]
    fn acknowledged_minus_rejected_is_held_plus_evicted(
        budget in 1_u64..6,
        turnover in prop_oneof![Just(0_u64), Just(100)],
        unique: bool,
        sealed: bool,
        seed: u64,
        retry in 2_usize..6,
    ) {
        let budget = budget << 20;
        let sealing = if sealed { Sealing::Inline(400) } else { Sealing::Never };
        let (mut writer, reader) = index::open(Options { budget, sealing }, TraceNotes::default());
        let shape = Shape { seed, unique, turnover, ..Shape::default() };
        let (mut acknowledged, mut rejected) = (0, 0);
        let mut last = Vec::new();
        for (number, body) in (1..).zip(Load::new(shape).take(30)) {
            let full = if number % 3 == 0 { budget } else { budget - budget / 4 };
            writer.set_budget(full);
            let now = Timestamp(number as u64);
            let body = if number % 4 == 0 { careless(&body, 50) } else { body };
            let receipt = writer.insert_spans(SourceId(0), &body, now).unwrap();
            acknowledged += receipt.accepted + receipt.rejected_total();
            rejected += receipt.rejected_total();
            prop_assert!(writer.bytes() as u64 <= full, "{} of {full} bytes", writer.bytes());
            if number % retry == 0 {
                let again = writer.insert_spans(SourceId(0), &last, now).unwrap();
                acknowledged += again.accepted + again.rejected_total();
                rejected += again.rejected_total();
                writer.insert_spans(SourceId(0), body.get(..body.len() - 7).unwrap(), now).unwrap_err();
            }
            last = body;
            if number % 5 == 0 {
                writer.publish();
            }
        }
        writer.publish();
        let view = reader.view();
        let stats = view.stats();
        prop_assert!(stats.duplicates > 0 && rejected > 0 && stats.spans > 0);
        prop_assert_eq!(acknowledged - rejected, stats.spans + stats.spans_evicted + stats.duplicates);
        prop_assert_eq!(stats.traces, view.traces().count() as u64);
    }
}
