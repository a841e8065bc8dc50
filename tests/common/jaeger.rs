//! How a real Jaeger is started: OTLP in, traces in memory, its two query interfaces.

use std::path::Path;

/// Where it listens on this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) otlp_grpc: u16,
    pub(crate) otlp_http: u16,
    pub(crate) query_grpc: u16,
    pub(crate) query_http: u16,
}

/// Writes its configuration to `file`. `batched`: spans are gathered before they are stored, as it does by default; otherwise what is
/// acknowledged can be read.
pub(crate) fn configure(file: &Path, ports: Ports, batched: bool) {
    let Ports { otlp_grpc, otlp_http, query_grpc, query_http } = ports;
    let processors = if batched { "batch" } else { "" };
    let config = format!(
        "service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [jaeger_storage_exporter]}}
  telemetry:
    metrics: {{level: none}}
    logs: {{level: error}}
extensions:
  jaeger_query:
    storage: {{traces: store}}
    grpc: {{endpoint: '127.0.0.1:{query_grpc}'}}
    http: {{endpoint: '127.0.0.1:{query_http}'}}
  jaeger_storage:
    backends: {{store: {{memory: {{max_traces: 10000000}}}}}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: '127.0.0.1:{otlp_grpc}', max_recv_msg_size_mib: 64}}
      http: {{endpoint: '127.0.0.1:{otlp_http}'}}
processors: {{batch: }}
exporters:
  jaeger_storage_exporter: {{trace_storage: store}}
"
    );
    std::fs::write(file, config).unwrap();
}
