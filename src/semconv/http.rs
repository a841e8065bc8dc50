//! What of an HTTP span is worth a line: the method with the route, or with the place it went to.

use std::borrow::Cow;

use super::label::Attributes;
use crate::model::Kind;

/// Method and route (serving side) or method and host with path (calling side). `None`: the name says it best.
pub(super) fn label(name: &str, kind: Kind, method: &str, attributes: &Attributes<'_, '_>) -> Option<String> {
    let method = match method {
        "_OTHER" => attributes.first(&["http.request.method_original"]).unwrap_or(Cow::Borrowed("_OTHER")),
        known => Cow::Borrowed(known),
    };
    if kind == Kind::CLIENT {
        return called(attributes).map(|place| format!("{method} {place}"));
    }
    if let Some(route) = attributes.first(&["http.route"]) {
        return Some(format!("{method} {route}"));
    }
    // Go's otelhttp gives no route, but a name that holds it.
    if name.strip_prefix(method.as_ref()).is_some_and(|rest| rest.trim_start().starts_with('/')) {
        return None;
    }
    served(attributes).map(|path| format!("{method} {path}"))
}

/// Host and path of a call: enough to tell where it went; scheme, user, query and fragment are in the detail.
pub(super) fn called(attributes: &Attributes<'_, '_>) -> Option<String> {
    let template = attributes.first(&["url.template"]);
    if let Some(url) = attributes.first(&["url.full", "http.url"]) {
        let (host, path) = split_url(&url);
        return Some(format!("{host}{}", template.as_deref().unwrap_or(path)));
    }
    let host = attributes.first(&["server.address", "net.peer.name", "http.host"]);
    let path = template.or_else(|| attributes.first(&["url.path", "http.target"]));
    match (host, path) {
        (Some(host), Some(path)) => Some(format!("{host}{}", bare_path(&path))),
        (Some(only), None) => Some(only.into_owned()),
        (None, Some(path)) => Some(bare_path(&path).to_owned()),
        (None, None) => None,
    }
}

fn served(attributes: &Attributes<'_, '_>) -> Option<String> {
    if let Some(path) = attributes.first(&["url.path", "http.target"]) {
        return Some(bare_path(&path).to_owned());
    }
    let url = attributes.first(&["url.full", "http.url"])?;
    Some(split_url(&url).1.to_owned())
}

fn bare_path(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Host with port, and path, of a URL with or without a scheme; user information, query and fragment are left out.
fn split_url(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = bare_path(rest);
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (host, path)
}

#[cfg(test)]
mod tests {
    use super::split_url;

    #[test]
    fn a_url_splits_into_host_and_path() {
        let cases = [
            ("https://u:p@h:8443/a/b?q=1#f", ("h:8443", "/a/b")),
            ("http://h", ("h", "/")),
            ("http://[::1]:80/x", ("[::1]:80", "/x")),
            ("/only/path?x", ("", "/only/path")),
            ("http://h?redirect=http://other/@x", ("h", "/")),
            ("", ("", "/")),
        ];
        for (url, expected) in cases {
            assert_eq!(split_url(url), expected, "{url}");
        }
    }
}
