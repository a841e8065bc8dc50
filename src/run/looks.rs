//! What the environment says of the terminal's colours and of the time zone.

use std::env;

use jiff::tz::TimeZone;

use crate::view::{Environment, Look};

/// The look for a theme on this terminal.
pub(super) fn look(theme: &str) -> Look {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let environment = Environment {
        no_color: set("NO_COLOR").is_some(),
        force_color: set("CLICOLOR_FORCE").or_else(|| set("FORCE_COLOR")).is_some_and(|value| value != "0"),
        term: set("TERM").unwrap_or_default(),
        colorterm: set("COLORTERM").unwrap_or_default(),
        locale: set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default(),
    };
    Look::detect(theme, &environment, TimeZone::system())
}

/// Whether this terminal can be told to scroll: those that know nothing but text cannot.
pub(super) fn scrolls() -> bool {
    env::var("TERM").is_ok_and(|term| !matches!(term.as_str(), "" | "dumb")) || cfg!(windows)
}
