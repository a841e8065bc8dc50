//! What there is of filters on screen: the bar with its conditions, earlier and saved filters, the values of an attribute.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::parts;
use crate::model::Nanos;
use crate::query::{Completion, ParseError, Query, describe, parse};

/// The filter bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterBar {
    /// Takes the keys.
    pub editing: bool,
    /// What is typed.
    pub text: String,
    /// Where the cursor is in it, in bytes.
    pub cursor: usize,
    /// The last valid reading of `text`; it is what the list shows.
    pub query: Arc<Query>,
    /// Why `text` is not valid, if it is not.
    pub error: Option<ParseError>,
    /// What could be typed next.
    pub completions: Vec<Completion>,
    /// What was proposed last, until something else is.
    pub offered: Vec<Completion>,
    /// What is typed ends in the beginning of a key: `query` is what was read before that.
    pub half_key: bool,
    /// Which of `completions` Tab takes.
    pub chosen: usize,
    /// What stood there when editing began; Esc brings it back.
    pub before: String,
    /// How far back in the history one is: 1 is the latest, 0 what is typed.
    pub recalled: usize,
    /// What was typed before the history was gone through.
    pub draft: String,
    /// Conditions that are switched off.
    pub off: Vec<OffChip>,
}

/// What matches in the open trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What was searched.
    pub query: Arc<Query>,
    /// It is the filter of the list, not a search in this trace.
    pub by_filter: bool,
    /// The nodes that match, in the order of the tree.
    pub nodes: Arc<Vec<u32>>,
    /// The same as a set, for drawing.
    pub set: Arc<HashSet<u32>>,
}

/// A condition of the filter that is switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffChip {
    /// As it is typed.
    pub text: String,
    /// Where among all conditions it stands.
    pub place: usize,
}

/// A condition of the filter, on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chip {
    /// In words.
    pub words: String,
    /// It counts.
    pub on: bool,
    /// Its place among those that are on, or off.
    pub index: usize,
}

impl FilterBar {
    /// All conditions in order, those that are switched off included.
    #[must_use]
    pub fn chips(&self) -> Vec<Chip> {
        let words = crate::query::chips(&self.query);
        let on = words.into_iter().enumerate().map(|(index, words)| Chip { words, on: true, index });
        let mut chips: Vec<Chip> = on.collect();
        for (index, off) in self.off.iter().enumerate() {
            let words = parse(&off.text).map_or_else(|_| off.text.clone(), |query| describe(&query));
            chips.insert(off.place.min(chips.len()), Chip { words, on: false, index });
        }
        chips
    }

    /// Switches the condition at this place of [`Self::chips`] on or off. Answers the query that this makes.
    #[must_use]
    pub(super) fn toggled(&mut self, place: usize) -> Option<Query> {
        let chip = self.chips().into_iter().nth(place)?;
        if chip.on {
            let text = parts::text(&self.query, chip.index)?;
            // In order of place, so that each finds its own again.
            let at = self.off.iter().position(|off| off.place > place).unwrap_or(self.off.len());
            self.off.insert(at, OffChip { text, place });
            return Some(self.query.without(chip.index));
        }
        let off = self.off.remove(chip.index);
        let before = self.off.iter().filter(|other| other.place < off.place).count();
        parts::with(&self.query, off.place.saturating_sub(before), &off.text)
    }

    /// Takes the condition at this place away for good. Answers the query that this makes.
    #[must_use]
    pub(super) fn removed(&mut self, place: usize) -> Option<Query> {
        let chip = self.chips().into_iter().nth(place)?;
        let query = if chip.on { self.query.without(chip.index) } else { (*self.query).clone() };
        if !chip.on {
            self.off.remove(chip.index);
        }
        for off in self.off.iter_mut().filter(|off| off.place > place) {
            off.place -= 1;
        }
        Some(query)
    }
}

/// Earlier and saved filters: what is kept across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Library {
    /// Earlier filters, the latest last, each once.
    pub history: Vec<String>,
    /// Saved filters by name.
    pub saved: Vec<SavedFilter>,
}

/// A filter with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedFilter {
    /// Its name; there are no two of one name.
    pub name: String,
    /// The filter as typed.
    pub text: String,
}

/// A change of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LibraryChange {
    /// None: it is read.
    Read,
    /// A filter was used.
    Remember(String),
    /// A filter is saved, in place of one of that name.
    Save(SavedFilter),
    /// The saved filter of that name goes.
    Unsave(String),
    /// An earlier filter goes.
    Forget(String),
}

impl Library {
    /// Earlier filters that are kept.
    pub const MOST_EARLIER: usize = 500;
    /// Saved filters that are kept.
    pub const MOST_SAVED: usize = 200;
    /// Bytes of a filter or name that are kept; longer ones are not.
    pub const LONGEST: usize = 4096;

    /// Makes the change, within the bounds.
    pub fn apply(&mut self, change: &LibraryChange) {
        match change {
            LibraryChange::Read => {}
            LibraryChange::Remember(text) => {
                self.history.retain(|known| known != text);
                self.history.push(text.clone());
            }
            LibraryChange::Save(filter) => {
                self.saved.retain(|known| known.name != filter.name);
                self.saved.push(filter.clone());
            }
            LibraryChange::Unsave(name) => self.saved.retain(|known| known.name != *name),
            LibraryChange::Forget(text) => self.history.retain(|known| known != text),
        }
        let fits = |text: &str| !text.trim().is_empty() && text.len() <= Self::LONGEST;
        self.history.retain(|text| fits(text));
        self.saved.retain(|filter| fits(&filter.name) && fits(&filter.text));
        self.history.drain(..self.history.len().saturating_sub(Self::MOST_EARLIER));
        self.saved.drain(..self.saved.len().saturating_sub(Self::MOST_SAVED));
    }
}

