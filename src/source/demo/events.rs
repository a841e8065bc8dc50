//! The event pipeline: Rust with `tracing-opentelemetry`, which sends numbers as text; a webhook's receiver joins the
//! trace.

use super::cast::Service::{EventObserver, RecipeApi, WebhookReceiver};
use super::cast::text;
use super::story::{By, Draft, Story, Teller, ms};
use crate::model::{Kind, SpanId, TraceId};

const OBSERVER: By = (EventObserver, "event_observer");
const RECEIVER: By = (WebhookReceiver, "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp");
const API_HTTP: By = (RecipeApi, "@opentelemetry/instrumentation-http");
const API_QUEUE: By = (RecipeApi, "recipe");

fn step(name: &str, from: u64, lasts: u64) -> Draft {
    Draft::new(OBSERVER, name, Kind::INTERNAL, from, lasts)
        .texts(&[("code.file.path", "src/pipeline.rs"), ("thread.name", "tokio-runtime-worker")])
        .text("busy_ns", (lasts * 700).to_string())
}

/// The trace in which a message is sent; what follows is told in another one. Gives the sending span.
fn sent(tell: &mut Teller<'_>, route: &str, queue: &str) -> (TraceId, SpanId) {
    let root = Draft::new(API_HTTP, &format!("POST {route}"), Kind::SERVER, 0, ms(24))
        .texts(&[("http.request.method", "POST"), ("url.scheme", "http"), ("url.path", route), ("http.route", route)])
        .int("http.response.status_code", 202);
    let root = tell.root(root);
    let id = tell.random.uuid();
    let send = Draft::new(API_QUEUE, &format!("{queue} publish"), Kind::PRODUCER, ms(15), ms(5))
        .texts(&[("messaging.system", "kafka"), ("messaging.destination.name", queue)])
        .texts(&[("messaging.operation.type", "send"), ("messaging.message.id", &id)]);
    let send = tell.child(root, send);
    let context = tell.context(send);
    tell.next_trace();
    context
}

fn processing(event: &str, queue: &str, lasts: u64, from: (TraceId, SpanId)) -> Draft {
    Draft::new(OBSERVER, &format!("process_event {event}"), Kind::CONSUMER, ms(30), lasts)
        .texts(&[("event.type", event), ("messaging.system", "kafka"), ("messaging.consumer.group.name", "observer")])
        .texts(&[("messaging.client.id", "observer-1"), ("source.queue", queue)])
        .link(from)
}

fn webhook_call(status: &str, from: u64, lasts: u64) -> Draft {
    Draft::new(OBSERVER, "POST", Kind::CLIENT, from, lasts)
        .texts(&[("http.request.method", "POST"), ("url.full", "http://hooks.internal:8301/hooks/orders")])
        .texts(&[("server.address", "hooks.internal"), ("server.port", "8301"), ("http.response.status_code", status)])
}

fn webhook_served(status: i64, from: u64, lasts: u64) -> Draft {
    Draft::new(RECEIVER, "POST /hooks/{kind}", Kind::SERVER, from, lasts)
        .texts(&[("http.request.method", "POST"), ("url.path", "/hooks/orders"), ("url.scheme", "http")])
        .int("server.port", 8301)
        .int("http.response.status_code", status)
}

/// An order whose webhook answers 503; tried once more, then given up.
pub(super) fn order_failing(mut tell: Teller<'_>) -> Story {
    let from = sent(&mut tell, "/api/orders", "orders");
    let root = tell.root(processing("order.created", "orders", ms(141), from));
    tell.child(root, step("evaluate_condition", ms(32), ms(3)).text("condition", "total > 100"));
    let message = "webhook answered 503 Service Unavailable";
    let action = step("action webhook", ms(36), ms(92)).text("exception.message", message);
    let stack = "event_observer::actions::webhook::deliver\n  at src/actions/webhook.rs:88\nevent_observer::pipeline::run\n  at src/pipeline.rs:141";
    let action = tell.child(root, action.exception("WebhookError", message, stack));
    for (at, lasts) in [(ms(38), ms(36)), (ms(84), ms(40))] {
        let call = tell.child(action, webhook_call("503", at, lasts));
        tell.child(call, webhook_served(503, at + ms(4), lasts - ms(8)));
    }
    tell.log(action, OBSERVER, ms(128), (17, message));
    tell.child(root, step("action slack", ms(130), ms(28)).text("channel", "#orders"));
    tell.child(root, step("checkpoint", ms(160), ms(9)).text("offset", "90210"));
    tell.finish()
}

/// An order that goes well.
pub(super) fn order(mut tell: Teller<'_>) -> Story {
    let from = sent(&mut tell, "/api/orders", "orders");
    let root = tell.root(processing("order.created", "orders", ms(96), from));
    tell.child(root, step("evaluate_condition", ms(32), ms(3)).text("condition", "total > 100"));
    let action = tell.child(root, step("action webhook", ms(36), ms(48)));
    let call = tell.child(action, webhook_call("200", ms(38), ms(44)));
    tell.child(call, webhook_served(200, ms(42), ms(36)));
    tell.child(root, step("action email", ms(86), ms(24)).text("template", "order-created"));
    tell.child(root, step("checkpoint", ms(114), ms(8)).text("offset", "90211"));
    tell.finish()
}

/// A change of a user: e-mail, Slack, and no webhook.
pub(super) fn user(mut tell: Teller<'_>) -> Story {
    let from = sent(&mut tell, "/api/users", "users");
    let root = tell.root(processing("user.updated", "users", ms(88), from));
    tell.child(root, step("evaluate_condition", ms(32), ms(2)).text("condition", "email changed"));
    let action = tell.child(root, step("action email", ms(36), ms(40)));
    tell.child(action, step("render template", ms(38), ms(6)));
    let smtp = Draft::new(OBSERVER, "smtp send", Kind::CLIENT, ms(46), ms(28)).text("server.address", "mail.internal");
    tell.child(action, smtp.event("queued", vec![text("smtp.id", "4bXJ1q0")]));
    tell.child(root, step("action slack", ms(78), ms(24)).text("channel", "#users"));
    tell.child(root, step("audit", ms(103), ms(3)));
    tell.child(root, step("checkpoint", ms(107), ms(9)).text("offset", "90212"));
    tell.finish()
}
