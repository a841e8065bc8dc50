//! Which source a row came from, by name: the index is told the names, and knows nothing else of sources.

use std::sync::Arc;

use hashbrown::HashMap;

use super::block::Memo;
use super::segment::Form;
use super::{Block, Rows, View, completion};
use crate::model::SourceId;

/// Names of sources by id. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources(Arc<Vec<Arc<str>>>);

impl Sources {
    /// Gives a source its name. Answers whether that is new.
    pub(super) fn set(&mut self, id: SourceId, name: &str) -> bool {
        if self.name(id) == name {
            return false;
        }
        let (names, place) = (Arc::make_mut(&mut self.0), usize::from(id.0));
        if names.len() <= place {
            names.resize(place + 1, Arc::from(""));
        }
        names[place] = Arc::from(name);
        true
    }

    /// A source's name; empty where it was given none.
    pub(super) fn name(&self, id: SourceId) -> &str {
        self.0.get(usize::from(id.0)).map_or("", |name| name)
    }
}

impl View {
    /// The name of a source; empty where it was given none.
    #[must_use]
    pub fn source_name(&self, id: SourceId) -> &str {
        self.state.sources.name(id)
    }

    /// The names of the sources of the spans held, with the number of spans of each, most first. Sources of one name are
    /// one.
    #[must_use]
    pub fn source_counts(&self) -> Vec<(String, u64)> {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for segment in &self.state.segments {
            for (origin, count) in segment.origins.iter().zip(completion::usage(self, segment).1) {
                *counts.entry(self.source_name(origin.source)).or_default() += count;
            }
        }
        let mut counts: Vec<(String, u64)> = counts
            .into_iter()
            .filter(|(name, count)| !name.is_empty() && *count > 0)
            .map(|(name, count)| (name.to_owned(), count))
            .collect();
        counts.sort_by(|one, other| (std::cmp::Reverse(one.1), &one.0).cmp(&(std::cmp::Reverse(other.1), &other.0)));
        counts
    }
}

impl Block<'_> {
    /// The name of a source; empty where it was given none.
    #[must_use]
    pub fn source_name(&self, id: SourceId) -> &str {
        self.state.sources.name(id)
    }

    fn source_of_origin(&self, origin: u32) -> &str {
        self.source_name(self.segment.origins.get(origin).map(|origin| origin.source).unwrap_or_default())
    }

    /// Rows from sources whose name passes `test`.
    #[must_use]
    pub fn select_source(&self, test: &dyn Fn(&str) -> bool) -> Rows {
        let mut memo = Memo::default();
        let mut passes = |origin: u32| memo.ask(origin, || test(self.source_of_origin(origin)));
        match &self.piece.form {
            Form::Hot(chunk) => self.all().filter(|row| passes(chunk.origin[row])),
            Form::Sealed(sealed) => self.all().and(&sealed.select_class(&mut |class| passes(class.origin))),
        }
    }

    /// Calls `each` with every row, dead ones included, and the name of its source.
    pub fn each_source(&self, each: &mut dyn FnMut(u32, &str)) {
        match &self.piece.form {
            Form::Hot(chunk) => {
                (0..).zip(&chunk.origin).for_each(|(row, origin)| each(row, self.source_of_origin(*origin)));
            }
            Form::Sealed(sealed) => {
                sealed.each_row_class(&mut |row, class| each(row, self.source_of_origin(class.origin)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_id_and_may_change() {
        let mut sources = Sources::default();
        assert!(sources.set(SourceId(2), "prod") && !sources.set(SourceId(2), "prod"));
        assert!(sources.set(SourceId(0), "demo") && sources.set(SourceId(2), "staging"));
        let names: Vec<_> = (0..4).map(|id| sources.name(SourceId(id))).collect();
        assert_eq!(names, ["demo", "", "staging", ""]);
    }
}
