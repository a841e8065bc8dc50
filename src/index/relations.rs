//! What of a trace's rows belongs together: its members, who called whom, and selections by what links rows.

use std::ops::Range;

use super::chain::Chain;
use super::extras::{self, Extra};
use super::sealed::Depth;
use super::segment::Form;
use super::traces::{TraceRow, full, low_half};
use super::{Block, Outline, Rows, View};
use crate::model::{Span, SpanId, SpanKey, Timestamp, TraceId};
use crate::otlp::peek;

/// Sealed rows that are thawed at once where whole spans are read.
const SLICE: u32 = 256;

/// A row of a trace: where it stands and what links it to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which of [`View::blocks`].
    pub block: usize,
    /// Its row there.
    pub row: u32,
    /// Id and kind.
    pub key: SpanKey,
    /// Its parent's id, if it has one.
    pub parent: Option<SpanId>,
    /// When it began.
    pub start: Timestamp,
    /// When it ended, as sent.
    pub end: Timestamp,
}

/// Earliest start and latest end of the spans of a trace that have a start.
pub(super) fn extent(trace: &TraceRow) -> (Timestamp, Timestamp) {
    let figures = &trace.figures;
    let start = if figures.start == u64::MAX { 0 } else { figures.start };
    (Timestamp(start), Timestamp(figures.end))
}

impl View {
    /// The number of a trace; `None` where it is not held.
    #[must_use]
    pub fn number_of(&self, id: TraceId) -> Option<u64> {
        self.state.directory.find(id, &self.state.pages, self.state.next_trace).map(|trace| trace.number)
    }

    /// The numbers that traces held may have; some of them may have left.
    #[must_use]
    pub fn numbers(&self) -> Range<u64> {
        let first = self.state.pages.iter().next().map_or(self.state.next_trace, |trace| trace.number);
        first..self.state.next_trace
    }

    /// Earliest start and latest end of all spans of a trace that have a start.
    #[must_use]
    pub fn extent(&self, number: u64) -> Option<(Timestamp, Timestamp)> {
        self.state.pages.get(number).map(|trace| extent(&trace))
    }

    /// What the list is ordered and counted by, of a trace by its number: cheaper than by its id.
    #[must_use]
    pub fn outline_of(&self, number: u64) -> Option<Outline> {
        self.state.pages.get(number).map(|trace| trace.outline())
    }

    /// When the latest span of a trace arrived, by the trace's number.
    #[must_use]
    pub fn last_arrival(&self, number: u64) -> Option<Timestamp> {
        self.state.pages.get(number).map(|trace| trace.last_arrival)
    }

    /// The spans of a trace, by its number, in order of start and key. Its cost does not grow with what else is held.
    #[must_use]
    pub fn members(&self, number: u64) -> Vec<Member> {
        let Some(trace) = self.state.pages.get(number) else { return Vec::new() };
        let segments = &self.state.segments;
        let mut after = vec![0; segments.len()];
        let mut blocks = 0;
        for (place, segment) in segments.iter().enumerate().rev() {
            after[place] = blocks;
            blocks += segment.pieces.len();
        }
        let chain = Chain::new(|ordinal| self.state.place(ordinal), (low_half(number), trace.head), Depth::Light);
        let mut members = Vec::with_capacity(trace.figures.spans as usize);
        for (ordinal, found) in chain {
            let place = segments.partition_point(|segment| segment.base <= ordinal) - 1;
            let Some((piece, row)) = segments[place].locate(ordinal) else { continue };
            let read = found.get();
            members.push(Member {
                block: after[place] + segments[place].pieces.len() - 1 - piece,
                row: super::chunk::narrow(row),
                key: read.key(),
                parent: read.parent(),
                start: Timestamp(read.chunk.start[read.row]),
                end: Timestamp(read.chunk.end[read.row]),
            });
        }
        members.sort_unstable_by_key(|member| (member.start, member.key, member.block, member.row));
        members
    }
}

