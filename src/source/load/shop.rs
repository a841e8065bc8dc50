//! The shop: which spans a request leaves behind.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::wire::Message;
use super::{Sent, Shape};
use crate::source::random::Random;

const SERVICES: [&str; 5] = ["gateway", "orders", "payments", "inventory", "notifications"];
const HOSTS: [&str; 5] = [
    "gateway.shop.svc.cluster.local",
    "orders.shop.svc.cluster.local",
    "payments.shop.svc.cluster.local",
    "inventory.shop.svc.cluster.local",
    "notifications.shop.svc.cluster.local",
];
const NOUNS: [&str; 12] = [
    "orders",
    "carts",
    "items",
    "payments",
    "refunds",
    "stock",
    "customers",
    "addresses",
    "prices",
    "coupons",
    "mails",
    "audits",
];
const STEPS: [&str; 8] = ["validate", "price", "reserve", "authorize", "render", "enrich", "deduplicate", "sign"];
const TOPICS: [&str; 4] = ["order.placed", "order.paid", "stock.low", "mail.queued"];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "python-requests/2.32.5",
    "okhttp/5.1.0",
    "Go-http-client/2.0",
];
const ERRORS: [&str; 3] = ["TimeoutError", "ValidationError", "java.lang.IllegalStateException"];

const HTTP: &str = "opentelemetry.instrumentation.http";
const SQL: &str = "opentelemetry.instrumentation.sqlalchemy";
const KAFKA: &str = "opentelemetry.instrumentation.kafka";
const APP: &str = "shop.app";

/// Makes traces.
#[derive(Clone, Debug)]
pub(super) struct Shop {
    shape: Shape,
    random: Random,
    /// Traces made so far.
    traces: u64,
    /// How often the names have turned over.
    generation: u64,
}

/// The trace that is being made.
struct Visit {
    trace: [u8; 16],
    /// Two exporters a service: which of them.
    replica: usize,
    sent: Vec<Sent>,
}

/// A span that is being made.
#[derive(Clone, Copy)]
struct Frame {
    service: usize,
    parent: u64,
    start: u64,
    length: u64,
}

/// What tells one sort of span from another.
struct Header<'a> {
    scope: &'static str,
    name: &'a str,
    kind: u64,
    failed: bool,
}

