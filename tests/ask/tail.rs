//! `tail`: traces as they arrive.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use super::rig::Home;

#[test]
fn traces_of_a_running_program_are_told_as_they_arrive() {
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    listening.post_traces(1..4);
    home.wait_until_held(3);
    let mut child = home.command(&["tail", "-error=true", "-o", "jsonl", "--limit", "2"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    // What is there already is not told; what follows is sent until the tail has seen the first of it.
    let (told, heard) = std::sync::mpsc::sync_channel(0);
    std::thread::scope(|scope| {
        let (listening, home) = (&listening, &home);
        scope.spawn(move || {
            for number in 10..1_000 {
                listening.post_traces(number..number + 1);
                home.run(&["services"]);
                if heard.try_recv().is_ok() {
                    break;
                }
            }
        });
        let mut names = Vec::new();
        for _ in 0..2 {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            let trace: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(trace["errors"], 0, "{line}");
            names.push(trace["root_operation"].as_str().unwrap().to_owned());
        }
        told.send(()).unwrap();
        assert!(names[0] != names[1] && !names.contains(&"GET /1".to_owned()), "{names:?}");
    });
    assert_eq!(child.wait().unwrap().code(), Some(0), "after as many as were asked for");
}

#[test]
fn where_none_runs_it_listens_at_doors_of_its_own() {
    let home = Home::new();
    // The lines that are there once both traces are told: an array ends its lines when it goes on.
    for (form, signal, lines) in [("jsonl", "INT", 2), ("json", "TERM", 2), ("table", "INT", 3)] {
        let mut tail = home.listen(&["tail", "error=true", "-o", form]);
        tail.post_traces(1..21);
        let seen: Vec<String> = (0..lines).map(|_| tail.line()).collect();
        tail.signal(signal);
        let said = tail.end();
        assert_eq!(said.code, Some(0), "{form}: {}", said.err);
        let all = seen.concat() + &said.out;
        assert!(all.contains("GET /10") && all.contains("GET /20") && !all.contains("GET /11"), "{form}: {all}");
        if form == "json" {
            assert_eq!(serde_json::from_str::<Vec<Value>>(&all).unwrap().len(), 2, "{all}");
        }
    }
}

#[test]
fn nothing_seen_ends_with_1_and_what_is_wrong_with_2() {
    let home = Home::new();
    let tail = home.listen(&["tail", "error=true"]);
    tail.post_traces(1..2);
    tail.signal("INT");
    let said = tail.end();
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    let doors = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    assert_eq!(home.run(&[&["tail", "--for", "1ms"], &doors[..]].concat()).code, Some(1));
    assert_eq!(home.run(&["tail", "a="]).code, Some(2));
}

#[test]
fn end_of_the_program_that_is_asked_ends_it() {
    let home = Home::new();
    let listening = home.listen(&["listen"]);
    let child = home.command(&["tail", "--pid", &listening.pid().to_string()]).spawn().unwrap();
    listening.signal("TERM");
    assert_eq!(listening.end().code, Some(0));
    // None was seen; or it came too late even to ask.
    let code = child.wait_with_output().unwrap().status.code();
    assert!(matches!(code, Some(1 | 2)), "{code:?}");
}

#[test]
fn closed_pipe_ends_it_without_a_word() {
    let home = Home::new();
    let mut tail = home.listen(&["tail", "-o", "jsonl"]);
    drop(tail.out.take());
    tail.post_traces(1..3);
    let said = tail.end();
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

#[test]
fn trace_that_comes_again_without_having_grown_is_told_once() {
    let home = Home::new();
    let mut tail = home.listen(&["tail", "-o", "jsonl"]);
    tail.post_traces(1..2);
    let first: Value = serde_json::from_str(&tail.line()).unwrap();
    assert_eq!(first["trace_id"], format!("{:032x}", 1));
    tail.post_traces(1..3);
    let next: Value = serde_json::from_str(&tail.line()).unwrap();
    assert_eq!(next["trace_id"], format!("{:032x}", 2));
    tail.signal("INT");
    let said = tail.end();
    assert!(said.out.is_empty(), "{}", said.out);
}
