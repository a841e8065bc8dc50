//! Servers that keep spans: from the settings file, from flags and from the environment. Secrets are named here, never held.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::{ConfigError, File, Places, Profile, parse_duration};
use crate::model::Nanos;

/// The variable with a bearer token for servers that flags name.
const BEARER: &str = "TRACEFALL_BEARER";

/// A server that keeps spans.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    /// What it is called here; no other one has the name.
    pub name: String,
    /// What it is expected to speak.
    pub kind: RemoteKind,
    /// Where it is: a URL, or a bare `host:port`. There may be a user and a password in it.
    pub url: String,
    /// Headers by name.
    pub headers: Vec<(String, SecretRef)>,
    /// A bearer token.
    pub bearer: Option<SecretRef>,
    /// A user and where the password is.
    pub basic: Option<(String, SecretRef)>,
    /// As whom it is asked, where it serves several.
    pub tenant: Option<String>,
    /// Authorities that are trusted too, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The certificate by which it knows who asks, and its key, in PEM.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Any certificate is trusted.
    pub insecure: bool,
    /// How long an answer may take; `None`: the usual time.
    pub timeout: Option<Nanos>,
}

/// What a server is expected to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RemoteKind {
    /// Jaeger, or what imitates it.
    #[default]
    Jaeger,
    /// Tempo.
    Tempo,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(PathBuf),
}

/// Where a server is, as it was typed. There may be a password in it, so it is not shown whole.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Address(String);

/// Servers that flags and environment name, and how these are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Servers that keep spans")]
pub struct RemoteFlags {
    /// Take traces from this Jaeger, or what speaks its API; may be given several times
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "TRACEFALL_JAEGER",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub jaeger: Vec<Address>,
    /// Take traces from this Tempo; may be given several times
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "TRACEFALL_TEMPO",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub tempo: Vec<Address>,
    /// Take traces from a server that the settings file describes; may be given several times
    #[arg(long = "source", global = true, value_name = "NAME")]
    pub sources: Vec<String>,
    /// Send this header, its value taken from an environment variable (a token is in `TRACEFALL_BEARER` or `TRACEFALL_BEARER_FILE`)
    #[arg(long = "header-env", global = true, value_name = "NAME=VARIABLE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Send the bearer token in this file
    #[arg(long, global = true, value_name = "FILE", env = "TRACEFALL_BEARER_FILE")]
    pub bearer_file: Option<PathBuf>,
    /// Ask as this tenant
    #[arg(long, global = true, value_name = "NAME", env = "TRACEFALL_TENANT")]
    pub tenant: Option<String>,
    /// Trust the authorities in this file too (PEM)
    #[arg(long, global = true, value_name = "FILE", env = "TRACEFALL_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Show this certificate to a server that wants one (PEM)
    #[arg(long, global = true, value_name = "FILE", requires = "client_key", env = "TRACEFALL_CLIENT_CERT")]
    pub client_cert: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, global = true, value_name = "FILE", requires = "client_cert", env = "TRACEFALL_CLIENT_KEY")]
    pub client_key: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long, global = true)]
    pub insecure: bool,
    /// Give up on an answer after this long
    #[arg(long = "timeout", global = true, value_name = "DURATION", value_parser = timeout)]
    pub timeout: Option<Nanos>,
    /// Only the environment names them: they step back where a command line says where its spans are.
    #[arg(skip)]
    pub from_environment: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, variable)| (name.trim().to_owned(), variable.trim().to_owned()));
    pair.filter(|(name, variable)| !name.is_empty() && !variable.is_empty())
        .ok_or_else(|| "expected a header, = and an environment variable, such as X-Key=MY_KEY".to_owned())
}

fn timeout(text: &str) -> Result<Nanos, String> {
    let given = parse_duration(text).filter(|given| given.0 > 0);
    given.ok_or_else(|| "expected a length of time, such as 30s".to_owned())
}

