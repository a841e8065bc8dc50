//! Ids in pages: strings of one length that differ in hexadecimal digits only, at half their size. LZ4 finds nothing to
//! save in them.

/// Digits a string must have to be worth it.
const LEAST: usize = 8;

/// The longest strings that are looked at.
const LONGEST: usize = 128;

/// Stands for a digit in a template.
const DIGIT: u8 = 0;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What each byte is worth as a digit; more than 15 where it is none.
const WORTH: [u8; 256] = {
    let mut worth = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        worth[DIGITS[digit as usize] as usize] = digit;
        digit += 1;
    }
    worth
};

fn is_digit(byte: u8) -> bool {
    WORTH[usize::from(byte)] < 16
}

/// Where the digits stand.
fn digits_of(template: &[u8]) -> impl Iterator<Item = usize> {
    template.iter().enumerate().filter(|(_, byte)| **byte == DIGIT).map(|(place, _)| place)
}

/// Bytes that the digits of one string take.
fn packed_length(template: &[u8]) -> usize {
    digits_of(template).count().div_ceil(2)
}

/// What all strings of `length` bytes have in common, with [`DIGIT`] where they have digits; and the digits. `None`
/// where they differ in more than that.
pub(super) fn pack(strings: &[u8], length: usize) -> Option<(Box<[u8]>, Vec<u8>)> {
    if !(LEAST..=LONGEST).contains(&length) || !strings.len().is_multiple_of(length) || strings.len() / length < 4 {
        return None;
    }
    let mut template = strings.get(..length)?.to_vec();
    if template.contains(&DIGIT) {
        return None;
    }
    for string in strings.chunks_exact(length) {
        for (place, byte) in template.iter_mut().zip(string) {
            if *place != *byte {
                if !is_digit(*byte) || *place != DIGIT && !is_digit(*place) {
                    return None;
                }
                *place = DIGIT;
            }
        }
    }
    let places: Vec<usize> = digits_of(&template).collect();
    if places.len() < LEAST {
        return None;
    }
    let mut packed = Vec::with_capacity(strings.len() / length * packed_length(&template));
    for string in strings.chunks_exact(length) {
        let worth = |place: &usize| WORTH[usize::from(string[*place])];
        packed.extend(places.chunks(2).map(|pair| worth(&pair[0]) << 4 | pair.get(1).map_or(0, worth)));
    }
    Some((template.into(), packed))
}

/// Bytes that the digits of strings of `length` bytes in all take.
pub(super) fn packed_bytes(template: &[u8], length: usize) -> usize {
    length / template.len().max(1) * packed_length(template)
}

/// Whether a string of this template may hold `part`, ASCII letters of either case taken as equal.
pub(super) fn may_hold(template: &[u8], part: &[u8]) -> bool {
    let fits = |(place, byte): (&u8, &u8)| match *place {
        DIGIT => is_digit(byte.to_ascii_lowercase()),
        place => place.eq_ignore_ascii_case(byte),
    };
    part.is_empty() || template.windows(part.len()).any(|here| here.iter().zip(part).all(fits))
}

/// The strings again.
pub(super) fn unpack(template: &[u8], packed: &[u8], into: &mut Vec<u8>) {
    // Runs of digits: where each begins in the string, where among the digits, and how many.
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for (count, place) in digits_of(template).enumerate() {
        match runs.last_mut().filter(|run| run.0 + run.2 == place) {
            Some(run) => run.2 += 1,
            None => runs.push((place, count, 1)),
        }
    }
    let mut digits = [0; LONGEST + 1];
    for packed in packed.chunks_exact(packed_length(template).max(1)) {
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(packed) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        let from = into.len();
        into.extend_from_slice(template);
        for (place, first, length) in &runs {
            into[from + place..from + place + length].copy_from_slice(&digits[*first..first + length]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_come_back(numbers in vec(any::<u64>(), 4..40), odd in any::<bool>()) {
            let id = |number: &u64| format!("user-{number:016x}-{:0width$x}.", number % 16, width = 2 + usize::from(odd));
            let all: String = numbers.iter().map(id).collect();
            let length = 25 + usize::from(odd);
            if let Some((template, packed)) = pack(all.as_bytes(), length) {
                let mut back = Vec::new();
                unpack(&template, &packed, &mut back);
                prop_assert_eq!(back, all.as_bytes());
                prop_assert_eq!(packed.len(), packed_bytes(&template, all.len()));
            } else {
                prop_assert!(numbers.iter().all(|number| number >> 8 == numbers[0] >> 8) || numbers.len() < 40);
            }
        }
    }

    #[test]
    fn what_differs_in_more_is_left_alone() {
        for (strings, length) in [("0123456789abcdeg0123456789abcdef0123456789abcdef0123456789abcdee", 16), ("aaaa", 1)]
        {
            assert!(pack(strings.as_bytes(), length).is_none());
        }
        assert!(pack("0123456789ABCDEF0123456789abcdef".repeat(2).as_bytes(), 16).is_none());
        let ids = "0123456789abcdeffedcba98765432100123456789abcdef0000000000000000";
        assert_eq!(pack(ids.as_bytes(), 16).map(|(_, packed)| packed.len()), Some(32));
    }
}
