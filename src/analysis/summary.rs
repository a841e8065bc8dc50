//! The badges of traces, kept up to date while spans arrive.

use std::cmp::{Ordering, Reverse};
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap};
use smallvec::SmallVec;

use super::statement;
use super::thresholds::Thresholds;
use super::waterfall::GROUP_AT_LEAST;
use crate::index::{CROWD, SpanFacts, Summary};
use crate::model::{Badges, Category, Kind, Nanos, SpanKey, StatusCode, Timestamp, TraceId};

// What the index passes over can never be worth a badge.
const _: () = assert!(CROWD as usize <= GROUP_AT_LEAST);

/// Counts of equal calls that are remembered, over all traces. Beyond it the traces that began first are forgotten:
/// their badges stay, but calls that they repeat later are counted from one again.
const MAX_COUNTS: usize = 1 << 15;

/// Numbered labels that are remembered.
const MAX_STATEMENTS: usize = 1 << 13;

/// The [`Summary`] hook: longest database call, most repeated call below one parent, first error.
#[derive(Debug, Default)]
pub struct TraceNotes {
    /// When a database call is slow by itself.
    thresholds: Thresholds,
    /// What the badges of a trace do not say and the next span is compared with.
    memories: Vec<Memory>,
    /// Places in `memories`.
    traces: HashMap<TraceId, u32>,
    /// Places in `memories` that are free.
    free: Vec<u32>,
    /// The trace of the last span: the next is often of the same.
    last: Option<(TraceId, u32)>,
    /// The same traces by age, and some that were forgotten meanwhile.
    order: VecDeque<TraceId>,
    /// Entries in all counts.
    counts: usize,
    /// What [`Self::call`] answered for labels that have a number.
    statements: HashMap<u64, u64>,
    /// For the keys of the counts.
    hasher: DefaultHashBuilder,
}

/// What is remembered of a trace.
#[derive(Debug, Default)]
struct Memory {
    /// How often a statement was seen below a parent, by the hash of both.
    repeats: Repeats,
    /// The call that `Badges::repeated` is about, as [`TraceNotes::call`] numbers it.
    told: Option<u64>,
    /// Start and key of the span that `Badges::error` is about.
    error: Option<(Timestamp, SpanKey)>,
}

/// Counts by hash: a list while it is short, as with most traces.
#[derive(Debug, Default)]
struct Repeats {
    few: SmallVec<[(u64, u32); FEW]>,
    many: HashMap<u64, u32>,
}

/// Counts kept as a list.
const FEW: usize = 6;

impl Repeats {
    /// Counts one more; answers how many there are now, and whether this is the first.
    fn count(&mut self, hash: u64) -> (u32, bool) {
        if let Some((_, count)) = self.few.iter_mut().find(|(known, _)| *known == hash) {
            *count = count.saturating_add(1);
            return (*count, false);
        }
        if self.few.len() < FEW {
            self.few.push((hash, 1));
            return (1, true);
        }
        let count = self.many.entry(hash).or_default();
        *count = count.saturating_add(1);
        (*count, *count == 1)
    }

    fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }
}

impl Memory {
    /// Has the badge say this call where it is repeated more than the one it says, or as often and comes before it.
    fn tell(&mut self, span: &SpanFacts<'_>, (same, count): (u64, u32), repeated: &mut Option<(u32, Arc<str>)>) {
        let label = span.what.label();
        let label = statement::normalise(span.category, &label);
        match repeated {
            Some((most, told)) if **told == *label => *most = count.max(*most),
            Some((most, told)) if (count, Reverse(&*label)) <= (*most, Reverse(&**told)) => return,
            repeated => *repeated = Some((count, Arc::from(label))),
        }
        self.told = Some(same);
    }
}

