//! The program without terminal, sockets and threads: recorded spans go into a real index, keys into the state, and
//! effects are carried out at once.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod common;

use std::sync::Arc;

use common::fixtures::frames;
use tracefall::analysis::{RowKey, TraceNotes};
use tracefall::app::{
    self, Answer, Effect, Highlighted, Input, Key, KeyPress, Keymap, Language, Settings, SortKey, State, Token,
    Viewport, work,
};
use tracefall::index::{self, Reader, Writer};
use tracefall::model::{Attribute, Kind, Nanos, SourceId, Span, SpanId, Timestamp, TraceId, Value};
use tracefall::otlp::encode;

struct Live {
    writer: Writer<TraceNotes>,
    reader: Reader,
    state: State,
    keymap: Keymap,
    now: Timestamp,
    kept: Vec<TraceId>,
    copied: Vec<String>,
    effects: usize,
    desk: work::Desk,
}

fn plainly(_: Language, text: &str, _: u16) -> Highlighted {
    Arc::new(vec![vec![(Token::Plain, text.to_owned())]])
}

impl Live {
    fn new() -> Self {
        let (writer, reader) = index::open(index::Options::new(256 << 20), TraceNotes::default());
        let mut state = State::new(Settings::default());
        state.viewport = Viewport {
            columns: 120,
            rows: 36,
            list: 10,
            preview: 8,
            waterfall: 15,
            detail: 10,
            detail_columns: 60,
            scroll: 30,
            statements: 10,
            statement_columns: 60,
            strip: 40,
            ..Viewport::default()
        };
        let now = Timestamp(Nanos::from_secs(1_800_000_000).0);
        Self {
            writer,
            reader,
            state,
            keymap: Keymap::default(),
            now,
            kept: vec![],
            copied: vec![],
            effects: 0,
            desk: work::Desk::default(),
        }
    }

    /// With the recorded requests of two Python services.
    fn hospital() -> Self {
        let mut live = Self::new();
        for body in frames("hmis-python-grpc.otlp.pb") {
            live.arrive(&body);
        }
        live
    }

    fn arrive(&mut self, body: &[u8]) {
        self.now = self.now.plus(Nanos::from_millis(200));
        self.writer.insert_spans(SourceId(0), body, self.now).unwrap();
        self.writer.publish();
        self.tick();
    }

    fn tick(&mut self) {
        let effects = app::tick(&mut self.state, &self.reader.view(), self.now);
        self.carry_out(effects);
        while app::refresh(&mut self.state, &self.reader.view()) {}
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        for word in keys.split_whitespace() {
            let presses: Vec<KeyPress> = match word.strip_prefix('\'') {
                Some(typed) => typed.chars().map(|c| KeyPress::plain(Key::Char(c))).collect(),
                None => vec![word.parse().unwrap()],
            };
            for key in presses {
                let effects = app::input(&mut self.state, &self.keymap, &Input::Key(key));
                self.carry_out(effects);
            }
        }
        while app::refresh(&mut self.state, &self.reader.view()) {}
        self
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.effects += 1;
            assert!(self.effects < 10_000, "requests without end: {effect:?}");
            if let Some(answer) = self.work(&effect) {
                let effects = app::answer(&mut self.state, answer);
                self.carry_out(effects);
            }
        }
    }

    fn work(&mut self, effect: &Effect) -> Option<Answer> {
        match effect {
            Effect::Copy { what, text } => {
                self.copied.push(text.clone());
                return Some(Answer::Copied(Ok(what.clone())));
            }
            Effect::Keep(traces) => {
                self.writer.keep(traces);
                self.kept.clone_from(traces);
            }
            Effect::Demo(play) => return Some(Answer::Demo(Ok(*play))),
            _ => {}
        }
        let (view, thresholds) = (self.reader.view(), self.state.settings.thresholds);
        let means = work::Means {
            view: &view,
            now: self.now,
            thresholds: &thresholds,
            highlight: &plainly,
            cancelled: &|| false,
        };
        self.desk.work(effect, &means, &mut |_| ())
    }

    fn selected_label(&self) -> String {
        let trace = self.state.trace.as_ref().unwrap();
        let row = trace.rows.iter().find(|row| Some(row.key) == trace.selected).unwrap();
        trace.analysis.as_ref().unwrap().span(row.node).unwrap().label.to_string()
    }

    fn notice(&self) -> String {
        self.state.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default()
    }
}

