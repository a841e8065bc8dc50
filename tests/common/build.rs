//! Traces by hand.

use std::sync::Arc;

use tracefall::analysis::Thresholds;
use tracefall::analysis::findings::Evidence;
use tracefall::analysis::{Analysis, analyse, analyse_whole};
use tracefall::model::{
    Attribute, Category, Event, Kind, Nanos, Span, SpanId, SpanKey, StatusCode, Timestamp, Trace, TraceId, TraceSpan,
    Value,
};

/// 2026-11-21 14:02:11.480 UTC.
pub const START: Timestamp = Timestamp(1_795_269_731_480_000_000);

/// A trace that grows span by span.
pub struct Maker {
    pub trace: Trace,
    next: u64,
}

impl Maker {
    pub fn new(id: u8) -> Self {
        let trace = Trace { id: TraceId([id; 16]), last_arrival: START, ..Trace::default() };
        Self { trace, next: 1 }
    }

    /// Adds a span; times in microseconds after the start.
    pub fn span(&mut self, parent: Option<SpanId>, service: &str, label: &str, (from, long): (u64, u64)) -> SpanId {
        let id = SpanId((self.next + 0xa000_0000_0000_0000).to_be_bytes());
        self.next += 1;
        let category = if label.starts_with("redis") {
            Category::Database
        } else if ["SELECT", "INSERT", "UPDATE"].iter().any(|word| label.starts_with(word)) {
            Category::Sql
        } else if label.starts_with("GET ") || label.starts_with("POST ") {
            Category::Http
        } else {
            Category::Other
        };
        let start = START.plus(Nanos(from * 1000));
        self.trace.spans.push(TraceSpan {
            key: SpanKey { id, kind: Kind::INTERNAL },
            parent_id: parent,
            start,
            end: start.plus(Nanos(long * 1000)),
            service: service.into(),
            name: label.into(),
            label: label.into(),
            category,
            ..TraceSpan::default()
        });
        id
    }

    /// Changes the span added last.
    pub fn last(&mut self, change: impl FnOnce(&mut TraceSpan)) -> &mut Self {
        change(self.trace.spans.last_mut().expect("a span"));
        self
    }

    pub fn failed(&mut self) -> &mut Self {
        self.last(|span| {
            span.status = StatusCode::ERROR;
            span.exceptions = 1;
        })
    }

    pub fn remark(&mut self, remark: &str) -> &mut Self {
        self.last(|span| span.remark = remark.into())
    }

    /// The same, judged with what whole spans say; `tell` completes each.
    pub fn judged(mut self, adjusted: bool, tell: &dyn Fn(&mut Span)) -> Arc<Analysis> {
        self.trace.spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.key));
        Arc::new(analyse_whole(Arc::new(self.trace), &Thresholds::default(), adjusted, &Told(tell)))
    }

    pub fn analysis(mut self) -> Arc<Analysis> {
        self.trace.spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.key));
        Arc::new(analyse(Arc::new(self.trace), &Thresholds::default()))
    }
}

/// Evidence that is made up.
struct Told<'a>(&'a dyn Fn(&mut Span));

impl Evidence for Told<'_> {
    fn span(&self, key: SpanKey) -> Option<Span> {
        let mut span = Span { span_id: key.id, kind: key.kind, ..Span::default() };
        (self.0)(&mut span);
        Some(span)
    }

    fn sender(&self, _: TraceId, _: SpanId) -> Option<Span> {
        None
    }
}

/// An attribute with a text.
pub fn text(key: &str, value: &str) -> Attribute {
    Attribute { key: key.into(), value: Value::Text(value.into()) }
}

/// The request of 2.3 s whose statement takes 1.82 s.
pub fn patient() -> Arc<Analysis> {
    let mut make = Maker::new(1);
    let hmis = "hmis-backend";
    let root = make.span(None, hmis, "GET /api/v1/patients/{id}", (0, 2_310_000));
    make.remark("200");
    let auth = make.span(Some(root), hmis, "auth_middleware", (1_000, 12_000));
    make.span(Some(auth), hmis, "redis GET session:abc123", (2_000, 2_000));
    make.span(Some(root), hmis, "tenant_middleware", (14_000, 5_000));
    make.span(Some(root), hmis, "rate_limit_middleware", (20_000, 8_000));
    let service = make.span(Some(root), hmis, "PatientService.get_patient", (30_000, 1_850_000));
    make.span(Some(service), hmis, "redis GET patient:9999999", (31_000, 3_000));
    make.remark("miss");
    make.span(Some(service), hmis, "SELECT * FROM patients WHERE id = $1", (36_000, 1_820_000));
    make.span(Some(service), hmis, "redis SET patient:9999999", (1_856_000, 23_600));
    let insurance = make.span(Some(root), hmis, "InsuranceService.get_active_policies", (1_881_000, 320_000));
    let get = make.span(Some(insurance), "insurance", "GET /policies/{id}", (1_890_000, 309_000));
    make.remark("200");
    for n in 0..12 {
        let label = format!("SELECT plan FROM patient_insurance WHERE id = {n}");
        make.span(Some(get), "insurance", &label, (1_896_000 + n * 24_500, 24_200));
    }
    make.span(Some(root), hmis, "serialize_response", (2_203_000, 8_000));
    make.analysis()
}

