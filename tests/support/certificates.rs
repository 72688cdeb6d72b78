//! Certificates for tests: authorities, intermediate authorities, and servers.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType, IsCa,
    Issuer, KeyPair, SigningKey,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

/// The Authority Information Access extension, and in it the access method of issuers' certificates.
const ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const CA_ISSUERS: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];

/// An authority: a root, or an intermediate one.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// The properties of a server's certificate. The year 2400 is far enough in the future.
#[derive(Clone, Copy)]
pub struct Says<'a> {
    pub name: &'a str,
    pub years: (i32, i32),
    /// The URL of the issuer's certificate.
    pub issuer_at: &'a [&'a str],
}

impl<'a> Says<'a> {
    pub fn name(name: &'a str) -> Self {
        Self { name, years: (2000, 2400), issuer_at: &[] }
    }

    pub fn issuer_at(self, issuer_at: &'a [&'a str]) -> Self {
        Self { issuer_at, ..self }
    }

    pub fn years(self, from: i32, to: i32) -> Self {
        Self { years: (from, to), ..self }
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(vec![self.name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(self.years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(self.years.1, 1, 1);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, self.name);
        if !self.issuer_at.is_empty() {
            params.custom_extensions.push(CustomExtension::from_oid_content(ACCESS, access(self.issuer_at)));
        }
        params
    }

    fn authority_params(&self) -> CertificateParams {
        let mut params = self.params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// Signed with its own key.
    pub fn self_signed(&self) -> Presented {
        let key = KeyPair::generate().unwrap();
        Presented::new(vec![self.params().self_signed(&key).unwrap().der().clone()], &key)
    }

    /// Signed with its own key, and allowed to sign others, as `openssl req -x509` creates them.
    pub fn self_signed_authority(&self) -> Presented {
        let key = KeyPair::generate().unwrap();
        Presented::new(vec![self.authority_params().self_signed(&key).unwrap().der().clone()], &key)
    }

    /// Signed with its own key, in the form of X.509 version 1, which has no extensions.
    pub fn self_signed_version_1(&self) -> Presented {
        let key = KeyPair::generate().unwrap();
        let whole = self.params().self_signed(&key).unwrap().der().to_vec();
        let certificate = children(content(&whole));
        let fields = children(content(certificate[0]));
        // Serial number, signature algorithm, issuer, validity, subject, public key.
        let to_be_signed = der(0x30, &fields[1..7].concat());
        let signature = [&[0], key.sign(&to_be_signed).unwrap().as_slice()].concat();
        let certificate = [to_be_signed, certificate[1].to_vec(), der(0x03, &signature)].concat();
        Presented::new(vec![der(0x30, &certificate).into()], &key)
    }
}

impl Authority {
    pub fn root(name: &str) -> Self {
        let params = Says::name(name).authority_params();
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// An intermediate authority, signed by this one.
    pub fn authority(&self, says: Says<'_>) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(says.authority_params(), key, &self.0).unwrap())
    }

    /// The certificate of a server, alone.
    pub fn server(&self, says: Says<'_>) -> Presented {
        self.sign(says.params())
    }

    /// The same with a critical extension that no client knows.
    pub fn server_with_odd_extension(&self, says: Says<'_>) -> Presented {
        let mut params = says.params();
        let mut odd = CustomExtension::from_oid_content(&[1, 2, 3, 4, 5], vec![5, 0]);
        odd.set_criticality(true);
        params.custom_extensions.push(odd);
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Presented {
        let key = KeyPair::generate().unwrap();
        let issuer: &Issuer<'_, KeyPair> = &self.0;
        Presented::new(vec![params.signed_by(&key, issuer).unwrap().der().clone()], &key)
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }
}

/// The presentation of a server: a chain and a key, which need not match.
#[derive(Clone, Debug)]
pub struct Presented {
    pub chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Presented {
    fn new(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Self {
        Self { chain, key: key.serialize_der() }
    }

    /// With these certificates after its own.
    #[must_use]
    pub fn with(mut self, others: &[CertificateDer<'static>]) -> Self {
        self.chain.extend_from_slice(others);
        self
    }

    /// With another key.
    #[must_use]
    pub fn with_key_of(self, other: &Self) -> Self {
        Self { key: other.key.clone(), ..self }
    }

    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let key = provider.key_provider.load_private_key(key).unwrap();
        Arc::new(CertifiedKey::new(self.chain.clone(), key))
    }
}

/// A PKCS #7 bundle in DER: signed data without signatures (RFC 5652).
pub fn bundle(certificates: &[CertificateDer<'_>]) -> Vec<u8> {
    const SIGNED_DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    der(0x30, &[SIGNED_DATA, &der(0xa0, &der(0x30, &signed_data(certificates)))].concat())
}

/// The same in BER, with indefinite lengths.
pub fn bundle_of_indefinite_length(certificates: &[CertificateDer<'_>]) -> Vec<u8> {
    const SIGNED_DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    let wrap = |tag: u8, content: &[u8]| [&[tag, 0x80], content, &[0, 0]].concat();
    wrap(0x30, &[SIGNED_DATA, &wrap(0xa0, &wrap(0x30, &signed_data(certificates)))].concat())
}

fn signed_data(certificates: &[CertificateDer<'_>]) -> Vec<u8> {
    const DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let certificates: Vec<u8> = certificates.iter().flat_map(|der| der.to_vec()).collect();
    let parts = [der(2, &[1]), der(0x31, &[]), der(0x30, DATA), der(0xa0, &certificates), der(0x31, &[])];
    parts.concat()
}

fn access(urls: &[&str]) -> Vec<u8> {
    let descriptions = urls.iter().map(|url| der(0x30, &[CA_ISSUERS, &der(0x86, url.as_bytes())].concat()));
    der(0x30, &descriptions.collect::<Vec<_>>().concat())
}

/// A value in DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match length {
        0..0x80 => bytes.push(length as u8),
        0x80..0x100 => bytes.extend([0x81, length as u8]),
        _ => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend_from_slice(content);
    bytes
}

/// The start of the content of a value in DER, and its length.
fn header(bytes: &[u8]) -> (usize, usize) {
    match bytes[1] {
        short @ 0..0x80 => (2, short.into()),
        long => {
            let digits = &bytes[2..2 + usize::from(long & 0x7f)];
            (2 + digits.len(), digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)))
        }
    }
}

fn content(bytes: &[u8]) -> &[u8] {
    &bytes[header(bytes).0..]
}

/// The complete values inside a value.
fn children(mut content: &[u8]) -> Vec<&[u8]> {
    let mut children = Vec::new();
    while !content.is_empty() {
        let (start, length) = header(content);
        let (child, rest) = content.split_at(start + length);
        children.push(child);
        content = rest;
    }
    children
}
