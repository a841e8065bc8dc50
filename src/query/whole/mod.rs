//! A plan run on many traces at once: on all that stand whole in one sealed block, or on a sheet of others.
//!
//! In: a plan, and the rows of a block or of a sheet. Out: which of them are found, and which traces as a whole. What is
//! found is exactly what [`super::eval`] finds in each trace by itself; only sets of rows take the place of sets of spans.
//! Must never know: in what order blocks are looked at.

mod groups;
mod kin;
mod sheet;
mod values;

use super::eval::{Evaluator, trace_holds};
use super::plan::{Node, Set, Step};
use super::spans::Place;
use super::terms::Relation;
use crate::index::{Match, Rows, Run, Scattered};

use self::kin::Kin;
use self::sheet::{Needed, Part, Sheet};
use self::values::is_in_columns;

pub(super) use self::sheet::Stretch;

/// What a set finds in the traces of a block.
struct Found {
    /// The rows.
    spans: Rows,
    /// By trace: it is found as a whole, unless rows of it are.
    whole: Vec<bool>,
}

/// Traces that are looked at together.
pub(super) struct Shelf<'e, 'p, 'v> {
    evaluator: &'e Evaluator<'p, 'v>,
    /// The blocks that their rows come from.
    parts: Vec<Part>,
    /// How many rows there are.
    count: u32,
    runs: Vec<Run>,
    /// The rows that count.
    all: Rows,
    kin: Kin<'v>,
}

/// What is found.
#[derive(Debug, Default)]
pub(super) struct Shelved {
    /// Spans, by trace (of a sheet by trace and block), and traces as a whole.
    pub(super) matches: Vec<Match>,
    /// Rows of traces that do not stand whole in this block.
    pub(super) scattered: Vec<Stretch>,
    /// Traces that must be looked at one by one.
    pub(super) odd: Vec<u64>,
}

/// Whether a set can be found for a block at once.
pub(super) fn is_supported(set: &Set) -> bool {
    match set {
        Set::Spans { node, trace } => is_asked(node) && is_asked(trace),
        Set::Whole(node) | Set::NoSpan(node) => is_asked(node),
        Set::Both(sets) | Set::Either(sets) => sets.iter().all(is_supported),
        Set::Structural { left, right, .. } => is_supported(left) && is_supported(right),
        Set::Piped(inner, steps) => is_supported(inner) && steps.iter().all(step_is_supported),
    }
}

fn step_is_supported(step: &Step) -> bool {
    match step {
        // Other sets are about the group, not about the trace.
        Step::Filter(set) => matches!(set, Set::Spans { .. }) && is_supported(set),
        Step::Aggregate(expression) => is_in_columns(expression),
        Step::By(keys) => keys.iter().all(is_in_columns),
        Step::Coalesce | Step::Select => true,
    }
}

fn is_asked(node: &Node) -> bool {
    match node {
        Node::Always | Node::Leaf(_) | Node::Trace(_) | Node::Computed(_, false) => true,
        Node::All(parts) | Node::Any(parts) => parts.iter().all(is_asked),
        Node::Not(inner) | Node::Related(_, inner) => is_asked(inner),
        Node::Computed(_, true) => false,
    }
}

/// What a set asks of how spans stand to each other.
#[derive(Clone, Copy, Default)]
struct AsksKin {
    /// Something.
    any: bool,
    /// Which stands for its trace.
    roots: bool,
}

impl AsksKin {
    fn of(set: &Set) -> Self {
        let mut asks = Self::default();
        asks.set(set);
        asks
    }

    fn set(&mut self, set: &Set) {
        match set {
            Set::Spans { node, trace } => {
                self.node(node);
                self.node(trace);
            }
            Set::Whole(node) | Set::NoSpan(node) => self.node(node),
            Set::Both(sets) | Set::Either(sets) => sets.iter().for_each(|set| self.set(set)),
            Set::Structural { left, right, .. } => {
                self.any = true;
                self.set(left);
                self.set(right);
            }
            Set::Piped(inner, steps) => {
                self.set(inner);
                for step in steps {
                    if let Step::Filter(set) = step {
                        self.set(set);
                    }
                }
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Related(of, inner) => {
                self.any = true;
                self.roots |= *of == Relation::Root;
                self.node(inner);
            }
            Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|part| self.node(part)),
            Node::Not(inner) => self.node(inner),
            Node::Always | Node::Leaf(_) | Node::Trace(_) | Node::Computed(..) => {}
        }
    }
}

