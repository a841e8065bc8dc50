//! Requests over HTTP: bounded in time and in bytes, with the server's credentials, which never go elsewhere.

mod dial;

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{sleep, timeout};

pub(super) use dial::Dial;

use super::answer::Answer;
use super::error::RemoteError;
use super::server::Server;

/// Redirects that are followed.
const REDIRECTS: u32 = 3;

/// The first pause where a server says that it is asked too much at once; each further one is twice as long.
const BUSY: Duration = Duration::from_millis(100);

/// How often it is asked again then.
const TRIES: u32 = 6;

/// Asks one server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Http {
    server: Arc<Server>,
    client: Client<Dial, Empty<Bytes>>,
}

impl Http {
    /// Where the server is secure this reads files.
    pub(super) fn new(server: Arc<Server>) -> Result<Self, RemoteError> {
        let dial = Dial::new(&server, false)?;
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(dial);
        Ok(Self { server, client })
    }

    /// The address of the server with its base path.
    pub(super) fn base(&self) -> String {
        self.server.to_string()
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// What the server answers to a path (with its query, below the base path), whatever the status. Where it is asked too much at once
    /// it is given a little time.
    pub(super) async fn get(&self, path: &str, accept: &'static str) -> Result<Answer, RemoteError> {
        let at = format!("{}{}", self.server, path.split('?').next().unwrap_or_default());
        let within = self.server.answer_within;
        let asked = async {
            for again in 0..TRIES {
                let answer = self.follow(&at, path, accept).await?;
                if answer.status != StatusCode::TOO_MANY_REQUESTS {
                    return Ok(answer);
                }
                sleep(BUSY * 2_u32.pow(again)).await;
            }
            self.follow(&at, path, accept).await
        };
        let asked = timeout(within, asked);
        asked.await.unwrap_or_else(|_late| Err(RemoteError::Timeout { at: at.clone(), after: within }))
    }

    async fn follow(&self, at: &str, path: &str, accept: &'static str) -> Result<Answer, RemoteError> {
        let mut path = format!("{}{path}", self.server.path);
        for _ in 0..=REDIRECTS {
            let uri = format!("{}://{}{path}", self.server.scheme(), self.server.place());
            let response = self.send(at, &uri, accept).await?;
            let Some(next) = redirect(&response) else { return self.read(at, response).await };
            path = self.within_server(&uri, &next).ok_or_else(|| RemoteError::NotThis {
                at: at.to_owned(),
                what: format!("it sends elsewhere, to {}: is that where to sign in?", self.server.said(&next)),
            })?;
        }
        Err(RemoteError::NotThis { at: at.to_owned(), what: format!("it redirects more than {REDIRECTS} times") })
    }

    async fn send(&self, at: &str, uri: &str, accept: &'static str) -> Result<Response<Incoming>, RemoteError> {
        let mut request = Request::get(uri).header(header::ACCEPT, accept).header(header::ACCEPT_ENCODING, "gzip");
        for (name, value) in self.server.headers() {
            request = request.header(name, value);
        }
        let unsendable = |fault: http::Error| RemoteError::NotThis { at: at.to_owned(), what: fault.to_string() };
        let request = request.body(Empty::new()).map_err(unsendable)?;
        self.client.request(request).await.map_err(|fault| failed(at, &fault))
    }

    /// The path and query of a redirect's target, if that is on this same server.
    fn within_server(&self, from: &str, to: &str) -> Option<String> {
        let to = if to.starts_with("//") { format!("{}:{to}", self.server.scheme()) } else { to.to_owned() };
        if to.starts_with('/') {
            return Some(to);
        }
        if !to.contains("://") {
            let folder = from.split('?').next()?.rsplit_once('/')?.0;
            let path: Uri = format!("{folder}/{to}").parse().ok()?;
            return path.path_and_query().map(ToString::to_string);
        }
        let uri: Uri = to.parse().ok()?;
        let port = |port: Option<u16>| port.unwrap_or(if self.server.secure { 443 } else { 80 });
        let same = uri.scheme_str() == Some(self.server.scheme())
            && uri.host().is_some_and(|host| host.eq_ignore_ascii_case(&self.server.host))
            && port(uri.port_u16()) == port(self.server.port);
        same.then(|| uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string))
    }

