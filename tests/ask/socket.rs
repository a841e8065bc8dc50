//! A running program is asked over its socket.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};

use serde_json::{Value, json};

use super::rig::{Home, traces};

/// A connection to the only socket there is, after the greeting.
fn connect(home: &Home) -> (BufReader<UnixStream>, Value) {
    let entry = fs::read_dir(home.at("tracefall")).unwrap().map(Result::unwrap);
    let sockets: Vec<_> = entry.filter(|entry| entry.path().extension().is_some_and(|end| end == "sock")).collect();
    let mut stream = BufReader::new(UnixStream::connect(sockets[0].path()).unwrap());
    let greeting = line(&mut stream);
    (stream, greeting)
}

fn line(stream: &mut BufReader<UnixStream>) -> Value {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

fn say(stream: &mut BufReader<UnixStream>, text: &str) {
    stream.get_mut().write_all(text.as_bytes()).unwrap();
}

#[test]
fn over_the_socket_it_is_answered_as_out_of_the_file() {
    const FILE: &str = "gateway-go.traces.pb.gz";
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    for body in super::fixtures::frames(FILE) {
        listening.post("x-protobuf", &body);
    }
    home.wait_until_held(410);
    for filter in ["", "error=true", "-operation:GET*", "minDuration=1ms service:gateway", "http.status_code>=500"] {
        let sorted = |arguments: &[&str]| home.run(arguments).out.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let asked = sorted(&["query", filter, "-o", "jsonl"]);
        assert_eq!(asked, sorted(&["query", filter, FILE, "-o", "jsonl"]), "{filter}");
        assert!(!asked.is_empty(), "{filter}");
    }
    let both: [(&[&str], &[&str]); 4] = [
        (&["services"], &["services", FILE]),
        (&["operations", "-ojson"], &["operations", FILE, "-ojson"]),
        (&["attributes"], &["attributes", "--file", FILE]),
        (&["attributes", "http.request.method"], &["attributes", "http.request.method", "--file", FILE]),
    ];
    for (asked, read) in both {
        let (asked, read) = (home.run(asked), home.run(read));
        assert_eq!((asked.code, asked.out), (Some(0), read.out));
    }
    let limited = home.run(&["query", "", "--limit", "7", "-ojsonl"]);
    assert_eq!(limited.objects().len(), 7);
    assert_eq!(home.run(&["query", "no.such.key=1"]).code, Some(1));
}

#[test]
fn only_the_user_reaches_it_and_it_goes_with_the_program() {
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    let socket = home.at("tracefall").join(format!("{}.sock", listening.pid()));
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    listening.signal("TERM");
    assert_eq!(listening.end().code, Some(0));
    assert!(!socket.exists());
    let said = home.run(&["query", ""]);
    assert!(said.code == Some(2) && said.err.contains("no tracefall runs"), "{}", said.err);
}

#[test]
fn of_several_one_is_chosen_by_its_process() {
    let home = Home::new();
    let (one, two) = (home.listen(&["listen"]), home.listen(&["listen"]));
    one.post_traces(1..2);
    two.post_traces(2..3);
    let said = home.run(&["query", ""]);
    let (first, second) = (one.pid().to_string(), two.pid().to_string());
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("--pid") && said.err.contains(&first) && said.err.contains(&second), "{}", said.err);
    for (pid, name) in [(&first, "GET /1"), (&second, "GET /2")] {
        let ask = || home.run(&["query", "", "--pid", pid, "-o", "jsonl"]);
        let said = (0..500).map(|_| ask()).find(|said| said.code == Some(0)).unwrap();
        assert_eq!(said.field("root_operation"), [name]);
    }
    let said = home.run(&["query", "", "--pid", "1"]);
    assert!(said.code == Some(2) && said.err.contains("process id 1 "), "{}", said.err);
}

#[test]
fn socket_that_was_left_behind_is_removed() {
    let home = Home::new();
    let killed = home.listen(&["listen"]);
    let left = home.at("tracefall").join(format!("{}.sock", killed.pid()));
    drop(killed);
    assert!(left.exists(), "nothing can be done about SIGKILL");
    let listening = home.listen(&["listen"]);
    listening.post_traces(1..2);
    home.wait_until_held(1);
    assert!(!left.exists());
}

#[test]
fn folder_that_others_could_write_is_refused_by_both_sides() {
    let home = Home::new();
    fs::create_dir(home.at("tracefall")).unwrap();
    fs::set_permissions(home.at("tracefall"), Permissions::from_mode(0o777)).unwrap();
    let listening = home.listen(&["listen"]);
    let said = home.run(&["query", ""]);
    assert!(said.code == Some(2) && said.err.contains("written by others"), "{}", said.err);
    listening.post_traces(1..2);
    listening.signal("TERM");
    assert_eq!(listening.end().code, Some(0), "it does its work all the same");
}

