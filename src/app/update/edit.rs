//! Editing one line of text, a grapheme at a time.

use unicode_segmentation::UnicodeSegmentation;

use crate::app::{Key, KeyPress};

/// What a key did to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edited {
    Text,
    Cursor,
    Nothing,
}

/// Applies a key to `text` with its `cursor` in bytes.
pub(super) fn press(text: &mut String, cursor: &mut usize, press: KeyPress) -> Edited {
    *cursor = boundary(text, *cursor);
    let KeyPress { key, ctrl, alt, .. } = press;
    let word = ctrl || alt;
    match key {
        Key::Char('w') if ctrl => cut(text, cursor, word_before(text, *cursor)),
        Key::Backspace if word => cut(text, cursor, word_before(text, *cursor)),
        Key::Backspace => cut(text, cursor, before(text, *cursor)),
        Key::Char('h') if ctrl => cut(text, cursor, before(text, *cursor)),
        Key::Char('u') if ctrl => cut(text, cursor, 0),
        Key::Char('k') if ctrl => cut(text, cursor, text.len()),
        Key::Delete => cut(text, cursor, after(text, *cursor)),
        Key::Char('d') if ctrl => cut(text, cursor, after(text, *cursor)),
        Key::Left if word => place(cursor, word_before(text, *cursor)),
        Key::Char('b') if alt => place(cursor, word_before(text, *cursor)),
        Key::Right if word => place(cursor, word_after(text, *cursor)),
        Key::Char('f') if alt => place(cursor, word_after(text, *cursor)),
        Key::Left => place(cursor, before(text, *cursor)),
        Key::Char('b') if ctrl => place(cursor, before(text, *cursor)),
        Key::Right => place(cursor, after(text, *cursor)),
        Key::Char('f') if ctrl => place(cursor, after(text, *cursor)),
        Key::Home => place(cursor, 0),
        Key::Char('a') if ctrl => place(cursor, 0),
        Key::End => place(cursor, text.len()),
        Key::Char('e') if ctrl => place(cursor, text.len()),
        Key::Char(letter) if !ctrl && !alt && !letter.is_control() => {
            insert(text, cursor, letter.encode_utf8(&mut [0; 4]))
        }
        _ => Edited::Nothing,
    }
}

/// Puts text in at the cursor, on one line: line ends and tabs become blanks, other control characters are left out.
pub(super) fn insert(text: &mut String, cursor: &mut usize, more: &str) -> Edited {
    *cursor = boundary(text, *cursor);
    let blank = |letter: char| if matches!(letter, '\n' | '\r' | '\t') { ' ' } else { letter };
    let more: String =
        more.trim_matches(['\r', '\n']).chars().map(blank).filter(|letter| !letter.is_control()).collect();
    if more.is_empty() {
        return Edited::Nothing;
    }
    text.insert_str(*cursor, &more);
    *cursor += more.len();
    Edited::Text
}

/// The character boundary at or before `cursor`.
fn boundary(text: &str, cursor: usize) -> usize {
    (0..=cursor.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn cut(text: &mut String, cursor: &mut usize, other: usize) -> Edited {
    let (from, to) = ((*cursor).min(other), (*cursor).max(other));
    if from == to {
        return Edited::Nothing;
    }
    text.replace_range(from..to, "");
    *cursor = from;
    Edited::Text
}

fn place(cursor: &mut usize, to: usize) -> Edited {
    if *cursor == to {
        return Edited::Nothing;
    }
    *cursor = to;
    Edited::Cursor
}

fn before(text: &str, cursor: usize) -> usize {
    let left = text.get(..cursor).unwrap_or_default();
    left.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
}

fn after(text: &str, cursor: usize) -> usize {
    let right = text.get(cursor..).unwrap_or_default();
    cursor + right.graphemes(true).next().map_or(0, str::len)
}

fn word_before(text: &str, cursor: usize) -> usize {
    let left = text.get(..cursor).unwrap_or_default().trim_end();
    left.rfind(char::is_whitespace)
        .map_or(0, |at| at + left.get(at..).and_then(|s| s.chars().next()).map_or(0, char::len_utf8))
}

fn word_after(text: &str, cursor: usize) -> usize {
    let right = text.get(cursor..).unwrap_or_default();
    let blanks = right.len() - right.trim_start().len();
    let word = right.trim_start();
    cursor + blanks + word.find(char::is_whitespace).unwrap_or(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types `keys` (config names, blank-separated) into `start`, whose cursor is at `|`.
    fn check(start: &str, keys: &str, expected: &str) {
        let mut cursor = start.find('|').unwrap();
        let mut text = start.replace('|', "");
        for key in keys.split(' ') {
            press(&mut text, &mut cursor, key.parse().unwrap());
        }
        text.insert(cursor, '|');
        assert_eq!(text, expected, "{start} after {keys}");
    }

    #[test]
    fn keys_edit_the_line() {
        for (start, keys, expected) in [
            ("|", "a b space c", "ab c|"),
            ("ab|", "left x", "ax|b"),
            ("error=true service=pay|", "ctrl-w", "error=true |"),
            ("error=true  |", "ctrl-w", "|"),
            ("ab|cd", "ctrl-u", "|cd"),
            ("ab|cd", "ctrl-k", "ab|"),
            ("ab|cd", "home delete end backspace", "bc|"),
            ("a e\u{301}|", "backspace", "a |"),
            ("|👩‍💻x", "right", "👩‍💻|x"),
            ("|👩‍💻x", "delete", "|x"),
            ("one two| three", "ctrl-left", "one |two three"),
            ("one| two three", "ctrl-right", "one two| three"),
            ("|", "backspace delete left right ctrl-w", "|"),
        ] {
            check(start, keys, expected);
        }
    }

    #[test]
    fn pasted_text_stays_on_one_line() {
        let (mut text, mut cursor) = ("ab".to_owned(), 1);
        insert(&mut text, &mut cursor, "x\ny\u{1b}[31m\tz\n");
        assert_eq!((text.as_str(), cursor), ("ax y[31m zb", 10));
    }
}
