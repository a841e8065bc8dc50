//! Who hangs under whom: parent ids resolved to nodes, cycles cut, missing parents named.

use std::cmp::Reverse;

use hashbrown::HashMap;

use crate::model::{Kind, SpanId, TraceSpan};

/// The parent of each node: the spans at their own indexes, after them the missing parents.
pub(super) struct Links {
    /// Per node; `None` for roots. Free of cycles.
    pub(super) parent: Vec<Option<u32>>,
    /// The ids behind the nodes after the spans, in order of their first child.
    pub(super) missing: Vec<SpanId>,
    /// Per span: a cycle was cut here.
    pub(super) cut: Vec<bool>,
    /// Per span: its place in the order of start, end (longer first), key.
    pub(super) place: Vec<u32>,
}

/// `length` as a node's number. A trace of four billion spans does not fit the memory it would be held in.
pub(super) fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Resolves the parent of every span. The result does not depend on the order of `spans`.
///
/// Spans that share an id are the two sides of one call, as Zipkin-style senders write them: the serving side hangs
/// under the calling side, and spans that name the shared id as their parent hang under the serving side. This is what
/// Jaeger's adjuster for span ids ("span ID uniquifier") does.
pub(super) fn link(spans: &[TraceSpan]) -> Links {
    let order = ordered(spans);
    let mut place = vec![0; spans.len()];
    for (at, span) in order.iter().enumerate() {
        place[*span as usize] = number(at);
    }
    let holders = Holders::new(spans, &place);
    let mut links =
        Links { parent: vec![None; spans.len()], missing: Vec::new(), cut: vec![false; spans.len()], place };
    let mut named: HashMap<SpanId, u32> = HashMap::new();
    for index in order.iter().copied() {
        links.parent[index as usize] = match holders.above(spans, index) {
            Above::Nothing => None,
            Above::Node(node) => Some(node),
            Above::Itself => {
                links.cut[index as usize] = true;
                None
            }
            Above::Missing(id) => Some(*named.entry(id).or_insert_with(|| {
                links.missing.push(id);
                number(spans.len() + links.missing.len() - 1)
            })),
        };
    }
    links.parent.resize(spans.len() + links.missing.len(), None);
    cut_cycles(&mut links, &order);
    links
}

fn ordered(spans: &[TraceSpan]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..number(spans.len())).collect();
    order.sort_by(|left, right| {
        let of = |index: u32| {
            let span = &spans[index as usize];
            ((span.start, Reverse(span.end), span.key, span.parent_id), (&span.service, &span.name, &span.label))
        };
        of(*left).cmp(&of(*right))
    });
    order
}

enum Above {
    Nothing,
    Itself,
    Node(u32),
    Missing(SpanId),
}

/// The spans that hold each id, the best parent first. Nearly all ids are held by one span.
struct Holders {
    only: HashMap<SpanId, u32>,
    shared: HashMap<SpanId, Vec<u32>>,
}

impl Holders {
    fn new(spans: &[TraceSpan], place: &[u32]) -> Self {
        let mut only: HashMap<SpanId, u32> = HashMap::with_capacity(spans.len());
        let mut shared: HashMap<SpanId, Vec<u32>> = HashMap::new();
        for (index, span) in (0..).zip(spans) {
            if let Some(first) = only.insert(span.key.id, index) {
                shared.entry(span.key.id).or_insert_with(|| vec![first]).push(index);
            }
        }
        for holders in shared.values_mut() {
            holders.sort_by_key(|index| (parent_rank(spans[*index as usize].key.kind), place[*index as usize]));
        }
        Self { only, shared }
    }

    fn of(&self, id: SpanId) -> &[u32] {
        if !self.shared.is_empty()
            && let Some(holders) = self.shared.get(&id)
        {
            return holders;
        }
        self.only.get(&id).map_or(&[], std::slice::from_ref)
    }

    fn above(&self, spans: &[TraceSpan], index: u32) -> Above {
        let span = &spans[index as usize];
        if let Some(caller) = calling_side(span.key.kind) {
            let other = self.of(span.key.id).iter().find(|other| spans[**other as usize].key.kind == caller);
            if let Some(other) = other {
                return Above::Node(*other);
            }
        }
        let Some(parent) = span.parent_id else { return Above::Nothing };
        match self.of(parent).iter().find(|other| **other != index) {
            Some(other) => Above::Node(*other),
            None if parent == span.key.id => Above::Itself,
            None => Above::Missing(parent),
        }
    }
}

/// Which kind calls this one, where both may share an id.
fn calling_side(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::SERVER => Some(Kind::CLIENT),
        Kind::CONSUMER => Some(Kind::PRODUCER),
        _ => None,
    }
}

fn parent_rank(kind: Kind) -> u8 {
    match kind {
        Kind::SERVER => 0,
        Kind::CONSUMER => 1,
        _ => 2,
    }
}

/// Follows the parents from every span; where that leads back into the path itself, the earliest span of the cycle
/// becomes a root.
fn cut_cycles(links: &mut Links, order: &[u32]) {
    const NEW: u8 = 0;
    const ON_PATH: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![NEW; links.parent.len()];
    let mut path = Vec::new();
    for from in order {
        let mut current = *from;
        while state[current as usize] == NEW {
            state[current as usize] = ON_PATH;
            path.push(current);
            let Some(parent) = links.parent[current as usize] else { break };
            current = parent;
        }
        if state[current as usize] == ON_PATH && links.parent[current as usize].is_some() {
            let cycle = path.iter().skip_while(|member| **member != current);
            if let Some(earliest) = cycle.copied().min_by_key(|member| links.place[*member as usize]) {
                links.parent[earliest as usize] = None;
                links.cut[earliest as usize] = true;
            }
        }
        for member in path.drain(..) {
            state[member as usize] = DONE;
        }
    }
}
