//! The pictures in `screenshots/` are drawn by the same widgets from the same states as the screen tests.
//!
//! `UPDATE_SCREENSHOTS=1 cargo test --test screenshots` writes them; without it they are compared.

mod common;

use std::path::Path;

use common::{build, paint, states, svg};
use tracefall::app::State;
use tracefall::view::Colours;

const SIZE: (u16, u16) = (120, 36);

fn pictures() -> [(&'static str, State); 3] {
    [
        ("traces", states::traces(build::patient(), SIZE)),
        ("trace", states::trace(build::patient(), SIZE, states::labelled("SELECT * FROM patients"))),
        ("first", states::empty()),
    ]
}

#[test]
fn screenshots_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let look = paint::look("dark", Colours::True);
    for (name, state) in pictures() {
        let drawn = svg::svg(&paint::draw(&state, &look, SIZE), look.base());
        let path = folder.join(format!("{name}.svg"));
        if std::env::var_os("UPDATE_SCREENSHOTS").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder for the pictures");
            std::fs::write(&path, &drawn).expect("the picture is written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == drawn, "screenshots/{name}.svg is not what is drawn now: UPDATE_SCREENSHOTS=1 writes it");
    }
}
