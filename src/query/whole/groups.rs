//! What stages leave of the rows of many traces: each row is in one group, groups are numbered.

use hashbrown::HashMap;

use super::super::compute;
use super::super::literal::Number;
use super::super::plan::Step;
use super::super::spans::{Aggregate, Arithmetic, FieldExpr};
use super::super::stages::{aggregate_beside, group_holds, summed_up};
use super::super::value::compare_numbers;
use super::Shelf;
use super::values::small;
use crate::index::{Rows, Run};

/// Groups of one trace that are looked through one by one.
const FEW: usize = 16;

/// Values up to which there is a place for each.
const PLACES: usize = 1 << 12;

/// The group of each row.
enum Groups {
    /// Each trace is one.
    Traces,
    /// Of rows that are in none it has no meaning.
    Parted { of: Vec<u32>, count: usize },
}

/// What is summed up of the numbers of a group: as long as they are whole and not negative, and their sum is not too large,
/// the order in which they are met does not matter.
#[derive(Clone, Copy)]
struct Tally {
    count: i64,
    least: i64,
    most: i64,
    sum: i64,
    /// There are others.
    odd: bool,
}

impl Tally {
    const NONE: Self = Self { count: 0, least: i64::MAX, most: i64::MIN, sum: 0, odd: false };

    #[inline]
    fn add(&mut self, number: Number) {
        match number {
            Number::Whole(number) if number >= 0 => {
                let (sum, over) = self.sum.overflowing_add(number);
                (self.sum, self.odd) = (sum, self.odd | over);
                (self.least, self.most) = (self.least.min(number), self.most.max(number));
                self.count += 1;
            }
            _ => self.odd = true,
        }
    }

    fn comes_to(&self, aggregate: Aggregate) -> Option<Number> {
        if self.count == 0 {
            return None;
        }
        let whole = Number::Whole;
        match aggregate {
            Aggregate::Min => Some(whole(self.least)),
            Aggregate::Max => Some(whole(self.most)),
            Aggregate::Sum => Some(whole(self.sum)),
            Aggregate::Avg => compute::compute(whole(self.sum), Arithmetic::Divide, whole(self.count)),
            Aggregate::Count => Some(whole(self.count)),
            Aggregate::Percentile(_) => None,
        }
    }
}

