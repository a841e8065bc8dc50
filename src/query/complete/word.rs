//! The part of a filter that is being typed.

use crate::query::{Relation, Scope};

/// Where the cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Outside of braces.
    Bare,
    /// Within `{ }`.
    Braces,
    /// Within the parentheses of a stage: fields without a comparison.
    Fields,
    /// After `|`.
    Stage,
}

/// The part of the filter that is being typed.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) mode: Mode,
    /// The key whose value is typed; `None`: the key itself, or a bare word.
    pub(super) key: Option<String>,
    /// What of it stands before the cursor, without its quote, its `@` and its prefixes.
    pub(super) typed: String,
    /// It began with a quote.
    pub(super) quoted: bool,
    /// The prefixes before the key that is typed.
    pub(super) prefix: Prefix,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What stands before a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Prefix {
    #[default]
    None,
    /// `root.` and the like: everything may follow.
    Relation,
    /// `span.` and the like: an attribute follows.
    Scope,
}

/// Reads from the left, because whether a space separates depends on the quotes before it.
pub(super) struct Reader {
    mode: Mode,
    quote: Option<char>,
    escaped: bool,
    /// Where the word begins.
    start: usize,
    /// Where its key ends, if it has one, and where its value begins.
    key: Option<(usize, usize)>,
    /// Where the comparison began, while it may go on.
    sign: Option<usize>,
    /// Parentheses opened within the word.
    open: usize,
    /// Where what stands within the parentheses of a stage begins.
    inner: Option<usize>,
    /// Where the space behind the word ends: within braces a comparison may follow there.
    gap: Option<usize>,
}

impl Word {
    /// The word at `cursor`, in bytes.
    pub(super) fn at(text: &str, cursor: usize) -> Self {
        let mut reader = Reader {
            mode: Mode::Bare,
            quote: None,
            escaped: false,
            start: 0,
            key: None,
            sign: None,
            open: 0,
            inner: None,
            gap: None,
        };
        let mut end = text.len();
        for (at, symbol) in text.char_indices() {
            if at >= cursor && reader.ends(text, at, symbol) {
                end = at;
                break;
            }
            reader.read(text, at, symbol, at < cursor);
        }
        reader.word(text, cursor, end)
    }
}

impl Reader {
    /// Whether the word ends before a symbol.
    fn ends(&self, text: &str, at: usize, symbol: char) -> bool {
        self.quote.is_none() && at >= self.begin() && self.separates(text, at, symbol)
    }

    /// Where what is typed begins: the value, or the word.
    fn begin(&self) -> usize {
        self.key.map_or(self.start, |(_, value)| value)
    }

    fn separates(&self, text: &str, at: usize, symbol: char) -> bool {
        let rest = text.get(at..).unwrap_or_default();
        match self.mode {
            Mode::Bare => {
                symbol.is_whitespace()
                    || (symbol == ')' && self.open == 0)
                    || rest.starts_with("&&")
                    || rest.starts_with("||")
            }
            Mode::Stage if self.open > 0 => symbol.is_whitespace() || ",)".contains(symbol),
            Mode::Stage => symbol.is_whitespace() || symbol == '|',
            Mode::Braces | Mode::Fields => symbol.is_whitespace() || "{}()&|,".contains(symbol),
        }
    }

    fn read(&mut self, text: &str, at: usize, symbol: char, before: bool) {
        if let Some(quote) = self.quote {
            if symbol == quote && !self.escaped {
                self.quote = None;
            }
            self.escaped = symbol == '\\' && !self.escaped;
            return;
        }
        let next = at + symbol.len_utf8();
        if self.gap.is_some() && !symbol.is_whitespace() && !self.compares(text, at, symbol) {
            self.fresh(at);
        }
        if self.mode == Mode::Stage && self.within_parentheses(at, symbol, next) {
            return;
        }
        let at_start = at == self.begin();
        match self.mode {
            Mode::Bare if at_start && self.key.is_none() && symbol == '{' => self.enter(Mode::Braces, next),
            Mode::Bare if at_start && self.key.is_none() && symbol == '|' => self.enter(Mode::Stage, next),
            Mode::Stage if symbol == '{' => self.enter(Mode::Braces, next),
            Mode::Braces if symbol == '}' => self.enter(Mode::Bare, next),
            _ if matches!(symbol, '"' | '`') && (at_start || self.after_prefix(text, at)) => self.quote = Some(symbol),
            _ if before && self.compares(text, at, symbol) => {
                let key_end = self.key.map_or(at, |(end, _)| end);
                self.gap = None;
                self.key = Some((key_end, next));
                self.sign = Some(next);
            }
            Mode::Bare if at_start && self.key.is_none() && matches!(symbol, '-' | '!' | '(') => self.start = next,
            Mode::Bare if before || at >= self.begin() => self.bare(text, at, symbol, next),
            _ if self.separates(text, at, symbol) => self.space(symbol, next),
            _ => {}
        }
    }

