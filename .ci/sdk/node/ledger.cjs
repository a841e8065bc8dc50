// Counts what the SDK's exporters report as delivered, and writes it to the file $SDK_CHECK_LEDGER at the end.
// Required before the SDK is set up; it changes nothing of what the SDK does.
"use strict";

const { writeFileSync } = require("node:fs");
const { SpanStatusCode } = require("@opentelemetry/api");

const SLOW_NANOS = 100_000_000n;
const traces = new Set();
const ended = { spans: 0, errors: 0, slow_sql: 0 };
const delivered = { spans: 0, logs: 0, metrics: 0 };
let failedExports = 0;

const nanos = ([seconds, rest]) => BigInt(seconds) * 1_000_000_000n + BigInt(rest);

function note(span) {
  const database = "db.system" in span.attributes || "db.system.name" in span.attributes;
  traces.add(span.spanContext().traceId);
  ended.spans += 1;
  ended.errors += span.status.code === SpanStatusCode.ERROR ? 1 : 0;
  ended.slow_sql += database && nanos(span.endTime) - nanos(span.startTime) > SLOW_NANOS ? 1 : 0;
}

function dataPoints(batch) {
  const metrics = batch.scopeMetrics.flatMap((scope) => scope.metrics);
  return metrics.reduce((total, metric) => total + metric.dataPoints.length, 0);
}

function watch(exporter, signal, count, seen = () => {}) {
  const send = exporter.prototype.export;
  exporter.prototype.export = function (batch, done) {
    seen(batch);
    return send.call(this, batch, (result) => {
      if (result.code === 0) {
        delivered[signal] += count(batch);
      } else {
        failedExports += 1;
      }
      done(result);
    });
  };
}

const length = (batch) => batch.length;
for (const encoding of ["http", "proto"]) {
  watch(require(`@opentelemetry/exporter-trace-otlp-${encoding}`).OTLPTraceExporter, "spans", length, (batch) => batch.forEach(note));
  watch(require(`@opentelemetry/exporter-logs-otlp-${encoding}`).OTLPLogExporter, "logs", length);
  watch(require(`@opentelemetry/exporter-metrics-otlp-${encoding}`).OTLPMetricExporter, "metrics", dataPoints);
}

process.on("exit", () => {
  const report = { ended: { ...ended, traces: traces.size }, delivered, failed_exports: failedExports };
  writeFileSync(process.env.SDK_CHECK_LEDGER, JSON.stringify(report));
});
