//! The comparison screen: what is compared with what, and what came of it.

use std::sync::Arc;

use super::Progress;
use crate::analysis::Analysis;
use crate::analysis::compare::{Comparison, Difference, DifferenceKind, Operation, OperationRow, Pair};
use crate::analysis::heat::HeatBox;
use crate::app::State;
use crate::model::{Timestamp, TraceId};
use crate::query::Query;

/// Time marks that are kept: the latest.
const MOST_MARKS: usize = 100;

/// Time marks of either sort that are offered: the latest.
const OFFERED: usize = 5;

/// Rows of a section that are shown before it is unfolded.
const FOLDED: usize = 8;
/// Root operations that are shown before they are unfolded.
const FOLDED_REQUESTS: usize = 4;

/// A moment that parts time into before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeMark {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: MarkReason,
}

/// Why there is a time mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkReason {
    /// The person set it.
    Person,
    /// A service began anew: another instance or process of it sends.
    Restart(Arc<str>),
    /// Another version of a service sends.
    Version(Arc<str>, Arc<str>),
}

impl TimeMark {
    /// Whether both part the same: what the person did, or what became of one service.
    fn is_alike(&self, other: &Self) -> bool {
        use MarkReason as M;
        match (&self.reason, &other.reason) {
            (M::Person, M::Person) => true,
            (M::Restart(one) | M::Version(one, _), M::Restart(other) | M::Version(other, _)) => one == other,
            _ => false,
        }
    }
}

/// What is compared with the rest.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// Traces that the person marked, in order, with the rest of what the filter finds.
    Marked(Arc<Vec<TraceId>>),
    /// What lies within a box of the heat map, with the rest of what the filter finds.
    Within(HeatBox),
    /// What began at or after a mark, up to the second moment, with what began before it, from the first moment on.
    Since(TimeMark, (Timestamp, Timestamp)),
    /// What this filter finds, with the rest of what is held.
    Filter(Arc<Query>),
}

/// Which of the possible ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasisKey {
    /// [`Basis::Marked`].
    Marked,
    /// [`Basis::Within`].
    Within,
    /// [`Basis::Since`] the mark at this time, the person's own or one that came by itself.
    Since(Timestamp, bool),
    /// [`Basis::Filter`].
    Filter,
}

impl Basis {
    /// Which it is.
    #[must_use]
    pub fn key(&self) -> BasisKey {
        match self {
            Self::Marked(_) => BasisKey::Marked,
            Self::Within(_) => BasisKey::Within,
            Self::Since(mark, _) => BasisKey::Since(mark.at, mark.reason == MarkReason::Person),
            Self::Filter(_) => BasisKey::Filter,
        }
    }

    /// The names of selection and baseline, in a word.
    #[must_use]
    pub fn names(&self) -> [&'static str; 2] {
        match self {
            Self::Marked(_) => ["marked", "rest"],
            Self::Within(_) => ["inside", "rest"],
            Self::Since(..) => ["after", "before"],
            Self::Filter(_) => ["filter", "rest"],
        }
    }

    /// The traces that are the selection, where they are named one by one.
    #[must_use]
    pub fn named(&self) -> &[TraceId] {
        match self {
            Self::Marked(traces) => traces,
            Self::Within(_) | Self::Since(..) | Self::Filter(_) => &[],
        }
    }
}

/// What a comparison is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareAsk {
    /// What is compared.
    pub basis: Basis,
    /// The root operation; `None`: the one that most traces begin with.
    pub root: Option<Operation>,
}

