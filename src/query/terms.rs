//! A parsed filter.

use super::field::Field;
use super::literal::{Literal, Moment};
use super::spans::{FieldExpr, Stage, Structural};
use crate::model::Nanos;

/// A filter: what it selects, and the text it was read from. Two are equal where they say the same.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// As typed.
    pub text: String,
    /// All must hold: those about a span on one and the same span, each `{ }` on one of its own. Where all are negated, no
    /// span of the trace matches any of them.
    pub terms: Vec<Term>,
    /// What is done with the spans that were found, in order.
    pub stages: Vec<StageAt>,
    /// What stood in `with(...)`: advice to a server, which makes no difference here.
    pub hints: Vec<(String, Literal)>,
}

/// One of the conditions that must all hold.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it says.
    pub says: Says,
    /// The bytes of the query's text it was read from: start and end.
    pub at: (usize, usize),
}

/// A stage of the pipeline.
#[derive(Clone, Debug)]
pub struct StageAt {
    /// What it does.
    pub stage: Stage,
    /// The bytes of the query's text it was read from, without the `|`: start and end.
    pub at: (usize, usize),
}

/// What a term says.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// A condition on spans.
    Spans(Expr),
    /// At most so many traces, the newest.
    Limit(u32),
    /// Spans that began at or after then.
    Since(Moment),
    /// Spans that began at or before then.
    Until(Moment),
    /// Spans that began this long ago at most.
    Lookback(Nanos),
}

/// A condition made of others.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All hold: on one span, but each `{ }` on one of its own.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// One condition on a span.
    Is(Condition),
    /// `{ }`: spans on which the expression holds; all where there is none.
    Braces(Option<FieldExpr>),
    /// Spans by their place relative to others.
    Structural(Box<Structural>),
    /// Stages within parentheses.
    Piped(Box<Self>, Vec<Stage>),
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// On which span, seen from the one that is to match.
    pub of: Relation,
    /// What is looked at.
    pub field: Field,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: Literal,
}

/// Which span a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The span itself.
    Own,
    /// The root of its trace.
    Root,
    /// Its parent.
    Parent,
    /// One of its children.
    Child,
    /// Any span of its trace.
    Any,
    /// No span of its trace.
    None,
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`: it is there, and is not equal.
    NotEqual,
    /// `>=`, and `minDuration=`.
    AtLeast,
    /// `<=`, and `maxDuration=`.
    AtMost,
    /// `>`
    More,
    /// `<`
    Less,
    /// `key:text`: contains, case-insensitive, `*` as a wildcard unless quoted; also bare words and phrases.
    Contains,
    /// `=~`: the whole text matches the regular expression.
    Matches,
    /// `!~`: it is there, and does not match.
    MatchesNot,
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.terms == other.terms && self.stages == other.stages && self.hints == other.hints
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.says == other.says
    }
}

impl PartialEq for StageAt {
    fn eq(&self, other: &Self) -> bool {
        self.stage == other.stage
    }
}

impl Query {
    /// The query of these parts, with the text that reads as them. Hints stand only after braces or stages: elsewhere
    /// they are dropped.
    #[must_use]
    pub fn of(terms: Vec<Term>, stages: Vec<StageAt>, mut hints: Vec<(String, Literal)>) -> Self {
        let last = terms.last().map(|term| &term.says);
        if stages.is_empty() && !matches!(last, Some(Says::Spans(part)) if part.holds_braces()) {
            hints.clear();
        }
        let mut query = Self { text: String::new(), terms, stages, hints };
        query.text = super::print::print(&mut query);
        query
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.stages.is_empty()
    }

    /// How many parts can be taken away one by one: its terms, then its stages. They are what [`super::chips`] says.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.terms.len() + self.stages.len()
    }

    /// The bytes of its text that a part was read from.
    #[must_use]
    pub fn part_at(&self, part: usize) -> Option<(usize, usize)> {
        let terms = self.terms.iter().map(|term| term.at);
        terms.chain(self.stages.iter().map(|stage| stage.at)).nth(part)
    }

    /// Whether a part says something of spans, not of times or how many traces are wanted.
    #[must_use]
    pub fn is_about_spans(&self, part: usize) -> bool {
        self.terms.get(part).is_none_or(|term| matches!(term.says, Says::Spans(_)))
    }

    /// The query without one of its parts. Stages need spans to work on: where the last term goes, `{}` stays.
    #[must_use]
    pub fn without(&self, part: usize) -> Self {
        let (mut terms, mut stages) = (self.terms.clone(), self.stages.clone());
        match part.checked_sub(terms.len()) {
            None => drop(terms.remove(part)),
            Some(stage) if stage < stages.len() => drop(stages.remove(stage)),
            Some(_) => {}
        }
        if terms.is_empty() && !(stages.is_empty() && self.hints.is_empty()) {
            terms.push(Term { says: Says::Spans(Expr::Braces(None)), at: (0, 0) });
        }
        Self::of(terms, stages, self.hints.clone())
    }

    /// The query with one more term, unless it has that already.
    #[must_use]
    pub fn with(&self, says: Says) -> Self {
        let mut terms = self.terms.clone();
        if !terms.iter().any(|term| term.says == says) {
            terms.push(Term { says, at: (0, 0) });
        }
        Self::of(terms, self.stages.clone(), self.hints.clone())
    }

    /// What `select(...)` asks to be shown beside the spans, in order.
    pub fn columns(&self) -> impl Iterator<Item = &FieldExpr> {
        self.stages.iter().flat_map(|stage| match &stage.stage {
            Stage::Select(columns) => columns.as_slice(),
            _ => &[],
        })
    }

    /// How many traces are wanted at most.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        let limits = self.terms.iter().filter_map(|term| match term.says {
            Says::Limit(limit) => Some(limit),
            _ => None,
        });
        limits.min()
    }
}

impl Expr {
    /// One condition on the span itself.
    #[must_use]
    pub fn is(field: Field, comparison: Comparison, value: Literal) -> Self {
        Self::Is(Condition { of: Relation::Own, field, comparison, value })
    }

    /// Whether there are braces in it: then it is about sets of spans, not about one span.
    #[must_use]
    pub fn holds_braces(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::holds_braces),
            Self::Not(inner) => inner.holds_braces(),
            Self::Is(_) => false,
            Self::Braces(_) | Self::Structural(_) | Self::Piped(..) => true,
        }
    }

    /// Whether it says what a span is, rather than only what it is not or what its trace is.
    #[must_use]
    pub(super) fn is_positive(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::is_positive),
            Self::Not(_) => false,
            Self::Is(condition) => condition.of != Relation::None && !condition.field.is_of_trace(),
            Self::Braces(_) | Self::Structural(_) | Self::Piped(..) => true,
        }
    }
}

impl Relation {
    /// The prefix of keys.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Own => "",
            Self::Root => "root.",
            Self::Parent => "parent.",
            Self::Child => "child.",
            Self::Any => "any.",
            Self::None => "none.",
        }
    }

    /// All that have a prefix.
    pub(super) const WITH_PREFIX: [Self; 5] = [Self::Root, Self::Parent, Self::Child, Self::Any, Self::None];
}

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::Less => "<",
            Self::Contains => ":",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }

    /// The same with its sides exchanged.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::AtLeast => Self::AtMost,
            Self::AtMost => Self::AtLeast,
            Self::More => Self::Less,
            Self::Less => Self::More,
            other => other,
        }
    }

    /// Whether it is one of `=`, `!=`, `=~` and `!~`.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual | Self::Matches | Self::MatchesNot)
    }
}