    async fn read(&self, at: &str, response: Response<Incoming>) -> Result<Answer, RemoteError> {
        let limit = self.server.most;
        let status = response.status();
        let text = |name: header::HeaderName| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().trim().to_ascii_lowercase()
        };
        let (media, coding) = (text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING));
        let too_large = || RemoteError::TooLarge { at: at.to_owned(), limit };
        let mut incoming = response.into_body();
        let mut wire = Vec::new();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|fault| RemoteError::CutOff { at: at.to_owned(), why: root(&fault) })?;
            if let Ok(data) = frame.into_data() {
                if wire.len() + data.len() > limit {
                    return Err(too_large());
                }
                wire.extend_from_slice(&data);
            }
        }
        let body = match coding.as_str() {
            "" | "identity" => wire,
            "gzip" | "x-gzip" => inflate(wire, limit).await.map_err(|fault| match fault {
                Some(why) => RemoteError::CutOff { at: at.to_owned(), why },
                None => too_large(),
            })?,
            other => {
                let what = format!("it answers in {:?}, which was not asked for", self.server.said(other));
                return Err(RemoteError::NotThis { at: at.to_owned(), what });
            }
        };
        Ok(Answer { at: at.to_owned(), status, media, body: Bytes::from(body), server: Arc::clone(&self.server) })
    }
}

fn failed(at: &str, fault: &hyper_util::client::legacy::Error) -> RemoteError {
    let at = at.to_owned();
    if fault.is_connect() { connecting(at, fault) } else { RemoteError::CutOff { at, why: root(fault) } }
}

/// The error of a connection that was not made.
pub(super) fn connecting(at: String, fault: &(dyn std::error::Error + 'static)) -> RemoteError {
    match secure(fault) {
        Some(fault) => RemoteError::Tls { at, why: untrusted(fault) },
        None => RemoteError::Connect { at, why: root(fault) },
    }
}

/// What TLS has against a connection, if it was that. It may be wrapped many times, in ways that `source` does not show.
fn secure<'f>(fault: &'f (dyn std::error::Error + 'static)) -> Option<&'f rustls::Error> {
    let wrapped = || fault.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    fault
        .downcast_ref()
        .or_else(|| wrapped().and_then(|inner| secure(inner)))
        .or_else(|| fault.source().and_then(|source| secure(source)))
}

fn untrusted(fault: &rustls::Error) -> String {
    match fault {
        rustls::Error::InvalidCertificate(why) => {
            format!("its certificate is not trusted ({why}); an authority of your own must be named")
        }
        rustls::Error::InvalidMessage(_) => format!("it does not speak TLS here ({fault}); is it http?"),
        other => format!("no secure connection: {other}"),
    }
}

/// What an error comes from, in its last words.
pub(super) fn root(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut last = fault;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn redirect(response: &Response<Incoming>) -> Option<String> {
    let known = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let target = response.headers().get(header::LOCATION).filter(|_| known)?;
    Some(String::from_utf8_lossy(target.as_bytes()).into_owned())
}

/// Decompresses off the threads that serve connections. The error: what is wrong, or nothing where it is too large.
async fn inflate(wire: Vec<u8>, limit: usize) -> Result<Vec<u8>, Option<String>> {
    let work = move || {
        let mut out = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        MultiGzDecoder::new(&wire[..]).take(most).read_to_end(&mut out).map_err(|fault| Some(fault.to_string()))?;
        if out.len() > limit { Err(None) } else { Ok(out) }
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|fault| Err(Some(fault.to_string())))
}
