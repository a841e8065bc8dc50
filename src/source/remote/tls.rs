//! Secure connections, without C: rustls with the cryptography of Graviola.

use std::path::Path;
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::server::Server;

/// A configuration that trusts what `server` says, on top of the authorities of the system. Reads files.
pub(super) fn config(server: &Server) -> Result<ClientConfig, String> {
    let provider = Arc::new(provider()?);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|fault| fault.to_string())?;
    let builder = if server.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Trusting(provider)))
    } else {
        builder.with_root_certificates(roots(server.ca_file.as_deref())?)
    };
    let Some((cert, key)) = &server.client else { return Ok(builder.with_no_client_auth()) };
    let (chain, shown) = (certificates(cert)?, cert.display());
    let key = PrivateKeyDer::from_pem_file(key).map_err(|fault| format!("cannot read {}: {fault}", key.display()))?;
    builder.with_client_auth_cert(chain, key).map_err(|fault| format!("{shown} and its key are not usable: {fault}"))
}

/// The certificates in a file, of which there is at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let unreadable = |fault| format!("cannot read {shown}: {fault}");
    let read = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(unreadable)?;
    if read.is_empty() { Err(format!("there is no certificate in {shown}")) } else { Ok(read) }
}

/// `connector` over TLS. `two`: HTTP/2, which gRPC needs.
pub(super) fn wrap(config: ClientConfig, two: bool, connector: HttpConnector) -> HttpsConnector<HttpConnector> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_only();
    if two {
        builder.enable_http2().wrap_connector(connector)
    } else {
        builder.enable_http1().wrap_connector(connector)
    }
}

fn roots(own: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is of no use to anyone here; what is signed by it will say so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = own {
        let unusable = |fault| format!("a certificate in {} is not usable: {fault}", path.display());
        certificates(path)?.into_iter().try_for_each(|certificate| roots.add(certificate).map_err(unusable))?;
    }
    if roots.is_empty() {
        return Err("this system has no certificate authorities; name a file with the server's".to_owned());
    }
    Ok(roots)
}

/// The cryptography, where this processor can do it: it would panic otherwise.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn provider() -> Result<CryptoProvider, String> {
    match lacking() {
        None => Ok(rustls_graviola::default_provider()),
        Some(feature) => Err(format!("TLS cannot be spoken on this processor: it lacks {feature}")),
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn provider() -> Result<CryptoProvider, String> {
    Err("TLS cannot be spoken on this processor: only x86-64 and ARM64 are supported".to_owned())
}

/// What Graviola asks of a processor and this one does not have.
#[cfg(target_arch = "x86_64")]
fn lacking() -> Option<&'static str> {
    let features = [
        ("AES", std::arch::is_x86_feature_detected!("aes")),
        ("PCLMULQDQ", std::arch::is_x86_feature_detected!("pclmulqdq")),
        ("SSSE3", std::arch::is_x86_feature_detected!("ssse3")),
        ("BMI1", std::arch::is_x86_feature_detected!("bmi1")),
        ("BMI2", std::arch::is_x86_feature_detected!("bmi2")),
        ("ADX", std::arch::is_x86_feature_detected!("adx")),
        ("AVX", std::arch::is_x86_feature_detected!("avx")),
        ("AVX2", std::arch::is_x86_feature_detected!("avx2")),
    ];
    features.into_iter().find(|(_, there)| !there).map(|(name, _)| name)
}

/// What Graviola asks of a processor and this one does not have.
#[cfg(target_arch = "aarch64")]
fn lacking() -> Option<&'static str> {
    let features = [
        ("NEON", std::arch::is_aarch64_feature_detected!("neon")),
        ("AES", std::arch::is_aarch64_feature_detected!("aes")),
        ("PMULL", std::arch::is_aarch64_feature_detected!("pmull")),
        ("SHA2", std::arch::is_aarch64_feature_detected!("sha2")),
    ];
    features.into_iter().find(|(_, there)| !there).map(|(name, _)| name)
}

/// Takes any certificate, as its user asked; that the server holds its key is still checked.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
