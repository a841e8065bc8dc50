//! A person's browser, where there is one on this machine.

use std::process::{Command, Stdio};
use std::{env, thread};

#[cfg(target_os = "macos")]
const OPENER: &str = "open";
#[cfg(not(target_os = "macos"))]
const OPENER: &str = "xdg-open";

/// Has the browser show `link`, unless this is another machine than the person sits at, or one without a desktop.
pub(super) fn show(link: &str) {
    let set = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
    let remote = set("SSH_CONNECTION") || set("SSH_TTY");
    let desktop = cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY");
    if remote || !desktop {
        return;
    }
    let mut opener = Command::new(OPENER);
    opener.arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    super::heap::keep_from(&mut opener);
    match opener.spawn() {
        // Whoever starts a process has to hear of its end.
        Ok(mut child) => drop(thread::spawn(move || child.wait())),
        Err(error) => tracing::warn!(%error, "no browser was started"),
    }
}
