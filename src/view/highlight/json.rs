//! JSON over lines, by its text alone: order of keys, repeated keys, numbers of any size and even faults stay as they are.

/// Blanks are added for at most so many levels.
const DEEPEST: usize = 32;

/// `text` over lines, two blanks a level.
pub(super) fn format(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                out.push(letter);
                string(&mut letters, &mut out);
            }
            '{' | '[' => {
                out.push(letter);
                while letters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth.min(DEEPEST) {
        out.push_str("  ");
    }
}

fn string(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    while let Some(letter) = letters.next() {
        out.push(letter);
        match letter {
            '\\' => out.extend(letters.next()),
            '"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_repeated_keys_and_big_numbers_stay() {
        let text = r#"{"b":1,"a":[1, 12345678901234567890.10],"b":{},"s":"x, {y}: \" z"}"#;
        let expected = "{\n  \"b\": 1,\n  \"a\": [\n    1,\n    12345678901234567890.10\n  ],\n  \"b\": {},\n  \"s\": \"x, {y}: \\\" z\"\n}";
        assert_eq!(format(text), expected);
    }

    #[test]
    fn depth_and_faults_do_no_harm() {
        assert_eq!(format("[1,"), "[\n  1,\n  ");
        assert!(format(&"[".repeat(10_000)).len() < 1_000_000);
        assert_eq!(format("\"open"), "\"open");
    }
}
