//! The spellings of single values: escapes, whole numbers, hex, base64, names of enums.

use memchr::memchr;

use super::schema::Names;

/// Appends what the inside of a JSON string stands for; `None` where an escape is not one of JSON's.
///
/// Half of a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.
pub(super) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = raw;
    while let Some(place) = memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(place);
        out.extend_from_slice(plain);
        let (&letter, after) = escape.get(1..)?.split_first()?;
        rest = after;
        match letter {
            b'"' | b'\\' | b'/' => out.push(letter),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (letter, after) = unicode_escape(rest)?;
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            }
            _ => return None,
        }
    }
    out.extend_from_slice(rest);
    Some(())
}

/// The character whose `\u` has been read, and what follows it.
fn unicode_escape(text: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = code_unit(text)?;
    if let Some(letter) = char::from_u32(first) {
        return Some((letter, rest));
    }
    let second = rest.strip_prefix(b"\\u").and_then(code_unit);
    if let (0xd800..0xdc00, Some((low @ 0xdc00..0xe000, after))) = (first, second) {
        let letter = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00));
        return Some((letter.unwrap_or(char::REPLACEMENT_CHARACTER), after));
    }
    Some((char::REPLACEMENT_CHARACTER, rest))
}

fn code_unit(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let mut unit = 0;
    for &digit in digits {
        unit = unit << 4 | u32::from(hex_digit(digit)?);
    }
    Some((unit, rest))
}

/// A whole number in decimal, also written with a fraction or an exponent (`5.0`, `1.5e18`) as long as it is whole.
///
/// Computed in decimal, so no digit is lost to floating point.
pub(super) fn integer(text: &[u8]) -> Option<i128> {
    // Nearly all are plain digits, and nineteen of them fit 64 bits.
    if let 1..=19 = text.len()
        && text.iter().all(u8::is_ascii_digit)
    {
        return Some(text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')).into());
    }
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(place) => {
            let exponent = std::str::from_utf8(&text[place + 1..]).ok()?;
            (&text[..place], exponent.parse::<i32>().ok()?)
        }
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, mantissa),
    };
    let (whole, fraction) = match memchr(b'.', digits) {
        Some(place) => (&digits[..place], &digits[place + 1..]),
        None => (digits, &[][..]),
    };
    if whole.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    for &digit in whole.iter().chain(fraction) {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    let places = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let value = shift(value, places)?;
    Some(if negative { -value } else { value })
}

/// `value` · 10^`places`, if that is whole and in range.
fn shift(mut value: i128, mut places: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    while places > 0 {
        value = value.checked_mul(10)?;
        places -= 1;
    }
    while places < 0 {
        if value % 10 != 0 {
            return None;
        }
        value /= 10;
        places += 1;
    }
    Some(value)
}