/// Calls side by side, of which one is waited for; the first of them fails and says why.
pub fn beside() -> Arc<Analysis> {
    let mut make = Maker::new(6);
    let root = make.span(None, "checkout", "POST /orders", (0, 480_000));
    make.failed().remark("502");
    let quote = make.span(Some(root), "checkout", "quote", (4_000, 300_000));
    for (label, from, long) in
        [("GET stock", 6_000, 90_000), ("GET rates", 6_000, 280_000), ("GET taxes", 8_000, 40_000)]
    {
        make.span(Some(quote), "checkout", label, (from, long));
        make.last(|span| span.key.kind = Kind::CLIENT);
    }
    make.span(Some(root), "checkout", "INSERT INTO orders VALUES ($1, $2)", (306_000, 22_000));
    make.span(Some(root), "checkout", "redis SET cart:17", (330_000, 3_000));
    let pay = make.span(Some(root), "checkout", "POST https://pay.example/charge", (336_000, 130_000));
    make.failed().last(|span| span.key.kind = Kind::CLIENT).remark("500");
    make.span(Some(pay), "pay", "POST /charge", (340_000, 120_000));
    make.failed().last(|span| span.key.kind = Kind::SERVER).remark("500");
    let told = |span: &mut Span| {
        let said = [text("exception.type", "CardDeclined"), text("exception.message", "the issuer said no")];
        span.events.push(Event { name: "exception".into(), attributes: said.into(), ..Event::default() });
    };
    make.judged(false, &told)
}

/// A service whose clock is seven seconds ahead of its caller's.
pub fn clocks(adjusted: bool) -> Arc<Analysis> {
    let mut make = Maker::new(7);
    let root = make.span(None, "checkout", "POST /orders", (0, 200_000));
    let call = make.span(Some(root), "checkout", "POST /charge", (10_000, 150_000));
    make.last(|span| span.key.kind = Kind::CLIENT);
    let serve = make.span(Some(call), "pay", "charge", (7_020_000, 100_000));
    make.last(|span| span.key.kind = Kind::SERVER);
    make.span(Some(serve), "pay", "SELECT * FROM cards WHERE id = $1", (7_030_000, 60_000));
    make.judged(adjusted, &|_| ())
}

/// One query, then 47 more.
pub fn many_queries() -> Arc<Analysis> {
    let mut make = Maker::new(2);
    let hmis = "hmis-backend";
    let root = make.span(None, hmis, "GET /api/v1/patients", (0, 212_000));
    make.remark("200");
    let list = make.span(Some(root), hmis, "PatientService.list", (3_000, 164_000));
    make.span(Some(list), hmis, "SELECT * FROM patients LIMIT 47", (4_000, 18_000));
    for n in 0..47 {
        let label = format!("SELECT * FROM patient_insurance WHERE patient_id = {n}");
        make.span(Some(list), hmis, &label, (24_000 + n * 2_900, 2_400));
    }
    make.span(Some(root), hmis, "serialize_response", (168_000, 40_000));
    make.analysis()
}

/// A webhook that fails, and all above it.
pub fn errors() -> Arc<Analysis> {
    let mut make = Maker::new(3);
    let observer = "event-observer";
    let root = make.span(None, observer, "process_event order.created", (0, 141_000));
    make.failed();
    make.span(Some(root), observer, "condition amount > 100", (500, 700));
    let actions = make.span(Some(root), observer, "actions", (2_000, 136_000));
    make.failed();
    make.span(Some(actions), observer, "send e-mail", (2_500, 31_000));
    let hook = make.span(Some(actions), observer, "POST https://hooks.example.com/orders/{id}", (34_000, 103_000));
    make.failed().remark("503");
    make.span(Some(hook), "webhook-gateway", "POST /orders/{id}", (40_000, 88_000));
    make.failed().remark("503");
    make.span(Some(root), observer, "checkpoint", (139_000, 1_500));
    make.span(Some(SpanId([0xdd; 8])), observer, "late reply", (120_000, 15_000));
    make.analysis()
}