fn one(trace: u8, id: u8, parent: Option<u8>, millis: u64) -> Vec<u8> {
    let start = Timestamp(Nanos::from_secs(1_000).0 + Nanos::from_millis(u64::from(id)).0);
    encode::spans(&[Span {
        trace_id: TraceId([trace; 16]),
        span_id: SpanId([id; 8]),
        parent_id: parent.map(|id| SpanId([id; 8])),
        kind: Kind::SERVER,
        name: format!("span {id}").as_str().into(),
        start,
        end: start.plus(Nanos::from_millis(millis)),
        ..Span::default()
    }])
}

#[test]
fn walk_1_the_slow_statement_is_found_and_copied() {
    let mut live = Live::hospital();
    let all = live.state.list.rows.len();
    live.press("/ 'service=hmis-backend space 'minDuration=200ms enter");
    let found = live.state.list.rows.len();
    assert!(found > 0 && found < all, "{found} of {all}");
    live.press("enter g s");
    assert!(live.selected_label().contains("SELECT"), "{}", live.selected_label());
    live.press("y s");
    assert_eq!(live.copied.last(), Some(&live.selected_label()));
    assert_eq!(live.notice(), "copied: statement");
}

#[test]
fn walk_2_e_lands_on_what_failed_first() {
    let mut live = Live::hospital();
    live.press("/ 'error=true enter");
    assert!(!live.state.list.rows.is_empty());
    for row in live.state.list.rows.clone().iter() {
        assert!(live.reader.view().summary(row.trace).unwrap().errors > 0);
        assert!(row.matched > 0 && row.first.is_some());
    }
    live.press("enter g e");
    let trace = live.state.trace.as_ref().unwrap();
    let analysis = trace.analysis.as_ref().unwrap();
    assert_eq!(trace.selected, analysis.row_key(analysis.root_error.unwrap()));
    let detail = trace.detail.span.as_ref().unwrap();
    assert!(detail.span.status.code.0 == 2 || !detail.span.events.is_empty());
}

#[test]
fn opening_a_trace_on_its_only_match_says_nothing_of_the_last_match() {
    let mut live = Live::hospital();
    live.press("/ 'kind=server space 'minDuration=200ms enter enter");
    let trace = live.state.trace.as_ref().unwrap();
    assert_eq!(trace.selected, trace.analysis.as_ref().and_then(|analysis| analysis.row_key(analysis.roots[0])));
    assert!(!live.notice().contains("last match"), "{}", live.notice());
}

#[test]
fn every_recorded_trace_opens_jumps_and_folds() {
    let mut live = Live::hospital();
    live.press("g");
    let traces = live.state.list.rows.len();
    for _ in 0..traces.min(60) {
        live.press("enter e e s s n [ ] left right z Z G enter g d j j d / 'select enter n N esc esc");
        let trace = live.state.trace.as_ref().unwrap();
        assert!(trace.rows.iter().any(|row| Some(row.key) == trace.selected));
        live.press("1 j");
    }
}

#[test]
fn the_orders_of_the_list_hold() {
    let mut live = Live::hospital();
    for (keys, key) in [("s", SortKey::Duration), ("s", SortKey::Spans), ("s", SortKey::Errors), ("s", SortKey::Time)] {
        live.press(keys);
        assert_eq!(live.state.list.sort.key, key);
        let view = live.reader.view();
        let weights: Vec<u64> = live
            .state
            .list
            .rows
            .iter()
            .map(|row| {
                let summary = view.summary(row.trace).unwrap();
                match key {
                    SortKey::Time => summary.first_arrival.0,
                    SortKey::Start => summary.start.0,
                    SortKey::Duration => summary.duration().0,
                    SortKey::Spans => summary.spans.into(),
                    SortKey::Errors => summary.errors.into(),
                }
            })
            .collect();
        assert!(weights.is_sorted_by(|one, other| one >= other), "{key:?}");
        live.press("S");
        let turned: Vec<_> = live.state.list.rows.iter().rev().map(|row| row.trace).collect();
        live.press("S");
        let straight: Vec<_> = live.state.list.rows.iter().map(|row| row.trace).collect();
        assert_eq!(turned, straight, "{key:?}");
    }
}