impl Address {
    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, with the port where one is named, and without what may be secret.
    #[must_use]
    pub fn place(&self) -> &str {
        let rest = self.0.trim().split_once("://").map_or_else(|| self.0.trim(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').map_or(authority, |(_, place)| place)
    }

    fn host(&self) -> &str {
        let place = self.place();
        match place.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => place,
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.place())
    }
}

/// Without what may be secret in its address.
impl fmt::Debug for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, url, headers, bearer, basic, tenant, ca_file, client, insecure, timeout } = self;
        let mut shown = out.debug_struct("Remote");
        shown.field("name", name).field("kind", kind).field("url", &Address(url.clone()));
        shown.field("headers", headers).field("bearer", bearer).field("basic", basic).field("tenant", tenant);
        shown
            .field("ca_file", ca_file)
            .field("client", client)
            .field("insecure", insecure)
            .field("timeout", timeout)
            .finish()
    }
}

/// All servers that the file describes, by name.
///
/// # Errors
/// Where one of them makes no sense.
pub(super) fn profiles(file: &File, places: &Places) -> Result<Vec<Remote>, ConfigError> {
    file.sources.iter().map(|(name, profile)| described(name, profile, places)).collect()
}

/// The servers that are asked: those of the file that flags name, then those of flags and environment.
///
/// # Errors
/// Where a name is not in the file.
pub(super) fn chosen(flags: &RemoteFlags, profiles: &[Remote]) -> Result<Vec<Remote>, ConfigError> {
    let mut remotes: Vec<Remote> = Vec::new();
    for name in &flags.sources {
        let known = profiles.iter().find(|profile| profile.name == *name);
        let known = known.ok_or_else(|| no_such_source(name, profiles))?;
        if !remotes.contains(known) {
            remotes.push(known.clone());
        }
    }
    let jaegers = flags.jaeger.iter().map(|address| (RemoteKind::Jaeger, address));
    for (kind, address) in jaegers.chain(flags.tempo.iter().map(|address| (RemoteKind::Tempo, address))) {
        if !remotes.iter().any(|known| known.kind == kind && known.url == address.0) {
            let name = free_name(address, &remotes, profiles);
            remotes.push(flagged(flags, name, kind, address));
        }
    }
    Ok(remotes)
}

fn no_such_source(name: &str, profiles: &[Remote]) -> ConfigError {
    let known: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
    let known =
        if known.is_empty() { "it describes none".to_owned() } else { format!("there are {}", known.join(", ")) };
    let origin = format!("--source {name}");
    ConfigError::Source { origin, message: format!("the settings file describes no such server; {known}") }
}

fn flagged(flags: &RemoteFlags, name: String, kind: RemoteKind, address: &Address) -> Remote {
    let in_environment = std::env::var_os(BEARER).is_some().then(|| SecretRef::Env(BEARER.to_owned()));
    let headers = flags.headers.iter().map(|(name, variable)| (name.clone(), SecretRef::Env(variable.clone())));
    Remote {
        name,
        kind,
        url: address.0.clone(),
        headers: headers.collect(),
        bearer: flags.bearer_file.clone().map(SecretRef::File).or(in_environment),
        basic: None,
        tenant: flags.tenant.clone(),
        ca_file: flags.ca_file.clone(),
        client: flags.client_cert.clone().zip(flags.client_key.clone()),
        insecure: flags.insecure,
        timeout: flags.timeout,
    }
}

/// A name that no other server has, chosen or only described: the host, with its port where that alone is taken.
fn free_name(address: &Address, remotes: &[Remote], profiles: &[Remote]) -> String {
    let is_free = |name: &str| !remotes.iter().chain(profiles).any(|known| known.name == name);
    let (host, place) = (address.host(), address.place());
    let numbered = (2_u32..).map(|number| format!("{place}#{number}"));
    let mut names = [host.to_owned(), place.to_owned()].into_iter().chain(numbered);
    names.find(|name| is_free(name)).unwrap_or_default()
}

