//! States of the program, as a person may find it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use tracefall::analysis::Thresholds;
use tracefall::analysis::findings::{Nothing, across, judge_all};
use tracefall::analysis::statements::{Example, Slower, Statement, Statements};
use tracefall::analysis::{Analysis, Folds, Row, RowKey, flatten};
use tracefall::app::{
    Calls, Cell, Formatted, Language, ListRow, Page, Preview, Progress, Screen, Settings, SpanDetail, State, Strip,
    Table, TraceScreen,
};
use tracefall::app::{FindingsOf, FindingsReport, Judged, Overlay};
use tracefall::model::{
    Asked, Attribute, Badges, Category, Dependency, Door, DoorState, Event, Health, Kind, LogRecord, Mishap, Names,
    Nanos, Progress as Search, RejectReason, Resource, Scope, SearchState, ServiceHealth, Signal, SourceHealth,
    SourceId, Span, SpanId, SpanKey, Standing, Status, StatusCode, Timestamp, TraceId, TraceSummary, Value,
};
use tracefall::query::Query;
use tracefall::view::{self, Highlighter};

use super::build::{START, text};

/// What it loads takes longer than all it does here.
static HIGHLIGHTER: LazyLock<Highlighter> = LazyLock::new(Highlighter::default);

pub const NOW: Timestamp = Timestamp(START.0 + 20_000_000_000);

fn door(port: u16, state: DoorState) -> Door {
    Door { address: SocketAddr::from(([127, 0, 0, 1], port)), state }
}

fn sources() -> Vec<SourceHealth> {
    let six = |port| Door { address: format!("[::1]:{port}").parse().expect("an address"), state: DoorState::Open };
    vec![
        SourceHealth {
            id: SourceId(0),
            name: "OTLP/gRPC".into(),
            doors: vec![door(4317, DoorState::Open), six(4317)],
            ..SourceHealth::default()
        },
        SourceHealth {
            id: SourceId(1),
            name: "OTLP/HTTP".into(),
            doors: vec![door(4318, DoorState::Open), six(4318)],
            ..SourceHealth::default()
        },
    ]
}

