//! Calls that two libraries recorded: the one that maps objects on tables, and the driver below it. They are one call.
//!
//! The same rule as that of the findings ([`crate::analysis::findings`]), for the lean form of a trace: the inner span of the same
//! statement stands below the outer one, or beside it and within it, call for call, written by another library.

use super::digest::{Above, MOST_ABOVE};
use crate::analysis::Thresholds;
use crate::model::{Timestamp, Trace, TraceSpan};

/// A database call with the numbers of its service and its statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered {
    /// Which span of the trace it is.
    pub(super) place: usize,
    pub(super) service: u32,
    pub(super) statement: u32,
    pub(super) part: Part,
}

/// Whether a call is a part of another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// It stands alone.
    #[default]
    None,
    /// It ran below another statement.
    Within,
    /// It is the same call as that span of the trace.
    Twin(usize),
}

/// Says of a service's statement whether two libraries wrote two of its calls; `None` where that is not known.
type OfOthers<'o> = &'o mut dyn FnMut((u32, u32), [usize; 2]) -> Option<bool>;

/// Marks the calls that are parts of others. `calls` are in the order of the spans, all database calls of the trace.
pub(super) fn find(of: (&Trace, &Above), calls: &mut [Numbered], thresholds: &Thresholds, of_others: OfOthers<'_>) {
    for index in 0..calls.len() {
        calls[index].part = below(of, calls, index);
    }
    let mut beside: Vec<usize> = (0..calls.len()).filter(|index| calls[*index].part == Part::None).collect();
    let trace = of.0;
    let like = |index: &usize| {
        let call = &calls[*index];
        (trace.spans[call.place].parent_id, call.service, call.statement)
    };
    beside.sort_by_key(|index| (like(index), *index));
    let mut twins: Vec<(usize, usize)> = Vec::new();
    for alike in beside.chunk_by(|one, other| like(one) == like(other)) {
        let places: Vec<usize> = alike.iter().map(|index| calls[*index].place).collect();
        let times = |place: usize| (trace.spans[place].start, trace.spans[place].end);
        let pairs = trace.spans[places[0]].parent_id.and_then(|_| pairs(&places, times));
        let Some(first) = pairs.and_then(|pairs| pairs.first().copied()) else { continue };
        let of = calls[alike[0]];
        // Where nobody says who wrote them: what runs at once by chance does not lie within the other so often.
        let many = alike.len() / 2 >= thresholds.nplus1_count as usize;
        if of_others((of.service, of.statement), first).unwrap_or(many) {
            twins.extend(alike.chunks_exact(2).map(|pair| (pair[1], calls[pair[0]].place)));
        }
    }
    for (inner, outer) in twins {
        calls[inner].part = Part::Twin(outer);
    }
}

/// What a call is of the database calls right above it.
fn below((trace, above): (&Trace, &Above), calls: &[Numbered], index: usize) -> Part {
    let mut part = Part::None;
    let Some(call) = calls.get(index) else { return part };
    let mut at: &TraceSpan = &trace.spans[call.place];
    for _ in 0..MOST_ABOVE {
        let Some(place) = at.parent_id.and_then(|parent| above.get(&parent)).copied() else { break };
        let Ok(parent) = calls.binary_search_by_key(&place, |call| call.place) else { break };
        if place == call.place {
            break;
        }
        at = &trace.spans[place];
        part = match part {
            _ if calls[parent].statement == call.statement => Part::Twin(place),
            Part::None => Part::Within,
            part => part,
        };
    }
    part
}

/// Like calls of one parent, in order of start, as pairs of which the second ran within the first, for at least half of its time;
/// `None` unless all are. `times` says when one began and ended.
pub(in crate::analysis) fn pairs<T: Copy>(
    calls: &[T],
    times: impl Fn(T) -> (Timestamp, Timestamp),
) -> Option<Vec<[T; 2]>> {
    if calls.is_empty() || !calls.len().is_multiple_of(2) {
        return None;
    }
    let within = |pair: &[T]| {
        let (outer, inner) = (times(pair[0]), times(pair[1]));
        let nested = outer.0 <= inner.0 && inner.1 <= outer.1;
        (nested && inner.1.since(inner.0).0 >= outer.1.since(outer.0).0 / 2).then_some([pair[0], pair[1]])
    };
    calls.chunks_exact(2).map(within).collect()
}
