//! Lines of tokens broken to a width, without changing what they say.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::app::Token;
use crate::view::text::width;

type Line = Vec<(Token, String)>;

/// Each line over as many lines of at most `cells` cells as it needs, broken after blanks where there are any. What is carried
/// over is indented a little more than its line.
pub(super) fn wrap(lines: Vec<Line>, cells: usize) -> Vec<Line> {
    lines.into_iter().flat_map(|line| wrap_line(line, cells)).collect()
}

fn wrap_line(line: Line, cells: usize) -> Vec<Line> {
    if line.iter().map(|(_, text)| width(text)).sum::<usize>() <= cells {
        return vec![line];
    }
    let blanks = line.first().map_or(0, |(_, text)| text.len() - text.trim_start_matches(' ').len());
    let indent = (blanks + 2).min(cells / 2);
    let mut lines: Vec<Line> = Vec::new();
    let mut current: Line = Vec::new();
    let mut used = 0;
    for (token, text) in line {
        for word in text.split_word_bounds() {
            let needed = width(word);
            if used + needed > cells && used > indent {
                lines.push(std::mem::take(&mut current));
                current.push((Token::Plain, " ".repeat(indent)));
                used = indent;
                if word.trim().is_empty() {
                    continue;
                }
            }
            if used + needed <= cells {
                push(&mut current, token, word);
                used += needed;
                continue;
            }
            for grapheme in word.graphemes(true) {
                let needed = width(grapheme);
                if used + needed > cells && used > indent {
                    lines.push(std::mem::take(&mut current));
                    current.push((Token::Plain, " ".repeat(indent)));
                    used = indent;
                }
                push(&mut current, token, grapheme);
                used += needed;
            }
        }
    }
    lines.push(current);
    lines
}

fn push(line: &mut Line, token: Token, text: &str) {
    match line.last_mut() {
        Some((last, so_far)) if *last == token => so_far.push_str(text),
        _ => line.push((token, text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_indented() {
        let line = vec![(Token::Keyword, "SELECT".to_owned()), (Token::Plain, " one, two, three".to_owned())];
        let shown: Vec<String> =
            wrap(vec![line], 12).into_iter().map(|line| line.into_iter().map(|(_, text)| text).collect()).collect();
        assert_eq!(shown, ["SELECT one, ", "  two, three"]);
    }
}
