//! More than the index can take in: a gate keeps it from taking anything, the queue fills up, and whoever comes then is told to
//! come again. The screen answers all the while, and in the end nothing is lost.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use std::{env, fs, thread};

use clap::Parser as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message as _;
use tempfile::TempDir;
use tonic::transport::Endpoint;
use tracefall::cli::Cli;
use tracefall::source::load::{Load, Shape};

use super::terminal::Terminal;
use super::{grpc_port, http_port};

/// Where the gate is, and where the summary goes: set for the process that [`the_program_whose_index_waits`] plays.
const GATE: &str = "TRACEFALL_TEST_GATE";
const SUMMARY: &str = "TRACEFALL_TEST_SUMMARY";
/// Exports over each door. The queue holds a quarter of 16 MiB, which is 16 bodies of about 253,000 bytes.
const EXPORTS: usize = 24;
const FIT: usize = 16;
const SPANS: usize = 512;
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Not a test by itself: the next test runs it in a terminal of its own, as a program whose index takes a delivery in only
/// when the other end of a connection says so, and without asking once that is closed.
#[test]
#[ignore = "waits for its gate; run by a_flood_is_told_to_come_again_and_loses_nothing"]
fn the_program_whose_index_waits() {
    let mut gate = Some(TcpStream::connect(env::var(GATE).unwrap()).unwrap());
    let wait = move || {
        let said = gate.as_mut().map(|stream| stream.read(&mut [0]));
        if !matches!(said, Some(Ok(1))) {
            gate = None;
        }
    };
    let summary = env::var(SUMMARY).unwrap();
    let line = "tracefall --grpc 127.0.0.1:0 --http 127.0.0.1:0 --memory 16MiB --max-body 1MiB --summary";
    let cli = Cli::try_parse_from(line.split(' ').chain([summary.as_str()])).unwrap();
    tracefall::run::run_gated(&cli, Box::new(wait)).unwrap();
}

/// What a sender has to tell.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// Come again, and after how long.
    Refused(&'static str, Option<String>),
    Taken,
}

/// Sends a body over HTTP until it is taken; a second time only once the gate is open.
fn post(door: SocketAddr, body: &[u8], open: &Barrier, told: &SyncSender<Told>) {
    let mut turn = 0;
    loop {
        let mut stream = TcpStream::connect(door).unwrap();
        let head =
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len()).unwrap();
        // The answer may come before all is written.
        let _ = stream.write_all(body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if answer.starts_with("HTTP/1.1 200 ") {
            told.send(Told::Taken).unwrap();
            break;
        }
        assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        if turn == 0 {
            let after =
                answer.lines().find_map(|line| line.to_lowercase().strip_prefix("retry-after: ").map(str::to_owned));
            told.send(Told::Refused("HTTP", after)).unwrap();
            open.wait();
        }
        turn += 1;
    }
    if turn == 0 {
        open.wait();
    }
}

/// As [`post`], over gRPC.
fn export(door: SocketAddr, body: &[u8], open: &Barrier, told: &SyncSender<Told>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let channel = Endpoint::from_shared(format!("http://{door}")).unwrap().connect_lazy();
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut turn = 0;
    loop {
        let mut client = TraceServiceClient::new(channel.clone());
        let Err(status) = runtime.block_on(client.export(request.clone())) else { break };
        assert_eq!(status.code(), tonic::Code::Unavailable, "{status}");
        if turn == 0 {
            let details = String::from_utf8_lossy(status.details()).into_owned();
            let after = details.contains("google.rpc.RetryInfo").then_some(details);
            told.send(Told::Refused("gRPC", after)).unwrap();
            open.wait();
        }
        turn += 1;
    }
    told.send(Told::Taken).unwrap();
    if turn == 0 {
        open.wait();
    }
}

/// Waits until so many senders at each door are told to come again.
fn wait_until_refused(told: &Receiver<Told>, count: usize) {
    let (mut grpc, mut http) = (0, 0);
    while grpc < count || http < count {
        match told.recv_timeout(PATIENCE).unwrap() {
            Told::Refused("gRPC", Some(_)) => grpc += 1,
            Told::Refused("HTTP", Some(after)) if after.trim() == "1" => http += 1,
            other => panic!("{other:?} while the index waits"),
        }
    }
}

#[test]
fn a_flood_is_told_to_come_again_and_loses_nothing() {
    let gate = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = TempDir::new().unwrap();
    let summary = home.path().join("summary.json");
    let program = env::current_exe().unwrap();
    let arguments = ["--exact", "overload::the_program_whose_index_waits", "--ignored", "--nocapture"];
    let address = gate.local_addr().unwrap().to_string();
    let variables = [(GATE, address.as_str()), (SUMMARY, summary.to_str().unwrap())];
    let mut terminal = Terminal::start(program.to_str().unwrap(), &arguments, &variables);
    let door = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let (grpc, http) = (door(grpc_port(&mut terminal)), door(http_port(&mut terminal)));
    let (gate, _) = gate.accept().unwrap();

    let (tell, told) = sync_channel(256);
    let open = Arc::new(Barrier::new(EXPORTS * 2 + 1));
    let bodies: Vec<_> = Load::new(Shape::default()).take(EXPORTS * 2).collect();
    let mut senders = Vec::new();
    for (number, body) in bodies.into_iter().enumerate() {
        let (open, tell) = (Arc::clone(&open), tell.clone());
        senders.push(thread::spawn(move || {
            if number % 2 == 0 { post(http, &body, &open, &tell) } else { export(grpc, &body, &open, &tell) }
        }));
    }
    wait_until_refused(&told, EXPORTS - FIT);

    // Nothing is taken in, and no more fits: the screen answers nevertheless.
    terminal.type_keys("?");
    terminal.wait_for_text("every one of them can be changed");
    terminal.type_keys("\u{1b}");
    terminal.wait_for("help to go", |screen| !screen.contents().contains("every one of them can be changed"));
    terminal.type_keys("8");
    terminal.wait_for_text("no room at the moment");
    terminal.type_keys("1");
    http_port(&mut terminal);

    drop(gate);
    thread::spawn(move || open.wait());
    for sender in senders {
        sender.join().unwrap();
    }
    drop(tell);
    assert_eq!(told.iter().filter(|told| *told == Told::Taken).count(), EXPORTS * 2);
    terminal.wait_for_text("gateway");
    terminal.type_keys("q");
    assert_eq!(terminal.wait_for_end(), 0);

    let left: serde_json::Value = serde_json::from_str(&fs::read_to_string(&summary).unwrap()).unwrap();
    let count = |path: &str| left.pointer(path).and_then(serde_json::Value::as_u64).unwrap();
    assert_eq!(count("/held/spans") + count("/evicted/spans"), (EXPORTS * 2 * SPANS) as u64, "{left}");
    assert_eq!(count("/duplicates"), 0);
    assert!(count("/rejected/overload") >= ((EXPORTS - FIT) * 2) as u64, "{left}");
}
