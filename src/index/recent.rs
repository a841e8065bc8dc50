//! What came lately, kept where it is compared without a look elsewhere: most of what comes is the same again.

use super::interner::{Interner, same};
use super::word::{Slot, Word};

/// A word that stands where it is looked for, if it is short: comparing with it waits for no other memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    /// How many bytes it has; [`FAR`] where they are too many to stand here.
    length: u8,
    /// The word, or where it begins and ends in the text of its [`Interner`].
    bytes: [u8; NEAR],
}

/// Bytes that a [`Near`] takes.
const NEAR: usize = 27;
/// Stands for a length above [`NEAR`].
const FAR: u8 = 255;

impl Default for Near {
    fn default() -> Self {
        Self { length: FAR, bytes: [0; NEAR] }
    }
}

impl Near {
    /// The word with this id.
    pub(super) fn new(words: &Interner, id: u32) -> Self {
        let (mut near, bytes) = (Self::default(), words.get(id));
        if let (Ok(length), Some(room)) = (u8::try_from(bytes.len()), near.bytes.get_mut(..bytes.len())) {
            room.copy_from_slice(bytes);
            near.length = length;
        } else {
            let (start, end) = words.place(id);
            let place = start.to_le_bytes().into_iter().chain(end.to_le_bytes());
            near.bytes.iter_mut().zip(place).for_each(|(room, byte)| *room = byte);
        }
        near
    }

    /// Whether it is `bytes`. `words` is where it comes from.
    #[expect(clippy::inline_always, reason = "asked for every key and every text")]
    #[inline(always)]
    pub(super) fn is(&self, bytes: &[u8], words: &Interner) -> bool {
        if let Some(near) = self.bytes.get(..usize::from(self.length)) {
            return same(near, bytes);
        }
        let [a, b, c, d, e, f, g, h, ..] = self.bytes;
        bytes.len() > NEAR
            && same(words.at((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))), bytes)
    }
}

/// The attribute that came after some shape, to recognise it by its bytes: most attributes of an operation never change,
/// and comparing is several times faster than reading. Stands in one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Memo {
    /// The message as far as it fits.
    bytes: [u8; MEMO],
    /// How long the message is; zero where it is not remembered to its end.
    length: u8,
    /// How long its key is, from the third byte on; zero where that is not known.
    key_length: u8,
    /// Whether it is worth a comparison, and how many times it may be wrong before it is not.
    trust: u8,
    /// Attributes to let pass before the next is remembered.
    patience: u8,
    /// Where it led.
    to: Turn,
    /// Its value.
    word: Word,
}

/// Where an attribute leads to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    /// The shape with it.
    pub(super) shape: u32,
    /// The place of its key.
    pub(super) key: u32,
}

/// The longest message that is remembered.
const MEMO: usize = 48;
/// Trust in a message that came again.
const TRUST: u8 = 3;
/// How many attributes pass before another try where they change.
const PATIENCE: u8 = 32;

impl Default for Memo {
    fn default() -> Self {
        let (bytes, to) = ([0; MEMO], Turn::default());
        Self { bytes, length: 0, key_length: 0, trust: 0, patience: 0, to, word: Word(0) }
    }
}

impl Memo {
    /// The shape and value that these bytes led to, if they are the same.
    #[inline]
    pub(super) fn recall(&mut self, message: &[u8]) -> Option<(u32, Word)> {
        if self.trust == 0 {
            return None;
        }
        if !self.bytes.get(..usize::from(self.length)).is_some_and(|bytes| same(bytes, message)) {
            self.trust -= 1;
            return None;
        }
        self.trust = TRUST;
        Some((self.to.shape, self.word))
    }

    /// Where the message led, if it had this key.
    #[inline]
    pub(super) fn turn(&self, key: &[u8]) -> Option<Turn> {
        let known = self.bytes.get(2..2 + usize::from(self.key_length))?;
        (!known.is_empty() && same(known, key)).then_some(self.to)
    }

    /// Remembers where a message with this key leads, and its value if that is worth it.
    #[inline]
    pub(super) fn remember(&mut self, (message, key): (&[u8], &[u8]), to: Turn, word: Word) {
        if self.trust == 0 && self.patience > 0 {
            self.patience -= 1;
            return;
        }
        self.patience = PATIENCE;
        let kept = message.len().min(MEMO);
        self.bytes.iter_mut().zip(message).for_each(|(room, byte)| *room = *byte);
        let begins_with_key = message.get(2..2 + key.len()) == Some(key) && 2 + key.len() <= kept;
        self.key_length = if begins_with_key { u8::try_from(key.len()).unwrap_or_default() } else { 0 };
        self.to = to;
        let shared = matches!(word.slot(), Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_));
        if shared && kept == message.len() {
            self.length = u8::try_from(kept).unwrap_or_default();
            (self.trust, self.word) = (self.trust.max(1), word);
        } else {
            (self.trust, self.length) = (0, 0);
        }
    }
}

/// An operation that came lately.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct RecentOperation {
    pub(super) name: Near,
    pub(super) service: u32,
    pub(super) kind: i32,
    /// Its place plus one.
    pub(super) place: u32,
}

/// A number that names and values rarely have in common: cheaper than a hash, and no matter if it can be aimed at.
#[inline]
pub(super) fn sketch(bytes: &[u8]) -> usize {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let half = bytes.get(bytes.len() / 2..).and_then(<[u8]>::first_chunk::<8>).map_or(0, word);
    let ends = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail)) => word(head) ^ word(tail).rotate_left(23),
        _ => bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    let mixed = (ends ^ half.rotate_left(41) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 40).unwrap_or_default()
}

/// A value that came lately. No line of the cache ends within it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct Recent {
    pub(super) text: Near,
    /// Its word plus one.
    pub(super) word: u32,
}