/// A floating-point number, also `NaN`, `Infinity` and `-Infinity`; too large a one is infinite.
pub(super) fn double(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The number of an enum's name, with or without its prefix.
pub(super) fn enum_number(text: &[u8], names: &Names) -> Option<i128> {
    let name = text.strip_prefix(names.prefix.as_bytes()).unwrap_or(text);
    let place = names.names.iter().position(|known| known.as_bytes() == name)?;
    i128::try_from(place).ok()
}

/// Appends the bytes of an id: hex in any case and of any length, or the padded base64 of 16 or 8 bytes (as
/// jsonpb writes `bytes`, and so Tempo). The two cannot be confused, since hex has no padding.
pub(super) fn id(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match (text.len(), text) {
        (24, [.., b'=', b'=']) | (12, [.., b'=']) => base64(text, out),
        (length, _) if length % 2 == 0 => {
            let mut valid = true;
            out.extend(text.chunks_exact(2).map(|pair| {
                let (high, low) = (HEX[usize::from(pair[0])], HEX[usize::from(pair[1])]);
                valid &= high | low != NOT_HEX;
                high << 4 | low & 0xf
            }));
            valid.then_some(())
        }
        _ => None,
    }
}

/// What each byte is worth as a hex digit, or [`NOT_HEX`], which every `|` with a digit leaves as it is.
const HEX: [u8; 256] = {
    let mut table = [NOT_HEX; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        table[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
};

const NOT_HEX: u8 = 0xff;

fn hex_digit(digit: u8) -> Option<u8> {
    Some(HEX[usize::from(digit)]).filter(|&worth| worth != NOT_HEX)
}

/// Appends the bytes of base64 in its standard or its url-safe alphabet, padded or not.
pub(super) fn base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let text = match text {
        [body @ .., b'=', b'='] | [body @ .., b'='] if text.len().is_multiple_of(4) => body,
        _ => text,
    };
    for group in text.chunks(4) {
        let mut bits = 0;
        for &digit in group {
            bits = bits << 6 | u32::from(sextet(digit)?);
        }
        let [_, first, second, third] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        match group.len() {
            4 => out.extend([first, second, third]),
            3 => out.extend([first, second]),
            2 => out.push(first),
            _ => return None,
        }
    }
    Some(())
}

fn sextet(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_their_characters() {
        for (raw, expected) in [
            (r"plain", Some("plain")),
            (r#"\"\\\/\b\f\n\r\t"#, Some("\"\\/\u{8}\u{c}\n\r\t")),
            (r"\u00e9\u0000x", Some("é\0x")),
            (r"\ud83d\ude00!", Some("😀!")),
            (r"\ud83d", Some("\u{fffd}")),
            (r"a\ud800b\udc00c", Some("a\u{fffd}b\u{fffd}c")),
            (r"\ud800\ud83d\ude00", Some("\u{fffd}😀")),
            (r"\ud800\u0041", Some("\u{fffd}A")),
            (r"\ud800\u00", None),
            (r"\x41", None),
            (r"\u12", None),
            (r"\u12g4", None),
        ] {
            let mut out = Vec::new();
            let read = unescape(raw.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap());
            assert_eq!(read.as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn whole_numbers_are_read_exactly() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0", Some(0)),
            ("007", Some(7)),
            ("5.0", Some(5)),
            ("5.5", None),
            ("1.5e18", Some(1_500_000_000_000_000_000)),
            ("1544712660300000001", Some(1_544_712_660_300_000_001)),
            ("1.544712660300000001e18", Some(1_544_712_660_300_000_001)),
            ("12300e-2", Some(123)),
            ("12345E-2", None),
            ("0e999999999", Some(0)),
            ("1e999999999", None),
            ("1e99999999999", None),
            ("-9223372036854775808", Some(i64::MIN.into())),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("99999999999999999999999999999999999999999", None),
            ("", None),
            ("-", None),
            (".5", None),
            ("0x10", None),
            ("1_000", None),
            ("five", None),
            ("NaN", None),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn base64_is_read_in_both_alphabets() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("AQID", Some(&[1, 2, 3])),
            ("AQI=", Some(&[1, 2])),
            ("AQI", Some(&[1, 2])),
            ("AQ==", Some(&[1])),
            ("AQ", Some(&[1])),
            ("+/+/", Some(&[0xfb, 0xff, 0xbf])),
            ("-_-_", Some(&[0xfb, 0xff, 0xbf])),
            ("A", None),
            ("AQI=====", None),
            ("A=QI", None),
            ("A Q=", None),
        ] {
            let mut out = Vec::new();
            assert_eq!(base64(text.as_bytes(), &mut out).map(|()| &out[..]), expected, "{text}");
        }
    }

    #[test]
    fn ids_are_hex_or_padded_base64() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("ab", Some(&[0xab])),
            ("aBCd", Some(&[0xab, 0xcd])),
            ("abc", None),
            ("zz", None),
            ("AAAAAAAAAAE=", Some(&[0, 0, 0, 0, 0, 0, 0, 1])),
            ("AQIDBAUGBwgJCgsMDQ4PEA==", Some(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])),
            ("AAAAAAAAAAE", None),
            ("000000000000000000000000", Some(&[0; 12])),
        ] {
            let mut out = Vec::new();
            assert_eq!(id(text.as_bytes(), &mut out).map(|()| &out[..]), expected, "{text}");
        }
    }
}
