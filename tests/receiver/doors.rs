//! Sockets: both loopback addresses, busy ports, limits on connections.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tracefall::model::{DoorState, SourceId};
use tracefall::source::receiver::{Limits, ReceiverConfig, on_loopback};

use crate::rig::{JSON, JSON_TYPE, Line, Rig, config, post};

#[tokio::test]
async fn both_loopback_addresses_answer_on_one_port() {
    let rig = Rig::with(ReceiverConfig { grpc: on_loopback(0), http: on_loopback(0), ..config() });
    for source in 0..2 {
        let health = rig.source(source);
        assert_eq!(health.name, ["OTLP/gRPC", "OTLP/HTTP"][source]);
        for door in &health.doors {
            assert_eq!(door.state, DoorState::Open);
            assert_eq!(door.address.port(), health.doors[0].address.port());
            assert_eq!(post(door.address, &[JSON_TYPE], JSON.as_bytes()).await.status, 200, "{}", door.address);
        }
    }
}

#[tokio::test]
async fn busy_port_is_named_and_opens_when_it_is_free() {
    let other = TcpListener::bind("0.0.0.0:0").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], other.local_addr().unwrap().port()));
    let retry = Duration::from_millis(1);
    let limits = Limits { retry, retry_cap: Duration::from_millis(4), ..config().limits };
    let rig = Rig::with(ReceiverConfig { grpc: vec![address], limits, ..config() });
    assert!(matches!(rig.state(0, 0), DoorState::Busy { .. }));
    assert_eq!(post(rig.http, &[JSON_TYPE], JSON.as_bytes()).await.status, 200, "the other door works");
    let me = format!("(pid {})", std::process::id());
    let named = |state: &DoorState| match state {
        DoorState::Busy { holder, next_try } => {
            next_try.0 > 0 && (!cfg!(target_os = "linux") || holder.as_ref().is_some_and(|name| name.ends_with(&me)))
        }
        _ => false,
    };
    rig.until(|_| named(&rig.state(0, 0))).await;
    drop(other);
    rig.until(|_| rig.state(0, 0) == DoorState::Open).await;
    assert_eq!(post(address, &[JSON_TYPE], JSON.as_bytes()).await.status, 200);
}

/// The next try would come long after the test.
#[tokio::test]
async fn busy_port_is_tried_at_once_when_a_person_asks() {
    let other = TcpListener::bind("0.0.0.0:0").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], other.local_addr().unwrap().port()));
    let limits = Limits { retry: Duration::from_secs(3600), ..config().limits };
    let rig = Rig::with(ReceiverConfig { grpc: vec![address], limits, ..config() });
    rig.until(|_| matches!(rig.state(0, 0), DoorState::Busy { next_try, .. } if next_try.0 > 0)).await;
    drop(other);
    // Asked again and again: the first may come before it waits.
    rig.until(|feed| {
        feed.board().retry(SourceId(0));
        rig.state(0, 0) == DoorState::Open
    })
    .await;
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_their_turn() {
    let limits = Limits { connections: 1, ..config().limits };
    let rig = Rig::with(ReceiverConfig { limits, ..config() });
    // Each of the two doors may have taken the one permit for its next connection.
    let mut first = Line::to(rig.http).await;
    let mut second = Line::to(rig.grpc).await;
    let head = b"OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n";
    first.write(head).await;
    second.write(head).await;
    let (mut one, mut two) = ([0; 1], [0; 1]);
    let (served, waiting) = tokio::select! {
        count = first.0.read(&mut one) => (count.unwrap(), &mut second),
        count = second.0.read(&mut two) => (count.unwrap(), &mut first),
    };
    assert_eq!(served, 1);
    let early = tokio::time::timeout(Duration::from_millis(50), waiting.0.readable()).await;
    assert!(early.is_err(), "it waits");
    assert!(rig.mishap().advice.contains("new connections wait"), "{:?}", rig.mishap());
}

#[tokio::test]
async fn dropping_the_receiver_closes_its_connections() {
    let rig = Rig::start();
    let mut line = Line::to(rig.http).await;
    line.write(b"OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(line.answer().await.unwrap().status, 204);
    let address = rig.http;
    drop(rig);
    assert!(line.answer().await.is_none());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