#[test]
fn ticks_follow_the_index_and_rest_when_nothing_changes() {
    let mut live = Live::new();
    live.arrive(&one(1, 1, None, 10));
    live.arrive(&one(2, 1, None, 10));
    assert_eq!(live.state.list.selected, Some(TraceId([2; 16])));
    assert_eq!(live.kept, [TraceId([2; 16])]);
    assert_eq!(live.state.list.page.len(), 2);
    assert_eq!(live.state.list.preview.as_ref().unwrap().rows.len(), 1);
    // What came into sight is judged with the tick that follows.
    live.tick();
    let before = live.effects;
    live.tick();
    assert_eq!(live.effects, before);
    live.arrive(&one(2, 2, Some(1), 3));
    assert_eq!(live.state.list.preview.as_ref().unwrap().rows.len(), 2);
    assert_eq!(live.state.list.strip.requests.iter().sum::<u32>(), 2);
}

#[test]
fn an_open_trace_grows_under_the_reader_who_stays_where_he_is() {
    let mut live = Live::new();
    live.arrive(&one(1, 2, Some(1), 10));
    live.press("enter");
    assert_eq!(live.state.trace.as_ref().unwrap().rows.len(), 2);
    live.press("j");
    let selected = live.state.trace.as_ref().unwrap().selected;
    live.arrive(&one(1, 3, Some(2), 5));
    live.arrive(&one(1, 1, None, 50));
    let trace = live.state.trace.as_ref().unwrap();
    assert_eq!((trace.selected, trace.rows.len()), (selected, 3));
    let before = live.effects;
    live.tick();
    live.tick();
    assert_eq!(live.effects, before);
}

#[test]
fn a_paused_list_counts_what_waits() {
    let mut live = Live::new();
    live.arrive(&one(1, 1, None, 10));
    live.press("space");
    live.tick();
    for trace in 2..5 {
        live.arrive(&one(trace, 1, None, 10));
    }
    assert_eq!((live.state.list.rows.len(), live.state.list.waiting), (1, 3));
    live.press("space");
    assert_eq!((live.state.list.rows.len(), live.state.list.waiting), (4, 0));
}

#[test]
fn a_half_typed_filter_keeps_the_last_valid_result() {
    let mut live = Live::hospital();
    live.press("/ 'error=true space 'minDuration");
    let found = live.state.list.rows.len();
    live.press("'=");
    assert!(live.state.filter.error.is_some());
    assert_eq!(live.state.list.rows.len(), found);
    live.press("enter");
    assert!(live.state.filter.editing, "what is wrong is not applied");
    live.press("'1ms enter");
    assert!(!live.state.filter.editing && live.state.filter.error.is_none());
    live.press("esc");
    assert_eq!(live.notice(), "filter cleared");
    assert_eq!(live.state.list.rows.len(), usize::try_from(live.reader.view().stats().traces).unwrap());
}

#[test]
fn tab_accepts_a_proposal_of_the_index() {
    let mut live = Live::hospital();
    live.press("/ 'serv tab");
    assert_eq!(live.state.filter.text, "service=");
    live.press("'hmis tab");
    assert!(live.state.filter.text.starts_with("service=hmis-"), "{}", live.state.filter.text);
    live.press("enter");
    assert!(live.state.filter.error.is_none() && !live.state.list.rows.is_empty());
}

