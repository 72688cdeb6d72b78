//! Verification of server certificates, as in browsers.
//!
//! Each server gets a TLS configuration with its own verifier ([`ServerVerifier`]). The trusted authorities are those
//! of the system and of `fetch.extra_ca`, by the rules of the platform.
//!
//! ```text
//!  handshake ─► verified ─────────────────────────────────────────────► the page is read
//!           ├─► an issuer is missing, and known ([`issuers`]) ────────► the page is read
//!           ├─► an issuer is missing ─► it is fetched ([`issuer_download`]) ─► one more handshake
//!           └─► anything else ─► fetch.tls = "verify": no page, the cause is reported ([`flaw`])
//!                             └► fetch.tls = "record": the page is read, with its flaw
//! ```

pub(super) mod certificate;
pub(super) mod flaw;
mod issuer_download;
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
use certificate::Chain;
use flaw::Refusal;
pub(super) use issuer_download::IssuerDownload;
use issuers::{IssuerStore, StillIncomplete};
use verifier::Authority;
pub(super) use verifier::ServerVerifier;

/// The TLS setup of all servers.
#[derive(Debug)]
pub(super) struct Tls {
    config: ClientConfig,
    authority: Arc<Authority>,
}

impl Tls {
    /// # Errors
    /// [`FetchError`] when `fetch.extra_ca` cannot be used, or TLS cannot be set up. With an authority in
    /// `fetch.extra_ca`, the system needs none.
    pub(super) fn new(config: &FetchConfig) -> Result<Self, FetchError> {
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
            // A resumed session shows no certificate, so a flaw that is new or fixed would go unnoticed.
            tls.resumption = Resumption::disabled();
        }
        let issuers = IssuerStore::new(config);
        Ok(Self {
            config: tls,
            authority: Arc::new(Authority { platform, algorithms, issuers, policy: config.tls }),
        })
    }

    /// The TLS configuration for connections to one server, and its verifier.
    pub(super) fn server(&self) -> (ClientConfig, Arc<ServerVerifier>) {
        let verifier = Arc::new(ServerVerifier::new(self.authority.clone()));
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(verifier.clone());
        (config, verifier)
    }

    /// Downloads the missing certificates of a server's chain, so that another handshake may succeed.
    ///
    /// # Errors
    /// [`Failure`] when the chain stays incomplete.
    pub(super) async fn complete(
        &self,
        chain: &Chain,
        server: &ServerVerifier,
        download: &IssuerDownload<'_>,
    ) -> Result<(), Failure> {
        let authority = &self.authority;
        let verify = |issuers: &[CertificateDer<'_>]| authority.verify(chain, issuers, UnixTime::now());
        let Err(StillIncomplete { error, obstacle }) =
            authority.issuers.complete(chain, verify, download).await
        else {
            return Ok(());
        };
        server.mark_incompletable(chain);
        if authority.policy == TlsPolicy::Record {
            return Ok(());
        }
        let mut cause = authority.worst_flaw(chain, &error).cause;
        if let Some(obstacle) = obstacle {
            cause = format!("{cause}, and its certificate is not available from {obstacle}");
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
