//! How rows stand to each other.

use std::cell::OnceCell;

use hashbrown::HashMap;

use super::super::spans::Place;
use super::super::terms::Relation;
use crate::index::{Block, NO_ROW, Rows, Run};
use crate::model::SpanId;

/// The parents that rows name.
#[derive(Debug)]
pub(super) struct Parents {
    /// The parent's row of each, itself where it says so; [`NO_ROW`] where there is none.
    pub(super) named: Vec<u32>,
    /// The parents that are not held, by row.
    pub(super) odd: Vec<(u32, SpanId)>,
    /// The row that stands for each trace, where it will be asked for; of a block none: rows of each are in order of start.
    pub(super) roots: Vec<u32>,
}

impl Parents {
    fn of_block(block: Block<'_>) -> Self {
        let odd = block.odd_parents().collect();
        Self { named: block.parent_rows(&block.all()), odd, roots: Vec::new() }
    }
}

/// Who called whom among rows. Those of a trace follow each other, no ids are shared.
pub(super) struct Kin<'v> {
    /// Where they are the rows of a block.
    block: Option<Block<'v>>,
    parents: OnceCell<Parents>,
    /// The rows of the block that name a parent, held or not.
    with_parent: OnceCell<Rows>,
    count: u32,
}

impl<'v> Kin<'v> {
    pub(super) fn of_block(block: Block<'v>) -> Self {
        Self { block: Some(block), parents: OnceCell::new(), with_parent: OnceCell::new(), count: block.rows() }
    }

    /// `None` where it will not be asked.
    pub(super) fn of_sheet(parents: Option<Parents>, count: u32) -> Self {
        let parents = parents.map(OnceCell::from).unwrap_or_default();
        Self { block: None, parents, with_parent: OnceCell::new(), count }
    }

    fn none(&self) -> Rows {
        Rows::none(self.count as usize)
    }

    fn parents(&self) -> &Parents {
        self.parents.get_or_init(|| match self.block {
            Some(block) => Parents::of_block(block),
            None => Parents { named: Vec::new(), odd: Vec::new(), roots: Vec::new() },
        })
    }

    /// The row that stands for a trace, which is so many among those looked at: the earliest without a parent, else the
    /// earliest.
    fn root(&self, (place, run): (usize, &Run)) -> u32 {
        let Some(block) = self.block else {
            return self.parents().roots.get(place).copied().unwrap_or(run.rows.start);
        };
        let with_parent = self.with_parent.get_or_init(|| block.with_parent());
        run.rows.clone().find(|row| !with_parent.has(*row)).unwrap_or(run.rows.start)
    }

    /// Of the second rows those of which a relative is among the first.
    pub(super) fn related(&self, runs: &[Run], of: Relation, (set, asked): (&Rows, Rows)) -> Rows {
        let traces = |passes: &dyn Fn((usize, &Run)) -> bool| {
            let mut rows = self.none();
            runs.iter().enumerate().filter(|run| passes(*run)).for_each(|(_, run)| rows.insert_all(run.rows.clone()));
            rows
        };
        match of {
            Relation::Own => asked.and(set),
            Relation::Root => asked.and(&traces(&|run| set.has_any(run.1.rows.clone()) && set.has(self.root(run)))),
            Relation::Parent => {
                let mut found = self.none();
                self.each_parent(&asked, |row, parent| {
                    if set.has(parent) {
                        found.insert(row);
                    }
                });
                found
            }
            Relation::Child => asked.and(&self.parents_of(set)),
            Relation::Any => asked.and(&traces(&|(_, run)| set.has_any(run.rows.clone()))),
            Relation::None => asked.and(&traces(&|(_, run)| !set.has_any(run.rows.clone()))),
        }
    }

    fn parents_of(&self, set: &Rows) -> Rows {
        let mut parents = self.none();
        self.each_parent(set, |_, parent| parents.insert(parent));
        parents
    }

    /// Calls `each` with the rows among these that have a parent, and its row.
    fn each_parent(&self, among: &Rows, mut each: impl FnMut(u32, u32)) {
        self.each_named(among, |row, parent| {
            if row != parent {
                each(row, parent);
            }
        });
    }

    /// The same with rows that say that they are their own parent.
    fn each_named(&self, among: &Rows, mut each: impl FnMut(u32, u32)) {
        if let Some(block) = self.block.filter(|_| self.parents.get().is_none()) {
            return block.each_parent_row(among, each);
        }
        let named = &self.parents().named;
        let named = among.iter().filter_map(|row| Some((row, *named.get(row as usize)?)));
        named.filter(|(_, parent)| *parent != NO_ROW).for_each(|(row, parent)| each(row, parent));
    }

    /// Of the second rows those that stand so to one of the first.
    pub(super) fn standing(&self, runs: &[Run], place: Place, (set, asked): (&Rows, &Rows)) -> Rows {
        match place {
            Place::Child => self.related(runs, Relation::Parent, (set, asked.clone())),
            Place::Parent => self.related(runs, Relation::Child, (set, asked.clone())),
            Place::Descendant => self.below(runs, (set, asked)),
            Place::Ancestor => self.above(set).and(asked),
            Place::Sibling => self.beside(runs, (set, asked)),
        }
    }

