//! What stages ask of a group of spans: sums, and comparisons of them.

use std::cmp::Ordering;

use super::compute::{self, Val};
use super::literal::{Literal, Number};
use super::spans::{Aggregate, Arithmetic, FieldExpr};
use super::terms::Comparison;
use crate::model::percentile;

/// What an aggregate of the group comes to, by where it stands.
type Sum<'s> = &'s dyn Fn(&FieldExpr) -> Option<Number>;

/// Whether an expression holds of a group.
pub(super) fn group_holds(expression: &FieldExpr, sum: Sum<'_>) -> bool {
    match expression {
        FieldExpr::All(parts) => parts.iter().all(|part| group_holds(part, sum)),
        FieldExpr::Any(parts) => parts.iter().any(|part| group_holds(part, sum)),
        FieldExpr::Not(inner) => !group_holds(inner, sum),
        FieldExpr::Compare(left, comparison, right) => {
            compute::compare(side(left, sum).as_slice(), *comparison, side(right, sum).as_slice())
        }
        _ => false,
    }
}

fn side(side: &FieldExpr, sum: Sum<'_>) -> Option<Val<'static>> {
    match side {
        side if side.is_logical() => Some(Val::Truth(group_holds(side, sum))),
        FieldExpr::Literal(literal) => compute::literal(literal),
        side => number(side, sum).map(Val::Number),
    }
}

/// The number an expression comes to.
fn number(expression: &FieldExpr, sum: Sum<'_>) -> Option<Number> {
    match expression {
        FieldExpr::Literal(literal) => compute::first_number(compute::literal(literal).as_slice()),
        FieldExpr::Negative(inner) => compute::compute(Number::Whole(0), Arithmetic::Subtract, number(inner, sum)?),
        FieldExpr::Compute(left, sign, right) => compute::compute(number(left, sum)?, *sign, number(right, sum)?),
        FieldExpr::Aggregate(..) => sum(expression),
        _ => None,
    }
}

/// The least, the greatest, the sum, the mean or a percentile of numbers; nothing of none. Numbers are added in order of
/// size, so that it does not matter in which order they are found.
pub(super) fn summed_up(aggregate: Aggregate, numbers: &mut [Number]) -> Option<Number> {
    let count = Number::Whole(i64::try_from(numbers.len()).ok()?);
    if aggregate == Aggregate::Count {
        return Some(count);
    }
    let mean = |sum| compute::compute(sum, Arithmetic::Divide, count);
    if let Some((least, most, sum)) = of_naturals(numbers) {
        match aggregate {
            Aggregate::Min => return Some(least),
            Aggregate::Max => return Some(most),
            Aggregate::Sum => return Some(sum),
            Aggregate::Avg => return mean(sum),
            Aggregate::Count | Aggregate::Percentile(_) => {}
        }
    }
    numbers.sort_by(|one, other| in_order(*one, *other));
    let sum = || {
        let add = |one: Option<Number>, other: &Number| compute::compute(one?, Arithmetic::Add, *other);
        numbers.iter().fold(Some(Number::Whole(0)), add)
    };
    match aggregate {
        Aggregate::Count => Some(count),
        Aggregate::Min => numbers.first().copied(),
        Aggregate::Max => numbers.last().copied(),
        Aggregate::Sum => sum().filter(|_| !numbers.is_empty()),
        Aggregate::Avg => mean(sum()?),
        Aggregate::Percentile(percent) => percentile(numbers, usize::from(percent)),
    }
}

/// By size; what is not a number comes last, so that the result does not depend on the order in which spans are met.
fn in_order(one: Number, other: Number) -> Ordering {
    let is_none = |number: Number| number.compare(number).is_none();
    one.compare(other).unwrap_or_else(|| is_none(one).cmp(&is_none(other)))
}

/// The least, the greatest and the sum of whole numbers none of which is negative; `None` where some are not, where the sum
/// is too large, or of none.
fn of_naturals(numbers: &[Number]) -> Option<(Number, Number, Number)> {
    let (mut least, mut most, mut sum) = (i64::MAX, i64::MIN, 0_i64);
    for number in numbers {
        let Number::Whole(number) = *number else { return None };
        (least, most) = (least.min(number), most.max(number));
        sum = sum.checked_add(number)?;
    }
    (least >= 0 && most >= 0).then_some((Number::Whole(least), Number::Whole(most), Number::Whole(sum)))
}

/// A comparison of one aggregate with a number.
pub(super) fn aggregate_beside(expression: &FieldExpr) -> Option<(Comparison, Number)> {
    let FieldExpr::Compare(left, comparison, right) = expression else { return None };
    let (comparison, literal) = match (&**left, &**right) {
        (FieldExpr::Aggregate(..), FieldExpr::Literal(literal)) => (*comparison, literal),
        (FieldExpr::Literal(literal), FieldExpr::Aggregate(..)) => (comparison.flipped(), literal),
        _ => return None,
    };
    let is_order = !matches!(comparison, Comparison::Matches | Comparison::MatchesNot | Comparison::Contains);
    match compute::literal(literal) {
        Some(Val::Number(number)) if is_order => Some((comparison, number)),
        _ => None,
    }
}

/// Whether a value can be compared with the number of spans.
pub(super) fn whole(literal: &Literal) -> Option<Number> {
    match literal {
        Literal::Int(number) => Some(Number::Whole(*number)),
        Literal::Float(number) => Some(Number::Broken(*number)),
        _ => None,
    }
}

/// A comparison of the number of spans with a number.
pub(super) fn count(expression: &FieldExpr) -> Option<(Comparison, Number)> {
    let FieldExpr::Compare(left, comparison, right) = expression else { return None };
    match (&**left, &**right) {
        (FieldExpr::Aggregate(Aggregate::Count, None), FieldExpr::Literal(literal)) => {
            Some((*comparison, whole(literal)?))
        }
        (FieldExpr::Literal(literal), FieldExpr::Aggregate(Aggregate::Count, None)) => {
            Some((comparison.flipped(), whole(literal)?))
        }
        _ => None,
    }
}
