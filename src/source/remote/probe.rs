//! Finding out what a server speaks: each way is asked for something only it answers, and believed only if it does.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::error::RemoteError;
use super::grpc::Grpc;
use super::http::Http;
use super::server::Server;
use super::{Remote, legacy, tempo, v3};
use crate::query::pushdown::Abilities;

/// Jaeger's port for its page and its HTTP APIs.
const JAEGER: u16 = 16_686;

/// Jaeger's port for gRPC.
const JAEGER_GRPC: u16 = 16_685;

/// Tempo's port.
const TEMPO: u16 = 3_200;

/// How long gRPC may take to show that it is there: what does not speak it may not answer at all.
const SHOW: Duration = Duration::from_secs(3);

/// What a server is expected to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavor {
    /// Whatever it turns out to be.
    #[default]
    Any,
    /// A Jaeger, or what imitates one.
    Jaeger,
    /// A Tempo.
    Tempo,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Jaeger's `api_v3` over gRPC.
    GrpcV3,
    /// Jaeger's `/api/v3` over HTTP.
    HttpV3,
    /// Jaeger's older JSON.
    Legacy,
    /// Tempo's HTTP API.
    Tempo,
}

impl Protocol {
    /// As it is called on a screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GrpcV3 => "Jaeger, gRPC v3",
            Self::HttpV3 => "Jaeger, HTTP v3",
            Self::Legacy => "Jaeger, legacy JSON",
            Self::Tempo => "Tempo",
        }
    }
}

pub(super) async fn probe(server: Arc<Server>, flavor: Flavor) -> Result<Remote, RemoteError> {
    let mut tried = Tried::default();
    for (jaeger, server) in places(&server, flavor) {
        if tried.nobody.contains(&server.place()) {
            continue;
        }
        let found = if jaeger { jaeger_at(&server, &mut tried).await? } else { tempo_at(&server, &mut tried).await? };
        if let Some(remote) = found {
            return Ok(remote);
        }
    }
    Err(other_than(&server, flavor, &tried).await.unwrap_or_else(|| tried.sum_up(&server)))
}

/// Says so where the server is of another kind than it was expected to be.
async fn other_than(server: &Arc<Server>, flavor: Flavor, tried: &Tried) -> Option<RemoteError> {
    if tried.nobody.contains(&server.place()) {
        return None;
    }
    let mut aside = Tried::default();
    let (what, found) = match flavor {
        Flavor::Any => return None,
        Flavor::Jaeger => ("it is a Tempo, not a Jaeger: ask it with --tempo", tempo_at(server, &mut aside).await),
        Flavor::Tempo => ("it is a Jaeger, not a Tempo: ask it with --jaeger", jaeger_at(server, &mut aside).await),
    };
    let found = found.ok().flatten().is_some();
    found.then(|| RemoteError::NotThis { at: server.to_string(), what: what.to_owned() })
}

/// Where to look, and whether for a Jaeger. An address without a port may be that of a proxy, or mean the usual ports.
fn places(server: &Server, flavor: Flavor) -> Vec<(bool, Arc<Server>)> {
    let kinds: &[bool] = match flavor {
        Flavor::Any => &[true, false],
        Flavor::Jaeger => &[true],
        Flavor::Tempo => &[false],
    };
    let mut places: Vec<(bool, Arc<Server>)> = kinds.iter().map(|kind| (*kind, Arc::new(server.clone()))).collect();
    if server.port.is_none() {
        places.extend(kinds.iter().map(|kind| (*kind, Arc::new(server.at_port(if *kind { JAEGER } else { TEMPO })))));
    }
    places
}

pub(super) async fn trust(server: Arc<Server>, protocol: Protocol) -> Result<Remote, RemoteError> {
    let http = http(&server).await?;
    let grpc = match protocol {
        Protocol::GrpcV3 => Some(channel(Arc::clone(&server)).await?),
        _ => None,
    };
    let (traceql, tags) = (protocol == Protocol::Tempo, protocol != Protocol::HttpV3);
    let abilities = Abilities { names: true, tags, durations: true, traceql };
    let page = protocol != Protocol::Tempo;
    Ok(Remote { server, protocol, abilities, http, grpc, page, tempo: tempo::Manner::default() })
}

/// What was tried in vain.
#[derive(Default)]
struct Tried {
    said: Vec<String>,
    /// The error that says most: that other credentials are wanted, or that there is no trust.
    telling: Option<RemoteError>,
    /// All failed in the same way, before anything was asked.
    unreachable: Option<RemoteError>,
    answered: bool,
    /// Where nobody answers at all.
    nobody: Vec<String>,
}

impl Tried {
    fn note(&mut self, way: &str, fault: RemoteError) {
        let said = format!("{way}: {fault}");
        if !self.said.contains(&said) {
            self.said.push(said);
        }
        match fault {
            RemoteError::Denied { .. } | RemoteError::Tls { .. } => self.telling = self.telling.take().or(Some(fault)),
            RemoteError::Connect { .. } | RemoteError::Timeout { .. } => {
                self.unreachable = self.unreachable.take().or(Some(fault));
            }
            _ => self.answered = true,
        }
    }

