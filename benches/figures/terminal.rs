//! The built program in a terminal: how soon it is there, and how many bytes it writes.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::json;
use tempfile::TempDir;
use tracefall::model::{self, SpanId, TraceId};
use tracefall::otlp::encode;

use crate::report::{Goal, Report};
use crate::{child, clock};

const STARTS: usize = 9;
const STEPS: usize = 15;
/// No output for so long: the program has said what it had to say.
const QUIET: Duration = Duration::from_millis(150);
/// Nothing is written for so long, though clocks and rates go on.
const IDLE: Duration = Duration::from_millis(2_500);
const PATIENCE: Duration = Duration::from_secs(30);
/// The end of a frame: DEC mode 2026 is left.
const FRAME_END: &[u8] = b"\x1b[?2026l";

pub(crate) fn group(report: &mut Report) {
    let found = child::run(&["terminal"]);
    let sample = |key| child::sample(&found, key);
    let goal = Some(Goal::at_most(100.0, 50.0));
    report.sample(("first_frame_ms", "first frame after the start, as time passes", "ms"), &sample("frames"), goal);
    report.sample(("listening_ms", "listening after the start, as time passes", "ms"), &sample("doors"), goal);
    let goal = Some(Goal::at_most(0.0, 0.0));
    report.row(("idle_bytes", "bytes to the terminal: idle", "B"), child::figure(&found, "idle"), goal);
    let goal = Some(Goal::at_most(2_048.0, 800.0));
    report.sample(("move_bytes", "bytes to the terminal: move one row", "B"), &sample("moved"), goal);
    let goal = Some(Goal::at_most(11.0 * 1_024.0, 1_000.0));
    report.sample(("scroll_bytes", "bytes to the terminal: scroll one row", "B"), &sample("scrolled"), goal);
}

/// What the child does. It is one because a large process takes long to start another.
pub(crate) fn child() {
    let (frames, doors): (Vec<f64>, Vec<f64>) = (0..STARTS).map(|_| start()).unzip();
    let ports = free_ports();
    let mut terminal = Terminal::start(ports);
    terminal.first_frame();
    send(ports[1]);
    terminal.until("GET /visits");
    // New traces and the preview come with the next looks at the index.
    terminal.drain(IDLE);
    terminal.press("\r");
    terminal.until("number 1");
    terminal.drain(IDLE);
    let idle = terminal.drain(IDLE);
    let moved: Vec<usize> = (0..STEPS).map(|_| terminal.press("j")).collect();
    // Past the last row in sight: from here on each step scrolls by one.
    for _ in 0..60 {
        terminal.press("j");
    }
    let scrolled: Vec<usize> = (0..STEPS).map(|_| terminal.scroll("j")).collect();
    let found = json!({"frames": frames, "doors": doors, "idle": idle, "moved": moved, "scrolled": scrolled});
    println!("{found}");
}

/// Starts the program; milliseconds until its first frame is written, and until it accepts a connection.
fn start() -> (f64, f64) {
    let ports = free_ports();
    let begun = clock::now();
    let knock = thread::spawn(move || {
        while TcpStream::connect((Ipv4Addr::LOCALHOST, ports[0])).is_err() {
            thread::sleep(Duration::from_micros(200));
            assert!(begun.elapsed() < PATIENCE, "it never listens");
        }
        begun.elapsed()
    });
    let mut terminal = Terminal::start(ports);
    let frame = terminal.first_frame().duration_since(begun);
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    (millis(frame), millis(knock.join().unwrap()))
}

/// Two ports that nobody holds at the moment.
pub(crate) fn free_ports() -> [u16; 2] {
    let held = [(); 2].map(|()| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap());
    held.map(|held| held.local_addr().unwrap().port())
}

/// Sends a trace of 400 spans.
fn send(port: u16) {
    let span = |number: u64| model::Span {
        trace_id: TraceId([1; 16]),
        span_id: SpanId(number.to_be_bytes()),
        parent_id: (number > 1).then(|| SpanId((number / 5 + u64::from(number > 4)).max(1).to_be_bytes())),
        name: if number == 1 { "GET /visits".into() } else { format!("step {}", number % 50).as_str().into() },
        start: model::Timestamp(1_763_700_000_000_000_000 + number * 1_000_000),
        end: model::Timestamp(1_763_700_000_500_000_000 + number * 1_000_000),
        attributes: vec![model::Attribute {
            key: "app.step".into(),
            value: model::Value::Text(format!("number {number}").into()),
        }],
        ..model::Span::default()
    };
    let body = encode::spans(&(1..=400).map(span).collect::<Vec<_>>());
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(stream, "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n").unwrap();
    write!(stream, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(&body).unwrap();
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).unwrap();
    assert!(status.contains(" 200 "), "{status}");
}

/// The program in a terminal of 200 × 60 that nobody sees.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    _master: Box<dyn MasterPty + Send>,
    _home: TempDir,
}

impl Terminal {
    fn start([grpc, http]: [u16; 2]) -> Self {
        let size = PtySize { rows: 60, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let home = TempDir::new().unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tracefall"));
        command.args(["--grpc", &format!("127.0.0.1:{grpc}"), "--http", &format!("127.0.0.1:{http}")]);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEFALL_")) {
            command.env_remove(name);
        }
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]
        {
            command.env(name, home.path());
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = sync_channel(1_024);
        thread::spawn(move || {
            let mut chunk = vec![0; 64 << 10];
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                if sender.send((clock::now(), chunk[..length].to_vec())).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(cells(60), cells(200), 0);
        Self { child, keyboard, output, parser, _master: pair.master, _home: home }
    }

    fn next(&mut self, patience: Duration) -> Option<(Instant, Vec<u8>)> {
        let (when, chunk) = self.output.recv_timeout(patience).ok()?;
        self.parser.process(&chunk);
        Some((when, chunk))
    }

    /// Waits until a whole frame was written; when that was.
    fn first_frame(&mut self) -> Instant {
        let mut seen = Vec::new();
        loop {
            let (when, chunk) = self.next(PATIENCE).unwrap();
            seen.extend(chunk);
            if memchr::memmem::find(&seen, FRAME_END).is_some() {
                return when;
            }
        }
    }

    /// Waits until `text` is on screen.
    fn until(&mut self, text: &str) {
        while !self.parser.screen().contents().contains(text) {
            let came = self.next(PATIENCE);
            assert!(came.is_some(), "no {text:?} in:\n{}", self.parser.screen().contents());
        }
    }

    /// Bytes written until nothing more came for this long.
    fn drain(&mut self, patience: Duration) -> usize {
        let deadline = clock::now() + PATIENCE;
        let mut bytes = 0;
        while clock::now() < deadline
            && let Some((_, chunk)) = self.next(patience)
        {
            bytes += chunk.len();
        }
        bytes
    }

    /// Presses a key that must scroll the rows; the bytes that were written for it.
    fn scroll(&mut self, key: &str) -> usize {
        let rows = |terminal: &Self| terminal.parser.screen().rows(0, 100).collect::<Vec<_>>();
        let before = rows(self);
        let bytes = self.press(key);
        let moved = rows(self).iter().zip(&before).filter(|(now, before)| now != before).count();
        assert!(moved > 20, "only {moved} rows changed:\n{}", self.parser.screen().contents());
        bytes
    }

    /// Presses a key; the bytes that were written for it.
    fn press(&mut self, key: &str) -> usize {
        self.keyboard.write_all(key.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self.drain(QUIET)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}
