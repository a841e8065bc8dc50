//! The front door under broken and random bytes: HTTP/1 as text, HTTP/2 as frames, gRPC as messages.

use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::fixtures::frames;
use crate::doors::{CODINGS, Coding};
use crate::house::House;
use crate::rig::{JSON, LIMIT, gzip, protobuf};
use crate::wreck::{Random, budget, wreck};

/// Seconds that an answer may take which comes at once. Nothing here waits for a timer of the receiver's.
const PATIENCE: u32 = 60;
/// Connections at once.
const LINES: usize = 4;

/// Bodies by media type, each uncompressed and in every compression.
struct Corpus {
    bodies: Vec<(&'static str, Vec<Vec<u8>>)>,
    coded: Vec<(&'static str, &'static str, Vec<Vec<u8>>)>,
}

impl Corpus {
    fn new() -> Self {
        let mut binary = [frames("billing-java.traces.pb.gz"), frames("hmis-python-grpc.otlp.pb")].concat();
        binary.retain(|body| body.len() < 3_000);
        binary.extend([protobuf(), Vec::new()]);
        let text = [JSON, "{}", r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}"#];
        let text: Vec<Vec<u8>> = text.map(|text| text.as_bytes().to_vec()).into();
        let bodies = vec![("application/x-protobuf", binary), ("application/json", text)];
        let coded = bodies.iter().flat_map(|(media, bodies)| {
            let of = move |(name, coding): Coding| (*media, name, bodies.iter().map(|body| coding(body)).collect());
            CODINGS.into_iter().map(of)
        });
        let coded = coded.collect();
        Self { bodies, coded }
    }

