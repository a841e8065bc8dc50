//! `tracefall listen` beside a running Jaeger that keeps traces in memory: real spans over gRPC, repeated with fresh
//! ids. CPU time of the whole server and growth of its resident memory, a span.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tempfile::TempDir;

use crate::clock::{self, Sample};
use crate::real_jaeger::{Ports, configure};
use crate::report::{Goal, Report};
use crate::terminal::free_ports;
use crate::transport::{Way, send};

/// How often the recorded exports are sent: to warm up, and then to be measured.
const WARM: u64 = 20;
const REPEATED: u64 = 300;
const ROUNDS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(30);

/// Spans recorded from two services under load, in frames: four bytes of length, then an export.
const RECORDED: &str = "tests/fixtures/hmis-python-grpc.otlp.pb";

pub(crate) fn group(report: &mut Report, jaeger: Option<&str>) {
    let rows = [
        ("jaeger_cpu_vs_ours", "server CPU a span against Jaeger in memory, real spans"),
        ("jaeger_memory_vs_ours", "resident memory a span against it, times less"),
    ];
    let Some(jaeger) = jaeger else {
        for row in rows {
            report.skipped(row, "no Jaeger; see .ci/jaeger/build.sh and --jaeger");
        }
        return;
    };
    let exports = recorded();
    let load = [repeated(&exports, 0..WARM), repeated(&exports, WARM..WARM + REPEATED)];
    let spans: usize = exports.iter().map(|export| spans_of(export).count()).sum();
    let measured = spans as f64 * REPEATED as f64;
    let (mut ours, mut theirs): ([Sample; 2], [Sample; 2]) = Default::default();
    for _ in 0..ROUNDS {
        for (start, samples) in [(&(start_ours as fn(&str) -> Server), &mut ours), (&(start_jaeger as _), &mut theirs)]
        {
            let (cpu, memory) = start(jaeger).spend(&load);
            samples[0].push(cpu / measured);
            samples[1].push(memory / measured);
        }
    }
    let spent = format!("tracefall listen, CPU a span ({measured} spans)");
    report.sample(("listen_cpu_ns", &spent, "ns"), &ours[0], None);
    report.sample(("listen_bytes_per_span", "tracefall listen, growth of resident memory a span", "B"), &ours[1], None);
    report.sample(("jaeger_cpu_ns", "Jaeger, CPU a span", "ns"), &theirs[0], None);
    report.sample(("jaeger_bytes_per_span", "Jaeger, growth of resident memory a span", "B"), &theirs[1], None);
    report.ratio(rows[0], &theirs[0], &ours[0], Some(Goal::at_least(7.0, 10.0)));
    report.ratio(rows[1], &theirs[1], &ours[1], Some(Goal::at_least(10.0, 20.0)));
}

fn recorded() -> Vec<ExportTraceServiceRequest> {
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDED)).unwrap();
    let mut rest = &bytes[..];
    let mut exports = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (body, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        exports.push(ExportTraceServiceRequest::decode(body).unwrap());
        rest = after;
    }
    exports
}

fn spans_of(export: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    export.resource_spans.iter().flat_map(|group| &group.scope_spans).flat_map(|scope| &scope.spans)
}

/// The exports over and over, each time with other ids, ready to be sent.
fn repeated(exports: &[ExportTraceServiceRequest], times: std::ops::Range<u64>) -> Vec<Bytes> {
    let all = times.flat_map(|time| exports.iter().map(move |export| (time + 1, export)));
    all.map(|(time, export)| {
        let mut export = export.clone();
        let scopes = export.resource_spans.iter_mut().flat_map(|group| &mut group.scope_spans);
        for span in scopes.flat_map(|scope| &mut scope.spans) {
            let ids = [&mut span.trace_id, &mut span.span_id, &mut span.parent_span_id].into_iter();
            ids.chain(span.links.iter_mut().flat_map(|link| [&mut link.trace_id, &mut link.span_id]))
                .for_each(|id| change(id, time));
        }
        Way::Grpc.encode(&export.encode_to_vec())
    })
    .collect()
}

/// Another id for each time; an absent one stays absent.
fn change(id: &mut [u8], time: u64) {
    // An odd factor: no two numbers give the same bits, and the ids stay as spread as they were.
    let bits = time.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    id.iter_mut().rev().zip(bits.iter().rev()).for_each(|(byte, bits)| *byte ^= bits);
}

/// A server under test. It is killed when this is dropped.
struct Server {
    child: Child,
    grpc: SocketAddr,
    _home: TempDir,
}

fn start_ours(_: &str) -> Server {
    let [grpc, http] = free_ports();
    let home = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracefall"));
    command.args(["--grpc", &format!("127.0.0.1:{grpc}"), "--http", &format!("127.0.0.1:{http}")]);
    command.args(["--memory", "4GiB", "listen", "--json"]);
    Server::start(command, home, grpc)
}

/// Its own all-in-one configuration as far as OTLP and the store go, on free ports, with room for all that is sent.
fn start_jaeger(program: &str) -> Server {
    let ([grpc, http], [query_grpc, query_http]) = (free_ports(), free_ports());
    let home = TempDir::new().unwrap();
    let file = home.path().join("jaeger.yaml");
    let ports = Ports { otlp_grpc: grpc, otlp_http: http, query_grpc, query_http };
    configure(&file, ports, true);
    let mut command = Command::new(program);
    command.arg("--config").arg(file);
    Server::start(command, home, grpc)
}

impl Server {
    /// Starts it, with a home of its own, and waits until it listens.
    fn start(mut command: Command, home: TempDir, port: u16) -> Self {
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]
        {
            command.env(name, home.path());
        }
        let words = home.path().join("stderr");
        let child = command.stdout(Stdio::null()).stderr(fs::File::create(&words).unwrap()).spawn().unwrap();
        let mut server = Self { child, grpc: (Ipv4Addr::LOCALHOST, port).into(), _home: home };
        let begun = clock::now();
        while TcpStream::connect(server.grpc).is_err() {
            thread::sleep(Duration::from_millis(10));
            let waits = begun.elapsed() < PATIENCE && server.child.try_wait().unwrap().is_none();
            assert!(waits, "{command:?} never listened: {}", fs::read_to_string(words).unwrap());
        }
        server
    }

    /// CPU time (ns) and growth of resident memory (bytes) for the second part of the load.
    fn spend(&self, [warm, measured]: &[Vec<Bytes>; 2]) -> (f64, f64) {
        let pid = self.child.id();
        let resident = || clock::resident(&pid.to_string()) as f64;
        send(Way::Grpc, self.grpc, warm);
        self.rest();
        let (cpu, memory) = (clock::of_process(pid), resident());
        send(Way::Grpc, self.grpc, measured);
        self.rest();
        ((clock::of_process(pid) - cpu) as f64, resident() - memory)
    }

    /// Waits until it does nothing more for a while: what was acknowledged may still be on its way to the store.
    fn rest(&self) {
        let begun = clock::now();
        let mut before = clock::of_process(self.child.id());
        while begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(500));
            let now = clock::of_process(self.child.id());
            if now == before {
                return;
            }
            before = now;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
