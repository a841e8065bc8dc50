//! A trace as its spans stand to each other.

use std::cell::OnceCell;

use hashbrown::HashMap;

use super::columns::Columns;
use super::compute::{Facts, Val, of_nanos};
use super::field::Field;
use super::spans::Place;
use super::terms::Relation;
use crate::index::Member;
use crate::model::{Kind, SourceId, Span, SpanId, Timestamp};

/// Spans among which parents are looked for one by one.
const FEW: usize = 32;

/// The spans of one trace.
pub(super) struct Family<'p, 'v> {
    /// In order of start and key.
    pub(super) members: Vec<Member>,
    /// The place of each one's parent.
    parents: Vec<Option<usize>>,
    /// The span that stands for the trace: the earliest without a parent, else the earliest.
    root: usize,
    /// Earliest start and latest end.
    pub(super) extent: (Timestamp, Timestamp),
    columns: &'p Columns<'v>,
    /// Whole spans, by place, once one is asked for.
    spans: OnceCell<Vec<OnceCell<Span>>>,
    nested: OnceCell<Vec<Nested>>,
    children: OnceCell<Vec<i64>>,
}

/// The places of a span in a walk through its tree.
#[derive(Clone, Copy, Default)]
struct Nested {
    left: i64,
    right: i64,
    parent: i64,
}

impl<'p, 'v> Family<'p, 'v> {
    /// The trace of a number; `None` where it is not held.
    pub(super) fn new(columns: &'p Columns<'v>, number: u64) -> Option<Self> {
        let (members, extent) = columns.members(number)?;
        // Spans without a start come last.
        let rank = |member: &Member| (member.parent.is_some(), member.start.0.wrapping_sub(1), member.key);
        let root = (0..members.len()).min_by_key(|place| rank(&members[*place]))?;
        let parents = parents(&members);
        let (spans, nested, children) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Some(Self { members, parents, root, extent, columns, spans, nested, children })
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// A span, whole.
    fn span(&self, place: usize) -> &Span {
        let spans = self.spans.get_or_init(|| vec![OnceCell::new(); self.members.len()]);
        spans[place].get_or_init(|| {
            let member = &self.members[place];
            self.columns.blocks.get(member.block).map(|block| block.span(member.row)).unwrap_or_default()
        })
    }

    /// What is known of one of its spans.
    pub(super) fn facts(&self, place: usize) -> Kin<'_, 'p, 'v> {
        Kin { family: self, place }
    }

    /// Of which spans a relative is in the set.
    pub(super) fn related(&self, of: Relation, set: &[bool]) -> Vec<bool> {
        let all = |holds: bool| vec![holds; set.len()];
        match of {
            Relation::Own => set.to_vec(),
            Relation::Root => all(set[self.root]),
            Relation::Parent => self.parents.iter().map(|parent| parent.is_some_and(|parent| set[parent])).collect(),
            Relation::Child => {
                let mut has = all(false);
                for (place, parent) in self.parents.iter().enumerate() {
                    if let Some(parent) = parent.filter(|_| set[place]) {
                        has[parent] = true;
                    }
                }
                has
            }
            Relation::Any => all(set.contains(&true)),
            Relation::None => all(!set.contains(&true)),
        }
    }

    /// Which spans stand so to one in the set.
    pub(super) fn standing(&self, place: Place, set: &[bool]) -> Vec<bool> {
        match place {
            Place::Child => self.related(Relation::Parent, set),
            Place::Parent => self.related(Relation::Child, set),
            Place::Descendant => self.below(set),
            Place::Ancestor => self.above(set),
            Place::Sibling => self.beside(set),
        }
    }

    /// Spans with one of the set above them. In a cycle each is above all.
    fn below(&self, set: &[bool]) -> Vec<bool> {
        below(&self.parents, set)
    }

    /// Spans with one of the set below them.
    fn above(&self, set: &[bool]) -> Vec<bool> {
        let mut above = vec![false; set.len()];
        for place in (0..set.len()).filter(|place| set[*place]) {
            let mut next = self.parents[place];
            while let Some(at) = next.filter(|at| !above[*at]) {
                above[at] = true;
                next = self.parents[at];
            }
        }
        above
    }

    /// Spans with the same parent as another that is in the set.
    fn beside(&self, set: &[bool]) -> Vec<bool> {
        let mut counts: HashMap<SpanId, usize> = HashMap::new();
        for (member, _) in self.members.iter().zip(set).filter(|(_, own)| **own) {
            if let Some(parent) = member.parent {
                *counts.entry(parent).or_default() += 1;
            }
        }
        let beside = |(member, own): (&Member, &bool)| {
            let others = member.parent.and_then(|parent| counts.get(&parent)).copied().unwrap_or_default();
            others > usize::from(*own)
        };
        self.members.iter().zip(set).map(beside).collect()
    }

    fn children(&self) -> &[i64] {
        self.children.get_or_init(|| {
            let mut counts = vec![0; self.len()];
            self.parents.iter().flatten().for_each(|parent| counts[*parent] += 1);
            counts
        })
    }

    /// A walk through the trees of the trace: roots and children in order of start. Spans in a cycle have no place.
    fn nested(&self) -> &[Nested] {
        self.nested.get_or_init(|| {
            let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.len()];
            let mut stack: Vec<(usize, bool)> = Vec::new();
            for (place, parent) in self.parents.iter().enumerate().rev() {
                match parent {
                    Some(parent) => below[*parent].push(place),
                    None => stack.push((place, true)),
                }
            }
            let mut nested = vec![Nested::default(); self.len()];
            let mut count = 0;
            while let Some((place, down)) = stack.pop() {
                count += 1;
                if !down {
                    nested[place].right = count;
                    continue;
                }
                nested[place].left = count;
                // A span whose parent is not held is no root.
                let unheld = if self.members[place].parent.is_some() { 0 } else { -1 };
                nested[place].parent = self.parents[place].map_or(unheld, |parent| nested[parent].left);
                stack.push((place, false));
                stack.extend(below[place].iter().map(|child| (*child, true)));
            }
            nested
        })
    }
}