/// What a plan finds in the traces that stand whole in a block.
pub(super) fn search(evaluator: &Evaluator<'_, '_>, place: usize, scattered: &Scattered) -> Shelved {
    let mut shelved = Shelved::default();
    let Some(block) = evaluator.columns.blocks.get(place).copied() else { return shelved };
    let needed = Needed::new(evaluator, &evaluator.plan.set, place);
    let mut runs = Vec::new();
    block.each_stretch(&mut |run| {
        let missing = needed.missing(&run.rows);
        if scattered.has(run.number) {
            shelved.scattered.push(Stretch::new(place, run, missing));
        } else if missing == 0 {
            runs.push(run);
        }
    });
    let mut all = Rows::none(block.rows() as usize);
    for run in &runs {
        all.insert_all(run.rows.clone());
    }
    if !runs.is_empty() {
        let parts = vec![Part::whole(place, block.rows())];
        let shelf = Shelf { evaluator, parts, count: block.rows(), runs, all, kin: Kin::of_block(block) };
        shelf.search(&mut shelved);
    }
    shelved
}

/// What a plan finds in the traces of these stretches, which are all that there are of them.
pub(super) fn search_scattered(evaluator: &Evaluator<'_, '_>, stretches: &[Stretch]) -> Shelved {
    let mut shelved = Shelved::default();
    let (blocks, set) = (&evaluator.columns.blocks, &evaluator.plan.set);
    let mut sheet = Sheet::new(blocks, stretches);
    let mut parents = None;
    let asks = AsksKin::of(set);
    if asks.any {
        let (known, odd) = sheet.parents(blocks, asks.roots);
        (parents, shelved.odd) = (Some(known), odd);
    }
    let Sheet { runs, parts, count, live } = sheet;
    if !runs.is_empty() {
        let mut all = Rows::none(count as usize);
        for run in &runs {
            all.insert_all(run.rows.clone());
        }
        let all = all.and(&live);
        let shelf = Shelf { evaluator, parts, count, runs, all, kin: Kin::of_sheet(parents, count) };
        shelf.search(&mut shelved);
    }
    shelved
}