    /// Whether a symbol is a parenthesis of a stage, or within.
    fn within_parentheses(&mut self, at: usize, symbol: char, next: usize) -> bool {
        match symbol {
            '(' => (self.open, self.inner) = (self.open + 1, Some(next)),
            ')' if self.open > 0 => (self.open, self.inner) = (self.open - 1, None),
            ',' if self.open > 0 => self.inner = Some(next),
            symbol if self.open > 0 && symbol.is_whitespace() => self.inner = Some(next),
            _ => return self.open > 0 && at >= self.start,
        }
        true
    }

    fn bare(&mut self, text: &str, at: usize, symbol: char, next: usize) {
        if self.separates(text, at, symbol) {
            self.space(symbol, next);
        } else if symbol == '(' {
            self.open += 1;
        } else if symbol == ')' {
            self.open -= 1;
        }
    }

    fn after_prefix(&self, text: &str, at: usize) -> bool {
        let word = text.get(self.start..at).unwrap_or_default();
        self.key.is_none() && (word.ends_with('.') || word.is_empty())
    }

    /// Whether a symbol is a comparison's.
    fn compares(&self, text: &str, at: usize, symbol: char) -> bool {
        let rest = text.get(at..).unwrap_or_default();
        let goes_on = self.sign == Some(at) && matches!(symbol, '=' | '~');
        let name = text.get(self.start..at).unwrap_or_default();
        let begins = self.key.is_none()
            && match symbol {
                '=' | '<' | '>' => true,
                '!' => rest.starts_with("!=") || rest.starts_with("!~"),
                ':' => {
                    let scope = matches!(name, "span" | "trace" | "event" | "link" | "instrumentation");
                    self.mode == Mode::Bare && !rest.starts_with("://") && !scope
                }
                _ => false,
            };
        goes_on || (begins && !name.trim().is_empty())
    }

    fn enter(&mut self, mode: Mode, start: usize) {
        self.mode = mode;
        self.fresh(start);
    }

    fn fresh(&mut self, start: usize) {
        (self.start, self.key, self.sign) = (start, None, None);
        (self.open, self.inner, self.gap) = (0, None, None);
    }

    /// A separator. Within braces and stages spaces may stand around a comparison.
    fn space(&mut self, symbol: char, next: usize) {
        let spaced = self.mode != Mode::Bare && symbol.is_whitespace();
        match &mut self.key {
            Some((_, value)) if spaced && self.sign == Some(*value) => {
                *value = next;
                self.sign = Some(next);
            }
            None if spaced && next > self.start + symbol.len_utf8() => self.gap = Some(next),
            _ => self.fresh(next),
        }
    }

    fn word(mut self, text: &str, cursor: usize, end: usize) -> Word {
        if let Some(gap) = self.gap {
            self.fresh(gap);
        }
        if let Some(inner) = self.inner.filter(|_| self.mode == Mode::Stage && self.open > 0) {
            self.enter(Mode::Fields, inner);
        }
        let mut start = self.begin().min(end);
        let key = self.key.and_then(|(key_end, _)| text.get(self.start..key_end));
        let key = key.map(|key| key.trim().trim_end_matches('!').trim_matches('"').to_owned());
        let mut prefix = Prefix::None;
        if key.is_none() && self.mode != Mode::Stage {
            (start, prefix) = self.prefixed(text, start, cursor.min(end));
        }
        let typed = text.get(start..cursor.min(end)).unwrap_or_default();
        let unquoted = typed.strip_prefix(['"', '`']).unwrap_or(typed);
        let marked = if key.is_none() { unquoted.strip_prefix('@').unwrap_or(unquoted) } else { unquoted };
        let quoted = typed.starts_with(['"', '`']);
        let typed = marked.trim_end_matches('"').to_owned();
        Word { mode: self.mode, key, typed, quoted, prefix, start, end }
    }

    /// Where the key begins behind its prefixes.
    fn prefixed(&self, text: &str, mut start: usize, cursor: usize) -> (usize, Prefix) {
        let typed = |start: usize| text.get(start..cursor).unwrap_or_default();
        let mut found = Prefix::None;
        let relations: &[Relation] = if self.mode == Mode::Bare { &Relation::WITH_PREFIX } else { &[Relation::Parent] };
        if let Some(relation) = relations.iter().find(|relation| typed(start).starts_with(relation.prefix())) {
            (start, found) = (start + relation.prefix().len(), Prefix::Relation);
        }
        if let Some(scope) = Scope::WITH_PREFIX.iter().find(|scope| typed(start).starts_with(scope.prefix())) {
            (start, found) = (start + scope.prefix().len(), Prefix::Scope);
        } else if matches!(self.mode, Mode::Braces | Mode::Fields) && typed(start).starts_with('.') {
            (start, found) = (start + 1, Prefix::Scope);
        }
        (start, found)
    }
}
