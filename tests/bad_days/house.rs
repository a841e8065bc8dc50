//! A receiver on free ports with the real index behind it, and the questions that are asked after a bad day.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tracefall::analysis::TraceNotes;
use tracefall::index::{self, Options, Reader, Sealing, View};
use tracefall::model::{RejectReason, Signal, Timestamp, TraceId};
use tracefall::source::receiver::ReceiverConfig;

use crate::rig::{PROTOBUF, Rig, attend_with, config, post, request};

/// Bytes the index may hold.
pub(crate) const MEMORY: u64 = 64 << 20;
/// Bytes the feed may hold.
const WAITING: usize = 32 << 20;

pub(crate) struct House {
    pub(crate) rig: Rig,
    reader: Reader,
    /// Bytes the index holds, and the most it ever held.
    held: Arc<Mutex<(usize, usize)>>,
    /// Good requests sent so far.
    good: Mutex<u64>,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::with(config())
    }

    /// Rows are put at rest as soon as there are a few.
    pub(crate) fn with(config: ReceiverConfig) -> Self {
        Self::of(config, Sealing::Inline(4))
    }

    /// Once with rows that are put at rest at once, and once with rows that stay as they came.
    pub(crate) fn both(config: &ReceiverConfig) -> [Self; 2] {
        [Sealing::Inline(1), Sealing::Never].map(|sealing| Self::of(config.clone(), sealing))
    }

    fn of(config: ReceiverConfig, sealing: Sealing) -> Self {
        let (rig, queue) = Rig::unattended(config, WAITING);
        let (mut writer, reader) = index::open(Options { budget: MEMORY, sealing }, TraceNotes::default());
        let held = Arc::<Mutex<(usize, usize)>>::default();
        let told = Arc::clone(&held);
        attend_with(queue, move |delivery| {
            let (source, now) = (delivery.source, Timestamp(1));
            let result = match delivery.signal {
                Signal::Traces => writer.insert_spans(source, &delivery.body, now),
                Signal::Logs => writer.insert_logs(source, &delivery.body, now),
                Signal::Metrics => writer.count_metrics(source, &delivery.body, now),
            };
            writer.publish();
            let mut told = told.lock().unwrap();
            *told = (writer.bytes(), told.1.max(writer.bytes()));
            result.map_err(|error| error.to_string())
        });
        Self { rig, reader, held, good: Mutex::new(0) }
    }

    /// What readers see.
    pub(crate) fn view(&self) -> View {
        self.reader.view()
    }

    /// Sends a good request to both doors, in both protocols; it is answered, counted and found.
    pub(crate) async fn assert_well(&self) {
        for address in [self.rig.grpc, self.rig.http] {
            let number = {
                let mut good = self.good.lock().unwrap();
                *good += 1;
                *good
            };
            let trace = TraceId((u128::from(number) << 64 | 1).to_be_bytes());
            let before = self.accepted();
            let answer = post(address, &[PROTOBUF], &good(trace)).await;
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{}", answer.text());
            assert_eq!(self.accepted(), before + 2);
            assert_eq!(self.view().trace(trace).map(|trace| trace.spans.len()), Some(2));
        }
        self.assert_nothing_lost();
    }

    /// Spans that were acknowledged, at both doors.
    pub(crate) fn accepted(&self) -> u64 {
        let sources = self.rig.feed.board().sources(Timestamp(7));
        sources.iter().filter_map(|source| source.accepted.get(&Signal::Traces)).sum()
    }

    /// Whatever was acknowledged is held, or came twice, or left to make room; nothing waits or stays reserved.
    pub(crate) fn assert_nothing_lost(&self) {
        let stats = self.view().stats().clone();
        assert_eq!(self.accepted(), stats.spans + stats.spans_evicted + stats.duplicates, "{stats:?}");
        assert_eq!(self.rig.feed.held(), 0);
        let (_, most) = *self.held.lock().unwrap();
        assert!(most as u64 <= MEMORY, "{most} bytes");
    }

    /// How often anything was refused, at both doors.
    pub(crate) fn refused(&self) -> u64 {
        RejectReason::ALL.iter().map(|reason| self.rig.rejected(*reason)).sum()
    }
}

/// A request with two good spans of this trace.
pub(crate) fn good(trace: TraceId) -> Vec<u8> {
    let mut request: ExportTraceServiceRequest = request(&["GET /", "SELECT"], false);
    for span in &mut request.resource_spans[0].scope_spans[0].spans {
        span.trace_id = trace.0.to_vec();
    }
    request.encode_to_vec()
}
