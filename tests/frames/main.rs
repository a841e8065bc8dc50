//! Frames as a terminal receives them: what arrives there is what was drawn, in few bytes.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

#[path = "../common/mod.rs"]
mod common;
mod law;
mod rig;
mod timing;

use common::{build, states};
use rig::Rig;
use tracefall::app::Key;

const SIZES: [(u16, u16); 2] = [(120, 36), (200, 60)];

#[test]
fn figures() {
    let huge = build::busy();
    for size in SIZES {
        let mut rig = Rig::new(states::trace(huge.clone(), size, |_, _| true), Vec::new(), size);
        let moves: Vec<usize> = (0..12).map(|_| rig.press(Key::Down)).collect();
        let text = String::from_utf8_lossy(rig.bytes()).replace('\x1b', "\n^");
        std::fs::write(format!("/tmp/move-{}.txt", size.0), text).unwrap();
        for _ in 0..60 {
            rig.press(Key::Down);
        }
        let scrolls: Vec<usize> = (0..12).map(|_| rig.press(Key::Down)).collect();
        let text = String::from_utf8_lossy(rig.bytes()).replace('\x1b', "\n^");
        std::fs::write(format!("/tmp/scroll-{}.txt", size.0), text).unwrap();
        println!("trace {size:?} move {moves:?} scroll {scrolls:?}");
        let (state, summaries) = states::many_traces(build::patient(), size);
        let mut rig = Rig::new(state, summaries, size);
        let moves: Vec<usize> = (0..12).map(|_| rig.press(Key::Down)).collect();
        for _ in 0..60 {
            rig.press(Key::Down);
        }
        let scrolls: Vec<usize> = (0..12).map(|_| rig.press(Key::Down)).collect();
        let text = String::from_utf8_lossy(rig.bytes()).replace('\x1b', "\n^");
        std::fs::write(format!("/tmp/lscroll-{}.txt", size.0), text).unwrap();
        println!("list {size:?} move {moves:?} scroll {scrolls:?}");
    }
}
