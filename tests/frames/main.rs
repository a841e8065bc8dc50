//! Frames as a terminal receives them: what arrives there is what was drawn, in few bytes.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

#[path = "../common/mod.rs"]
mod common;
mod law;
mod rig;
mod timing;

use common::{build, states};
use rig::Rig;
use tracefall::app::Key;

const SIZES: [(u16, u16); 2] = [(120, 36), (200, 60)];

/// The middle of what twelve keys took, after enough of them to be past the first rows (`scroll`: past the last in sight).
fn middle(rig: &mut Rig, scroll: bool) -> usize {
    for _ in 0..if scroll { 70 } else { 4 } {
        rig.press(Key::Down);
    }
    let mut counts: Vec<usize> = (0..12).map(|_| rig.press(Key::Down)).collect();
    counts.sort_unstable();
    counts[counts.len() / 2]
}

#[test]
fn a_screen_that_stands_still_takes_not_a_byte() {
    for size in SIZES {
        let (list, summaries) = states::many_traces(build::patient(), size);
        let open = states::trace(build::patient(), size, |_, _| true);
        for (state, summaries) in [(list, summaries), (open, Vec::new()), (states::health(), Vec::new())] {
            let mut rig = Rig::new(state, summaries, size);
            rig.frame();
            assert_eq!(rig.frame(), 0, "{size:?}");
        }
    }
}

/// Spans of one kind, as most neighbours are: with the detail of the next span in place of the last one's.
#[test]
fn a_row_on_in_a_trace_of_a_hundred_thousand_spans_takes_few_bytes() {
    let huge = build::huge();
    for (size, moves, scrolls) in [(SIZES[0], 500, 600), (SIZES[1], 800, 1_500)] {
        let rig = || Rig::new(states::trace(huge.clone(), size, |_, _| true), Vec::new(), size);
        let counted = (middle(&mut rig(), false), middle(&mut rig(), true));
        assert!(counted.0 <= moves && counted.1 <= scrolls, "{size:?}: {counted:?}");
    }
}

/// Spans that have nothing in common with the one before: a statement after a webhook with its JSON, all of it new text.
#[test]
fn a_row_on_among_spans_of_all_kinds_takes_what_is_new() {
    let busy = build::busy();
    for (size, moves, scrolls) in [(SIZES[0], 2_048, 2_048), (SIZES[1], 3_000, 3_000)] {
        let rig = || Rig::new(states::trace(busy.clone(), size, |_, _| true), Vec::new(), size);
        let counted = (middle(&mut rig(), false), middle(&mut rig(), true));
        assert!(counted.0 <= moves && counted.1 <= scrolls, "{size:?}: {counted:?}");
    }
}

/// Beside a preview the rows scroll while the preview stays: it is written again, which is still a quarter of everything.
#[test]
fn a_row_on_in_the_list_takes_few_bytes() {
    for (size, moves, scrolls) in [(SIZES[0], 800, 1_000), (SIZES[1], 800, 2_500)] {
        let rig = || {
            let (state, summaries) = states::many_traces(build::patient(), size);
            Rig::new(state, summaries, size)
        };
        let counted = (middle(&mut rig(), false), middle(&mut rig(), true));
        assert!(counted.0 <= moves && counted.1 <= scrolls, "{size:?}: {counted:?}");
    }
}
