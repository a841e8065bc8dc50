//! What work costs, to see that it grows as its input does.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Below this a cost says nothing.
const FLOOR: Duration = Duration::from_micros(100);
/// Measured again so often before it counts as a failure: what else the machine does shows in caches too.
const AGAIN: usize = 4;

/// Fails where input eight times as large costs more than forty times as much: linear work stays near eight,
/// quadratic work nears sixty-four. It is CPU time of this thread, and the best of several tries counts, so that a busy
/// machine does not matter. `make` gives the input for a size, `work` is what is looked at.
#[track_caller]
pub(crate) fn assert_linear<T>(name: &str, size: usize, make: impl Fn(usize) -> T, work: impl Fn(&T)) {
    let cost = |size: usize| {
        let input = make(size);
        let once = || {
            let started = cpu_time();
            work(&input);
            cpu_time().saturating_sub(started)
        };
        (0..7).map(|_| once()).min().unwrap_or_default()
    };
    let mut told = String::new();
    for _ in 0..AGAIN {
        let (small, large) = (cost(size), cost(8 * size));
        told = format!("{name}: {small:?} for {size}, {large:?} for {}", 8 * size);
        if large < 40 * small.max(FLOOR) {
            return eprintln!("{told}");
        }
    }
    panic!("{told}");
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}
