//! The certificates of the hosts of a web.

use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;

use super::{FakeWeb, Site};

impl FakeWeb {
    /// Creates an authority, and a certificate for all hosts.
    pub(super) fn certify(&self) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec!["authority.test".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(self.ca(), authority.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = self.hosts.keys().cloned().collect();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = provider.key_provider.load_private_key(key).unwrap();
        let usual = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        let versions = if self.tls12 { vec![&TLS12] } else { vec![&TLS12, &TLS13] };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Certificates { site: self.site.clone(), usual }));
        if self.http2 {
            config.alpn_protocols = vec![b"h2".to_vec()];
            if self.http1_too {
                config.alpn_protocols.push(b"http/1.1".to_vec());
            }
        }
        TlsAcceptor::from(Arc::new(config))
    }
}

struct Certificates {
    site: Arc<Site>,
    usual: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let of_its_own =
            hello.server_name().and_then(|name| self.site.presented.lock().unwrap().get(name).cloned());
        Some(of_its_own.unwrap_or_else(|| self.usual.clone()))
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
