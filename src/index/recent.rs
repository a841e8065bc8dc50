//! What came lately, kept where it is compared without a look elsewhere: most of what comes is the same again.

use super::interner::same;
use super::word::{Slot, Word};

/// Bytes that stand where they are looked for, if they are few: comparing with them waits for no other memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    /// How many there are; [`FAR`] where they are too many to stand here.
    length: u8,
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
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut near = Self::default();
        if let (Ok(length), Some(room)) = (u8::try_from(bytes.len()), near.bytes.get_mut(..bytes.len())) {
            room.copy_from_slice(bytes);
            near.length = length;
        }
        near
    }

    /// Whether they are `bytes`; `far` are they where they do not stand here.
    #[expect(clippy::inline_always, reason = "asked for every key and every text")]
    #[inline(always)]
    pub(super) fn is<'a>(&self, bytes: &[u8], far: impl FnOnce() -> &'a [u8]) -> bool {
        match self.bytes.get(..usize::from(self.length)) {
            Some(near) => same(near, bytes),
            None => bytes.len() > NEAR && same(far(), bytes),
        }
    }
}

/// The attribute that came after some shape, to recognise it by its bytes: most attributes of an operation never change,
/// and comparing is several times faster than reading. Stands in one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Memo {
    bytes: [u8; MEMO],
    length: u8,
    /// Whether it is worth a comparison, and how many times it may be wrong before it is not.
    trust: u8,
    /// Attributes to let pass before the next is remembered.
    patience: u8,
    /// The shape with it.
    shape: u32,
    /// Its value.
    word: Word,
}

/// The longest message that is remembered.
const MEMO: usize = 50;
/// Trust in a message that came again.
const TRUST: u8 = 3;
/// How many attributes pass before another try where they change.
const PATIENCE: u8 = 32;

impl Default for Memo {
    fn default() -> Self {
        Self { bytes: [0; MEMO], length: 0, trust: 0, patience: 0, shape: 0, word: Word(0) }
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
        Some((self.shape, self.word))
    }

    /// Remembers the shape and value that these bytes lead to, if it is worth it.
    #[inline]
    pub(super) fn remember(&mut self, message: &[u8], shape: u32, word: Word) {
        if self.trust == 0 && self.patience > 0 {
            self.patience -= 1;
            return;
        }
        self.patience = PATIENCE;
        let shared = matches!(word.slot(), Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_));
        let Some(bytes) = self.bytes.get_mut(..message.len()).filter(|_| shared) else {
            self.trust = 0;
            return;
        };
        bytes.copy_from_slice(message);
        self.length = u8::try_from(message.len()).unwrap_or_default();
        (self.trust, self.shape, self.word) = (self.trust.max(1), shape, word);
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