#[test]
fn what_makes_no_sense_is_answered_and_ends_nothing() {
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    listening.post_traces(1..2);
    home.wait_until_held(1);
    let long = format!("{{\"version\":2,\"ask\":{{\"query\":{{\"filter\":\"{}", "x".repeat(300_000));
    let wrong = [
        ("GET / HTTP/1.1\r\n".to_owned(), "cannot be understood"),
        ("\n".to_owned(), "cannot be understood"),
        ("{\"version\":3,\"ask\":{\"services\":{}}}\n".to_owned(), "version 3"),
        ("{\"version\":2,\"ask\":{\"everything\":{}}}\n".to_owned(), "cannot be understood"),
        (long, "too long"),
    ];
    for (request, why) in wrong {
        let (mut stream, greeting) = connect(&home);
        assert_eq!(greeting["hello"], json!({"version": 2, "pid": listening.pid()}));
        say(&mut stream, &request);
        let reply = line(&mut stream);
        assert!(reply["wrong"]["message"].as_str().unwrap().contains(why), "{reply}");
    }
    let (mut stream, _) = connect(&home);
    say(&mut stream, "{\"version\":2,\"ask\":{\"query\":{\"filter\":\"a=\",\"limit\":null,\"later\":1}}}\n");
    assert_eq!(line(&mut stream)["wrong"]["column"], 2);
    let (mut stream, _) = connect(&home);
    say(&mut stream, "{\"version\":2,\"ask\":{\"query\":{\"filter\":\"\"}}}\n");
    assert_eq!(line(&mut stream)["record"]["trace"]["root_operation"], "GET /1");
    assert_eq!(line(&mut stream), json!({"end": {"partial": false}}));
}

#[test]
fn peers_that_do_not_read_or_never_ask_keep_nobody_waiting() {
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    listening.post_traces(1..3_000);
    home.wait_until_held(2_999);
    // More of the answer than a socket holds, and nobody reads it.
    let stuck = || {
        let (mut stream, _) = connect(&home);
        say(&mut stream, "{\"version\":2,\"ask\":{\"query\":{\"filter\":\"\"}}}\n");
        line(&mut stream);
        stream
    };
    let slow: Vec<_> = (0..4).map(|_| stuck()).collect();
    let silent: Vec<_> = (0..8).map(|_| connect(&home)).collect();
    assert_eq!(home.run(&["query", "", "-o", "jsonl"]).objects().len(), 2_999);
    listening.post_traces(3_000..3_001);
    drop((slow, silent));
    home.wait_until_held(3_000);
    // As many as may ask at once: who comes after them is told so, and let in once they have left.
    // Whoever never asks is not waited for for ever, so on a machine that stands still it may take another try.
    let refused = (0..20).find(|_| {
        let seated: Vec<_> = (0..16).map(|_| connect(&home)).collect();
        let said = home.run(&["query", ""]);
        drop(seated);
        said.code == Some(2) && said.err.contains("too many")
    });
    assert!(refused.is_some());
    home.wait_until_held(3_000);
    listening.signal("TERM");
    assert_eq!(listening.end().code, Some(0));
}

#[test]
fn other_side_that_breaks_off_or_is_another_program_is_an_error() {
    let home = Home::new();
    fs::create_dir(home.at("tracefall")).unwrap();
    let other = UnixListener::bind(home.at("tracefall/7.sock")).unwrap();
    let answers = [
        ("", "does not answer"),
        ("220 mail ready\n", "odd"),
        ("{\"hello\":{\"version\":9,\"pid\":7}}\n", "version 9"),
        ("{\"hello\":{\"version\":2,\"pid\":7}}\n", "broke off"),
    ];
    for (answer, why) in answers {
        let child = home.command(&["query", ""]).spawn().unwrap();
        let (mut stream, _) = other.accept().unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read(&mut [0; 1024]);
        drop(stream);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && err.contains(why), "{answer:?}: {err}");
    }
}

/// As with `| head -1`: who has seen enough is no failure, and not worth a message.
#[test]
fn closed_pipe_ends_it_without_a_word() {
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    listening.post_traces(1..3_000);
    home.wait_until_held(2_999);
    let file = home.file("traces", traces(1..3_000).to_string());
    for arguments in [&["query", ""][..], &["query", "", &file]] {
        for form in ["table", "json", "jsonl", "csv"] {
            let mut child = home.command(&[arguments, &["-o", form]].concat()).spawn().unwrap();
            drop(child.stdout.take());
            let output = child.wait_with_output().unwrap();
            assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{arguments:?} {form}");
        }
    }
}
