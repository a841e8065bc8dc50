//! A server that answers as it is told, byte by byte where need be.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tracefall::source::remote::{Flavor, Remote, RemoteError, Server};

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status with a type, further headers and a body.
    Full(u16, &'static str, Vec<(&'static str, String)>, Vec<u8>),
    /// A body that is announced longer than it is.
    Cut(Vec<u8>),
    /// Nothing, for ever.
    Silence,
    /// One byte in a while, for ever.
    Drip,
}

/// A request: its path with the query as it was sent, and its headers.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Asked {
    /// A parameter of the query, unescaped.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.path.split_once('?')?.1;
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        let mut out = Vec::new();
        let mut bytes = value.bytes();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            } else {
                out.push(byte);
            }
        }
        Some(String::from_utf8(out).unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub(crate) fn bare(&self) -> &str {
        self.path.split('?').next().unwrap()
    }
}

pub(crate) fn json(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Full(200, "application/json", Vec::new(), body.into())
}

pub(crate) fn reply(status: u16, media: &'static str, body: impl Into<Vec<u8>>) -> Reply {
    Reply::Full(status, media, Vec::new(), body.into())
}

pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
    /// Requests under way that their client gave up.
    pub(crate) dropped: Arc<Mutex<u32>>,
}

impl Fake {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer).await
    }

    pub(crate) async fn start_with(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self { address: listener.local_addr().unwrap(), asked: Arc::default(), dropped: Arc::default() };
        let (asked, dropped, answer) = (Arc::clone(&fake.asked), Arc::clone(&fake.dropped), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, dropped, answer, tls) =
                    (Arc::clone(&asked), Arc::clone(&dropped), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    let note = |one: Asked| asked.lock().unwrap().push(one);
                    match tls {
                        None => serve(stream, note, &*answer, &dropped).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, note, &*answer, &dropped).await;
                            }
                        }
                    }
                });
            }
        });
        fake
    }

    pub(crate) fn server(&self) -> Server {
        let server = Server::new(&format!("http://{}", self.address)).unwrap();
        server.within(Duration::from_secs(5), Duration::from_secs(10))
    }

    pub(crate) async fn connect(&self) -> Result<Remote, RemoteError> {
        Remote::connect(self.server(), Flavor::Any).await
    }

    /// The paths that were asked for.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.path.clone()).collect()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    note: impl Fn(Asked),
    answer: &(impl Fn(&Asked) -> Reply + ?Sized),
    dropped: &Mutex<u32>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            // The first byte of TLS.
            Ok(0x16) if head.is_empty() => {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                return;
            }
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let asked = Asked { path, headers };
    // Over HTTP/2 nothing is understood here.
    if asked.path == "*" {
        return;
    }
    note(asked.clone());
    let write = match answer(&asked) {
        Reply::Full(status, media, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            if !media.is_empty() {
                let _ = write!(text, "content-type: {media}\r\n");
            }
            for (name, value) in headers {
                let _ = write!(text, "{name}: {value}\r\n");
            }
            [text.as_bytes(), b"\r\n", &body].concat()
        }
        Reply::Cut(body) => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() + 100);
            [head.as_bytes(), &body].concat()
        }
        Reply::Silence => {
            gone(&mut stream, dropped).await;
            return;
        }
        Reply::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{").await;
            gone(&mut stream, dropped).await;
            return;
        }
    };
    let _ = stream.write_all(&write).await;
    let _ = stream.shutdown().await;
}

/// Waits for the client to go.
async fn gone(stream: &mut (impl AsyncRead + Unpin), dropped: &Mutex<u32>) {
    while stream.read_u8().await.is_ok() {}
    *dropped.lock().unwrap() += 1;
}

/// A trace of one span as OTLP/JSON, for a list of `resourceSpans`.
pub(crate) fn span(service: &str, number: u64, start: u64) -> String {
    format!(
        r#"{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[
        {{"traceId":"{number:032x}","spanId":"{number:016x}","name":"n","startTimeUnixNano":"{start}","endTimeUnixNano":"{}"}}]}}]}}"#,
        start + 1
    )
}
