//! Text as it may stand on a screen: measured in cells, cut between graphemes, without control characters.
//!
//! Data is never trusted: whatever a sender put into a name, no byte of it reaches the terminal that could move the cursor,
//! change a colour or turn the reading direction.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// How many cells `text` takes.
#[must_use]
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` with everything made visible that a terminal would act upon: control characters as their pictures (`␛`), characters
/// that turn the reading direction or take no room as `‹202E›`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        || !text.chars().any(|letter| is_hidden(letter) || matches!(letter, '\u{200d}' | '\u{fe0f}'))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}')),
            '\u{7f}' => out.push('\u{2421}'),
            hidden if is_hidden(hidden) => out.push_str(&format!("‹{:04X}›", u32::from(hidden))),
            // Terminals do not agree how wide joined emoji and emoji presentations are; their parts they agree on.
            '\u{fe0f}' => {}
            '\u{200d}' if out.chars().next_back().is_some_and(is_pictograph) => {}
            letter => out.push(letter),
        }
    }
    Cow::Owned(out)
}

fn is_pictograph(letter: char) -> bool {
    matches!(letter, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Control characters, and those format characters that hide or reorder what stands around them. The joiner stays: emoji and
/// several scripts need it.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The start of `text` in at most `cells` cells, with `…` where something was cut off.
#[must_use]
pub(super) fn cut_end(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut out = take_start(text, cells - 1).to_owned();
    out.push('…');
    Cow::Owned(out)
}

/// Start and end of `text` in at most `cells` cells, with `…` between them where something was cut out.
#[must_use]
pub(super) fn cut_middle(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells < 5 {
        return cut_end(text, cells);
    }
    let tail = take_end(text, (cells - 1) / 2);
    let head = take_start(text, cells - 1 - width(tail));
    Cow::Owned(format!("{head}…{tail}"))
}

fn take_start(text: &str, cells: usize) -> &str {
    let mut used = 0;
    let mut end = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > cells {
            break;
        }
        end = at + grapheme.len();
    }
    text.get(..end).unwrap_or_default()
}

pub(super) fn take_end(text: &str, cells: usize) -> &str {
    let mut used = 0;
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += width(grapheme);
        if used > cells {
            break;
        }
        start = at;
    }
    text.get(start..).unwrap_or_default()
}

/// `text` over several lines of at most `cells` cells, broken after blanks where there are any; its own line ends are kept.
#[must_use]
pub(super) fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for line in text.split('\n') {
        wrap_line(line.trim_end_matches('\r'), cells, &mut lines);
    }
    lines
}

fn wrap_line(line: &str, cells: usize, lines: &mut Vec<String>) {
    let (mut current, mut used) = (String::new(), 0);
    // What is carried over stands below what it belongs to.
    let indent = (line.len() - line.trim_start_matches(' ').len()).min(cells / 3);
    let indent = " ".repeat(indent);
    // A word keeps the blanks behind it; they may hang over the edge.
    for word in line.split_inclusive([' ', '\t']) {
        let word = word.replace('\t', "  ");
        let needed = width(word.trim_end());
        if used > indent.len() && used + needed > cells {
            lines.push(std::mem::replace(&mut current, indent.clone()));
            used = indent.len();
        }
        if used + needed <= cells {
            used += width(&word);
            current.push_str(&word);
            continue;
        }
        for grapheme in word.graphemes(true) {
            let needed = width(grapheme);
            if used + needed > cells && used > indent.len() {
                lines.push(std::mem::replace(&mut current, indent.clone()));
                used = indent.len();
            }
            current.push_str(grapheme);
            used += needed;
        }
    }
    lines.push(current);
}

/// Writes `text` at column `x` of row `y`, made visible and cut to `cells` cells. Answers how many cells it took. A wide glyph
/// that would reach over the edge is left out.
pub(super) fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, cells: usize, style: Style) -> u16 {
    let room = usize::from(buffer.area.right().saturating_sub(x)).min(cells);
    if room == 0 || y < buffer.area.top() || y >= buffer.area.bottom() || x < buffer.area.left() {
        return 0;
    }
    let text = visible(text);
    let text = cut_end(&text, room);
    let (end, _) = buffer.set_stringn(x, y, &text, room, style);
    end.saturating_sub(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_never_kept() {
        for (text, shown) in [
            ("plain ünï 表", "plain ünï 表"),
            ("a\u{1b}[2Jb", "a␛[2Jb"),
            ("nul\0 bel\u{7} del\u{7f} c1\u{9b}", "nul␀ bel␇ del␡ c1‹009B›"),
            ("\u{202e}gpj.exe", "‹202E›gpj.exe"),
            ("zero\u{200b}width", "zero‹200B›width"),
            ("line\nend\ttab", "line␊end␉tab"),
            ("👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈", "👩👧 🏳🌈"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn texts_are_cut_between_graphemes_and_never_in_a_wide_glyph() {
        assert_eq!(cut_end("SELECT * FROM patients", 10), "SELECT * …");
        assert_eq!(cut_end("表表表", 4), "表…");
        assert_eq!(cut_end("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(cut_middle("/api/v1/patients/{id}", 11), "/api/…/{id}");
        assert_eq!(cut_end("x", 0), "");
    }

    #[test]
    fn long_lines_are_broken_after_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
    }
}
