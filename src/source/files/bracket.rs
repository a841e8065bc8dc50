//! Whether JSON is whole, by its brackets alone.

/// Whether every bracket that `text` opens is closed in it.
pub(super) fn is_whole(text: &[u8]) -> bool {
    let (mut open, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => open += 1,
            b'}' | b']' => match open.checked_sub(1) {
                Some(left) => open = left,
                None => return false,
            },
            _ => {}
        }
    }
    open == 0 && !in_string
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        for whole in [r#"{"a":[1,{"b":"}]"}]}"#, r#"["\"]","\\"]"#, "", "7"] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
        for part in [r#"{"a":["#, r#"{"a":"}"#, "}", r#"{"a":"\"}"#, "[{}"] {
            assert!(!is_whole(part.as_bytes()), "{part}");
        }
    }
}