#[test]
fn secrets_are_not_proposed_as_values_unless_they_are_shown() {
    let mut live = Live::new();
    let attribute = |key: &str, value: &str| Attribute { key: key.into(), value: Value::Text(value.into()) };
    let attributes = vec![attribute("db.password", "hunter2"), attribute("peer", "card 4111111111111111")];
    let span = Span { trace_id: TraceId([1; 16]), span_id: SpanId([1; 8]), attributes, ..Span::default() };
    live.arrive(&encode::spans(&[span]));
    for typed in ["'db.password=", "'span.db.password=", "'\"db.password\"=", "'{.db.password=", "'peer="] {
        live.press("/ ctrl-u").press(typed);
        assert_eq!(live.state.filter.completions, [], "{typed}");
        live.press("esc u / ctrl-u").press(typed);
        assert_eq!(live.state.filter.completions.len(), 1, "{typed}");
        live.press("esc u");
    }
}

#[test]
fn secrets_of_a_recorded_insert_are_masked_in_detail_and_copy() {
    let mut live = Live::hospital();
    live.press("/ 'password enter enter g");
    let mut seen = 0;
    for _ in 0..40 {
        let trace = live.state.trace.as_ref().unwrap();
        if let Some(detail) = &trace.detail.span {
            let secret = detail.span.attributes.iter().find(|attribute| attribute.key.lossy().contains("password"));
            if let Some(secret) = secret.cloned() {
                let Value::Text(value) = secret.value else { panic!("{secret:?}") };
                live.press("y A");
                assert!(!live.copied.last().unwrap().contains(value.lossy().as_ref()));
                live.press("u y A u");
                assert!(live.copied.last().unwrap().contains(value.lossy().as_ref()));
                seen += 1;
            }
        }
        live.press("j");
    }
    assert!(seen > 0);
}

#[test]
fn a_followed_filter_takes_late_matches_in_and_lets_go_of_what_no_longer_matches() {
    let mut live = Live::new();
    let shown = |live: &Live| live.state.list.rows.iter().map(|row| row.trace.0[0]).collect::<Vec<_>>();
    live.arrive(&one(1, 1, None, 10));
    live.press("/ 'duration>100ms enter");
    assert_eq!(shown(&live), [0; 0]);
    live.arrive(&one(2, 1, None, 200));
    assert_eq!((shown(&live), live.state.list.selected), (vec![2], Some(TraceId([2; 16]))));
    assert!(live.state.list.strip.recent > 0.0);
    live.arrive(&one(1, 2, Some(1), 300));
    assert_eq!(shown(&live), [2, 1]);
    live.press("/ ctrl-u '-duration>100ms enter");
    live.arrive(&one(3, 1, None, 10));
    assert_eq!(shown(&live), [3]);
    live.arrive(&one(3, 2, Some(1), 500));
    assert_eq!(shown(&live), [0; 0]);
    live.press("/ ctrl-u 'duration>100ms enter space");
    assert_eq!(shown(&live), [3, 2, 1]);
    live.arrive(&one(4, 1, None, 10));
    live.arrive(&one(5, 1, None, 400));
    assert_eq!((shown(&live), live.state.list.waiting), (vec![3, 2, 1], 1));
    live.press("space");
    assert_eq!((shown(&live), live.state.list.waiting), (vec![5, 3, 2, 1], 0));
}

#[test]
fn an_attribute_of_a_recorded_span_becomes_a_filter_that_finds_its_trace() {
    let mut live = Live::hospital();
    live.press("/ 'kind=server enter enter d j j");
    let trace = live.state.trace.as_ref().unwrap().id;
    live.press("enter");
    assert!(live.notice().starts_with("filter: "), "{}", live.notice());
    let row = live.state.list.rows.iter().find(|row| row.trace == trace);
    assert!(row.is_some_and(|row| row.matched > 0), "{}", live.state.filter.text);
    live.press("2 -");
    let matched: u32 = live.state.list.rows.iter().map(|row| row.matched).sum();
    assert!(live.state.filter.text.starts_with("kind=server -"), "{}", live.state.filter.text);
    let all = live.press("esc / 'kind=server enter").state.list.rows.iter().map(|row| row.matched).sum();
    assert!(matched > 0 && matched < all, "{matched} of {all}");
    live.press("esc F 'http.method enter");
    let Some(app::Overlay::Values(table)) = &live.state.overlay else { panic!("no values") };
    let values = table.values.as_ref().unwrap();
    assert!(values.rows.iter().any(|row| row.value == "GET" && row.spans > 0), "{values:?}");
    live.press("enter");
    assert!(live.state.filter.text.contains("http.method="), "{}", live.state.filter.text);
}

