//! The terminal: raw mode in and out, events in, frames out.
//!
//! In: a drawing function and texts for the clipboard. Out: [`crate::app::Input`]s. Whatever happens, the terminal is given back
//! as it was found. Must never know: the model, the index, what is drawn.

mod clipboard;
mod frame;
mod guard;
mod output;
mod screen;
mod shift;
mod translate;

pub use clipboard::osc52;
pub use guard::{Guard, install_panic_hook, restore};
pub use screen::Screen;
pub use translate::translate;
