//! Counts the values of an attribute.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::app::{Answer, Samples, ValueRow, Values};
use crate::index::{Block, Place, Rows, ValueRef, View};
use crate::model::{Nanos, StatusCode, Timestamp, TraceId, percentile_of_unsorted};
use crate::query::{Query, run};
use crate::semconv::{aliases, canonical_value};

/// Values that are told one by one.
const TOLD: usize = 1_000;
/// Different values that are counted one by one; further ones are summed up.
const COUNTED: usize = 20_000;
/// Different values of a block that are told apart.
const APART: u32 = 1 << 17;
/// Durations of a value that are kept as they are; of more, only the classes they fall into.
const EXACT: usize = 64;

/// What [`values`] is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ValuesRequest<'a> {
    /// Comes back with the answer.
    pub generation: u64,
    /// The attribute; `service.name` is the service and `name` the operation.
    pub key: &'a str,
    /// The filter: the spans of the traces that match are looked at.
    pub query: &'a Query,
    /// Now: what `lookback` and the like are counted from.
    pub now: Timestamp,
}

/// Counts the values of an attribute; `None` once `cancelled` says so.
#[must_use]
pub fn values(view: &View, request: &ValuesRequest<'_>, cancelled: &dyn Fn() -> bool) -> Option<Answer> {
    let ValuesRequest { generation, key, query, now } = *request;
    let traces: Option<HashSet<TraceId>> =
        (!query.is_empty()).then(|| run(query, view, now, cancelled).hits.into_iter().map(|hit| hit.trace).collect());
    let mut tally = Tally { canonical: key, ..Tally::default() };
    let mut spans = 0;
    for block in view.blocks() {
        let rows = match &traces {
            None => block.all(),
            Some(traces) => block.select_trace(&|trace| traces.contains(&trace)),
        };
        if !rows.is_empty() {
            spans += rows.len() as u64;
            tally.block(block, rows, cancelled);
        }
        if cancelled() {
            return None;
        }
    }
    let traces = traces.map_or_else(|| view.stats().traces, |traces| traces.len() as u64);
    let (rows, others) = tally.finish();
    let values = Arc::new(Values { filter: query.text.clone(), traces, spans, rows, others });
    Some(Answer::Values { generation, values })
}

type Select<'a> = dyn Fn(&dyn Fn(ValueRef<'_>) -> bool) -> Rows + 'a;

/// Where values come from: selects the rows of a block that carry one that passes.
struct Source<'a> {
    select: Box<Select<'a>>,
    /// A span may carry several.
    several: bool,
}

