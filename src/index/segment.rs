//! A segment: up to a few million rows with the dictionaries that their columns refer to. Memory is freed by segment.

use std::sync::Arc;

use super::chain::{Found, Place};
use super::chunk::{CHUNK_ROWS, Chunk};
use super::paged::{Paged, Words};
use super::sealed::{Depth, Sealed};
use crate::model::SourceId;

/// A segment as readers see it, and the writer where it looks back. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Ordinal of its first row.
    pub(super) base: u64,
    /// One past the ordinal of its last frozen row.
    pub(super) end: u64,
    /// Keys, values, names, services.
    pub(super) words: Words,
    /// Orders of attribute keys, as a trie; the first is the empty one.
    pub(super) shapes: Paged<Shape>,
    /// What spans do.
    pub(super) operations: Paged<Operation>,
    /// What made spans.
    pub(super) origins: Paged<Origin>,
    /// Resource messages with their schema url, see [`pack`].
    pub(super) resources: Words,
    /// Scope messages with their schema url, see [`pack`].
    pub(super) scopes: Words,
    /// Its rows, in order.
    pub(super) pieces: Vec<Piece>,
}

/// One node of the trie of attribute keys: the keys of its parent and one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The node with one key less; the empty shape is its own parent.
    pub(super) parent: u32,
    /// The last key, as a word.
    pub(super) key: u32,
    /// How many keys.
    pub(super) depth: u32,
}

/// Service, name and kind of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Operation {
    /// `service.name` as a word.
    pub(super) service: u32,
    /// Span name as a word.
    pub(super) name: u32,
    /// Kind's number.
    pub(super) kind: i32,
}

/// Resource, scope and source of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    /// Place among the segment's resources.
    pub(super) resource: u32,
    /// Place among the segment's scopes.
    pub(super) scope: u32,
    /// The way it came in.
    pub(super) source: SourceId,
}

/// Rows of a segment, and which of them no longer count.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The first of its ordinals: here too, so that finding a piece does not touch the rows of others.
    pub(super) base: u64,
    /// One past the last of its ordinals. A sealed block has fewer rows where some were dead.
    pub(super) end: u64,
    /// The rows.
    pub(super) form: Form,
    /// A bit for each row that was superseded, refused or evicted; empty while there is none.
    pub(super) dead: Arc<Vec<u64>>,
}

/// The rows of a piece.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// As they came.
    Hot(Arc<Chunk>),
    /// At rest.
    Sealed(Arc<Sealed>),
}

impl Piece {
    /// Rows as they came.
    pub(super) fn hot(chunk: Arc<Chunk>, dead: Vec<u64>) -> Self {
        let (base, end) = (chunk.base, chunk.base + chunk.rows() as u64);
        Self { base, end, form: Form::Hot(chunk), dead: Arc::new(dead) }
    }

    /// The chunk, unless it is sealed.
    pub(super) fn chunk(&self) -> Option<&Arc<Chunk>> {
        match &self.form {
            Form::Hot(chunk) => Some(chunk),
            Form::Sealed(_) => None,
        }
    }

    /// How many rows it has, dead ones included.
    pub(super) fn rows(&self) -> usize {
        match &self.form {
            Form::Hot(chunk) => chunk.rows(),
            Form::Sealed(sealed) => sealed.rows(),
        }
    }

    /// Whether a row no longer counts.
    pub(super) fn is_dead(&self, row: usize) -> bool {
        is_set(&self.dead, row)
    }
}

/// Whether a bit is set.
pub(super) fn is_set(bits: &[u64], place: usize) -> bool {
    bits.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

/// Sets a bit; answers whether it was clear.
pub(super) fn set(bits: &mut Vec<u64>, place: usize) -> bool {
    if bits.len() <= place / 64 {
        bits.resize(place / 64 + 1, 0);
    }
    let clear = !is_set(bits, place);
    bits[place / 64] |= 1 << (place % 64);
    clear
}

/// A row, with what it takes to read it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowRef<'a> {
    pub(super) segment: &'a Segment,
    pub(super) chunk: &'a Chunk,
    pub(super) row: usize,
}

/// A message and its schema url as one word.
pub(super) fn pack(message: &[u8], schema_url: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.extend_from_slice(&super::chunk::narrow(message.len()).to_le_bytes());
    into.extend_from_slice(message);
    into.extend_from_slice(schema_url);
}

/// What [`pack`] packed.
pub(super) fn unpack(word: &[u8]) -> (&[u8], &[u8]) {
    let [a, b, c, d, rest @ ..] = word else { return (&[], &[]) };
    rest.split_at_checked(u32::from_le_bytes([*a, *b, *c, *d]) as usize).unwrap_or_default()
}

/// The keys of a shape as words, in order.
pub(super) fn keys_of(shapes: &Paged<Shape>, shape: u32) -> Vec<u32> {
    let mut keys = Vec::new();
    let mut at = shape;
    while let Some(node) = shapes.get(at).filter(|node| node.depth > 0) {
        keys.push(node.key);
        at = node.parent;
    }
    keys.reverse();
    keys
}

