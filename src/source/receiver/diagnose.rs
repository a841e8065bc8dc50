//! What a sender did wrong, in words that say what to set instead.

use std::net::SocketAddr;

use http::request::Parts;

use crate::model::Signal;

/// Characters of a sender's own text that are shown, at most.
const SHOWN: usize = 100;

/// The right addresses, as a developer would type them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Urls {
    /// Of OTLP/gRPC: `http://localhost:4317`.
    pub(super) grpc: String,
    /// Of OTLP/HTTP, without a path: `http://localhost:4318`.
    pub(super) http: String,
    /// Of the door for Zipkin senders, where there is one, without a path: `http://localhost:9411`.
    pub(super) zipkin: Option<String>,
}

impl Urls {
    /// How `address` is written for a sender on this machine.
    pub(super) fn of(address: SocketAddr) -> String {
        let ip = address.ip();
        if ip.is_loopback() || ip.is_unspecified() {
            format!("http://localhost:{}", address.port())
        } else {
            format!("http://{address}")
        }
    }
}

/// A sender's own text, made harmless: control characters escaped, cut at a bounded length.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

/// `POST / over HTTP/1.1 arrived at 4317`.
pub(super) fn request_line(parts: &Parts, port: u16) -> String {
    let method = shown(parts.method.as_str().as_bytes());
    let path = shown(parts.uri.path().as_bytes());
    format!("{method} {path} over {:?} arrived at {port}", parts.version)
}

/// The signal that a path of OTLP/HTTP stands for.
pub(super) fn signal_of_path(path: &str) -> Option<Signal> {
    match path {
        "/v1/traces" => Some(Signal::Traces),
        "/v1/logs" => Some(Signal::Logs),
        "/v1/metrics" => Some(Signal::Metrics),
        _ => None,
    }
}

/// The signal that a gRPC method stands for.
pub(super) fn signal_of_method(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        _ => None,
    }
}

/// What to do about a path that OTLP/HTTP does not know.
pub(super) fn wrong_path(path: &str, urls: &Urls) -> String {
    const NAMES: [&str; 3] = ["traces", "logs", "metrics"];
    let Urls { http, grpc, zipkin } = urls;
    let lower = path.to_ascii_lowercase();
    let lower = lower.trim_end_matches('/');
    if lower.is_empty() {
        return format!("the path is missing: set the endpoint to {http}/v1/traces");
    }
    if signal_of_method(path).is_some() || lower.starts_with("/opentelemetry.proto.collector") {
        return format!("this is a gRPC method without gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc with {grpc}");
    }
    let ends = |name: &&str| lower.strip_suffix(name).is_some_and(|start| start.ends_with("/v1/"));
    if let Some(name) = NAMES.into_iter().find(ends) {
        return format!(
            "there is too much in the path: set OTEL_EXPORTER_OTLP_ENDPOINT={http}, or the endpoint of this signal to \
             {http}/v1/{name}"
        );
    }
    let near = NAMES.into_iter().find(|name| lower.contains(name.trim_end_matches('s')));
    match (lower, near) {
        ("/api/v2/spans" | "/api/v1/spans", _) => match zipkin {
            Some(zipkin) => format!("this is Zipkin's path: set the endpoint to {zipkin}/api/v2/spans"),
            None => format!(
                "this is Zipkin's path: start tracefall with --zipkin and send to http://localhost:9411/api/v2/spans, or \
                 switch the exporter to OTLP, at {http}/v1/traces"
            ),
        },
        ("/api/traces", _) => format!("this is Jaeger's own path: switch the exporter to OTLP, at {http}/v1/traces"),
        ("/v1development/profiles", _) => "profiles are not taken: switch the profile exporter off".to_owned(),
        (_, Some(name)) => format!("the path is wrong: set the endpoint to {http}/v1/{name}"),
        _ => format!("there is no such path: traces go to {http}/v1/traces, logs to /v1/logs, metrics to /v1/metrics"),
    }
}

/// What to do about a media type that is not OTLP's.
pub(super) fn wrong_media_type(given: Option<&[u8]>) -> String {
    let given = given.map_or_else(|| "is missing".to_owned(), |given| format!("is {}", shown(given)));
    format!("the content type {given}: send application/x-protobuf or application/json")
}

/// What to do about TLS on a port without it.
pub(super) fn tls(url: &str) -> String {
    format!(
        "this port speaks plain text: set the endpoint to {url} (http, not https), or OTEL_EXPORTER_OTLP_INSECURE=true"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> Urls {
        Urls { grpc: "http://localhost:4317".to_owned(), http: "http://localhost:4318".to_owned(), zipkin: None }
    }

    #[test]
    fn wrong_paths_are_told_the_right_one() {
        let cases = [
            ("/", "the path is missing: set the endpoint to http://localhost:4318/v1/traces"),
            ("/v1/trace", "set the endpoint to http://localhost:4318/v1/traces"),
            ("/V1/Logs", "too much in the path"),
            ("/v1/traces/", "too much in the path"),
            ("/v1/traces/v1/traces", "set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318,"),
            ("/v1/logs/v1/metrics", "too much in the path"),
            ("/api/v2/spans", "start tracefall with --zipkin"),
            ("/api/traces", "Jaeger"),
            ("/v1development/profiles", "profiles"),
            ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
            ("/favicon.ico", "there is no such path"),
        ];
        for (path, expected) in cases {
            let advice = wrong_path(path, &urls());
            assert!(advice.contains(expected), "{path}: {advice}");
        }
        let open = Urls { zipkin: Some("http://localhost:9411".to_owned()), ..urls() };
        let advice = wrong_path("/api/v2/spans", &open);
        assert!(advice.ends_with("set the endpoint to http://localhost:9411/api/v2/spans"), "{advice}");
    }

    #[test]
    fn text_of_senders_is_harmless_and_short() {
        assert_eq!(shown(b"a\x1b[2Jb\r\n\xff"), "a\\u{1b}[2Jb\\r\\n\u{fffd}");
        assert_eq!(shown("x".repeat(200).as_bytes()).chars().count(), SHOWN + 1);
    }

    #[test]
    fn addresses_are_written_as_one_types_them() {
        assert_eq!(Urls::of(SocketAddr::from(([0, 0, 0, 0], 4318))), "http://localhost:4318");
        assert_eq!(Urls::of(SocketAddr::from(([10, 0, 0, 7], 4318))), "http://10.0.0.7:4318");
    }
}
