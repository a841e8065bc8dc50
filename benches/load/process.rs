//! What the system says of the program under test.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Watches a process.
pub(crate) struct Watch {
    pid: u32,
    over: Arc<AtomicBool>,
    samples: Arc<Mutex<Vec<u64>>>,
}

impl Watch {
    /// Starts to look at its memory now and then.
    pub(crate) fn start(pid: u32) -> Self {
        let (over, samples) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let watch = Self { pid, over: Arc::clone(&over), samples: Arc::clone(&samples) };
        thread::spawn(move || {
            while !over.load(Ordering::Acquire) {
                if let Ok(bytes) = status(pid, "VmRSS:") {
                    samples.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
                }
                thread::sleep(EVERY);
            }
        });
        watch
    }

    /// Bytes of memory it occupies now.
    pub(crate) fn resident(&self) -> Result<u64> {
        status(self.pid, "VmRSS:")
    }

    /// The most it ever occupied, as the kernel saw it.
    pub(crate) fn peak(&self) -> Result<u64> {
        status(self.pid, "VmHWM:")
    }

    /// CPU time of all its threads since it began.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid)).context("/proc is needed")?;
        // The name before may hold blanks. Then: state, 10 others, user and system time in hundredths of a second.
        let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks = rest.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Bytes of memory occupied, twice a second since the start.
    pub(crate) fn stop(&self) -> Vec<u64> {
        self.over.store(true, Ordering::Release);
        std::mem::take(&mut self.samples.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn status(pid: u32, key: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("/proc is needed")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key} in /proc"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes << 10)
}
