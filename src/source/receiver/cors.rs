//! Which web pages may send, and the headers that tell their browser so (the Fetch standard, "CORS protocol").

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, Uri};

use super::diagnose::shown;
use super::refusal::{Refusal, RefusalKind};
use super::reply::{Body, empty};

const ASK_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
/// How long a browser may remember the answer, in seconds: the most that Chromium honours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The web pages that may send. Pages served from this machine (`localhost` and the loopback addresses, at any
/// port) always may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Further origins, as browsers write them: `https://app.example.com`. `*` stands for all.
    pub more: Vec<String>,
}

impl Origins {
    /// Whether a page of `origin` may send.
    #[must_use]
    pub fn allow(&self, origin: &str) -> bool {
        is_local(origin) || self.more.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
    }
}

fn is_local(origin: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let Some(authority) = uri.authority() else { return false };
    let host = authority.host().to_ascii_lowercase();
    let local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
    web && local && !authority.as_str().contains('@')
}

/// The origin to grant to: none where the request is not of a web page.
///
/// A page that may not send is refused before anything is read: browsers send simple requests without asking,
/// and a foreign page must not be able to fill the index.
pub(super) fn judge(origins: &Origins, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
    if origin.to_str().is_ok_and(|origin| origins.allow(origin)) {
        return Ok(Some(origin.clone()));
    }
    let origin = shown(origin.as_bytes());
    let message = format!("web pages of {origin} may not send here: allow that origin in the configuration");
    Err(Refusal::new(RefusalKind::ForbiddenOrigin, message))
}

/// The answer to `OPTIONS`.
pub(super) fn preflight(request: &HeaderMap) -> Response<Body> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    if !request.contains_key(header::ORIGIN) {
        return response;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    // A wildcard would not cover `Authorization`: what is asked for is mirrored.
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if request.get(ASK_NETWORK).is_some_and(|asked| asked.as_bytes() == b"true") {
        headers.insert(ALLOW_NETWORK, HeaderValue::from_static("true"));
    }
    response
}

/// Adds to any answer what lets the page of `origin` read it. `sendBeacon` sends credentials, so they are
/// allowed and the origin is named, never `*`.
pub(super) fn grant(response: &mut Response<Body>, origin: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_machine_may_send_and_lookalikes_may_not() {
        let origins = Origins { more: vec!["https://app.example.com".to_owned()] };
        let allowed = [
            "http://localhost",
            "http://localhost:3100",
            "https://LOCALHOST:8443",
            "http://127.0.0.1:5173",
            "http://[::1]:3000",
            "http://shop.localhost:8080",
            "https://app.example.com",
        ];
        let forbidden = [
            "null",
            "",
            "http://localhost.example.com",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://evil@localhost",
            "http://notlocalhost",
            "https://app.example.com:444",
            "file://localhost",
            "localhost",
        ];
        for origin in allowed {
            assert!(origins.allow(origin), "{origin}");
        }
        for origin in forbidden {
            assert!(!origins.allow(origin), "{origin}");
        }
        assert!(Origins { more: vec!["*".to_owned()] }.allow("null"));
    }
}