/// A list to choose from by typing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picker {
    /// What is chosen.
    pub purpose: Purpose,
    /// What is typed.
    pub text: String,
    /// Where the cursor is in it, in bytes.
    pub cursor: usize,
    /// All there is.
    pub items: Vec<Item>,
    /// Indexes into `items` of what fits, best first.
    pub found: Vec<usize>,
    /// Which of `found` is chosen.
    pub chosen: usize,
}

/// What a [`Picker`] is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// An earlier or a saved filter.
    #[default]
    Filter,
    /// The attribute whose values are wanted.
    Attribute,
    /// A server of the settings file, to be asked or left.
    Server,
}

/// Something that can be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The name of a saved filter or of a server; empty where there is none.
    pub name: String,
    /// The filter, the key, or where the server is.
    pub text: String,
    /// How many spans carry it, where that is known.
    pub count: Option<u64>,
}

/// The name under which a filter is to be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// What is typed.
    pub text: String,
    /// Where the cursor is in it, in bytes.
    pub cursor: usize,
    /// The filter.
    pub filter: String,
}

/// The values of an attribute on screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueTable {
    /// The attribute.
    pub key: String,
    /// What was counted; `None` while it is.
    pub values: Option<Arc<Values>>,
    /// Indexes into [`Values::rows`] in the order shown.
    pub order: Vec<usize>,
    /// The order.
    pub sort: ValueSort,
    /// Which of `order` is chosen.
    pub chosen: usize,
    /// The first of `order` that is shown.
    pub offset: usize,
    /// Of the request; answers to others are dropped.
    pub generation: u64,
}

/// What values are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueSort {
    /// Most spans first.
    #[default]
    Count,
    /// Most errors among its spans first.
    Errors,
    /// Slowest first.
    Duration,
    /// By the value itself.
    Value,
}

/// The values of an attribute, over the spans of the traces that match a filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// The filter; empty: everything held.
    pub filter: String,
    /// How many traces match it.
    pub traces: u64,
    /// How many spans they have.
    pub spans: u64,
    /// The values, most spans first.
    pub rows: Vec<ValueRow>,
    /// Values beyond those, summed up; the number of values is not known exactly.
    pub others: Option<ValueRow>,
}

/// One value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueRow {
    /// The value as text.
    pub value: String,
    /// How many spans carry it.
    pub spans: u64,
    /// How many of them failed.
    pub errors: u64,
    /// 95th percentile of their durations, within a few percent.
    pub p95: Nanos,
}

/// Names from the data at hand, for examples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    /// A service.
    pub service: Option<String>,
    /// An operation.
    pub operation: Option<String>,
    /// Attributes with a value each.
    pub pairs: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(text: &str) -> FilterBar {
        FilterBar { query: Arc::new(parse(text).unwrap()), ..FilterBar::default() }
    }

    fn told(bar: &FilterBar) -> String {
        let chip = |chip: Chip| format!("{}{}", if chip.on { "+" } else { "-" }, chip.words);
        bar.chips().into_iter().map(chip).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_condition_that_is_switched_off_keeps_its_place_and_comes_back() {
        let mut bar = bar("service=a error=true kind=server");
        let start = told(&bar);
        bar.query = Arc::new(bar.toggled(1).unwrap());
        assert_eq!(told(&bar), "+service is a -span failed +kind is server");
        bar.query = Arc::new(bar.toggled(0).unwrap());
        assert_eq!(told(&bar), "-service is a -span failed +kind is server");
        bar.query = Arc::new(bar.toggled(1).unwrap());
        bar.query = Arc::new(bar.toggled(0).unwrap());
        assert_eq!((told(&bar), bar.query.to_string()), (start, "service=a error=true kind=server".to_owned()));
        bar.query = Arc::new(bar.toggled(2).unwrap());
        bar.query = Arc::new(bar.removed(0).unwrap());
        assert_eq!(told(&bar), "+span failed -kind is server");
        bar.query = Arc::new(bar.removed(1).unwrap());
        assert_eq!(told(&bar), "+span failed");
    }

    #[test]
    fn stages_are_conditions_too() {
        let mut bar = bar("{ name = \"a\" } | count() > 2");
        bar.query = Arc::new(bar.toggled(1).unwrap());
        assert_eq!(bar.query.stages.len(), 0);
        bar.query = Arc::new(bar.toggled(1).unwrap());
        assert_eq!(bar.query.stages.len(), 1, "{}", bar.query);
    }

    #[test]
    fn the_library_holds_each_filter_once_and_not_too_many() {
        let mut library = Library::default();
        for number in 0..Library::MOST_EARLIER + 7 {
            library.apply(&LibraryChange::Remember(format!("key={number}")));
        }
        library.apply(&LibraryChange::Remember("key=9".into()));
        library.apply(&LibraryChange::Remember(" ".into()));
        library.apply(&LibraryChange::Remember("x".repeat(Library::LONGEST + 1)));
        assert_eq!((library.history.len(), library.history.last().unwrap().as_str()), (Library::MOST_EARLIER, "key=9"));
        let save = |text: &str| LibraryChange::Save(SavedFilter { name: "slow".into(), text: text.into() });
        library.apply(&save("minDuration=1s"));
        library.apply(&save("minDuration=2s"));
        assert_eq!(library.saved.iter().map(|saved| saved.text.as_str()).collect::<Vec<_>>(), ["minDuration=2s"]);
        library.apply(&LibraryChange::Unsave("slow".into()));
        assert!(library.saved.is_empty());
    }
}
