//! What screens say of all traces: how soon their first words are there and how soon everything is, of an index that nobody has read
//! yet, and what it costs to bring that up to date after a thousand traces have changed. Measured in a process of its own; keys are
//! `survey_SCREEN_ms_SIZE`, `survey_SCREEN_first_ms_SIZE` and `survey_SCREEN_again_ms_SIZE`.

use std::sync::Arc;

use serde_json::{Map, Value};
use tracefall::analysis::Thresholds;
use tracefall::app::work::{Desk, Means};
use tracefall::app::{Basis, CompareAsk, Effect, Highlighted, MarkReason, SurveyOf, TimeMark};
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
        let found = child::run(&["survey", &bodies.to_string()]);
        for (name, _) in SCREENS {
            let mut row = |what: &str, words: &str, goal: Option<Goal>| {
                let key = format!("survey_{name}_{what}ms_{size}");
                let words = format!("{name} of {spans} spans: {words}");
                report.row((&key, &words, "ms"), figure(&found, &format!("{name}_{what}")), goal);
            };
            row("", "all of it, cold", Some(Goal::at_most(2_000.0, 1_000.0)));
            row("first_", "the first words", Some(Goal::at_most(50.0, 16.0)));
            row("again_", "after 1,000 traces changed", None);
        }
    }
}

/// What the child does.
pub(crate) fn child(bodies: usize) {
    let mut index = filled(bodies);
    let views = {
        let before = index.reader.view();
        for body in Load::new(Shape::default()).skip(bodies).take(MORE) {
            index.insert(&body);
        }
        index.writer.publish();
        [before, index.reader.view()]
    };
    let mut found = Map::new();
    for (name, of) in SCREENS {
        let mut desk = Desk::default();
        let (whole, first) = surveyed(&mut desk, of, &views[0]);
        let (again, _) = surveyed(&mut desk, of, &views[1]);
        for (what, time) in [("", whole), ("first_", first), ("again_", again)] {
            found.insert(format!("{name}_{what}"), time.into());
        }
    }
    println!("{}", Value::Object(found));
}

/// CPU time of a survey until all is there, and until the first of it, ms.
fn surveyed(desk: &mut Desk, of: SurveyOf, view: &View) -> (f64, f64) {
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
    let before = clock::thread();
    let since = || (clock::thread() - before) as f64 / 1e6;
    let mut first = None;
    let answer = desk.work(&effect, &means, &mut |_| first = first.or_else(|| Some(since())));
    let whole = since();
    assert!(answer.is_some());
    (whole, first.unwrap_or(whole))
}
