//! File + environment + flags → [`Settings`], resolved once.
//!
//! In: [`Overrides`] (flags and environment, read by clap) and a TOML file. Out: settings without options left open, or an error
//! that names file, line and key. Must never know: sockets, threads, what the settings are used for.

mod file;
mod paths;
mod place;
mod remote;
mod size;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::model::Nanos;

pub use file::{Amount, File, Profile, Redact};
pub use paths::{config_file, filters_file, log_file};
pub use place::Places;
pub use remote::{Address, Remote, RemoteFlags, RemoteKind, SecretRef};
pub use size::{parse_duration, parse_size};

/// Everything that can be set, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where OTLP/gRPC is listened for; the first is what SDKs are told.
    pub grpc: Vec<SocketAddr>,
    /// Where OTLP/HTTP is listened for.
    pub http: Vec<SocketAddr>,
    /// Where Zipkin senders are listened for; nowhere unless that is asked for.
    pub zipkin: Vec<SocketAddr>,
    /// Bytes that the index may hold.
    pub memory: u64,
    /// Name of the theme.
    pub theme: String,
    /// Slower database calls than this are slow anywhere.
    pub slow_sql: Nanos,
    /// The other thresholds that are set, by name, as they were written.
    pub thresholds: BTreeMap<String, String>,
    /// Origins of web pages that may send here, beside those on this machine.
    pub cors_origins: Vec<String>,
    /// Largest body taken, in bytes after decompression.
    pub max_body: u64,
    /// What is masked beside the built-in rules.
    pub redact: Redact,
    /// Keys by name of the action.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The servers that keep spans and are asked.
    pub remotes: Vec<Remote>,
    /// Only the environment names them: they step back where a command line says where its spans are.
    pub remotes_from_environment: bool,
    /// All servers that the file describes, whether or not they are asked.
    pub profiles: Vec<Remote>,
    /// Where the file's keys stand, for those who find fault with a value later.
    pub places: Places,
}

/// What flags and environment set.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct Overrides {
    /// Listen for OTLP/gRPC here (a port alone means both loopback addresses; port 0 picks a free one)
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "TRACEFALL_GRPC")]
    pub grpc: Option<String>,
    /// Listen for OTLP/HTTP here
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "TRACEFALL_HTTP")]
    pub http: Option<String>,
    /// Listen for Zipkin senders too, at 9411 unless another address is given
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "TRACEFALL_ZIPKIN", num_args = 0..=1, default_missing_value = "9411")]
    pub zipkin: Option<String>,
    /// Hold at most this much in memory; the oldest traces leave first
    #[arg(long, global = true, value_name = "SIZE", env = "TRACEFALL_MEMORY")]
    pub memory: Option<String>,
    /// Read settings from this file instead of the usual one
    #[arg(long, global = true, value_name = "FILE", env = "TRACEFALL_CONFIG")]
    pub config: Option<PathBuf>,
    /// Colours: dark, light or safe (for colour-blind eyes)
    #[arg(long, global = true, value_name = "NAME", env = "TRACEFALL_THEME")]
    pub theme: Option<String>,
    /// Mark database calls that take longer than this
    #[arg(long, global = true, value_name = "DURATION", env = "TRACEFALL_SLOW_SQL")]
    pub slow_sql: Option<String>,
    /// Let web pages of these origins send spans too (comma-separated; `*` for any)
    #[arg(long, global = true, value_name = "ORIGIN", env = "TRACEFALL_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Option<Vec<String>>,
    /// Take bodies up to this size, after decompression
    #[arg(long, global = true, value_name = "SIZE", env = "TRACEFALL_MAX_BODY")]
    pub max_body: Option<String>,
    /// Servers that keep spans.
    #[command(flatten)]
    pub remotes: RemoteFlags,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the settings in {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word for it.
        source: std::io::Error,
    },
    /// The file is not what it should be; the message names line and key.
    #[error("the settings in {} are wrong: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// A value cannot be used.
    #[error("{origin}: {value:?} is not {expected}")]
    Value {
        /// Where it stands: a flag with its variable, or file and key.
        origin: String,
        /// The value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A server that keeps spans is not described as it should be.
    #[error("{origin}: {message}")]
    Source {
        /// Where it stands: a flag, or file and key.
        origin: String,
        /// What is wrong.
        message: String,
    },
}

/// The themes there are.
pub const THEMES: [&str; 3] = ["dark", "light", "safe"];

