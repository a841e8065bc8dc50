//! What stands within `{ }`, between braces, and after `|`.

use super::field::Field;
use super::literal::Literal;
use super::terms::{Comparison, Expr, Relation};

/// An expression within `{ }` or in a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldExpr {
    /// A value as typed.
    Literal(Literal),
    /// A field of the span, or of a relative of it.
    Field(Relation, Field),
    /// `!`: it does not hold.
    Not(Box<Self>),
    /// `-`: the number with its sign turned.
    Negative(Box<Self>),
    /// `&&`
    All(Vec<Self>),
    /// `||`
    Any(Vec<Self>),
    /// A comparison.
    Compare(Box<Self>, Comparison, Box<Self>),
    /// Arithmetic.
    Compute(Box<Self>, Arithmetic, Box<Self>),
    /// A number that stands for all spans of a set. Only in stages.
    Aggregate(Aggregate, Option<Box<Self>>),
}

/// A sign of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `^`, which binds to the right.
    Power,
}

/// What a set of spans is summed up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// The mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The sum.
    Sum,
    /// So many per cent are at most this, by the nearest rank.
    Percentile(u8),
}

/// Spans by their place relative to others.
#[derive(Clone, Debug, PartialEq)]
pub struct Structural {
    /// The spans on the left.
    pub left: Expr,
    /// How those on the right stand to them.
    pub place: Place,
    /// `!`: no span on the left stands so.
    pub negated: bool,
    /// `&`: the spans on the left are found too.
    pub both: bool,
    /// The spans on the right: they are what is found.
    pub right: Expr,
}

/// How a span on the right stands to one on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `>`: is its child.
    Child,
    /// `<`: is its parent.
    Parent,
    /// `>>`: is below it.
    Descendant,
    /// `<<`: is above it.
    Ancestor,
    /// `~`: has the same parent.
    Sibling,
}

/// What is done with spans that were found.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Those that also match this go on.
    Filter(Expr),
    /// Sets of which the comparison holds go on.
    Aggregate(FieldExpr),
    /// They go on in sets of those for which these values are the same.
    By(Vec<FieldExpr>),
    /// The sets of a trace become one again.
    Coalesce,
    /// These values are shown beside them.
    Select(Vec<FieldExpr>),
}

impl Arithmetic {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "^",
        }
    }
}

impl Aggregate {
    /// The names, as they stand before the parentheses.
    pub(super) const NAMES: [(&'static str, Self); 8] = [
        ("count", Self::Count),
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("sum", Self::Sum),
        ("p50", Self::Percentile(50)),
        ("p95", Self::Percentile(95)),
        ("p99", Self::Percentile(99)),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, aggregate)| *aggregate == self).map_or("", |(name, _)| *name)
    }
}

impl Place {
    /// How the span on the left stands to the one on the right.
    pub(super) fn back(self) -> Self {
        match self {
            Self::Child => Self::Parent,
            Self::Parent => Self::Child,
            Self::Descendant => Self::Ancestor,
            Self::Ancestor => Self::Descendant,
            Self::Sibling => Self::Sibling,
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Child => ">",
            Self::Parent => "<",
            Self::Descendant => ">>",
            Self::Ancestor => "<<",
            Self::Sibling => "~",
        }
    }
}

impl FieldExpr {
    /// Whether there is an aggregate in it.
    pub(super) fn has_aggregate(&self) -> bool {
        match self {
            Self::Aggregate(..) => true,
            Self::Literal(_) | Self::Field(..) => false,
            Self::Not(inner) | Self::Negative(inner) => inner.has_aggregate(),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::has_aggregate),
            Self::Compare(left, _, right) | Self::Compute(left, _, right) => {
                left.has_aggregate() || right.has_aggregate()
            }
        }
    }

    /// Whether it is a comparison or made of such.
    pub(super) fn is_logical(&self) -> bool {
        matches!(self, Self::Not(_) | Self::All(_) | Self::Any(_) | Self::Compare(..))
    }
}
