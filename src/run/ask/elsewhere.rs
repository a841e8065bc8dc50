//! Asks servers that keep spans: what of them answers a command is fetched, and the command is answered from that.

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::runtime::Runtime;

use super::answer::{Held, most};
use super::fetch::{Fetch, Wanted};
use super::filter::Filter;
use super::gather::runtime;
use super::protocol::{Ask, Assertion};
use crate::config::{self, Settings};
use crate::export::{KnownOperation, KnownService, Record};
use crate::run::remotes;
use crate::source::remote::Remote;

/// Services whose operations are asked for at the same time.
const AT_ONCE: usize = 4;
/// Traces in one answer where all of them are wanted.
const ALL_AT_ONCE: u32 = 500;

/// What servers gave.
pub(super) enum Given {
    /// Spans, to be asked about.
    Spans(Held),
    /// Names, which are the answer.
    Names(Vec<Record>),
}

/// The servers that are meant. `elsewhere`: the command line says otherwise where the spans are.
///
/// # Errors
/// Where it says both.
pub(super) fn meant(settings: &Settings, elsewhere: bool) -> Result<&[config::Remote]> {
    match (elsewhere, settings.remotes_from_environment) {
        (true, true) => Ok(&[]),
        (true, false) if !settings.remotes.is_empty() => {
            bail!("either a server is asked (--jaeger, --tempo, --source), or files, or what arrives")
        }
        _ => Ok(&settings.remotes),
    }
}

/// Asks the servers, one after the other.
///
/// # Errors
/// Where one of them does not answer: half an answer would look like a whole one.
pub(super) fn asked(settings: &Settings, remotes: &[config::Remote], ask: &Ask) -> Result<(Given, Runtime)> {
    let runtime = runtime()?;
    let given = runtime.block_on(async {
        match ask {
            Ask::Services { limit } => {
                let mut records = services(remotes).await?;
                records.truncate(most(*limit));
                Ok(Given::Names(records))
            }
            Ask::Operations { limit } => {
                let mut records = operations(remotes).await?;
                records.truncate(most(*limit));
                Ok(Given::Names(records))
            }
            _ => spans(settings, remotes, &wanted(ask)?).await.map(Given::Spans),
        }
    })?;
    Ok((given, runtime))
}

/// Finds out what a server speaks.
pub(super) async fn connect(remote: &config::Remote) -> Result<Remote> {
    let (server, flavor) = remotes::server(remote)?;
    Remote::connect(server, flavor).await.with_context(|| format!("the source {}", remote.name))
}

async fn spans(settings: &Settings, remotes: &[config::Remote], wanted: &[Wanted]) -> Result<Held> {
    let fetch = Fetch::open(settings)?;
    for remote in remotes {
        let server = connect(remote).await?;
        let source = fetch.source(&remote.name, &server);
        for wanted in wanted {
            fetch.fetch((&remote.name, source), &server, wanted).await?;
        }
    }
    fetch.end().await
}

/// What has to be fetched for an answer.
fn wanted(ask: &Ask) -> Result<Vec<Wanted>> {
    let read = |text: &str| Filter::read(text).map_err(|wrong| anyhow::anyhow!(wrong.message));
    Ok(match ask {
        Ask::Report { filter, .. } => vec![Wanted { filter: read(filter)?, most: None, newest: true, all: false }],
        Ask::Query { filter, limit } | Ask::Export { filter, limit } => {
            let filter = read(filter)?;
            let most = u32::try_from(filter.most(*limit)).ok();
            vec![Wanted { filter, most, newest: true, all: false }]
        }
        Ask::Assert { assertions, .. } => {
            // Whatever is judged, it is known whether there is anything.
            let mut all = vec![Wanted { filter: read("")?, most: Some(1), newest: false, all: false }];
            for assertion in assertions {
                let filter = match assertion {
                    // What offends does not match, so that nothing of the filter may be asked for but what it is about.
                    Assertion::Each { filter } => match read(filter)?.before_pipeline() {
                        Some(about) => about,
                        None => read("")?,
                    },
                    Assertion::None { filter }
                    | Assertion::NoFinding { filter, .. }
                    | Assertion::Most { filter, .. } => read(filter)?,
                };
                all.push(Wanted { filter, most: Some(ALL_AT_ONCE), newest: true, all: true });
            }
            all
        }
        _ => vec![Wanted { filter: read("")?, most: None, newest: true, all: false }],
    })
}

async fn services(remotes: &[config::Remote]) -> Result<Vec<Record>> {
    let mut services = Vec::new();
    for remote in remotes {
        let server = connect(remote).await?;
        services.extend(server.services().await.with_context(|| format!("the source {}", remote.name))?);
    }
    services.sort_unstable();
    services.dedup();
    Ok(services.into_iter().map(|service| Record::KnownService(KnownService { service })).collect())
}

async fn operations(remotes: &[config::Remote]) -> Result<Vec<Record>> {
    let mut all = Vec::new();
    for remote in remotes {
        let of = || format!("the source {}", remote.name);
        let server = connect(remote).await?;
        let services = server.services().await.with_context(of)?;
        let server = &server;
        let asked = stream::iter(services).map(|service| async move { (server.operations(&service).await, service) });
        let mut asked = std::pin::pin!(asked.buffered(AT_ONCE));
        while let Some((operations, service)) = asked.next().await {
            let known = operations.with_context(of)?.into_iter();
            all.extend(known.map(|operation| (service.clone(), operation)));
        }
    }
    all.sort_unstable();
    all.dedup();
    let record = |(service, operation): (String, crate::source::remote::Operation)| {
        Record::KnownOperation(KnownOperation { operation: operation.name, service, kind: operation.kind })
    };
    Ok(all.into_iter().map(record).collect())
}