/// What is known of one span of a trace.
pub(super) struct Kin<'f, 'p, 'v> {
    family: &'f Family<'p, 'v>,
    place: usize,
}

impl Facts for Kin<'_, '_, '_> {
    fn span(&self) -> &Span {
        self.family.span(self.place)
    }

    fn relative(&self, of: Relation) -> Option<&Span> {
        match of {
            Relation::Own => Some(self.span()),
            Relation::Parent => self.family.parents[self.place].map(|parent| self.family.span(parent)),
            Relation::Root => Some(self.family.span(self.family.root)),
            Relation::Child | Relation::Any | Relation::None => None,
        }
    }

    fn number(&self, field: &Field) -> Option<i64> {
        let nested = || self.family.nested()[self.place];
        Some(match field {
            Field::ChildCount => self.family.children()[self.place],
            Field::NestedLeft => nested().left,
            Field::NestedRight => nested().right,
            Field::NestedParent => nested().parent,
            Field::TraceStart => i64::try_from(self.family.extent.0.0).unwrap_or(i64::MAX),
            Field::TraceDuration => {
                let (start, end) = self.family.extent;
                i64::try_from(end.since(start).0).unwrap_or(i64::MAX)
            }
            _ => return None,
        })
    }

    fn source(&self, id: SourceId) -> &str {
        self.family.columns.view.source_name(id)
    }

    fn column(&self, field: &Field) -> Option<Vec<Val<'static>>> {
        let member = &self.family.members[self.place];
        match field {
            Field::Duration => Some(vec![Val::Number(of_nanos(member.end.since(member.start).0))]),
            Field::Kind => Some(vec![Val::Kind(member.key.kind.0)]),
            _ => self.family.columns.at((member.block, member.row), field),
        }
    }
}

/// Spans with one of the set above them, by the place of each one's parent. In a cycle each is above all.
fn below(parents: &[Option<usize>], set: &[bool]) -> Vec<bool> {
    const NEW: u8 = 0;
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let mut below = vec![false; set.len()];
    let mut state = vec![NEW; set.len()];
    for start in 0..set.len() {
        let mut path = Vec::new();
        let mut at = start;
        let mut answer = loop {
            match state[at] {
                DONE => break below[at] || set[at],
                OPEN => break cycle_has(parents, at, set),
                _ => {}
            }
            state[at] = OPEN;
            path.push(at);
            match parents[at] {
                Some(parent) => at = parent,
                None => break false,
            }
        };
        for place in path.into_iter().rev() {
            below[place] = answer;
            state[place] = DONE;
            answer |= set[place];
        }
    }
    below
}

fn cycle_has(parents: &[Option<usize>], start: usize, set: &[bool]) -> bool {
    let mut at = start;
    loop {
        if set[at] {
            return true;
        }
        match parents[at] {
            Some(parent) if parent != start => at = parent,
            _ => return false,
        }
    }
}

/// The place of each span's parent. Spans that share an id are the two sides of one call: the serving side hangs under
/// the calling side, and spans that name the shared id as their parent hang under the serving side.
fn parents(members: &[Member]) -> Vec<Option<usize>> {
    if members.len() <= FEW
        && let Some(parents) = parents_of_few(members)
    {
        return parents;
    }
    let mut holders: HashMap<SpanId, Vec<usize>> = HashMap::with_capacity(members.len());
    for (place, member) in members.iter().enumerate() {
        holders.entry(member.key.id).or_default().push(place);
    }
    let rank = |kind: Kind| match kind {
        Kind::SERVER => 0,
        Kind::CONSUMER => 1,
        _ => 2,
    };
    for list in holders.values_mut().filter(|list| list.len() > 1) {
        list.sort_by_key(|place| rank(members[*place].key.kind));
    }
    let parent = |(place, member): (usize, &Member)| {
        let caller = match member.key.kind {
            Kind::SERVER => Some(Kind::CLIENT),
            Kind::CONSUMER => Some(Kind::PRODUCER),
            _ => None,
        };
        let twins = holders.get(&member.key.id).map_or(&[][..], Vec::as_slice);
        let other_side = caller.and_then(|kind| twins.iter().find(|twin| members[**twin].key.kind == kind));
        let named = || holders.get(&member.parent?)?.iter().find(|other| **other != place);
        other_side.or_else(named).copied()
    };
    members.iter().enumerate().map(parent).collect()
}

/// The same for few spans none of which share an id; `None` where some do.
fn parents_of_few(members: &[Member]) -> Option<Vec<Option<usize>>> {
    let mut ids = [0_u64; FEW];
    let ids = ids.get_mut(..members.len())?;
    for (place, member) in members.iter().enumerate() {
        let id = u64::from_ne_bytes(member.key.id.0);
        if ids[..place].contains(&id) {
            return None;
        }
        ids[place] = id;
    }
    let parent = |(place, member): (usize, &Member)| {
        let id = u64::from_ne_bytes(member.parent?.0);
        ids.iter().position(|other| *other == id).filter(|other| *other != place)
    };
    Some(members.iter().enumerate().map(parent).collect())
}
