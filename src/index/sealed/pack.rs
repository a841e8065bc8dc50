//! Numbers packed to the bits they need, in frames of 128.
//!
//! A frame stands in four lanes: value `i` is in lane `i % 4`, so that four values are unpacked by the same shifts. The
//! layout is that of SIMD-BP128 (Lemire and Boytsov, "Decoding billions of integers per second through
//! vectorization", 2015); exceptions stand beside the frame as in its patched relatives.

use super::super::chunk::narrow;

/// Values in a frame.
pub(super) const FRAME: usize = 128;

const LANES: usize = 4;

/// Bits that a number needs.
pub(super) fn width_of(number: u64) -> usize {
    (64 - number.leading_zeros()) as usize
}

/// Words that `count` values take.
fn words_for(count: usize, width: usize) -> usize {
    (count.div_ceil(LANES) * width).div_ceil(32) * LANES
}

fn pack(values: &[u32], width: usize, into: &mut Vec<u32>) {
    if width == 0 {
        return;
    }
    let at = into.len();
    into.resize(at + words_for(values.len(), width), 0);
    let words = &mut into[at..];
    for (place, value) in values.iter().enumerate() {
        let bit = place / LANES * width;
        let word = bit / 32 * LANES + place % LANES;
        words[word] |= value << (bit % 32);
        if bit % 32 + width > 32 {
            words[word + LANES] |= value >> (32 - bit % 32);
        }
    }
}

#[inline]
fn unpack_all<const WIDTH: usize>(words: &[u32], values: &mut [u32; FRAME]) {
    let Some(words) = words.get(..LANES * WIDTH) else { return };
    let mask = u32::MAX >> (32 - WIDTH);
    for (row, values) in values.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let (word, shift) = (row * WIDTH / 32 * LANES, row * WIDTH % 32);
        for (lane, value) in values.iter_mut().enumerate() {
            let low = words[word + lane] >> shift;
            let high = if shift + WIDTH > 32 { words[word + LANES + lane] << (32 - shift) } else { 0 };
            *value = (low | high) & mask;
        }
    }
}

/// Unpacks a frame of `count` values; what is behind them is of no meaning.
fn unpack(words: &[u32], count: usize, width: usize, values: &mut [u32; FRAME]) {
    if count < FRAME {
        let mut whole = [0; FRAME];
        let used = words_for(count, width);
        if let (Some(whole), Some(words)) = (whole.get_mut(..used), words.get(..used)) {
            whole.copy_from_slice(words);
        }
        return unpack_whole(&whole, width, values);
    }
    unpack_whole(words, width, values);
}

macro_rules! by_width {
    ($width:expr, $words:expr, $values:expr, [$($known:literal)*]) => {
        match $width {
            0 => $values.fill(0),
            $($known => unpack_all::<$known>($words, $values),)*
            _ => unpack_all::<32>($words, $values),
        }
    };
}

fn unpack_whole(words: &[u32], width: usize, values: &mut [u32; FRAME]) {
    by_width!(width, words, values, [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31]);
}

fn get(words: &[u32], place: usize, width: usize) -> u32 {
    if width == 0 {
        return 0;
    }
    let bit = place / LANES * width;
    let word = bit / 32 * LANES + place % LANES;
    let part = |word: usize| words.get(word).copied().unwrap_or_default();
    let high = if bit % 32 + width > 32 { part(word + LANES) << (32 - bit % 32) } else { 0 };
    (part(word) >> (bit % 32) | high) & u32::MAX >> (32 - width)
}

/// Bits of those of 64 values at most that pass. Each answer is a byte first, so that the processor compares several at once;
/// of eight such bytes a multiplication makes eight bits.
#[inline]
pub(super) fn passing<T: Copy>(values: &[T], passes: impl Fn(T) -> bool) -> u64 {
    let mut bytes = [0_u8; 64];
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = u8::from(passes(*value));
    }
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    bytes.as_chunks().0.iter().rev().fold(0, |word, eight| word << 8 | bits(eight))
}

