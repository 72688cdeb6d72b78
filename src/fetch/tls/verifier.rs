//! The verifier of one server's certificates.

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

/// What the verifiers of all servers share.
#[derive(Debug)]
pub(super) struct Authority {
    /// Knows the roots.
    pub platform: Arc<dyn ServerCertVerifier>,
    pub algorithms: WebPkiSupportedAlgorithms,
    pub issuers: IssuerStore,
    pub policy: TlsPolicy,
}

impl Authority {
    /// Whether a chain is verified with these issuers beside those that it holds.
    pub fn verify(
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

    /// The gravest flaw of a chain that is refused with `error`, whatever the issuers that are known.
    pub fn judge(&self, chain: &Chain, error: &CertificateError) -> Flaw {
        Flaw::gravest(error, chain, |time| self.verify(chain, &self.issuers.known(chain), time))
    }
}

/// Verifies the certificates of one server, and keeps what is wrong with them.
///
/// A TLS session is resumed without a look at a certificate, but only under the verifier that it began with; under
/// `fetch.tls = "record"` none is. So the flaw that is kept is that of the server's last handshake, and that of each
/// connection that is kept.
pub(in crate::fetch) struct ServerVerifier {
    authority: Arc<Authority>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    flaw: Option<TlsFlaw>,
    /// The certificate whose chain could not be completed, and until when that holds.
    given_up: Option<(CertificateDer<'static>, Instant)>,
}

impl ServerVerifier {
    pub(super) fn new(authority: Arc<Authority>) -> Self {
        Self { authority, state: Mutex::default() }
    }

    /// What is wrong with the certificate of a server that is read all the same.
    pub fn flaw(&self) -> Option<TlsFlaw> {
        self.lock().flaw
    }

    /// Keeps that a chain cannot be completed for now.
    pub(super) fn give_up(&self, chain: &Chain) {
        let until = Instant::now() + self.authority.issuers.negative_ttl();
        self.lock().given_up = Some((chain.leaf.clone(), until));
    }

    /// What becomes of a handshake whose chain is refused with `error`.
    fn decide(&self, chain: Chain, error: &CertificateError) -> Result<(), Refusal> {
        let flaw = self.authority.judge(&chain, error);
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handshake signature by the key of a certificate that is recorded as flawed because it cannot be read as a
    /// server's, for example one of X.509 version 1.
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
            let issuers = authority.issuers.known(&chain);
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
