//! Rows of several blocks, put side by side: those of traces that stand whole in none of them.

use hashbrown::HashSet;

use super::super::eval::Evaluator;
use super::super::plan::{Node, Set};
use super::kin::Parents;
use super::values::small;
use crate::index::{Block, NO_ROW, Rows, Run};
use crate::model::SpanId;

/// Spans among which ids are compared one by one.
const FEW: usize = 32;

/// Rows of one trace that follow each other in a block.
#[derive(Clone, Debug)]
pub(in crate::query) struct Stretch {
    /// The trace, by its number.
    pub(in crate::query) number: u64,
    /// The block's place.
    place: u32,
    /// What a trace must have that is not among these rows, a bit for each; see [`Needed`].
    missing: u32,
    rows: std::ops::Range<u32>,
}

impl Stretch {
    pub(super) fn new(place: usize, run: Run, missing: u32) -> Self {
        Self { number: run.number, place: small(place), missing, rows: run.rows }
    }
}

/// Of a list of stretches those of traces that have all they must have, in order of their numbers, those of a trace as they
/// were: these are all the rows that the traces have.
fn in_order(stretches: &[Stretch]) -> Vec<Stretch> {
    let numbers = stretches.iter().map(|own| own.number);
    let Some((least, most)) = numbers.clone().min().zip(numbers.max()) else { return Vec::new() };
    let span = usize::try_from(most - least).unwrap_or(usize::MAX);
    if span / 16 > stretches.len() || u32::try_from(stretches.len()).is_err() {
        let mut stretches = stretches.to_vec();
        stretches.sort_by_key(|own| own.number);
        return stretches;
    }
    // So many that there is a place for each number: what its trace is missing, how many stretches it has.
    let mut traces = vec![(u32::MAX, 0_u32); span + 1];
    let place = |own: &Stretch| usize::try_from(own.number - least).unwrap_or(usize::MAX);
    for own in stretches {
        if let Some((missing, count)) = traces.get_mut(place(own)) {
            *missing &= own.missing;
            *count += 1;
        }
    }
    // Where the next of each goes, in place of how many there are.
    let mut next = 0;
    for (missing, count) in &mut traces {
        let own = if *missing == 0 { *count } else { 0 };
        (*count, next) = (next, next + own);
    }
    let mut order = vec![0_u32; next as usize];
    for (at, own) in (0..).zip(stretches) {
        if let Some((0, next)) = traces.get_mut(place(own)) {
            order[*next as usize] = at;
            *next += 1;
        }
    }
    order.into_iter().filter_map(|at| stretches.get(at as usize).cloned()).collect()
}

/// Rows of a block, of each of which one must be in a trace in which a set finds something.
pub(super) struct Needed(Vec<Rows>);

impl Needed {
    pub(super) fn new(evaluator: &Evaluator<'_, '_>, set: &Set, place: usize) -> Self {
        let mut needed = reach(evaluator, set, place);
        needed.truncate(32);
        Self(needed)
    }

    /// What is not among some rows, a bit for each.
    #[inline]
    pub(super) fn missing(&self, rows: &std::ops::Range<u32>) -> u32 {
        self.0.iter().rev().fold(0, |bits, needed| bits << 1 | u32::from(!needed.has_any(rows.clone())))
    }
}

/// The rows that come from one block.
#[derive(Debug)]
pub(super) struct Part {
    /// The block's place.
    pub(super) place: usize,
    /// In order of the rows there.
    spots: Vec<Spot>,
}

/// Rows that follow each other in the block and on the sheet.
#[derive(Clone, Copy, Debug)]
struct Spot {
    row: u32,
    at: u32,
    count: u32,
}

impl Part {
    /// All rows of a block, as they stand there.
    pub(super) fn whole(place: usize, count: u32) -> Self {
        Self { place, spots: vec![Spot { row: 0, at: 0, count }] }
    }