/// Where numbers of one width stand in an arena.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    at: u32,
    len: u32,
    width: u8,
}

impl Bits {
    /// Packs numbers.
    pub(super) fn put(values: &[u32], arena: &mut Vec<u32>) -> Self {
        let width = width_of(u64::from(values.iter().copied().max().unwrap_or_default()));
        let at = narrow(arena.len());
        for frame in values.chunks(FRAME) {
            pack(frame, width, arena);
        }
        Self { at, len: narrow(values.len()), width: u8::try_from(width).unwrap_or(32) }
    }

    /// How many there are.
    pub(super) fn len(self) -> usize {
        self.len as usize
    }

    /// One of them; zero beyond the end.
    pub(super) fn get(self, arena: &[u32], place: usize) -> u32 {
        let width = usize::from(self.width);
        let at = self.at as usize + place / FRAME * LANES * width;
        get(arena.get(at..).unwrap_or_default(), place % FRAME, width)
    }

    /// Unpacks the frame that begins at `first`, a multiple of [`FRAME`].
    #[inline]
    pub(super) fn frame<'v>(self, arena: &[u32], first: usize, values: &'v mut [u32; FRAME]) -> &'v [u32] {
        let width = usize::from(self.width);
        let count = self.len().saturating_sub(first).min(FRAME);
        let at = self.at as usize + first / FRAME * LANES * width;
        unpack(arena.get(at..).unwrap_or_default(), count, width, values);
        &values[..count]
    }

    /// Unpacks some of them.
    pub(super) fn read(self, arena: &[u32], places: std::ops::Range<usize>) -> Vec<u32> {
        let mut values = Vec::with_capacity(places.len());
        let mut frame = [0; FRAME];
        let mut at = places.start;
        while at < places.end.min(self.len()) {
            let first = at / FRAME * FRAME;
            let unpacked = self.frame(arena, first, &mut frame);
            let end = (places.end - first).min(unpacked.len());
            values.extend_from_slice(&unpacked[at - first..end]);
            at = first + end;
        }
        values
    }

    /// The first place whose number does not pass; the numbers that pass come first.
    pub(super) fn partition(self, arena: &[u32], passes: impl Fn(u32) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if passes(self.get(arena, middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Where large numbers stand in an arena, each frame packed relative to its least, with exceptions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frames {
    at: u32,
    len: u32,
}

/// The first word of a frame.
#[derive(Clone, Copy, Debug)]
struct Head {
    width: usize,
    exceptions: usize,
    wide_least: bool,
    wide_exceptions: bool,
}

impl Head {
    fn word(self) -> u32 {
        narrow(self.width | self.exceptions << 8)
            | u32::from(self.wide_least) << 16
            | u32::from(self.wide_exceptions) << 17
    }

    fn of(word: u32) -> Self {
        Self {
            width: (word & 255) as usize,
            exceptions: (word >> 8 & 255) as usize,
            wide_least: word >> 16 & 1 == 1,
            wide_exceptions: word >> 17 & 1 == 1,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "halves")]
fn halves(number: u64) -> (u32, u32) {
    (number as u32, (number >> 32) as u32)
}

impl Frames {
    /// Packs numbers.
    pub(super) fn put(values: &[u64], arena: &mut Vec<u32>) -> Self {
        let at = arena.len();
        arena.resize(at + values.len().div_ceil(FRAME), 0);
        for (place, frame) in values.chunks(FRAME).enumerate() {
            arena[at + place] = narrow(arena.len() - at);
            put_frame(frame, arena);
        }
        Self { at: narrow(at), len: narrow(values.len()) }
    }

    /// How many there are.
    pub(super) fn len(self) -> usize {
        self.len as usize
    }

    /// Unpacks the frame that begins at `first`, a multiple of [`FRAME`].
    #[inline]
    pub(super) fn frame<'v>(self, arena: &[u32], first: usize, values: &'v mut [u64; FRAME]) -> &'v [u64] {
        let count = self.len().saturating_sub(first).min(FRAME);
        match self.parts(arena, first) {
            Some(parts) if count > 0 => parts.read(count, values),
            _ => {}
        }
        &values[..count]
    }

    fn parts(self, arena: &[u32], first: usize) -> Option<Parts<'_>> {
        let arena = arena.get(self.at as usize..)?;
        Parts::of(arena.get(*arena.get(first / FRAME)? as usize..)?)
    }

    /// One of them; zero beyond the end.
    pub(super) fn get(self, arena: &[u32], place: usize) -> u64 {
        let first = place / FRAME * FRAME;
        let count = self.len().saturating_sub(first).min(FRAME);
        self.parts(arena, first).filter(|_| place - first < count).map_or(0, |parts| parts.get(count, place - first))
    }

    /// The sum, which wraps, of some that stand in one frame.
    pub(super) fn sum(self, arena: &[u32], places: std::ops::Range<usize>) -> u64 {
        let first = places.start / FRAME * FRAME;
        let count = self.len().saturating_sub(first).min(FRAME);
        let within = places.start - first..places.end.saturating_sub(first).min(count);
        self.parts(arena, first).map_or(0, |parts| parts.sum(count, within))
    }

    /// Bits of the numbers within `least..=most`, 64 a word.
    pub(super) fn within(self, arena: &[u32], range: (u64, u64)) -> Vec<u64> {
        let mut words = Vec::with_capacity(self.len().div_ceil(64) + 1);
        for first in (0..self.len()).step_by(FRAME) {
            let count = (self.len() - first).min(FRAME);
            words.extend(self.parts(arena, first).map_or([0; FRAME / 64], |parts| parts.within(count, range)));
        }
        words.truncate(self.len().div_ceil(64));
        words
    }

    /// Unpacks some of them.
    pub(super) fn read(self, arena: &[u32], places: std::ops::Range<usize>) -> Vec<u64> {
        let mut values = Vec::with_capacity(places.len());
        let mut frame = [0; FRAME];
        let mut at = places.start;
        while at < places.end.min(self.len()) {
            let first = at / FRAME * FRAME;
            let unpacked = self.frame(arena, first, &mut frame);
            let end = (places.end - first).min(unpacked.len());
            values.extend_from_slice(&unpacked[at - first..end]);
            at = first + end;
        }
        values
    }
}

fn put_frame(values: &[u64], arena: &mut Vec<u32>) {
    let least = values.iter().copied().min().unwrap_or_default();
    let mut widths = [0_usize; 65];
    for value in values {
        widths[width_of(value - least)] += 1;
    }
    let widest = widths.iter().rposition(|count| *count > 0).unwrap_or_default();
    let wide_exceptions = widest > 32;
    let per_exception = if wide_exceptions { 9 } else { 5 };
    let (mut above, mut best) = (0, (usize::MAX, 0));
    for width in (0..=widest).rev() {
        let cost = (words_for(values.len(), width.min(32)) + words_for(values.len(), width.max(32) - 32)) * 4;
        best = best.min((cost + above * per_exception, width));
        above += widths[width];
    }
    let width = best.1;
    let odd: Vec<(usize, u64)> =
        values.iter().map(|value| value - least).enumerate().filter(|(_, delta)| width_of(*delta) > width).collect();
    let (low, high) = halves(least);
    let head = Head { width, exceptions: odd.len(), wide_least: high != 0, wide_exceptions };
    arena.extend([head.word(), low]);
    arena.extend(Some(high).filter(|_| head.wide_least));
    let deltas = |part: fn(u64) -> u32| {
        let fits = |delta: u64| if width_of(delta) > width { 0 } else { delta };
        values.iter().map(|value| part(fits(value - least))).collect::<Vec<_>>()
    };
    pack(&deltas(|delta| halves(delta).0), width.min(32), arena);
    if width > 32 {
        pack(&deltas(|delta| halves(delta).1), width - 32, arena);
    }
    for places in odd.chunks(4) {
        let place = |at: usize| narrow(places.get(at).map_or(0, |(place, _)| *place));
        arena.push(place(0) | place(1) << 8 | place(2) << 16 | place(3) << 24);
    }
    for (_, delta) in odd {
        let (low, high) = halves(delta);
        arena.push(low);
        arena.extend(Some(high).filter(|_| wide_exceptions));
    }
}

/// A frame as it stands in the arena.
struct Parts<'a> {
    head: Head,
    least: u64,
    /// The lower bits of each value, the upper ones, then exceptions.
    rest: &'a [u32],
}

