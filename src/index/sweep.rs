//! The members of many traces, one after the other: what their blocks say of all rows is unpacked once.

use super::View;
use super::chain::Chain;
use super::chunk::{Chunk, narrow};
use super::relations::Member;
use super::sealed::Depth;
use super::segment::{Form, Segment};
use super::traces::low_half;
use crate::model::{Kind, SpanId, SpanKey, Timestamp};

/// Blocks that stay unpacked. Traces that arrived one after the other stand in few.
const OPEN: usize = 4;

/// A walk over traces whose rows are close to each other.
#[derive(Debug)]
pub struct Sweep<'v> {
    view: &'v View,
    /// Of each segment how many blocks come before it, newest first.
    after: Vec<usize>,
    /// Unpacked blocks, that used last at the end.
    open: Vec<(usize, Chunk)>,
}

/// The piece that rows were found in last.
struct Here<'v> {
    segment: &'v Segment,
    block: usize,
    base: u64,
    end: u64,
}

impl<'v> Sweep<'v> {
    /// A walk over the traces of a view.
    #[must_use]
    pub fn new(view: &'v View) -> Self {
        let segments = &view.state.segments;
        let mut after = vec![0; segments.len()];
        let mut blocks = 0;
        for (place, segment) in segments.iter().enumerate().rev() {
            after[place] = blocks;
            blocks += segment.pieces.len();
        }
        Self { view, after, open: Vec::new() }
    }

    /// The same as [`View::members`]: for one trace alone much dearer, for many that are close to each other much cheaper.
    /// With them, as [`View::extent`] says it, when the trace began and ended.
    pub fn members(&mut self, number: u64) -> Option<(Vec<Member>, (Timestamp, Timestamp))> {
        let state = &self.view.state;
        let trace = state.pages.get(number)?;
        let extent = super::relations::extent(&trace);
        let mut members = Vec::with_capacity(trace.figures.spans as usize);
        let chain = Chain::new(|ordinal| state.place(ordinal), (low_half(number), trace.head), Depth::Light);
        let mut here: Option<Here<'v>> = None;
        for ordinal in chain.ordinals() {
            if here.as_ref().is_none_or(|here| !(here.base..here.end).contains(&ordinal)) {
                here = self.here(ordinal);
            }
            let Some(at) = &here else { continue };
            let row = usize::try_from(ordinal - at.base).unwrap_or(usize::MAX);
            members.extend(self.member(at, row));
        }
        members.sort_unstable_by_key(|member| (member.start, member.key, member.block, member.row));
        Some((members, extent))
    }

    fn here(&self, ordinal: u64) -> Option<Here<'v>> {
        let segments = &self.view.state.segments;
        let place = segments.partition_point(|segment| segment.base <= ordinal).checked_sub(1)?;
        let segment = &segments[place];
        let piece = segment.piece(ordinal)?;
        let block = self.after[place] + segment.pieces.len() - 1 - piece;
        Some(Here { segment, block, base: segment.pieces[piece].base, end: segment.pieces[piece].end })
    }

    fn member(&mut self, here: &Here<'v>, row: usize) -> Option<Member> {
        let piece = here.segment.pieces.get(here.segment.piece(here.base)?)?;
        match &piece.form {
            Form::Hot(chunk) => read(chunk, here, row),
            Form::Sealed(sealed) => {
                match self.open.iter().position(|(block, _)| *block == here.block) {
                    Some(place) if place + 1 == self.open.len() => {}
                    Some(place) => self.open[place..].rotate_left(1),
                    None => {
                        if self.open.len() >= OPEN {
                            self.open.remove(0);
                        }
                        self.open.push((here.block, sealed.kin()));
                    }
                }
                self.open.last().and_then(|(_, chunk)| read(chunk, here, row))
            }
        }
    }
}

fn read(chunk: &Chunk, here: &Here<'_>, row: usize) -> Option<Member> {
    let operation = here.segment.operations.get(*chunk.operation.get(row)?);
    Some(Member {
        block: here.block,
        row: narrow(row),
        key: SpanKey {
            id: SpanId(*chunk.span_id.get(row)?),
            kind: Kind(operation.map_or(0, |operation| operation.kind)),
        },
        parent: SpanId::from_slice(chunk.parent.get(row)?),
        start: Timestamp(*chunk.start.get(row)?),
        end: Timestamp(*chunk.end.get(row)?),
    })
}

impl View {
    /// Whether so many traces are so many of those held that a [`Sweep`] over them is cheaper than asking for each.
    #[must_use]
    pub fn is_sweep(&self, traces: usize) -> bool {
        let held = self.state.stats.traces;
        u64::try_from(traces).is_ok_and(|traces| traces > 64 && traces.saturating_mul(64) > held)
    }
}
