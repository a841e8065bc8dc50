//! One call that was recorded twice: by what maps objects on tables, and by the driver below it.
//!
//! Where both have spans, the driver's stands below the other's, or beside it (`SQLAlchemy` with psycopg2 or asyncpg): then it lies
//! within it, call for call, and another library wrote it. It is a part of the same call: no second one, and no call at once with
//! the first.

use super::case::Case;
use crate::analysis::statements::pairs;
use crate::model::Span;

/// Groups of calls of which it is looked up who wrote them: other rules look up spans too.
const MOST: usize = 64;

/// Takes the inner ones out of the calls.
pub(super) fn fold(case: &mut Case<'_>) {
    let below = case.analysis.order.iter().copied().filter(|node| {
        let parent = case.node(*node).parent;
        case.traits(*node).is_database() && parent.is_some_and(|parent| case.traits(parent).is_database())
    });
    let below: Vec<u32> = below.collect();
    let groups = case.take_groups();
    let times = |node: u32| (case.node(node).start, case.node(node).end);
    let is_database = |members: &[u32]| members.first().is_some_and(|first| case.traits(*first).is_database());
    let beside = groups.iter().filter(|group| is_database(&group.members));
    let beside: Vec<Vec<[u32; 2]>> = beside.filter_map(|group| pairs(&group.members, times)).take(MOST).collect();
    case.calls.groups = groups;
    case.fetch(&beside.iter().filter_map(|pairs| pairs.first().copied()).flatten().collect::<Vec<_>>());
    let mut inner = below;
    let many = case.thresholds.nplus1_count as usize;
    for pairs in beside {
        let first = pairs.first().and_then(|[outer, inner]| of_other_libraries(case, *outer, *inner));
        // Where nobody says who wrote them: what runs at once by chance does not lie within the other so often.
        if first.unwrap_or(pairs.len() >= many) {
            inner.extend(pairs.into_iter().map(|[_, inner]| inner));
        }
    }
    case.calls.fold(&inner);
}

/// Whether two libraries wrote them; `None` where that is not known.
fn of_other_libraries(case: &mut Case<'_>, outer: u32, inner: u32) -> Option<bool> {
    let service = |node: u32| case.span(node).map(|span| &span.service);
    if service(outer) != service(inner) {
        return Some(false);
    }
    let name = |span: &Span| Some(span.scope.name.clone()).filter(|name| !name.is_empty());
    let (outer, inner) = (case.whole(outer).and_then(name), case.whole(inner).and_then(name));
    outer.zip(inner).map(|(outer, inner)| outer != inner)
}
