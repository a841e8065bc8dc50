//! What a receiver answers: `Export…ServiceResponse` and `google.rpc.Status`, in protobuf and in JSON.

use std::time::Duration;

use serde_json::json;

use super::put::{Wire, Writer};
use crate::model::{Receipt, Signal};

/// The type of a [`RetryInfo`](https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto)
/// in a status's details.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// The encoding of a request, and so of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// The body of a 200 answer: empty (protobuf) or `{}` (JSON) for full success, `partial_success` with the count
/// and the reasons in words where something was refused.
#[must_use]
pub fn response(signal: Signal, encoding: Encoding, receipt: &Receipt) -> Vec<u8> {
    let rejected = receipt.rejected_total();
    match encoding {
        Encoding::Protobuf if rejected == 0 => Vec::new(),
        Encoding::Json if rejected == 0 => b"{}".to_vec(),
        Encoding::Protobuf => {
            let mut out = Writer::default();
            let partial_success = out.open(1);
            out.tag(1, Wire::Varint);
            out.varint(rejected);
            out.delimited(2, refusal(signal, receipt).as_bytes());
            out.close(&partial_success);
            out.finish()
        }
        Encoding::Json => {
            let count = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
            };
            // Protobuf's JSON has 64-bit numbers as text.
            let message = refusal(signal, receipt);
            json!({"partialSuccess": {count: rejected.to_string(), "errorMessage": message}}).to_string().into_bytes()
        }
    }
}

/// Says how much was refused and why: "3 of 10 spans were refused: the item could not be read (3)".
fn refusal(signal: Signal, receipt: &Receipt) -> String {
    let rejected = receipt.rejected_total();
    let sent = receipt.accepted + rejected;
    let items = match (signal, sent) {
        (Signal::Traces, 1) => "span",
        (Signal::Traces, _) => "spans",
        (Signal::Logs, 1) => "log record",
        (Signal::Logs, _) => "log records",
        (Signal::Metrics, 1) => "data point",
        (Signal::Metrics, _) => "data points",
    };
    let were = if rejected == 1 { "was" } else { "were" };
    let reasons: Vec<String> =
        receipt.rejected.iter().map(|(reason, count)| format!("{} ({count})", reason.words())).collect();
    format!("{rejected} of {sent} {items} {were} refused: {}", reasons.join("; "))
}

/// The body of an error answer: a `google.rpc.Status` with `code` (gRPC numbering), `message`, and a
/// `google.rpc.RetryInfo` detail where a delay is given. In protobuf it is also what the gRPC trailer
/// `grpc-status-details-bin` carries (there in base64).
#[must_use]
pub fn status(encoding: Encoding, code: i32, message: &str, retry: Option<Duration>) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => protobuf_status(code, message, retry),
        Encoding::Json => {
            let mut status = json!({"code": code, "message": message});
            if let Some(delay) = retry {
                status["details"] = json!([{"@type": RETRY_INFO, "retryDelay": seconds(delay)}]);
            }
            status.to_string().into_bytes()
        }
    }
}

fn protobuf_status(code: i32, message: &str, retry: Option<Duration>) -> Vec<u8> {
    let mut out = Writer::default();
    out.tag(1, Wire::Varint);
    out.varint(i64::from(code).cast_unsigned());
    out.delimited(2, message.as_bytes());
    if let Some(delay) = retry {
        let any = out.open(3);
        out.delimited(1, RETRY_INFO.as_bytes());
        let retry_info = out.open(2);
        let duration = out.open(1);
        out.tag(1, Wire::Varint);
        out.varint(delay.as_secs());
        out.tag(2, Wire::Varint);
        out.varint(u64::from(delay.subsec_nanos()));
        out.close(&duration);
        out.close(&retry_info);
        out.close(&any);
    }
    out.finish()
}

