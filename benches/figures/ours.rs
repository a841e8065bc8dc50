//! The index as `run` wires it: the hook included, published about as often.

use std::thread;
use std::time::Duration;

use tracefall::analysis::Thresholds;
use tracefall::analysis::TraceNotes;
use tracefall::index::{self, Options, Reader, Sealing, SpanFacts, Summary, Writer};
use tracefall::model::{Badges, Nanos, SourceId, Timestamp, TraceId};

/// Bodies between two publications: about what arrives in 50 ms at full speed, 120,000 spans.
const PUBLISH: u64 = 240;

/// No judgement of spans: what decoding and indexing alone cost.
pub(crate) struct Unjudged;

impl Summary for Unjudged {
    fn observe(&mut self, _: &SpanFacts<'_>, _: &mut Badges) -> bool {
        false
    }
    fn minds(&self, _: Nanos, _: Option<&Badges>) -> bool {
        false
    }
    fn forget(&mut self, _: TraceId) {}
}

/// An index that is being filled, and what reads it.
pub(crate) struct Index<S = TraceNotes> {
    pub(crate) writer: Writer<S>,
    pub(crate) reader: Reader,
    bodies: u64,
}

/// An index that nothing here makes too full.
pub(crate) fn open() -> (Writer<TraceNotes>, Reader) {
    index::open(Options::new(16 << 30), TraceNotes::new(Thresholds::default()))
}

impl Index {
    pub(crate) fn new() -> Self {
        let (writer, reader) = open();
        Self { writer, reader, bodies: 0 }
    }

    pub(crate) fn hot() -> Self {
        Self::of(TraceNotes::new(Thresholds::default()))
    }
}

impl<S: Summary> Index<S> {
    /// One whose rows stay as they came: sealing is the work of another thread, and has figures of its own.
    pub(crate) fn of(summary: S) -> Self {
        let options = Options { sealing: Sealing::Never, ..Options::new(16 << 30) };
        let (writer, reader) = index::open(options, summary);
        Self { writer, reader, bodies: 0 }
    }

    pub(crate) fn insert(&mut self, body: &[u8]) {
        self.bodies += 1;
        self.writer.insert_spans(SourceId(0), body, Timestamp(self.bodies)).unwrap();
        if self.bodies.is_multiple_of(PUBLISH) {
            self.writer.publish();
        }
    }

    /// Publishes, and waits until what goes on in the background (sealing) has come to rest: the writer hands over what
    /// is ready whenever it publishes, and the bytes held then stay the same for a while.
    pub(crate) fn settle(&mut self) {
        const PAUSE: Duration = Duration::from_millis(20);
        const CALM: u32 = 15;
        let mut calm = 0;
        let mut before = (0, 0);
        for _ in 0..3_000 {
            self.writer.publish();
            let seen = (self.reader.view().stats().bytes, self.reader.view().revision());
            calm = if seen == before { calm + 1 } else { 0 };
            before = seen;
            if calm == CALM {
                return;
            }
            thread::sleep(PAUSE);
        }
    }
}
