//! Rows of sealed blocks that were thawed for one trace and will be wanted for the next.
//!
//! The rows of a trace stand together in a block, between those of the traces that began before and after it, and what they hold is
//! compressed with theirs. Whoever reads many traces in order has each part of a block thawed once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chunk::Chunk;
use super::known::Known;
use super::sealed::{Depth, Sealed};

/// Rows thawed at once.
const SLICE: usize = 2048;

/// Parts remembered: the traces at hand are in a few blocks at a time.
const MOST: usize = 8;

/// Parts of blocks, thawed whole, those used last at the end. For the blocks of one view.
#[derive(Debug, Default)]
pub(super) struct Thawed {
    parts: Mutex<VecDeque<Part>>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Part {
    /// Ordinal of the block's first row: no two blocks of a view have it in common.
    block: u64,
    /// The first of the rows.
    first: usize,
    chunk: Arc<Chunk>,
}

impl Thawed {
    /// What was worked out of rows.
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of a block that `row` is in, and the first of its rows.
    pub(super) fn around(&self, sealed: &Sealed, row: usize) -> (usize, Arc<Chunk>) {
        let (block, first) = (sealed.base(), row / SLICE * SLICE);
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = parts.iter().position(|part| (part.block, part.first) == (block, first));
        let part = known.and_then(|place| parts.remove(place)).unwrap_or_else(|| {
            let chunk = Arc::new(sealed.thaw(first..first + SLICE, Depth::Whole));
            Part { block, first, chunk }
        });
        let chunk = Arc::clone(&part.chunk);
        parts.push_back(part);
        if parts.len() > MOST {
            parts.pop_front();
        }
        (first, chunk)
    }
}
