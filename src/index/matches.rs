//! Selected rows counted by trace.

use super::segment::Form;
use super::traces::full;
use super::{Block, Rows};
use crate::model::{Kind, SpanId, SpanKey, Timestamp};

/// What of a trace is selected in a block, or a part of it: rows of a trace may stand apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The trace, by its number in order of first arrival; see [`super::View::id_of`].
    pub number: u64,
    /// How many rows; none where the trace matches as a whole.
    pub matched: u32,
    /// The first of them, by start.
    pub first: (Timestamp, SpanKey),
}

/// Stands where a key is read later.
const NOT_READ: SpanKey = SpanKey { id: SpanId([0; 8]), kind: Kind(0) };

impl Match {
    /// A trace that matches as a whole: none of its rows do.
    #[must_use]
    pub fn whole(number: u64) -> Self {
        Self { number, matched: 0, first: (Timestamp(0), NOT_READ) }
    }

    /// Both parts together, of one trace.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let matched = self.matched.saturating_add(other.matched);
        Self { number: self.number, matched, first: self.first.min(other.first) }
    }
}

/// Adds a row of a trace; its key is asked for where it may be the first.
fn add(into: &mut Vec<Match>, (number, start): (u64, u64), own: usize, key: impl FnOnce() -> SpanKey) {
    let start = Timestamp(start);
    match into.get_mut(own..).and_then(<[Match]>::last_mut) {
        Some(last) if last.number == number => {
            last.matched = last.matched.saturating_add(1);
            if start <= last.first.0 {
                last.first = last.first.min((start, key()));
            }
        }
        _ => into.push(Match { number, matched: 1, first: (start, key()) }),
    }
}

impl Block<'_> {
    /// Appends what these rows are by trace.
    pub fn matches(&self, rows: &Rows, into: &mut Vec<Match>) {
        let own = into.len();
        let number = |low: u32| full(u64::from(low), self.state.next_trace);
        match &self.piece.form {
            Form::Hot(chunk) => {
                for row in rows.iter().map(|row| row as usize) {
                    let key = || self.row_ref(chunk, row).key();
                    add(into, (number(chunk.trace[row]), chunk.start[row]), own, key);
                }
            }
            Form::Sealed(sealed) => {
                let kind =
                    |operation: u32| self.segment.operations.get(operation).map_or(0, |operation| operation.kind);
                let kinds = sealed.by_class(|class| kind(class.operation));
                let kind = |row: usize| Kind(kinds.get(sealed.class_of(row)).copied().unwrap_or_default());
                let most = sealed.run_count().min(rows.len());
                into.reserve(most);
                let mut firsts: Vec<u32> = Vec::with_capacity(most);
                let in_order = sealed.each_first(rows, &mut |low, matched, row, start| {
                    let first = (Timestamp(start), NOT_READ);
                    into.push(Match { number: number(low), matched, first });
                    firsts.push(super::chunk::narrow(row));
                });
                // Ids stand far apart: read by themselves, many are on their way from memory at a time.
                let ids = sealed.span_ids();
                for (own, row) in into.iter_mut().skip(own).zip(&firsts) {
                    own.first.1.id = SpanId(ids.get(*row as usize).copied().unwrap_or_default());
                }
                for (own, row) in into.iter_mut().skip(own).zip(&firsts) {
                    own.first.1.kind = kind(*row as usize);
                }
                if !in_order {
                    let key = |row: usize| SpanKey { id: SpanId(sealed.span_id(row)), kind: kind(row) };
                    sealed.each_start(rows, &mut |low, row, start| {
                        add(into, (number(low), start), own, || key(row));
                    });
                }
            }
        }
    }
}
