//! What a statement does and to which tables, in few words.

use super::lexer::{Lexer, Token};

/// The longest summary in bytes, as the semantic conventions ask.
const MOST: usize = 255;

/// `db.query.summary` by the semantic conventions: operations and their targets in the order and case in which they stand
/// in `sql`: `INSERT shipping_details SELECT orders`. Empty where nothing reads as an operation.
#[must_use]
pub fn query_summary(sql: &str) -> String {
    summarise(sql).text
}

/// A summary, and whether it names a target.
#[derive(Debug, Default)]
pub(super) struct Summarised {
    pub(super) text: String,
    pub(super) targets: usize,
    full: bool,
}

impl Summarised {
    /// Adds a word; what no longer fits leaves the rest out, at a word's end.
    fn push(&mut self, word: &str) {
        self.full |= self.text.len() + 1 + word.len() > MOST;
        if self.full {
            return;
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(word);
    }
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Anything,
    /// The name of a table or procedure.
    Target,
    /// What is created, altered or dropped: `TABLE`, `INDEX`.
    Object,
}

/// What a word means to a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// An operation whose targets come after `FROM`.
    Query,
    /// An operation whose target comes right after it, or after `INTO`.
    Change,
    /// The same where it is the first: elsewhere it is a function or a part of another operation.
    Start,
    /// `CREATE`, `ALTER`, `DROP`, `TRUNCATE`.
    Define,
    /// `FROM`.
    From,
    /// `JOIN`, `INTO`.
    Before,
    /// Ends a list of tables.
    Ends,
    /// May stand before a target.
    Noise,
    Nothing,
}

fn meaning(word: &str) -> Meaning {
    // Most words are names: their length tells them from the few that matter.
    if !(2..=9).contains(&word.len()) {
        return Meaning::Nothing;
    }
    let table: &[(&str, Meaning)] = &[
        ("SELECT", Meaning::Query),
        ("DELETE", Meaning::Query),
        ("INSERT", Meaning::Change),
        ("UPDATE", Meaning::Change),
        ("MERGE", Meaning::Start),
        ("REPLACE", Meaning::Start),
        ("CALL", Meaning::Start),
        ("EXEC", Meaning::Start),
        ("EXECUTE", Meaning::Start),
        ("CREATE", Meaning::Define),
        ("ALTER", Meaning::Define),
        ("DROP", Meaning::Define),
        ("TRUNCATE", Meaning::Define),
        ("FROM", Meaning::From),
        ("JOIN", Meaning::Before),
        ("INTO", Meaning::Before),
        ("WHERE", Meaning::Ends),
        ("GROUP", Meaning::Ends),
        ("ORDER", Meaning::Ends),
        ("HAVING", Meaning::Ends),
        ("UNION", Meaning::Ends),
        ("LIMIT", Meaning::Ends),
        ("SET", Meaning::Ends),
        ("ONLY", Meaning::Noise),
        ("LATERAL", Meaning::Noise),
        ("IGNORE", Meaning::Noise),
        ("OR", Meaning::Noise),
        ("IF", Meaning::Noise),
        ("NOT", Meaning::Noise),
        ("EXISTS", Meaning::Noise),
    ];
    table.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map_or(Meaning::Nothing, |(_, meaning)| *meaning)
}

struct Reader<'a> {
    sql: &'a str,
    out: Summarised,
    awaited: Awaited,
    /// For each open bracket, the innermost in the lowest bit: a query stands in it, its tables are being listed.
    /// Deeper than 64 is forgotten.
    query: u64,
    tables: u64,
    /// The word before.
    before: &'a str,
}

