//! The program under test in a pseudo-terminal: keys in, frames out.

use std::env;
use std::fs;
use std::io::{Read as _, Write};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use regex::Regex;
use tempfile::TempDir;

use crate::report::Summary;
use crate::{UNDER_TEST, now};

/// Columns and rows of the terminal.
pub(crate) const SIZE: (u16, u16) = (200, 60);
/// How long a frame may take before the key counts as not answered.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How each frame begins and ends: DEC mode 2026 set and reset.
const MODE: &[u8] = b"\x1b[?2026";

/// Where the program under test listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
}

/// The program under test. It is killed when this is dropped.
pub(crate) struct Program {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    /// The end of the output so far: a mark may come in two pieces.
    tail: Vec<u8>,
    /// No frame is under way.
    settled: bool,
    home: TempDir,
}

impl Program {
    /// Starts it, with settings of its own, on free ports.
    pub(crate) fn start(program: Option<PathBuf>, memory: &str) -> Result<Self> {
        let (columns, rows) = SIZE;
        let pair = native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })?;
        let home = TempDir::new()?;
        let itself = program.is_none();
        // It would be looked for from its home.
        let program = program.map_or_else(env::current_exe, fs::canonicalize).context("the program under test")?;
        let mut command = CommandBuilder::new(program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEFALL_")) {
            command.env_remove(name);
        }
        if itself {
            command.env(UNDER_TEST, "1");
        }
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]
        {
            command.env(name, home.path());
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("NO_COLOR");
        command.args(["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--memory", memory, "--summary"]);
        command.arg(home.path().join("summary.json"));
        let child = pair.slave.spawn_command(command)?;
        // Only the program may hold this end: when it ends, so does its output.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader()?;
        let (sender, output) = sync_channel(256);
        thread::spawn(move || {
            let mut chunk = [0; 16 << 10];
            while let Ok(length) = reader.read(&mut chunk) {
                let piece = chunk.get(..length).unwrap_or_default().to_vec();
                if length == 0 || sender.send((now(), piece)).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer()?;
        let cells = |count| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        Ok(Self { child, keyboard, output, parser, tail: Vec::new(), settled: false, home })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.process_id().context("the program under test has no process id")
    }

    /// Where it listens, as its first screen says.
    pub(crate) fn doors(&mut self) -> Result<Doors> {
        let (grpc, http) = (Regex::new(r"gRPC\s+(\d{2,5})")?, Regex::new(r"HTTP\s+(\d{2,5})")?);
        let begun = now();
        let found = self.wait(begun, |screen| {
            let text = screen.contents();
            grpc.is_match(&text) && http.is_match(&text)
        })?;
        found.with_context(|| format!("it names no ports:\n{}", self.text()))?;
        let text = self.text();
        let port = |pattern: &Regex| -> Result<SocketAddr> {
            let port = pattern.captures(&text).and_then(|found| found.get(1)).context("no port")?.as_str().parse()?;
            Ok(SocketAddr::from(([127, 0, 0, 1], port)))
        };
        Ok(Doors { grpc: port(&grpc)?, http: port(&http)? })
    }

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// What is on screen.
    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Types `keys`, as bytes that a terminal would send; when that was.
    pub(crate) fn press(&mut self, keys: &str) -> Result<Instant> {
        let at = now();
        self.keyboard.write_all(keys.as_bytes())?;
        self.keyboard.flush()?;
        Ok(at)
    }

    /// Waits for a whole frame that satisfies `shows`: how long after `since` its last byte arrived; none where it never does.
    pub(crate) fn wait(&mut self, since: Instant, shows: impl Fn(&vt100::Screen) -> bool) -> Result<Option<Duration>> {
        let deadline = since + PATIENCE;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok((at, chunk)) => {
                    self.take(&chunk);
                    if self.settled && shows(self.parser.screen()) {
                        return Ok(Some(at.saturating_duration_since(since)));
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => bail!("it ended by itself; on screen:\n{}", self.text()),
            }
        }
    }

    /// Takes in what is drawn for so long.
    pub(crate) fn look_on(&mut self, time: Duration) -> Result<()> {
        let until = now() + time;
        loop {
            match self.output.recv_timeout(until.saturating_duration_since(now())) {
                Ok((_, chunk)) => self.take(&chunk),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => bail!("it ended by itself; on screen:\n{}", self.text()),
            }
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.parser.process(chunk);
        self.tail.extend_from_slice(chunk);
        let marks = self.tail.windows(MODE.len() + 1).rev();
        let last = marks.filter(|window| window.starts_with(MODE)).find_map(|window| window.last().copied());
        match last {
            Some(b'h') => self.settled = false,
            Some(b'l') => self.settled = true,
            _ => {}
        }
        let keep = self.tail.len().saturating_sub(MODE.len());
        self.tail.drain(..keep);
    }

    /// Leaves the screen, and reads what the program wrote when it ended.
    pub(crate) fn end(mut self) -> Result<Summary> {
        // From wherever the walk stands.
        self.press("\u{3}")?;
        let deadline = now() + PATIENCE * 6;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok((_, chunk)) => self.take(&chunk),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => bail!("it does not end; on screen:\n{}", self.text()),
            }
        }
        let status = self.child.wait()?;
        if !status.success() {
            bail!("it ended with {status}; on screen:\n{}", self.text());
        }
        let text = fs::read_to_string(self.home.path().join("summary.json")).context("it left no summary")?;
        serde_json::from_str(&text).context("its summary cannot be read")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
