//! Reads a trace to be compared. Texts are numbered once: whoever reads many traces has met most of what stands on the next.

use std::borrow::Cow;
use std::sync::Mutex;

use hashbrown::HashMap;

use super::digest::Digest;
use super::vocabulary::{LONGEST, MOST_OPERATIONS, Operations, Vocabulary, lock, named};
use crate::index::{Told, ToldAttribute, View};
use crate::model::{Attribute, Nanos, Resource, SpanKey, Trace, TraceId, TraceSpan, Value};

/// Different pairs of key and value that are kept of one trace.
const MOST_PAIRS: usize = 4_000;
/// Resources that are known at once.
const MOST_RESOURCES: usize = 4_096;
/// Values of a key that are known at once.
const MOST_KNOWN: usize = 20_000;

/// Reads traces of one view, on one thread: what it has met before it finds without the words that all threads share.
#[derive(Debug, Default)]
pub struct Reader {
    /// By the view's number of the key; `None` where it was not met yet.
    keys: Vec<Option<KnownKey>>,
    /// By the view's number of the resource: in which trace it was last met, and what it adds.
    resources: HashMap<u64, (u32, Vec<Noted>)>,
    operations: Operations,
    found: Gathered,
    calls: Vec<(u32, Nanos, SpanKey)>,
    scratch: [Vec<u8>; 2],
}

/// What is known of a key.
#[derive(Debug)]
struct KnownKey {
    /// Its number in the vocabulary; `None` where it is not looked at.
    number: Option<u32>,
    measures: bool,
    /// Stands for all its values.
    crowded: Option<u32>,
    /// What values are, by the view's numbers.
    values: HashMap<u64, Option<u32>>,
}

/// What a value adds: its pair, and its number with that of the key.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    pair: Option<u32>,
    number: Option<(u32, f64)>,
}

/// What is found in the trace that is being read.
#[derive(Debug, Default)]
struct Gathered {
    /// Which trace it is of those read.
    turn: u32,
    /// By pair: the last trace that had it.
    seen: Vec<u32>,
    pairs: Vec<u32>,
    /// By key: the last trace that had a number of it, and the largest number there.
    most: Vec<(u32, f64)>,
    /// The keys with numbers.
    measured: Vec<u32>,
    cut: bool,
}

impl Gathered {
    fn begin(&mut self) {
        self.turn = self.turn.checked_add(1).unwrap_or_else(|| {
            (self.seen, self.most) = Default::default();
            1
        });
        self.pairs.clear();
        self.measured.clear();
        self.cut = false;
    }

    fn note(&mut self, Noted { pair, number }: Noted) {
        if let Some(pair) = pair {
            self.pair(pair);
        }
        let Some((key, number)) = number else { return };
        let most = place(&mut self.most, key);
        if most.0 == self.turn {
            most.1 = most.1.max(number);
        } else {
            *most = (self.turn, number);
            self.measured.push(key);
        }
    }

    fn pair(&mut self, pair: u32) {
        let seen = place(&mut self.seen, pair);
        if *seen == self.turn {
            return;
        }
        *seen = self.turn;
        if self.pairs.len() >= MOST_PAIRS {
            self.cut = true;
        } else {
            self.pairs.push(pair);
        }
    }
}

fn place<T: Default>(list: &mut Vec<T>, number: u32) -> &mut T {
    let at = number as usize;
    if list.len() <= at {
        list.resize_with(at + 1, T::default);
    }
    &mut list[at]
}

impl Reader {
    /// What is to be compared of a trace of the one view that this reader reads; `None` where it is not held. What is new to the
    /// reader is looked up in `words`, which are locked for no longer than that takes.
    pub fn digest(&mut self, view: &View, trace: TraceId, words: &Mutex<Vocabulary>) -> Option<Digest> {
        self.found.begin();
        let trace = view.told(trace, &mut |told| self.note(told, words))?;
        if trace.spans.iter().any(TraceSpan::is_error) {
            self.note_one("status", &Value::Text("error".into()), words);
        }
        self.calls.clear();
        for span in &trace.spans {
            let operation = self.operation_of(span, words);
            self.calls.push((operation, span.duration(), span.key));
        }
        if let Some(root) = root(&trace) {
            self.calls.swap(0, root);
        }
        let root = self.calls.first().map_or(0, |(operation, ..)| *operation);
        let (start, end) = trace.bounds();
        let (found, calls) = (&mut self.found, self.calls.iter().copied());
        found.pairs.sort_unstable();
        found.measured.sort_unstable();
        let most = |key: &u32| Some((*key, found.most.get(*key as usize)?.1));
        let numbers: Vec<(u32, f64)> = found.measured.iter().filter_map(most).collect();
        let head = Digest { trace: trace.id, duration: end.since(start), root, cut: found.cut, ..Digest::default() };
        Some(head.packed(calls, (&found.pairs, &numbers), &mut self.scratch))
    }

