//! How the allocator gives memory back.
//!
//! glibc takes the largest block that was ever freed for the size below which blocks stay in its heaps, and lets every
//! thread's heap keep twice as much that is free. The list of half a million traces is such a block, so that at full load
//! a quarter of the memory would be held for nothing. And what is free in the heap of one thread is of no use to another:
//! two heaps for all hold some 15 MiB less than one for each. The one safe way to keep it from that is to say so in the
//! environment before the program starts.

use std::process::Command;

/// The variable that glibc reads before anything runs.
const TUNABLES: &str = "GLIBC_TUNABLES";

/// Blocks from 256 KiB on come from the system one by one, and go back to it; there are two heaps, and each keeps 1 MiB.
const SETTINGS: &str =
    "glibc.malloc.mmap_threshold=262144:glibc.malloc.trim_threshold=1048576:glibc.malloc.arena_max=2";

/// Starts the program anew in the same process, with these settings, unless it has them or the user has others. Where
/// that cannot be, it goes on without.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn settle_heap() {
    use std::os::unix::process::CommandExt as _;

    if std::env::var_os(TUNABLES).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    again.arg0(arguments.next().unwrap_or_default()).args(arguments).env(TUNABLES, SETTINGS);
    // It comes back only where it failed, and then little is lost.
    let _ = again.exec();
}

/// Elsewhere allocators give back what is free.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle_heap() {}

/// Keeps the settings from another program: they are this one's.
pub(super) fn keep_from(program: &mut Command) {
    if std::env::var(TUNABLES).is_ok_and(|settings| settings == SETTINGS) {
        program.env_remove(TUNABLES);
    }
}
