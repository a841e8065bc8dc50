//! The program itself on a system that gives it little.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// Killed when dropped, whatever the test came to.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As on macOS, where a program may open 256 files unless it asks for more: each connection is one.
#[test]
fn a_low_limit_of_open_files_keeps_nobody_out() {
    let home = tempfile::tempdir().unwrap();
    let script = "ulimit -Sn 64; exec \"$0\" listen --grpc 127.0.0.1:0 --http 127.0.0.1:0 --for 60s";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tracefall")]).stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
        command.env(name, home.path());
    }
    let mut running = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
    let address = lines.find_map(|line| Some(line.unwrap().strip_prefix("listening OTLP/HTTP ")?.to_owned())).unwrap();
    let mut idle: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let last = idle.last_mut().unwrap();
    last.write_all(b"OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    last.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204");
}
