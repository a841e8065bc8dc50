//! Chunks whose rows stand elsewhere now, to be filled again: room that goes round is neither asked of the system nor left
//! in pieces between what stays.

use std::sync::Arc;

use super::chunk::{CHUNK_ROWS, Chunk};

/// Chunks kept at most: about as many as fill while a block is sealed.
const MOST: usize = 8;

/// Chunks to be filled again, once no reader looks at them any more.
#[derive(Debug, Default)]
pub(super) struct Spare {
    chunks: Vec<Arc<Chunk>>,
    /// Bytes of all.
    bytes: usize,
    /// Bytes they may take.
    limit: usize,
}

impl Spare {
    /// For at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Keeps a chunk that took all its rows, if there is room.
    pub(super) fn keep(&mut self, chunk: Arc<Chunk>) {
        let bytes = chunk.bytes();
        if chunk.rows() >= CHUNK_ROWS && self.chunks.len() < MOST && self.bytes + bytes <= self.limit {
            self.chunks.push(chunk);
            self.bytes += bytes;
        }
    }

    /// An empty chunk with room for what will follow `before`.
    pub(super) fn after(&mut self, before: &Chunk) -> Chunk {
        let base = before.base + before.rows() as u64;
        let free = |chunk: &Arc<Chunk>| Arc::strong_count(chunk) == 1;
        let place = self.chunks.iter().position(free).filter(|_| before.rows() >= CHUNK_ROWS / 2);
        let Some(chunk) = place.map(|place| self.chunks.swap_remove(place)) else { return Chunk::like(base, before) };
        self.bytes -= chunk.bytes();
        match Arc::into_inner(chunk) {
            Some(mut chunk) => {
                chunk.clear(base);
                chunk
            }
            None => Chunk::like(base, before),
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(base: u64) -> Chunk {
        Chunk { span_id: vec![[1; 8]; CHUNK_ROWS], ..Chunk { base, ..Chunk::default() } }
    }

    #[test]
    fn a_chunk_is_filled_again_once_nobody_looks_at_it() {
        let mut spare = Spare::new(1 << 20);
        let chunk = Arc::new(full(1));
        let reader = Arc::clone(&chunk);
        spare.keep(chunk);
        let before = full(1);
        assert_eq!(spare.after(&before).rows(), 0);
        assert!(spare.bytes() > 0, "a reader looks at it");
        drop(reader);
        let again = spare.after(&before);
        assert_eq!((again.base, again.rows(), spare.bytes()), (1 + CHUNK_ROWS as u64, 0, 0));
        assert!(again.span_id.capacity() >= CHUNK_ROWS);
    }

    #[test]
    fn no_more_is_kept_than_was_asked_for() {
        let mut spare = Spare::new(full(1).bytes() * 2);
        (0..5).for_each(|_| spare.keep(Arc::new(full(1))));
        assert_eq!(spare.chunks.len(), 2);
    }
}
