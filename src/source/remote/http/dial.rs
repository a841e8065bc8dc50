//! Connections, plain or secure.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::codegen::{Service, StdError};

use crate::source::remote::error::RemoteError;
use crate::source::remote::server::Server;
use crate::source::remote::tls;

/// Opens connections to one server.
#[derive(Clone)]
pub(in crate::source::remote) enum Dial {
    Plain(HttpConnector),
    Secure(HttpsConnector<HttpConnector>),
}

impl Dial {
    /// For `server`. Where it is secure files are read, so this is not for a thread that must not wait.
    pub(in crate::source::remote) fn new(server: &Server, two: bool) -> Result<Self, RemoteError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(server.connect_within));
        if !server.secure {
            return Ok(Self::Plain(connector));
        }
        let config = tls::config(server).map_err(|why| RemoteError::Tls { at: server.to_string(), why })?;
        Ok(Self::Secure(tls::wrap(config, two, connector)))
    }
}

impl Service<Uri> for Dial {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = StdError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, StdError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        match self {
            Self::Plain(connector) => connector.poll_ready(context).map_err(Into::into),
            Self::Secure(connector) => connector.poll_ready(context),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self {
            Self::Plain(connector) => {
                let connecting = connector.call(uri);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
            Self::Secure(connector) => Box::pin(connector.call(uri)),
        }
    }
}
