//! Texts by number, so that they are kept once for all traces that are compared.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::{Equivalent, HashMap};

use crate::analysis::statement;
use crate::model::{Category, TraceSpan};

/// Different operations that are told apart; further ones are counted as one.
pub(super) const MOST_OPERATIONS: usize = 20_000;
/// Keys that are looked at.
const MOST_KEYS: usize = 4_000;
/// Different values of one key beyond which its values are not told apart: hardly any could be in many traces.
const MOST_VALUES: usize = 5_000;
/// Different values of all keys together that are told apart, at most.
const MOST_PAIRS: usize = 1_000_000;
/// Bytes of values that are kept; of more, the values of the key with the most are let go.
const MOST_TEXT: usize = 32 << 20;
/// The longest value that is compared, in bytes: longer ones are statements, stack traces and bodies.
pub(super) const LONGEST: usize = 200;

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

/// An [`Operation`] before it is one.
#[derive(Hash)]
pub(super) struct OperationName<'a> {
    service: &'a str,
    name: &'a str,
    category: Category,
}

impl Equivalent<Operation> for OperationName<'_> {
    fn equivalent(&self, known: &Operation) -> bool {
        (self.service, self.name, self.category) == (&*known.service, &*known.name, known.category)
    }
}

/// Numbers of operations.
pub(super) type Operations = HashMap<Operation, u32>;

/// What a span does, for `then` to look it up.
pub(super) fn named<T>(span: &TraceSpan, then: impl FnOnce(&OperationName<'_>) -> T) -> T {
    let label = if span.category.is_database() { &span.label } else { &span.name };
    let name = statement::normalise(span.category, label);
    then(&OperationName { service: &span.service, name: &name, category: span.category })
}

/// What several threads share, for as long as the guard is held.
pub(super) fn lock(words: &Mutex<Vocabulary>) -> MutexGuard<'_, Vocabulary> {
    words.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Operations, keys and values by number.
#[derive(Debug, Default)]
pub struct Vocabulary {
    operations: Vec<Operation>,
    operation_numbers: Operations,
    pub(super) keys: Vec<Key>,
    key_numbers: HashMap<Arc<str>, u32>,
    /// Of every pair of key and value, by number.
    pub(super) pairs: Vec<Pair>,
    /// Bytes of values.
    text: usize,
}

/// An attribute's key with its values.
#[derive(Debug, Default)]
pub(super) struct Key {
    pub(super) name: Arc<str>,
    /// Pairs by value.
    values: HashMap<Arc<str>, u32>,
    /// Bytes of its values.
    text: usize,
    /// There were more different values than are told apart: the pair that stands for all of them.
    pub(super) crowded: Option<u32>,
    /// Its numbers may be quantities: by its name they are not numbers of things.
    pub(super) measures: bool,
}

/// A key and one of its values.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) key: u32,
    /// Empty where its key's values are not told apart.
    pub(super) value: Arc<str>,
}

impl Vocabulary {
    /// The operation of that number.
    pub(super) fn operation(&self, number: u32) -> Operation {
        self.operations.get(number as usize).cloned().unwrap_or_default()
    }

    /// The number of an operation.
    pub(super) fn find(&self, operation: &Operation) -> Option<u32> {
        self.operation_numbers.get(operation).copied()
    }

    /// How many operations there are.
    pub(super) fn operations(&self) -> usize {
        self.operations.len()
    }

    /// The number of what a span does.
    pub(super) fn operation_of(&mut self, span: &TraceSpan) -> u32 {
        named(span, |name| match self.operation_numbers.get(name) {
            Some(number) => *number,
            None => self.add(name.operation()),
        })
    }

    /// The number of an operation that may be new.
    pub(super) fn add(&mut self, mut operation: Operation) -> u32 {
        let many = self.operations.len() >= MOST_OPERATIONS;
        if many && !self.operation_numbers.contains_key(&operation) {
            operation = Operation { name: "(others)".into(), ..Operation::default() };
        }
        let next = number(self.operations.len());
        let number = *self.operation_numbers.entry_ref(&operation).or_insert(next);
        if number == next {
            self.operations.push(operation);
        }
        number
    }

    /// The number of a key; `None` where it is not looked at.
    pub(super) fn key(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.key_numbers.get(name) {
            return Some(*number);
        }
        // Statements are compared as operations.
        let is_statement = matches!(name, "db.query.text" | "db.statement");
        if self.keys.len() >= MOST_KEYS || name.len() > LONGEST || is_statement {
            return None;
        }
        let (number, name) = (number(self.keys.len()), Arc::<str>::from(name));
        self.keys.push(Key { name: Arc::clone(&name), measures: !numbers_things(&name), ..Key::default() });
        self.key_numbers.insert(name, number);
        Some(number)
    }

    /// The number of a key with a value. Of a key whose values are not told apart that is [`Key::crowded`].
    pub(super) fn pair(&mut self, key: u32, value: &str) -> Option<u32> {
        let of = self.keys.get_mut(key as usize)?;
        if of.crowded.is_some() {
            return of.crowded;
        }
        if let Some(number) = of.values.get(value) {
            return Some(*number);
        }
        if of.values.len() >= MOST_VALUES || self.pairs.len() >= MOST_PAIRS {
            return self.crowd(key);
        }
        let (number, value) = (number(self.pairs.len()), Arc::<str>::from(value));
        of.values.insert(Arc::clone(&value), number);
        of.text += value.len();
        self.text += value.len();
        self.pairs.push(Pair { key, value });
        if self.text > MOST_TEXT {
            let most = (0_u32..).zip(&self.keys).max_by_key(|(_, key)| key.text).map(|(key, _)| key);
            most.map(|key| self.crowd(key));
        }
        Some(number)
    }

    /// Tells the values of a key apart no longer.
    fn crowd(&mut self, key: u32) -> Option<u32> {
        let next = number(self.pairs.len());
        let of = self.keys.get_mut(key as usize)?;
        let nothing = Arc::<str>::default();
        for pair in std::mem::take(&mut of.values).into_values() {
            if let Some(pair) = self.pairs.get_mut(pair as usize) {
                pair.value = Arc::clone(&nothing);
            }
        }
        self.text -= std::mem::take(&mut of.text);
        of.crowded = Some(next);
        self.pairs.push(Pair { key, value: nothing });
        of.crowded
    }
}

impl OperationName<'_> {
    pub(super) fn operation(&self) -> Operation {
        Operation { service: self.service.into(), name: self.name.into(), category: self.category }
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

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