fn sources<'a>(block: Block<'a>, key: &'a str) -> Vec<Source<'a>> {
    match key {
        "service.name" => {
            let select =
                move |test: &dyn Fn(ValueRef<'_>) -> bool| block.select_service(&|text| test(ValueRef::Text(text)));
            vec![Source { select: Box::new(select), several: false }]
        }
        "name" => {
            let select =
                move |test: &dyn Fn(ValueRef<'_>) -> bool| block.select_name(&|text| test(ValueRef::Text(text)));
            vec![Source { select: Box::new(select), several: false }]
        }
        _ => {
            let places = [Place::Span, Place::Resource, Place::Scope, Place::Event, Place::Link];
            let source = |(place, key): (Place, &'a str)| {
                let select = move |test: &dyn Fn(ValueRef<'_>) -> bool| block.select_attribute(&[key], &[place], test);
                Source { select: Box::new(select), several: matches!(place, Place::Event | Place::Link) }
            };
            let keys = aliases(key);
            places.into_iter().flat_map(|place| keys.iter().map(move |key| (place, *key))).map(source).collect()
        }
    }
}

#[derive(Default)]
struct Tally<'a> {
    canonical: &'a str,
    values: HashMap<String, Figures>,
    others: Figures,
}

impl Tally<'_> {
    /// Adds rows of a block. The index says which rows carry a value that passes a test, not which value a row carries:
    /// so the values are numbered, and each bit of the numbers is one question. A span counts once.
    fn block(&mut self, block: Block<'_>, mut left: Rows, cancelled: &dyn Fn() -> bool) {
        let failed = block.select_status(StatusCode::ERROR);
        let mut durations: Option<Vec<u64>> = None;
        for Source { select, several } in sources(block, self.canonical) {
            if left.is_empty() || cancelled() {
                return;
            }
            let numbers: RefCell<HashMap<String, u32>> = RefCell::default();
            let number = |value: ValueRef<'_>| numbers.borrow().get(&self.text(value)?).copied();
            // 0 stands for what is not told apart.
            let carry = select(&|value| {
                let Some(text) = self.text(value) else { return false };
                let mut numbers = numbers.borrow_mut();
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX) + 1;
                if next < APART {
                    numbers.entry(text).or_insert(next);
                }
                true
            });
            let carry = carry.and(&left);
            if carry.is_empty() {
                continue;
            }
            let mut number_of = vec![0_u32; block.rows() as usize];
            let most = u32::try_from(numbers.borrow().len()).unwrap_or(APART);
            for bit in (0..u32::BITS - most.leading_zeros()).map(|bit| 1_u32 << bit) {
                let set = select(&|value| number(value).is_some_and(|number| number & bit != 0)).and(&carry);
                set.iter().for_each(|row| number_of[row as usize] |= bit);
                if several {
                    let clear = select(&|value| number(value).is_some_and(|number| number & bit == 0));
                    // Two different values on one span: neither is its value.
                    set.and(&clear).iter().for_each(|row| number_of[row as usize] |= 1 << 31);
                }
            }
            let mut names = vec![String::new(); most as usize + 1];
            for (name, number) in numbers.into_inner() {
                names[number as usize] = name;
            }
            let durations = durations.get_or_insert_with(|| block.durations());
            for row in carry.iter() {
                let name = names.get(number_of[row as usize] as usize).filter(|_| number_of[row as usize] > 0);
                let duration = durations.get(row as usize).copied().unwrap_or_default();
                self.add(name, failed.has(row), duration);
            }
            left = left.minus(&carry);
        }
    }

    fn add(&mut self, name: Option<&String>, failed: bool, duration: u64) {
        let full = self.values.len() >= COUNTED;
        let figures = match name {
            None => &mut self.others,
            Some(name) => match self.values.get_mut(name) {
                Some(figures) => figures,
                None if full => &mut self.others,
                None => self.values.entry(name.clone()).or_default(),
            },
        };
        figures.add(failed, duration);
    }

    /// A value as text; lists, maps and bytes have none.
    fn text(&self, value: ValueRef<'_>) -> Option<String> {
        match value {
            ValueRef::Text(text) => Some(canonical_value(self.canonical, text).to_owned()),
            ValueRef::Bool(truth) => Some(truth.to_string()),
            ValueRef::Int(number) => Some(number.to_string()),
            ValueRef::Double(number) => Some(number.to_string()),
            ValueRef::Empty | ValueRef::Bytes(_) | ValueRef::Composite(_) => None,
        }
    }

    fn finish(self) -> (Vec<ValueRow>, Option<ValueRow>) {
        let Self { values, mut others, .. } = self;
        let mut values: Vec<(String, Figures)> = values.into_iter().collect();
        values.sort_by(|one, other| (Reverse(one.1.spans), &one.0).cmp(&(Reverse(other.1.spans), &other.0)));
        for (_, figures) in values.drain(TOLD.min(values.len())..) {
            others.join(&figures);
        }
        let rows = values.into_iter().map(|(value, figures)| figures.row(value)).collect();
        (rows, (others.spans > 0).then(|| others.row(String::new())))
    }
}

/// What is counted of a value.
#[derive(Default)]
struct Figures {
    spans: u64,
    errors: u64,
    /// The durations, as long as they are few.
    few: Vec<u64>,
    /// How many fall into each class, once they are many.
    classes: Vec<u32>,
}

/// The class of a duration: eight for each doubling, so that a class is an eighth of its durations wide.
fn class(nanos: u64) -> usize {
    let doublings = nanos.max(8).ilog2() - 3;
    let eighth = (nanos.max(8) >> doublings) & 7;
    usize::try_from(u64::from(doublings) * 8 + eighth).unwrap_or_default()
}

/// The middle of a class.
fn middle(class: usize) -> u64 {
    let (doublings, eighth) = (class / 8, class as u64 % 8);
    ((8 + eighth) << doublings) + ((1_u64 << doublings) / 2)
}

