//! CPU time and memory, as the kernel counts them.

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this thread, nanoseconds.
pub(crate) fn thread() -> u64 {
    nanoseconds(ClockId::ThreadCPUTime)
}

/// CPU time of this process, threads that have ended included, nanoseconds.
pub(crate) fn process() -> u64 {
    nanoseconds(ClockId::ProcessCPUTime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or_default()
}

/// CPU time of each living thread of this process that has this name, by its id, nanoseconds.
pub(crate) fn threads(name: &str) -> HashMap<String, u64> {
    let mut times = HashMap::new();
    for entry in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let path = entry.path();
        // A thread may end while it is looked at.
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
        if read("comm").trim_end() == name {
            let time = read("schedstat").split_whitespace().next().and_then(|field| field.parse().ok());
            times.insert(entry.file_name().to_string_lossy().into_owned(), time.unwrap_or_default());
        }
    }
    times
}

/// CPU time of another process, nanoseconds, in steps of a clock tick (10 ms).
pub(crate) fn of_process(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in brackets, may hold anything; user and system time are the 14th and 15th field of proc_pid_stat(5).
    let after_name = text.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks * 1_000_000_000 / rustix::param::clock_ticks_per_second()
}

/// Bytes of memory that a process occupies; `self` is this one.
pub(crate) fn resident(pid: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: Option<u64> = text.split_whitespace().nth(1).and_then(|field| field.parse().ok());
    pages.unwrap_or_default() * rustix::param::page_size() as u64
}

/// The most bytes of memory that this process ever occupied.
pub(crate) fn peak() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.unwrap_or_default() * 1_024
}

/// Time as it passes, for what is waited for.
#[expect(clippy::disallowed_methods, reason = "a stop watch")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The same measurement, taken several times.
#[derive(Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn push(&mut self, value: f64) {
        let place = self.0.partition_point(|known| *known < value);
        self.0.insert(place, value);
    }

    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        let mut sample = Self::default();
        values.into_iter().for_each(|value| sample.push(value));
        sample
    }
}
