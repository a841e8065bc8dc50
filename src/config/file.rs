//! The settings file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

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
    /// What is masked.
    pub redact: Redact,
    /// Keys by name of the action.
    pub keys: BTreeMap<String, Vec<String>>,
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
        let file = toml::from_str(&text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        Ok((file, Places::of(path, &text)))
    }
}
