//! Where in the settings file a key stands, so that a value that cannot be used is named with its line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// The lines of a settings file's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    path: PathBuf,
    lines: BTreeMap<String, usize>,
}

impl Places {
    /// Reads where the keys of `text` stand; of text that is not TOML nothing is known.
    pub(super) fn of(path: &Path, text: &str) -> Self {
        let mut places = Self { path: path.to_owned(), lines: BTreeMap::new() };
        if let Ok(table) = DeTable::parse(text) {
            places.note("", table.get_ref(), text);
        }
        places
    }

    fn note(&mut self, above: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table {
            let name = format!("{above}{}", key.get_ref());
            let before = text.as_bytes().get(..key.span().start).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            if let DeValue::Table(inner) = value.get_ref() {
                self.note(&format!("{name}."), inner, text);
            }
            self.lines.insert(name, line);
        }
    }

    /// A path that stands in the file, as it is meant there.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        super::remote::beside(self.path.parent().unwrap_or_else(|| Path::new("")), path)
    }

    /// Where the key stands, in words: `/home/ann/.config/tracefall/config.toml, line 3, key redact.patterns`.
    #[must_use]
    pub fn of_key(&self, key: &str) -> String {
        let line = self.lines.get(key).map_or_else(String::new, |line| format!(", line {line}"));
        format!("{}{line}, key {key}", self.path.display())
    }
}
