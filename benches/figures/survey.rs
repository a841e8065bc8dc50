//! What screens say of all traces: how soon their first words are there and how soon everything is, of an index that nobody has read
//! yet, and what it costs to bring that up to date after a thousand traces have changed. Several threads take part, so what counts is
//! time on the clock; CPU time of all of them is told beside it, and what the screen keeps. Measured in a process of its own; keys are
//! `survey_SCREEN_ms_SIZE`, `survey_SCREEN_cpu_ms_SIZE`, `survey_SCREEN_first_ms_SIZE`, `survey_SCREEN_again_ms_SIZE`,
//! `survey_SCREEN_kept_mb_SIZE` and `survey_SCREEN_left_SIZE`.

use std::sync::Arc;

use serde_json::{Map, Value};
use tracefall::analysis::Thresholds;
use tracefall::app::work::{Desk, Means};
use tracefall::app::{Answer, Basis, CompareAsk, Effect, Highlighted, MarkReason, SurveyOf, Surveyed, TimeMark};
use tracefall::index::View;
use tracefall::model::Timestamp;
use tracefall::source::load::{Load, Shape};

use crate::child::{self, figure};
use crate::clock;
use crate::held::{MILLION, TEN_MILLION, filled};
use crate::report::{Goal, Report};

/// Bodies that come afterwards.
const MORE: usize = 40;

const SCREENS: [(&str, SurveyOf); 5] = [
    ("sql", SurveyOf::Sql),
    ("errors", SurveyOf::Errors),
    ("services", SurveyOf::Services),
    ("compare", SurveyOf::Compare),
    ("findings", SurveyOf::Findings),
];

pub(crate) fn group(report: &mut Report, large: bool) {
    let sizes: &[(usize, &str, &str)] =
        if large { &[(MILLION, "1m", "1 M"), (TEN_MILLION, "10m", "10 M")] } else { &[(MILLION, "1m", "1 M")] };
    for (bodies, size, spans) in sizes {
        for (name, _) in SCREENS {
            let found = child::run(&["survey", &bodies.to_string(), name]);
            let mut row = |(what, unit): (&str, &str), words: &str, goal: Option<Goal>| {
                let dash = if unit.is_empty() { "" } else { "_" };
                let key = format!("survey_{name}_{what}{unit}{dash}{size}").to_lowercase();
                let words = format!("{name} of {spans} spans: {words}");
                report.row((&key, &words, unit), figure(&found, what), goal);
            };
            let cold = (*bodies == MILLION).then(|| Goal::at_most(2_000.0, 1_000.0));
            row(("", "ms"), "all of it, cold", cold);
            row(("cpu_", "ms"), "  CPU time of all threads", None);
            row(("first_", "ms"), "the first words", Some(Goal::at_most(50.0, 16.0)));
            row(("again_", "ms"), "after 1,000 traces changed", None);
            row(("kept_", "MB"), "memory for it, at most", None);
            row(("left_", ""), "traces left out, for want of room", None);
        }
    }
}

/// What the child does.
pub(crate) fn child(bodies: usize, name: &str) {
    let mut index = filled(bodies);
    let views = {
        let before = index.reader.view();
        for body in Load::new(Shape::default()).skip(bodies).take(MORE) {
            index.insert(&body);
        }
        index.writer.publish();
        [before, index.reader.view()]
    };
    let of = SCREENS.iter().find(|(known, _)| *known == name).unwrap().1;
    let mut desk = Desk::default();
    let before = clock::resident("self");
    let whole = surveyed(&mut desk, of, &views[0]);
    let kept = clock::resident("self").saturating_sub(before) as f64 / 1e6;
    let again = surveyed(&mut desk, of, &views[1]);
    let figures = [
        ("", whole.all),
        ("cpu_", whole.cpu),
        ("first_", whole.first),
        ("again_", again.all),
        ("kept_", kept),
        ("left_", whole.left_out),
    ];
    let found: Map<String, Value> =
        figures.into_iter().map(|(what, figure)| (what.to_owned(), figure.into())).collect();
    println!("{}", Value::Object(found));
}

/// A survey: ms on the clock until all is there, CPU time, ms until the first of it is, and traces that were left out.
struct Took {
    all: f64,
    cpu: f64,
    first: f64,
    left_out: f64,
}

fn surveyed(desk: &mut Desk, of: SurveyOf, view: &View) -> Took {
    let ids: Vec<_> = view.traces().collect();
    let middle = ids.get(ids.len() / 2).and_then(|trace| view.outline(*trace)).unwrap().start;
    let basis = Basis::Since(TimeMark { at: middle, reason: MarkReason::Person }, (Timestamp(0), Timestamp(u64::MAX)));
    let compare = (of == SurveyOf::Compare).then(|| Arc::new(CompareAsk { basis, root: None }));
    let effect = Effect::Survey { generation: 1, query: Arc::default(), of, compare };
    let means = Means {
        view,
        now: Timestamp(0),
        thresholds: &Thresholds::default(),
        highlight: &|_, _, _| Highlighted::default(),
        cancelled: &|| false,
    };
    let (start, cpu) = (clock::now(), clock::process());
    let since = || start.elapsed().as_secs_f64() * 1e3;
    let mut first = None;
    let answer = desk.work(&effect, &means, &mut |_| first = first.or_else(|| Some(since())));
    let all = since();
    let Some(Answer::Surveyed(Surveyed { left_out, .. })) = answer else { unreachable!() };
    let cpu = (clock::process() - cpu) as f64 / 1e6;
    Took { all, cpu, first: first.unwrap_or(all), left_out: left_out as f64 }
}
