//! `tracefall listen --json` as scripts use it: addresses on stderr, a summary as the last line of stdout.

#![cfg(unix)]

#[cfg(test)]
mod listen {
    use std::env;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::process::{Child, ChildStderr, Command, Stdio};

    use serde_json::{Value, json};
    use tempfile::TempDir;

    /// A running `listen`. It ends by itself after a minute, so that nothing here can wait for ever.
    struct Listen {
        child: Child,
        stderr: BufReader<ChildStderr>,
        http: String,
        _home: TempDir,
    }

    impl Listen {
        fn start(time: &str) -> Self {
            Self::start_with(time, &["--json"])
        }

        fn start_with(time: &str, arguments: &[&str]) -> Self {
            let home = TempDir::new().unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_tracefall"));
            command.args(["listen", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]).args(arguments);
            for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEFALL_")) {
                command.env_remove(name);
            }
            for name in
                ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]
            {
                command.env(name, home.path());
            }
            command.args(["--for", time]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            let (mut grpc, mut http) = (None, None);
            while grpc.is_none() || http.is_none() {
                let mut line = String::new();
                assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before it listened");
                if let Some(address) = line.trim().strip_prefix("listening OTLP/gRPC ") {
                    grpc = Some(address.to_owned());
                }
                if let Some(address) = line.trim().strip_prefix("listening OTLP/HTTP ") {
                    http = Some(address.to_owned());
                }
            }
            Self { child, stderr, http: http.unwrap(), _home: home }
        }

        /// Posts a JSON body, and leaves the connection open: the answer's status, and the connection.
        fn post(&self, path: &str, body: &Value) -> (u16, TcpStream) {
            let body = body.to_string();
            let mut stream = TcpStream::connect(&self.http).unwrap();
            write!(
                stream,
                "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                self.http,
                body.len()
            )
            .unwrap();
            let mut status = String::new();
            BufReader::new(&mut stream).read_line(&mut status).unwrap();
            (status.split(' ').nth(1).unwrap().parse().unwrap(), stream)
        }

        fn signal(&self, signal: &str) {
            let kill = format!("kill -{signal} {}", self.child.id());
            assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        }

        /// Ends it by a signal of this name; its exit code and the last line of its output.
        fn end_by(mut self, signal: &str) -> (Option<i32>, Value) {
            self.signal(signal);
            self.end()
        }

