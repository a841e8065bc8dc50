//! A frame of 200 × 60 with a trace of 100,000 spans open: from the state to the bytes for the terminal.

use std::sync::Arc;

use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tracefall::analysis::findings::{Held, judge_all};
use tracefall::analysis::{Thresholds, analyse};
use tracefall::app::{self, Answer, Effect, Input, Key, KeyPress, Keymap, Settings, State, work};
use tracefall::index::Reader;
use tracefall::model::{self, Kind, Nanos, SpanId, Timestamp, TraceId};
use tracefall::otlp::encode;
use tracefall::view::{self, Colours, Highlighter, Look};

use crate::clock::{self, Sample};
use crate::ours::Index;
use crate::report::{Goal, Report};

const SIZE: (u16, u16) = (200, 60);
const SPANS: u64 = 100_000;
const FRAMES: usize = 200;
/// Times that the trace is judged.
const ROUNDS: usize = 7;
const START: u64 = 1_800_000_000_000_000_000;

pub(crate) fn group(report: &mut Report) {
    let index = crowd();
    let mut show = Show::new(index.reader.clone());
    let before = clock::thread();
    show.open();
    let opened = (clock::thread() - before) as f64 / 1e6;
    report.row(("open_trace_ms_100k", "open a trace of 100,000 spans: read, judge, flatten", "ms"), opened, None);
    let view = index.reader.view();
    let trace = Arc::new(view.trace(TraceId([1; 16])).unwrap());
    let thresholds = Thresholds::default();
    let (mut analysed, mut judged, mut whole) = (Sample::default(), Sample::default(), Sample::default());
    for _ in 0..ROUNDS {
        let before = clock::thread();
        let analysis = analyse(Arc::clone(&trace), &thresholds);
        let between = clock::thread();
        std::hint::black_box(judge_all(&analysis, &thresholds, &Held { view: &view, trace: trace.id }));
        analysed.push((between - before) as f64 / 1e6);
        let after = clock::thread();
        judged.push((after - between) as f64 / 1e6);
        whole.push((after - before) as f64 / 1e6);
    }
    report.sample(("analyse_ms_100k", "tree, path and marks of 100,000 spans", "ms"), &analysed, None);
    report.sample(("findings_ms_100k", "all findings of 100,000 spans", "ms"), &judged, None);
    let goal = Some(Goal::at_most(100.0, 60.0));
    report.sample(("judged_ms_100k", "both: a trace of 100,000 spans is judged", "ms"), &whole, goal);
    let (mut still, mut moving, mut keys) = (Sample::default(), Sample::default(), Sample::default());
    for _ in 0..FRAMES {
        still.push(show.frame());
        keys.push(show.press(Key::Down));
        moving.push(show.frame());
    }
    let goal = Some(Goal::at_most(2.0, 0.5));
    report.sample(("frame_ms_100k", "frame at 200x60, a trace of 100,000 spans, scrolling", "ms"), &moving, goal);
    report.sample(("still_frame_ms_100k", "the same, nothing changed", "ms"), &still, None);
    report.sample(("key_ms_100k", "the key before it, with what it asks for", "ms"), &keys, None);
}

