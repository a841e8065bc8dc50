//! A terminal in memory with a program in it: what it draws is read by `vt100`, what a person types is written to it.

use std::env;
use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// How long anything may take that is waited for. Nothing takes this long unless it never happens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a program finds its home.
const HOMES: [&str; 6] =
    ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"];

/// A program in a terminal. It is killed when this is dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    settings_before: String,
    home: TempDir,
    escapes: usize,
    received: usize,
    /// What was asked to be copied last, as it came, and what came so far of the next.
    copied: Option<Vec<u8>>,
    heard: Vec<u8>,
}

/// How much of a program's output is on its way at most, beyond what the terminal's own buffer holds: pieces, and the bytes of one.
const FAST: (usize, usize) = (64, 8192);
const SLOW: (usize, usize) = (1, 128);

impl Terminal {
    /// Starts tracefall on free ports, 120 × 36, with settings of its own.
    pub(crate) fn tracefall(arguments: &[&str]) -> Self {
        let mut all = vec!["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        all.extend(arguments);
        Self::start(env!("CARGO_BIN_EXE_tracefall"), &all, &[])
    }

    /// Starts tracefall again in a home where it ran before.
    pub(crate) fn tracefall_at(home: &std::path::Path) -> Self {
        let home = home.to_str().unwrap();
        let all = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        Self::start(env!("CARGO_BIN_EXE_tracefall"), &all, &HOMES.map(|name| (name, home)))
    }

    /// Starts tracefall as on another machine: as long as nothing is waited for, nothing of what it draws is read.
    pub(crate) fn over_a_slow_link() -> Self {
        let arguments = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let variables = [("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"), ("SSH_TTY", "/dev/pts/0")];
        Self::linked(env!("CARGO_BIN_EXE_tracefall"), &arguments, &variables, SLOW)
    }

    /// Starts `program`, 120 × 36, with a home of its own and `variables` set.
    pub(crate) fn start(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::linked(program, arguments, variables, FAST)
    }

    fn linked(program: &str, arguments: &[&str], variables: &[(&str, &str)], (pieces, piece): (usize, usize)) -> Self {
        let pair = native_pty_system().openpty(size(120, 36)).unwrap();
        let home = TempDir::new().unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEFALL_")) {
            command.env_remove(name);
        }
        for name in HOMES {
            command.env(name, home.path());
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("NO_COLOR");
        for (name, value) in variables {
            command.env(name, value);
        }
        let settings_before = settings(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        // Only the program may hold this end: when it ends, so does its output.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = sync_channel(pieces);
        thread::spawn(move || {
            let mut chunk = vec![0; piece];
            while let Ok(length) = reader.read(&mut chunk) {
                if length == 0 || sender.send(chunk[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(cells(36), cells(120), 0);
        Self {
            child,
            master: pair.master,
            keyboard,
            output,
            parser,
            settings_before,
            home,
            escapes: 0,
            received: 0,
            copied: None,
            heard: Vec::new(),
        }
    }

    /// The screen as it is now.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// How many escape characters came so far.
    pub(crate) fn escapes(&self) -> usize {
        self.escapes
    }

    /// The home of the program, which is its runtime directory too.
    pub(crate) fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// What is on screen now.
    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Waits until the screen satisfies `condition`; fails with the screen when it never does.
    pub(crate) fn wait_for(&mut self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        let deadline = now() + PATIENCE;
        while !condition(self.parser.screen()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok(chunk) => self.take(&chunk),
                Err(RecvTimeoutError::Timeout) => panic!("waited in vain for {what}; on screen:\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => panic!("ended before {what}; on screen:\n{}", self.text()),
            }
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.received += chunk.len();
        self.listen(chunk);
        self.escapes += memchr::memchr_iter(0x1b, chunk).count();
        self.parser.process(chunk);
    }

    /// Keeps what a program asks to be copied: OSC 52, in pieces of any size.
    fn listen(&mut self, chunk: &[u8]) {
        const BEGINS: &[u8] = b"\x1b]52;c;";
        for byte in chunk {
            let heard = self.heard.len();
            match BEGINS.get(heard) {
                Some(expected) if byte == expected => self.heard.push(*byte),
                Some(_) => self.heard = if *byte == 0x1b { vec![0x1b] } else { Vec::new() },
                None if matches!(byte, 0x07 | 0x1b) => {
                    self.copied = Some(self.heard.split_off(BEGINS.len()));
                    self.heard.clear();
                }
                None => self.heard.push(*byte),
            }
        }
    }

    /// How many bytes came so far.
    pub(crate) fn received(&self) -> usize {
        self.received
    }

    /// What was asked to be copied last.
    pub(crate) fn copied(&self) -> Option<String> {
        let text = std::str::from_utf8(self.copied.as_deref()?).unwrap();
        Some(String::from_utf8(tracefall::export::from_base64(text).unwrap()).unwrap())
    }

    /// Waits until `text` is on screen.
    pub(crate) fn wait_for_text(&mut self, text: &str) {
        self.wait_for(text, |screen| screen.contents().contains(text));
    }

    /// Types `keys`, as bytes a terminal would send.
    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Makes the window another size, as a person dragging its edge.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// Sends the signal of this name: `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.process_id().unwrap();
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until the program has ended; its exit code.
    pub(crate) fn wait_for_end(&mut self) -> u32 {
        let deadline = now() + PATIENCE;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok(chunk) => self.take(&chunk),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it has not ended; on screen:\n{}", self.text()),
            }
        }
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), None, "a signal ended it");
        status.exit_code()
    }

    /// Fails unless the terminal is as it was found: what a shell needs to go on.
    #[track_caller]
    pub(crate) fn assert_restored(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "pastes are still bracketed");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still reported");
        assert_eq!(settings(&*self.master), self.settings_before, "still in raw mode");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The terminal's modes (echo, lines, signals), to compare.
fn settings(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the deadline of a test is real time")]
fn now() -> Instant {
    Instant::now()
}
