//! The ways spans arrive: one file or folder for each, and the feed they all push into.
//!
//! In: sockets, files, other servers. Out: OTLP protobuf bytes with a source id, through a [`Feed`] that is
//! bounded in bytes; and, on a [`Board`], what the sources have to say of themselves. Must never know: what
//! holds the spans, what shows them, or what time it is (a clock is handed in; timers for back-off are its own).

mod board;
mod contain;
pub mod demo;
mod feed;
pub mod files;
pub mod foreign;
pub mod load;
mod parts;
mod random;
pub mod receiver;
pub mod remote;

use std::future::Future;

pub use board::{Board, Control, Guest, Note};
pub use contain::is_contained;
pub use feed::{Aside, Clock, Delivery, Feed, FeedReceiver, Item, Refused, Reservation, feed};

/// A way spans arrive by themselves.
pub trait Source {
    /// What can end it early.
    type Error;

    /// Pushes what arrives into `feed`, to its natural end or until the future is dropped. Dropping it is how it
    /// is cancelled.
    fn run(self, feed: Feed) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
