//! Settings: precedence, addresses, sizes, errors that name their place.

use std::io::Write as _;

use super::*;

fn file_with(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn resolved(text: &str, overrides: Overrides) -> Result<Settings, String> {
    let file = file_with(text);
    let overrides = Overrides { config: Some(file.path().to_owned()), ..overrides };
    resolve(&overrides).map_err(|error| error.to_string())
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let overrides = Overrides { memory: Some("1GiB".into()), ..Overrides::default() };
    let settings = resolved("memory = '64MiB'\ntheme = 'light'", overrides).unwrap();
    assert_eq!(settings.memory, 1 << 30);
    assert_eq!(settings.theme, "light");
    assert_eq!(settings.slow_sql, Nanos::from_millis(100));
    assert_eq!(settings.max_body, 64 << 20);
}

#[test]
fn a_port_alone_means_both_loopback_addresses() {
    let both: Vec<SocketAddr> = vec!["127.0.0.1:4317".parse().unwrap(), "[::1]:4317".parse().unwrap()];
    for text in ["4317", "localhost:4317", ":4317"] {
        assert_eq!(parse_addresses(text), Some(both.clone()), "{text}");
    }
    assert_eq!(parse_addresses("0.0.0.0:1"), Some(vec!["0.0.0.0:1".parse().unwrap()]));
    assert_eq!(parse_addresses("example.org:1"), None);
}

#[test]
fn zipkin_is_listened_for_only_where_that_is_asked() {
    let asked = |text, flag: Option<&str>| {
        let overrides = Overrides { zipkin: flag.map(str::to_owned), ..Overrides::default() };
        resolved(text, overrides)
            .map(|settings| settings.zipkin.into_iter().map(|at| at.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(asked("", None), Ok(Vec::new()));
    assert_eq!(asked("zipkin = '9411'", None).unwrap(), ["127.0.0.1:9411", "[::1]:9411"]);
    assert_eq!(asked("zipkin = '9411'", Some("0.0.0.0:1")).unwrap(), ["0.0.0.0:1"]);
    let error = asked("", Some("listen")).unwrap_err();
    assert!(error.contains("--zipkin") && error.contains("TRACEFALL_ZIPKIN"), "{error}");
}

#[test]
fn only_addresses_beyond_this_machine_are_warned_of() {
    let warning = |overrides| {
        let settings = resolved("", overrides).unwrap();
        exposure(settings.grpc.into_iter().chain(settings.http))
    };
    assert_eq!(warning(Overrides::default()), None);
    let overrides = Overrides { grpc: Some("0.0.0.0:4317".into()), ..Overrides::default() };
    assert!(warning(overrides).unwrap().contains("0.0.0.0:4317"));
}

#[test]
fn an_unknown_key_is_an_error_that_names_file_line_and_key() {
    let error = resolved("memory = '64MiB'\nmemroy = '1G'\n", Overrides::default()).unwrap_err();
    assert!(error.contains("line 2") && error.contains("memroy"), "{error}");
}

#[test]
fn values_that_cannot_be_used_say_where_they_stand_and_what_was_expected() {
    let error = resolved("memory = 'lots'", Overrides::default()).unwrap_err();
    assert!(error.contains("key memory") && error.contains("\"lots\""), "{error}");
    assert!(error.contains("line 1"), "{error}");
    let overrides = Overrides { theme: Some("pink".into()), ..Overrides::default() };
    let error = resolved("", overrides).unwrap_err();
    assert!(error.contains("--theme") && error.contains("TRACEFALL_THEME") && error.contains("safe"), "{error}");
}

#[test]
fn sizes_and_durations_are_read_as_people_write_them() {
    for (text, size) in [("512MiB", Some(512 << 20)), ("2G", Some(2 << 30)), ("1.5k", Some(1536)), ("7", Some(7))] {
        assert_eq!(parse_size(text), size, "{text}");
    }
    assert_eq!(parse_size("12 parsecs"), None);
    for (text, nanos) in [("100ms", 100_000_000), ("1.5s", 1_500_000_000), ("10us", 10_000), ("2m", 120_000_000_000)] {
        assert_eq!(parse_duration(text), Some(Nanos(nanos)), "{text}");
    }
    assert_eq!(parse_duration("fast"), None);
}

#[test]
fn keys_of_tables_are_found_in_their_lines() {
    let settings =
        resolved("memory = '64MiB'\n\n[redact]\nkeys = ['x']\npatterns = [\n 'a',\n]\n", Overrides::default());
    let places = settings.unwrap().places;
    assert!(places.of_key("redact.patterns").ends_with(", line 5, key redact.patterns"));
    assert!(places.of_key("redact").contains("line 3"));
    assert!(!places.of_key("theme").contains("line"));
}

#[test]
fn file_that_cannot_be_read_is_told_once() {
    let overrides = Overrides { config: Some("/nowhere/at/all.toml".into()), ..Overrides::default() };
    let error = anyhow::Error::from(resolve(&overrides).unwrap_err());
    assert_eq!(format!("{error:#}").matches("os error").count(), 1, "{error:#}");
}

#[test]
fn origins_that_could_never_match_are_errors_and_a_slash_at_the_end_is_forgiven() {
    let given = |text: &str| {
        let overrides = Overrides { cors_origins: Some(vec![text.to_owned()]), ..Overrides::default() };
        resolved("", overrides).map(|settings| settings.cors_origins)
    };
    assert_eq!(given("https://app.example.com/"), Ok(vec!["https://app.example.com".to_owned()]));
    assert_eq!(given("*"), Ok(vec!["*".to_owned()]));
    assert_eq!(given(""), Ok(vec![]));
    for text in ["app.example.com", "https://app.example.com/page", "https://*.example.com", "https://"] {
        assert!(given(text).unwrap_err().contains("--cors-origins"), "{text}");
    }
    assert!(resolved("cors_origins = ['x']", Overrides::default()).unwrap_err().contains("line 1, key cors_origins"));
}

#[test]
fn body_limit_that_no_machine_could_pay_for_is_an_error() {
    for text in ["0", "9999G", "2GiB"] {
        let overrides = Overrides { max_body: Some(text.to_owned()), ..Overrides::default() };
        assert!(resolved("", overrides).unwrap_err().contains("1GiB"), "{text}");
    }
}

#[test]
fn thresholds_are_taken_as_they_are_written_and_the_one_with_a_key_of_its_own_too() {
    let settings = resolved("[thresholds]\ngap = '1s'\nnplus1_count = 7\nslow_sql = '30ms'", Overrides::default());
    let settings = settings.unwrap();
    assert_eq!(settings.slow_sql, Nanos::from_millis(30));
    let given: Vec<_> = settings.thresholds.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(given, [("gap", "1s"), ("nplus1_count", "7")]);
    assert!(settings.places.of_key("thresholds.gap").contains("line 2"));
    let flag = Overrides { slow_sql: Some("1s".into()), ..Overrides::default() };
    assert_eq!(resolved("[thresholds]\nslow_sql = '30ms'", flag).unwrap().slow_sql, Nanos::from_secs(1));
}