impl<'a> Parts<'a> {
    fn of(words: &'a [u32]) -> Option<Self> {
        let [head, least, rest @ ..] = words else { return None };
        let head = Head::of(*head);
        Some(match rest {
            [high, rest @ ..] if head.wide_least => {
                Self { head, least: u64::from(*high) << 32 | u64::from(*least), rest }
            }
            _ => Self { head, least: u64::from(*least), rest },
        })
    }

    /// The greatest value that is no exception, or more.
    fn most(&self) -> u64 {
        let width = u32::try_from(self.head.width).unwrap_or(64);
        self.least.saturating_add(u64::MAX.checked_shr(64 - width).unwrap_or(0))
    }

    /// Place and value of each exception; `count` values in all.
    fn exceptions(&self, count: usize) -> impl Iterator<Item = (usize, u64)> {
        let (least, head) = (self.least, self.head);
        let packed = words_for(count, head.width.min(32)) + words_for(count, head.width.max(32) - 32);
        let rest = self.rest.get(packed..).unwrap_or_default();
        let (places, deltas) = rest.split_at_checked(head.exceptions.div_ceil(4)).unwrap_or_default();
        (0..if places.is_empty() { 0 } else { head.exceptions }).map(move |place| {
            let row = places[place / 4] >> (place % 4 * 8) & 127;
            let delta = match deltas {
                _ if !head.wide_exceptions => deltas.get(place).map_or(0, |low| u64::from(*low)),
                _ => match deltas.get(place * 2..place * 2 + 2) {
                    Some([low, high]) => u64::from(*high) << 32 | u64::from(*low),
                    _ => 0,
                },
            };
            (row as usize, least.wrapping_add(delta))
        })
    }

