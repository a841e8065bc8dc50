//! The import table of `src/lib.rs`, and the sizes of files, held by a test: in one crate Cargo cannot do it.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test of the project's own files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Room → rooms it may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("semconv", &["model"]),
    ("redact", &["model"]),
    ("otlp", &["model"]),
    ("index", &["model", "semconv", "otlp"]),
    ("query", &["model", "semconv", "index"]),
    ("analysis", &["model", "semconv", "index", "query"]),
    ("export", &["model", "semconv", "redact", "otlp", "index", "analysis"]),
    ("source", &["model", "otlp", "redact", "query"]),
    ("app", &["model", "semconv", "redact", "index", "query", "analysis", "export"]),
    ("view", &["model", "semconv", "redact", "index", "query", "analysis", "app"]),
    ("terminal", &["app"]),
    ("config", &["model"]),
    ("cli", &["model", "config"]),
    (
        "run",
        &[
            "model", "semconv", "redact", "otlp", "index", "query", "analysis", "source", "app", "view", "terminal",
            "config", "cli", "export",
        ],
    ),
];

/// Outside crate → rooms that may name it. Crates that are not listed may be named anywhere.
const CRATES: &[(&str, &[&str])] = &[
    ("ratatui", &["view", "terminal", "run"]),
    ("crossterm", &["terminal", "run"]),
    ("tokio", &["source", "run"]),
    ("tonic", &["source"]),
    ("hyper", &["source"]),
    ("hyper_util", &["source"]),
    ("hyper_rustls", &["source"]),
    ("rustls", &["source"]),
    ("rustls_graviola", &["source"]),
    ("rustls_native_certs", &["source"]),
    ("prost", &["otlp", "source"]),
    ("opentelemetry_proto", &["otlp", "source"]),
    ("syntect", &["view"]),
    ("clap", &["cli", "config"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("directories", &["config"]),
    ("fuzzy_matcher", &["query"]),
    ("socket2", &["source"]),
    ("rustix", &["run"]),
];

/// Room → what must not stand in it (production code, before its tests).
const WORDS: &[(&str, &[&str])] = &[
    ("model", &["Instant::now", "SystemTime", "std::fs", "std::net::Tcp"]),
    ("index", &["Instant::now", "SystemTime", "async fn"]),
    ("query", &["Instant::now", "SystemTime", "std::fs"]),
    ("analysis", &["Instant::now", "SystemTime", "std::fs"]),
    ("app", &["Instant::now", "SystemTime", "std::fs"]),
    ("view", &["&mut State", "Instant::now", "SystemTime"]),
];

/// Lines a file may have before its tests.
const LONGEST: usize = 500;

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The file up to its inline tests, without comments and string contents that could look like paths.
fn production_lines(text: &str) -> Vec<String> {
    let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned()).collect()
}

/// The first names after `crate::` in `line`: `use crate::{app::State, model}` gives both.
fn rooms_named(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let boundary = code[..at].chars().next_back();
        if boundary.is_some_and(|before| before.is_alphanumeric() || before == '_') {
            continue;
        }
        named.extend(first_names(&code[at + "crate::".len()..]));
    }
    named
}

fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
    })
}

fn faults_of(path: &Path, room: &str, allowed: &BTreeMap<&str, &[&str]>) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = production_lines(&text);
    let code = lines.join("\n");
    let mut faults = Vec::new();
    for named in rooms_named(&code) {
        let is_room = allowed.contains_key(named.as_str());
        if is_room && named != room && !allowed[room].contains(&named.as_str()) {
            faults.push(format!("{}: {room} names {named}", path.display()));
        }
    }
    for (name, rooms) in CRATES {
        if names_crate(&code, name) && !rooms.contains(&room) {
            faults.push(format!("{}: {room} names {name}", path.display()));
        }
    }
    for (_, words) in WORDS.iter().filter(|(owner, _)| *owner == room) {
        let found = words.iter().filter(|word| code.contains(**word));
        faults.extend(found.map(|word| format!("{}: {room} must not contain `{word}`", path.display())));
    }
    if lines.len() > LONGEST {
        faults.push(format!("{}: {} lines before its tests", path.display(), lines.len()));
    }
    if !text.starts_with("//!") {
        faults.push(format!("{}: does not say in its first line what lives there", path.display()));
    }
    faults
}

#[test]
fn every_file_keeps_to_the_rooms_and_sizes() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut faults = Vec::new();
    for path in files {
        let inside = path.strip_prefix(&source).unwrap();
        if inside.components().count() < 2 {
            continue;
        }
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if !allowed.contains_key(room.as_str()) {
            faults.push(format!("{}: there is no room {room}", path.display()));
            continue;
        }
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        faults.extend(faults_of(&path, &room, &allowed));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_check_sees_plain_grouped_and_inline_paths() {
    assert_eq!(rooms_named("use crate::app::State;"), ["app"]);
    assert_eq!(rooms_named("use crate::{\n    model::{Kind, Span},\n    view,\n};"), ["model", "view"]);
    assert_eq!(rooms_named("let x: crate::index::View = y;"), ["index"]);
    assert_eq!(rooms_named("pub(crate) fn f() {}"), Vec::<String>::new());
    assert!(names_crate("use ratatui::text;", "ratatui"));
    assert!(!names_crate("use crate::tonic_like::x;", "tonic"));
}
