//! `&State` → cells. Pure: remembers nothing, changes nothing; colours are born here.
//!
//! In: the app's [`State`](crate::app::State) and a [`Look`]. Out: cells in a buffer, what fits where, and what lies under the
//! pointer, all from the same layout. Must never know: crossterm, tokio, how state changes.

mod asked;
mod axis;
mod bar;
mod compare;
mod copy;
mod detail;
mod draw;
mod errors;
mod filter;
mod findings;
mod first;
mod flow;
mod footer;
mod format;
mod header;
mod health;
mod heat;
mod help;
mod highlight;
mod hit;
mod language;
mod layout;
mod list;
mod look;
mod palette;
mod pen;
mod picker;
mod plot;
mod save;
mod services;
mod sql;
mod strip;
mod survey;
mod text;
mod trace;
mod values;
mod verdict;
mod waterfall;

pub use draw::draw;
pub use highlight::Highlighter;
pub use hit::{hit, viewport};
pub use look::{Colours, Environment, Look, Role};
pub use text::visible;
