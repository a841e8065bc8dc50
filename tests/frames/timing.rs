//! How long a frame takes: by hand, `cargo test --release --test frames timing -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tracefall::analysis::Thresholds;
use tracefall::analysis::{Folds, analyse, flatten};
use tracefall::app::Key;
use tracefall::view;

use crate::common::{build, states};
use crate::rig::Rig;

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[expect(clippy::print_stdout, reason = "for the person who measures")]
fn tell(name: &str, mut times: Vec<Duration>) {
    times.sort();
    println!("{name}: median {:?}, least {:?}", times[times.len() / 2], times[0]);
}

fn median(name: &str, mut work: impl FnMut()) {
    tell(name, (0..31).map(|_| time(&mut work)).collect());
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
    for (name, key) in [("a row on", Key::Down), ("a page on", Key::PageDown)] {
        let times = (0..101).map(|_| {
            rig.press_without_frame(key);
            time(|| {
                rig.frame();
            })
        });
        tell(&format!("frame, {name}"), times.collect());
    }
    median("analyse", || {
        black_box(analyse(analysis.trace.clone(), &Thresholds::default()));
    });
    median("flatten", || {
        black_box(flatten(&analysis, &Folds::default()));
    });
}