/// A duration as protobuf's JSON has it: seconds with none, three, six or nine decimals.
fn seconds(delay: Duration) -> String {
    let (whole, nanos) = (delay.as_secs(), delay.subsec_nanos());
    match nanos {
        0 => format!("{whole}s"),
        _ if nanos % 1_000_000 == 0 => format!("{whole}.{:03}s", nanos / 1_000_000),
        _ if nanos % 1_000 == 0 => format!("{whole}.{:06}s", nanos / 1_000),
        _ => format!("{whole}.{nanos:09}s"),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
    use prost::Message;
    use serde_json::Value;

    use super::*;
    use crate::model::RejectReason;

    const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

    /// `google.rpc.Status` and what it holds, as their `.proto` files have them.
    #[derive(Clone, PartialEq, Message)]
    struct RpcStatus {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
        #[prost(message, repeated, tag = "3")]
        details: Vec<Any>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Any {
        #[prost(string, tag = "1")]
        type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        retry_delay: Option<ProtoDuration>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct ProtoDuration {
        #[prost(int64, tag = "1")]
        seconds: i64,
        #[prost(int32, tag = "2")]
        nanos: i32,
    }

    fn refused() -> Receipt {
        let mut receipt = Receipt { accepted: 5, ..Receipt::default() };
        receipt.reject(RejectReason::InvalidTraceId, 200);
        receipt.reject(RejectReason::MalformedSpan, 1);
        receipt
    }

    const WORDS: &str = "refused: trace id is not 16 bytes or is all zero (200); the item could not be read (1)";

    #[test]
    fn full_success_says_nothing() {
        let receipt = Receipt { accepted: 5, duplicates: 2, ..Receipt::default() };
        for signal in SIGNALS {
            assert!(response(signal, Encoding::Protobuf, &receipt).is_empty());
            assert_eq!(response(signal, Encoding::Json, &receipt), b"{}");
        }
    }

    #[test]
    fn partial_success_counts_and_explains_in_protobuf() {
        let traces = response(Signal::Traces, Encoding::Protobuf, &refused());
        let expected =
            ExportTracePartialSuccess { rejected_spans: 201, error_message: format!("201 of 206 spans were {WORDS}") };
        assert_eq!(ExportTraceServiceResponse::decode(&traces[..]).unwrap().partial_success, Some(expected));

        let logs = response(Signal::Logs, Encoding::Protobuf, &refused());
        let partial = ExportLogsServiceResponse::decode(&logs[..]).unwrap().partial_success.unwrap();
        assert_eq!(partial.rejected_log_records, 201);
        assert_eq!(partial.error_message, format!("201 of 206 log records were {WORDS}"));

        let metrics = response(Signal::Metrics, Encoding::Protobuf, &refused());
        let partial = ExportMetricsServiceResponse::decode(&metrics[..]).unwrap().partial_success.unwrap();
        assert_eq!(partial.rejected_data_points, 201);
        assert_eq!(partial.error_message, format!("201 of 206 data points were {WORDS}"));
    }

    #[test]
    fn partial_success_counts_and_explains_in_json() {
        for (signal, count, items) in [
            (Signal::Traces, "rejectedSpans", "spans"),
            (Signal::Logs, "rejectedLogRecords", "log records"),
            (Signal::Metrics, "rejectedDataPoints", "data points"),
        ] {
            let body: Value = serde_json::from_slice(&response(signal, Encoding::Json, &refused())).unwrap();
            let message = format!("201 of 206 {items} were {WORDS}");
            assert_eq!(body, json!({"partialSuccess": {count: "201", "errorMessage": message}}));
        }
    }

    #[test]
    fn a_single_span_is_spoken_of_in_the_singular() {
        let mut receipt = Receipt::default();
        receipt.reject(RejectReason::InvalidSpanId, 1);
        let expected = "1 of 1 span was refused: span id is not 8 bytes or is all zero (1)";
        assert_eq!(refusal(Signal::Traces, &receipt), expected);
    }

    #[test]
    fn a_status_reads_back_in_both_encodings() {
        for (code, message, retry, delay) in [
            (3, "the body is \"broken\"\n", None, None),
            (14, "no room", Some(Duration::from_secs(1)), Some("1s")),
            (8, "no room", Some(Duration::from_millis(1_500)), Some("1.500s")),
            (8, "", Some(Duration::from_micros(20)), Some("0.000020s")),
            (-1, "odd", Some(Duration::new(0, 7)), Some("0.000000007s")),
            (0, "no delay", Some(Duration::ZERO), Some("0s")),
        ] {
            let read = RpcStatus::decode(&status(Encoding::Protobuf, code, message, retry)[..]).unwrap();
            assert_eq!((read.code, read.message.as_str()), (code, message));
            let delays: Vec<Duration> = read.details.iter().map(retry_delay).collect();
            assert_eq!(delays, Vec::from_iter(retry));

            let body: Value = serde_json::from_slice(&status(Encoding::Json, code, message, retry)).unwrap();
            let mut expected = json!({"code": code, "message": message});
            if let Some(delay) = delay {
                expected["details"] =
                    json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]);
            }
            assert_eq!(body, expected);
        }
    }

    fn retry_delay(detail: &Any) -> Duration {
        assert_eq!(detail.type_url, "type.googleapis.com/google.rpc.RetryInfo");
        let delay = RetryInfo::decode(&detail.value[..]).unwrap().retry_delay.unwrap();
        Duration::new(delay.seconds.try_into().unwrap(), delay.nanos.try_into().unwrap())
    }
}