        fn end(&mut self) -> (Option<i32>, Value) {
            let mut output = String::new();
            self.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
            let code = self.child.wait().unwrap().code();
            let mut rest = String::new();
            self.stderr.read_to_string(&mut rest).unwrap();
            let last = output.lines().last().unwrap_or_else(|| panic!("no output; on stderr: {rest}"));
            (code, serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}")))
        }
    }

    impl Drop for Listen {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// Two spans of one trace: a request that failed, and its statement, which took 150 ms.
    fn request() -> Value {
        let trace = "5b8efff798038103d269b633813fc60c";
        json!({"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeSpans": [{"spans": [
                {"traceId": trace, "spanId": "eee19b7ec3c1b173", "parentSpanId": "eee19b7ec3c1b174", "name": "SELECT",
                 "kind": 3, "startTimeUnixNano": "1763700000010000000", "endTimeUnixNano": "1763700000160000000",
                 "attributes": [{"key": "db.system.name", "value": {"stringValue": "sqlite"}}]},
                {"traceId": trace, "spanId": "eee19b7ec3c1b174", "name": "GET /orders", "kind": 2,
                 "startTimeUnixNano": "1763700000000000000", "endTimeUnixNano": "1763700002000000000",
                 "status": {"code": 2}},
            ]}],
        }]})
    }

    fn nothing() -> Value {
        let none = json!({"spans": 0, "traces": 0});
        json!({"services": {}, "rejected": {}, "held": none, "evicted": none, "duplicates": 0})
    }

    #[test]
    fn the_summary_counts_distinct_spans() {
        let listen = Listen::start("60s");
        // The second is a retry, as after an answer that was lost.
        assert_eq!(listen.post("/v1/traces", &request()).0, 200);
        assert_eq!(listen.post("/v1/traces", &request()).0, 200);
        let (code, summary) = listen.end_by("TERM");
        assert_eq!(code, Some(0));
        let shop = json!({"spans": 2, "traces": 1, "errors": 1, "slow_sql": 1, "logs": 0, "metrics": 0});
        assert_eq!(summary["services"], json!({ "shop": shop }));
        assert_eq!(summary["rejected"], json!({}));
        assert_eq!((&summary["held"]["spans"], &summary["duplicates"]), (&json!(2), &json!(2)));
    }

    /// The door is there because it was asked for, and takes what a service with Brave sends.
    #[test]
    fn zipkin_senders_are_taken_at_their_door() {
        let mut listen = Listen::start_with("60s", &["--json", "--zipkin", "127.0.0.1:0"]);
        let mut line = String::new();
        listen.stderr.read_line(&mut line).unwrap();
        listen.http = line.trim().strip_prefix("listening Zipkin ").unwrap().to_owned();
        let both = json!([
            {"traceId": "a1", "id": "b2", "kind": "CLIENT", "name": "get", "timestamp": 1_763_700_000_000_000_u64,
             "duration": 2000, "localEndpoint": {"serviceName": "front"}, "remoteEndpoint": {"serviceName": "back"}},
            {"traceId": "a1", "id": "b2", "kind": "SERVER", "shared": true, "timestamp": 1_763_700_000_000_500_u64,
             "duration": 1000, "localEndpoint": {"serviceName": "back"}, "tags": {"error": "timeout"}},
        ]);
        assert_eq!(listen.post("/api/v2/spans", &both).0, 202);
        let (code, summary) = listen.end_by("TERM");
        assert_eq!((code, &summary["held"]), (Some(0), &json!({"spans": 2, "traces": 1})));
        let of = |name: &str| summary["services"][name].clone();
        assert_eq!((&of("front")["spans"], &of("back")["errors"]), (&json!(1), &json!(1)));
    }

    #[test]
    fn what_was_refused_is_counted_by_reason() {
        let listen = Listen::start("60s");
        let mut body = request();
        body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = json!("00000000000000000000000000000000");
        assert_eq!(listen.post("/v1/traces", &body).0, 200);
        assert_eq!(listen.post("/v1/trace", &request()).0, 404);
        let (_, summary) = listen.end_by("TERM");
        assert_eq!(summary["services"]["shop"]["spans"], 1);
        assert_eq!(summary["rejected"], json!({"invalid_trace_id": 1, "bad_request": 1}));
    }

    #[test]
    fn it_ends_by_signal_while_connections_are_open() {
        for signal in ["TERM", "INT", "HUP"] {
            let listen = Listen::start("60s");
            let idle = TcpStream::connect(&listen.http).unwrap();
            let (status, used) = listen.post("/v1/traces", &request());
            assert_eq!(status, 200);
            let (code, summary) = listen.end_by(signal);
            assert_eq!(code, Some(0), "{signal}");
            assert_eq!(summary["services"]["shop"]["spans"], 2, "{signal}");
            drop((idle, used));
        }
    }

    /// As with `| head -1`: who has seen enough is no failure, and not worth a message.
    #[test]
    fn closed_pipe_ends_it_without_a_word() {
        for arguments in [&["--json"][..], &[]] {
            let mut listen = Listen::start_with("60s", arguments);
            drop(listen.child.stdout.take());
            assert_eq!(listen.post("/v1/traces", &request()).0, 200);
            listen.signal("TERM");
            assert_eq!(listen.child.wait().unwrap().code(), Some(0));
            let mut rest = String::new();
            listen.stderr.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "");
        }
    }

    /// As with `| less`: its reader does not read, and it is to end nevertheless.
    #[test]
    fn second_signal_ends_it_while_its_output_is_stuck() {
        let mut listen = Listen::start_with("60s", &[]);
        // More lines than a pipe holds.
        for turn in 0..40_u32 {
            let mut body = request();
            let span = body["resourceSpans"][0]["scopeSpans"][0]["spans"][1].clone();
            let spans = (0..100).map(|trace| {
                let mut span = span.clone();
                span["traceId"] = json!(format!("{:032x}", 1 + turn * 100 + trace));
                span
            });
            body["resourceSpans"][0]["scopeSpans"][0]["spans"] = spans.collect();
            assert_eq!(listen.post("/v1/traces", &body).0, 200);
        }
        listen.signal("TERM");
        // The first has been heard once the door is closed.
        while TcpStream::connect(&listen.http).is_ok() {}
        listen.signal("TERM");
        assert_eq!(listen.child.wait().unwrap().code(), Some(143));
    }

    #[test]
    fn nothing_of_a_sender_acts_on_the_terminal() {
        let mut listen = Listen::start_with("60s", &[]);
        let mut body = request();
        let hostile = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}b\r\nc";
        body["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"] = json!(hostile);
        body["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["name"] = json!(hostile);
        body["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["status"]["message"] = json!(hostile);
        assert_eq!(listen.post("/v1/traces", &body).0, 200);
        listen.signal("INT");
        let mut output = String::new();
        listen.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        assert!(output.contains("a␛]0;x␇‹009B›2J‹202E›b␍␊c"), "{output}");
        assert_eq!(output.chars().filter(|letter| letter.is_control() && *letter != '\n').count(), 0, "{output:?}");
        assert_eq!(output.lines().count(), 2, "{output}");
    }

    #[test]
    fn busy_port_is_told_with_its_holder() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = taken.local_addr().unwrap().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracefall"));
        command.args(["listen", "--for", "700ms", "--grpc", &place, "--http", "127.0.0.1:0"]);
        let said = command.stdin(Stdio::null()).output().unwrap();
        let err = String::from_utf8(said.stderr).unwrap();
        let line = err.lines().find(|line| line.contains(&place)).unwrap();
        assert!(line.contains("is taken by") && line.contains("--grpc"), "{err}");
        #[cfg(target_os = "linux")]
        assert!(line.contains(&format!("(pid {})", std::process::id())), "{err}");
        assert_eq!(said.status.code(), Some(0));
    }

    #[test]
    fn warning_names_the_port_that_was_picked() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracefall"));
        command.args(["listen", "--for", "0s", "--grpc", "0.0.0.0:0", "--http", "127.0.0.1:0"]);
        let said = command.stdin(Stdio::null()).output().unwrap();
        let err = String::from_utf8(said.stderr).unwrap();
        let address = err.lines().find_map(|line| line.strip_prefix("listening OTLP/gRPC ")).unwrap();
        assert!(err.contains(&format!("warning: listening beyond this machine on {address}:")), "{err}");
    }

    #[test]
    fn it_ends_when_its_time_is_over() {
        let mut listen = Listen::start("1ms");
        assert_eq!(listen.end(), (Some(0), nothing()));
    }
}
