//! What stands at the other end of a call, by what the caller says of it.

use std::borrow::Cow;
use std::sync::Arc;

use super::Peer;
use crate::analysis::errors::first;
use crate::model::{Category, Span};
use crate::semconv::canonical_system;

/// The database that a span calls: its system and namespace (`postgresql hmis`), or else where it is.
pub(super) fn database(span: &Span) -> Peer {
    let attribute = |keys: &[&str]| first(&span.attributes, keys);
    let system = attribute(&["db.system.name", "db.system"]);
    let system = system.as_deref().map_or("database", |system| canonical_system(system.trim()));
    let space = attribute(&["db.namespace", "db.name"]).or_else(|| address(span));
    let name = match space.as_deref().map(str::trim).filter(|space| *space != system) {
        Some(space) => format!("{system} {space}"),
        None => system.to_owned(),
    };
    Peer::Database(name.into())
}

/// The queue or topic of a span that sends or receives; `None` where it names none.
pub(super) fn destination(span: &Span) -> Option<Peer> {
    let keys = ["messaging.destination.template", "messaging.destination.name", "messaging.destination"];
    let name = first(&span.attributes, &keys).or_else(|| first(&span.attributes, &["messaging.system"]))?;
    Some(Peer::Messaging(name.trim().into()))
}

/// What a client called that sent no spans, as the service graph's connector names it; `None` where the span does not say.
pub(super) fn silent(span: &Span) -> Option<Peer> {
    let named = first(&span.attributes, &["service.peer.name", "peer.service"]);
    let name = named.or_else(|| address(span)).or_else(|| first(&span.attributes, &["rpc.service"]))?;
    Some(Peer::Silent(name.trim().into()))
}

/// Host and port that a span calls.
fn address(span: &Span) -> Option<Cow<'_, str>> {
    let with_port = |host: Cow<'_, str>, ports: &[&str]| match first(&span.attributes, ports) {
        Some(port) if !host.contains(':') => format!("{host}:{port}"),
        _ => host.into_owned(),
    };
    let attribute = |keys: &[&str]| first(&span.attributes, keys);
    if let Some(host) = attribute(&["server.address", "net.peer.name"]) {
        return Some(with_port(host, &["server.port", "net.peer.port"]).into());
    }
    if let Some(url) = attribute(&["url.full", "http.url"]) {
        let rest = url.split_once("://").map_or(&*url, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        if !host.is_empty() {
            return Some(host.to_owned().into());
        }
    }
    let host = attribute(&["http.host", "network.peer.address", "net.sock.peer.addr", "net.peer.ip"])?;
    Some(with_port(host, &["network.peer.port", "net.sock.peer.port", "net.peer.port"]).into())
}

/// Who a call of this category goes to that no service answered.
pub(super) fn unanswered(category: Category, span: &Span) -> Option<Peer> {
    match category {
        Category::Sql | Category::Database => Some(database(span)),
        Category::Messaging => destination(span).or_else(|| silent(span)),
        Category::Http | Category::Rpc | Category::Other => silent(span),
    }
}

/// A service by its name.
pub(super) fn service(name: &Arc<str>) -> Peer {
    Peer::Service(Arc::clone(name))
}