    fn sum_up(self, server: &Server) -> RemoteError {
        let Self { said, telling, unreachable, answered, .. } = self;
        let unknown = RemoteError::Unknown { at: server.to_string(), tried: said };
        telling.or_else(|| unreachable.filter(|_| !answered)).unwrap_or(unknown)
    }
}

/// A client that reads the files which a secure server needs, off the threads that serve connections.
async fn http(server: &Arc<Server>) -> Result<Http, RemoteError> {
    let (at, server) = (server.to_string(), Arc::clone(server));
    let made = tokio::task::spawn_blocking(move || Http::new(server)).await;
    made.unwrap_or_else(|fault| Err(RemoteError::Tls { at, why: fault.to_string() }))
}

/// A client for gRPC, made like [`http()`].
async fn channel(server: Arc<Server>) -> Result<Grpc, RemoteError> {
    let handle = tokio::runtime::Handle::current();
    let at = server.to_string();
    let made = tokio::task::spawn_blocking(move || {
        let _within = handle.enter();
        Grpc::new(server)
    });
    made.await.unwrap_or_else(|fault| Err(RemoteError::Tls { at, why: fault.to_string() }))
}

/// gRPC at `server`, if it is there.
async fn grpc(server: Arc<Server>) -> Result<Grpc, RemoteError> {
    let (at, within) = (server.to_string(), server.connect_within.min(SHOW));
    let grpc = channel(server).await?;
    let asked = tokio::time::timeout(within, grpc.services()).await;
    asked.unwrap_or(Err(RemoteError::Timeout { at, after: within }))?;
    Ok(grpc)
}

async fn jaeger_at(server: &Arc<Server>, tried: &mut Tried) -> Result<Option<Remote>, RemoteError> {
    let http = http(server).await?;
    // Behind a base path there is a proxy for HTTP, which need not be one for gRPC; its port is tried all the same.
    let port = server.port.map(|port| if port == JAEGER { JAEGER_GRPC } else { port });
    let beside = Arc::new(port.map_or_else(|| (**server).clone(), |port| server.at_port(port)));
    let (over_grpc, over_http) = tokio::join!(grpc(beside), v3::services(&http));
    let silent = |fault: &RemoteError| fault.is_nobody() || matches!(fault, RemoteError::CutOff { .. });
    let page = server.port == Some(JAEGER_GRPC) || !over_http.as_ref().is_err_and(silent);
    let remote = |protocol, abilities, http: &Http, grpc| Remote {
        server: Arc::clone(server),
        protocol,
        abilities,
        http: http.clone(),
        grpc,
        page,
        tempo: tempo::Manner::default(),
    };
    let full = Abilities { names: true, tags: true, durations: true, ..Abilities::default() };
    match over_grpc {
        Ok(grpc) if server.port == Some(JAEGER_GRPC) => {
            // Its page and what gRPC lacks are at the other port.
            let page = self::http(&Arc::new(server.at_port(JAEGER))).await?;
            return Ok(Some(remote(Protocol::GrpcV3, full, &page, Some(grpc))));
        }
        Ok(grpc) => return Ok(Some(remote(Protocol::GrpcV3, full, &http, Some(grpc)))),
        Err(fault) => tried.note("gRPC", fault),
    }
    match over_http {
        Ok(_) => {
            let abilities = Abilities { tags: takes_attributes(&http).await, ..full };
            return Ok(Some(remote(Protocol::HttpV3, abilities, &http, None)));
        }
        Err(fault) => {
            let nobody = fault.is_nobody();
            tried.note("HTTP v3", fault);
            if nobody {
                tried.nobody.push(server.place());
                return Ok(None);
            }
        }
    }
    match legacy::services(&http).await {
        Ok(_) => return Ok(Some(remote(Protocol::Legacy, full, &http, None))),
        Err(fault) => tried.note("legacy JSON", fault),
    }
    Ok(None)
}

/// Whether attributes in a search over HTTP are not ignored: they came to Jaeger together with the summaries of traces, and those
/// show. Asked without the times it wants, it says in JSON what is missing; an older one answers with its page.
async fn takes_attributes(http: &Http) -> bool {
    let answer = http.get("/api/v3/trace-summaries", "application/json").await;
    answer.is_ok_and(|answer| match answer.status {
        StatusCode::BAD_REQUEST | StatusCode::OK => answer.is_object_with(&["error", "summaries"]),
        _ => false,
    })
}

async fn tempo_at(server: &Arc<Server>, tried: &mut Tried) -> Result<Option<Remote>, RemoteError> {
    let http = http(server).await?;
    match http.get("/api/echo", "*/*").await.and_then(super::answer::Answer::good) {
        Ok(answer) if answer.body.trim_ascii() == b"echo" => {
            let tempo = tempo::manner(&http).await?;
            let traceql = tempo.takes_traceql();
            let abilities = Abilities { names: traceql, tags: traceql, durations: traceql, traceql };
            Ok(Some(Remote {
                server: Arc::clone(server),
                protocol: Protocol::Tempo,
                abilities,
                http,
                grpc: None,
                page: false,
                tempo,
            }))
        }
        Ok(answer) => {
            tried.note("Tempo", answer.not_this("it is no echo"));
            Ok(None)
        }
        Err(fault) => {
            tried.note("Tempo", fault);
            Ok(None)
        }
    }
}
