//! Files of every kind, wrecked: whatever is in them, reading ends, and each piece is taken or told of.

use std::io::Write as _;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::*;
use crate::model::{Signal, Timestamp};
use crate::source::feed;

/// What became of a file's bytes: bodies that arrived, faults that were told, and the end.
type Outcome = (Vec<(Signal, usize)>, Vec<String>, Result<(), FileError>);

/// Reads a file with these bytes in front of an index that takes everything but what does not begin as a message.
fn read(bytes: &[u8], limit: usize) -> Outcome {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let tell: Tell = {
        let told = Arc::clone(&told);
        Arc::new(move |fault| told.lock().unwrap().push(format!("{}: {}", fault.place, fault.what)))
    };
    let (feed, queue) = feed(limit * 2, 4, Arc::new(|| Timestamp(1)));
    let index = thread::spawn(move || {
        let mut taken = Vec::new();
        while let Ok(item) = queue.next(Duration::from_secs(30)) {
            let delivery = item.delivery();
            let good = delivery.body.first().is_none_or(|first| *first == 0x0a);
            taken.push((delivery.signal, delivery.body.len()));
            item.reply(if good { Ok(Receipt::default()) } else { Err("broken".to_owned()) });
        }
        taken
    });
    let files = Files::open(&[file.path().to_owned()], Limits { piece: limit, document: limit }, tell).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = runtime.block_on(files.run(feed));
    let told = told.lock().unwrap().clone();
    (index.join().unwrap(), told, result)
}

fn body() -> Vec<u8> {
    let span = r#"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"a","startTimeUnixNano":"7"}"#;
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
    json.into_bytes()
}

#[test]
fn what_a_request_carries_shows_in_its_first_record() {
    let logs =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"7","body":{"stringValue":"a"}}]}]}]}"#;
    let metrics = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[]}}]}]}]}"#;
    let lines = [&body()[..], logs, metrics].join(&b'\n');
    let (taken, told, result) = read(&lines, 1 << 16);
    let signals = [Signal::Traces, Signal::Logs, Signal::Metrics];
    assert_eq!(taken.iter().map(|(signal, _)| *signal).collect::<Vec<_>>(), signals);
    assert!(told.is_empty() && result.is_ok(), "{told:?}");
    // The same as frames of protobuf, where nothing names the signal.
    let mut frames = Vec::new();
    for (signal, text) in signals.iter().zip([&body()[..], logs, metrics]) {
        let protobuf = crate::otlp::json::to_protobuf(*signal, text).unwrap().protobuf;
        frames.extend(u32::try_from(protobuf.len()).unwrap().to_be_bytes());
        frames.extend(protobuf);
    }
    let (framed, told, _) = read(&frames, 1 << 16);
    assert_eq!((framed, told), (taken, Vec::new()));
}

/// The same in every run.
#[test]
fn wrecked_files_end_and_each_piece_is_taken_or_told() {
    let line = [&body()[..], b"\n"].concat();
    let protobuf = crate::otlp::json::to_protobuf(Signal::Traces, &body()).unwrap().protobuf;
    let frame = [&u32::try_from(protobuf.len()).unwrap().to_be_bytes()[..], &protobuf].concat();
    let gzip = |plain: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    };
    let good = [line.repeat(4), frame.repeat(4), gzip(&line.repeat(4)), gzip(&frame.repeat(4))];
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 16).unwrap() % below
    };
    for turn in 0..400 {
        let mut bytes = good[turn % good.len()].clone();
        for _ in 0..=next(3) {
            let (at, bit) = (next(bytes.len()), next(8));
            bytes[at] ^= 1 << bit;
        }
        if next(2) == 0 {
            bytes.truncate(next(bytes.len()));
        }
        let limit = [64, 1 << 12][next(2)];
        let (taken, told, result) = read(&bytes, limit);
        match result {
            Ok(()) => {}
            Err(FileError::Unknown { .. }) => assert!(!told.is_empty(), "{bytes:02x?}"),
            Err(error) => panic!("{error}: {bytes:02x?}"),
        }
        assert!(taken.iter().all(|(_, length)| *length <= limit), "{bytes:02x?}");
    }
}

/// A line without an end is as long as the file: what it takes is bounded all the same.
#[test]
fn endless_line_takes_no_more_than_the_limit() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&body()).unwrap();
    encoder.write_all(b"\n{").unwrap();
    for _ in 0..64 {
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    encoder.write_all(&[&b"\n"[..], &body()].concat()).unwrap();
    let (taken, told, result) = read(&encoder.finish().unwrap(), 1 << 12);
    assert_eq!((taken.len(), told.len(), result.is_ok()), (2, 1, true), "{told:?}");
    assert!(told[0].starts_with("line 2: "), "{told:?}");
}

/// What a full disk leaves behind. As empty requests, zeros without end would be read one by one.
#[test]
fn zeros_without_end_are_told_of_once() {
    let frame = |body: &[u8]| [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat();
    let few = [frame(b"\x0a\x00"), frame(b""), frame(b"\x0a\x00")].concat();
    assert_eq!(read(&few, 1 << 12).1, [""; 0]);
    let (taken, told, result) = read(&[few, vec![0; 1 << 20]].concat(), 1 << 12);
    assert!(taken.len() < 2_000 && result.is_ok(), "{}", taken.len());
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with("nothing but zeros; what stands behind them is lost"), "{told:?}");
}

#[test]
fn a_paused_file_is_read_no_further_until_it_goes_on() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&[&body()[..], b"\n"].concat().repeat(20)).unwrap();
    let (feed, queue) = feed(1 << 20, 4, Arc::new(|| Timestamp(1)));
    let board = Arc::clone(feed.board());
    let limits = Limits { piece: 1 << 16, document: 1 << 16 };
    let files = Files::open(&[file.path().to_owned()], limits, Arc::new(|_| ())).unwrap();
    let reading =
        thread::spawn(move || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(files.run(feed)));
    let first = queue.next(Duration::from_secs(30)).unwrap();
    let source = first.delivery().source;
    board.pause(source, true);
    first.reply(Ok(Receipt::default()));
    // What it did not wait for would be here at once.
    assert!(queue.next(Duration::from_millis(100)).is_err());
    board.pause(source, false);
    for _ in 1..20 {
        queue.next(Duration::from_secs(30)).unwrap().reply(Ok(Receipt::default()));
    }
    reading.join().unwrap().unwrap();
}

#[test]
fn a_document_that_is_read_whole_counts_as_long_as_it_is_held() {
    let document = [&body()[..], &b" ".repeat(1 << 20)].concat();
    let (feed, queue) = feed(1 << 20, 4, Arc::new(|| Timestamp(1)));
    let mut aside = feed.aside();
    let mut text = Vec::new();
    whole::to_end(&mut &document[..], (8 << 20, &mut aside), &mut text).unwrap();
    assert!(queue.aside() >= 3 * document.len() && text == document);
    // What is longer than may be is read no further than that shows.
    text.clear();
    whole::to_end(&mut &document[..], (1000, &mut aside), &mut text).unwrap();
    assert_eq!(text.len(), 1001);
    text.clear();
    let lines = [&b"a".repeat(5 << 20)[..], b"\nb"].concat();
    assert_eq!(whole::line(&mut &lines[..], (8 << 20, &mut aside), &mut text).unwrap(), (5 << 20) + 1);
    drop(aside);
    assert_eq!(queue.aside(), 0);
}