    fn operation_of(&mut self, span: &TraceSpan, words: &Mutex<Vocabulary>) -> u32 {
        let known = &mut self.operations;
        named(span, |name| {
            known.get(name).copied().unwrap_or_else(|| {
                let operation = name.operation();
                let number = lock(words).add(operation.clone());
                if known.len() < MOST_OPERATIONS {
                    known.insert(operation, number);
                }
                number
            })
        })
    }

    fn note(&mut self, told: Told<'_>, words: &Mutex<Vocabulary>) {
        match told {
            Told::Resource(number, resource) => self.note_resource(number, resource, words),
            Told::Attribute(attribute) => self.note_attribute(attribute, words),
            Told::Exception(kind) => self.note_one("exception.type", &kind, words),
        }
    }

    fn note_resource(&mut self, number: u64, resource: &Resource, words: &Mutex<Vocabulary>) {
        if self.resources.len() >= MOST_RESOURCES && !self.resources.contains_key(&number) {
            self.resources.clear();
        }
        let (turn, noted) = self.resources.entry(number).or_insert_with(|| {
            let (mut words, mut noted) = (lock(words), Vec::new());
            for Attribute { key, value } in &resource.attributes {
                each_noted(&mut words, &key.lossy(), value, &mut |one| noted.push(one));
            }
            (0, noted)
        });
        if std::mem::replace(turn, self.found.turn) != self.found.turn {
            for noted in noted.iter() {
                self.found.note(*noted);
            }
        }
    }

    fn note_one(&mut self, key: &str, value: &Value, words: &Mutex<Vocabulary>) {
        each_noted(&mut lock(words), key, value, &mut |noted| self.found.note(noted));
    }

    fn note_attribute(&mut self, told: ToldAttribute<'_>, words: &Mutex<Vocabulary>) {
        let known = place(&mut self.keys, told.key()).get_or_insert_with(|| KnownKey::new(&told.name(), words));
        let Some(key) = known.number else { return };
        let same = told.same();
        let pair = known.crowded.map(Some).or_else(|| known.values.get(&same?).copied());
        if let Some(pair) = pair {
            self.found.note(Noted { pair, number: None });
            if known.measures && !told.is_text() {
                each_plain(&told.value(), &mut |value| {
                    let number = as_number(value).map(|number| (key, number));
                    self.found.note(Noted { pair: None, number });
                });
            }
            return;
        }
        let (mut words, mut pair) = (lock(words), None);
        each_plain(&told.value(), &mut |value| {
            let noted = noted(&mut words, key, value);
            pair = noted.pair;
            self.found.note(noted);
        });
        known.crowded = words.keys.get(key as usize).and_then(|key| key.crowded);
        if known.crowded.is_some() || known.values.len() >= MOST_KNOWN {
            known.values.clear();
        }
        if let Some(same) = same {
            known.values.insert(same, pair);
        }
    }
}

impl KnownKey {
    fn new(name: &str, words: &Mutex<Vocabulary>) -> Self {
        let mut words = lock(words);
        let number = words.key(name);
        let measures = number.and_then(|key| words.keys.get(key as usize)).is_some_and(|key| key.measures);
        Self { number, measures, crowded: None, values: HashMap::new() }
    }
}

/// Calls `each` with a value that can be compared, of an array with each of its members.
fn each_plain(value: &Value, each: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(members) => {
            members.iter().filter(|member| !matches!(member, Value::Array(_))).for_each(|one| each_plain(one, each));
        }
        Value::Empty | Value::Map(_) | Value::Bytes(_) => {}
        Value::Text(_) | Value::Bool(_) | Value::Int(_) | Value::Double(_) => each(value),
    }
}

fn each_noted(words: &mut Vocabulary, key: &str, value: &Value, each: &mut dyn FnMut(Noted)) {
    let Some(key) = words.key(key) else { return };
    each_plain(value, &mut |value| each(noted(words, key, value)));
}

/// What a plain value adds: nothing where it is too long.
fn noted(words: &mut Vocabulary, key: u32, value: &Value) -> Noted {
    let text: Cow<'_, str> = match value {
        Value::Text(text) => text.lossy(),
        Value::Bool(truth) => truth.to_string().into(),
        Value::Int(number) => number.to_string().into(),
        Value::Double(number) => number.to_string().into(),
        Value::Empty | Value::Map(_) | Value::Bytes(_) | Value::Array(_) => return Noted::default(),
    };
    if text.len() > LONGEST {
        return Noted::default();
    }
    let measures = words.keys.get(key as usize).is_some_and(|key| key.measures);
    let number = as_number(value).filter(|_| measures).map(|number| (key, number));
    Noted { pair: words.pair(key, &text), number }
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

/// The first span without a parent; where all have one, the earliest.
fn root(trace: &Trace) -> Option<usize> {
    let root = trace.spans.iter().position(|span| span.parent_id.is_none());
    root.or(if trace.spans.is_empty() { None } else { Some(0) })
}