/// Walk 3: the statements ranked, those of a filter, the calls of one, the span of a call.
#[test]
fn the_statements_of_recorded_requests_are_ranked_and_lead_to_their_spans() {
    let mut live = Live::hospital();
    live.press("3");
    let report = live.state.sql.report.clone().unwrap();
    let all: Vec<_> = report.rows.iter().map(|row| (&*row.system, &*row.text, row.calls)).collect();
    let shown =
        all.iter().map(|(system, text, calls)| format!("{calls} {system} {text}")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("live__statements", shown);
    assert!(report.rows.is_sorted_by(|one, other| one.total >= other.total));
    assert_eq!(report.calls, report.rows.iter().map(|row| row.calls).sum::<u64>());
    assert!(report.rows.iter().all(|row| row.examples.len() as u64 == row.calls.min(200)));
    let slowest = report.rows[0].examples[0].clone();
    live.press("enter enter");
    assert_eq!(live.state.trace.as_ref().map(|open| open.id), Some(slowest.trace));
    assert_eq!(live.state.trace.as_ref().and_then(|open| open.selected), Some(RowKey::Span(slowest.span)));
    // The span is told how it compares with the calls of its statement, and so is the root.
    let open = live.state.trace.clone().unwrap();
    let baseline = &open.baselines[&slowest.span];
    assert_eq!((baseline.of, baseline.faster), (report.rows[0].calls, report.rows[0].calls - 1));
    assert!(open.baselines.len() == 2 && open.baselines.values().all(|baseline| baseline.of >= 1));
    live.press("esc esc / 'duration<1ns enter");
    assert_eq!(live.state.sql.report.as_ref().map(|report| report.calls), Some(0));
    live.press("/ ctrl-u 'operation:SELECT* enter");
    let selects = live.state.sql.report.clone().unwrap();
    assert!(selects.calls > 0 && selects.calls <= report.calls);
}

#[test]
fn more_spans_of_a_trace_change_its_statements_and_other_traces_stay() {
    let mut live = Live::hospital();
    live.press("3");
    let before = live.state.sql.report.clone().unwrap();
    live.now = live.now.plus(Nanos::from_secs(10));
    live.arrive(&one(9, 1, None, 5));
    live.now = live.now.plus(Nanos::from_secs(10));
    live.tick();
    let after = live.state.sql.report.clone().unwrap();
    assert_eq!(before.calls, after.calls);
    assert_eq!(live.state.sql.progress.revision, live.reader.view().revision());
}

#[test]
fn what_was_copied_from_a_log_finds_its_trace() {
    let mut live = Live::hospital();
    let id = live.state.list.rows[0].trace;
    let parent = format!("00-{id}-c532cb4098ac3dd2-01");
    let amazon = id.to_string();
    let (time, rest) = amazon.split_at(8);
    for pasted in [
        format!("SELECT * FROM patients WHERE id = 5 /*traceparent='{parent}'*/"),
        format!("traceparent: {parent}"),
        parent.clone(),
        format!("X-Amzn-Trace-Id: Root=1-{time}-{rest};Sampled=1"),
        format!("1-{time}-{rest}"),
    ] {
        live.press("/ ctrl-u");
        let effects = app::input(&mut live.state, &live.keymap.clone(), &Input::Paste(pasted.clone()));
        live.carry_out(effects);
        live.press("enter");
        let found: Vec<_> = live.state.list.rows.iter().map(|row| row.trace).collect();
        assert_eq!(found, [id], "{pasted}");
    }
}