impl CompareAsk {
    /// The two traces that are shown side by side, where that is asked for, the earlier one first.
    #[must_use]
    pub fn two(&self) -> Option<[TraceId; 2]> {
        match &self.basis {
            Basis::Marked(traces) => match traces.as_slice() {
                [one, other] => Some([*one, *other]),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What the survey says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CompareReport {
    /// Traces that were looked at.
    pub traces: u64,
    /// What was asked for.
    pub ask: Option<Arc<CompareAsk>>,
    /// Traces of the selection and of the rest, whatever they begin with.
    pub sides: [u64; 2],
    /// Of either, those that there was no room for besides: the oldest.
    pub left_out: [u64; 2],
    /// What was found.
    pub found: Comparison,
    /// Two traces side by side.
    pub two: Option<TwoTraces>,
}

/// Two traces side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoTraces {
    /// Both, the earlier first.
    pub traces: [Arc<Analysis>; 2],
    /// Their spans, matched.
    pub pair: Pair,
}

/// The screen.
#[derive(Clone, Debug, Default)]
pub struct CompareScreen {
    /// How far its survey is.
    pub progress: Progress,
    /// What it says; `None` until it came for the first time.
    pub report: Option<Arc<CompareReport>>,
    /// What was last asked for.
    pub asked: Option<Arc<CompareAsk>>,
    /// What the person chose to compare; what is possible may have changed since.
    pub chosen: Option<BasisKey>,
    /// The box of the heat map that was last to be compared.
    pub within: Option<HeatBox>,
    /// The root operation that the person chose.
    pub root: Option<Operation>,
    /// What operations are ordered by.
    pub sort: OperationSort,
    /// The selected row.
    pub selected: Option<RowId>,
    /// The first line shown.
    pub offset: usize,
    /// Sections that are shown whole.
    pub unfolded: Vec<Section>,
}

/// What operations are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OperationSort {
    /// By how much of a trace's time they changed.
    #[default]
    Time,
    /// By how much longer or shorter their median is.
    Ratio,
    /// By how many more or fewer calls a trace there are.
    Calls,
    /// The longest first.
    P95,
}

/// A part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// Root operations.
    Requests,
    /// What traces did.
    Operations,
    /// Database statements of one side only.
    Statements,
    /// Attributes that differ.
    Attributes,
    /// Two traces side by side.
    Two,
}

/// What a row is known by while the figures change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowId {
    /// An operation of a section.
    Operation(Section, Operation),
    /// A value of an attribute; `None`: how large it is.
    Attribute(String, Option<String>),
    /// The row that unfolds a section.
    More(Section),
    /// A row of two traces, by its place.
    Place(usize),
}

/// A line of the screen, from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareLine {
    /// Nothing.
    Gap,
    /// The title of a section, with the heads of its columns, and how many rows it has.
    Title(Section, usize),
    /// Why a section has no rows.
    Nothing(Section),
    /// One of [`Comparison::roots`], or of [`Comparison::operations`].
    Operation(Section, usize),
    /// One of [`Comparison::differences`].
    Attribute(usize),
    /// So many rows more.
    More(Section, usize),
    /// What was left out of the attributes.
    Note,
    /// One of [`Pair::rows`].
    Place(usize),
}

impl CompareReport {
    /// The operations of a section.
    #[must_use]
    pub fn operation(&self, section: Section, index: usize) -> Option<&OperationRow> {
        match section {
            Section::Requests => self.found.roots.get(index),
            _ => self.found.operations.get(index),
        }
    }

    /// An attribute that differs.
    #[must_use]
    pub fn difference(&self, index: usize) -> Option<&Difference> {
        self.found.differences.rows.get(index)
    }

    /// What the row on a line is known by; `None` where there is nothing to select.
    #[must_use]
    pub fn id(&self, line: CompareLine) -> Option<RowId> {
        match line {
            CompareLine::Gap | CompareLine::Title(..) | CompareLine::Nothing(_) | CompareLine::Note => None,
            CompareLine::Operation(section, index) => {
                Some(RowId::Operation(section, self.operation(section, index)?.operation.clone()))
            }
            CompareLine::Attribute(index) => {
                let row = self.difference(index)?;
                let value = match &row.kind {
                    DifferenceKind::Value { value, .. } => Some(value.clone()),
                    DifferenceKind::Quantity { .. } => None,
                };
                Some(RowId::Attribute(row.key.clone(), value))
            }
            CompareLine::More(section, _) => Some(RowId::More(section)),
            CompareLine::Place(index) => Some(RowId::Place(index)),
        }
    }

    fn section(&self, section: Section, screen: &CompareScreen) -> Vec<CompareLine> {
        let found = &self.found;
        let all: Vec<CompareLine> = match section {
            Section::Requests if found.roots.len() < 2 => return Vec::new(),
            Section::Requests => (0..found.roots.len()).map(|at| CompareLine::Operation(section, at)).collect(),
            Section::Operations => {
                let mut order: Vec<usize> = (0..found.operations.len()).collect();
                screen.sort.order(&mut order, &found.operations);
                order.into_iter().map(|at| CompareLine::Operation(section, at)).collect()
            }
            Section::Statements => {
                let rows = found.operations.iter().enumerate();
                let one_sided =
                    rows.filter(|(_, row)| row.operation.category.is_database() && (row.is_new() || row.is_gone()));
                one_sided.map(|(at, _)| CompareLine::Operation(section, at)).collect()
            }
            Section::Attributes => (0..found.differences.rows.len()).map(CompareLine::Attribute).collect(),
            Section::Two => {
                let rows = self.two.as_ref().map_or(0, |two| two.pair.rows.len());
                return (0..rows).map(CompareLine::Place).collect();
            }
        };
        let mut lines = vec![CompareLine::Title(section, all.len())];
        if all.is_empty() {
            lines.push(CompareLine::Nothing(section));
        }
        let few = if section == Section::Requests { FOLDED_REQUESTS } else { FOLDED };
        let folded = all.len() > few + 1 && !screen.unfolded.contains(&section);
        let shown = if folded { few } else { all.len() };
        lines.extend(all.iter().take(shown));
        if folded {
            lines.push(CompareLine::More(section, all.len() - shown));
        }
        if section == Section::Attributes && self.found.differences.leaves_out() {
            lines.push(CompareLine::Note);
        }
        lines.push(CompareLine::Gap);
        lines
    }

