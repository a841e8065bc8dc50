//! What is kept of a trace to be compared.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::analysis::statement;
use crate::model::{
    Attribute, Category, Nanos, Span, SpanKey, StatusCode, Timestamp, Trace, TraceId, TraceSpan, Value,
};

/// Different operations that are told apart; further ones are counted as one.
const MOST_OPERATIONS: usize = 20_000;
/// Keys that are looked at.
const MOST_KEYS: usize = 4_000;
/// Different values of one key beyond which its values are not told apart: hardly any could be in many traces.
const MOST_VALUES: u32 = 5_000;
/// The longest value that is compared, in bytes: longer ones are statements, stack traces and bodies.
const LONGEST: usize = 200;
/// Different pairs of key and value that are kept of one trace.
const MOST_PAIRS: usize = 4_000;

/// What a span does, as far as spans of different traces are the same: its service and name; of a database call the statement
/// without its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operation {
    /// The service.
    pub service: Arc<str>,
    /// The span's name, or the statement.
    pub name: Arc<str>,
    /// What sort of work it is.
    pub category: Category,
}

/// Texts by number, so that they are kept once for all traces.
#[derive(Debug, Default)]
pub struct Vocabulary {
    operations: Vec<Operation>,
    operation_numbers: HashMap<Operation, u32>,
    /// By label, so that a statement is normalised once.
    known: HashMap<(Arc<str>, Arc<str>, Category), u32>,
    pub(super) keys: Vec<Key>,
    key_numbers: HashMap<String, u32>,
}

/// An attribute's key with its values.
#[derive(Debug, Default)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) values: Vec<String>,
    numbers: HashMap<String, u32>,
    /// There were more different values than are told apart.
    pub(super) crowded: bool,
    /// Its numbers may be quantities: by its name they are not numbers of things.
    measures: bool,
}

/// A trace as far as it is compared. Numbers are those of a [`Vocabulary`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Its id.
    pub trace: TraceId,
    /// The operation of its root.
    pub(super) root: u32,
    /// When it began.
    pub start: Timestamp,
    /// From its earliest start to its latest end.
    pub duration: Nanos,
    /// Operation and duration of every span.
    pub(super) calls: Box<[(u32, Nanos)]>,
    /// Which span each of `calls` is.
    pub(super) keys: Box<[SpanKey]>,
    /// Keys and values that some span of it has, each once, in order.
    pub(super) pairs: Box<[(u32, u32)]>,
    /// The largest number under each key that has numbers, in order of the keys.
    pub(super) numbers: Box<[(u32, f64)]>,
    /// Some of its pairs were too many to be kept.
    pub(super) cut: bool,
}

impl Digest {
    /// How much is kept of it: about one for each span, which has ten attributes or so.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.calls.len().max(self.pairs.len() / 16).max(1)
    }
}