impl Figures {
    fn add(&mut self, failed: bool, duration: u64) {
        self.spans += 1;
        self.errors += u64::from(failed);
        if self.classes.is_empty() && self.few.len() < EXACT {
            return self.few.push(duration);
        }
        for duration in std::mem::take(&mut self.few) {
            self.put(duration, 1);
        }
        self.put(duration, 1);
    }

    fn put(&mut self, duration: u64, times: u32) {
        let class = class(duration);
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] = self.classes[class].saturating_add(times);
    }

    fn join(&mut self, other: &Self) {
        self.spans += other.spans;
        self.errors += other.errors;
        for duration in std::mem::take(&mut self.few).into_iter().chain(other.few.iter().copied()) {
            self.put(duration, 1);
        }
        for (place, times) in other.classes.iter().enumerate().filter(|(_, times)| **times > 0) {
            self.put(middle(place), *times);
        }
    }

    fn row(mut self, value: String) -> ValueRow {
        let p95 = if self.classes.is_empty() {
            percentile_of_unsorted(&mut self.few, 95).unwrap_or(0)
        } else {
            let all: u64 = self.classes.iter().map(|times| u64::from(*times)).sum();
            let (rank, mut seen) = ((all * 95).div_ceil(100), 0);
            let reached = self.classes.iter().position(|times| {
                seen += u64::from(*times);
                seen >= rank
            });
            reached.map_or(0, middle)
        };
        ValueRow { value, spans: self.spans, errors: self.errors, p95: Nanos(p95) }
    }
}

/// The attributes there are, most used first.
#[must_use]
pub fn keys(view: &View) -> Answer {
    const MOST: usize = 1_000;
    let spans = view.stats().spans;
    let own = ["service.name", "name"].map(|key| (key.to_owned(), spans));
    let mut keys: Vec<(String, u64)> = own.into_iter().collect();
    keys.extend(view.keys(MOST).into_iter().filter(|(key, _)| key != "service.name"));
    Answer::Keys(keys)
}

/// Names from the data at hand, for the examples of the help.
#[must_use]
pub fn samples(view: &View) -> Answer {
    /// What tells most, where it is there.
    const TELLING: [&str; 6] =
        ["http.route", "http.response.status_code", "db.system.name", "http.request.method", "rpc.service", "url.path"];
    let first = |key: &str| view.values(key, 1).into_iter().next().map(|(value, _)| value);
    let pair = |key: &str| {
        let values = aliases(key).into_iter().filter_map(|name| Some((name.to_owned(), first(name)?)));
        values.into_iter().next()
    };
    let used = view.keys(40).into_iter().map(|(key, _)| key);
    let used =
        used.filter(|key| !key.starts_with("telemetry.") && key != "service.name" && !key.starts_with("process."));
    let mut pairs: Vec<(String, String)> = TELLING.iter().filter_map(|key| pair(key)).collect();
    for key in used {
        if pairs.len() >= 4 {
            break;
        }
        if !pairs.iter().any(|(known, _)| *known == key)
            && let Some(value) = first(&key)
        {
            pairs.push((key, value));
        }
    }
    pairs.retain(|(_, value)| value.len() <= 40);
    pairs.truncate(4);
    Answer::Samples(Arc::new(Samples { service: first("service.name"), operation: first("name"), pairs }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_an_eighth_of_their_durations_wide() {
        for nanos in [0, 8, 9, 1_000, 123_456, 1_820_000_000, u64::MAX / 4] {
            let middle = middle(class(nanos));
            assert!(middle.abs_diff(nanos.max(8)) <= nanos.max(8) / 8, "{nanos}: {middle}");
        }
    }

    #[test]
    fn the_95th_percentile_is_exact_of_few_and_close_of_many() {
        let figures = |count: u64| {
            let mut figures = Figures::default();
            (1..=count).for_each(|n| figures.add(n % 10 == 0, n * 1_000_000));
            figures.row("x".into())
        };
        assert_eq!(figures(20), ValueRow { value: "x".into(), spans: 20, errors: 2, p95: Nanos(19_000_000) });
        let many = figures(1_000);
        assert!((890_000_000..1_010_000_000).contains(&many.p95.0), "{many:?}");
        assert_eq!((many.spans, many.errors), (1_000, 100));
    }
}
