//! The README's table of keys is made from the list of actions.

#![expect(clippy::unwrap_used, reason = "a test of the project's own files")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tracefall::app::{ACTIONS, ActionInfo, Context};

const BEGIN: &str = "in src/app/action -->\n";
const END: &str = "<!-- end of keys -->";

fn place(info: &ActionInfo) -> &'static str {
    match info.contexts.first() {
        Some(Context::Everywhere) | None => "everywhere",
        Some(Context::Traces) => "list",
        Some(Context::Trace | Context::Detail) => "trace",
        Some(Context::Sql) => "SQL",
        Some(Context::Errors) => "errors",
        Some(Context::Services) => "services",
        Some(Context::Compare) => "compare",
        Some(Context::Health) => "health",
    }
}

fn table() -> String {
    let mut out = String::from("\n| where | keys | does | name |\n|---|---|---|---|\n");
    for wanted in ["everywhere", "list", "trace", "SQL", "errors", "services", "compare", "health"] {
        for info in ACTIONS.iter().filter(|info| place(info) == wanted) {
            let keys: Vec<_> =
                info.keys.iter().map(|key| format!("`{}`", key.to_string().replace('|', "\\|"))).collect();
            writeln!(out, "| {wanted} | {} | {} | `{}` |", keys.join(" "), info.help, info.name).unwrap();
        }
    }
    out.push('\n');
    out
}

#[test]
fn the_readme_lists_the_keys_that_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(shown, table, "run `UPDATE_README=1 cargo test --test readme`");
    }
}
