//! What stages leave of the rows of many traces: each row is in one group, groups are numbered.

use hashbrown::HashMap;

use super::super::literal::Number;
use super::super::plan::Step;
use super::super::spans::{Aggregate, FieldExpr};
use super::super::stages::{group_holds, summed_up};
use super::Shelf;
use super::values::small;
use crate::index::Rows;

/// Groups of one trace that are looked through one by one.
const FEW: usize = 16;

/// Rows, and the group of each; rows that are not in the set have a group of no meaning.
struct Groups {
    of: Vec<u32>,
    count: usize,
}

impl Shelf<'_, '_, '_> {
    pub(super) fn piped(&self, mut rows: Rows, steps: &[Step]) -> Rows {
        // Until it is parted, a trace is a group.
        let mut groups: Option<Groups> = None;
        for step in steps {
            if rows.is_empty() {
                break;
            }
            match step {
                Step::Select => {}
                Step::Coalesce => groups = None,
                Step::By(keys) => {
                    for key in keys {
                        let parted = self.parted(&rows, groups.as_ref(), key);
                        groups = Some(parted);
                    }
                }
                Step::Aggregate(expression) => {
                    let own = groups.take().unwrap_or_else(|| self.by_trace());
                    rows = self.held(rows, &own, expression);
                    groups = Some(own);
                }
                Step::Filter(set) => rows = self.set(set, &rows).spans,
            }
        }
        rows
    }

    fn by_trace(&self) -> Groups {
        let mut of = vec![0; self.count as usize];
        for (place, run) in (0..).zip(&self.runs) {
            let rows = of.get_mut(run.rows.start as usize..run.rows.end as usize).unwrap_or_default();
            rows.fill(place);
        }
        Groups { of, count: self.runs.len() }
    }

    /// A group for each value of an expression, within each group; nothing is a value too.
    fn parted(&self, rows: &Rows, groups: Option<&Groups>, key: &FieldExpr) -> Groups {
        let codes = self.codes(key, rows);
        let mut parted = Groups { of: vec![0; self.count as usize], count: 0 };
        // Of one trace: what each of its groups is made of.
        let mut few: Vec<((u32, u32), u32)> = Vec::new();
        let mut many: HashMap<(u32, u32), u32> = HashMap::new();
        for run in &self.runs {
            few.clear();
            many.clear();
            for row in rows.within(run.rows.clone()) {
                let at = row as usize;
                let own = (groups.map_or(0, |groups| groups.of[at]), codes[at]);
                let next = small(parted.count);
                let known = few.iter().rfind(|(other, _)| *other == own).map(|(_, group)| *group);
                let group = known.unwrap_or_else(|| {
                    if few.len() < FEW {
                        few.push((own, next));
                        return next;
                    }
                    *many.entry(own).or_insert(next)
                });
                parted.count += usize::from(group == next);
                parted.of[at] = group;
            }
        }
        parted
    }

    /// The rows of groups of which an expression holds.
    fn held(&self, rows: Rows, groups: &Groups, expression: &FieldExpr) -> Rows {
        let mut wanted = Vec::new();
        aggregates(expression, &mut wanted);
        let sums: Vec<(&FieldExpr, Vec<Option<Number>>)> =
            wanted.into_iter().map(|own| (own, self.sums(&rows, groups, own))).collect();
        let mut is_in = vec![false; groups.count];
        // Groups without rows are no groups.
        for row in rows.iter() {
            is_in[groups.of[row as usize] as usize] = true;
        }
        for (group, is_in) in is_in.iter_mut().enumerate().filter(|(_, is_in)| **is_in) {
            let sum = |own: &FieldExpr| {
                let known = sums.iter().find(|(other, _)| std::ptr::eq(*other, own));
                known.and_then(|(_, sums)| sums[group])
            };
            *is_in = group_holds(expression, &sum);
        }
        rows.only(|row| is_in[groups.of[row as usize] as usize])
    }

    /// What an aggregate comes to for each group.
    fn sums(&self, rows: &Rows, groups: &Groups, own: &FieldExpr) -> Vec<Option<Number>> {
        let (aggregate, inner) = match own {
            FieldExpr::Aggregate(aggregate, inner) => (*aggregate, inner.as_deref()),
            _ => (Aggregate::Count, None),
        };
        let Some(inner) = inner.filter(|_| aggregate != Aggregate::Count) else {
            let mut counts = vec![0_i64; groups.count];
            rows.iter().for_each(|row| counts[groups.of[row as usize] as usize] += 1);
            return counts.into_iter().map(|count| Some(Number::Whole(count))).collect();
        };
        let numbers = self.numbers(inner, rows);
        if let Some(sums) = sums_in_order(&numbers, groups, aggregate) {
            return sums;
        }
        // Numbers in order of group: where those of each begin, then each in its place.
        let mut ends = vec![0_usize; groups.count + 1];
        for (row, _) in &numbers {
            ends[groups.of[*row as usize] as usize + 1] += 1;
        }
        for group in 0..groups.count {
            ends[group + 1] += ends[group];
        }
        let mut ordered = vec![Number::Whole(0); numbers.len()];
        for (row, number) in numbers {
            let at = &mut ends[groups.of[row as usize] as usize];
            ordered[*at] = number;
            *at += 1;
        }
        let mut rest = &mut ordered[..];
        let mut taken = 0;
        let mut sums = Vec::with_capacity(groups.count);
        for end in ends.iter().take(groups.count) {
            let (own, after) = rest.split_at_mut(end - taken);
            (rest, taken) = (after, *end);
            sums.push(summed_up(aggregate, own));
        }
        sums
    }
}

/// The same of numbers that stand in order of group already, as they do where each trace of a block is one.
fn sums_in_order(numbers: &[(u32, Number)], groups: &Groups, aggregate: Aggregate) -> Option<Vec<Option<Number>>> {
    let group = |number: &(u32, Number)| groups.of[number.0 as usize];
    if !numbers.is_sorted_by_key(group) {
        return None;
    }
    let mut sums = vec![None; groups.count];
    let mut own = Vec::new();
    for same in numbers.chunk_by(|one, other| group(one) == group(other)) {
        own.clear();
        own.extend(same.iter().map(|(_, number)| *number));
        if let Some(sum) = same.first().and_then(|first| sums.get_mut(group(first) as usize)) {
            *sum = summed_up(aggregate, &mut own);
        }
    }
    Some(sums)
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
