//! The durations of a block's rows.

use super::Block;
use super::segment::Form;

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
}
