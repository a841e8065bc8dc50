//! What a message says without its values: enough to tell that two failures are the same one.

/// Messages are compared by at most so many characters.
const MAX_PATTERN: usize = 300;

/// A quoted text that is longer is not looked for: a lone quote should not swallow the rest.
const MAX_QUOTED: usize = 256;

/// `message` with its values as placeholders: `<url>`, `<uuid>`, `<ip>`, `<hex>`, `<timestamp>`, `<id>`, `<number>`, and
/// `<value>` for what is quoted. On one line, at most 300 characters. A three-digit number after `status`, `code`, `HTTP` or
/// `errno` stays, because it says what failed.
///
/// One pass over the words, never fails. Reading what came out again changes nothing.
#[must_use]
pub fn pattern(message: &str) -> String {
    let mut out = Pattern::default();
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        if out.length >= MAX_PATTERN {
            out.text.push('…');
            break;
        }
        let taken = step(&mut out, first, rest);
        rest = rest.get(taken.max(first.len_utf8())..).unwrap_or_default();
    }
    out.text.truncate(out.text.trim_end().len());
    out.text
}

#[derive(Default)]
struct Pattern {
    text: String,
    /// Its characters.
    length: usize,
    /// What the last word was, for numbers that it gives a meaning to.
    names_code: bool,
    /// Where the last placeholder for a time ends.
    time_until: usize,
}

impl Pattern {
    fn put(&mut self, text: &str) {
        for letter in text.chars() {
            self.text.push(letter);
            self.length += 1;
        }
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.put(" ");
        }
    }

    /// A time written with a blank in it is one.
    fn time(&mut self) {
        if self.time_until == 0 || self.text.get(self.time_until..).is_none_or(|since| since != " ") {
            self.put("<timestamp>");
        } else {
            self.text.truncate(self.time_until);
        }
        self.time_until = self.text.len();
    }
}

/// Reads one thing at the start of `rest`; answers how many bytes it took.
fn step(out: &mut Pattern, first: char, rest: &str) -> usize {
    if first.is_whitespace() || first.is_control() {
        out.blank();
        return first.len_utf8();
    }
    if matches!(first, '\'' | '"' | '`')
        && !out.text.ends_with(char::is_alphanumeric)
        && let Some(length) = quoted(first, rest)
    {
        out.put("<value>");
        return length;
    }
    let length = rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len());
    let Some(word) = rest.get(..length).filter(|word| !word.is_empty()) else {
        out.put(first.encode_utf8(&mut [0; 4]));
        return first.len_utf8();
    };
    if rest.get(length..).is_some_and(|after| after.starts_with("//")) && word.ends_with(':') {
        let end =
            |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '`' | '<' | '>' | ')' | ']' | '}');
        let whole = rest.get(..rest.find(end).unwrap_or(rest.len())).unwrap_or(word);
        let whole = whole.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        out.put("<url>");
        return whole.len();
    }
    let bare = word.trim_end_matches(['.', ':', '-', '+', '@']);
    if bare.is_empty() {
        out.put(word);
        return word.len();
    }
    put_word(out, bare);
    bare.len()
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | ':' | '@' | '+' | '%')
}

/// How long the quoted text is that `rest` begins with; `None` where its end is not near.
fn quoted(quote: char, rest: &str) -> Option<usize> {
    let inner = rest.get(1..)?;
    let mut escaped = false;
    for (at, letter) in inner.char_indices().take(MAX_QUOTED) {
        if letter == quote && !escaped {
            return Some(at + 2);
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}

fn put_word(out: &mut Pattern, word: &str) {
    let names_code = std::mem::take(&mut out.names_code);
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        out.names_code = ["status", "code", "http", "errno"].iter().any(|name| word.eq_ignore_ascii_case(name));
        return out.put(if is_mail(word) { "<id>" } else { word });
    }
    let is_code = names_code && word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    match whole_word(word) {
        _ if is_code => out.put(word),
        Some(Shape::Time) => out.time(),
        Some(Shape::Number(unit)) => {
            out.put("<number>");
            out.put(unit);
        }
        Some(Shape::Other(placeholder)) => out.put(placeholder),
        None => put_parts(out, word),
    }
}

enum Shape<'a> {
    Time,
    /// With the unit that is glued to it.
    Number(&'a str),
    Other(&'static str),
}

fn whole_word(word: &str) -> Option<Shape<'_>> {
    if is_uuid(word) {
        return Some(Shape::Other("<uuid>"));
    }
    if is_time(word) {
        return Some(Shape::Time);
    }
    if is_ip(word) {
        return Some(Shape::Other("<ip>"));
    }
    if is_mail(word) {
        return Some(Shape::Other("<id>"));
    }
    if let Some(unit) = after_number(word) {
        return Some(Shape::Number(unit));
    }
    is_hex(word).then_some(Shape::Other("<hex>"))
}

/// A word with dots or colons in it: host and port, a dotted name, a version.
fn put_parts(out: &mut Pattern, word: &str) {
    let mut from = 0;
    for (at, mark) in word.match_indices(['.', ':', '@', '+', '%']).chain([(word.len(), "")]) {
        let part = word.get(from..at).unwrap_or_default();
        from = at + mark.len();
        match after_number(part) {
            _ if part.is_empty() => {}
            Some(unit) => {
                out.put("<number>");
                out.put(unit);
            }
            None if is_uuid(part) => out.put("<uuid>"),
            None if is_hex(part) => out.put("<hex>"),
            None => out.put(if is_id(part) { "<id>" } else { part }),
        }
        out.put(mark);
    }
}

fn is_uuid(word: &str) -> bool {
    let marks = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    word.len() == 36 && word.bytes().enumerate().all(marks)
}

/// Whether the word is a date, a time of day, or both: `2026-11-21`, `14:02:11.480`, `2026-11-21T14:02:11Z`.
fn is_time(word: &str) -> bool {
    let fits = |text: &str, form: &str| {
        text.len() >= form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
    };
    let ends = |rest: &str| {
        rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'Z' | b'z' | b'+' | b'-'))
    };
    let time = |text: &str| fits(text, "00:00:00") && text.get(8..).is_some_and(ends);
    let date = |text: &str| {
        fits(text, "0000-00-00")
            && text.get(10..).is_some_and(|rest| rest.is_empty() || rest.strip_prefix(['T', 't']).is_some_and(time))
    };
    date(word) || time(word)
}