fn settings() -> Settings {
    let recipe = |language: &str, command: &str| (language.to_owned(), command.to_owned());
    Settings {
        arriving: Nanos::from_secs(5),
        recipes: vec![
            recipe("Python", "opentelemetry-instrument uvicorn app:app"),
            recipe("Node", "node --import @opentelemetry/auto-instrumentations-node/register app.js"),
            recipe("Java", "java -javaagent:opentelemetry-javaagent.jar -jar app.jar"),
            recipe(
                "other",
                "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            ),
            recipe("container", "docker run --network=host -e OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 …"),
        ],
        ..Settings::default()
    }
}

/// Before the first span.
pub fn empty() -> State {
    let mut state = State::new(settings());
    state.now = NOW;
    let mishap = Mishap {
        at: START,
        what: "POST / over HTTP/1.1 arrived at 4317 from 127.0.0.1:51260".into(),
        advice: "the path is missing: set the endpoint to http://localhost:4318/v1/traces".into(),
        count: 1,
    };
    state.health = Arc::new(Health {
        sources: sources(),
        mishaps: vec![mishap],
        memory_budget: 512 << 20,
        started: START,
        ..Health::default()
    });
    state
}

/// What a list says of a trace in the pictures.
fn summary(id: u8, seconds: u64, service: &str, label: &str, millis: u64) -> TraceSummary {
    let arrival = Timestamp(NOW.0 - seconds * 1_000_000_000);
    TraceSummary {
        id: TraceId([id; 16]),
        root_service: service.into(),
        root_label: label.into(),
        has_root: true,
        start: arrival,
        end: arrival.plus(Nanos::from_millis(millis)),
        first_arrival: arrival,
        last_arrival: Timestamp(NOW.0 - 60_000_000_000),
        spans: 5 + u32::from(id) * 7 % 40,
        services: 1,
        ..TraceSummary::default()
    }
}

fn summaries() -> Vec<TraceSummary> {
    let (hmis, web, tasks, events) = ("hmis-backend", "recipe-web", "task-manager", "event-observer");
    let error = |mut summary: TraceSummary, text: &str| {
        summary.errors = 1;
        summary.badges.error = Some(text.into());
        summary
    };
    let slow = |mut summary: TraceSummary, millis: u64| {
        let statement = "SELECT * FROM patients WHERE id = $1".into();
        summary.badges.longest_db = Some((Nanos::from_millis(millis), statement));
        summary
    };
    let many = |mut summary: TraceSummary, count: u32, label: &str| {
        summary.badges = Badges { repeated: Some((count, label.into())), ..Badges::default() };
        summary
    };
    let mut rows = vec![
        slow(summary(1, 2, hmis, "GET /api/v1/patients/{id}", 2_310), 1_820),
        many(summary(12, 3, web, "documentLoad /recipes", 812), 38, "SELECT name FROM authors WHERE id = ?"),
        summary(13, 4, hmis, "GET /api/v1/patients/{id}", 212),
        error(summary(3, 5, events, "process_event order.created", 141), "WebhookError: 503"),
        many(
            summary(2, 6, hmis, "GET /api/v1/patients", 212),
            47,
            "SELECT * FROM patient_insurance WHERE patient_id = ?",
        ),
        error(summary(14, 7, hmis, "GET /api/v1/patients/{id}", 31), "NotFoundError"),
        summary(15, 8, tasks, "POST /tasks", 48),
        summary(16, 9, tasks, "GET /tasks", 12),
        error(summary(17, 11, hmis, "POST /api/v1/patients", 36), "RuntimeError: billing is down"),
        slow(summary(18, 12, web, "click #search", 1_420), 1_210),
        summary(19, 13, hmis, "GET /api/v1/patients/{id}", 214),
        summary(20, 14, events, "process_event user.updated", 88),
        summary(21, 15, tasks, "GET /tasks/{id}", 9),
        summary(22, 17, hmis, "GET /api/v1/patients/{id}", 209),
    ];
    if let Some(last) = rows.last_mut() {
        last.last_arrival = NOW;
    }
    rows
}

/// The list with these traces, as much of it as fits looked up.
fn list(mut state: State, summaries: Vec<TraceSummary>, size: (u16, u16)) -> State {
    let row = |summary: &TraceSummary| ListRow { trace: summary.id, matched: 0, first: None };
    state.list.rows = Arc::new(summaries.iter().map(row).collect());
    state.list.selected = summaries.first().map(|summary| summary.id);
    state.viewport = view::viewport(&state, size);
    let rows = usize::from(state.viewport.list);
    let page = |(index, summary): (usize, TraceSummary)| Page {
        index,
        row: row(&summary),
        summary: Some(summary),
        first: None,
    };
    state.list.page = summaries.into_iter().enumerate().take(rows).map(page).collect();
    let buckets = usize::from(state.viewport.strip);
    let wave = |n: usize| u32::try_from((n * 7919 + n * n * 31) % 13).unwrap_or(0);
    state.list.strip = Strip {
        seconds: 10,
        requests: (0..buckets).map(|n| 2 + wave(n)).collect(),
        errors: (0..buckets).map(|n| u32::from(n % 11 == 3) + 2 * u32::from(n + 4 == buckets)).collect(),
        p95: (0..buckets).map(|n| 200_000_000 + u64::from(wave(n)) * 90_000_000 * (1 + n as u64 / 12)).collect(),
        recent: 1.2,
        rate: 12.4,
        error_share: 0.019,
        p95_all: 1_920_000_000,
        until: NOW,
        heat: None,
    };
    state
}

fn busy_health() -> Health {
    let mut sources = sources();
    for (source, accepted) in sources.iter_mut().zip([28_114, 3_793]) {
        source.accepted = BTreeMap::from([(Signal::Traces, accepted), (Signal::Logs, accepted / 7)]);
        source.spans_per_second = accepted / 90;
        source.last_arrival = Some(NOW);
    }
    sources[1].rejected = BTreeMap::from([(RejectReason::InvalidSpanId, 3), (RejectReason::BadRequest, 12)]);
    sources[1].doors[0].state =
        DoorState::Busy { holder: Some("otelcol (pid 4711)".into()), next_try: Nanos::from_secs(4) };
    let service = |spans: u64, errors: u64, slow_sql: u64| ServiceHealth {
        spans,
        traces: spans / 9,
        errors,
        slow_sql,
        logs: spans / 4,
        metrics: 0,
        last_arrival: Timestamp(NOW.0 - 1_500_000_000),
    };
    Health {
        sources,
        services: BTreeMap::from([
            ("event-observer".to_owned(), service(2_418, 31, 0)),
            ("hmis-backend".to_owned(), service(21_660, 44, 112)),
            ("insurance".to_owned(), service(3_120, 0, 0)),
            ("task-manager".to_owned(), service(4_709, 0, 0)),
        ]),
        memory_used: 195 << 20,
        memory_budget: 512 << 20,
        spans_held: 31_907,
        traces_held: 2_148,
        logs_held: 4_558,
        spans_per_second: 412,
        duplicates: 17,
        started: Timestamp(NOW.0 - 3_700_000_000_000),
        ..empty_health()
    }
}

fn empty_health() -> Health {
    (*empty().health).clone()
}

/// The list with what happens on a busy day, and a preview of the first trace.
pub fn traces(analysis: Arc<Analysis>, size: (u16, u16)) -> State {
    let mut state = empty();
    state.health = Arc::new(Health { sources: sources(), ..busy_health() });
    let mut state = list(state, summaries(), size);
    state.list.selected = Some(analysis.trace.id);
    let rows = Arc::new(flatten(&analysis, &Folds::default()));
    state.list.preview = Some(Preview { id: analysis.trace.id, last_arrival: START, analysis, rows });
    state
}

/// As many traces as fill a list several times over, and what the index says of each.
pub fn many_traces(analysis: Arc<Analysis>, size: (u16, u16)) -> (State, Vec<TraceSummary>) {
    let kinds = summaries();
    let one = |(n, kind): (u8, &TraceSummary)| {
        let arrival = Timestamp(NOW.0 - u64::from(n) * 1_700_000_000);
        let long = Nanos(kind.end.since(kind.start).0 + u64::from(n) * 13_000_000);
        TraceSummary {
            id: TraceId([n; 16]),
            start: arrival,
            end: arrival.plus(long),
            first_arrival: arrival,
            ..kind.clone()
        }
    };
    let summaries: Vec<_> = (100..200).zip(kinds.iter().cycle()).map(one).collect();
    let mut state = empty();
    state.health = Arc::new(Health { sources: sources(), ..busy_health() });
    let mut state = list(state, summaries.clone(), size);
    state.list.follow = false;
    let rows = Arc::new(flatten(&analysis, &Folds::default()));
    let id = TraceId([100; 16]);
    state.list.preview = Some(Preview { id, last_arrival: START, analysis, rows });
    (state, summaries)
}

/// Health on a busy day with one door taken.
pub fn health() -> State {
    let mut state = empty();
    state.health = Arc::new(busy_health());
    state.screen = Screen::Health;
    state
}

/// Sources of every kind: doors, one of them paused, servers that answer, do not yet and no longer, and the demo, which is over.
pub fn health_sources() -> State {
    let mut state = health();
    let mut health = (*state.health).clone();
    health.mishaps.clear();
    health.sources[1].doors[0].state = DoorState::Open;
    health.sources[1].paused = true;
    health.sources[1].rejected = BTreeMap::from([(RejectReason::Paused, 41)]);
    let remote = |name: &str, place: &str, standing: Standing| SourceHealth {
        name: name.into(),
        place: place.into(),
        standing,
        ..SourceHealth::default()
    };
    let before = |seconds: u64| Timestamp(NOW.0 - seconds * 1_000_000_000);
    let next_try = Some(Timestamp(NOW.0 + 7_400_000_000));
    let error = Standing::Error { error: "503 Service Unavailable: upstream is down".into(), next_try };
    health.sources.extend([
        SourceHealth {
            accepted: BTreeMap::from([(Signal::Traces, 1_204)]),
            latency: Some(Nanos::from_millis(84)),
            last_arrival: Some(before(3)),
            asked: Some(Arc::new(Asked {
                filter: "service=pay error=true".into(),
                there: vec![0],
                here: vec![1],
                limit: 100,
                limit_assumed: true,
                lookback: Some(Nanos::from_secs(3_600)),
                state: SearchState::Capped,
                ..Asked::default()
            })),
            notes: vec!["2 traces did not come: no answer within 30s".into()],
            names: Arc::new(Names {
                services: vec!["gateway".into(), "pay".into()],
                operations: vec!["POST /pay".into()],
                dependencies: vec![Dependency { parent: "gateway".into(), child: "pay".into(), calls: 12_345 }],
                ..Names::default()
            }),
            last_error: Some((before(600), "the answer took longer than 30 s".into())),
            ..remote("prod", "https://jaeger.example.com/prod/ui", Standing::Ok)
        },
        SourceHealth {
            accepted: BTreeMap::from([(Signal::Traces, 77)]),
            last_arrival: Some(before(91)),
            ..remote("staging", "http://staging:16686", error)
        },
        remote("tempo", "http://localhost:3200", Standing::Connecting),
        remote("demo", "", Standing::Ended),
    ]);
    for (id, source) in (0..).zip(&mut health.sources) {
        source.id = SourceId(id);
    }
    state.health = Arc::new(health);
    state.health_screen.selected = 3;
    state
}

/// The list where traces came from several sources.
pub fn traces_of_sources(analysis: Arc<Analysis>, size: (u16, u16)) -> State {
    let mut state = traces(analysis, size);
    state.health = health_sources().health;
    for (place, page) in state.list.page.iter_mut().enumerate() {
        if let Some(summary) = &mut page.summary {
            summary.source = SourceId([0, 2, 1, 3][place % 4]);
        }
    }
    state
}

/// What servers that are asked for `query` say of that, each with the parts that it applies itself.
pub fn asked_of(health: &Health, query: &Query, there: &[&[usize]], progress: (Search, SearchState)) -> Health {
    let mut health = health.clone();
    for (number, (source, own)) in health.sources.iter_mut().skip(3).zip(there).enumerate() {
        source.asked = Some(Arc::new(Asked {
            filter: query.text.clone(),
            there: own.to_vec(),
            here: (0..query.parts()).filter(|part| !own.contains(part)).collect(),
            limit: 500,
            progress: if number == 0 { progress.0 } else { Search::default() },
            state: if number == 0 { progress.1 } else { SearchState::Complete },
            ..Asked::default()
        }));
    }
    health
}

/// A trace opened, with the row that `choose` picks selected and its detail read.
pub fn trace(analysis: Arc<Analysis>, size: (u16, u16), choose: impl Fn(&Analysis, &Row) -> bool) -> State {
    let mut state = empty();
    state.health = Arc::new(Health { sources: sources(), ..busy_health() });
    state.screen = Screen::Trace;
    let rows = flatten(&analysis, &Folds::default());
    let chosen = rows.iter().find(|row| choose(&analysis, row)).or_else(|| rows.first()).cloned();
    let mut open = TraceScreen::new(analysis.trace.id);
    open.selected = chosen.as_ref().map(|row| row.key);
    open.rows = Arc::new(rows);
    open.last_arrival = START;
    open.analysis = Some(Arc::clone(&analysis));
    state.trace = Some(open);
    state.viewport = view::viewport(&state, size);
    let columns = state.viewport.detail_columns;
    if let (Some(row), Some(open)) = (chosen, state.trace.as_mut())
        && let RowKey::Span(_) = row.key
    {
        open.detail.span = Some(Arc::new(detail(&analysis, row.node, columns)));
    }
    state
}

const BODY: &str = r#"{"order":17,"items":[{"sku":"A-1","amount":2},{"sku":"B-9","amount":1}],"note":null}"#;

const STACK: &str = "Traceback (most recent call last):
  File \"observer/actions.py\", line 88, in run
    response.raise_for_status()
  File \"httpx/_models.py\", line 761, in raise_for_status
    raise HTTPStatusError(message)
WebhookError: 503 Service Unavailable";

/// The span at a node with what an instrumentation would have sent.
pub fn detail(analysis: &Analysis, node: u32, columns: u16) -> SpanDetail {
    let span = span(analysis, node);
    let database = span.attributes.iter().any(|own| own.key == *"db.statement");
    let label = &*analysis.span(node).expect("a span").label;
    let log = LogRecord {
        time: span.start.plus(Nanos::from_millis(1)),
        severity: 13,
        severity_text: "WARN".into(),
        body: Value::Text("query plan has no index for patients.id".into()),
        trace_id: analysis.trace.id,
        ..LogRecord::default()
    };
    let (key, language, code) =
        if database { ("db.statement", Language::Sql, label) } else { ("request.body", Language::Json, BODY) };
    let highlighted = vec![(key.to_owned(), HIGHLIGHTER.highlight(language, code, columns))];
    let mut cells: Vec<Cell> = database.then_some(Cell::Statement).into_iter().collect();
    cells.extend((0..span.attributes.len()).map(Cell::Attribute));
    cells.extend((0..span.events.len()).map(Cell::Event));
    cells.push(Cell::Log(0));
    cells.extend((0..span.resource.attributes.len()).map(Cell::Resource));
    SpanDetail { span, logs: vec![log], highlighted, cells }
}

fn span(analysis: &Analysis, node: u32) -> Span {
    let lean = analysis.span(node).expect("a span");
    let label = &*lean.label;
    let number = |key: &str, value: i64| Attribute { key: key.into(), value: Value::Int(value) };
    let attributes = if lean.category.is_database() {
        vec![
            text("db.system", "postgresql"),
            text("db.statement", label),
            text("db.name", "hmis"),
            text("net.peer.name", "10.0.0.5"),
            number("net.peer.port", 5432),
            text("patient.id", "9999999"),
            text("user.password", "hunter2-secret"),
        ]
    } else {
        vec![text("http.route", label), number("http.response.status_code", 503), text("request.body", BODY)]
    };
    let failed = lean.status == StatusCode::ERROR;
    let exception = Event {
        time: lean.end,
        name: "exception".into(),
        attributes: vec![
            text("exception.type", "WebhookError"),
            text("exception.message", "503 Service Unavailable from hooks.example.com"),
            text("exception.stacktrace", STACK),
        ],
        dropped_attributes: 0,
    };
    let message = if failed { "the webhook answered 503" } else { "" };
    let service = vec![text("service.name", &lean.service), text("telemetry.sdk.language", "python")];
    Span {
        trace_id: analysis.trace.id,
        span_id: lean.key.id,
        parent_id: lean.parent_id,
        name: (&*lean.name).into(),
        kind: lean.key.kind,
        start: lean.start,
        end: lean.end,
        attributes,
        events: failed.then_some(exception).into_iter().collect(),
        status: Status { code: lean.status, message: message.into() },
        resource: Arc::new(Resource { attributes: service, ..Resource::default() }),
        scope: Arc::new(Scope {
            name: "opentelemetry.instrumentation.sqlalchemy".into(),
            version: "0.48b0".into(),
            ..Scope::default()
        }),
        ..Span::default()
    }
}

/// The row whose label begins so.
pub fn labelled(start: &'static str) -> impl Fn(&Analysis, &Row) -> bool {
    move |analysis, row| analysis.span(row.node).is_some_and(|span| span.label.starts_with(start))
}

/// A statement of so many calls in so many traces, with total, median, 95th percentile and longest call in milliseconds.
fn statement(text: &str, (calls, traces): (u64, u64), [total, p50, p95, max]: [u64; 4]) -> Statement {
    let (system, category) = match text.split(' ').next() {
        Some("GET") => ("redis", Category::Database),
        Some("find") => ("mongodb", Category::Database),
        _ => ("postgresql", Category::Sql),
    };
    let text = if system == "redis" { format!("redis {text}") } else { text.to_owned() };
    let before = |call: u64| Timestamp(NOW.0 - 90_000_000_000 - call * 7_300_000_000);
    let example = |call: u64| Example {
        trace: TraceId([1 + u8::try_from(call).unwrap_or(0); 16]),
        span: SpanKey { id: SpanId([2 + u8::try_from(call).unwrap_or(0); 8]), kind: Kind::CLIENT },
        start: before(call),
        duration: Nanos::from_millis(max * (20 - call) / 20),
        failed: call == 3 && text.starts_with("INSERT INTO patients"),
        route: "GET /api/v1/patients/{id}".into(),
    };
    Statement {
        system: system.into(),
        category,
        services: vec![("hmis-backend".into(), calls)],
        calls,
        traces,
        total: Nanos::from_millis(total),
        p50: Nanos::from_millis(p50),
        p95: Nanos::from_millis(p95),
        max: Nanos::from_millis(max),
        over_time: (0..32).map(|at| (at % 9 != 4).then(|| Nanos::from_millis(p50 + 1 + at % 5))).collect(),
        callers: vec![("PatientService.get_patient".into(), calls)],
        routes: vec![("GET /api/v1/patients/{id}".into(), traces)],
        examples: (0..calls.min(18)).map(example).collect(),
        text: text.into(),
        ..Statement::default()
    }
}

fn usual_statements() -> Vec<Statement> {
    let slower = Slower {
        since: Timestamp(START.0 - 840_000_000_000),
        before: Nanos::from_millis(61),
        now: Nanos::from_millis(1_920),
    };
    let mut rows = vec![
        statement("SELECT * FROM patients WHERE id = ?", (412, 409), [23_100, 48, 1_920, 2_020]),
        statement("SELECT * FROM patient_insurance WHERE patient_id = ?", (1_932, 42), [5_400, 2, 4, 31]),
        statement(
            "SELECT r.id, r.title, a.name, r.body FROM recipes r JOIN authors a ON a.id = r.author_id LEFT JOIN pictures p ON p.recipe_id = r.id WHERE r.title ILIKE ? AND r.published = TRUE AND r.category IN (?) GROUP BY r.id, a.name HAVING count(p.id) > ? ORDER BY r.published_at DESC LIMIT ? OFFSET ?",
            (9, 9),
            [3_100, 311, 1_210, 1_211],
        ),
        statement("INSERT INTO tasks (title, due, owner) VALUES (?, ?, ?)", (204, 204), [2_200, 9, 22, 61]),
        statement("GET patient:?", (812, 427), [1_900, 1, 3, 12]),
        statement("SELECT name FROM authors WHERE id = ?", (640, 23), [1_200, 1, 3, 9]),
        statement("UPDATE sessions SET seen = ? WHERE id = ?", (88, 88), [700, 6, 14, 20]),
        statement("INSERT INTO patients (document_number, name) VALUES (?, ?)", (12, 12), [400, 31, 44, 44]),
        statement("find recipes {category: ?}", (9, 9), [200, 18, 26, 26]),
    ];
    rows[0].slower = Some(slower);
    rows[0].over_time =
        (0..32).map(|at| Some(Nanos::from_millis(if at < 20 { 48 + at % 6 } else { 900 + at * 30 }))).collect();
    rows[1].repeated = Some((41, 47));
    rows[1].callers.push(("PatientService.export".into(), 12));
    rows[5].repeated = Some((23, 38));
    rows[7].errors = 3;
    rows[3].rows = Some(204);
    rows
}

fn hostile_statements() -> Vec<Statement> {
    let mut rows = vec![
        statement(
            "SELECT \u{1b}[31m\u{7}\u{202e}evil\u{0} FROM \u{8868}\u{8868} WHERE \u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467} = ?",
            (1, 1),
            [0, 0, 0, 0],
        ),
        statement(
            &format!("INSERT INTO t VALUES ({})", vec!["?"; 900].join(", ")),
            (u64::MAX, 3),
            [99_999_999_999, 0, 99_999_999, 99_999_999],
        ),
        statement("", (7, 7), [1, 1, 1, 1]),
    ];
    rows[0].services = vec![("\u{9}\u{1b}]0;title\u{7}".into(), 1), ("b".into(), 1), ("c".into(), 1)];
    rows[0].callers = vec![("\n\n".into(), 1)];
    rows[0].routes = Vec::new();
    rows[0].over_time = vec![None; 32];
    rows[1].errors = u64::MAX;
    rows[1].repeated = Some((u64::MAX, u32::MAX));
    rows[1].rows = Some(u64::MAX);
    rows[1].examples[0].start = Timestamp(u64::MAX);
    rows[1].examples[1].duration = Nanos(u64::MAX);
    rows[2].examples.clear();
    rows[2].system = "".into();
    rows
}

/// The statements: none, as they usually are, or hostile ones; the one at `selected` is selected.
pub fn statements(kind: &str, selected: usize, size: (u16, u16)) -> State {
    let mut state = empty();
    let rows = match kind {
        "empty" => Vec::new(),
        "usual" => usual_statements(),
        _ => hostile_statements(),
    };
    if kind != "empty" {
        state.health = Arc::new(Health { sources: sources(), ..busy_health() });
    }
    state.screen = Screen::Sql;
    state.sql.progress = Progress { revision: 1, share: 1.0, stale: false, ..Progress::default() };
    let sum = |of: fn(&Statement) -> u64| rows.iter().map(of).fold(0, u64::saturating_add);
    let report = Statements {
        statements: rows.len() as u64,
        calls: sum(|row| row.calls),
        total: Nanos(sum(|row| row.total.0)),
        traces: rows.iter().map(|row| row.traces).max().unwrap_or(0),
        between: (Timestamp(START.0 - 3_600_000_000_000), START),
        rows: rows.into_iter().map(Arc::new).collect(),
    };
    state.sql.rows.clone_from(&report.rows);
    state.sql.keys = report.rows.iter().map(|row| row.key()).collect();
    state.sql.table.selected = state.sql.keys.get(selected).cloned();
    state.sql.report = Some(Arc::new(report));
    state.viewport = view::viewport(&state, size);
    if let Some(row) = state.sql.selected() {
        let lines = HIGHLIGHTER.highlight(Language::Sql, &row.text, state.viewport.statement_columns);
        state.sql.formatted = Some(Formatted { of: row.key(), lines });
    }
    state
}

/// The calls of the statement at `selected`, the fourth of them selected.
pub fn statement_calls(kind: &str, selected: usize, size: (u16, u16)) -> State {
    let mut state = statements(kind, selected, size);
    let row = Arc::clone(state.sql.selected().expect("a statement"));
    let keys: Vec<_> = row.examples.iter().map(|call| (call.trace, call.span)).collect();
    let table = Table { selected: keys.get(3).copied(), offset: 0 };
    state.sql.calls = Some(Calls { of: row.key(), keys, table });
    state
}

/// The findings pane: of an open trace, or of many.
pub fn findings(kind: &str, analysis: &Arc<Analysis>, size: (u16, u16)) -> State {
    let judge = |analysis: &Analysis| judge_all(analysis, &Thresholds::default(), &Nothing);
    let mut state = match kind {
        "trace" | "judging" => trace(Arc::clone(analysis), size, |_, _| true),
        _ => traces(Arc::clone(analysis), size),
    };
    let of = if matches!(kind, "trace" | "judging") { FindingsOf::Trace } else { FindingsOf::All };
    if let (Some(open), "trace") = (&mut state.trace, kind) {
        open.judged = Some(Arc::new(Judged::of(judge(analysis))));
    }
    if kind == "all" {
        let many =
            [super::build::many_queries(), super::build::errors(), super::build::patient(), Arc::clone(analysis)];
        let digests: Vec<_> = (0_u8..40)
            .filter_map(|n| {
                let analysis = &many[usize::from(n) % many.len()];
                Some((TraceId([n; 16]), across::digest(analysis, &Thresholds::default(), judge(analysis))?))
            })
            .collect();
        let (rows, all) =
            across::sum(digests.iter().map(|(id, digest)| (*id, digest)), across::Past::Whole, &Thresholds::default());
        state.findings.report = Some(Arc::new(FindingsReport::of(2_148, rows, all)));
        state.findings.progress.running = false;
    }
    if kind == "none" {
        state.findings.report = Some(Arc::default());
    }
    state.overlay = Some(Overlay::Findings(of));
    state.viewport = view::viewport(&state, size);
    let keys = state.finding_keys(of);
    state.findings.table.selected = keys.get(1).or_else(|| keys.first()).copied();
    state
}
