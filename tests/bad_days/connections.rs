//! Senders that come slowly, stay for ever, leave in the middle or never listen.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tracefall::model::TraceId;
use tracefall::source::receiver::{Limits, ReceiverConfig};

use crate::house::{House, good};
use crate::rig::{Line, PROTOBUF, config, post};

fn head(length: usize) -> String {
    format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ncontent-length: {length}\r\n\r\n")
}

fn impatient() -> ReceiverConfig {
    let patience = Duration::from_millis(100);
    ReceiverConfig { limits: Limits { idle: patience, stall: patience, ..config().limits }, ..config() }
}

/// Sends `bytes` one at a time for as long as the receiver listens. Whether it hung up before the end of them.
async fn trickle(stream: TcpStream, bytes: &[u8]) -> bool {
    let (mut from, mut to) = stream.into_split();
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    let write = async {
        for byte in bytes {
            pace.tick().await;
            if to.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    };
    let read = async {
        let mut answer = [0; 512];
        while from.read(&mut answer).await.is_ok_and(|count| count > 0) {}
    };
    tokio::select! {
        () = write => false,
        () = read => true,
    }
}

/// "Slow loris": a few of them would hold all connections for as long as they like.
#[tokio::test]
async fn requests_that_trickle_are_given_up() {
    let house = House::with(impatient());
    // Each byte comes well within the patience, the whole would take two seconds.
    let endless = [b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n".to_vec(), b"a: b\r\n".repeat(60)].concat();
    let slow_preface = [&b"PRI"[..], &[b' '; 400]].concat();
    let slow_body = [head(400).into_bytes(), vec![0; 400]].concat();
    let chunks = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{PROTOBUF}\r\ntransfer-encoding: chunked\r\n\r\n");
    let slow_chunks = [chunks.into_bytes(), b"1\r\n\0\r\n".repeat(60)].concat();
    let mut all = JoinSet::new();
    for bytes in [endless, slow_preface, slow_body, slow_chunks] {
        for address in [house.rig.grpc, house.rig.http] {
            let bytes = bytes.clone();
            all.spawn(async move { trickle(TcpStream::connect(address).await.unwrap(), &bytes).await });
        }
    }
    house.assert_well().await;
    while let Some(given_up) = all.join_next().await {
        assert!(given_up.unwrap());
    }
    house.assert_well().await;
}

#[tokio::test]
async fn senders_that_leave_in_the_middle_leave_nothing_behind() {
    let house = House::open();
    let body = good(TraceId([5; 16]));
    let whole = [head(body.len()).into_bytes(), body].concat();
    for end in [1, 20, head(9).len() - 3, whole.len() - 1] {
        for abrupt in [false, true] {
            let mut line = Line::to(house.rig.http).await;
            line.write(&whole[..end]).await;
            if abrupt {
                line.0.set_zero_linger().unwrap();
                continue;
            }
            line.0.shutdown().await.unwrap();
            let mut rest = String::new();
            let read = tokio::time::timeout(Duration::from_secs(20), line.0.read_to_string(&mut rest)).await;
            read.expect("the connection ends at once").unwrap();
            assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400"), "{end}: {rest}");
        }
    }
    house.rig.until(|feed| feed.held() == 0).await;
    assert!(house.view().trace(TraceId([5; 16])).is_none());
    house.assert_well().await;
}

/// A sender that closes its half of the connection after the last frame still wants to know.
#[tokio::test]
async fn half_closed_http_2_is_answered() {
    let house = House::open();
    let body = good(TraceId([6; 16]));
    let mut line = Line::to(house.rig.grpc).await;
    let field = |name: &str, value: &str| {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    let head = [
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":path", "/v1/traces"),
        field(":authority", "x"),
        field("content-type", "application/x-protobuf"),
    ];
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let bytes = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(1, 4, 1, &head.concat()),
        frame(0, 1, 1, &body),
    ];
    line.write(&bytes.concat()).await;
    line.0.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), line.0.read_to_end(&mut rest)).await;
    read.expect("the connection ends").unwrap();
    house.rig.until(|_| house.accepted() == 2).await;
    house.assert_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_connections_hold_up_nobody() {
    let house = House::open();
    let mut idle = Vec::new();
    for turn in 0..1_000 {
        let address = if turn % 2 == 0 { house.rig.grpc } else { house.rig.http };
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Some have said nothing, some half a request, some a preface of HTTP/2, some had an answer.
        let said: &[u8] = match turn % 8 {
            0 | 1 => b"",
            2 | 3 => b"POST /v1/tra",
            4 | 5 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            _ => b"OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n",
        };
        stream.write_all(said).await.unwrap();
        idle.push(stream);
    }
    for _ in 0..20 {
        house.assert_well().await;
    }
    let mut first = [0; 12];
    idle[7].read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 204", "it was served, and stays open");
    assert!(house.rig.feed.board().mishaps().iter().all(|mishap| !mishap.advice.contains("connections wait")));
}

/// A sender that asks and asks and never reads an answer: what it costs is bounded by what its socket holds.
#[tokio::test]
async fn a_sender_that_never_listens_holds_up_nobody() {
    let house = House::open();
    let mut deaf = Line::to(house.rig.http).await;
    let request = [head(9).as_bytes(), &[0xff; 9]].concat();
    let burst = request.repeat(200);
    let mut written = 0;
    // The receiver stops reading once its answers are stuck.
    while let Ok(Ok(())) = tokio::time::timeout(Duration::from_millis(300), deaf.0.write_all(&burst)).await {
        written += burst.len();
        assert!(written < 512 << 20, "it reads without end");
    }
    let answer = post(house.rig.http, &[PROTOBUF], &good(TraceId([8; 16]))).await;
    assert_eq!(answer.status, 200);
    assert!(house.rig.feed.held() < 512, "a piece of one body at most");
    drop(deaf);
    house.rig.until(|feed| feed.held() == 0).await;
    house.assert_well().await;
}