/// Names that try to harm the screen.
pub fn hostile() -> Arc<Analysis> {
    let mut make = Maker::new(4);
    let evil = "evil\u{1b}]0;owned\u{7}";
    let root = make.span(None, evil, "\u{1b}[2J\u{1b}[H GET /\u{202e}gpj.exe", (0, 90_000));
    make.span(Some(root), evil, "line\nbreak\ttab\rreturn\0nul", (100, 20_000));
    make.span(
        Some(root),
        "表表表表表表表表表表表表表",
        "データベースへの問い合わせ 検索 結果 一覧 表示",
        (21_000, 30_000),
    );
    make.span(Some(root), "zalgo", "Z\u{351}\u{36b}\u{343}a\u{328}\u{328}lgo 👩‍👩‍👧‍👦 family 🏳️‍🌈 flag", (52_000, 30_000));
    make.span(Some(root), "", "", (84_000, 1));
    let label = format!("SELECT '\u{9b}31m' FROM \"{}\"", "x".repeat(5_000));
    make.span(Some(root), "long", &label, (85_000, 4_000));
    make.remark("\u{1b}[0m\u{8}\u{8}");
    make.span(None, "broken", "ends before it starts", (500_000, 0));
    make.last(|span| span.end = START);
    make.analysis()
}

/// A chain deeper than any screen is wide.
pub fn deep() -> Arc<Analysis> {
    let mut make = Maker::new(5);
    let mut parent = None;
    for n in 0..60_u64 {
        parent =
            Some(make.span(parent, "recursive", &format!("level {n} of the recursion"), (n * 100, 20_000 - n * 200)));
    }
    make.analysis()
}

/// A hundred thousand spans in three levels.
pub fn huge() -> Arc<Analysis> {
    let mut make = Maker::new(6);
    let root = make.span(None, "batch", "nightly import", (0, 100_000_000));
    for batch in 0..1_000_u64 {
        let parent = make.span(Some(root), "batch", &format!("batch {batch}"), (batch * 100_000, 99_000));
        for row in 0..99_u64 {
            // Names differ, so that nothing is drawn as a group.
            let label = format!("row {}", ["a", "b", "c", "d"][(row % 4) as usize].repeat((row / 4 + 1) as usize));
            make.span(Some(parent), "batch", &label, (batch * 100_000 + row * 1_000, 900));
        }
    }
    make.analysis()
}

/// A hundred thousand spans as services write them: calls of several depths, statements, caches, errors.
pub fn busy() -> Arc<Analysis> {
    let mut make = Maker::new(7);
    let services = ["hmis-backend", "insurance", "recipe-api", "event-observer", "task-manager"];
    let root = make.span(None, "batch", "nightly import of everything", (0, 100_000_000));
    for call in 0..5_000_u64 {
        let (from, long) = (call * 20_000, 19_000 - call % 7 * 900);
        let service = services[(call % 5) as usize];
        let label = format!("POST /api/v1/import/{}/{call}", services[(call % 3) as usize]);
        let parent = make.span(Some(root), service, &label, (from, long));
        make.remark("201");
        let inner = make.span(Some(parent), service, &format!("Importer.run {call}"), (from + 300, long - 900));
        for n in 0..18_u64 {
            let (from, long) = (from + 400 + n * (long / 20), long / (21 + n % 5));
            let over = if n % 6 < 4 { inner } else { parent };
            match (call + n * n) % 6 {
                0 => make.span(Some(over), service, &format!("redis GET patient:{}", call * 31 + n), (from, long)),
                1 => make.span(Some(over), service, &format!("validate line {n}"), (from, long)),
                2 => make.span(Some(over), "insurance", &format!("GET /policies/{n}/of/{call}"), (from, long)),
                3 => make.span(Some(over), service, &format!("INSERT INTO t{n} VALUES ($1, $2, $3)"), (from, long)),
                4 => make.span(
                    Some(over),
                    service,
                    &format!("SELECT name, born FROM patients_{n} WHERE id = $1"),
                    (from, long),
                ),
                _ => make.span(Some(over), "event-observer", &format!("process_event order.created.{n}"), (from, long)),
            };
            if (call * 18 + n) % 401 == 0 {
                make.failed();
            }
        }
    }
    make.analysis()
}