fn described(name: &str, profile: &Profile, places: &Places) -> Result<Remote, ConfigError> {
    let key = |key: &str| places.of_key(&format!("sources.{name}{key}"));
    let wrong = |at: &str, message: &str| ConfigError::Source { origin: key(at), message: message.to_owned() };
    let (kind, url) = match (&profile.jaeger, &profile.tempo) {
        (Some(url), None) => (RemoteKind::Jaeger, url),
        (None, Some(url)) => (RemoteKind::Tempo, url),
        _ => return Err(wrong("", "a source is either a `jaeger` or a `tempo`, with a URL")),
    };
    let secret = |what: &str, env: Option<&String>, file: Option<&PathBuf>| match (env, file) {
        (Some(_), Some(_)) => {
            Err(wrong(&format!(".{what}_env"), &format!("`{what}_env` and `{what}_file` cannot both be meant")))
        }
        (Some(variable), None) => Ok(Some(SecretRef::Env(variable.clone()))),
        (None, file) => Ok(file.map(|file| SecretRef::File(places.beside(file)))),
    };
    let bearer = secret("bearer", profile.bearer_env.as_ref(), profile.bearer_file.as_ref())?;
    let password = secret("basic_password", profile.basic_password_env.as_ref(), profile.basic_password_file.as_ref())?;
    let basic = match (&profile.basic_user, password) {
        (None, None) => None,
        (Some(user), Some(password)) if bearer.is_none() => Some((user.clone(), password)),
        (Some(_), Some(_)) => {
            return Err(wrong(".basic_user", "a server takes a bearer token or a password, not both"));
        }
        (Some(_), None) => {
            return Err(wrong(
                ".basic_user",
                "`basic_password_env` or `basic_password_file` must say where the password is",
            ));
        }
        (None, Some(_)) => return Err(wrong("", "`basic_user` must say whose password it is")),
    };
    let client = match (&profile.client_cert, &profile.client_key) {
        (Some(cert), Some(key)) => Some((places.beside(cert), places.beside(key))),
        (None, None) => None,
        (Some(_), None) => return Err(wrong(".client_cert", "`client_key` must say where its key is")),
        (None, Some(_)) => return Err(wrong(".client_key", "`client_cert` must say whose key it is")),
    };
    let timeout = match &profile.timeout {
        None => None,
        Some(given) => Some(parse_duration(given).filter(|given| given.0 > 0).ok_or_else(|| ConfigError::Value {
            origin: key(".timeout"),
            value: given.clone(),
            expected: "a length of time, such as 30s",
        })?),
    };
    Ok(Remote {
        name: name.to_owned(),
        kind,
        url: url.0.clone(),
        headers: headers(&profile.headers_env),
        bearer,
        basic,
        tenant: profile.tenant.clone(),
        ca_file: profile.ca_file.as_ref().map(|path| places.beside(path)),
        client,
        insecure: profile.insecure,
        timeout,
    })
}

fn headers(by_name: &BTreeMap<String, String>) -> Vec<(String, SecretRef)> {
    by_name.iter().map(|(name, variable)| (name.clone(), SecretRef::Env(variable.clone()))).collect()
}

