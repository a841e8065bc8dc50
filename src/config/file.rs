//! The settings file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::remote::Address;
use super::{ConfigError, Places};

/// What the file may hold. Unknown keys are errors: a misspelt setting must not be silently without effect.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Address for OTLP/gRPC.
    pub grpc: Option<String>,
    /// Address for OTLP/HTTP.
    pub http: Option<String>,
    /// Address for Zipkin senders.
    pub zipkin: Option<String>,
    /// Memory budget.
    pub memory: Option<String>,
    /// Theme.
    pub theme: Option<String>,
    /// Threshold for slow database calls.
    pub slow_sql: Option<String>,
    /// Origins of web pages that may send here.
    pub cors_origins: Option<Vec<String>>,
    /// Largest body.
    pub max_body: Option<String>,
    /// When something is worth a mark or a finding, by name.
    pub thresholds: BTreeMap<String, Amount>,
    /// What is masked.
    pub redact: Redact,
    /// Keys by name of the action.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Servers that keep spans, by name.
    pub sources: BTreeMap<String, Profile>,
}

/// A number with or without a unit: `5`, `"100ms"`, `"20 %"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// Without one.
    Number(u64),
    /// With one.
    Text(String),
}

impl std::fmt::Display for Amount {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Text(text) => out.write_str(text),
        }
    }
}

/// A server that keeps spans. Of what is secret it says only where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Where it is, if it is a Jaeger.
    pub jaeger: Option<Address>,
    /// Where it is, if it is a Tempo.
    pub tempo: Option<Address>,
    /// The environment variable with a bearer token.
    pub bearer_env: Option<String>,
    /// The file with a bearer token.
    pub bearer_file: Option<PathBuf>,
    /// The user.
    pub basic_user: Option<String>,
    /// The environment variable with the password.
    pub basic_password_env: Option<String>,
    /// The file with the password.
    pub basic_password_file: Option<PathBuf>,
    /// Headers, with the environment variables that hold their values.
    pub headers_env: BTreeMap<String, String>,
    /// As whom it is asked.
    pub tenant: Option<String>,
    /// Authorities that are trusted too.
    pub ca_file: Option<PathBuf>,
    /// The certificate by which it is to know who asks, in PEM.
    pub client_cert: Option<PathBuf>,
    /// The key of that certificate.
    pub client_key: Option<PathBuf>,
    /// Any certificate is trusted.
    pub insecure: bool,
    /// How long an answer may take.
    pub timeout: Option<String>,
}

/// What is masked beside the built-in rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redact {
    /// Nothing is masked at all.
    pub off: bool,
    /// More attribute keys whose values are secret: `patient.name` stands for every key with these words in a row.
    pub keys: Vec<String>,
    /// More patterns of secret values (regular expressions).
    pub patterns: Vec<String>,
}

impl File {
    /// Reads a settings file, and where its keys stand.
    ///
    /// # Errors
    /// Where it cannot be read, is not TOML, or holds what does not belong there.
    pub fn read(path: &Path) -> Result<(Self, Places), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let file = toml::from_str(&text)
            .map_err(|error| ConfigError::Malformed { path: path.to_owned(), message: fault(&error, &text) })?;
        Ok((file, Places::of(path, &text)))
    }
}

/// What is wrong, with its line: whole, unless what stands there may be a secret that was put in the wrong place.
fn fault(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.split('\n').count());
    match (line, text.find("[sources")) {
        (Some(line), Some(_)) => format!("line {line}: {}", error.message()),
        _ => error.to_string().trim_end().to_owned(),
    }
}
