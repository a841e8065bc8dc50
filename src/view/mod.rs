//! `&State` → cells. Pure: remembers nothing, changes nothing; colours are born here.
//!
//! In: the app's [`State`](crate::app::State) and a [`Look`]. Out: cells in a buffer, what fits where, and what lies under the
//! pointer, all from the same layout. Must never know: crossterm, tokio, how state changes.

mod format;
mod look;
mod text;

pub use look::{Colours, Environment, Look, Role};