    /// Whether rows stand where they do in the block.
    pub(super) fn is_whole(&self) -> bool {
        self.spots.iter().all(|spot| spot.row == spot.at)
    }

    /// The rows of the block that are here.
    fn rows(&self, block: Block<'_>) -> Rows {
        let mut own = Rows::none(block.rows() as usize);
        self.spots.iter().for_each(|spot| own.insert_all(spot.row..spot.row + spot.count));
        own
    }

    /// Rows of the sheet as rows of the block.
    pub(super) fn down(&self, rows: &Rows, block: Block<'_>) -> Rows {
        let mut own = Rows::none(block.rows() as usize);
        self.spots.iter().for_each(|spot| own.insert_from(rows, (spot.at, spot.row), spot.count));
        own
    }

    /// Adds rows of the block to those of the sheet.
    pub(super) fn up(&self, own: &Rows, rows: &mut Rows) {
        self.spots.iter().for_each(|spot| rows.insert_from(own, (spot.row, spot.at), spot.count));
    }

    /// Tells where rows of the block stand on the sheet.
    pub(super) fn upwards(&self) -> Upwards<'_> {
        Upwards { spots: &self.spots, at: 0 }
    }

    /// Calls `each` with rows of the block, which are in order, and where they stand on the sheet. Others are passed over.
    pub(super) fn lift<T>(&self, own: impl IntoIterator<Item = (u32, T)>, mut each: impl FnMut(u32, T)) {
        let mut spots = self.spots.iter().peekable();
        for (row, value) in own {
            while spots.next_if(|spot| spot.row + spot.count <= row).is_some() {}
            match spots.peek() {
                Some(spot) if spot.row <= row => each(row - spot.row + spot.at, value),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Copies values by row of the block to where the rows stand on the sheet.
    pub(super) fn spread<T: Copy>(&self, own: &[T], onto: &mut [T]) {
        for Spot { row, at, count } in self.spots.iter().copied() {
            let own = own.get(row as usize..(row + count) as usize);
            let onto = onto.get_mut(at as usize..(at + count) as usize);
            if let Some((onto, own)) = onto.zip(own) {
                onto.copy_from_slice(own);
            }
        }
    }
}

/// Where rows of a block stand on the sheet, asked for in order of rows.
pub(super) struct Upwards<'s> {
    spots: &'s [Spot],
    at: usize,
}

impl Upwards<'_> {
    #[inline]
    pub(super) fn of(&mut self, row: u32) -> Option<u32> {
        while self.spots.get(self.at).is_some_and(|spot| spot.row + spot.count <= row) {
            self.at += 1;
        }
        self.spots.get(self.at).filter(|spot| spot.row <= row).map(|spot| row - spot.row + spot.at)
    }
}

/// Traces side by side.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Their rows on the sheet: of each those of one block after those of another.
    pub(super) runs: Vec<Run>,
    pub(super) parts: Vec<Part>,
    /// How many rows there are.
    pub(super) count: u32,
    /// Those that count.
    pub(super) live: Rows,
}

