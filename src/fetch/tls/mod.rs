//! Whether a server is whose name it bears, judged as browsers judge it.
//!
//! Each server gets a TLS configuration with a verifier of its own ([`ServerVerifier`]). Trusted are the system's
//! authorities and those of `fetch.extra_ca`, by the rules of the platform.
//!
//! ```text
//!  handshake ─► verified ─────────────────────────────────────────────► the page is read
//!           ├─► an issuer is missing, and known ([`issuers`]) ────────► the page is read
//!           ├─► an issuer is missing ─► it is fetched ([`download`]) ─► one more handshake
//!           └─► anything else ─► fetch.tls = "verify": no page, the cause is told ([`flaw`])
//!                             └► fetch.tls = "record": the page is read, with its flaw
//! ```

mod certificate;
mod download;
mod flaw;
mod issuers;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls_platform_verifier::Verifier;

use super::FetchError;
use super::failure::Failure;
use crate::config::{FetchConfig, TlsPolicy};
use crate::model::FailureKind;
pub(super) use certificate::Chain;
pub(super) use download::Download;
pub(super) use flaw::Refusal;
use issuers::{Incomplete, IssuerStore};
use verifier::Authority;
pub(super) use verifier::ServerVerifier;

/// TLS of all servers. See the module.
#[derive(Debug)]
pub(super) struct Tls {
    config: ClientConfig,
    authority: Arc<Authority>,
}

impl Tls {
    /// # Errors
    /// [`FetchError`] when `fetch.extra_ca` cannot be used, or no TLS can be set up. With an authority of
    /// `fetch.extra_ca`, a system that has none will do.
    pub fn new(config: &FetchConfig) -> Result<Self, FetchError> {
        let unusable = |error: rustls::Error| FetchError::Client(error.to_string());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let platform = Verifier::new_with_extra_roots(extra_authorities(config)?, Arc::clone(&provider));
        let platform = Arc::new(platform.map_err(unusable)?);
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(platform.clone())
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if config.tls == TlsPolicy::Record {
            // A resumed session shows no certificate, and so hides a flaw that has gone or come.
            tls.resumption = Resumption::disabled();
        }
        let issuers = IssuerStore::new(config);
        Ok(Self {
            config: tls,
            authority: Arc::new(Authority { platform, algorithms, issuers, policy: config.tls }),
        })
    }

    /// What connections to one server go by, and its verifier.
    pub fn server(&self) -> (ClientConfig, Arc<ServerVerifier>) {
        let verifier = Arc::new(ServerVerifier::new(self.authority.clone()));
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(verifier.clone());
        (config, verifier)
    }

    /// Fetches the certificates that the chain of a server lacks, so that another handshake may succeed.
    ///
    /// # Errors
    /// [`Failure`] when it cannot.
    pub async fn complete(
        &self,
        chain: &Chain,
        server: &ServerVerifier,
        download: &Download<'_>,
    ) -> Result<(), Failure> {
        let authority = &self.authority;
        let verify = |issuers: &[CertificateDer<'_>]| authority.verify(chain, issuers, UnixTime::now());
        let Err(Incomplete { error, obstacle }) = authority.issuers.complete(chain, verify, download).await
        else {
            return Ok(());
        };
        server.give_up(chain);
        if authority.policy == TlsPolicy::Record {
            return Ok(());
        }
        let mut cause = authority.judge(chain, &error).cause;
        if let Some(obstacle) = obstacle {
            cause = format!("{cause}, and its certificate could not be had from {obstacle}");
        }
        Err(Failure::new(FailureKind::Tls, Refusal::new(&cause, None).to_string()))
    }
}

fn extra_authorities(config: &FetchConfig) -> Result<Vec<CertificateDer<'static>>, FetchError> {
    let file = &config.extra_ca;
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let pem = std::fs::read(file)
        .map_err(|error| FetchError::AuthoritiesUnreadable { file: file.clone(), error })?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(FetchError::NoAuthorities(file.clone())),
    }
}
