//! What must not be shown: keys and value patterns of secrets. Text in, text out.
//!
//! Must never know: where the text comes from or goes to.

/// Masks secrets.
#[derive(Clone, Debug, Default)]
pub struct Redactor {}
