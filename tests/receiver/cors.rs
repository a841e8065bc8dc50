//! Web pages: who may send, and what their browser is told.

use tracefall::model::RejectReason;
use tracefall::source::receiver::{Origins, ReceiverConfig};

use crate::rig::{Answer, JSON, JSON_TYPE, Rig, config, post, send};

fn granted(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials"))
}

const PAGE: &str = "origin: http://localhost:3100";
const GRANT: (Option<&str>, Option<&str>) = (Some("http://localhost:3100"), Some("true"));

#[tokio::test]
async fn preflight_of_a_local_page_is_granted_what_it_asks() {
    let rig = Rig::start();
    let headers = [
        PAGE,
        "access-control-request-method: POST",
        "access-control-request-headers: authorization,content-encoding,content-type",
        "access-control-request-private-network: true",
    ];
    let answer = send(rig.http, "OPTIONS /v1/traces", &headers, b"").await;
    assert_eq!(answer.status, 204);
    assert_eq!(granted(&answer), GRANT);
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    let mirrored = Some("authorization,content-encoding,content-type");
    assert_eq!(answer.header("access-control-allow-headers"), mirrored);
    assert_eq!(answer.header("access-control-max-age"), Some("7200"));
    assert_eq!(answer.header("access-control-allow-private-network"), Some("true"));
    assert_eq!(answer.header("vary"), Some("Origin"));
}

#[tokio::test]
async fn post_of_a_local_page_can_read_its_answer_even_an_error() {
    let rig = Rig::start();
    let cases = [("/v1/traces", JSON, 200), ("/v1/traces", "{", 400), ("/v1/trace", JSON, 404)];
    for (path, body, status) in cases {
        let answer = send(rig.http, &format!("POST {path}"), &[PAGE, JSON_TYPE], body.as_bytes()).await;
        assert_eq!(answer.status, status);
        assert_eq!(granted(&answer), GRANT, "{path}");
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
    assert_eq!(rig.taken(), 1);
}

#[tokio::test]
async fn beacon_with_credentials_is_taken() {
    let rig = Rig::start();
    let answer = post(rig.http, &[PAGE, JSON_TYPE, "cookie: session=1"], JSON.as_bytes()).await;
    assert_eq!((answer.status, granted(&answer)), (200, GRANT));
}

#[tokio::test]
async fn foreign_page_is_refused_before_its_body_counts() {
    let rig = Rig::start();
    for address in [rig.http, rig.grpc] {
        let answer = post(address, &["origin: https://evil.example", JSON_TYPE], JSON.as_bytes()).await;
        assert_eq!((answer.status, granted(&answer)), (403, (None, None)));
    }
    let grpc = ["origin: https://evil.example", "content-type: application/grpc"];
    assert_eq!(post(rig.grpc, &grpc, b"").await.header("grpc-status"), Some("7"));
    let preflight = ["origin: https://evil.example", "access-control-request-method: POST"];
    let answer = send(rig.http, "OPTIONS /v1/traces", &preflight, b"").await;
    assert_eq!((answer.status, granted(&answer)), (403, (None, None)));
    assert_eq!(rig.taken(), 0);
    assert_eq!(rig.rejected(RejectReason::BadRequest), 4);
    assert!(rig.mishap().advice.contains("https://evil.example"), "{:?}", rig.mishap());
}

#[tokio::test]
async fn configured_pages_are_granted_by_name() {
    for (more, origin) in [("https://app.example", "https://app.example"), ("*", "https://any.example")] {
        let origins = Origins { more: vec![more.to_owned()] };
        let rig = Rig::with(ReceiverConfig { origins, ..config() });
        let answer = post(rig.http, &[&format!("origin: {origin}"), JSON_TYPE], JSON.as_bytes()).await;
        assert_eq!((answer.status, granted(&answer)), (200, (Some(origin), Some("true"))));
    }
}

#[tokio::test]
async fn sender_without_an_origin_is_not_bothered() {
    let rig = Rig::start();
    let answer = post(rig.http, &[JSON_TYPE], JSON.as_bytes()).await;
    assert_eq!((answer.status, granted(&answer)), (200, (None, None)));
    let answer = send(rig.http, "OPTIONS /v1/traces", &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (204, Some("POST, OPTIONS")));
}
