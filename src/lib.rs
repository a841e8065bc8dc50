//! tracefall: a trace explorer that lives in the terminal.
//!
//! An embedded OTLP receiver fills an in-memory span index; a terminal screen shows it as searchable waterfalls in which slow SQL
//! and errors cannot be overlooked. This page is the map: read it first, then the card at the top of a room's `mod.rs`.
//!
//! # The shape
//!
//! Bytes come in at one door, pictures go out at the other; between them there is only the language of traces.
//!
//! ```text
//!  source      receiver (OTLP gRPC + HTTP, Zipkin), files, demo: what they read becomes OTLP protobuf bytes, the waist of all
//!    ▼
//!  feed        one queue of (source, bytes), bounded in bytes. Full: the sender is told to retry.
//!    ▼
//!  index       spans at rest. One writer reads the bytes once, into columns; a byte budget, whole traces leave first.
//!    │         Its receipt says what was kept and what was refused, and only then is the sender answered.
//!    ▼         Readers hold a consistent view and never stop the writer.
//!  query       filter text → plan → hits            analysis   judgements on spans and traces (pure functions)
//!    ▼                                                ▼
//!  app         State + Input → update → Effect: everything a person can do, no terminal in sight
//!    ▼
//!  view        &State → cells. Pure; remembers nothing; colours are born here
//!    ▼
//!  terminal    raw mode, events in, frames out, none when nothing changed
//! ```
//!
//! `run` wires them: it owns threads, queues, the clock and the only loop. The way back is as short: a key becomes an
//! [`app::Input`], `app` resolves it to an action and answers with effects, `run` carries them out on worker threads, and what
//! they find comes back as an [`app::Answer`].
//!
//! Without a screen there is no `app`: `run::ask` takes a request (from the command line, or from another process over a Unix
//! socket), asks `query`, and gives what was found as records of [`export`].
//!
//! # Threads
//!
//! | thread | does | never does |
//! |---|---|---|
//! | runtime workers | sockets, decompression, JSON → protobuf | write to the index |
//! | blocking workers | searches for peers at the Unix socket, two at once | draw, keep a view while a peer reads |
//! | `indexer` | the one writer: decodes into columns, publishes views every 50 ms | wait for a reader |
//! | `search`, `reading`, `counting`, `survey` | list; open, flatten, judge, highlight; values, baselines, findings of the open trace and of those in sight; what screens say of all traces: of each kind only the latest request | draw |
//! | `searching` | blocks of one search of much, beside the thread that asks: as many threads as there are cores, four at most | outlive their search |
//! | main | input → state, draws at most a frame in 16 ms | anything that can take long |
//!
//! # Who may name whom
//!
//! `tests/rooms.rs` reads this table's twin and fails on a path that it does not allow.
//!
//! | room | may name | must never contain |
//! |---|---|---|
//! | [`model`] | – | I/O, clocks, colours, protobuf |
//! | [`semconv`], [`redact`] | model | anything else |
//! | [`otlp`] | model | sockets, async |
//! | [`index`] | model, semconv, otlp | prost messages, widgets, async, clocks, judgements |
//! | [`query`] | model, semconv, index | state or wording of a screen |
//! | [`analysis`] | model, semconv, index, query | state or wording of a screen |
//! | [`export`] | model, semconv, redact, otlp, index, analysis | terminal, the look of a table |
//! | [`source`] | model, otlp, redact, query | index, app, view |
//! | [`app`] | model, semconv, redact, index, query, analysis, export | ratatui, crossterm, tokio, clocks |
//! | [`view`] | model, semconv, redact, index, query, analysis, app | crossterm, tokio, `&mut` state |
//! | [`terminal`] | app (its input type) | model, index |
//! | [`config`] | model | sockets, threads |
//! | [`cli`] | model, config | sockets, threads |
//! | `run` | everything | rules of the domain, layout |
//!
//! # What always holds
//!
//! - What a sender was told is accepted is in the index.
//! - A trace is provisional: spans arrive late, twice, out of order, without parents. The order of arrival does not change what
//!   is shown, and no arrival moves the reader's selection.
//! - Only a trace or span id of wrong length or all zero rejects a span; odd data is kept as it came, and marked.
//! - No byte of a sender's text reaches the terminal unseen: control characters are shown, never sent.
//! - Every queue is bounded, every loss is counted by its reason.
//! - Drawing changes nothing: the view is a function of [`app::State`] alone. What is in sight is looked up right before.
//!
//! # Own words
//!
//! `Span`, `Event`, `Link`, `Status` and `Resource` are always the [`model`]'s; protobuf's, the toolkit's and the terminal's
//! are always qualified (`proto::Span`, `text::Span`, `crossterm::event::Event`).

pub mod analysis;
pub mod app;
pub mod cli;
pub mod config;
pub mod export;
pub mod index;
pub mod model;
pub mod otlp;
pub mod query;
pub mod redact;
pub mod run;
pub mod semconv;
pub mod source;
pub mod terminal;
pub mod view;