    /// Every line below the two sides. What most likely answers comes first: what a change did, or what a group has in common.
    #[must_use]
    pub fn lines(&self, screen: &CompareScreen) -> Vec<CompareLine> {
        if self.two.is_some() {
            return self.section(Section::Two, screen);
        }
        let Some(ask) = self.ask.as_ref().filter(|_| self.found.root.is_some()) else { return Vec::new() };
        let sections = match ask.basis {
            Basis::Since(..) => [Section::Operations, Section::Statements, Section::Attributes],
            _ => [Section::Attributes, Section::Operations, Section::Statements],
        };
        let sections = [Section::Requests].into_iter().chain(sections);
        let mut lines: Vec<CompareLine> = sections.flat_map(|section| self.section(section, screen)).collect();
        lines.pop();
        lines
    }
}

impl OperationSort {
    /// The next one.
    #[must_use]
    pub(in crate::app) fn next(self) -> Self {
        match self {
            Self::Time => Self::Ratio,
            Self::Ratio => Self::Calls,
            Self::Calls => Self::P95,
            Self::P95 => Self::Time,
        }
    }

    fn order(self, order: &mut [usize], rows: &[OperationRow]) {
        let weight = |index: &usize| -> f64 {
            let Some(row) = rows.get(*index) else { return 0.0 };
            match self {
                Self::Time => row.change().abs(),
                Self::Ratio => row.ratio().filter(|ratio| *ratio > 0.0).map_or(0.0, |ratio| ratio.ln().abs()),
                Self::Calls => (row.selection.calls() - row.baseline.calls()).abs(),
                #[expect(clippy::cast_precision_loss, reason = "a place in an order")]
                Self::P95 => row.selection.p95.max(row.baseline.p95).0 as f64,
            }
        };
        order.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    }
}

impl State {
    /// All that could be compared, the likeliest first.
    #[must_use]
    pub fn bases(&self) -> Vec<Basis> {
        let mut bases = Vec::new();
        if !self.list.marked.is_empty() {
            let mut traces: Vec<TraceId> = self.list.marked.iter().copied().collect();
            traces.sort_unstable();
            bases.push(Basis::Marked(Arc::new(traces)));
        }
        bases.extend(self.compare.within.map(Basis::Within));
        let (own, others): (Vec<&TimeMark>, Vec<&TimeMark>) =
            self.marks.iter().rev().partition(|mark| mark.reason == MarkReason::Person);
        let since = |mark: &TimeMark| Basis::Since(mark.clone(), self.around(mark));
        bases.extend(own.into_iter().take(OFFERED).map(since));
        if !self.filter.query.is_empty() {
            bases.push(Basis::Filter(Arc::clone(&self.filter.query)));
        }
        bases.extend(others.into_iter().take(OFFERED).map(since));
        bases
    }

    /// From the mark before this one to the one after it, of those like it.
    fn around(&self, mark: &TimeMark) -> (Timestamp, Timestamp) {
        let alike = || self.marks.iter().filter(|other| other.is_alike(mark)).map(|other| other.at);
        let from = alike().filter(|at| *at < mark.at).max().unwrap_or(Timestamp(0));
        let to = alike().filter(|at| *at > mark.at).min().unwrap_or(Timestamp(u64::MAX));
        (from, to)
    }

    /// What is to be compared now; `None` where there is nothing.
    #[must_use]
    pub fn comparison(&self) -> Option<CompareAsk> {
        let mut bases = self.bases();
        let chosen = self.compare.chosen.and_then(|key| bases.iter().position(|basis| basis.key() == key));
        let at = chosen.unwrap_or(0);
        (at < bases.len()).then(|| CompareAsk { basis: bases.swap_remove(at), root: self.compare.root.clone() })
    }

    /// Adds a time mark, in order; the earliest goes where there are too many.
    pub(in crate::app) fn add_mark(&mut self, mark: TimeMark) {
        let at = self.marks.partition_point(|other| other.at <= mark.at);
        self.marks.insert(at, mark);
        self.marks.drain(..self.marks.len().saturating_sub(MOST_MARKS));
    }
}
