//! What to type so that spans arrive here: shown before the first one, and copied from there.

use std::net::SocketAddr;

use crate::model::{DoorState, SourceHealth};

/// Language and command, for the doors as they are. Where the HTTP door has its usual port nothing needs to be set; elsewhere each
/// command is told where to send.
pub(super) fn recipes(sources: &[SourceHealth]) -> Vec<(String, String)> {
    let http = door(sources, "OTLP/HTTP").unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 4318)));
    let (grpc_port, http_port) = (door(sources, "OTLP/gRPC").map_or(4317, |door| door.port()), http.port());
    let usual = grpc_port == 4317 && http_port == 4318;
    // Both doors take both protocols, so an SDK that speaks gRPC by default is served there too.
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

fn door(sources: &[SourceHealth], name: &str) -> Option<SocketAddr> {
    let source = sources.iter().find(|source| source.name == name)?;
    let open = source.doors.iter().find(|door| door.state == DoorState::Open);
    open.or_else(|| source.doors.first()).map(|door| door.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Door;

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
}
