//! What a span is for a person, by its attributes.
//!
//! In: a span's name, kind and a lookup of its attributes. Out: a [`Label`]. Must never know: how spans are stored.

mod comments;

use std::borrow::Cow;

use super::database::{canonical_system, is_relational, is_without_sql};
use super::http;
use crate::model::{Category, Kind};

/// The longest label in bytes; a longer statement is cut and ends in `…`.
pub const MAX_LABEL: usize = 4096;

/// What a span is for a person, by its attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Label {
    /// What sort of work.
    pub category: Category,
    /// Statement, route, destination; `None`: the span's name says it best.
    pub text: Option<String>,
    /// HTTP status, rows returned: a short remark. Usually empty.
    pub remark: String,
}

/// The attributes of one span, as the caller can look them up.
pub(super) struct Attributes<'f, 'a>(&'f dyn Fn(&str) -> Option<Cow<'a, str>>);

impl<'a> Attributes<'_, 'a> {
    /// The first of `keys` that has a value other than blank: a service may use old and new names side by side, and
    /// senders do send empty statements.
    pub(super) fn first(&self, keys: &[&str]) -> Option<Cow<'a, str>> {
        keys.iter().filter_map(|key| (self.0)(key)).find(|value| !value.trim().is_empty())
    }
}

/// Describes a span from its name, kind and attributes. `text` gives the value under a key as text (numbers printed),
/// `None` where the span has no such attribute.
///
/// A span that carries several sets of attributes is what is most telling: a database call made by way of an RPC
/// or HTTP is a database call.
#[must_use]
pub fn describe<'a>(name: &str, kind: Kind, text: &dyn Fn(&str) -> Option<Cow<'a, str>>) -> Label {
    let attributes = Attributes(text);
    let mut label = database(name, &attributes)
        .or_else(|| messaging(kind, &attributes))
        .or_else(|| rpc(&attributes))
        .or_else(|| http_call(name, kind, &attributes))
        .unwrap_or_default();
    label.text = label.text.map(|text| one_line(&text)).filter(|text| !text.is_empty());
    label
}

/// Whether [`describe`] makes nothing but the label from the value under `key`: category and remark depend on it at
/// most by its being blank.
#[must_use]
pub fn is_free(key: &str) -> bool {
    matches!(
        key,
        "db.query.text"
            | "db.statement"
            | "db.query.summary"
            | "http.route"
            | "http.host"
            | "http.target"
            | "http.url"
            | "url.full"
            | "url.path"
            | "url.template"
            | "server.address"
            | "net.peer.name"
            | "messaging.destination.name"
            | "messaging.destination"
    )
}

/// Whether `key` goes into a remark and never into a label.
#[must_use]
pub fn is_remark(key: &str) -> bool {
    matches!(
        key,
        "db.response.returned_rows"
            | "http.response.status_code"
            | "http.status_code"
            | "rpc.response.status_code"
            | "rpc.status_code"
            | "rpc.grpc.status_code"
    )
}

/// Whether [`describe`] ever asks for `key`.
#[must_use]
pub fn is_asked(key: &str) -> bool {
    is_free(key)
        || is_remark(key)
        || matches!(
            key,
            "db.system.name"
                | "db.system"
                | "db.operation.name"
                | "db.operation"
                | "db.collection.name"
                | "db.sql.table"
                | "db.cassandra.table"
                | "db.mongodb.collection"
                | "db.cosmosdb.container"
                | "db.stored_procedure.name"
                | "messaging.system"
                | "messaging.operation.name"
                | "messaging.operation.type"
                | "messaging.operation"
                | "messaging.destination.template"
                | "rpc.system.name"
                | "rpc.system"
                | "rpc.service"
                | "rpc.method"
                | "http.request.method"
                | "http.method"
                | "http.request.method_original"
        )
}

fn database(name: &str, attributes: &Attributes<'_, '_>) -> Option<Label> {
    let system = attributes.first(&["db.system.name", "db.system"]);
    let statement = attributes.first(&["db.query.text", "db.statement"]);
    let category = match system.as_deref() {
        Some(system) if is_without_sql(system) => Category::Database,
        Some(system) if is_relational(system) => Category::Sql,
        _ if statement.is_some() => Category::Sql,
        Some(_) => Category::Database,
        None => return None,
    };
    let remark = match attributes.first(&["db.response.returned_rows"]).as_deref() {
        Some("1") => "1 row".to_owned(),
        Some(rows) => format!("{rows} rows"),
        None => String::new(),
    };
    let text = match (statement, category) {
        (Some(statement), Category::Sql) => {
            // To others it is an operator.
            let hash = system.as_deref().is_some_and(|system| matches!(canonical_system(system), "mysql" | "mariadb"));
            Some(comments::enclosed(statement, hash))
        }
        (Some(statement), _) => Some(command(system.as_deref().unwrap_or_default(), &statement, attributes)),
        (None, _) => attributes
            .first(&["db.query.summary"])
            .map(Cow::into_owned)
            .or_else(|| operation_and_target(name, attributes)),
    };
    Some(Label { category, text, remark })
}