impl Shop {
    /// Two for each service.
    pub(super) const EXPORTERS: usize = SERVICES.len() * 2;

    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, random: Random::new(shape.seed), traces: 0, generation: 0 }
    }

    /// Whether it is time for new names; from here on they are used.
    pub(super) fn turn(&mut self) -> bool {
        let generation = self.traces.checked_div(self.shape.turnover).unwrap_or_default();
        std::mem::replace(&mut self.generation, generation) != generation
    }

    /// A name as it is called at this time.
    fn turned<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.generation == 0 { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}_{}", self.generation)) }
    }

    /// The resource of an exporter: 19 attributes.
    pub(super) fn resource(&self, exporter: usize) -> Vec<u8> {
        let mut resource = Message::default();
        let service = &*self.turned(SERVICES[exporter / 2]);
        let instance = format!("{service}-7d9c5b8f6d-{:05x}", exporter * 7919 + 4099);
        let attributes = [
            ("service.name", service),
            ("service.namespace", "shop"),
            ("service.version", "2026.11.3"),
            ("service.instance.id", &instance),
            ("deployment.environment.name", "staging"),
            ("telemetry.sdk.name", "opentelemetry"),
            ("telemetry.sdk.language", "java"),
            ("telemetry.sdk.version", "1.55.0"),
            ("host.name", "node-17.eu-central-1.compute.internal"),
            ("host.arch", "amd64"),
            ("os.type", "linux"),
            ("process.runtime.name", "OpenJDK Runtime Environment"),
            ("process.runtime.version", "21.0.8+9-LTS"),
            ("process.command", "/opt/app/app.jar"),
            ("container.id", "5a1f8e6b7c9d4032b1a0f9e8d7c6b5a45a1f8e6b7c9d4032b1a0f9e8d7c6b5a4"),
            ("k8s.namespace.name", "shop"),
            ("k8s.pod.name", &instance),
            ("k8s.deployment.name", service),
        ];
        for (key, text) in attributes {
            resource.text_attribute(1, key, text);
        }
        resource.int_attribute(1, "process.pid", 1);
        resource.finish()
    }

    /// All spans of the next trace.
    pub(super) fn trace(&mut self) -> Vec<Sent> {
        let mut trace = [0; 16];
        let (high, low) = trace.split_at_mut(8);
        high.copy_from_slice(&self.random.next().to_be_bytes());
        low.copy_from_slice(&(self.random.next() | 1).to_be_bytes());
        let mut visit = Visit { trace, replica: usize::from(self.random.percent(50)), sent: Vec::with_capacity(16) };
        let start = self.shape.start + self.traces * self.shape.step;
        self.traces += 1;
        let length = 2_000_000 + self.random.below(80_000_000) * (1 + self.random.below(8) / 7 * 20);
        self.serve(&mut visit, Frame { service: 0, parent: 0, start, length });
        visit.sent
    }

    /// A request as its server sees it, with all it causes.
    fn serve(&mut self, visit: &mut Visit, frame: Frame) {
        let noun = self.random.pick(&NOUNS);
        let noun = self.turned(noun);
        let method = self.random.pick(&["GET", "GET", "GET", "POST"]);
        let route = format!("/api/{noun}/{{id}}");
        let failed = self.random.percent(3);
        let (mut span, id) = self.begin(visit, frame);
        let path = format!("/api/{noun}/{}", self.random.below(100_000));
        self.texts(
            &mut span,
            &[
                ("http.request.method", method),
                ("url.path", &path),
                ("url.scheme", "http"),
                ("http.route", &route),
                ("server.address", HOSTS[frame.service]),
                ("network.protocol.version", "1.1"),
            ],
        );
        let client = format!("10.0.{}.{}", self.random.below(4), self.random.below(250));
        let agent = self.random.pick(&AGENTS);
        self.texts(&mut span, &[("client.address", &client), ("user_agent.original", agent)]);
        span.int_attribute(9, "http.response.status_code", if failed { 500 } else { 200 });
        span.int_attribute(9, "server.port", 8080);
        self.thread(&mut span);
        if failed {
            self.exception(&mut span, frame.start + frame.length / 2);
        }
        let header = Header { scope: HTTP, name: &format!("{method} {route}"), kind: 2, failed };
        Self::finish(visit, frame, span, &header);
        self.work(visit, Frame { parent: id, ..frame });
        if frame.service == 0 {
            for _ in 0..=self.random.below(2) {
                self.call(visit, Frame { parent: id, ..frame });
            }
        } else if self.random.percent(16) {
            self.publish(visit, Frame { parent: id, ..frame });
        }
    }

    /// What a service does itself: a step of its own and some statements.
    fn work(&mut self, visit: &mut Visit, within: Frame) {
        let step = self.random.pick(&STEPS);
        let step = &*self.turned(step);
        let frame = self.inside(within);
        let (mut span, id) = self.begin(visit, frame);
        let order = format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            self.random.below(1 << 32),
            self.random.below(1 << 16),
            self.random.below(1 << 12),
            self.random.below(1 << 12),
            self.random.below(1 << 48)
        );
        let user = format!("user-{}", self.random.below(5_000));
        let function = format!("shop.{}.{step}", SERVICES[frame.service]);
        self.texts(
            &mut span,
            &[
                ("app.user.id", &user),
                ("app.order.id", &order),
                ("app.tenant", "acme"),
                ("code.function.name", &function),
                ("app.step", step),
                ("code.file.path", "src/main/java/com/example/shop/checkout/CheckoutWorkflow.java"),
            ],
        );
        span.int_attribute(9, "app.attempt", self.random.below(3));
        span.int_attribute(9, "code.line.number", 10 + self.random.below(600));
        self.thread(&mut span);
        if self.random.percent(20) {
            let mut event = Message::default();
            event.fixed64(1, frame.start);
            event.text(2, "cache.miss");
            event.text_attribute(3, "cache.key", &user);
            span.bytes(11, &event.finish());
        }
        Self::finish(visit, frame, span, &Header { scope: APP, name: step, kind: 1, failed: false });
        for _ in 0..=u64::from(self.random.percent(40)) {
            self.statement(visit, Frame { parent: id, ..frame });
        }
    }

    /// A statement to the database.
    fn statement(&mut self, visit: &mut Visit, within: Frame) {
        let frame = self.inside(within);
        let noun = self.random.pick(&NOUNS[..6]);
        let noun = &*self.turned(noun);
        let operation = self.random.pick(&["SELECT", "SELECT", "INSERT", "UPDATE"]);
        let literal = if self.random.percent(30) { self.random.below(1_000_000).to_string() } else { "$1".to_owned() };
        let text = match operation {
            "INSERT" => format!("INSERT INTO {noun} (id, owner, state, created_at) VALUES ({literal}, $2, $3, now())"),
            "UPDATE" => format!("UPDATE {noun} SET state = $2, updated_at = now() WHERE id = {literal}"),
            _ => format!(
                "SELECT id, owner, state, created_at FROM {noun} WHERE id = {literal} ORDER BY created_at DESC LIMIT 50"
            ),
        };
        let (mut span, _) = self.begin(visit, frame);
        self.texts(
            &mut span,
            &[
                ("db.system.name", "postgresql"),
                ("db.namespace", "shop"),
                ("db.query.text", &text),
                ("db.operation.name", operation),
                ("db.collection.name", noun),
                ("server.address", "postgres-primary.shop.svc.cluster.local"),
            ],
        );
        span.int_attribute(9, "server.port", 5432);
        span.int_attribute(9, "db.response.returned_rows", self.random.below(20));
        self.thread(&mut span);
        let header = Header { scope: SQL, name: &format!("{operation} {noun}"), kind: 3, failed: false };
        Self::finish(visit, frame, span, &header);
    }

    /// A call to another service.
    fn call(&mut self, visit: &mut Visit, within: Frame) {
        let frame = self.inside(within);
        let callee = 1 + usize::try_from(self.random.below(3)).unwrap_or_default();
        let method = self.random.pick(&["GET", "POST"]);
        let (mut span, id) = self.begin(visit, frame);
        let noun = self.random.pick(&NOUNS);
        let noun = self.turned(noun);
        let url = format!("http://{}:8080/api/{noun}/{}", SERVICES[callee], self.random.below(100_000));
        self.texts(
            &mut span,
            &[
                ("http.request.method", method),
                ("url.full", &url),
                ("server.address", HOSTS[callee]),
                ("network.protocol.version", "1.1"),
                ("user_agent.original", AGENTS[0]),
            ],
        );
        span.int_attribute(9, "server.port", 8080);
        span.int_attribute(9, "http.response.status_code", 200);
        self.thread(&mut span);
        Self::finish(visit, frame, span, &Header { scope: HTTP, name: method, kind: 3, failed: false });
        let answer = self.inside(frame);
        self.serve(visit, Frame { service: callee, parent: id, ..answer });
    }

    /// A message and its receipt by another service, which links back.
    fn publish(&mut self, visit: &mut Visit, within: Frame) {
        let frame = self.inside(within);
        let topic = self.random.pick(&TOPICS);
        let (mut span, id) = self.begin(visit, frame);
        self.message(&mut span, topic, "send");
        let header = Header { scope: KAFKA, name: &format!("send {topic}"), kind: 4, failed: false };
        Self::finish(visit, frame, span, &header);
        let frame = Frame { service: 4, parent: id, start: frame.start + frame.length, length: frame.length / 2 };
        let (mut span, consumer) = self.begin(visit, frame);
        self.message(&mut span, topic, "process");
        let mut link = Message::default();
        link.bytes(1, &visit.trace);
        link.bytes(2, &id.to_be_bytes());
        span.bytes(13, &link.finish());
        let header = Header { scope: KAFKA, name: &format!("process {topic}"), kind: 5, failed: false };
        Self::finish(visit, frame, span, &header);
        self.statement(visit, Frame { parent: consumer, ..frame });
    }

    fn message(&mut self, span: &mut Message, topic: &str, operation: &str) {
        let id = format!("{:016x}", self.random.next());
        self.texts(
            span,
            &[
                ("messaging.system", "kafka"),
                ("messaging.destination.name", topic),
                ("messaging.operation.name", operation),
                ("messaging.message.id", &id),
                ("messaging.consumer.group.name", "shop-mailer"),
                ("server.address", "kafka-0.kafka.shop.svc.cluster.local"),
            ],
        );
        span.int_attribute(9, "messaging.kafka.offset", self.random.below(10_000_000_000));
        span.int_attribute(9, "messaging.destination.partition.id", self.random.below(12));
        self.thread(span);
    }

    fn thread(&mut self, span: &mut Message) {
        let number = self.random.below(64);
        span.int_attribute(9, "thread.id", 100 + number);
        self.texts(span, &[("thread.name", &format!("http-nio-8080-exec-{number}"))]);
    }

    fn texts(&mut self, span: &mut Message, attributes: &[(&str, &str)]) {
        for (key, text) in attributes {
            // The conventions' keys are what they are; an application's own may be anything.
            let key = if key.starts_with("app.") { self.turned(key) } else { Cow::Borrowed(*key) };
            let key = &*key;
            if self.shape.unique {
                span.text_attribute(9, key, &format!("{text}{:016x}", self.random.next()));
            } else {
                span.text_attribute(9, key, text);
            }
        }
    }

    fn exception(&mut self, span: &mut Message, at: u64) {
        let name = self.random.pick(&ERRORS);
        let mut stack = format!("{name}: the upstream did not answer\n");
        for _ in 0..14 + self.random.below(18) {
            let (noun, line) = (self.random.pick(&NOUNS), self.random.below(900));
            let _ = writeln!(stack, "\tat com.example.shop.{noun}.Handler.handle(Handler.java:{line})");
        }
        let mut event = Message::default();
        event.fixed64(1, at);
        event.text(2, "exception");
        event.text_attribute(3, "exception.type", name);
        event.text_attribute(3, "exception.message", "the upstream did not answer");
        event.text_attribute(3, "exception.stacktrace", &stack);
        span.bytes(11, &event.finish());
    }

    /// A part of the time of another span.
    fn inside(&mut self, outer: Frame) -> Frame {
        let length = 1 + self.random.below(outer.length.max(2) * 3 / 4);
        Frame { start: outer.start + self.random.below(outer.length - length.min(outer.length) + 1), length, ..outer }
    }

    fn begin(&mut self, visit: &Visit, frame: Frame) -> (Message, u64) {
        let id = self.random.next() | 1;
        let mut span = Message::default();
        span.bytes(1, &visit.trace);
        span.bytes(2, &id.to_be_bytes());
        if frame.parent != 0 {
            span.bytes(4, &frame.parent.to_be_bytes());
        }
        (span, id)
    }

    fn finish(visit: &mut Visit, frame: Frame, mut span: Message, header: &Header<'_>) {
        span.text(5, header.name);
        span.number(6, header.kind);
        span.fixed64(7, frame.start);
        span.fixed64(8, frame.start + frame.length);
        let mut status = Message::default();
        if header.failed {
            status.number(3, 2);
        }
        span.bytes(15, &status.finish());
        span.fixed32(16, 0x101);
        let exporter = frame.service * 2 + visit.replica;
        visit.sent.push(Sent { exporter, scope: header.scope, bytes: span.finish() });
    }
}