/// Resolves the settings: flags and environment over the file over the defaults.
///
/// # Errors
/// Where the file or a value cannot be used. A missing file at its usual place is no error; one named by a flag is.
pub fn resolve(overrides: &Overrides) -> Result<Settings, ConfigError> {
    let (file, places) = match &overrides.config {
        Some(path) => File::read(path)?,
        None => config_file().map_or_else(|| Ok(Default::default()), |path| usual(&path))?,
    };
    let profiles = remote::profiles(&file, &places)?;
    let pick = |key: &'static str, flag: Option<&String>, set: Option<&String>, default: &str| {
        let from_flag = flag.map(|value| (value.clone(), flag_origin(key)));
        let from_file = || set.map(|value| (value.clone(), places.of_key(key)));
        let (value, origin) =
            from_flag.or_else(from_file).unwrap_or_else(|| (default.to_owned(), "default".to_owned()));
        Picked { value, origin }
    };
    let origins = match (&overrides.cors_origins, file.cors_origins) {
        (Some(set), _) => origins(set, || flag_origin("cors_origins"))?,
        (None, set) => origins(&set.unwrap_or_default(), || places.of_key("cors_origins"))?,
    };
    let mut thresholds: BTreeMap<String, String> =
        file.thresholds.iter().map(|(name, amount)| (name.clone(), amount.to_string())).collect();
    // The one that has a key and a flag of its own.
    let slow_sql = thresholds.remove("slow_sql").or(file.slow_sql);
    Ok(Settings {
        remotes: remote::chosen(&overrides.remotes, &profiles)?,
        remotes_from_environment: overrides.remotes.from_environment,
        profiles,
        grpc: pick("grpc", overrides.grpc.as_ref(), file.grpc.as_ref(), "4317").addresses()?,
        http: pick("http", overrides.http.as_ref(), file.http.as_ref(), "4318").addresses()?,
        zipkin: match (overrides.zipkin.as_ref(), file.zipkin.as_ref()) {
            (None, None) => Vec::new(),
            (flag, set) => pick("zipkin", flag, set, "9411").addresses()?,
        },
        memory: pick("memory", overrides.memory.as_ref(), file.memory.as_ref(), "512MiB").memory()?,
        theme: pick("theme", overrides.theme.as_ref(), file.theme.as_ref(), "dark").theme()?,
        slow_sql: pick("slow_sql", overrides.slow_sql.as_ref(), slow_sql.as_ref(), "100ms").duration()?,
        thresholds,
        cors_origins: origins,
        max_body: pick("max_body", overrides.max_body.as_ref(), file.max_body.as_ref(), "64MiB").body()?,
        redact: file.redact,
        keys: file.keys,
        places,
    })
}

fn flag_origin(key: &str) -> String {
    format!("--{} (or TRACEFALL_{})", key.replace('_', "-"), key.to_uppercase())
}

/// The file at its usual place, where there is one.
fn usual(path: &Path) -> Result<(File, Places), ConfigError> {
    match File::read(path) {
        Err(ConfigError::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok((File::default(), Places::of(path, "")))
        }
        read => read,
    }
}

/// Origins as browsers write them. One with a path, even `/`, would never match; that slash is often typed, and left out.
fn origins(given: &[String], origin: impl Fn() -> String) -> Result<Vec<String>, ConfigError> {
    let read = |text: &String| {
        let bare = text.trim().trim_end_matches('/');
        let host = bare.split_once("://").map(|(_, host)| host);
        let fits = bare == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ']));
        let expected = "an origin, such as https://app.example.com, or *";
        fits.then(|| bare.to_owned()).ok_or_else(|| ConfigError::Value {
            origin: origin(),
            value: text.clone(),
            expected,
        })
    };
    given.iter().filter(|text| !text.trim().is_empty()).map(read).collect()
}

struct Picked {
    value: String,
    origin: String,
}

impl Picked {
    fn wrong(self, expected: &'static str) -> ConfigError {
        ConfigError::Value { origin: self.origin, value: self.value, expected }
    }

    fn addresses(self) -> Result<Vec<SocketAddr>, ConfigError> {
        let expected = "an address with a port, such as 127.0.0.1:4317, [::1]:4317, localhost:4317 or 4317";
        parse_addresses(&self.value).ok_or_else(|| self.wrong(expected))
    }

    /// A body is there more than once for a moment, beside the index: a limit that no machine could pay for is no limit.
    fn body(self) -> Result<u64, ConfigError> {
        let fits = parse_size(&self.value).filter(|size| (1024..=1024 * 1024 * 1024).contains(size));
        fits.ok_or_else(|| self.wrong("a size of 1KiB to 1GiB, such as 64MiB"))
    }

    fn memory(self) -> Result<u64, ConfigError> {
        let least = 16 * 1024 * 1024;
        let enough = parse_size(&self.value).filter(|size| *size >= least);
        enough.ok_or_else(|| self.wrong("a size of at least 16MiB, such as 512MiB or 2G"))
    }

    fn duration(self) -> Result<Nanos, ConfigError> {
        parse_duration(&self.value).ok_or_else(|| self.wrong("a length of time, such as 100ms or 1.5s"))
    }

    fn theme(self) -> Result<String, ConfigError> {
        if THEMES.contains(&self.value.as_str()) { Ok(self.value) } else { Err(self.wrong("one of dark, light, safe")) }
    }
}

/// The addresses meant by what a person typed: a port alone and `localhost` mean both loopback addresses, because many SDKs
/// resolve `localhost` to `::1` first.
fn parse_addresses(text: &str) -> Option<Vec<SocketAddr>> {
    let loopback = |port| {
        let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        addresses.map(|address| SocketAddr::new(address, port)).to_vec()
    };
    let port = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Some(loopback(port));
    }
    text.parse().ok().map(|address| vec![address])
}

/// A warning where somebody beyond this machine can send to one of the doors at `addresses`.
pub fn exposure(addresses: impl Iterator<Item = SocketAddr>) -> Option<String> {
    let open: Vec<_> = addresses.filter(|at| !at.ip().is_loopback()).map(|at| at.to_string()).collect();
    let whom = "anyone who reaches this machine can send spans and fill its memory";
    (!open.is_empty()).then(|| format!("listening beyond this machine on {}: {whom}", open.join(" and ")))
}

#[cfg(test)]
mod tests;
