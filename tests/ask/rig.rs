//! The program in a home of its own, and one that runs beside it.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The objects of an answer in lines of JSON.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// One field of each object.
    pub(crate) fn field(&self, name: &str) -> Vec<Value> {
        self.objects().into_iter().map(|object| object[name].clone()).collect()
    }
}

/// A home with a runtime directory, empty at first.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A path in it.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file; its path as an argument.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The program, to be started with nothing on standard input.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracefall"));
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEFALL_")) {
            command.env_remove(name);
        }
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]
        {
            command.env(name, self.0.path());
        }
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end, in the folder of the fixtures.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Waits until the running program shows so many traces: what was acknowledged is seen a moment later.
    pub(crate) fn wait_until_held(&self, traces: usize) {
        let mut said = self.run(&["query", "", "-o", "jsonl"]);
        for _ in 0..500 {
            if said.objects().len() == traces {
                return;
            }
            said = self.run(&["query", "", "-o", "jsonl"]);
        }
        panic!("{traces} traces were never held: {} {}", said.out, said.err);
    }

    /// Starts the program at doors of its own on free ports, and waits until they are open.
    pub(crate) fn listen(&self, arguments: &[&str]) -> Listening {
        let free = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let mut child = self.command(&[arguments, &free].concat()).spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let (mut grpc, mut http) = (false, None);
        while !grpc || http.is_none() {
            let mut line = String::new();
            assert_ne!(err.read_line(&mut line).unwrap(), 0, "it ended before it listened");
            grpc |= line.starts_with("listening OTLP/gRPC ");
            http = http.or_else(|| line.trim().strip_prefix("listening OTLP/HTTP ").map(str::to_owned));
        }
        let out = child.stdout.take().map(BufReader::new);
        Listening { child, out, err, http: http.unwrap() }
    }
}

/// A running program with doors. Killed when dropped.
pub(crate) struct Listening {
    child: Child,
    pub(crate) out: Option<BufReader<ChildStdout>>,
    err: BufReader<ChildStderr>,
    http: String,
}

impl Listening {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Posts a body; it is held once this returns.
    pub(crate) fn post(&self, kind: &str, body: &[u8]) {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        let (host, length) = (&self.http, body.len());
        write!(stream, "POST /v1/traces HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/{kind}\r\n").unwrap();
        write!(stream, "Content-Length: {length}\r\n\r\n").unwrap();
        stream.write_all(body).unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        assert!(status.contains(" 200 "), "{status}");
    }

    /// Posts traces of one span each, the numbers being their ids.
    pub(crate) fn post_traces(&self, numbers: std::ops::Range<u32>) {
        self.post("json", traces(numbers).to_string().as_bytes());
    }

    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Said {
        let (mut out, mut err) = (String::new(), String::new());
        if let Some(from) = &mut self.out {
            from.read_to_string(&mut out).unwrap();
        }
        self.err.read_to_string(&mut err).unwrap();
        Said { code: self.child.wait().unwrap().code(), out, err }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request with traces of one span each, the numbers being their ids; every tenth has failed.
pub(crate) fn traces(numbers: std::ops::Range<u32>) -> Value {
    let spans: Vec<Value> = numbers
        .map(|number| {
            let start = 1_763_700_000_000_000_000 + u64::from(number) * 1_000_000_000;
            json!({
                "traceId": format!("{number:032x}"), "spanId": format!("{number:016x}"), "name": format!("GET /{number}"),
                "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + u64::from(number) * 1_000_000).to_string(),
                "status": {"code": if number % 10 == 0 { 2 } else { 0 }},
            })
        })
        .collect();
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})
}
