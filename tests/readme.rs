//! The README's tables are made from the code: keys from the list of actions, thresholds and rules from their own.

#![expect(clippy::unwrap_used, reason = "a test of the project's own files")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tracefall::analysis::findings::Rule;
use tracefall::analysis::{Amount, TABLE, Thresholds};
use tracefall::app::{ACTIONS, ActionInfo, Context};

/// Where a table begins, where it ends, and what makes it.
type Table = (&'static str, &'static str, fn() -> String);

const TABLES: [Table; 3] = [
    ("in src/app/action -->\n", "<!-- end of keys -->", table),
    ("from src/analysis/thresholds.rs -->\n", "<!-- end of thresholds -->", thresholds),
    ("from src/analysis/findings -->\n", "<!-- end of rules -->", rules),
];

fn place(info: &ActionInfo) -> &'static str {
    match info.contexts.first() {
        Some(Context::Everywhere) | None => "everywhere",
        Some(Context::Traces) => "list",
        Some(Context::Trace | Context::Detail) => "trace",
        Some(Context::Sql) => "SQL",
        Some(Context::Errors) => "errors",
        Some(Context::Services) => "services",
        Some(Context::Compare) => "compare",
        Some(Context::Heat) => "heat map",
        Some(Context::Health) => "health",
    }
}

fn table() -> String {
    let mut out = String::from("\n| where | keys | does | name |\n|---|---|---|---|\n");
    for wanted in ["everywhere", "list", "trace", "heat map", "SQL", "errors", "services", "compare", "health"] {
        for info in ACTIONS.iter().filter(|info| place(info) == wanted) {
            let keys: Vec<_> =
                info.keys.iter().map(|key| format!("`{}`", key.to_string().replace('|', "\\|"))).collect();
            writeln!(out, "| {wanted} | {} | {} | `{}` |", keys.join(" "), info.help, info.name).unwrap();
        }
    }
    out.push('\n');
    out
}

fn thresholds() -> String {
    let mut out = String::from("\n| key | default | is |\n|---|---|---|\n");
    for row in TABLE {
        let default = match row.get(&Thresholds::default()) {
            Amount::Time(nanos) => format!("\"{}\"", nanos.to_string().replace(' ', "")),
            Amount::Percent(percent) => format!("{percent} (%)"),
            Amount::Count(count) => count.to_string(),
        };
        writeln!(out, "| `{}` | {default} |{} |", row.name, row.about).unwrap();
    }
    out.push('\n');
    out
}

fn rules() -> String {
    let mut out = String::from("\n| rule | finds |\n|---|---|\n");
    for rule in Rule::ALL {
        writeln!(out, "| `{}` | {} |", rule.name(), rule.about()).unwrap();
    }
    out.push('\n');
    out
}

#[test]
fn the_readme_lists_the_keys_the_thresholds_and_the_rules_that_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    for (begin, end, make) in TABLES {
        let readme = fs::read_to_string(&path).unwrap();
        let (before, rest) = readme.split_once(begin).unwrap();
        let (shown, after) = rest.split_once(end).unwrap();
        let table = make();
        if std::env::var_os("UPDATE_README").is_some() {
            fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        } else {
            assert_eq!(shown, table, "run `UPDATE_README=1 cargo test --test readme`");
        }
    }
}