impl TraceNotes {
    /// With the thresholds from which on a database call is slow.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, ..Self::default() }
    }

    fn memory(&mut self, trace: TraceId) -> &mut Memory {
        let place = match self.last {
            Some((last, place)) if last == trace => place,
            _ => self.place(trace),
        };
        self.last = Some((trace, place));
        &mut self.memories[place as usize]
    }

    fn place(&mut self, trace: TraceId) -> u32 {
        let Self { traces, order, memories, free, .. } = self;
        *traces.entry(trace).or_insert_with(|| {
            order.push_back(trace);
            free.pop().unwrap_or_else(|| {
                memories.push(Memory::default());
                u32::try_from(memories.len() - 1).unwrap_or(u32::MAX)
            })
        })
    }

    /// A number that equal calls have in common, whatever the values in their statements.
    fn call(&mut self, span: &SpanFacts<'_>) -> u64 {
        if !span.category.is_database() {
            return span.what.call();
        }
        let hasher = &self.hasher;
        let work_out = || hasher.hash_one(&*statement::normalise(span.category, &span.what.label()));
        let Some(number) = span.what.number() else { return work_out() };
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        *self.statements.entry(number).or_insert_with(work_out)
    }

    fn note_error(&mut self, span: &SpanFacts<'_>, badges: &mut Badges) {
        let text = span.error_type.unwrap_or(span.status_message);
        if text.is_empty() {
            return;
        }
        let rank = (span.start, span.key);
        let memory = self.memory(span.trace_id);
        if memory.error.is_none_or(|first| rank < first) {
            memory.error = Some(rank);
            badges.error = Some(Arc::from(text));
        }
    }

    fn note_call(&mut self, span: &SpanFacts<'_>, badges: &mut Badges) {
        let Some(parent) = span.parent_id else { return };
        let same = self.call(span);
        let hash = self.hasher.hash_one((parent, same));
        let memory = self.memory(span.trace_id);
        let (count, first) = memory.repeats.count(hash);
        if count as usize >= GROUP_AT_LEAST {
            match &mut badges.repeated {
                // What the call is called is worked out only where that may change the badge.
                Some((most, _)) if memory.told == Some(same) => *most = count.max(*most),
                Some((most, _)) if count < *most => {}
                repeated => memory.tell(span, (same, count), repeated),
            }
        }
        self.counts += usize::from(first);
        self.bound();
    }

    /// Forgets the oldest traces while too much is remembered.
    fn bound(&mut self) {
        while self.counts > MAX_COUNTS || self.order.len() > MAX_COUNTS {
            let Some(oldest) = self.order.pop_front() else { return };
            self.drop_memory(oldest);
        }
    }

    fn drop_memory(&mut self, trace: TraceId) {
        if let Some(place) = self.traces.remove(&trace) {
            self.counts -= self.memories[place as usize].repeats.len();
            self.memories[place as usize] = Memory::default();
            self.free.push(place);
            self.last = None;
        }
    }
}

impl Summary for TraceNotes {
    fn observe(&mut self, span: &SpanFacts<'_>, badges: &mut Badges) -> bool {
        if span.status == StatusCode::ERROR || span.error_type.is_some() {
            self.note_error(span, badges);
        }
        let database = span.category.is_database();
        if database && span.duration >= self.least() {
            let longer = badges.longest_db.as_ref().is_none_or(|(longest, label)| match span.duration.cmp(longest) {
                Ordering::Greater => true,
                Ordering::Equal => *span.what.label() < **label,
                Ordering::Less => false,
            });
            if longer {
                badges.longest_db = Some((span.duration, span.what.shared_label()));
            }
        }
        database && span.duration > self.thresholds.slow_sql
    }

    fn least(&self) -> Nanos {
        self.thresholds.slow_sql.min(self.thresholds.slow_sql_floor)
    }

    fn minds(&self, duration: Nanos, badges: Option<&Badges>) -> bool {
        let longest = badges.and_then(|badges| badges.longest_db.as_ref()).map(|(longest, _)| *longest);
        duration > self.thresholds.slow_sql
            || duration >= self.least() && longest.is_none_or(|longest| duration >= longest)
    }

    fn observe_crowded(&mut self, span: &SpanFacts<'_>, badges: &mut Badges) {
        if span.category.is_database() || (span.category == Category::Http && span.key.kind == Kind::CLIENT) {
            self.note_call(span, badges);
        }
    }

