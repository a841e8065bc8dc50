//! Clocks that run apart: where the order of parent and child is impossible, and by how much the child's clock is off.

use std::sync::Arc;

use super::thresholds::Thresholds;
use super::tree::{Analysis, Node, Subject, analyse};
use super::whole::Whole;
use crate::model::{Kind, Nanos, Span, Timestamp, Trace, Value, lookup};

/// Spans in an impossible order that are looked up at once, with their parents.
const SUSPICIOUS: usize = 256;

/// A span whose clock runs apart from its parent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// The span, the first of its host.
    pub node: u32,
    /// How many nanoseconds must be added to its times, and to those of its host below it.
    pub shift: i64,
}

/// Finds where clocks run apart, and by how much every node would have to be shifted. Spans of one host share its clock, whatever
/// it says; so do containers of one machine, which is why only an impossible order counts: a child before its parent, or an
/// answer that was there before the request began to be served. Who reads a message may do so whenever.
///
/// By how much is what Jaeger's adjuster for clock skew estimates: the child is put in the middle of its parent, or where it is the
/// longer of the two to its parent's start; what is below it on the same host goes with it.
pub(super) fn find(analysis: &mut Analysis, thresholds: &Thresholds, whole: &mut Whole<'_>) {
    // Both clocks may be coarse.
    let grain = Nanos(thresholds.clock_grain.0.saturating_mul(2));
    let suspicious = (0..).zip(&analysis.nodes).filter(|(_, node)| is_impossible(analysis, node, (0, grain)));
    let suspicious = suspicious.flat_map(|(index, node)| [Some(index), node.parent]).flatten();
    let suspicious: Vec<u32> = suspicious.take(SUSPICIOUS).collect();
    if suspicious.is_empty() {
        return;
    }
    whole.fetch(analysis, &suspicious);
    let mut shifts = vec![0_i64; analysis.nodes.len()];
    let mut skews = Vec::new();
    for index in &analysis.order {
        let node = &analysis.nodes[*index as usize];
        let Some(parent) = node.parent else { continue };
        let above = shifts[parent as usize];
        let impossible = is_impossible(analysis, node, (above, grain));
        let stays = above != 0 && !impossible && same_service(analysis, (*index, parent));
        if stays || (above != 0 && same_host(analysis, whole, (*index, parent))) {
            shifts[*index as usize] = above;
        } else if impossible && !same_host(analysis, whole, (*index, parent)) {
            let shift = shift(node, &analysis.nodes[parent as usize], above);
            if shift != 0 {
                shifts[*index as usize] = shift;
                skews.push(Skew { node: *index, shift });
            }
        }
    }
    if !skews.is_empty() {
        (analysis.skews, analysis.shifts) = (skews, shifts);
    }
}

fn at(moment: Timestamp, shift: i64) -> i128 {
    i128::from(moment.0) + i128::from(shift)
}

/// Whether a node's order with its parent cannot be, by more than clocks that are coarse explain.
fn is_impossible(analysis: &Analysis, node: &Node, (above, grain): (i64, Nanos)) -> bool {
    let (Some(parent), Subject::Span(index)) = (node.parent, node.subject) else { return false };
    let place = &analysis.nodes[parent as usize];
    let Some(caller) = analysis.span(parent) else { return false };
    let Some(span) = analysis.trace.spans.get(index as usize) else { return false };
    if span.key.kind == Kind::CONSUMER || span.oddities.no_time || caller.oddities.no_time {
        return false;
    }
    let coarse = i128::from(grain.0);
    let began = at(node.start, 0);
    let early = began + coarse < at(place.start, above);
    let served = caller.key.kind == Kind::CLIENT && span.key.kind == Kind::SERVER && !place.failed;
    early || (served && began > at(place.end, above) + coarse)
}

/// By how much a child is shifted under its parent, which is shifted by `above` itself.
fn shift(node: &Node, parent: &Node, above: i64) -> i64 {
    let (own, around) = (i128::from(node.duration().0), i128::from(parent.duration().0));
    let room = ((around - own) / 2).max(0);
    let shift = at(parent.start, above) + room - i128::from(node.start.0);
    i64::try_from(shift).unwrap_or(0)
}

fn same_service(analysis: &Analysis, (one, other): (u32, u32)) -> bool {
    let service = |node: u32| analysis.span(node).map(|span| &span.service);
    service(one) == service(other)
}

/// Whether two spans, parent and child, come from one clock; where nothing tells, whether they are of one service.
fn same_host(analysis: &Analysis, whole: &mut Whole<'_>, (one, other): (u32, u32)) -> bool {
    let same_service = same_service(analysis, (one, other));
    let Some(host) = whole.span(analysis, one).map(Host::of) else { return same_service };
    let Some(other) = whole.span(analysis, other).map(Host::of) else { return same_service };
    host.same(&other).unwrap_or(same_service)
}

/// What a resource says of where it runs, the most telling first.
struct Host([Option<String>; 4]);

impl Host {
    fn of(span: &Span) -> Self {
        let keys = ["host.id", "host.ip", "host.name", "service.instance.id"];
        Self(keys.map(|key| lookup(&span.resource.attributes, key).and_then(text)))
    }

    /// Whether both are one; `None` where they say nothing that can be compared.
    fn same(&self, other: &Self) -> Option<bool> {
        let mut both = self.0.iter().zip(&other.0).filter_map(|(one, other)| Some(one.as_ref()? == other.as_ref()?));
        both.next()
    }
}

/// A value as text, of a list its first member; `None` where it is blank or something else.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.lossy().into_owned(),
        Value::Int(number) => number.to_string(),
        Value::Array(members) => match members.first()? {
            Value::Text(text) => text.lossy().into_owned(),
            _ => return None,
        },
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// The trace with its times corrected, judged anew. The spans keep their places, and so do their nodes.
pub(super) fn corrected(analysis: &Analysis, thresholds: &Thresholds) -> Analysis {
    let mut trace = Trace::clone(&analysis.trace);
    for (span, shift) in trace.spans.iter_mut().zip(&analysis.shifts) {
        let moved = |at: Timestamp| Timestamp(at.0.saturating_add_signed(*shift));
        (span.start, span.end) = (moved(span.start), moved(span.end));
    }
    let mut corrected = analyse(Arc::new(trace), thresholds);
    (corrected.skews, corrected.shifts, corrected.adjusted) = (analysis.skews.clone(), analysis.shifts.clone(), true);
    corrected
}