impl Block<'_> {
    /// The greatest number of a trace with rows here; those that left included.
    #[must_use]
    pub fn newest(&self) -> u64 {
        let number = |low: u32| full(u64::from(low), self.state.next_trace);
        let mut newest = 0;
        match &self.piece.form {
            Form::Hot(chunk) => chunk.trace.iter().for_each(|low| newest = newest.max(number(*low))),
            Form::Sealed(sealed) => match sealed.outermost().map(|(least, most)| (number(least), number(most))) {
                // In order of the low halves of their numbers, which begin anew after four thousand million.
                Some((least, most)) if least <= most => newest = most,
                _ => sealed.each_run(&mut |low, _| newest = newest.max(number(low))),
            },
        }
        newest
    }

    /// Appends the numbers of the traces of these rows, each once or a few times.
    pub fn numbers(&self, rows: &Rows, into: &mut Vec<u64>) {
        let mut last = None;
        let mut add = |low: u32| {
            if last != Some(low) {
                last = Some(low);
                into.push(full(u64::from(low), self.state.next_trace));
            }
        };
        match &self.piece.form {
            Form::Hot(chunk) => rows.iter().for_each(|row| add(chunk.trace[row as usize])),
            Form::Sealed(sealed) => {
                if !rows.is_empty() {
                    sealed.each_run(&mut |low, own| {
                        if own.clone().any(|row| rows.has(super::chunk::narrow(row))) {
                            add(low);
                        }
                    });
                }
            }
        }
    }

    /// Rows whose span id passes `test`.
    #[must_use]
    pub fn select_span_id(&self, test: &dyn Fn(SpanId) -> bool) -> Rows {
        match &self.piece.form {
            Form::Hot(chunk) => self.all().filter(|row| test(SpanId(chunk.span_id[row]))),
            Form::Sealed(sealed) => self.all().filter(|row| test(SpanId(sealed.span_id(row)))),
        }
    }

    /// Rows whose parent's id passes `test`; `None`: they have none.
    #[must_use]
    pub fn select_parent(&self, test: &dyn Fn(Option<SpanId>) -> bool) -> Rows {
        let passes = |bytes: &[u8; 8]| test(SpanId::from_slice(bytes));
        match &self.piece.form {
            Form::Hot(chunk) => self.all().filter(|row| passes(&chunk.parent[row])),
            Form::Sealed(sealed) => {
                let parents = sealed.parent_ids();
                self.all().filter(|row| parents.get(row).is_some_and(passes))
            }
        }
    }

    /// Rows with an event whose name passes `test`.
    #[must_use]
    pub fn select_event_name(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        self.select_extras("", &|row| {
            let mut events = extras::iter(row).filter(|(extra, _)| *extra == Extra::Event);
            events.any(|(_, event)| test(&String::from_utf8_lossy(peek::event_name(event))))
        })
    }

    /// Rows with a link that passes `test`, by the trace id and span id it points at, as sent.
    #[must_use]
    pub fn select_link(&self, test: &dyn Fn(&[u8], &[u8]) -> bool) -> Rows {
        self.select_extras("", &|row| {
            let mut links = extras::iter(row).filter(|(extra, _)| *extra == Extra::Link);
            links.any(|(_, link)| {
                let (trace, span) = peek::link_target(link);
                test(trace, span)
            })
        })
    }

    /// Rows whose instrumentation scope passes `test`, by its name and version; asked once for each.
    #[must_use]
    pub fn select_scope(&self, test: &dyn Fn(&str, &str) -> bool) -> Rows {
        self.select_origin(&|_| false, &|scope| {
            let text = |bytes| String::from_utf8_lossy(bytes);
            test(&text(peek::scope_name(scope)), &text(peek::scope_version(scope)))
        })
    }

    /// Of these rows those whose whole spans pass `test`. Reads every one of them: for what no column says.
    #[must_use]
    pub fn narrow_span(&self, rows: Rows, test: &mut dyn FnMut(&Span) -> bool) -> Rows {
        let trace = |low: u32| self.state.trace_id(low);
        match &self.piece.form {
            Form::Hot(chunk) => rows.filter(|row| test(&self.row_ref(chunk, row).to_span(trace(chunk.trace[row])))),
            Form::Sealed(sealed) => {
                let mut slice: Option<(u32, super::chunk::Chunk)> = None;
                rows.filter(|row| {
                    let row = super::chunk::narrow(row);
                    let first = row / SLICE * SLICE;
                    if slice.as_ref().is_none_or(|(held, _)| *held != first) {
                        slice = Some((first, sealed.thaw(first as usize..(first + SLICE) as usize, Depth::Whole)));
                    }
                    slice.as_ref().is_some_and(|(first, chunk)| {
                        let at = (row - first) as usize;
                        test(&self.row_ref(chunk, at).to_span(trace(chunk.trace[at])))
                    })
                })
            }
        }
    }

    /// The whole span of a row.
    #[must_use]
    pub fn span(&self, row: u32) -> Span {
        let at = row as usize;
        match &self.piece.form {
            Form::Hot(chunk) => self.row_ref(chunk, at).to_span(self.state.trace_id(chunk.trace[at])),
            Form::Sealed(sealed) => {
                let chunk = sealed.thaw(at..at + 1, Depth::Whole);
                let trace = chunk.trace.first().copied().unwrap_or_default();
                if chunk.rows() == 0 {
                    Span::default()
                } else {
                    self.row_ref(&chunk, 0).to_span(self.state.trace_id(trace))
                }
            }
        }
    }
}
