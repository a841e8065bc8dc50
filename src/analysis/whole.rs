//! What only whole spans tell: looked up for the few spans where a judgement needs it.

use hashbrown::HashMap;

use super::tree::Analysis;
use crate::model::{Span, SpanKey, Value, lookup};

/// Spans looked up for judging one trace, at most; finding one costs more the more spans a trace has.
const LOOKUPS: usize = 512;
const LEAST_LOOKUPS: usize = 16;
const ROWS_WALKED: usize = 2_000_000;

/// The whole spans of a trace, by their node. Each is looked up once.
pub(super) struct Whole<'a> {
    find: &'a mut dyn FnMut(SpanKey) -> Option<Span>,
    known: HashMap<u32, Option<Span>>,
    left: usize,
}

impl<'a> Whole<'a> {
    /// The whole spans of a trace, as `find` gives them.
    pub(super) fn new(analysis: &Analysis, find: &'a mut dyn FnMut(SpanKey) -> Option<Span>) -> Self {
        let left = (ROWS_WALKED / analysis.trace.spans.len().max(1)).clamp(LEAST_LOOKUPS, LOOKUPS);
        Self { find, known: HashMap::new(), left }
    }

    /// The span at a node; `None` where it is not held, or too many were looked up already.
    pub(super) fn span(&mut self, analysis: &Analysis, node: u32) -> Option<&Span> {
        if !self.known.contains_key(&node) {
            let key = analysis.span(node)?.key;
            self.left = self.left.checked_sub(1)?;
            let span = (self.find)(key);
            self.known.insert(node, span);
        }
        self.known.get(&node)?.as_ref()
    }
}

/// A value as text; of a list its first member. `None` where it is neither text nor a number, or blank.
pub(super) fn text(attributes: &[crate::model::Attribute], key: &str) -> Option<String> {
    fn of(value: &Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.lossy().into_owned()),
            Value::Int(number) => Some(number.to_string()),
            Value::Array(members) => of(members.first()?),
            _ => None,
        }
    }
    lookup(attributes, key).and_then(of).filter(|text| !text.trim().is_empty())
}