/// IPv4 or IPv6, with or without a port.
fn is_ip(word: &str) -> bool {
    let v4 = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
    let with_port =
        word.rsplit_once(':').is_some_and(|(host, port)| v4(host) && port.bytes().all(|b| b.is_ascii_digit()));
    v4(word) || with_port || (word.matches(':').count() >= 2 && word.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_mail(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// What is glued to the number that the word is: a unit of at most three letters. `None`: it is no number.
fn after_number(word: &str) -> Option<&str> {
    let digits = word.trim_start_matches(['-', '+']);
    let end = digits.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(digits.len());
    let (number, unit) = digits.split_at_checked(end)?;
    let exponent = |unit: &str| {
        unit.strip_prefix(['e', 'E']).is_some_and(|rest| {
            let rest = rest.trim_start_matches(['-', '+']);
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if exponent(unit) {
        return Some("");
    }
    (unit.len() <= 3 && unit.chars().all(|letter| letter.is_alphabetic() || letter == '%')).then_some(unit)
}

fn is_hex(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(rest) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return digits(rest);
    }
    word.len() >= 8 && digits(word)
}

/// Whether a word with digits in it names one thing among many (`order-1042`, `PAT00042`, `k3jd8f…`), not a sort of
/// thing (`utf8`, `http2`, `x86_64`, `sha256`).
fn is_id(word: &str) -> bool {
    if matches!(
        word.to_ascii_lowercase().as_str(),
        "sha256" | "sha384" | "sha512" | "x86_64" | "utf-16" | "utf-8" | "iso8601"
    ) {
        return false;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let numbered = word.split(['-', '_']).skip(1).any(|part| part.bytes().any(|byte| byte.is_ascii_digit()));
    digits > 2 || (digits > 0 && (numbered || word.len() >= 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_placeholders_and_words_stay() {
        let cases = [
            ("patient 4711 not found", "patient <number> not found"),
            ("patient 'Ann O' of tenant \"t 1\" not found", "patient <value> of tenant <value> not found"),
            ("can't read the user's file", "can't read the user's file"),
            ("lone ' quote", "lone ' quote"),
            ("GET https://h:1/a?b=c: 503.", "GET <url>: <number>."),
            ("HTTP status 503 from x", "HTTP status 503 from x"),
            ("[Errno 111] Connect call failed (10.0.0.5:5432)", "[Errno 111] Connect call failed (<ip>)"),
            ("connect ECONNREFUSED ::1:5432", "connect ECONNREFUSED <ip>"),
            ("db.internal:5432 refused", "db.internal:<number> refused"),
            ("id 6f1c2a5e-9d3b-4c61-8a77-0c1d2e3f4a5b gone", "id <uuid> gone"),
            ("at 2026-11-21 14:02:11.480 and 2026-11-21T14:02:11Z", "at <timestamp> and <timestamp>"),
            ("object 0x7f3c at deadbeef01", "object <hex> at <hex>"),
            ("order-1042 of PAT00042, utf8 over http2", "<id> of <id>, utf8 over http2"),
            ("timeout after 30s (1.5e9 bytes, 12%)", "timeout after <number>s (<number> bytes, <number>%)"),
            ("mail to ann@example.org failed", "mail to <id> failed"),
            ("a\n  b\t\u{1b}[31mc", "a b [<number>mc"),
            ("größe über 17 é3", "größe über <number> é3"),
            ("", ""),
        ];
        for (message, expected) in cases {
            assert_eq!(pattern(message), expected, "{message}");
        }
    }

    #[test]
    fn long_messages_end_in_a_mark() {
        let long = "word ".repeat(1_000);
        let said = pattern(&long);
        assert!(said.ends_with('…') && said.chars().count() <= MAX_PATTERN + 40, "{}", said.len());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_reading_twice_changes_nothing(text in "[a-f0-9'\"`:./@ T<>é\u{7}-]{0,60}|\\PC{0,40}") {
            let once = pattern(&text);
            proptest::prop_assert!(!once.contains(char::is_control));
            proptest::prop_assert_eq!(pattern(&once), once);
        }
    }
}
