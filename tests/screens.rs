//! The screens, drawn at many sizes from states built by hand.

mod common;

use common::{build, paint, states};
use tracefall::view::Colours;

/// Writes pictures in a terminal's language into the folder that `TRACEFALL_DUMP` names; for looking at them.
#[test]
fn screens_can_be_looked_at() {
    let Ok(folder) = std::env::var("TRACEFALL_DUMP") else { return };
    let write = |name: &str, state: &tracefall::app::State, theme: &str, colours, size| {
        let buffer = paint::draw(state, &paint::look(theme, colours), size);
        std::fs::write(format!("{folder}/{name}.ans"), paint::as_ansi(&buffer)).expect("written");
    };
    let select = states::labelled("SELECT * FROM patients");
    for size in [(120, 36), (80, 24), (200, 60), (60, 16)] {
        let name = |what: &str| format!("{what}-{}x{}", size.0, size.1);
        let dark = |what: &str, state: &tracefall::app::State| write(&name(what), state, "dark", Colours::True, size);
        dark("traces", &states::traces(build::patient(), size));
        dark("trace", &states::trace(build::patient(), size, &select));
        dark("errors", &states::trace(build::errors(), size, states::labelled("POST https")));
        dark("many", &states::trace(build::many_queries(), size, states::labelled("SELECT * FROM patient_ins")));
        dark("hostile", &states::trace(build::hostile(), size, states::labelled("SELECT")));
        dark("deep", &states::trace(build::deep(), size, states::labelled("level 3 ")));
        dark("first", &states::empty());
        dark("health", &states::health());
    }
    let size = (120, 36);
    let traces = states::traces(build::patient(), size);
    let trace = states::trace(build::patient(), size, &select);
    for (name, theme, colours) in [
        ("light", "light", Colours::True),
        ("none", "dark", Colours::None),
        ("ansi", "dark", Colours::Ansi),
        ("indexed", "dark", Colours::Indexed),
    ] {
        write(&format!("traces-{name}"), &traces, theme, colours, size);
        write(&format!("trace-{name}"), &trace, theme, colours, size);
    }
}