impl Segment {
    /// An empty segment whose first row will have the ordinal `base`.
    pub(super) fn new(base: u64) -> Self {
        let mut shapes = Paged::default();
        shapes.push(Shape { parent: 0, key: 0, depth: 0 });
        Self {
            base,
            end: base,
            words: Words::new(8),
            shapes,
            operations: Paged::default(),
            origins: Paged::default(),
            resources: Words::new(4),
            scopes: Words::new(6),
            pieces: Vec::new(),
        }
    }

    /// The piece with this ordinal: its place.
    pub(super) fn piece(&self, ordinal: u64) -> Option<usize> {
        let place = self.pieces.partition_point(|piece| piece.base <= ordinal).checked_sub(1)?;
        (ordinal < self.pieces[place].end).then_some(place)
    }

    /// Where a row with this ordinal stands: place of the piece and row in it. In a sealed block that is not where a
    /// link with the ordinal leads, see [`super::sealed`].
    pub(super) fn locate(&self, ordinal: u64) -> Option<(usize, usize)> {
        let place = self.piece(ordinal)?;
        let row = usize::try_from(ordinal - self.pieces[place].base).ok()?;
        (row < self.pieces[place].rows()).then_some((place, row))
    }

    /// Where a link with this ordinal leads.
    pub(super) fn place(&self, ordinal: u64) -> Option<Place<'_>> {
        let piece = &self.pieces[self.piece(ordinal)?];
        match &piece.form {
            Form::Sealed(sealed) => Some(Place::Block { segment: self, piece, sealed }),
            Form::Hot(chunk) => {
                let row = usize::try_from(ordinal - piece.base).ok()?;
                Some(Place::Row { segment: self, chunk, row, dead: piece.is_dead(row) })
            }
        }
    }

    /// The row with this ordinal, and whether it no longer counts.
    pub(super) fn found(&self, ordinal: u64, depth: Depth) -> Option<(Found<'_>, bool)> {
        let (place, row) = self.locate(ordinal)?;
        let piece = &self.pieces[place];
        let found = match &piece.form {
            Form::Hot(chunk) => Found::hot(RowRef { segment: self, chunk, row }),
            Form::Sealed(sealed) => Found::thawed(self, sealed, row, depth),
        };
        Some((found, piece.is_dead(row)))
    }

    /// Takes a row out of account; answers whether it counted until now.
    pub(super) fn bury(&mut self, ordinal: u64) -> bool {
        let Some((place, row)) = self.locate(ordinal) else { return false };
        set(Arc::make_mut(&mut self.pieces[place].dead), row)
    }

    /// Appends rows, joining small pieces so that their number stays within the logarithm of their rows. Each row is
    /// copied at most about `log2(CHUNK_ROWS)` times, and not at all where chunks come full. Pieces before `settled`
    /// stay as they are.
    pub(super) fn push(&mut self, chunk: Chunk, dead: Vec<u64>, settled: u64) {
        self.end = chunk.base + chunk.rows() as u64;
        self.pieces.push(Piece::hot(Arc::new(chunk), dead));
        while let [.., before, last] = &self.pieces[..] {
            let (Some(one), Some(other)) = (before.chunk(), last.chunk()) else { break };
            let (rows, more) = (one.rows(), other.rows());
            if rows > more * 2 || rows + more > CHUNK_ROWS || one.is_full() || before.base < settled {
                break;
            }
            let joined = join((one, &before.dead), last);
            self.pieces.truncate(self.pieces.len() - 2);
            self.pieces.push(joined);
        }
    }

    /// The keys of a shape as words, in order.
    pub(super) fn keys(&self, shape: u32) -> Vec<u32> {
        keys_of(&self.shapes, shape)
    }

    /// Takes no more rows from here on.
    pub(super) fn close(&mut self) {
        for words in [&mut self.words, &mut self.resources, &mut self.scopes] {
            words.close();
        }
    }

    /// Bytes of the dictionaries.
    pub(super) fn dictionary_bytes(&self) -> usize {
        self.words.bytes()
            + self.shapes.bytes()
            + self.operations.bytes()
            + self.origins.bytes()
            + self.resources.bytes()
            + self.scopes.bytes()
    }
}

fn join((before, dead): (&Chunk, &[u64]), last: &Piece) -> Piece {
    let mut chunk = before.clone();
    if let Some(last) = last.chunk() {
        chunk.append(last);
    }
    chunk.freeze();
    let mut dead = dead.to_vec();
    for row in (0..last.rows()).filter(|row| last.is_dead(*row)) {
        set(&mut dead, before.rows() + row);
    }
    Piece::hot(Arc::new(chunk), dead)
}

impl Piece {
    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let rows = match &self.form {
            Form::Hot(chunk) => chunk.bytes(),
            Form::Sealed(sealed) => sealed.bytes(),
        };
        rows + self.dead.capacity() * 8 + 96
    }
}
