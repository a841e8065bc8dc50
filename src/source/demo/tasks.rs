//! The task manager: Node with PostgreSQL and a message queue, under the present attribute names.

use super::cast::Service::{TaskManager, TaskWorker};
use super::story::{By, Draft, Story, Teller, ms};
use crate::model::{Kind, SpanId};

const HTTP: By = (TaskManager, "@opentelemetry/instrumentation-http");
const EXPRESS: By = (TaskManager, "@opentelemetry/instrumentation-express");
const PG: By = (TaskManager, "@opentelemetry/instrumentation-pg");
const AMQP: By = (TaskManager, "@opentelemetry/instrumentation-amqplib");
const APP: By = (TaskManager, "tasks");
const WORKER_AMQP: By = (TaskWorker, "@opentelemetry/instrumentation-amqplib");
const WORKER: By = (TaskWorker, "tasks");

fn served(method: &str, route: &str, path: &str, (status, lasts): (i64, u64)) -> Draft {
    Draft::new(HTTP, &format!("{method} {route}"), Kind::SERVER, 0, lasts)
        .texts(&[("http.request.method", method), ("url.scheme", "http"), ("url.path", path)])
        .texts(&[("server.address", "localhost"), ("network.protocol.version", "1.1"), ("user_agent.original", "node")])
        .int("server.port", 3000)
        .int("http.response.status_code", status)
        .text("http.route", route)
}

fn express(kind: &str, name: &str, (from, lasts): (u64, u64)) -> Draft {
    let draft = Draft::new(EXPRESS, &format!("{kind} - {name}"), Kind::INTERNAL, from, lasts);
    draft.texts(&[("express.type", &kind.replace(' ', "_")), ("express.name", name)])
}

/// What stands before every handler, and the handler.
fn handled(tell: &mut Teller<'_>, root: SpanId, (from, lasts): (u64, u64)) -> SpanId {
    tell.child(root, express("middleware", "cors", (300, 200)));
    tell.child(root, express("middleware", "auth", (600, 1_400)));
    tell.child(root, express("request handler", "/tasks", (from, lasts)))
}

fn pg(statement: &str, rows: i64, from: u64, lasts: u64) -> Draft {
    let operation = statement.split(' ').next().unwrap_or_default();
    Draft::new(PG, &format!("pg.query:{operation} tasks"), Kind::CLIENT, from, lasts)
        .texts(&[("db.system.name", "postgresql"), ("db.namespace", "tasks"), ("db.query.text", statement)])
        .text("server.address", "10.0.0.6")
        .int("server.port", 5432)
        .int("db.response.returned_rows", rows)
}

fn message(draft: Draft, operation: &str) -> Draft {
    draft
        .texts(&[("messaging.system", "rabbitmq"), ("messaging.destination.name", "tasks.created")])
        .text("messaging.operation.type", operation)
}

/// The list: one statement.
pub(super) fn list(mut tell: Teller<'_>) -> Story {
    let root = tell.root(served("GET", "/tasks", "/tasks", (200, ms(12))));
    let handler = handled(&mut tell, root, (ms(2), ms(9)));
    tell.child(handler, pg("SELECT id, title, done, due FROM tasks WHERE owner = $1 ORDER BY due", 17, ms(3), ms(6)));
    tell.finish()
}

/// One task.
pub(super) fn one(mut tell: Teller<'_>) -> Story {
    let path = format!("/tasks/{}", tell.random.between(1, 900));
    let root = tell.root(served("GET", "/tasks/{id}", &path, (200, ms(9))));
    let handler = handled(&mut tell, root, (ms(2), ms(6)));
    tell.child(handler, pg("SELECT * FROM tasks WHERE id = $1", 1, ms(3), ms(4)));
    tell.finish()
}

/// A new task: stored, then announced on a queue. The worker takes it from there in a trace of its own, which links
/// back.
pub(super) fn create(mut tell: Teller<'_>) -> Story {
    let root = tell.root(served("POST", "/tasks", "/tasks", (201, ms(48))));
    let handler = handled(&mut tell, root, (ms(3), ms(44)));
    tell.child(handler, pg("BEGIN", 0, ms(4), ms(1)));
    tell.child(handler, pg("INSERT INTO tasks (title, owner, due) VALUES ($1, $2, $3) RETURNING id", 1, ms(6), ms(21)));
    tell.child(handler, pg("COMMIT", 0, ms(28), ms(9)));
    let id = tell.random.uuid();
    let send =
        Draft::new(AMQP, "publish tasks.created", Kind::PRODUCER, ms(39), ms(4)).text("messaging.message.id", id);
    let send = tell.child(handler, message(send, "send"));
    tell.log(root, APP, ms(44), (9, "task created"));
    let from = tell.context(send);
    tell.next_trace();
    let process = Draft::new(WORKER_AMQP, "process tasks.created", Kind::CONSUMER, ms(61), ms(35)).link(from);
    let process = tell.root(message(process, "process"));
    notify(&mut tell, process);
    tell.finish()
}

fn notify(tell: &mut Teller<'_>, process: SpanId) {
    let render =
        Draft::new(WORKER, "render template", Kind::INTERNAL, ms(63), ms(7)).text("template.name", "task-created");
    tell.child(process, render);
    let send = Draft::new(WORKER, "smtp send", Kind::CLIENT, ms(71), ms(22)).text("server.address", "mail.internal");
    tell.child(process, send.int("server.port", 25));
}
