//! Bad days: what hostile, broken and odd senders do to the receiver and the index, and what remains afterwards: a
//! program that answers the next good request, and has lost nothing that it acknowledged.
//!
//! The tests whose names begin with `wrecked` are short runs of what can be run for as long as one likes
//! (CONTRIBUTING.md says how).

#[cfg(test)]
#[path = "../common/mod.rs"]
mod common;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod house;
#[cfg(test)]
mod person;
#[cfg(all(test, unix))]
mod program;
#[cfg(test)]
#[path = "../receiver/rig.rs"]
#[expect(dead_code, reason = "the receiver's own tests use the rest of it")]
mod rig;
#[cfg(test)]
mod spans;
#[cfg(test)]
#[path = "../common/wreck.rs"]
mod wreck;
#[cfg(test)]
mod wrecked_door;
#[cfg(test)]
mod wrecked_filter;
#[cfg(test)]
mod wrecked_json;
