// An Express application that calls itself, instrumented by `@opentelemetry/auto-instrumentations-node/register`
// at its defaults (`npm start` says how). It ends by itself; the SDK flushes then.
//
// node:sqlite has no instrumentation, so its spans are made by hand, as the semantic conventions have them.
"use strict";

const { DatabaseSync } = require("node:sqlite");
const { SpanKind, SpanStatusCode, trace } = require("@opentelemetry/api");
const express = require("express");

const REQUESTS = 200;

const database = new DatabaseSync(":memory:");
database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)");
for (let id = 1; id < 10; id += 1) {
  database.prepare("INSERT INTO orders VALUES (?, ?)").run(id, `item ${id}`);
}

function query(statement, ...values) {
  const attributes = { "db.system.name": "sqlite", "db.query.text": statement };
  return trace.getTracer("orders").startActiveSpan("SELECT orders", { kind: SpanKind.CLIENT, attributes }, (span) => {
    try {
      return database.prepare(statement).all(...values);
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      throw error;
    } finally {
      span.end();
    }
  });
}

const app = express();
app.get("/orders/:id", (request, response) => {
  const [row] = query("SELECT id, item FROM orders WHERE id = ?", request.params.id);
  response.status(row ? 200 : 404).json(row ?? {});
});
// One statement that takes far longer than 100 ms wherever it runs.
app.get("/report", (_request, response) => {
  const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000)";
  response.json(query(`${numbers} SELECT max(i) AS max FROM n`));
});
app.get("/broken", (_request, response) => response.json(query("SELECT nothing FROM nowhere")));
app.use((_error, _request, response, _next) => response.status(500).end());

async function drive(origin) {
  const get = async (path) => {
    const response = await fetch(origin + path);
    await response.arrayBuffer();
    return response.status;
  };
  const statuses = [];
  for (let number = 0; number < REQUESTS; number += 1) {
    statuses.push(await get(`/orders/${number % 10}`));
  }
  statuses.push(await get("/report"), await get("/broken"));
  const missing = statuses.filter((status) => status === 404).length;
  if (missing !== REQUESTS / 10 || statuses.at(-2) !== 200 || statuses.at(-1) !== 500) {
    throw new Error(`unexpected answers: ${statuses}`);
  }
}

const server = app.listen(0, "127.0.0.1", async () => {
  await drive(`http://127.0.0.1:${server.address().port}`);
  server.close();
  server.closeAllConnections();
});
