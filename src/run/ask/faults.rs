//! What is wrong in files, on standard error.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::source::files::Fault;
use crate::view::visible;

/// Faults that are named; the others are only counted.
const NAMED: u64 = 100;

/// Tells of faults as they are found, and in the end how many there were. Standard error that cannot be written is nobody's loss.
#[derive(Debug, Default)]
pub(super) struct Faults {
    count: AtomicU64,
}

impl Faults {
    pub(super) fn tell(&self, fault: &Fault) {
        if self.count.fetch_add(1, Ordering::Relaxed) < NAMED {
            let _ = writeln!(io::stderr(), "tracefall: {}", visible(&fault.to_string()));
        }
    }

    /// Says how many there were, if there were any.
    pub(super) fn sum_up(&self) {
        match self.count.load(Ordering::Relaxed) {
            0 => {}
            1 => drop(writeln!(io::stderr(), "tracefall: 1 fault; all else was read")),
            count => drop(writeln!(io::stderr(), "tracefall: {count} faults; all else was read")),
        }
    }
}