/// A path in a settings file in `folder`: `~/` is the home, and what is not absolute is beside the file.
pub(super) fn beside(folder: &Path, path: &Path) -> PathBuf {
    let home = directories::BaseDirs::new().map(|base| base.home_dir().to_owned());
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Settings, resolve};
    use super::*;

    fn resolved(text: &str, remotes: RemoteFlags) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let overrides = Overrides { config: Some(path), remotes, ..Overrides::default() };
        resolve(&overrides).map_err(|error| error.to_string())
    }

    fn source(name: &str) -> RemoteFlags {
        RemoteFlags { sources: vec![name.to_owned()], ..RemoteFlags::default() }
    }

    #[test]
    fn profile_says_where_a_server_is_and_where_its_secrets_are() {
        let text = "[sources.prod]\njaeger = 'https://j.example/ui'\nbearer_env = 'TOKEN'\ntenant = 'acme'\nca_file = 'ca.pem'\n\
                    timeout = '5s'\n[sources.prod.headers_env]\nX-Key = 'KEY'\n[sources.dev]\ntempo = 'localhost:3200'\n\
                    basic_user = 'me'\nbasic_password_file = '/run/pw'\ninsecure = true\n";
        let settings = resolved(text, source("prod")).unwrap();
        let [prod] = &settings.remotes[..] else { panic!("{:?}", settings.remotes) };
        assert_eq!(
            (prod.name.as_str(), prod.kind, prod.url.as_str()),
            ("prod", RemoteKind::Jaeger, "https://j.example/ui")
        );
        assert_eq!(prod.bearer, Some(SecretRef::Env("TOKEN".into())));
        assert_eq!(prod.headers, [("X-Key".to_owned(), SecretRef::Env("KEY".into()))]);
        assert_eq!((prod.tenant.as_deref(), prod.timeout), (Some("acme"), Some(Nanos::from_secs(5))));
        let ca = prod.ca_file.as_deref().unwrap();
        assert!(ca.is_absolute() && ca.ends_with("ca.pem"), "{ca:?}");
        let dev = settings.profiles.iter().find(|profile| profile.name == "dev").unwrap();
        assert_eq!(dev.basic, Some(("me".into(), SecretRef::File("/run/pw".into()))));
        assert!(dev.insecure && dev.kind == RemoteKind::Tempo);
    }

    #[test]
    fn name_that_the_file_does_not_know_is_an_error_that_lists_those_it_knows() {
        let error = resolved("[sources.b]\njaeger = 'b'\n[sources.a]\ntempo = 'a'\n", source("x")).unwrap_err();
        assert!(error.contains("--source x") && error.contains("a, b"), "{error}");
        assert!(resolved("", source("x")).unwrap_err().contains("none"));
    }

    #[test]
    fn profiles_that_make_no_sense_are_errors_that_say_where() {
        for (text, expected) in [
            ("bearer_env = 'X'", "line 1"),
            ("jaeger = 'a'\ntempo = 'b'", "either"),
            ("jaeger = 'a'\nbasic_user = 'me'", "line 3, key sources.s.basic_user"),
            ("jaeger = 'a'\nbasic_password_env = 'X'", "basic_user"),
            ("jaeger = 'a'\nbearer_env = 'X'\nbearer_file = 'Y'", "both"),
            ("jaeger = 'a'\nbearer_env = 'X'\nbasic_user = 'me'\nbasic_password_env = 'Y'", "not both"),
            ("jaeger = 'a'\ntimeout = 'soon'", "key sources.s.timeout"),
            ("jaeger = 'a'\nclient_cert = 'c.pem'", "client_key"),
            ("jaeger = 'a'\nclient_key = 'c.key'", "client_cert"),
            ("jaeger = 'a'\npassword = 'hunter2'", "line 3"),
        ] {
            let error = resolved(&format!("[sources.s]\n{text}\n"), RemoteFlags::default()).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn servers_of_flags_are_called_after_their_hosts_and_no_two_the_same() {
        let flags = RemoteFlags {
            jaeger: ["http://me:pw@h:1/x", "h:2", "h:2", "https://h:2/y", "[::1]:5", "prod"]
                .map(Address::from)
                .to_vec(),
            tempo: vec!["t".into()],
            ..RemoteFlags::default()
        };
        let settings = resolved("[sources.prod]\njaeger = 'p'\n", flags).unwrap();
        let names: Vec<_> = settings.remotes.iter().map(|remote| remote.name.as_str()).collect();
        assert_eq!(names, ["h", "h:2", "h:2#2", "[::1]", "prod#2", "t"]);
        assert!(!format!("{settings:?}").contains("pw"), "{settings:?}");
    }
}