    fn get(&self, count: usize, place: usize) -> u64 {
        self.sum(count, place..place + 1)
    }

    fn sum(&self, count: usize, places: std::ops::Range<usize>) -> u64 {
        let width = self.head.width;
        let high = self.rest.get(words_for(count, 32)..).filter(|_| width > 32);
        let sum = places.clone().fold(0_u64, |sum, place| {
            let low = get(self.rest, place, width.min(32));
            let high = high.map_or(0, |high| get(high, place, width - 32));
            sum.wrapping_add(self.least).wrapping_add(u64::from(high) << 32 | u64::from(low))
        });
        // In place of an exception stands the least.
        let odd = self.exceptions(count).filter(|(row, _)| places.contains(row));
        odd.fold(sum, |sum, (_, value)| sum.wrapping_add(value).wrapping_sub(self.least))
    }

    /// Bits of those within `least..=most`. Most frames are decided by their least and their width.
    fn within(&self, count: usize, (least, most): (u64, u64)) -> [u64; FRAME / 64] {
        let mut bits = [0; FRAME / 64];
        if self.least > most {
            return bits;
        }
        if self.head.width > 32 {
            let mut values = [0; FRAME];
            self.read(count, &mut values);
            for (bits, values) in bits.iter_mut().zip(values[..count].chunks(64)) {
                *bits = passing(values, |value| (least..=most).contains(&value));
            }
            return bits;
        }
        // Relative to the least of the frame, where those that are no exceptions have 32 bits.
        let most_here = u32::try_from(most - self.least).unwrap_or(u32::MAX);
        if let Ok(least_here) = u32::try_from(least.saturating_sub(self.least))
            && self.most() >= least
        {
            let mut part = [0; FRAME];
            unpack(self.rest, count, self.head.width, &mut part);
            for (bits, part) in bits.iter_mut().zip(part[..count].chunks(64)) {
                *bits = passing(part, |delta| delta.wrapping_sub(least_here) <= most_here - least_here);
            }
        }
        for (row, value) in self.exceptions(count) {
            let bit = 1 << (row % 64);
            bits[row / 64] = if (least..=most).contains(&value) { bits[row / 64] | bit } else { bits[row / 64] & !bit };
        }
        bits
    }