    fn forget(&mut self, trace: TraceId) {
        self.drop_memory(trace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    use crate::index::What;
    use crate::model::SpanId;

    struct Label(&'static str);

    impl What for Label {
        fn label(&self) -> Cow<'_, str> {
            Cow::Borrowed(self.0)
        }
        fn number(&self) -> Option<u64> {
            None
        }
        fn call(&self) -> u64 {
            self.0.len() as u64
        }
    }

    fn call(number: u64, what: &Label) -> SpanFacts<'_> {
        SpanFacts {
            trace_id: TraceId([1; 16]),
            key: SpanKey { id: SpanId(number.to_be_bytes()), kind: Kind::CLIENT },
            parent_id: Some(SpanId([9; 8])),
            start: Timestamp(number),
            duration: Nanos::from_millis(number),
            status: StatusCode::UNSET,
            status_message: "",
            category: Category::Sql,
            name: "query",
            what,
            error_type: None,
        }
    }

    fn badges<'a>(spans: impl IntoIterator<Item = SpanFacts<'a>>) -> (Badges, Vec<bool>) {
        let mut notes = TraceNotes::new(Thresholds::default());
        let mut badges = Badges::default();
        let told = spans.into_iter().map(|span| {
            let slow = notes.observe(&span, &mut badges);
            notes.observe_crowded(&span, &mut badges);
            slow
        });
        let slow = told.collect();
        (badges, slow)
    }

    #[test]
    fn equal_statements_below_one_parent_count_whatever_their_values() {
        let labels = [
            Label("SELECT * FROM visits WHERE id = 1"),
            Label("SELECT * FROM visits WHERE id = 17"),
            Label("SELECT * FROM visits WHERE id = 'x'"),
        ];
        let spans: Vec<_> = (1..=6).zip(labels.iter().cycle()).map(|(number, label)| call(number, label)).collect();
        let (all, _) = badges(spans.clone());
        assert_eq!(all.repeated, Some((6, "SELECT * FROM visits WHERE id = ?".into())));
        assert_eq!(badges(spans[..4].to_vec()).0.repeated, None);
        let elsewhere = spans.iter().map(|span| SpanFacts { parent_id: Some(span.key.id), ..*span });
        assert_eq!(badges(elsewhere).0.repeated, None);
    }

    #[test]
    fn the_order_of_spans_does_not_matter() {
        let mut spans: Vec<_> = (1..=5).map(|number| call(number, &Label("b"))).collect();
        spans.extend((5..=9).map(|number| call(number, &Label("a"))));
        spans.push(SpanFacts { status: StatusCode::ERROR, status_message: "late", ..call(20, &Label("x")) });
        spans.push(SpanFacts { error_type: Some("First"), ..call(10, &Label("y")) });
        let (forward, slow) = badges(spans.clone());
        let (backward, _) = badges(spans.into_iter().rev());
        assert_eq!(forward, backward);
        assert_eq!(forward.repeated, Some((5, "a".into())));
        assert_eq!(forward.error, Some("First".into()));
        assert_eq!(forward.longest_db, Some((Nanos::from_millis(20), "x".into())));
        assert!(slow.iter().all(|slow| !slow));
    }

    #[test]
    fn a_long_database_call_is_slow_and_another_call_is_not() {
        let sql = SpanFacts { duration: Nanos::from_millis(101), ..call(1, &Label("SELECT 1")) };
        let http = SpanFacts { category: Category::Http, ..sql };
        assert_eq!(badges([sql, http]).1, [true, false]);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_let_go() {
        let mut notes = TraceNotes::new(Thresholds::default());
        for number in 0..u32::try_from(MAX_COUNTS).unwrap() + 10 {
            let trace = u128::from(number) + 1;
            let span = SpanFacts { trace_id: TraceId(trace.to_be_bytes()), ..call(1, &Label("a")) };
            notes.observe_crowded(&span, &mut Badges::default());
        }
        assert!(notes.counts <= MAX_COUNTS && notes.order.len() <= MAX_COUNTS);
        for trace in notes.traces.keys().copied().collect::<Vec<_>>() {
            notes.forget(trace);
        }
        assert_eq!(notes.counts, 0);
    }
}
