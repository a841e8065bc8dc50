//! Keys → actions.

use super::{Action, Context, KeyPress};

/// Which key does what where.
#[derive(Clone, Debug, Default)]
pub struct Keymap {}

impl Keymap {
    /// What `key` does in `context`.
    #[must_use]
    pub fn resolve(&self, context: Context, key: KeyPress) -> Option<Action> {
        let _ = (context, key);
        None
    }
}
