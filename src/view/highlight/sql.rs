//! SQL over lines: a new line before each clause, its keyword padded so that what follows lines up. Only white space outside
//! strings and comments changes.

/// Cells that a clause's keyword takes with the blank after it.
const PAD: usize = 7;

/// Keywords that begin a line where they stand at the top level.
const CLAUSES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "VALUES",
    "SET",
    "RETURNING",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "JOIN",
    "AND",
    "OR",
    "INSERT",
    "UPDATE",
    "DELETE",
    "WITH",
    "WINDOW",
];

/// A piece of the text: what it is, and itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Space,
    Word(&'a str),
    /// A comment to the end of its line.
    LineComment(&'a str),
    /// A string, quoted name or block comment.
    Fixed(&'a str),
    Symbol(&'a str),
}

/// What is known while going through a statement.
#[derive(Default)]
struct Writer {
    out: String,
    /// Brackets and CASEs that are open.
    depth: usize,
    /// A BETWEEN whose AND is still to come.
    between: bool,
    /// Where the keyword begins that is to be padded.
    keyword: Option<usize>,
}

/// `text` over lines.
pub(super) fn format(text: &str) -> String {
    let parts = parts(text);
    let mut writer = Writer { out: String::with_capacity(text.len() + text.len() / 8), ..Writer::default() };
    let mut space = false;
    for (index, part) in parts.iter().enumerate() {
        if *part == Part::Space {
            space = true;
            continue;
        }
        if let Part::Word(word) = part {
            space &= !writer.word(&parts, index, &word.to_ascii_uppercase());
        }
        writer.put(part, space);
        space = false;
    }
    let end = writer.out.trim_end().len();
    writer.out.truncate(end);
    writer.out
}

impl Writer {
    /// Begins a new line where this word asks for one, and says so.
    fn word(&mut self, parts: &[Part<'_>], index: usize, upper: &str) -> bool {
        match upper {
            "CASE" => self.depth += 1,
            "END" => self.depth = self.depth.saturating_sub(1),
            "BETWEEN" => self.between = true,
            _ => {}
        }
        let ends_between = self.between && upper == "AND";
        self.between &= !ends_between;
        if self.depth > 0 || ends_between || !begins_line(parts, index, upper) {
            return false;
        }
        let end = self.out.trim_end_matches(' ').len();
        self.out.truncate(end);
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.keyword = Some(self.out.len());
        true
    }

    /// Writes a part, after white space where there was some or a keyword is to be padded.
    fn put(&mut self, part: &Part<'_>, space: bool) {
        let keyword = self.keyword.and_then(|from| self.out.get(from..)).filter(|keyword| !keyword.is_empty());
        let pad = keyword.filter(|keyword| !continues(keyword, part)).map(|keyword| PAD.saturating_sub(keyword.len()));
        if let Some(pad) = pad.filter(|_| space || !matches!(part, Part::Word(_))) {
            self.out.push_str(&" ".repeat(pad.max(1)));
            self.keyword = None;
        } else if space && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
        match part {
            Part::Space => {}
            Part::Word(text) | Part::Fixed(text) => self.out.push_str(text),
            Part::LineComment(text) => {
                self.out.push_str(text);
                self.out.push('\n');
            }
            Part::Symbol(text) => {
                match *text {
                    "(" => self.depth += 1,
                    ")" => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                self.out.push_str(text);
            }
        }
    }
}

/// Whether `next` belongs to the keyword in `so_far`: `GROUP BY`, `LEFT OUTER JOIN`, `INSERT INTO`.
fn continues(so_far: &str, next: &Part<'_>) -> bool {
    let Part::Word(next) = next else { return false };
    let last = so_far.rsplit(' ').next().unwrap_or_default().to_ascii_uppercase();
    let next = next.to_ascii_uppercase();
    matches!(
        (last.as_str(), next.as_str()),
        ("GROUP" | "ORDER", "BY")
            | ("LEFT" | "RIGHT" | "FULL", "OUTER" | "JOIN")
            | ("INNER" | "CROSS" | "NATURAL" | "OUTER", "JOIN")
            | ("INSERT", "INTO")
            | ("DELETE", "FROM")
            | ("UNION" | "INTERSECT" | "EXCEPT", "ALL")
            | ("SELECT", "DISTINCT")
    )
}

/// Whether the word at `index` begins a line.
fn begins_line(parts: &[Part<'_>], index: usize, upper: &str) -> bool {
    let before = word_near(parts, index, false);
    let after = word_near(parts, index, true);
    match upper {
        "GROUP" | "ORDER" => after.as_deref() == Some("BY"),
        "LEFT" | "RIGHT" | "FULL" | "INNER" | "CROSS" | "NATURAL" => {
            matches!(after.as_deref(), Some("JOIN" | "OUTER"))
        }
        "JOIN" => {
            let glued = ["LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "OUTER"];
            before.is_none_or(|before| !glued.contains(&before.as_str()))
        }
        "FROM" => !matches!(before.as_deref(), Some("DELETE" | "DISTINCT")),
        "UPDATE" | "DELETE" => !matches!(before.as_deref(), Some("FOR" | "ON" | "DO" | "KEY")),
        _ => CLAUSES.contains(&upper),
    }
}

/// The word right beside the one at `index`, in upper case; `None` where something else stands between.
fn word_near(parts: &[Part<'_>], index: usize, forward: bool) -> Option<String> {
    let mut at = index;
    loop {
        at = if forward { at.checked_add(1)? } else { at.checked_sub(1)? };
        match parts.get(at)? {
            Part::Space => {}
            Part::Word(word) => return Some(word.to_ascii_uppercase()),
            _ => return None,
        }
    }
}

fn parts<'a>(text: &'a str) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, kind): (usize, fn(&'a str) -> Part<'a>) = if first.is_whitespace() {
            (run(rest, char::is_whitespace), |_| Part::Space)
        } else if first.is_alphanumeric() || first == '_' {
            (run(rest, |letter| letter.is_alphanumeric() || letter == '_'), Part::Word)
        } else if rest.starts_with("--") {
            (run(rest, |letter| letter != '\n'), Part::LineComment)
        } else if rest.starts_with("/*") {
            (after(rest, 2, "*/"), Part::Fixed)
        } else if matches!(first, '\'' | '"' | '`') {
            (quoted(rest, first), Part::Fixed)
        } else if let Some(tag) = dollar_tag(rest) {
            (after(rest, tag.len(), tag), Part::Fixed)
        } else {
            (first.len_utf8(), Part::Symbol)
        };
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        parts.push(kind(part));
        rest = after;
    }
    parts
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !belongs(letter)).unwrap_or(text.len())
}

/// Up to and with the first `end` behind the first `from` bytes.
fn after(text: &str, from: usize, end: &str) -> usize {
    text.get(from..).and_then(|rest| rest.find(end)).map_or(text.len(), |at| from + at + end.len())
}

fn quoted(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
            } else {
                return at + quote.len_utf8();
            }
        }
    }
    text.len()
}

/// `$$` or `$tag$` of PostgreSQL.
fn dollar_tag(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let name = run(rest, |letter| letter.is_alphanumeric() || letter == '_');
    let starts_with_digit = rest.starts_with(|letter: char| letter.is_ascii_digit());
    (!starts_with_digit && rest.get(name..)?.starts_with('$')).then(|| text.get(..name + 2)).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_clause_has_its_line_and_what_follows_lines_up() {
        let cases = [
            ("SELECT * FROM patients WHERE id = $1", "SELECT *\nFROM   patients\nWHERE  id = $1"),
            (
                "select a,b from t left join u on u.id=t.id where x between 1 and 2 and y='from z' group by a order by b limit 3",
                "select a,b\nfrom   t\nleft join u on u.id=t.id\nwhere  x between 1 and 2\nand    y='from z'\ngroup by a\norder by b\nlimit  3",
            ),
            (
                "INSERT INTO t (a, b) VALUES (1, 'x') RETURNING id",
                "INSERT INTO t (a, b)\nVALUES (1, 'x')\nRETURNING id",
            ),
            ("UPDATE t SET a = 1 WHERE b = 2", "UPDATE t\nSET    a = 1\nWHERE  b = 2"),
            ("DELETE FROM t WHERE a IN (SELECT b FROM c)", "DELETE FROM t\nWHERE  a IN (SELECT b FROM c)"),
            ("SELECT 1 -- note\nFROM t", "SELECT 1 -- note\nFROM   t"),
            (
                "SELECT CASE WHEN a AND b THEN 1 END FROM t FOR UPDATE",
                "SELECT CASE WHEN a AND b THEN 1 END\nFROM   t FOR UPDATE",
            ),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(format(text), expected);
        }
    }

    proptest! {
        #[test]
        fn only_white_space_outside_strings_and_comments_changes(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("SELECT"), Just("from"), Just("'a  b'"), Just("("), Just(")"), Just(" "), Just("\n"), Just("--c\n"),
                    Just("/* x  y */"), Just("AND"), Just("x"), Just("$1"), Just("="), Just("\"q\""), Just("LEFT"), Just("JOIN"),
                    Just("'"), Just("é"), Just("$$"), Just("\\"),
                ],
                0..40,
            )
        ) {
            let text = words.concat();
            let kept = |text: &str| -> Vec<String> {
                let keep = |part: Part<'_>| match part {
                    Part::Space => None,
                    Part::Word(text) | Part::Fixed(text) | Part::Symbol(text) | Part::LineComment(text) => {
                        Some(text.trim_end().to_owned())
                    }
                };
                parts(text).into_iter().filter_map(keep).collect()
            };
            let formatted = format(&text);
            prop_assert_eq!(kept(&formatted).concat(), kept(&text).concat());
        }
    }
}
