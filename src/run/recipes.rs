//! What to type so that spans arrive here: shown before the first one, and copied from there.

use crate::model::{DoorState, SourceHealth};

/// Language and command, for the doors as they are. Where the HTTP door has its usual port nothing needs to be set; elsewhere each
/// command is told where to send.
pub(super) fn recipes(sources: &[SourceHealth]) -> Vec<(String, String)> {
    // Both doors take both protocols, so either serves every SDK.
    let (grpc, http) = (open(sources, "OTLP/gRPC"), open(sources, "OTLP/HTTP"));
    let http_port = http.or(grpc).or_else(|| asked(sources, "OTLP/HTTP")).unwrap_or(4318);
    let usual = grpc == Some(4317) && http == Some(4318);
    let set = format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:{http_port}");
    let command = |command: &str| if usual { command.to_owned() } else { format!("{set} {command}") };
    let line = |name: &str, command: String| (name.to_owned(), command);
    vec![
        line("Python", command("opentelemetry-instrument uvicorn app:app")),
        line("Node", command("node --import @opentelemetry/auto-instrumentations-node/register app.js")),
        line("Java", command("java -javaagent:opentelemetry-javaagent.jar -jar app.jar")),
        line("other", format!("export {set}")),
        line(
            "container",
            format!("docker run --network=host -e OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:{http_port} …"),
        ),
    ]
}

/// The port of a source that is open.
fn open(sources: &[SourceHealth], name: &str) -> Option<u16> {
    let doors = sources.iter().filter(|source| source.name == name).flat_map(|source| &source.doors);
    doors.filter(|door| door.state == DoorState::Open).map(|door| door.address.port()).next()
}

/// The port that a source was to have.
fn asked(sources: &[SourceHealth], name: &str) -> Option<u16> {
    sources.iter().find(|source| source.name == name)?.doors.first().map(|door| door.address.port())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::model::{Door, Nanos};

    fn source(name: &str, port: u16) -> SourceHealth {
        let door = Door { address: SocketAddr::from(([127, 0, 0, 1], port)), state: DoorState::Open };
        SourceHealth { name: name.to_owned(), doors: vec![door], ..SourceHealth::default() }
    }

    #[test]
    fn at_the_usual_ports_nothing_needs_to_be_set() {
        let recipes = recipes(&[source("OTLP/gRPC", 4317), source("OTLP/HTTP", 4318)]);
        assert_eq!(recipes[0].1, "opentelemetry-instrument uvicorn app:app");
    }

    #[test]
    fn at_other_ports_each_command_is_told_where_to_send() {
        let recipes = recipes(&[source("OTLP/gRPC", 40001), source("OTLP/HTTP", 40002)]);
        assert!(recipes.iter().all(|(_, command)| command.contains("http://localhost:40002")), "{recipes:?}");
    }

    #[test]
    fn commands_send_to_a_door_that_is_open() {
        let mut http = source("OTLP/HTTP", 4318);
        http.doors[0].state = DoorState::Busy { holder: None, next_try: Nanos(0) };
        let recipes = recipes(&[source("OTLP/gRPC", 4317), http]);
        assert!(recipes.iter().all(|(_, command)| command.contains("http://localhost:4317")), "{recipes:?}");
    }
}