    /// A body, as its media type and coding say or damaged.
    fn body(&self, random: &mut Random) -> (&'static str, &'static str, Vec<u8>) {
        if random.one_in(4) {
            // Damaged first, compressed then: what is broken lies behind the compression.
            let (media, bodies) = &self.bodies[random.below(self.bodies.len())];
            let body = wreck(bodies, random);
            return if random.one_in(2) { (media, "gzip", gzip(&body)) } else { (media, "identity", body) };
        }
        let (media, coding, bodies) = &self.coded[random.below(self.coded.len())];
        let body = if random.one_in(3) { wreck(bodies, random) } else { bodies[random.below(bodies.len())].clone() };
        (media, coding, body)
    }
}

fn pick<'a>(usual: &'a str, others: &[&'a str], random: &mut Random) -> &'a str {
    if random.one_in(6) { others[random.below(others.len())] } else { usual }
}

/// One request of HTTP/1, mostly in order.
fn request(corpus: &Corpus, random: &mut Random) -> Vec<u8> {
    let (media, coding, body) = corpus.body(random);
    let method = pick("POST", &["GET", "OPTIONS", "PUT", "PRI", "", "post", "P\u{f6}ST", "HEAD", "CONNECT"], random);
    let path = pick(
        "/v1/traces",
        &[
            "/v1/logs",
            "/v1/metrics",
            "/",
            "",
            "*",
            "/v1/traces?x=%00",
            "http://h/v1/traces",
            "/\x1b[2J",
            "//",
            "/v1/traces/",
        ],
        random,
    );
    let version = pick("HTTP/1.1", &["HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "HTTP/1.1 x"], random);
    let media = pick(media, &["", "text/plain", "application/grpc", "application/json;charset=x", "\x7f"], random);
    let coding = pick(coding, &["br", "gzip, gzip", "zstd", "", "IDENTITY,gzip", "gzip;q=1"], random);
    let mut out =
        format!("{method} {path} {version}\r\nhost: x\r\ncontent-type: {media}\r\ncontent-encoding: {coding}\r\n");
    out += pick(
        "",
        &["connection: close\r\n", "expect: 100-continue\r\n", "origin: null\r\n", "upgrade: h2c\r\n"],
        random,
    );
    let mut out = out.into_bytes();
    if random.one_in(3) {
        out.extend(b"transfer-encoding: chunked\r\n\r\n");
        let size = 1 + random.below(body.len() + 1);
        for chunk in body.chunks(size) {
            let extension = pick("", &[";a=b", " ", ";\"", ";;;;"], random);
            out.extend(format!("{:x}{extension}\r\n", chunk.len()).bytes());
            out.extend(chunk);
            out.extend(b"\r\n");
        }
        out.extend(pick("0\r\n\r\n", &["0\r\na: b\r\n\r\n", "00000000000000000\r\n\r\n", "-1\r\n"], random).bytes());
    } else {
        let length = body.len().to_string();
        let wrong = ["0", "1", "-1", "99999999999999999999", "1048577", "+5", "5, 5", "x"];
        out.extend(format!("content-length: {}\r\n\r\n", pick(&length, &wrong, random)).bytes());
        out.extend(body);
    }
    out
}

/// What is written to one connection of HTTP/1.
fn lines(corpus: &Corpus, random: &mut Random) -> Vec<u8> {
    if random.one_in(12) {
        return (0..random.below(300)).map(|_| random.byte()).collect();
    }
    let requests: Vec<Vec<u8>> = (0..=random.below(3)).map(|_| request(corpus, random)).collect();
    let stream = requests.concat();
    if random.one_in(2) { wreck(&[stream], random) } else { stream }
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header field without indexing or Huffman (RFC 7541, 6.2.2).
fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// What is written to one connection of HTTP/2: calls of gRPC and requests of OTLP/HTTP.
fn streams(corpus: &Corpus, random: &mut Random) -> Vec<u8> {
    const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let mut parts = vec![frame(4, 0, 0, &[])];
    for number in 0..=random.below(3) {
        let stream = 1 + 2 * u32::try_from(number).unwrap();
        let (media, coding, body) = corpus.body(random);
        let grpc = random.one_in(2);
        let (path, media, name) = if grpc {
            (EXPORT, "application/grpc", "grpc-encoding")
        } else {
            ("/v1/traces", media, "content-encoding")
        };
        let path = pick(path, &["/", "*", "/x/y", "/v1/logs"], random);
        let head = [
            field(":method", pick("POST", &["GET", "OPTIONS"], random)),
            field(":scheme", "http"),
            field(":authority", "x"),
            field(":path", path),
            field("content-type", media),
            field(name, coding),
        ];
        parts.push(frame(1, 4, stream, &head.concat()));
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let prefix = [&[u8::from(coding != "identity")], &length[..]].concat();
        let message = if grpc { [prefix, body].concat() } else { body };
        for piece in message.chunks(16_384) {
            parts.push(frame(0, 0, stream, piece));
        }
        parts.push(frame(0, 1, stream, &[]));
    }
    if random.one_in(4) {
        let odd = [
            frame(6, 0, 0, &[7; 8]),
            frame(8, 0, 0, &[0, 0, 0, 0]),
            frame(3, 0, 1, &[0, 0, 0, 8]),
            frame(99, 9, 9, &[9]),
        ];
        parts.insert(random.below(parts.len() + 1), odd[random.below(odd.len())].clone());
    }
    if random.one_in(8) {
        let (one, other) = (random.below(parts.len()), random.below(parts.len()));
        parts.swap(one, other);
    }
    let stream = parts.concat();
    let stream = if random.one_in(2) { wreck(&[stream], random) } else { stream };
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), stream].concat()
}

/// Writes `bytes`, closes that half and reads all that comes back. Fails where that takes for ever.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let talk = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Closed by a reset: millions of connections would use up the ports that wait otherwise.
        stream.set_zero_linger().unwrap();
        let (mut from, mut to) = stream.split();
        let mut all = Vec::new();
        let write = async {
            // The receiver may have hung up.
            let _ = to.write_all(bytes).await;
            let _ = to.shutdown().await;
        };
        let _ = tokio::join!(write, from.read_to_end(&mut all));
        all
    };
    let mut talk = Box::pin(talk);
    // Second by second: a machine that stood still for a minute is no receiver that hangs.
    for _ in 0..PATIENCE {
        if let Ok(all) = tokio::time::timeout(Duration::from_secs(1), &mut talk).await {
            return all;
        }
    }
    panic!("it hangs: {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]));
}

/// How many answers there are, and how many of them say that all was taken. Each is whole, and what its head says.
fn answers(mut rest: &[u8]) -> [u64; 2] {
    let mut counts = [0; 2];
    while !rest.is_empty() {
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&rest[..end]).expect("a head of text").to_lowercase();
        rest = &rest[end + 4..];
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status == 100 {
            continue;
        }
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        // The answer to a HEAD has the length of a body that does not come.
        let bare = length > 0 && (rest.is_empty() || rest.starts_with(b"HTTP/1."));
        let (body, after) = rest.split_at_checked(if bare { 0 } else { length }).expect("a whole body");
        rest = after;
        assert!(
            [200, 204, 400, 403, 404, 405, 408, 413, 415, 417, 414, 431, 429, 503, 505].contains(&status),
            "{head}"
        );
        assert_ne!((status, header("content-type")), (200, None), "{head}");
        match header("content-type") {
            _ if bare => {}
            Some("application/json") => {
                let value: Value = serde_json::from_slice(body).expect("JSON");
                assert!(status == 200 || value["message"].is_string(), "{head} {value}");
            }
            Some("application/x-protobuf") if status == 200 => drop(ExportTraceServiceResponse::decode(body).unwrap()),
            _ => {}
        }
        counts[usize::from(status == 200)] += 1;
    }
    counts
}

/// How many frames there are; each is whole and of a known type.
fn count_frames(mut rest: &[u8]) -> u64 {
    let mut count = 0;
    while let Some((head, after)) = rest.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        assert!(length <= 16_384 && head[3] <= 9, "{head:?}");
        rest = after.get(length..).unwrap_or_default();
        count += 1;
    }
    count
}

