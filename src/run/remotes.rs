//! Servers that keep spans, as the settings describe them: their secrets are read here, once they are asked.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::config::{self, RemoteKind, SecretRef};
use crate::source::remote::{Flavor, Secret, Server};

/// How long connecting may take where the settings do not say.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A file with a secret that is longer is none.
const LONGEST: u64 = 64 << 10;

/// The server that is meant, with its secrets, and what it is expected to speak.
///
/// # Errors
/// Where its address cannot be read, or a secret is not where it should be. No secret is in the message.
pub(super) fn server(remote: &config::Remote) -> Result<(Server, Flavor)> {
    let server = described(remote).with_context(|| format!("the source {}", remote.name))?;
    let flavor = match remote.kind {
        RemoteKind::Jaeger => Flavor::Jaeger,
        RemoteKind::Tempo => Flavor::Tempo,
    };
    Ok((server, flavor))
}

fn described(remote: &config::Remote) -> Result<Server> {
    let mut server = Server::new(&remote.url)?;
    for (name, value) in &remote.headers {
        server = server.header(name, &secret(value, &format!("the header {name}"))?)?;
    }
    if let Some(token) = &remote.bearer {
        server = server.bearer(&secret(token, "the bearer token")?)?;
    }
    if let Some((user, password)) = &remote.basic {
        server = server.basic(user, &secret(password, "the password")?)?;
    }
    if let Some(tenant) = &remote.tenant {
        server = server.tenant(tenant)?;
    }
    if let Some(path) = &remote.ca_file {
        server = server.ca_file(path.clone());
    }
    if let Some((cert, key)) = &remote.client {
        server = server.client_cert(cert.clone(), key.clone());
    }
    if remote.insecure {
        server = server.insecure();
    }
    if let Some(timeout) = remote.timeout {
        let timeout = Duration::from_nanos(timeout.0);
        server = server.within(timeout.min(CONNECT_WITHIN), timeout);
    }
    Ok(server)
}

/// Reads a secret; `what` it is, for a person.
fn secret(place: &SecretRef, what: &str) -> Result<Secret> {
    let text = match place {
        SecretRef::Env(variable) => match std::env::var(variable) {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => {
                bail!("{what} is expected in the environment variable {variable}, which is not set")
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                bail!("{what} is expected in the environment variable {variable}, which holds no text")
            }
        },
        SecretRef::File(path) => {
            let expected = || format!("{what} is expected in {}", path.display());
            let size = fs::metadata(path).with_context(expected)?.len();
            if size > LONGEST {
                bail!("{}, which is too long a file for it", expected());
            }
            fs::read_to_string(path).with_context(expected)?
        }
    };
    if text.trim().is_empty() {
        bail!("{what} is empty");
    }
    Ok(Secret::new(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(bearer: SecretRef) -> config::Remote {
        config::Remote {
            name: "prod".into(),
            kind: RemoteKind::Tempo,
            url: "http://me:hunter2@h:1/base".into(),
            headers: Vec::new(),
            bearer: Some(bearer),
            basic: None,
            tenant: None,
            ca_file: None,
            client: None,
            insecure: false,
            timeout: None,
        }
    }

    #[test]
    fn secret_is_read_from_its_file_and_shown_nowhere() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let remote = remote(SecretRef::File(file.path().to_owned()));
        let empty = format!("{:#}", server(&remote).unwrap_err());
        assert_eq!(empty, "the source prod: the bearer token is empty");
        fs::write(file.path(), "sesame-open\n").unwrap();
        let (server, flavor) = server(&remote).unwrap();
        assert_eq!((server.to_string().as_str(), flavor), ("http://h:1/base", Flavor::Tempo));
        let shown = format!("{server:?} {remote:?}");
        assert!(!shown.contains("sesame") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn secret_that_is_not_where_it_should_be_is_an_error_that_names_source_and_place() {
        let cases = [
            (SecretRef::Env("TRACEFALL_SURELY_NOT_SET".into()), "TRACEFALL_SURELY_NOT_SET, which is not set"),
            (SecretRef::File("/nowhere/at/all".into()), "/nowhere/at/all"),
        ];
        for (place, expected) in cases {
            let error = format!("{:#}", server(&remote(place)).unwrap_err());
            assert!(error.starts_with("the source prod: the bearer token") && error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
