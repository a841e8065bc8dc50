//! Where a server is, and what it wants to hear before it answers.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, HeaderValue, Uri};

use super::secret::Secret;
use super::spell::{escape, printable};

/// Why a server's description is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be read. It is not repeated: there may be a password in it.
    #[error("not an address of a server: {0} (such as http://localhost:16686 or jaeger.internal:16686)")]
    Address(String),
    /// A header cannot be sent.
    #[error("not a header: {0} (such as `X-Name: value`)")]
    Header(String),
}

/// A server: where it is and how it is asked. Of what is secret in it nothing is ever shown.
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Empty, or with a slash at its start and none at its end.
    pub(super) path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    secrets: Vec<Secret>,
    pub(super) ca_file: Option<PathBuf>,
    /// A certificate and its key.
    pub(super) client: Option<(PathBuf, PathBuf)>,
    pub(super) insecure: bool,
    pub(super) connect_within: Duration,
    pub(super) answer_within: Duration,
    pub(super) most: usize,
}

impl Server {
    /// A server at `http://host:port/base/path`, or at a bare `host`, `host:port`, `[::1]:port`. A user and a password in it are sent
    /// as basic authentication.
    ///
    /// # Errors
    /// Where it is no such address.
    pub fn new(address: &str) -> Result<Self, ServerError> {
        let fault = |what: &str| ServerError::Address(what.to_owned());
        let address = address.trim();
        let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(fault("its scheme is neither http nor https")),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
        let uri: Uri = format!("http://{place}/{path}").parse().map_err(|_fault| fault("it is not a URL"))?;
        let known = uri.authority().ok_or_else(|| fault("it names no host"))?;
        if known.host().is_empty() || known.as_str() != place {
            return Err(fault("it names no host"));
        }
        let after = place.rsplit_once(']').map_or(place, |(_, after)| after);
        if after.contains(':') && known.port_u16().is_none_or(|port| port == 0) {
            return Err(fault("its port is not a number from 1 to 65535"));
        }
        let path = path.trim_matches('/');
        let mut server = Self {
            secure,
            host: known.host().to_owned(),
            port: known.port_u16(),
            path: if path.is_empty() { String::new() } else { format!("/{path}") },
            headers: Vec::new(),
            secrets: Vec::new(),
            ca_file: None,
            client: None,
            insecure: false,
            connect_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(30),
            most: 256 << 20,
        };
        if let Some((user, password)) = user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            server = server.basic(&super::spell::unescape(user), &Secret::new(&super::spell::unescape(password)))?;
        }
        Ok(server)
    }

    /// With a header in every request. Its value counts as secret.
    ///
    /// # Errors
    /// Where such a header cannot be sent.
    pub fn header(mut self, name: &str, value: &Secret) -> Result<Self, ServerError> {
        let fault = |what: &str| ServerError::Header(what.to_owned());
        let name = name.trim();
        let known: HeaderName =
            name.parse().map_err(|_fault| fault(&format!("{:?} is no name of one", printable(name))))?;
        let mut sent = HeaderValue::from_str(value.expose())
            .map_err(|_fault| fault(&format!("the value of {known} cannot be sent")))?;
        sent.set_sensitive(true);
        self.headers.retain(|(other, _)| *other != known);
        self.headers.push((known, sent));
        self.secrets.push(value.clone());
        Ok(self)
    }

    /// With the header in a line `Name: value`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn header_line(self, line: &Secret) -> Result<Self, ServerError> {
        let (name, value) =
            line.expose().split_once(':').ok_or_else(|| ServerError::Header("there is no colon in it".to_owned()))?;
        self.header(name, &Secret::new(value))
    }

    /// With a bearer token.
    ///
    /// # Errors
    /// Where it cannot be sent.
    pub fn bearer(mut self, token: &Secret) -> Result<Self, ServerError> {
        self.secrets.push(token.clone());
        self.header("authorization", &Secret::new(&format!("Bearer {}", token.expose())))
    }

    /// With a user and a password.
    ///
    /// # Errors
    /// Never: what is sent is base64.
    pub fn basic(mut self, user: &str, password: &Secret) -> Result<Self, ServerError> {
        self.secrets.push(password.clone());
        let both = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        self.secrets.push(Secret::new(&both));
        self.header("authorization", &Secret::new(&format!("Basic {both}")))
    }

    /// As a tenant: to Jaeger (`x-tenant`) and Tempo (`X-Scope-OrgID`) alike.
    ///
    /// # Errors
    /// Where it cannot be sent.
    pub fn tenant(self, tenant: &str) -> Result<Self, ServerError> {
        let tenant = Secret::new(tenant);
        self.header("x-tenant", &tenant)?.header("x-scope-orgid", &tenant)
    }

    /// Also trusting the authorities in a PEM file.
    #[must_use]
    pub fn ca_file(mut self, path: PathBuf) -> Self {
        self.ca_file = Some(path);
        self
    }

    /// Showing the certificate in a PEM file, and that one holds its key, to a server that wants that.
    #[must_use]
    pub fn client_cert(mut self, cert: PathBuf, key: PathBuf) -> Self {
        self.client = Some((cert, key));
        self
    }

    /// Trusting any certificate.
    #[must_use]
    pub fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// With other time-outs: for connecting, and for a whole answer.
    #[must_use]
    pub fn within(mut self, connect: Duration, answer: Duration) -> Self {
        self.connect_within = connect;
        self.answer_within = answer;
        self
    }

    /// Taking answers of at most so many bytes, uncompressed.
    #[must_use]
    pub fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// The same server at another port.
    pub(super) fn at_port(&self, port: u16) -> Self {
        Self { port: Some(port), ..self.clone() }
    }

    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// `host:port`, as it is dialled.
    pub(super) fn place(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// What a server said, fit to be shown: one line, not long, without what is secret.
    pub(super) fn said(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter().map(Secret::expose).filter(|secret| secret.len() > 3) {
            text = text.replace(secret, "•••").replace(&escape(secret).to_string(), "•••");
        }
        printable(&text)
    }
}

