//! What is asked without a screen: `query`, `tail`, `services`, `operations`, `attributes`, `assert`, `export`, `report`.
//!
//! Whether a running program is asked over its socket or this one holds the spans itself (out of files, from servers that keep them, or because it listened),
//! the request and the answer are the same values; over the socket they travel as lines of JSON. In: a command line, or a peer
//! at the socket. Out: standard output, or the peer's answer.

mod answer;
mod asserted;
mod client;
mod collect;
mod command;
mod elsewhere;
mod exported;
mod faults;
mod fetch;
mod filter;
mod gather;
mod listening;
mod place;
mod polling;
mod print;
mod protocol;
mod report;
mod reported;
mod server;
mod table;
mod tail;
mod tailing;

pub(super) use answer::whole_traces;
pub(super) use command::{assert, attributes, export, operations, query, report, services};
pub(super) use server::open;
pub(super) use tailing::tail;