impl Sheet {
    /// The traces of these stretches that have all they must have.
    pub(super) fn new(blocks: &[Block<'_>], stretches: &[Stretch]) -> Self {
        let stretches = in_order(stretches);
        let mut sheet = Self::default();
        let mut spots: Vec<Vec<Spot>> = vec![Vec::new(); blocks.len()];
        let has_all = |trace: &&[Stretch]| trace.iter().fold(u32::MAX, |missing, own| missing & own.missing) == 0;
        for trace in stretches.chunk_by(|one, other| one.number == other.number).filter(has_all) {
            let first = sheet.count;
            for Stretch { place, rows, .. } in trace {
                let count = rows.end - rows.start;
                if let Some(spots) = spots.get_mut(*place as usize) {
                    spots.push(Spot { row: rows.start, at: sheet.count, count });
                    sheet.count += count;
                }
            }
            sheet.runs.extend(trace.first().map(|own| Run { number: own.number, rows: first..sheet.count }));
        }
        for (place, mut spots) in spots.into_iter().enumerate().filter(|(_, spots)| !spots.is_empty()) {
            spots.sort_by_key(|spot| spot.row);
            sheet.parts.push(Part { place, spots });
        }
        sheet.live = Rows::none(sheet.count as usize);
        for part in &sheet.parts {
            part.up(&blocks[part.place].all(), &mut sheet.live);
        }
        let live = &sheet.live;
        sheet.runs.retain(|run| live.has_any(run.rows.clone()));
        sheet
    }

    /// Who called whom, and where `roots` says so, which rows stand for the traces. Traces in which that is not told by ids
    /// alone are taken off: their numbers.
    pub(super) fn parents(&mut self, blocks: &[Block<'_>], roots: bool) -> (Parents, Vec<u64>) {
        let mut ids = vec![[0; 8]; self.count as usize];
        let mut named = vec![NO_ROW; self.count as usize];
        // Parents of which no row is known; zero where there is none.
        let mut odd = vec![[0; 8]; self.count as usize];
        for part in &self.parts {
            let block = blocks[part.place];
            part.spread(block.span_ids(), &mut ids);
            let own = block.parent_rows(&part.rows(block));
            for spot in &part.spots {
                for place in 0..spot.count {
                    let parent = own[(spot.row + place) as usize];
                    // It is of the same trace, so of the same stretch.
                    if let Some(before) = parent.checked_sub(spot.row).filter(|_| parent != NO_ROW) {
                        named[(spot.at + place) as usize] = spot.at + before;
                    }
                }
            }
            part.lift(block.odd_parents(), |row, parent| odd[row as usize] = parent.0);
        }
        let mut taken_off = Vec::new();
        let live = &self.live;
        self.runs.retain(|run| {
            let own = ids.get(run.rows.start as usize..run.rows.end as usize).unwrap_or_default();
            let is_plain = run.rows.clone().all(|row| live.has(row)) && !share_ids(own);
            if !is_plain {
                taken_off.push(run.number);
            }
            is_plain
        });
        let odd = self.find_parents(&ids, &mut named, &odd);
        let roots = if roots { self.roots(blocks) } else { Vec::new() };
        (Parents { named, odd, roots }, taken_off)
    }

    fn roots(&self, blocks: &[Block<'_>]) -> Vec<u32> {
        let mut with_parent = Rows::none(self.count as usize);
        for part in &self.parts {
            part.up(&blocks[part.place].with_parent(), &mut with_parent);
        }
        self.runs.iter().map(|run| self.root(blocks, &with_parent, run)).collect()
    }

    /// Finds parents that stand in another block; answers which are not found.
    fn find_parents(&self, ids: &[[u8; 8]], named: &mut [u32], odd: &[[u8; 8]]) -> Vec<(u32, SpanId)> {
        let mut known: hashbrown::HashMap<[u8; 8], u32> = hashbrown::HashMap::new();
        let mut left = Vec::new();
        for run in &self.runs {
            let here = ids.get(run.rows.start as usize..run.rows.end as usize).unwrap_or_default();
            known.clear();
            for row in run.rows.clone() {
                let Some(parent) = odd.get(row as usize).copied().and_then(|id| SpanId::from_slice(&id)) else {
                    continue;
                };
                let found = if here.len() <= FEW {
                    here.iter().position(|id| *id == parent.0).map(|place| run.rows.start + small(place))
                } else {
                    if known.is_empty() {
                        known.extend(here.iter().copied().zip(run.rows.start..));
                    }
                    known.get(&parent.0).copied()
                };
                match found {
                    Some(found) => named[row as usize] = found,
                    None => left.push((row, parent)),
                }
            }
        }
        left
    }

    /// The row that stands for a trace: the earliest without a parent, else the earliest.
    fn root(&self, blocks: &[Block<'_>], with_parent: &Rows, run: &Run) -> u32 {
        let without = || run.rows.clone().filter(|row| !with_parent.has(*row));
        let mut some = without();
        let root = match (some.next(), some.next()) {
            (Some(only), None) => Some(only),
            (None, _) => self.earliest(blocks, run.rows.clone()),
            _ => self.earliest(blocks, without()),
        };
        root.unwrap_or(run.rows.start)
    }

    /// The earliest of these rows; those without a start come last.
    fn earliest(&self, blocks: &[Block<'_>], rows: impl Iterator<Item = u32>) -> Option<u32> {
        rows.min_by_key(|row| {
            let (block, own) = self.origin(*row)?;
            let block = blocks.get(block)?;
            Some((block.start(own).0.wrapping_sub(1), block.row(own).1))
        })
    }

    /// The block of a row and its row there.
    fn origin(&self, row: u32) -> Option<(usize, u32)> {
        self.parts.iter().find_map(|part| {
            let spot = part.spots.iter().find(|spot| (spot.at..spot.at + spot.count).contains(&row))?;
            Some((part.place, row - spot.at + spot.row))
        })
    }
}

/// Whether some of these are the same.
fn share_ids(ids: &[[u8; 8]]) -> bool {
    if ids.len() > FEW {
        let mut seen = HashSet::with_capacity(ids.len());
        return !ids.iter().all(|id| seen.insert(id));
    }
    // No way out of the inner loop: so the processor compares several at once.
    let is_in =
        |before: &[[u8; 8]], id: u64| before.iter().fold(false, |is, other| is | (u64::from_ne_bytes(*other) == id));
    (0..).zip(ids).any(|(place, id)| is_in(ids.get(..place).unwrap_or_default(), u64::from_ne_bytes(*id)))
}

/// The same, as far as columns say it: as many for every block.
fn reach(evaluator: &Evaluator<'_, '_>, set: &Set, place: usize) -> Vec<Rows> {
    let one = |node: &Node| decided(evaluator, node, place);
    match set {
        Set::Spans { node, .. } => {
            let mut needed: Vec<Rows> = one(node).into_iter().collect();
            node.relatives(&mut |inner| needed.extend(one(inner)));
            needed
        }
        Set::Whole(node) => one(node).into_iter().collect(),
        Set::NoSpan(_) => Vec::new(),
        Set::Both(sets) => sets.iter().flat_map(|set| reach(evaluator, set, place)).collect(),
        Set::Either(sets) => {
            let each: Option<Vec<Rows>> =
                sets.iter().map(|set| reach(evaluator, set, place).into_iter().next()).collect();
            each.and_then(|each| each.into_iter().reduce(|one, other| one.or(&other))).into_iter().collect()
        }
        Set::Structural { right, negated: true, .. } => reach(evaluator, right, place),
        Set::Structural { left, right, negated: false, .. } => {
            let mut needed = reach(evaluator, right, place);
            needed.extend(reach(evaluator, left, place));
            needed
        }
        Set::Piped(inner, _) => reach(evaluator, inner, place),
    }
}

/// The rows on which a condition may hold, as far as columns say it.
fn decided(evaluator: &Evaluator<'_, '_>, node: &Node, place: usize) -> Option<Rows> {
    match node {
        Node::Always | Node::Computed(..) | Node::Trace(_) | Node::Related(..) => None,
        node if node.is_columnar() => Some(evaluator.rows(node, place, Rows::clone)),
        Node::All(parts) => {
            let parts = parts.iter().filter_map(|part| decided(evaluator, part, place));
            parts.reduce(|one, other| one.and(&other))
        }
        Node::Any(parts) => {
            let parts: Option<Vec<Rows>> = parts.iter().map(|part| decided(evaluator, part, place)).collect();
            parts?.into_iter().reduce(|one, other| one.or(&other))
        }
        Node::Leaf(_) | Node::Not(_) => None,
    }
}