/// The address, without what is secret.
impl std::fmt::Display for Server {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}://{}{}", self.scheme(), self.place(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_urls_or_bare_hosts() {
        let cases = [
            ("http://localhost:16686", "http://localhost:16686"),
            ("localhost:16686", "http://localhost:16686"),
            ("jaeger", "http://jaeger"),
            ("https://x.example/jaeger/ui/", "https://x.example/jaeger/ui"),
            ("HTTPS://x.example?a=b#c", "https://x.example"),
            ("[::1]:16686", "http://[::1]:16686"),
            ("http://[::1]/select/jaeger", "http://[::1]/select/jaeger"),
            ("http://me:pa%20ss@h:1/", "http://h:1"),
            (" h:1 ", "http://h:1"),
        ];
        for (given, expected) in cases {
            assert_eq!(Server::new(given).unwrap().to_string(), expected, "{given}");
        }
        for wrong in ["", "http://", "ftp://x", "h:port", "h:99999", "h:0", "http://a b", "http://:80", "h:", "[::1"] {
            assert!(Server::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_shown_nowhere() {
        let server = Server::new("http://me:hunter2@h:1").unwrap().basic("me", &Secret::new("pass word&")).unwrap();
        let server = server.header_line(&Secret::new("X-Key: sesame-open")).unwrap().tenant("acme-corp").unwrap();
        let server = server.bearer(&Secret::new("tok-tok-tok\n")).unwrap();
        let shown = format!(
            "{server} {server:?} {}",
            server.said("no: tok-tok-tok hunter2 pass%20word%26 sesame-open\u{1b}[31m")
        );
        for secret in ["hunter2", "pass%20", "sesame", "tok-tok", "bWU6aHVudGVyMg", "\u{1b}"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert_eq!(server.headers().iter().filter(|(name, _)| name == "authorization").count(), 1);
        for fault in [
            Server::new("http://me:hunter2@h:x").unwrap_err().to_string(),
            server.clone().header_line(&Secret::new("hunter2")).unwrap_err().to_string(),
            server.header("a", &Secret::new("hunter2\n2")).unwrap_err().to_string(),
        ] {
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
