//! What work costs, to see that it grows as its input does.

use std::time::{Duration, Instant};

/// Below this a cost says nothing.
const FLOOR: Duration = Duration::from_micros(100);

/// Fails where input eight times as large costs more than forty times as much: linear work stays near eight,
/// quadratic work nears sixty-four. The best of several tries counts, so that a busy machine does not matter. `make`
/// gives the input for a size, `work` is what is looked at.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a test that compares costs")]
pub(crate) fn assert_linear<T>(name: &str, size: usize, make: impl Fn(usize) -> T, work: impl Fn(&T)) {
    let cost = |size: usize| {
        let input = make(size);
        let once = || {
            let started = Instant::now();
            work(&input);
            started.elapsed()
        };
        (0..7).map(|_| once()).min().unwrap_or_default()
    };
    let (small, large) = (cost(size), cost(8 * size));
    eprintln!("{name}: {small:?} for {size}, {large:?} for {}", 8 * size);
    assert!(large < 40 * small.max(FLOOR), "{name}: {small:?} for {size}, {large:?} for {}", 8 * size);
}
