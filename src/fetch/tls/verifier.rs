//! The certificate verifier of one server.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use webpki::RawPublicKeyEntity;

use super::certificate::{Chain, public_key};
use super::flaw::{Flaw, Refusal};
use super::issuers::IssuerStore;
use crate::config::TlsPolicy;
use crate::model::TlsFlaw;

/// The state shared by the verifiers of all servers.
#[derive(Debug)]
pub(super) struct Authority {
    /// The platform verifier, which knows the roots.
    pub platform: Arc<dyn ServerCertVerifier>,
    pub algorithms: WebPkiSupportedAlgorithms,
    pub issuers: IssuerStore,
    pub policy: TlsPolicy,
}

impl Authority {
    /// Verifies a chain with these issuers in addition to its own.
    pub(super) fn verify(
        &self,
        chain: &Chain,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        let intermediates = [&chain.intermediates, issuers].concat();
        let verified = self.platform.verify_server_cert(&chain.leaf, &intermediates, &chain.name, &[], now);
        match verified {
            Ok(_) => Ok(()),
            Err(rustls::Error::InvalidCertificate(error)) => Err(error),
            Err(error) => Err(CertificateError::Other(OtherError(Arc::new(error)))),
        }
    }

    /// The most severe flaw of a chain that is rejected with `error`, given the cached issuers.
    pub(super) fn worst_flaw(&self, chain: &Chain, error: &CertificateError) -> Flaw {
        Flaw::worst(error, chain, |time| self.verify(chain, &self.issuers.cached_issuers(chain), time))
    }
}

/// Verifies the certificates of one server, and stores their flaw.
///
/// A resumed TLS session skips the certificate check, but only under the verifier that it started with. Under
/// `fetch.tls = "record"` no session is resumed. So the stored flaw is that of the last handshake with the server,
/// and of each kept connection.
pub(in crate::fetch) struct ServerVerifier {
    authority: Arc<Authority>,
    state: Mutex<VerifierState>,
}

#[derive(Default)]
struct VerifierState {
    flaw: Option<TlsFlaw>,
    /// The certificate whose chain could not be completed, and how long that counts.
    given_up: Option<(CertificateDer<'static>, Instant)>,
}

impl ServerVerifier {
    pub(super) fn new(authority: Arc<Authority>) -> Self {
        Self { authority, state: Mutex::default() }
    }

    /// The flaw of a server that is read nevertheless.
    pub(crate) fn flaw(&self) -> Option<TlsFlaw> {
        self.lock().flaw
    }

    /// Records that a chain cannot be completed for now.
    pub(super) fn mark_incompletable(&self, chain: &Chain) {
        let until = Instant::now() + self.authority.issuers.negative_ttl();
        self.lock().given_up = Some((chain.leaf.clone(), until));
    }

    /// Decides on a handshake whose chain is rejected with `error`.
    fn decide(&self, chain: Chain, error: &CertificateError) -> Result<(), Refusal> {
        let flaw = self.authority.worst_flaw(&chain, error);
        let mut state = self.lock();
        let given_up = state.given_up.as_ref();
        let given_up = given_up.is_some_and(|(leaf, until)| *leaf == chain.leaf && *until > Instant::now());
        let lacks_issuer = flaw.kind == TlsFlaw::UnknownIssuer && !given_up;
        if lacks_issuer && self.authority.issuers.may_complete(&chain) {
            return Err(Refusal::new(&flaw.cause, Some(chain)));
        }
        match self.authority.policy {
            TlsPolicy::Verify => Err(Refusal::new(&flaw.cause, None)),
            TlsPolicy::Record => {
                state.flaw = Some(flaw.kind);
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VerifierState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verifies a handshake signature with the key of a flawed certificate that does not parse as a server
    /// certificate, for example one of X.509 version 1.
    fn verify_by_key(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        refused: rustls::Error,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let is_read = !matches!(refused, rustls::Error::InvalidCertificate(CertificateError::BadSignature));
        let key = public_key(certificate).filter(|_| is_read && self.flaw().is_some());
        let Some(key) = key else { return Err(refused) };
        let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return Err(refused) };
        let mapping = self.authority.algorithms.mapping.iter();
        let mut algorithms = mapping.filter(|(scheme, _)| *scheme == signed.scheme).flat_map(|(_, all)| *all);
        let verified = |algorithm: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
            key.verify_signature(*algorithm, message, signed.signature()).is_ok()
        };
        algorithms.any(verified).then(HandshakeSignatureValid::assertion).ok_or(refused)
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authority = &self.authority;
        let mut error = match authority.platform.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(error)) => error,
            other => {
                self.lock().flaw = None;
                return other;
            }
        };
        let chain = Chain::new(leaf, intermediates, name);
        if error == CertificateError::UnknownIssuer {
            let issuers = authority.issuers.cached_issuers(&chain);
            if !issuers.is_empty()
                && let Err(with_issuers) = authority.verify(&chain, &issuers, now)
            {
                error = with_issuers;
            } else if !issuers.is_empty() {
                self.lock().flaw = None;
                return Ok(ServerCertVerified::assertion());
            }
        }
        let refused = |refusal| CertificateError::Other(OtherError(Arc::new(refusal))).into();
        self.decide(chain, &error).map(|()| ServerCertVerified::assertion()).map_err(refused)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verified = self.authority.platform.verify_tls12_signature(message, certificate, signed);
        verified.or_else(|refused| self.verify_by_key(message, certificate, signed, refused))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verified = self.authority.platform.verify_tls13_signature(message, certificate, signed);
        verified.or_else(|refused| self.verify_by_key(message, certificate, signed, refused))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authority.platform.supported_verify_schemes()
    }
}

impl fmt::Debug for ServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerVerifier").field("flaw", &self.flaw()).finish_non_exhaustive()
    }
}