/// An index that holds one trace, of many spans in five services.
fn crowd() -> Index {
    let attribute =
        |key: &str, text: String| model::Attribute { key: key.into(), value: model::Value::Text(text.into()) };
    let span = |number: u64| model::Span {
        trace_id: TraceId([1; 16]),
        span_id: SpanId(number.to_be_bytes()),
        parent_id: (number > 1).then(|| SpanId((number / 7 + 1).to_be_bytes())).filter(|_| number != 2),
        kind: if number.is_multiple_of(3) { Kind::CLIENT } else { Kind::INTERNAL },
        name: format!("step {}", number % 50).as_str().into(),
        start: Timestamp(START + number * 1_000),
        end: Timestamp(START + number * 1_000 + 5_000 + number % 97 * 10_000),
        attributes: if number.is_multiple_of(3) {
            vec![
                attribute("db.system.name", "postgresql".to_owned()),
                attribute("db.query.text", format!("SELECT * FROM visits WHERE patient = {number}")),
            ]
        } else {
            vec![attribute("app.step", (number % 50).to_string())]
        },
        status: model::Status {
            code: if number.is_multiple_of(101) { model::StatusCode::ERROR } else { model::StatusCode::UNSET },
            ..model::Status::default()
        },
        resource: model::Resource {
            attributes: vec![attribute("service.name", format!("service-{}", number % 5))],
            ..model::Resource::default()
        }
        .into(),
        ..model::Span::default()
    };
    let spans: Vec<_> = (1..=SPANS).map(span).collect();
    let mut index = Index::new();
    spans.chunks(512).for_each(|chunk| index.insert(&encode::spans(chunk)));
    index.writer.publish();
    index
}

/// The program without its threads: keys go in, effects are carried out at once, frames come out as bytes.
struct Show {
    reader: Reader,
    state: State,
    keymap: Keymap,
    look: Look,
    desk: work::Desk,
    highlighter: Highlighter,
    shown: Buffer,
    next: Buffer,
}

impl Show {
    fn new(reader: Reader) -> Self {
        let area = Rect::new(0, 0, SIZE.0, SIZE.1);
        let mut state = State::new(Settings::default());
        state.now = Timestamp(START).plus(Nanos::from_secs(60));
        Self {
            reader,
            state,
            keymap: Keymap::default(),
            look: Look::new("dark", Colours::True, false, jiff::tz::TimeZone::UTC),
            desk: work::Desk::default(),
            highlighter: Highlighter::default(),
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
        }
    }

    /// Lists and opens the one trace.
    fn open(&mut self) {
        self.measure();
        let now = self.state.now;
        let effects = app::tick(&mut self.state, &self.reader.view(), now);
        self.carry_out(effects);
        self.press(Key::Enter);
        self.frame();
        let rows = self.state.trace.as_ref().map_or(0, |trace| trace.rows.len());
        assert!(rows > SPANS as usize / 2, "{rows} rows are open");
    }

    fn measure(&mut self) {
        self.state.viewport = view::viewport(&self.state, SIZE);
    }

    /// CPU time of a key, ms.
    fn press(&mut self, key: Key) -> f64 {
        let before = clock::thread();
        self.measure();
        let effects = app::input(&mut self.state, &self.keymap, &Input::Key(KeyPress::plain(key)));
        self.carry_out(effects);
        (clock::thread() - before) as f64 / 1e6
    }

    /// CPU time of a frame, ms.
    fn frame(&mut self) -> f64 {
        let before = clock::thread();
        self.measure();
        while app::refresh(&mut self.state, &self.reader.view()) {}
        self.next.reset();
        view::draw(&self.state, &self.look, self.next.area, &mut self.next);
        let changes = self.shown.diff(&self.next);
        let mut out = Vec::with_capacity(64 << 10);
        CrosstermBackend::new(&mut out).draw(changes.into_iter()).unwrap();
        std::hint::black_box(out);
        std::mem::swap(&mut self.shown, &mut self.next);
        (clock::thread() - before) as f64 / 1e6
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Some(answer) = self.work(&effect) {
                let effects = app::answer(&mut self.state, answer);
                self.carry_out(effects);
            }
        }
    }

    /// What the worker threads do.
    fn work(&mut self, effect: &Effect) -> Option<Answer> {
        let (view, thresholds) = (self.reader.view(), self.state.settings.thresholds);
        let means = work::Means {
            view: &view,
            now: self.state.now,
            thresholds: &thresholds,
            highlight: &|language, text, columns| self.highlighter.highlight(language, text, columns),
            cancelled: &|| false,
        };
        self.desk.work(effect, &means, &mut |_| ())
    }
}