pub(super) fn summarise(sql: &str) -> Summarised {
    let mut tokens = Lexer::new(sql);
    let mut reader =
        Reader { sql, out: Summarised::default(), awaited: Awaited::Anything, query: 0, tables: 0, before: "" };
    // A target in parts, `dbo.orders`: where it began, and where its last part or point ended.
    let mut target: Option<(usize, usize)> = None;
    let mut first = "";
    while let Some((token, from, end)) = tokens.next() {
        if let Some((begun, ended)) = target {
            let goes_on = ended == from
                && matches!(token, Token::Symbol(b'.') | Token::Word | Token::Name)
                && (token == Token::Symbol(b'.')) != sql.get(..ended).is_some_and(|so_far| so_far.ends_with('.'));
            if goes_on {
                target = Some((begun, end));
                continue;
            }
            reader.target(begun, ended);
            target = None;
        }
        let text = sql.get(from..end).unwrap_or_default();
        match token {
            Token::Space | Token::Comment | Token::Cut => {}
            Token::Word => {
                if first.is_empty() {
                    first = text;
                }
                if reader.word(text) {
                    target = Some((from, end));
                }
                reader.before = text;
            }
            Token::Name if reader.awaited == Awaited::Target => target = Some((from, end)),
            Token::Symbol(symbol) => reader.symbol(symbol),
            _ => reader.awaited = Awaited::Anything,
        }
    }
    if let Some((begun, ended)) = target {
        reader.target(begun, ended);
    }
    if reader.out.text.is_empty() {
        reader.out.push(first);
    }
    reader.out
}

impl Reader<'_> {
    fn target(&mut self, from: usize, end: usize) {
        self.out.push(self.sql.get(from..end).unwrap_or_default());
        // One that is too long for a summary is none.
        self.out.targets += usize::from(!self.out.full);
        self.awaited = Awaited::Anything;
    }

    /// Takes a word; says whether a target begins with it.
    fn word(&mut self, word: &str) -> bool {
        let meaning = meaning(word);
        let follows = |words: &[&str]| words.iter().any(|other| self.before.eq_ignore_ascii_case(other));
        let noise = matches!(meaning, Meaning::Query | Meaning::Noise | Meaning::Before) || follows(&["OR"]);
        match self.awaited {
            Awaited::Object => {
                self.out.push(word);
                self.awaited = Awaited::Target;
                return false;
            }
            Awaited::Target if !noise => return true,
            _ => {}
        }
        match meaning {
            // FOR UPDATE, ON DELETE, DO UPDATE and KEY UPDATE are parts of another operation.
            Meaning::Query | Meaning::Change if !follows(&["FOR", "ON", "DO", "KEY", "THEN"]) => {
                self.operation(word, meaning);
            }
            Meaning::Start if self.out.text.is_empty() => self.operation(word, meaning),
            Meaning::Define if self.out.text.is_empty() => {
                self.out.push(word);
                self.awaited = Awaited::Object;
            }
            // `EXTRACT(year FROM x)` and `IS DISTINCT FROM` name no table.
            Meaning::From if self.query & 1 == 1 && !self.before.eq_ignore_ascii_case("DISTINCT") => {
                self.tables |= 1;
                self.awaited = Awaited::Target;
            }
            Meaning::Before => self.awaited = Awaited::Target,
            Meaning::Ends => self.tables &= !1,
            _ => {}
        }
        false
    }

    fn operation(&mut self, word: &str, meaning: Meaning) {
        self.out.push(word);
        self.query |= 1;
        self.tables &= !1;
        self.awaited = if meaning == Meaning::Query { Awaited::Anything } else { Awaited::Target };
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'(' => {
                // `FROM (a JOIN b …)`: what is awaited goes on inside.
                let listing = u64::from(self.awaited == Awaited::Target);
                self.query = self.query << 1 | listing;
                self.tables = self.tables << 1 | listing;
            }
            b')' => {
                self.query >>= 1;
                self.tables >>= 1;
                self.awaited = Awaited::Anything;
            }
            b',' if self.tables & 1 == 1 => self.awaited = Awaited::Target,
            _ => self.awaited = Awaited::Anything,
        }
    }
}