    #[inline]
    fn read(&self, count: usize, values: &mut [u64; FRAME]) {
        let (least, width) = (self.least, self.head.width);
        let mut part = [0; FRAME];
        unpack(self.rest, count, width.min(32), &mut part);
        for (value, part) in values.iter_mut().zip(&part) {
            *value = least.wrapping_add(u64::from(*part));
        }
        if width > 32 {
            let rest = self.rest.get(words_for(count, 32)..).unwrap_or_default();
            unpack(rest, count, width - 32, &mut part);
            for (value, part) in values.iter_mut().zip(&part) {
                *value = value.wrapping_add(u64::from(*part) << 32);
            }
        }
        for (row, value) in self.exceptions(count) {
            values[row] = value;
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
        fn bits_are_those_of_what_passes(values in vec(0_u8..3, 0..=64)) {
            let word = values.iter().enumerate().fold(0, |word, (bit, value)| word | u64::from(*value == 1) << bit);
            prop_assert_eq!(passing(&values, |value| value == 1), word);
        }

        #[test]
        fn packed_numbers_come_back(values in (0_u32..=32).prop_flat_map(|width| {
            vec(0..=u32::try_from((1_u64 << width) - 1).unwrap(), 0..400)
        }), from in 0_usize..400) {
            let mut arena = vec![7];
            let bits = Bits::put(&values, &mut arena);
            prop_assert_eq!(&bits.read(&arena, 0..values.len()), &values);
            let from = from.min(values.len());
            prop_assert_eq!(&bits.read(&arena, from..values.len())[..], &values[from..]);
            for (place, value) in values.iter().enumerate() {
                prop_assert_eq!(bits.get(&arena, place), *value);
            }
        }

        #[test]
        fn framed_numbers_come_back(values in (0_u32..=64, 0_u64..u64::MAX / 2, 0_u32..64).prop_flat_map(|(width, least, odd)| {
            let most = u64::MAX.checked_shr(64 - width).unwrap_or(0);
            vec((0..=most, 0_u32..100).prop_map(move |(value, chance)| match chance {
                0 => u64::MAX >> odd,
                1 => 0,
                _ => least.wrapping_add(value),
            }), 0..400)
        }), from in 0_usize..400) {
            let mut arena = vec![7];
            let frames = Frames::put(&values, &mut arena);
            prop_assert_eq!(&frames.read(&arena, 0..values.len()), &values);
            let from = from.min(values.len());
            prop_assert_eq!(&frames.read(&arena, from..values.len())[..], &values[from..]);
            for place in 0..values.len() + 2 {
                prop_assert_eq!(frames.get(&arena, place), values.get(place).copied().unwrap_or_default());
            }
            let end = (from + 40).min((from / FRAME + 1) * FRAME).min(values.len());
            let sum = values[from..end].iter().fold(0_u64, |sum, value| sum.wrapping_add(*value));
            prop_assert_eq!(frames.sum(&arena, from..end), sum);
            let mut bounds = values.clone();
            bounds.extend([0, 1, u64::MAX]);
            for (one, other) in bounds.iter().zip(bounds.iter().rev()) {
                let (low, high) = (*one.min(other), *one.max(other));
                let words = frames.within(&arena, (low, high));
                for (place, value) in values.iter().enumerate() {
                    prop_assert_eq!(words[place / 64] >> (place % 64) & 1 == 1, (low..=high).contains(value));
                }
            }
        }
    }

    #[test]
    fn a_sorted_list_is_searched() {
        let mut arena = Vec::new();
        let values: Vec<u32> = (0..300).map(|value| value * 3).collect();
        let bits = Bits::put(&values, &mut arena);
        for wanted in 0..910 {
            assert_eq!(bits.partition(&arena, |value| value < wanted), values.partition_point(|value| *value < wanted));
        }
    }
}