/// Runs `talk` on a few connections at once until the budget is spent, and looks after the receiver meanwhile.
async fn run<F>(usual: usize, seed: u64, talk: F)
where
    F: AsyncFn(&House, &Corpus, &mut Random) -> usize,
{
    let (house, corpus) = (House::open(), Corpus::new());
    let line = async |number: u64| {
        let mut random = Random(seed ^ number << 40);
        let (mut left, mut turn) = (budget(usual) / LINES, 0_u64);
        while left > 0 {
            left = left.saturating_sub(talk(&house, &corpus, &mut random).await + 1);
            turn += 1;
        }
        turn
    };
    let turns = tokio::join!(line(1), line(2), line(3), line(4));
    assert!(turns.0 > 0 && house.refused() > 0 && house.accepted() > 0);
    house.rig.until(|feed| feed.held() == 0).await;
    house.assert_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrecked_requests_of_http_1_are_answered() {
    let counts = std::sync::Mutex::new([0; 2]);
    run(400_000, 0x1234_5678_9abc_def1, async |house, corpus, random| {
        let bytes = lines(corpus, random);
        let address = if random.one_in(2) { house.rig.http } else { house.rig.grpc };
        let [refused, taken] = answers(&exchange(address, &bytes).await);
        let mut counts = counts.lock().unwrap();
        *counts = [counts[0] + refused, counts[1] + taken];
        bytes.len()
    })
    .await;
    let counts = counts.into_inner().unwrap();
    assert!(counts[0] > 20 && counts[1] > 20, "both happen: {counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrecked_frames_of_http_2_are_answered() {
    run(400_000, 0x0fed_cba9_8765_4321, async |house, corpus, random| {
        let bytes = streams(corpus, random);
        let address = if random.one_in(2) { house.rig.http } else { house.rig.grpc };
        // Not even settings come where the connection is reset at once.
        let _ = count_frames(&exchange(address, &bytes).await);
        assert!(bytes.len() < LIMIT);
        bytes.len()
    })
    .await;
}
