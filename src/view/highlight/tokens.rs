//! Formatted text → tokens, by syntect's grammars.

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use crate::app::{Language, Token};

/// Bytes that the grammar reads; what follows stays plain. A grammar takes milliseconds for each kilobyte.
const READ: usize = 16 * 1024;

type Line = Vec<(Token, String)>;

/// Words that the grammar does not know as keywords and that are so in common dialects.
const MORE_KEYWORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "AS",
    "ON",
    "LIMIT",
    "OFFSET",
    "RETURNING",
    "VALUES",
    "SET",
    "INTO",
    "JOIN",
    "LEFT",
    "RIGHT",
    "INNER",
    "OUTER",
    "FULL",
    "CROSS",
    "GROUP",
    "ORDER",
    "BY",
    "HAVING",
    "UNION",
    "ALL",
    "DISTINCT",
    "WITH",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "EXISTS",
    "ASC",
    "DESC",
    "FOR",
    "CONFLICT",
    "DO",
    "NOTHING",
    "USING",
    "INTERSECT",
    "EXCEPT",
    "RECURSIVE",
    "LATERAL",
];

/// The lines of `text` as tokens.
pub(super) fn tokens(syntaxes: &SyntaxSet, language: Language, text: &str) -> Vec<Line> {
    let syntax = match language {
        Language::Sql => syntaxes.find_syntax_by_name("SQL"),
        Language::Json => syntaxes.find_syntax_by_extension("json"),
    };
    let mut state = syntax.map(ParseState::new);
    let classes = Classes::new();
    let mut stack = ScopeStack::new();
    let mut read = 0;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        read += line.len() + 1;
        let parsed = state.as_mut().filter(|_| read <= READ).and_then(|state| {
            let line = format!("{line}\n");
            state.parse_line(&line, syntaxes).ok()
        });
        let mut tokens: Line = Vec::new();
        let mut from = 0;
        for (at, operation) in parsed.unwrap_or_default() {
            let at = at.min(line.len());
            push(&mut tokens, classes.token(&stack), line.get(from..at).unwrap_or_default());
            from = at;
            if stack.apply(&operation).is_err() {
                break;
            }
        }
        push(&mut tokens, classes.token(&stack), line.get(from..).unwrap_or_default());
        if language == Language::Sql {
            tokens = sql_words(line, &tokens);
        }
        lines.push(tokens);
    }
    lines
}

fn push(tokens: &mut Line, token: Token, text: &str) {
    if text.is_empty() {
        return;
    }
    match tokens.last_mut() {
        Some((last, so_far)) if *last == token => so_far.push_str(text),
        _ => tokens.push((token, text.to_owned())),
    }
}

/// What scopes mean, the innermost first.
struct Classes(Vec<(Scope, Token)>);

impl Classes {
    fn new() -> Self {
        let table = [
            ("comment", Token::Comment),
            ("meta.mapping.key", Token::Name),
            ("meta.structure.dictionary.key", Token::Name),
            ("string.quoted.other.backtick", Token::Name),
            ("constant.numeric", Token::Number),
            ("constant.language", Token::Number),
            ("string", Token::Text),
            ("variable.parameter", Token::Parameter),
            ("keyword.operator", Token::Operator),
            ("keyword", Token::Keyword),
            ("storage", Token::Keyword),
            ("punctuation", Token::Operator),
            ("support", Token::Name),
            ("entity", Token::Name),
        ];
        Self(table.iter().filter_map(|(name, token)| Some((Scope::new(name).ok()?, *token))).collect())
    }

    fn token(&self, stack: &ScopeStack) -> Token {
        // Strings and comments hold whatever stands inside them; elsewhere the innermost scope counts.
        for (scope, token) in self.0.iter().take(4) {
            if stack.as_slice().iter().any(|own| scope.is_prefix_of(*own)) {
                return *token;
            }
        }
        let string = self.0.iter().find(|(_, token)| *token == Token::Text);
        if let Some((scope, token)) = string
            && stack.as_slice().iter().any(|own| scope.is_prefix_of(*own))
        {
            return *token;
        }
        let of = |own: &Scope| self.0.iter().find(|(scope, _)| scope.is_prefix_of(*own)).map(|(_, token)| *token);
        stack.as_slice().iter().rev().find_map(of).unwrap_or_default()
    }
}

