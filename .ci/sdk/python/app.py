"""A FastAPI and SQLAlchemy application that calls itself, for `opentelemetry-instrument` to watch.

    SDK_CHECK_LEDGER=ledger.json opentelemetry-instrument --service_name shop python app.py

Nothing here sets up OpenTelemetry: the distribution does, at its defaults. The only addition is the ledger: it counts
what ended in the application and what the exporters reported as delivered, so that the receiver's count can be held
against it.
"""

import json
import logging
import os
import threading

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk.trace import SpanProcessor
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

REQUESTS = 200
SLOW_NANOS = 100_000_000


class Ledger(SpanProcessor):
    """Counts spans as they end, and telemetry as an exporter delivers it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.traces = set()
        self.ended = {"spans": 0, "errors": 0, "slow_sql": 0}
        self.delivered = {"spans": 0, "logs": 0, "metrics": 0}
        self.failed_exports = 0

    def on_end(self, span):
        database = "db.system" in span.attributes or "db.system.name" in span.attributes
        with self.lock:
            self.traces.add(span.context.trace_id)
            self.ended["spans"] += 1
            self.ended["errors"] += not span.status.is_ok and not span.status.is_unset
            self.ended["slow_sql"] += database and span.end_time - span.start_time > SLOW_NANOS

    def watch(self, exporter, signal, count):
        """Wraps `export` of an exporter class: what it reports as a success is delivered."""
        export = exporter.export

        def watched(this, batch, *args, **kwargs):
            result = export(this, batch, *args, **kwargs)
            with self.lock:
                if result.name == "SUCCESS":
                    self.delivered[signal] += count(batch)
                else:
                    self.failed_exports += 1
            return result

        exporter.export = watched

    def write(self, path):
        with self.lock:
            report = {
                "ended": {**self.ended, "traces": len(self.traces)},
                "delivered": self.delivered,
                "failed_exports": self.failed_exports,
            }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(report, file)


def data_points(batch):
    return sum(
        len(metric.data.data_points)
        for resource in batch.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )


def exporters():
    """The exporter classes of the protocol in force: the distribution's default is gRPC."""
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return (OTLPSpanExporter, "spans", len), (OTLPLogExporter, "logs", len), (OTLPMetricExporter, "metrics", data_points)


engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
app = FastAPI()
log = logging.getLogger("shop")


@app.get("/orders/{order}")
def order(order: int):
    with engine.connect() as database:
        row = database.execute(text("SELECT id, item FROM orders WHERE id = :id"), {"id": order}).first()
    if row is None:
        log.warning("order %d is not there", order)
        raise HTTPException(404)
    return {"id": row.id, "item": row.item}


@app.get("/report")
def report():
    """One statement that takes far longer than 100 ms wherever it runs: it counts until it has."""
    statement = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000) SELECT max(i) FROM n")
    with engine.connect() as database:
        return {"max": database.execute(statement).scalar()}


@app.get("/broken")
def broken():
    with engine.connect() as database:
        return database.execute(text("SELECT nothing FROM nowhere")).all()


def drive(port):
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        statuses = [client.get(f"/orders/{number % 10}").status_code for number in range(REQUESTS)]
        statuses += [client.get("/report", timeout=60).status_code, client.get("/broken").status_code]
    assert statuses.count(404) == REQUESTS // 10 and statuses[-2:] == [200, 500], statuses


def main():
    # As an application would: so the SDK's own complaints reach stderr, where the check looks for them.
    logging.basicConfig(level=logging.WARNING)

    ledger = Ledger()
    trace.get_tracer_provider().add_span_processor(ledger)
    for exporter, signal, count in exporters():
        ledger.watch(exporter, signal, count)

    with engine.begin() as database:
        database.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)"))
        rows = [{"id": number, "item": f"item {number}"} for number in range(1, 10)]
        database.execute(text("INSERT INTO orders VALUES (:id, :item)"), rows)

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    socket = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        drive(socket.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()

    for provider in (trace.get_tracer_provider(), metrics.get_meter_provider(), _logs.get_logger_provider()):
        provider.shutdown()
    ledger.write(os.environ["SDK_CHECK_LEDGER"])


main()
