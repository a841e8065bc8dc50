//! From socket to acknowledgement: our doors with the index behind them, beside what a stock server spends only to
//! decode and drop. The same client sends the same bodies over loopback; the CPU time of the server's threads counts,
//! for ours those of the index too.

mod client;
mod ours;
mod stock;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tracefall::source::load::{Load, Shape};

use crate::clock::{self, Sample};
use crate::report::{Goal, Report};

pub(crate) use client::{Way, send};

/// Bodies a round sends.
const BODIES: usize = 400;
const ROUNDS: usize = 5;

pub(crate) fn group(report: &mut Report) {
    let bodies: Vec<_> = Load::new(Shape::default()).take(BODIES).collect();
    let rows = [
        (Way::Grpc, "grpc", "gRPC, indexed, against stock tonic that drops", Some(Goal::at_least(4.0, 5.0))),
        (Way::GrpcGzip, "grpc_gzip", "the same, gzipped", Some(Goal::at_least(3.0, 5.0))),
        (Way::Http, "http", "HTTP/1.1, indexed, against stock hyper that drops", Some(Goal::at_least(3.0, 5.0))),
    ];
    for (way, key, what, goal) in rows {
        let requests: Vec<Bytes> = bodies.iter().map(|body| way.encode(body)).collect();
        let (mut ours, mut stock) = (Sample::default(), Sample::default());
        for _ in 0..ROUNDS {
            ours.push(ours::round(way, &requests));
            stock.push(stock::round(way, &requests));
        }
        report.sample((&format!("{key}_ns"), &format!("{key}: ours, server CPU a span"), "ns"), &ours, None);
        report.sample((&format!("{key}_stock_ns"), &format!("{key}: stock, server CPU a span"), "ns"), &stock, None);
        report.ratio((&format!("{key}_vs_stock"), what), &stock, &ours, goal);
    }
}

/// A runtime of two workers, as `run` has it, whose threads have this name.
fn runtime(name: &str) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    // A thread that ended would take its CPU time with it.
    builder.thread_keep_alive(std::time::Duration::from_secs(3_600));
    builder.worker_threads(2).thread_name(name).enable_all().build().unwrap()
}

/// CPU time a span that the threads of these names spend while `send` runs, ns.
fn spent(names: &[&str], spans: usize, send: impl FnOnce()) -> f64 {
    let read = || names.iter().flat_map(|name| clock::threads(name)).map(|(_, time)| time).sum::<u64>();
    let before = read();
    send();
    (read() - before) as f64 / spans as f64
}
