//! The figures of the index that are the same on every machine: bytes and allocations a span, on a fixed load.
//!
//! The bounds have a little slack for a change that costs a little; what they must not let through is a change of the
//! kind. `cargo bench --bench figures` measures the rest.

#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test of figures")]

use tracefall::analysis::TraceNotes;
use tracefall::index::{self, Options, Reader, Writer};
use tracefall::model::{SourceId, Timestamp};
use tracefall::source::load::{Load, Shape};

/// Bodies of 512 spans: before, and while it is counted.
const WARM: usize = 100;
const COUNTED: usize = 100;
const BODY: usize = 512;

struct Index {
    writer: Writer<TraceNotes>,
    reader: Reader,
}

fn filled(unique: bool) -> (Index, Load) {
    let mut load = Load::new(Shape { unique, ..Shape::default() });
    let (writer, reader) = index::open(Options::new(1 << 30), TraceNotes::default());
    let mut index = Index { writer, reader };
    index.take(&load.by_ref().take(WARM).collect::<Vec<_>>());
    (index, load)
}

impl Index {
    fn take(&mut self, bodies: &[Vec<u8>]) {
        for body in bodies {
            self.writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
        }
        self.writer.publish();
    }
}

#[test]
fn a_span_takes_few_bytes_and_hardly_an_allocation() {
    // Six bytes of them are for the lists that a screen makes of the traces.
    for (unique, bytes, allocations) in [(false, 206.0, 0.2), (true, 486.0, 2.0)] {
        let (mut index, load) = filled(unique);
        let bodies: Vec<_> = load.take(COUNTED).collect();
        let counted = allocation_counter::measure(|| index.take(&bodies));
        let each = counted.count_total as f64 / (COUNTED * BODY) as f64;
        assert!(each <= allocations, "unique: {unique}, {each:.4} allocations a span");
        let stats = index.reader.view().stats().clone();
        let each = stats.bytes as f64 / stats.spans as f64;
        assert!(each <= bytes, "unique: {unique}, {each:.1} bytes a span");
    }
}
