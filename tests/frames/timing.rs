//! How long a frame takes: by hand, `cargo test --release --test frames timing -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tracefall::app::Key;
use tracefall::view;

use crate::common::{build, states};
use crate::rig::Rig;

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn median(name: &str, mut work: impl FnMut()) {
    let mut times: Vec<Duration> = (0..301)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{name}: median {:?}, least {:?}", times[150], times[0]);
}

#[test]
#[ignore = "measures time, asserts nothing"]
fn frames_of_a_hundred_thousand_spans() {
    let analysis = build::busy();
    let size = (200, 60);
    let mut rig = Rig::new(states::trace(analysis.clone(), size, |_, _| true), Vec::new(), size);
    for _ in 0..100 {
        rig.press(Key::Down);
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 60));
    median("reset", || buffer.reset());
    median("viewport", || {
        black_box(view::viewport(&rig.state, size));
    });
    median("draw", || {
        view::draw(&rig.state, &rig.look, buffer.area, &mut buffer);
    });
    median("frame, nothing changed", || {
        rig.frame();
    });
    median("frame, a row on", || {
        rig.press(Key::Down);
    });
    median("frame, a page on", || {
        rig.press(Key::PageDown);
    });
    median("analyse", || {
        black_box(tracefall::analysis::analyse(analysis.trace.clone(), &Default::default()));
    });
    median("flatten", || {
        black_box(tracefall::analysis::flatten(&analysis, &Default::default()));
    });
}
