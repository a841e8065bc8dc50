//! Durations and kinds of a block's rows.

use super::segment::Form;
use super::{Block, Rows};
use crate::model::Kind;

impl Block<'_> {
    /// How long the span of each row took, in nanoseconds, by row; those that left included. 0 where it ends before it
    /// starts.
    #[must_use]
    pub fn durations(&self) -> Vec<u64> {
        match &self.piece.form {
            Form::Hot(chunk) => {
                chunk.start.iter().zip(&chunk.end).map(|(start, end)| end.saturating_sub(*start)).collect()
            }
            Form::Sealed(sealed) => sealed.durations(),
        }
    }

    /// Calls `each` with these rows, in order, and how long the span of each took; see [`Self::durations`].
    pub fn each_duration(&self, rows: &Rows, each: &mut dyn FnMut(u32, u64)) {
        match &self.piece.form {
            Form::Hot(chunk) => {
                rows.iter().for_each(|row| {
                    each(row, chunk.end[row as usize].saturating_sub(chunk.start[row as usize]));
                });
            }
            Form::Sealed(sealed) => sealed.each_duration(rows, each),
        }
    }

    /// What role each row's span plays in a call, by row; those that left included.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let kind = |operation: u32| Kind(self.segment.operations.get(operation).map_or(0, |operation| operation.kind));
        match &self.piece.form {
            Form::Hot(chunk) => chunk.operation.iter().map(|operation| kind(*operation)).collect(),
            Form::Sealed(sealed) => {
                let mut kinds = Vec::with_capacity(sealed.rows());
                sealed.each_row_class(&mut |_, class| kinds.push(kind(class.operation)));
                kinds
            }
        }
    }
}
