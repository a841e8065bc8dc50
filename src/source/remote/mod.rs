//! Servers that keep spans: Jaeger of all ages and what imitates it, and Tempo.
//!
//! In: where a server is, and what it is asked. Out: traces as OTLP protobuf bodies, ready for a [`super::Feed`]; names of services,
//! operations and tags; and clear reasons where there is no answer. An answer is believed only if it is what was asked for. Must
//! never know: what holds the spans, what a filter means beyond a [`Search`], or what time it is. Every call ends within the
//! server's time-out and is cancelled by dropping it.
//!
//! Of a Jaeger traces are asked for raw, as they were sent: its own adjustments move spans in time, rename ids and attributes, and
//! its memory store was seen to crash when two answers with the same trace were adjusted at once.

mod answer;
mod error;
mod follow;
mod found;
mod grpc;
mod http;
mod legacy;
mod names;
mod probe;
mod rounds;
mod secret;
mod server;
mod spell;
mod tempo;
mod tls;
mod v3;

use std::sync::Arc;

pub use error::RemoteError;
pub use follow::{Follower, Wish};
pub use found::{Body, Found, Seen};
pub use names::{Operation, TagValue};
pub use probe::{Flavor, Protocol};
pub use rounds::Rounds;

pub use crate::model::{Dependency, Progress};
pub use secret::Secret;
pub use server::{Server, ServerError};

use self::grpc::Grpc;
use self::http::Http;
use crate::model::{Nanos, Timestamp, TraceId};
use crate::query::pushdown::{Abilities, Search};

/// A server that was found out about: [`Remote::connect`]. Cheap to clone; connections are shared and opened again by themselves.
#[derive(Clone)]
pub struct Remote {
    server: Arc<Server>,
    protocol: Protocol,
    abilities: Abilities,
    http: Http,
    /// There where the protocol is gRPC.
    grpc: Option<Grpc>,
    /// There is a page for people, and what only HTTP serves.
    page: bool,
    tempo: tempo::Manner,
}

impl Remote {
    /// Finds out what `server` speaks.
    ///
    /// # Errors
    /// Where it speaks nothing that is known here, or cannot be reached, or wants other credentials.
    pub async fn connect(server: Server, flavor: Flavor) -> Result<Self, RemoteError> {
        probe::probe(Arc::new(server), flavor).await
    }

    /// Takes `server`'s word for what it speaks: nothing is asked yet. What a Jaeger honours is taken to be as little as any does.
    ///
    /// # Errors
    /// Where the files that a secure server needs cannot be read.
    pub async fn connect_as(server: Server, protocol: Protocol) -> Result<Self, RemoteError> {
        probe::trust(Arc::new(server), protocol).await
    }

    /// Where it is.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What it speaks.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What it is known to honour.
    #[must_use]
    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Whether what it answers lacks things that were sent (nanoseconds, attributes of links): it must then not replace a span that
    /// was received.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.protocol == Protocol::Legacy
    }

    /// Its services, sorted.
    ///
    /// # Errors
    /// Where there is no answer, or not to this.
    pub async fn services(&self) -> Result<Vec<String>, RemoteError> {
        let mut services = match (&self.grpc, self.protocol) {
            (Some(grpc), _) => grpc.services().await,
            (None, Protocol::Legacy) => legacy::services(&self.http).await,
            (None, Protocol::Tempo) => tempo::services(&self.http, &self.tempo).await,
            (None, _) => v3::services(&self.http).await,
        }?;
        services.sort_unstable();
        services.dedup();
        Ok(services)
    }

    /// The operations of a service, sorted.
    ///
    /// # Errors
    /// Where there is no answer, or not to this.
    pub async fn operations(&self, service: &str) -> Result<Vec<Operation>, RemoteError> {
        let mut operations = match (&self.grpc, self.protocol) {
            (Some(grpc), _) => grpc.operations(service).await,
            (None, Protocol::Legacy) => legacy::operations(&self.http, service).await,
            (None, Protocol::Tempo) => tempo::operations(&self.http, service, &self.tempo).await,
            (None, _) => v3::operations(&self.http, service).await,
        }?;
        operations.sort_unstable();
        operations.dedup();
        Ok(operations)
    }

    /// Traces that a search finds, in rounds that go on until there are no more or `most` requests were made. The first round is what
    /// the server answers by itself; the later ones ask again for parts of the time in which its limit was reached.
    #[must_use]
    pub fn rounds(&self, search: Search, most: u32) -> Rounds {
        Rounds::new(self.clone(), search, most)
    }

    /// Traces that a search finds, within the server's limit.
    ///
    /// # Errors
    /// Where there is no answer, or not to this. What went wrong for some services only is a warning.
    pub async fn search(&self, search: &Search) -> Result<Found, RemoteError> {
        let mut rounds = self.rounds(search.clone(), 0);
        let mut found = rounds.first().await?;
        found.capped |= rounds.is_capped();
        Ok(found)
    }

    /// One trace, whole; nothing where the server does not have it. `within`: when it was, for servers that ask for it.
    ///
    /// # Errors
    /// Where there is no answer, or not to this.
    pub async fn trace(
        &self,
        id: TraceId,
        within: Option<(Timestamp, Timestamp)>,
    ) -> Result<Option<Found>, RemoteError> {
        let found = match (&self.grpc, self.protocol) {
            (Some(grpc), _) => grpc.trace(id).await,
            (None, Protocol::Legacy) => legacy::trace(&self.http, id).await,
            (None, Protocol::Tempo) => tempo::trace(&self.http, id, within).await,
            (None, _) => v3::trace(&self.http, id).await,
        }?;
        if found.is_another(id) {
            let what = "it answers with another trace than the one that was asked for".to_owned();
            return Err(RemoteError::NotThis { at: self.http.base(), what });
        }
        Ok((!found.traces.is_empty()).then_some(found))
    }

    /// How often services called each other, sorted, in the time `lookback` before `end`. None from a Tempo, nor where only gRPC is
    /// served.
    ///
    /// # Errors
    /// Where there is no answer, or not to this.
    pub async fn dependencies(&self, end: Timestamp, lookback: Nanos) -> Result<Vec<Dependency>, RemoteError> {
        if self.page { legacy::dependencies(&self.http, end, lookback).await } else { Ok(Vec::new()) }
    }

    /// The names of attributes, with their scope (`span.http.method`). None from a Jaeger, which does not tell.
    ///
    /// # Errors
    /// Where there is no answer, or not to this.
    pub async fn tags(&self) -> Result<Vec<String>, RemoteError> {
        if self.protocol == Protocol::Tempo { tempo::tags(&self.http).await } else { Ok(Vec::new()) }
    }

    /// The values of an attribute by its name with scope. None from a Jaeger.
    ///
    /// # Errors
    /// Where there is no answer, or not to this.
    pub async fn tag_values(&self, tag: &str) -> Result<Vec<TagValue>, RemoteError> {
        if self.protocol == Protocol::Tempo { tempo::tag_values(&self.http, tag).await } else { Ok(Vec::new()) }
    }

    /// Where the server's own page of a trace is, before the trace's id; none for a Tempo, which has no page, nor where only gRPC is served.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        self.page.then(|| format!("{}/trace/", self.http.base()))
    }

    /// Where a browser shows the trace in the server's own page.
    #[must_use]
    pub fn link(&self, id: TraceId) -> Option<String> {
        self.page().map(|page| format!("{page}{id}"))
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { server, protocol, abilities, .. } = self;
        let mut shown = out.debug_struct("Remote");
        shown.field("server", server).field("protocol", protocol).field("abilities", abilities).finish_non_exhaustive()
    }
}
