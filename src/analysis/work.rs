//! What sort of work a stretch of the critical path is.

use super::path::Segment;
use super::thresholds::Thresholds;
use super::tree::Analysis;
use super::verdict::percent;
use crate::model::{Category, Kind, Nanos};
use crate::semconv;

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// A database that speaks SQL.
    Sql,
    /// Another database: its system as the conventions name it, where that is known.
    Database(Option<&'static str>),
    /// An answer over HTTP, as far as who answers recorded nothing itself.
    HttpOut,
    /// A message being handed over.
    Messaging,
    /// An answer to another remote call, in the same way.
    Rpc,
    /// Code of the services themselves.
    Own,
    /// Time in which something ran that no span tells of.
    Unrecorded,
}

/// What sort of work a segment is. A stretch of a span with children in which none of them ran is its own code where it is
/// short, and a gap, of which nobody recorded what happened, where it is long.
#[must_use]
pub(super) fn work(analysis: &Analysis, segment: &Segment, thresholds: &Thresholds) -> Work {
    let Some(span) = analysis.span(segment.node) else { return Work::Unrecorded };
    let calls = matches!(span.key.kind, Kind::CLIENT | Kind::PRODUCER);
    match span.category {
        Category::Sql => return Work::Sql,
        Category::Database => return Work::Database(semconv::system_in_front(&span.label)),
        Category::Http if calls => return Work::HttpOut,
        Category::Rpc if calls => return Work::Rpc,
        Category::Messaging if calls => return Work::Messaging,
        _ => {}
    }
    let length = segment.length();
    let is_gap = || {
        let whole = analysis.nodes.get(segment.node as usize).map_or(Nanos::ZERO, super::Node::duration);
        length >= thresholds.gap || (length >= thresholds.gap_floor && percent(length, whole) >= thresholds.gap_share)
    };
    if !analysis.children_of(segment.node).is_empty() && is_gap() { Work::Unrecorded } else { Work::Own }
}