impl Shelf<'_, '_, '_> {
    fn search(&self, shelved: &mut Shelved) {
        let found = self.set(&self.evaluator.plan.set, &self.all);
        if !found.spans.is_empty() {
            for part in &self.parts {
                let Some(block) = self.evaluator.columns.blocks.get(part.place) else { continue };
                block.matches(&part.down(&found.spans, *block), &mut shelved.matches);
            }
        }
        let whole = self.runs.iter().zip(&found.whole).filter(|(_, whole)| **whole);
        let whole = whole.filter(|(run, _)| !found.spans.has_any(run.rows.clone()));
        shelved.matches.extend(whole.map(|(run, _)| Match::whole(run.number)));
    }

    fn none(&self) -> Rows {
        Rows::none(self.count as usize)
    }

    /// All rows of the traces that pass.
    fn traces(&self, mut passes: impl FnMut(&Run) -> bool) -> Rows {
        let mut rows = self.none();
        self.runs.iter().filter(|run| passes(run)).for_each(|run| rows.insert_all(run.rows.clone()));
        rows
    }

    fn set(&self, set: &Set, among: &Rows) -> Found {
        let spans = |spans: Rows| Found { spans, whole: vec![false; self.runs.len()] };
        match set {
            Set::Spans { node, trace } => {
                let rows = self.narrow(trace, among.clone());
                spans(self.narrow(node, rows))
            }
            Set::Whole(node) => self.whole(node, among, true),
            Set::NoSpan(node) => self.whole(node, among, false),
            Set::Both(sets) => {
                let sets: Vec<Found> = sets.iter().map(|set| self.set(set, among)).collect();
                self.joined(&sets, true)
            }
            Set::Either(sets) => {
                let sets: Vec<Found> = sets.iter().map(|set| self.set(set, among)).collect();
                self.joined(&sets, false)
            }
            Set::Structural { left, right, place, negated, both } => {
                let right = self.spans_of(self.set(right, among));
                if right.is_empty() && !both {
                    return spans(right);
                }
                let left = self.spans_of(self.set(left, among));
                spans(self.structural((&left, &right), *place, (*negated, *both)))
            }
            Set::Piped(inner, steps) => {
                let inner = self.spans_of(self.set(inner, among));
                spans(self.piped(inner, steps))
            }
        }
    }

    /// The traces with a span on which a condition holds, or those without.
    fn whole(&self, node: &Node, among: &Rows, wanted: bool) -> Found {
        let rows = self.narrow(node, among.clone());
        let whole = self.runs.iter().map(|run| rows.has_any(run.rows.clone()) == wanted).collect();
        Found { spans: self.none(), whole }
    }

    /// What all sets find in traces in which each finds something, or what any finds.
    fn joined(&self, sets: &[Found], all: bool) -> Found {
        let mut joined = Found { spans: self.none(), whole: vec![false; self.runs.len()] };
        for set in sets {
            joined.spans = joined.spans.or(&set.spans);
            joined.whole.iter_mut().zip(&set.whole).for_each(|(one, other)| *one |= other);
        }
        if all {
            let mut is_in = vec![true; self.runs.len()];
            for set in sets {
                for ((is_in, whole), run) in is_in.iter_mut().zip(&set.whole).zip(&self.runs) {
                    *is_in &= *whole || set.spans.has_any(run.rows.clone());
                }
            }
            let mut places = is_in.iter();
            joined.spans = joined.spans.and(&self.traces(|_| places.next().is_some_and(|is_in| *is_in)));
            joined.whole.iter_mut().zip(&is_in).for_each(|(whole, is_in)| *whole &= is_in);
        }
        joined
    }

    /// The rows; all of those of traces that are found as a whole.
    fn spans_of(&self, found: Found) -> Rows {
        let mut rows = found.spans;
        for (run, _) in self.runs.iter().zip(&found.whole).filter(|(_, whole)| **whole) {
            if !rows.has_any(run.rows.clone()) {
                rows.insert_all(run.rows.clone());
            }
        }
        rows
    }

    fn structural(&self, (left, right): (&Rows, &Rows), place: Place, (negated, both): (bool, bool)) -> Rows {
        let standing = self.kin.standing(&self.runs, place, (left, right));
        let mut found = if negated { right.clone().minus(&standing) } else { standing };
        if both {
            found = found.or(&self.kin.standing(&self.runs, place.back(), (right, left)));
        }
        found
    }

    /// Of these rows those on which a condition holds that columns decide.
    fn columnar(&self, node: &Node, rows: Rows) -> Rows {
        if let [part] = &self.parts[..]
            && part.is_whole()
        {
            return self.evaluator.rows(node, part.place, |so| rows.and(so));
        }
        let mut found = self.none();
        for part in &self.parts {
            self.evaluator.rows(node, part.place, |so| part.up(so, &mut found));
        }
        rows.and(&found)
    }

    /// The same of a condition that the span alone decides.
    fn local(&self, node: &Node, rows: &Rows) -> Rows {
        let mut found = self.none();
        for part in &self.parts {
            let Some(block) = self.evaluator.columns.blocks.get(part.place) else { continue };
            let own = node.upper(*block, part.down(rows, *block), &self.evaluator.plan.leaves);
            part.up(&own, &mut found);
        }
        found
    }

    /// Of these rows those on which a condition holds.
    fn narrow(&self, node: &Node, rows: Rows) -> Rows {
        match node {
            Node::Always => rows,
            node if node.is_columnar() => self.columnar(node, rows),
            Node::All(parts) => parts.iter().fold(rows, |rows, part| self.narrow(part, rows)),
            Node::Any(parts) => {
                let each = parts.iter().map(|part| self.narrow(part, rows.clone()));
                each.reduce(|one, other| one.or(&other)).unwrap_or_default()
            }
            Node::Not(inner) => {
                let so = self.narrow(inner, rows.clone());
                rows.minus(&so)
            }
            Node::Leaf(_) | Node::Computed(..) => self.local(node, &rows),
            Node::Related(of, inner) => {
                if rows.is_empty() {
                    return rows;
                }
                let so = self.narrow(inner, self.all.clone());
                self.kin.related(&self.runs, *of, (&so, rows))
            }
            Node::Trace(test) => {
                let view = self.evaluator.columns.view;
                rows.and(&self.traces(|run| {
                    let extent = || view.extent(run.number).unwrap_or_default();
                    view.id_of(run.number).is_some_and(|id| trace_holds(*test, id, extent()))
                }))
            }
        }
    }
}
