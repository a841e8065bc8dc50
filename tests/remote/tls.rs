//! Secure servers, and those that are not to be trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tracefall::source::remote::{Flavor, Remote, RemoteError, Server};

use crate::fake::{Fake, json, reply};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn acceptor(name: &str) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls_graviola::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()))
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
