//! The language as tables, and its laws.

mod language;
