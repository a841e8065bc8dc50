//! Secure servers, and those that are not to be trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use tracefall::source::remote::{Flavor, Remote, RemoteError, Server};

use crate::fake::{Fake, json, reply};

pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn acceptor(name: &str) -> TlsAcceptor {
    TlsAcceptor::from(Arc::new(configured(name, false)))
}

/// `wants`: a certificate of whoever asks.
pub(crate) fn configured(name: &str, wants: bool) -> ServerConfig {
    let chain = vec![CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls_graviola::default_provider());
    let config =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    if !wants {
        return config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("clients.pem")).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    config.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap()
}

async fn secure(name: &str) -> Fake {
    Fake::start_with(Some(acceptor(name)), |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["s"]}"#),
        _ => reply(404, "", ""),
    })
    .await
}

fn at(fake: &Fake) -> Server {
    Server::new(&format!("https://{}", fake.address)).unwrap()
}

#[tokio::test]
async fn a_secure_server_is_trusted_by_its_authority_or_not_at_all() {
    let (good, wrong) = (secure("localhost").await, secure("elsewhere").await);
    let cases = [
        (at(&good).ca_file(file("ca.pem")), ""),
        (at(&good), "certificate is not trusted"),
        (at(&good).insecure(), ""),
        (at(&wrong).ca_file(file("ca.pem")), "certificate is not trusted"),
        (at(&wrong).insecure(), ""),
        (at(&good).ca_file(file("none.pem")), "cannot read"),
        (at(&good).ca_file(file("localhost.key")), "no certificate in"),
    ];
    for (server, expected) in cases {
        let shown = format!("{server:?}");
        match Remote::connect(server, Flavor::Jaeger).await {
            Ok(remote) => {
                assert_eq!(expected, "", "{shown}");
                assert_eq!(remote.services().await.unwrap(), ["s"]);
            }
            Err(fault) => {
                let told = matches!(fault, RemoteError::Tls { .. }) && !expected.is_empty();
                assert!(told && fault.to_string().contains(expected), "{shown}: {fault}");
            }
        }
    }
}

#[tokio::test]
async fn secure_and_plain_are_told_apart() {
    let (secure, plain) = (secure("localhost").await, Fake::start(|_| reply(404, "", "")).await);
    let fault = Remote::connect(at(&plain), Flavor::Jaeger).await.unwrap_err();
    assert!(matches!(fault, RemoteError::Tls { .. } | RemoteError::Connect { .. }), "{fault}");
    let fault = Remote::connect(secure.server(), Flavor::Jaeger).await.unwrap_err();
    assert!(fault.to_string().contains("http"), "{fault}");
}

#[tokio::test]
async fn a_server_that_wants_to_know_who_asks_is_shown_a_certificate() {
    let acceptor = TlsAcceptor::from(Arc::new(configured("localhost", true)));
    let fake = Fake::start_with(Some(acceptor), |asked| match asked.bare() {
        "/api/v3/services" => json(r#"{"services":["s"]}"#),
        _ => reply(404, "", ""),
    })
    .await;
    let trusting = || at(&fake).ca_file(file("ca.pem"));
    let known = trusting().client_cert(file("client.pem"), file("client.key"));
    let remote = Remote::connect(known, Flavor::Jaeger).await.unwrap();
    assert_eq!(remote.services().await.unwrap(), ["s"]);
    for (server, expected) in [
        (trusting(), ""),
        // Not what that authority signed.
        (trusting().client_cert(file("localhost.pem"), file("localhost.key")), ""),
        (trusting().client_cert(file("none.pem"), file("client.key")), "cannot read"),
        (trusting().client_cert(file("client.pem"), file("client.pem")), "cannot read"),
        (trusting().client_cert(file("client.pem"), file("localhost.key")), "not usable"),
    ] {
        let fault = Remote::connect(server, Flavor::Jaeger).await.unwrap_err();
        assert!(fault.to_string().contains(expected), "{fault}");
    }
}
