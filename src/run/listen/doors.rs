//! How the doors stand, on standard error: for people, and for scripts that asked for port 0.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::SocketAddr;

use crate::model::{DoorState, Nanos, SourceHealth};

/// Tells of each door, and again when it changes.
#[derive(Default)]
pub(in crate::run) struct Doors {
    told: HashMap<(String, SocketAddr), String>,
}

impl Doors {
    /// Tells what is new. Standard error that cannot be written is nobody's loss.
    pub(in crate::run) fn tell(&mut self, sources: &[SourceHealth]) {
        for line in self.news(sources) {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    fn news(&mut self, sources: &[SourceHealth]) -> Vec<String> {
        let mut lines = Vec::new();
        for source in sources {
            for door in &source.doors {
                let Some(line) = line(&source.name, door.address, &door.state) else { continue };
                let told = self.told.insert((source.name.clone(), door.address), line.clone());
                if told.as_ref() != Some(&line) {
                    lines.push(line);
                }
            }
        }
        lines
    }
}

fn line(name: &str, address: SocketAddr, state: &DoorState) -> Option<String> {
    let flag = match name {
        "OTLP/gRPC" => "--grpc",
        "Zipkin" => "--zipkin",
        _ => "--http",
    };
    match state {
        DoorState::Open => Some(format!("listening {name} {address}")),
        // The second: who holds it is not looked up yet.
        DoorState::Opening | DoorState::Busy { holder: None, next_try: Nanos::ZERO } => None,
        DoorState::Busy { holder, .. } => {
            let holder = holder.as_ref().map_or("another program", |holder| holder);
            Some(format!(
                "{name} {address} is taken by {holder}; it is tried again (or choose another: {flag} ADDR:PORT, 0 for a \
                 free port)"
            ))
        }
        DoorState::Failed { error } => Some(format!("{name} {address} cannot be had: {error}; it is tried again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Door;

    #[test]
    fn busy_port_is_told_once_with_its_holder_and_again_when_it_opens() {
        let mut doors = Doors::default();
        let mut news = |state: DoorState| {
            let door = Door { address: SocketAddr::from(([127, 0, 0, 1], 4318)), state };
            doors.news(&[SourceHealth { name: "OTLP/HTTP".to_owned(), doors: vec![door], ..SourceHealth::default() }])
        };
        let busy = |holder: Option<&str>, next_try| DoorState::Busy { holder: holder.map(str::to_owned), next_try };
        assert!(news(busy(None, Nanos::ZERO)).is_empty());
        let told = news(busy(Some("otelcol (pid 7)"), Nanos::from_secs(1)));
        assert!(
            told[0].contains("127.0.0.1:4318 is taken by otelcol (pid 7)") && told[0].contains("--http"),
            "{told:?}"
        );
        assert!(news(busy(Some("otelcol (pid 7)"), Nanos::from_secs(2))).is_empty());
        assert_eq!(news(DoorState::Open), ["listening OTLP/HTTP 127.0.0.1:4318"]);
    }
}
