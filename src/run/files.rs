//! How many files the program may have open at once. Each connection is one.

/// As many as the connections that are taken, and what the program itself needs, with room to spare.
#[cfg(unix)]
const WANTED: u64 = 4096;

/// Asks for more than the usual 1024 of Linux or 256 of macOS, where the system allows more: senders that keep their
/// connections open would keep the others out. Where it does not, less is served at once.
#[cfg(unix)]
pub(super) fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    if current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) fn allow_many() {}