/// A statement that is not SQL. A bare command gets its system in front (`redis GET patient:1`); a JSON document its
/// operation and collection, which it shows late or masked.
fn command(system: &str, statement: &str, attributes: &Attributes<'_, '_>) -> String {
    let statement = statement.trim_start();
    if statement.starts_with(['{', '[']) {
        return match operation_and_target("", attributes) {
            Some(what) => format!("{what} {statement}"),
            None => format!("{system} {statement}"),
        };
    }
    let first = statement.split_whitespace().next().unwrap_or_default();
    if first.eq_ignore_ascii_case(system) { statement.to_owned() } else { format!("{system} {statement}") }
}

fn operation_and_target(name: &str, attributes: &Attributes<'_, '_>) -> Option<String> {
    let operation = attributes.first(&["db.operation.name", "db.operation"]);
    let target = attributes.first(&[
        "db.collection.name",
        "db.sql.table",
        "db.cassandra.table",
        "db.mongodb.collection",
        "db.cosmosdb.container",
        "db.stored_procedure.name",
    ]);
    match (operation, target) {
        (Some(operation), Some(target)) => Some(format!("{operation} {target}")),
        // The name usually holds more than the operation alone: `pg.query:SELECT recipe`.
        (Some(only), None) | (None, Some(only)) => (!name.contains(only.as_ref())).then(|| only.into_owned()),
        (None, None) => None,
    }
}

fn messaging(kind: Kind, attributes: &Attributes<'_, '_>) -> Option<Label> {
    let system = attributes.first(&["messaging.system"]);
    let template = attributes.first(&["messaging.destination.template"]);
    let destination = template.or_else(|| attributes.first(&["messaging.destination.name", "messaging.destination"]));
    if system.is_none() && destination.is_none() {
        return None;
    }
    let operation = attributes.first(&["messaging.operation.name", "messaging.operation.type", "messaging.operation"]);
    let by_kind = || match kind {
        Kind::PRODUCER => Some(Cow::Borrowed("send")),
        Kind::CONSUMER => Some(Cow::Borrowed("process")),
        _ => None,
    };
    let text = destination.and_then(|destination| {
        let operation = operation.or_else(by_kind)?;
        let operation = super::canonical_value("messaging.operation.type", &operation);
        Some(format!("{operation} {destination}"))
    });
    Some(Label { category: Category::Messaging, text, remark: String::new() })
}

fn rpc(attributes: &Attributes<'_, '_>) -> Option<Label> {
    attributes.first(&["rpc.system.name", "rpc.system"])?;
    let method = attributes.first(&["rpc.method"]);
    let service = attributes.first(&["rpc.service"]);
    let text = match (service, method) {
        // Since 1.39 the method is fully qualified and the service is gone.
        (_, Some(method)) if method.contains('/') => Some(method.into_owned()),
        (Some(service), Some(method)) => Some(format!("{service}/{method}")),
        _ => None,
    };
    let code = attributes.first(&["rpc.response.status_code", "rpc.grpc.status_code", "rpc.status_code"]);
    let remark = code.map(|code| grpc_failure(&code).to_owned()).unwrap_or_default();
    Some(Label { category: Category::Rpc, text, remark })
}

/// The name of a gRPC status code given as number or name; empty for success.
#[must_use]
pub fn grpc_failure(code: &str) -> &str {
    match code.trim() {
        "0" | "OK" => "",
        "1" => "CANCELLED",
        "2" => "UNKNOWN",
        "3" => "INVALID_ARGUMENT",
        "4" => "DEADLINE_EXCEEDED",
        "5" => "NOT_FOUND",
        "6" => "ALREADY_EXISTS",
        "7" => "PERMISSION_DENIED",
        "8" => "RESOURCE_EXHAUSTED",
        "9" => "FAILED_PRECONDITION",
        "10" => "ABORTED",
        "11" => "OUT_OF_RANGE",
        "12" => "UNIMPLEMENTED",
        "13" => "INTERNAL",
        "14" => "UNAVAILABLE",
        "15" => "DATA_LOSS",
        "16" => "UNAUTHENTICATED",
        named => named,
    }
}

fn http_call(name: &str, kind: Kind, attributes: &Attributes<'_, '_>) -> Option<Label> {
    let text = if let Some(method) = attributes.first(&["http.request.method", "http.method"]) {
        http::label(name, kind, method.trim(), attributes)
    } else if kind == Kind::CLIENT && attributes.first(&["url.full", "http.url"]).is_some() {
        http::called(attributes)
    } else {
        // Middleware and ASGI spans carry a route or a status without being a request of their own.
        return None;
    };
    let status = attributes.first(&["http.response.status_code", "http.status_code"]);
    let remark = status.filter(|code| code != "0").map(|code| clip(code.trim(), 16).to_owned());
    Some(Label { category: Category::Http, text, remark: remark.unwrap_or_default() })
}

/// The text on one line: runs of whitespace become one blank; at most [`MAX_LABEL`] bytes.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_LABEL));
    for word in text.split_whitespace() {
        let room = MAX_LABEL - '…'.len_utf8();
        if line.len() + word.len() >= room {
            let left = room.saturating_sub(line.len() + 1);
            if left > 0 && !line.is_empty() {
                line.push(' ');
            }
            line.push_str(clip(word, left));
            line.push('…');
            return line;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// The longest start of `text` that is at most `most` bytes long.
fn clip(text: &str, most: usize) -> &str {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last();
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