/// The tokens of a line, with the parameters and keywords of dialects that the grammar knows nothing of.
fn sql_words(line: &str, tokens: &Line) -> Line {
    let mut out: Line = Vec::new();
    let mut rest = line;
    let mut known = tokens.iter().map(|(token, text)| (*token, text.len()));
    let (mut token, mut left) = known.next().unwrap_or_default();
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    while let Some(first) = rest.chars().next() {
        let fixed = matches!(token, Token::Text | Token::Comment);
        let run = || rest.find(|letter| !word(letter)).unwrap_or(rest.len());
        let (sort, length) = match parameter(rest) {
            _ if fixed => (token, left.min(rest.len()).max(first.len_utf8())),
            Some(length) => (Token::Parameter, length),
            None if word(first) => (word_sort(token, rest.get(..run()).unwrap_or_default()), run()),
            None => (token, first.len_utf8()),
        };
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        push(&mut out, sort, part);
        let mut passed = part.len();
        while passed >= left && passed > 0 {
            passed -= left;
            match known.next() {
                Some(next) => (token, left) = next,
                None => break,
            }
        }
        left = left.saturating_sub(passed);
        rest = after;
    }
    out
}

fn word_sort(token: Token, word: &str) -> Token {
    if MORE_KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) {
        return Token::Keyword;
    }
    match token {
        _ if word.starts_with(|letter: char| letter.is_ascii_digit()) => Token::Number,
        Token::Operator | Token::Number => Token::Plain,
        token => token,
    }
}

/// How long the parameter is that `text` begins with: `$1`, `?`, `:name`, `@p1`, `%s`, `%(name)s`.
fn parameter(text: &str) -> Option<usize> {
    let mut letters = text.chars();
    let first = letters.next()?;
    let second = letters.next();
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let run = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.find(|letter| !word(letter)).unwrap_or(rest.len())
    };
    match (first, second) {
        ('?', _) => Some(1),
        ('$', Some(second)) if second.is_ascii_digit() => Some(run(1)),
        (':' | '@', Some(second)) if second.is_alphabetic() || second == '_' => Some(run(1)),
        ('%', Some('s')) => Some(2),
        ('%', Some('(')) => text.find(")s").map(|at| at + 2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(language: Language, text: &str) -> Vec<(Token, String)> {
        let syntaxes = SyntaxSet::load_defaults_newlines();
        tokens(&syntaxes, language, text).into_iter().flatten().filter(|(_, text)| !text.trim().is_empty()).collect()
    }

    fn has(tokens: &[(Token, String)], token: Token, text: &str) -> bool {
        tokens.iter().any(|(own, part)| *own == token && part.trim() == text)
    }

    #[test]
    fn sql_is_cut_into_keywords_strings_numbers_and_parameters() {
        let tokens = shown(Language::Sql, "SELECT name FROM t WHERE id = $1 AND a = 'x' AND b = 42 AND c = :n -- why");
        for (token, text) in [
            (Token::Keyword, "SELECT"),
            (Token::Keyword, "AND"),
            (Token::Parameter, "$1"),
            (Token::Parameter, ":n"),
            (Token::Text, "'x'"),
            (Token::Number, "42"),
            (Token::Comment, "-- why"),
        ] {
            assert!(has(&tokens, token, text), "{token:?} {text} in {tokens:?}");
        }
    }

    #[test]
    fn json_is_cut_into_keys_strings_and_numbers() {
        let tokens = shown(Language::Json, "{\n  \"key\": \"text\",\n  \"n\": 1.5,\n  \"b\": true\n}");
        for (token, text) in
            [(Token::Name, "\"key\""), (Token::Text, "\"text\""), (Token::Number, "1.5"), (Token::Number, "true")]
        {
            assert!(has(&tokens, token, text), "{token:?} {text} in {tokens:?}");
        }
    }

    #[test]
    fn nothing_is_lost() {
        let text = "SELECT 'é', $$x$$\n  FROM \"t\" -- c\n\nWHERE %(a)s = ? /* open";
        let syntaxes = SyntaxSet::load_defaults_newlines();
        let lines = tokens(&syntaxes, Language::Sql, text);
        let joined: Vec<String> =
            lines.into_iter().map(|line| line.into_iter().map(|(_, text)| text).collect::<String>()).collect();
        assert_eq!(joined.join("\n"), text);
    }
}