impl Vocabulary {
    /// How much is held, roughly, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let values: usize = self.keys.iter().map(|key| key.values.len() * (LONGEST / 2 + 64)).sum();
        values + self.operations.len() * 512 + self.known.len() * 128
    }

    /// The operation of that number.
    pub(super) fn operation(&self, number: u32) -> Operation {
        self.operations.get(number as usize).cloned().unwrap_or_default()
    }

    /// The number of an operation.
    pub(super) fn find(&self, operation: &Operation) -> Option<u32> {
        self.operation_numbers.get(operation).copied()
    }

    /// What is to be compared of a trace: `trace` in its lean form, `spans` with everything that was sent of them.
    pub fn digest(&mut self, trace: &Trace, spans: &[Span]) -> Digest {
        let calls: Box<[_]> = trace.spans.iter().map(|span| (self.operation_of(span), span.duration())).collect();
        let root = root(trace).and_then(|root| calls.get(root)).map_or(0, |(operation, _)| *operation);
        let (start, end) = trace.bounds();
        let mut found = Gathered::default();
        for span in spans {
            self.gather(span, &mut found);
        }
        let mut pairs: Vec<(u32, u32)> = found.pairs.into_iter().collect();
        pairs.sort_unstable();
        let mut numbers: Vec<(u32, f64)> = found.numbers.into_iter().collect();
        numbers.sort_unstable_by_key(|(key, _)| *key);
        let keys = trace.spans.iter().map(|span| span.key).collect();
        let (pairs, numbers, duration) = (pairs.into(), numbers.into(), end.since(start));
        Digest { trace: trace.id, root, start, duration, calls, keys, pairs, numbers, cut: found.cut }
    }

    pub(super) fn operation_of(&mut self, span: &TraceSpan) -> u32 {
        let label = if span.category.is_database() { &span.label } else { &span.name };
        let known = (Arc::clone(&span.service), Arc::clone(label), span.category);
        if let Some(number) = self.known.get(&known) {
            return *number;
        }
        let name = match statement::normalise(span.category, label) {
            std::borrow::Cow::Borrowed(_) => Arc::clone(label),
            std::borrow::Cow::Owned(name) => name.into(),
        };
        let mut operation = Operation { service: Arc::clone(&span.service), name, category: span.category };
        let many = self.operations.len() >= MOST_OPERATIONS;
        if many && !self.operation_numbers.contains_key(&operation) {
            operation = Operation { name: "(others)".into(), ..Operation::default() };
        }
        let next = number(self.operations.len());
        let number = *self.operation_numbers.entry(operation.clone()).or_insert(next);
        if number == next {
            self.operations.push(operation);
        }
        if self.known.len() < MOST_OPERATIONS * 4 {
            self.known.insert(known, number);
        }
        number
    }

    fn gather(&mut self, span: &Span, into: &mut Gathered) {
        if span.status.code == StatusCode::ERROR {
            self.note("status", &Value::Text("error".into()), into);
        }
        // Resources of a trace are shared where they are alike.
        let resource = Arc::as_ptr(&span.resource).addr();
        if into.resources.insert(resource) {
            self.note_all(&span.resource.attributes, into);
        }
        self.note_all(&span.attributes, into);
        let exceptions = span.events.iter().filter(|event| event.name == *"exception");
        for attribute in exceptions.flat_map(|event| &event.attributes) {
            if attribute.key == *"exception.type" {
                self.note("exception.type", &attribute.value, into);
            }
        }
    }

    fn note_all(&mut self, attributes: &[Attribute], into: &mut Gathered) {
        for Attribute { key, value } in attributes {
            let key = key.lossy();
            // Statements are compared as operations.
            if !matches!(&*key, "db.query.text" | "db.statement") {
                self.note(&key, value, into);
            }
        }
    }

    fn note(&mut self, key: &str, value: &Value, into: &mut Gathered) {
        let text = match value {
            Value::Text(text) => text.lossy(),
            Value::Bool(truth) => truth.to_string().into(),
            Value::Int(number) => number.to_string().into(),
            Value::Double(number) => number.to_string().into(),
            Value::Array(members) => {
                let plain = |member: &&Value| !matches!(member, Value::Array(_));
                return members.iter().filter(plain).for_each(|member| self.note(key, member, into));
            }
            Value::Empty | Value::Map(_) | Value::Bytes(_) => return,
        };
        if text.len() > LONGEST {
            return;
        }
        let Some((key, place)) = self.key(key) else { return };
        if let Some(number) = as_number(value).filter(|_| place.measures) {
            let most = into.numbers.entry(key).or_insert(number);
            *most = most.max(number);
        }
        if into.pairs.len() >= MOST_PAIRS {
            into.cut = true;
        } else if let Some(value) = place.value(&text) {
            into.pairs.insert((key, value));
        }
    }

    fn key(&mut self, name: &str) -> Option<(u32, &mut Key)> {
        let number = match self.key_numbers.get(name) {
            Some(number) => *number,
            None if self.keys.len() >= MOST_KEYS || name.len() > LONGEST => return None,
            None => {
                let number = number(self.keys.len());
                self.keys.push(Key { name: name.to_owned(), measures: !numbers_things(name), ..Key::default() });
                self.key_numbers.insert(name.to_owned(), number);
                number
            }
        };
        Some((number, self.keys.get_mut(number as usize)?))
    }
}

/// Not a number is left out: it is neither more nor less than others.
#[expect(clippy::cast_precision_loss, reason = "what is compared is which is more")]
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) if !number.is_nan() => Some(*number),
        _ => None,
    }
}

/// Whether the numbers under a key name things: they grow with time, and that they do is no difference.
fn numbers_things(key: &str) -> bool {
    let last = key.rsplit(['.', '_', '-', '/']).next().unwrap_or(key).to_ascii_lowercase();
    let whole = [
        "id",
        "pid",
        "ppid",
        "tid",
        "uid",
        "gid",
        "port",
        "offset",
        "timestamp",
        "time",
        "seq",
        "sequence",
        "lineno",
        "line",
    ];
    whole.contains(&last.as_str()) || key.ends_with("Id") || key.ends_with("ID")
}

impl Key {
    fn value(&mut self, text: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        let next = number(self.values.len());
        if next >= MOST_VALUES {
            self.crowded = true;
            return None;
        }
        self.values.push(text.to_owned());
        self.numbers.insert(text.to_owned(), next);
        Some(next)
    }
}

#[derive(Default)]
struct Gathered {
    pairs: HashSet<(u32, u32)>,
    numbers: HashMap<u32, f64>,
    resources: HashSet<usize>,
    cut: bool,
}

/// The first span without a parent; where all have one, the earliest.
fn root(trace: &Trace) -> Option<usize> {
    let root = trace.spans.iter().position(|span| span.parent_id.is_none());
    root.or(if trace.spans.is_empty() { None } else { Some(0) })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
