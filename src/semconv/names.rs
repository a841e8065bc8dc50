//! Attribute names that were renamed, and values that were renamed with them.

use super::canonical_system;

/// Renames: the present name, and the names it had before.
///
/// Source: the OpenTelemetry semantic conventions' changelog, schema file and attribute registry up to 1.44.0.
const RENAMES: &[(&str, &[&str])] = &[
    ("db.query.text", &["db.statement"]),
    ("db.operation.name", &["db.operation"]),
    ("db.namespace", &["db.name", "db.redis.database_index"]),
    ("db.collection.name", &["db.sql.table", "db.cassandra.table", "db.mongodb.collection", "db.cosmosdb.container"]),
    ("db.system.name", &["db.system"]),
    ("http.request.method", &["http.method"]),
    ("http.response.status_code", &["http.status_code"]),
    ("url.full", &["http.url"]),
    ("url.path", &["http.target"]),
    ("url.scheme", &["http.scheme"]),
    ("client.address", &["http.client_ip"]),
    ("user_agent.original", &["http.user_agent", "browser.user_agent"]),
    ("network.protocol.version", &["net.protocol.version", "http.flavor"]),
    ("network.protocol.name", &["net.protocol.name"]),
    ("network.transport", &["net.transport"]),
    ("network.peer.address", &["net.sock.peer.addr", "net.peer.ip"]),
    ("network.peer.port", &["net.sock.peer.port"]),
    ("network.local.address", &["net.sock.host.addr", "net.host.ip"]),
    ("network.local.port", &["net.sock.host.port"]),
    ("http.request.body.size", &["http.request_content_length"]),
    ("http.response.body.size", &["http.response_content_length"]),
    ("http.request.resend_count", &["http.resend_count", "http.retry_count"]),
    ("server.address", &["net.peer.name", "net.host.name"]),
    ("server.port", &["net.peer.port", "net.host.port"]),
    ("rpc.system.name", &["rpc.system"]),
    ("rpc.response.status_code", &["rpc.grpc.status_code", "rpc.status_code"]),
    ("service.peer.name", &["peer.service"]),
    ("messaging.operation.type", &["messaging.operation"]),
    ("messaging.destination.name", &["messaging.destination"]),
    ("messaging.consumer.group.name", &["messaging.kafka.consumer.group", "messaging.kafka.consumer_group"]),
    ("messaging.client.id", &["messaging.client_id", "messaging.kafka.client_id"]),
    ("messaging.destination.partition.id", &["messaging.kafka.destination.partition", "messaging.kafka.partition"]),
    ("messaging.kafka.offset", &["messaging.kafka.message.offset"]),
    ("messaging.message.id", &["messaging.message_id"]),
    ("messaging.message.conversation_id", &["messaging.conversation_id"]),
    ("code.function.name", &["code.function"]),
    ("code.line.number", &["code.lineno"]),
    ("code.file.path", &["code.filepath"]),
    ("code.column.number", &["code.column"]),
    ("deployment.environment.name", &["deployment.environment"]),
    ("gen_ai.provider.name", &["gen_ai.system"]),
    ("gen_ai.usage.input_tokens", &["gen_ai.usage.prompt_tokens"]),
    ("gen_ai.usage.output_tokens", &["gen_ai.usage.completion_tokens"]),
    ("faas.invocation_id", &["faas.execution"]),
];

/// Every name that means the same as `key`, itself first: `db.statement` gives itself and `db.query.text`.
///
/// A present name gives all of its former names. A former name gives itself and the present one but not its
/// siblings: `net.peer.name` and `net.host.name` both became `server.address`, yet never meant the same.
#[must_use]
pub fn aliases(key: &str) -> Vec<&str> {
    let present = logical(key);
    let mut names = vec![key];
    if present != key {
        names.push(present);
    } else if let Some((_, former)) = RENAMES.iter().find(|(name, _)| *name == key) {
        names.extend_from_slice(former);
    }
    names
}

/// The present name of `key`: under it old and new spans are counted as one. `key` itself where it was never renamed.
#[must_use]
pub fn logical(key: &str) -> &str {
    RENAMES.iter().find(|(_, former)| former.contains(&key)).map_or(key, |(present, _)| present)
}

/// The present form of a value under `key`, where values were renamed too: `mssql` under `db.system` gives
/// `microsoft.sql_server`. `value` itself otherwise.
#[must_use]
pub fn canonical_value<'a>(key: &str, value: &'a str) -> &'a str {
    match (logical(key), value) {
        ("db.system.name", _) => canonical_system(value),
        ("messaging.operation.type", "publish") => "send",
        ("network.transport", "ip_tcp") => "tcp",
        ("network.transport", "ip_udp") => "udp",
        _ => value,
    }
}

/// Whether [`canonical_value`] knows other spellings of values under `key`.
#[must_use]
pub fn renames_values(key: &str) -> bool {
    matches!(logical(key), "db.system.name" | "messaging.operation.type" | "network.transport")
}

/// Whether the value under `key` is a database statement: SQL, or JSON for the document stores.
#[must_use]
pub fn is_statement_key(key: &str) -> bool {
    matches!(key, "db.query.text" | "db.statement")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_present_name_gives_all_former_ones_and_back() {
        let cases: &[(&str, &[&str])] = &[
            ("db.statement", &["db.statement", "db.query.text"]),
            ("db.query.text", &["db.query.text", "db.statement"]),
            ("net.peer.name", &["net.peer.name", "server.address"]),
            ("server.address", &["server.address", "net.peer.name", "net.host.name"]),
            ("http.flavor", &["http.flavor", "network.protocol.version"]),
            ("tenant_id", &["tenant_id"]),
            ("", &[""]),
        ];
        for (key, expected) in cases {
            assert_eq!(aliases(key), *expected, "{key}");
        }
    }

    #[test]
    fn aliases_are_mutual_and_every_name_stands_once_in_the_table() {
        let mut seen = std::collections::BTreeSet::new();
        for (present, former) in RENAMES {
            for name in std::iter::once(present).chain(*former) {
                assert!(seen.insert(*name), "{name} stands twice");
                assert_eq!(logical(name), *present);
                for other in aliases(name) {
                    assert!(aliases(other).contains(name), "{name} and {other}");
                }
            }
        }
    }

    #[test]
    fn renamed_values_have_one_form() {
        let cases = [
            ("db.system", "mssql", "microsoft.sql_server"),
            ("db.system.name", "h2", "h2database"),
            ("db.system", "postgresql", "postgresql"),
            ("messaging.operation", "publish", "send"),
            ("net.transport", "ip_tcp", "tcp"),
            ("http.method", "mssql", "mssql"),
        ];
        for (key, value, expected) in cases {
            assert_eq!(canonical_value(key, value), expected, "{key}={value}");
            assert!(renames_values(key) || value == expected, "{key}={value}");
        }
        assert!(same_system("oracle", "oracle.db") && same_system("redis", "redis"));
        assert!(!same_system("oracle", "mysql"));
    }

    use super::super::same_system;
}