    /// Rows with one of the set above them. A parent mostly stands before its children.
    fn below(&self, runs: &[Run], (set, asked): (&Rows, &Rows)) -> Rows {
        let is_meant = |run: &&Run| set.has_any(run.rows.clone()) && asked.has_any(run.rows.clone());
        let mut meant = self.none();
        runs.iter().filter(is_meant).for_each(|run| meant.insert_all(run.rows.clone()));
        let of_block;
        let named = match self.block.filter(|_| self.parents.get().is_none()) {
            Some(block) => {
                of_block = block.parent_rows(&meant);
                &of_block
            }
            None => &self.parents().named,
        };
        let mut below = self.none();
        for run in runs.iter().filter(is_meant) {
            let own = named.get(run.rows.start as usize..run.rows.end as usize).unwrap_or_default();
            let in_order = if own.len() <= 64 {
                below_in_word(set.bits(run.rows.clone()), (run.rows.start, own), &mut below)
            } else {
                below_in_order((set, run.rows.start), own, &mut below)
            };
            if !in_order {
                below_in_any_order(named, (run, set), &mut below);
            }
        }
        below.and(asked)
    }

    /// Rows with one of the set below them.
    fn above(&self, set: &Rows) -> Rows {
        let (mut above, named) = (self.none(), &self.parents().named);
        for row in set.iter() {
            let mut next = parent_in(named, row);
            while let Some(at) = next.filter(|at| !above.has(*at)) {
                above.insert(at);
                next = parent_in(named, at);
            }
        }
        above
    }

    /// Rows with the same parent as another of the set, whether it is held or not.
    fn beside(&self, runs: &[Run], (set, asked): (&Rows, &Rows)) -> Rows {
        // By row: one of the set names it as its parent, several do.
        let (mut one, mut several) = (self.none(), self.none());
        self.each_named(set, |_, parent| if one.has(parent) { several.insert(parent) } else { one.insert(parent) });
        let mut found = self.none();
        self.each_named(asked, |row, parent| {
            if several.has(parent) || one.has(parent) && !set.has(row) {
                found.insert(row);
            }
        });
        for (row, count) in self.odd_counts(runs, set) {
            if asked.has(row) && count > u32::from(set.has(row)) {
                found.insert(row);
            }
        }
        found
    }

    /// Of rows whose parent is not held: how many of the set in the same trace name the same parent.
    fn odd_counts(&self, runs: &[Run], set: &Rows) -> HashMap<u32, u32> {
        let mut of_row = HashMap::new();
        let odd: Vec<(u32, SpanId)> = match self.block {
            Some(block) => block.odd_parents().collect(),
            None => self.parents().odd.clone(),
        };
        let mut odd = odd.into_iter().peekable();
        for run in runs {
            while odd.next_if(|(row, _)| *row < run.rows.start).is_some() {}
            let own: Vec<(u32, SpanId)> = std::iter::from_fn(|| odd.next_if(|(row, _)| *row < run.rows.end)).collect();
            let mut counts: HashMap<SpanId, u32> = HashMap::new();
            for (_, parent) in own.iter().filter(|(row, _)| set.has(*row)) {
                *counts.entry(*parent).or_default() += 1;
            }
            of_row.extend(own.into_iter().map(|(row, parent)| (row, counts.get(&parent).copied().unwrap_or_default())));
        }
        of_row
    }
}

/// The row of a row's parent.
#[inline]
fn parent_in(named: &[u32], row: u32) -> Option<u32> {
    named.get(row as usize).copied().filter(|parent| *parent != NO_ROW && *parent != row)
}

/// Adds the rows of a trace of no more than 64 spans that are below one of the set; false, and nothing is added, where a
/// parent stands behind its child.
fn below_in_word(set: u64, (first, named): (u32, &[u32]), below: &mut Rows) -> bool {
    let mut found = 0_u64;
    for (place, parent) in (0_u32..).zip(named) {
        let parent_place = parent.wrapping_sub(first);
        if parent_place < place {
            found |= ((set | found) >> parent_place & 1) << place;
        } else if *parent != NO_ROW && parent_place != place {
            return false;
        }
    }
    below.insert_bits(first, found);
    true
}

/// The same of more spans; what was added where it is false is so nevertheless.
fn below_in_order((set, first): (&Rows, u32), named: &[u32], below: &mut Rows) -> bool {
    for (row, parent) in (first..).zip(named) {
        if *parent < row {
            if set.has(*parent) || below.has(*parent) {
                below.insert(row);
            }
        } else if *parent != NO_ROW && *parent != row {
            return false;
        }
    }
    true
}

/// The same where parents stand behind their children.
fn below_in_any_order(named: &[u32], (run, set): (&Run, &Rows), below: &mut Rows) {
    // By place in the run: known; then also whether it is below.
    let mut known = vec![false; run.rows.len()];
    let place = |row: u32| row.checked_sub(run.rows.start).map_or(usize::MAX, |place| place as usize);
    for row in run.rows.clone() {
        let mut at = row;
        let mut steps = 0;
        let found = loop {
            match parent_in(named, at) {
                Some(parent) if set.has(parent) => break true,
                Some(parent) if known.get(place(parent)).copied().unwrap_or(true) => break below.has(parent),
                // In a cycle without one of the set.
                Some(_) if steps > known.len() => break false,
                Some(parent) => at = parent,
                None => break false,
            }
            steps += 1;
        };
        // All on the way up have the same above them.
        let mut next = Some(row);
        for _ in 0..=steps {
            let Some(at) = next.filter(|at| !known.get(place(*at)).copied().unwrap_or(true)) else { break };
            known[place(at)] = true;
            if found {
                below.insert(at);
            }
            next = parent_in(named, at);
        }
    }
}
