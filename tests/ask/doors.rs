//! Commands that listen for a time and answer from what arrived.

use super::rig::Home;

#[test]
fn interrupt_ends_the_listening_and_what_arrived_is_answered() {
    let home = Home::new();
    for signal in ["INT", "TERM"] {
        let query = home.listen(&["query", "error=true", "--for", "60s", "-o", "jsonl"]);
        query.post_traces(1..21);
        query.signal(signal);
        let said = query.end();
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{signal}");
        assert_eq!(said.field("root_operation"), ["GET /20", "GET /10"]);
    }
}

#[test]
fn its_time_ends_it_by_itself() {
    let home = Home::new();
    let doors = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--for", "10ms"];
    for (arguments, code) in [(&["query", ""][..], 1), (&["services"], 1), (&["assert", "--none", "error=true"], 2)] {
        let said = home.run(&[arguments, &doors].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{arguments:?}: {}", said.err);
        assert!(said.err.contains("listening OTLP/HTTP"), "{}", said.err);
    }
}

#[test]
fn assertions_are_judged_over_what_arrived() {
    let home = Home::new();
    let assert = home.listen(&["assert", "--none", "error=true", "--for", "60s", "-o", "jsonl"]);
    assert.post_traces(1..21);
    assert.signal("INT");
    let said = assert.end();
    assert_eq!((said.code, said.objects().len()), (Some(1), 2), "{}", said.err);
}

/// While it listens for itself it is nobody's to ask.
#[test]
fn files_and_doors_and_processes_exclude_each_other() {
    let home = Home::new();
    let file = "billing-java.traces.pb.gz";
    let wrong: [&[&str]; 4] = [
        &["query", "", file, "--for", "1s"],
        &["query", "", file, "--pid", "1"],
        &["query", "", "--pid", "1", "--for", "1s"],
        &["query"],
    ];
    for arguments in wrong {
        let said = home.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{arguments:?}");
    }
}