impl Shelf<'_, '_, '_> {
    pub(super) fn piped(&self, mut rows: Rows, steps: &[Step]) -> Rows {
        // Until it is parted, a trace is a group.
        let mut groups = Groups::Traces;
        for step in steps {
            if rows.is_empty() {
                break;
            }
            match step {
                Step::Select => {}
                Step::Coalesce => groups = Groups::Traces,
                Step::By(keys) => keys.iter().for_each(|key| groups = self.parted(&rows, &groups, key)),
                Step::Aggregate(expression) => rows = self.held(rows, &groups, expression),
                Step::Filter(set) => rows = self.set(set, &rows).spans,
            }
        }
        rows
    }

    fn count_of(&self, groups: &Groups) -> usize {
        match groups {
            Groups::Traces => self.runs.len(),
            Groups::Parted { count, .. } => *count,
        }
    }

    /// The group of a row. Rows are mostly asked for in order: `at` is the trace that was found last.
    #[inline]
    fn group_of(&self, groups: &Groups, row: u32, at: &mut usize) -> Option<usize> {
        match groups {
            Groups::Parted { of, .. } => of.get(row as usize).map(|group| *group as usize),
            Groups::Traces => {
                let is_meant = |run: &Run| run.rows.contains(&row);
                if !self.runs.get(*at).is_some_and(is_meant) {
                    *at += 1;
                }
                if !self.runs.get(*at).is_some_and(is_meant) {
                    *at = self.runs.partition_point(|run| run.rows.end <= row);
                }
                Some(*at)
            }
        }
    }

    /// A group for each value of an expression, within each group; nothing is a value too.
    fn parted(&self, rows: &Rows, groups: &Groups, key: &FieldExpr) -> Groups {
        let (codes, most) = self.codes(key, rows);
        let mut of = vec![0; self.count as usize];
        let mut count = 0;
        if matches!(groups, Groups::Traces) && most < PLACES {
            // Of each value: the trace that had it last, counted from one, and the group that it is there.
            let mut last = vec![(0, 0); most + 1];
            for (trace, run) in (1_u32..).zip(&self.runs) {
                for row in rows.within(run.rows.clone()) {
                    let at = row as usize;
                    let Some((of_trace, group)) = last.get_mut(codes[at] as usize) else { continue };
                    if *of_trace != trace {
                        (*of_trace, *group) = (trace, small(count));
                        count += 1;
                    }
                    of[at] = *group;
                }
            }
            return Groups::Parted { of, count };
        }
        let before = |at: usize| match groups {
            Groups::Traces => 0,
            Groups::Parted { of, .. } => of[at],
        };
        // Of one trace: what each of its groups is made of.
        let mut few: Vec<((u32, u32), u32)> = Vec::new();
        let mut many: HashMap<(u32, u32), u32> = HashMap::new();
        for run in &self.runs {
            few.clear();
            many.clear();
            for row in rows.within(run.rows.clone()) {
                let at = row as usize;
                let own = (before(at), codes[at]);
                let next = small(count);
                let known = few.iter().rfind(|(other, _)| *other == own).map(|(_, group)| *group);
                let group = known.unwrap_or_else(|| {
                    if few.len() < FEW {
                        few.push((own, next));
                        return next;
                    }
                    *many.entry(own).or_insert(next)
                });
                count += usize::from(group == next);
                of[at] = group;
            }
        }
        Groups::Parted { of, count }
    }

    /// The rows of groups of which an expression holds.
    fn held(&self, rows: Rows, groups: &Groups, expression: &FieldExpr) -> Rows {
        let mut wanted = Vec::new();
        aggregates(expression, &mut wanted);
        let sums: Vec<(&FieldExpr, Vec<Option<Number>>)> =
            wanted.into_iter().map(|own| (own, self.sums(&rows, groups, own))).collect();
        let is_in: Vec<bool> =
            if let (Some((comparison, number)), [(_, sums)]) = (aggregate_beside(expression), &sums[..]) {
                sums.iter().map(|sum| sum.is_some_and(|sum| compare_numbers(sum, comparison, number))).collect()
            } else {
                let holds = |group: usize| {
                    let sum = |own: &FieldExpr| {
                        let known = sums.iter().find(|(other, _)| std::ptr::eq(*other, own));
                        known.and_then(|(_, sums)| sums[group])
                    };
                    group_holds(expression, &sum)
                };
                (0..self.count_of(groups)).map(holds).collect()
            };
        match groups {
            // What is said of groups without rows does not matter.
            Groups::Traces => {
                let mut passing = is_in.iter();
                rows.and(&self.traces(|_| passing.next().is_some_and(|is_in| *is_in)))
            }
            Groups::Parted { of, .. } => rows.only(|row| is_in[of[row as usize] as usize]),
        }
    }

    /// What an aggregate comes to for each group.
    fn sums(&self, rows: &Rows, groups: &Groups, own: &FieldExpr) -> Vec<Option<Number>> {
        let (aggregate, inner) = match own {
            FieldExpr::Aggregate(aggregate, inner) => (*aggregate, inner.as_deref()),
            _ => (Aggregate::Count, None),
        };
        let Some(inner) = inner.filter(|_| aggregate != Aggregate::Count) else {
            return self.counts(rows, groups).into_iter().map(|count| Some(Number::Whole(count.into()))).collect();
        };
        if !matches!(aggregate, Aggregate::Percentile(_)) {
            let mut tallies = vec![Tally::NONE; self.count_of(groups)];
            let mut odd = false;
            let mut at = 0;
            self.each_number(inner, rows, |row, number| {
                if let Some(tally) = self.group_of(groups, row, &mut at).and_then(|group| tallies.get_mut(group)) {
                    tally.add(number);
                    odd |= tally.odd;
                }
            });
            if !odd {
                return tallies.iter().map(|tally| tally.comes_to(aggregate)).collect();
            }
        }
        let (mut numbers, mut at) = (Vec::new(), 0);
        self.each_number(inner, rows, |row, number| {
            numbers.extend(self.group_of(groups, row, &mut at).map(|group| (group, number)));
        });
        numbers.sort_by_key(|(group, _)| *group);
        let mut sums = vec![None; self.count_of(groups)];
        let mut own = Vec::new();
        for same in numbers.chunk_by(|(one, _), (other, _)| one == other) {
            own.clear();
            own.extend(same.iter().map(|(_, number)| *number));
            if let Some(sum) = same.first().and_then(|(group, _)| sums.get_mut(*group)) {
                *sum = summed_up(aggregate, &mut own);
            }
        }
        sums
    }

    /// How many of these rows are in each group.
    fn counts(&self, rows: &Rows, groups: &Groups) -> Vec<u32> {
        match groups {
            Groups::Traces => self.runs.iter().map(|run| rows.count(run.rows.clone())).collect(),
            Groups::Parted { of, count } => {
                let mut counts = vec![0; *count];
                for row in rows.iter() {
                    if let Some(count) = of.get(row as usize).and_then(|group| counts.get_mut(*group as usize)) {
                        *count += 1;
                    }
                }
                counts
            }
        }
    }
}

/// The aggregates in an expression.
fn aggregates<'e>(expression: &'e FieldExpr, into: &mut Vec<&'e FieldExpr>) {
    match expression {
        FieldExpr::Aggregate(..) => into.push(expression),
        FieldExpr::Literal(_) | FieldExpr::Field(..) => {}
        FieldExpr::Not(inner) | FieldExpr::Negative(inner) => aggregates(inner, into),
        FieldExpr::All(parts) | FieldExpr::Any(parts) => parts.iter().for_each(|part| aggregates(part, into)),
        FieldExpr::Compare(left, _, right) | FieldExpr::Compute(left, _, right) => {
            aggregates(left, into);
            aggregates(right, into);
        }
    }
}
