//! Certificates, as far as completing a chain requires (RFC 5280), and the files in which issuers publish theirs.

use std::fmt;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer};
use x509_parser::asn1_rs::{Any, Class, FromBer, Tag};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{OID_PKCS7_ID_SIGNED_DATA, OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS};
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate, with the names that link it to others.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    pub der: CertificateDer<'static>,
    /// Distinguished names, encoded.
    subject: Box<[u8]>,
    issuer: Box<[u8]>,
    /// The issuer, for display.
    pub issuer_text: String,
    /// URLs of the issuer's certificate over plain HTTP, in the order of the certificate.
    pub issuer_urls: Vec<String>,
}

impl Certificate {
    /// Parses a certificate; `None` when it is malformed.
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        rest.is_empty().then(|| Self {
            der: der.clone().into_owned(),
            subject: certificate.subject().as_raw().into(),
            issuer: certificate.issuer().as_raw().into(),
            issuer_text: certificate.issuer().to_string(),
            issuer_urls: issuer_urls(&certificate),
        })
    }

    /// Approximate size in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        let texts = self.issuer_text.len() + self.issuer_urls.iter().map(String::len).sum::<usize>();
        size_of::<Self>() + self.der.len() + self.subject.len() + self.issuer.len() + texts
    }

    /// Whether it names itself as its issuer, as roots do.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether its subject is the issuer that `other` names.
    pub(super) fn issues(&self, other: &Self) -> bool {
        self.subject == other.issuer
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("issuer", &self.issuer_text).finish_non_exhaustive()
    }
}

/// The `caIssuers` URLs of the Authority Information Access extension (RFC 5280, 4.2.2.1). Only plain HTTP: over
/// HTTPS, verifying a chain would require verifying another.
fn issuer_urls(certificate: &X509Certificate<'_>) -> Vec<String> {
    let descriptions =
        certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => Some(access.iter()),
            _ => None,
        });
    let mut urls = Vec::new();
    for description in descriptions.flatten() {
        if let GeneralName::URI(url) = description.access_location
            && description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS
            && url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
        {
            urls.push(url.to_owned());
        }
    }
    urls
}

/// The public key of a certificate of any version.
pub(super) fn public_key<'a>(der: &'a CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'a>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(SubjectPublicKeyInfoDer::from(certificate.tbs_certificate.subject_pki.raw))
}

/// The certificates that a server presents in a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::fetch) struct Chain {
    pub leaf: CertificateDer<'static>,
    /// As sent; the order may differ from that of the chain.
    pub intermediates: Vec<CertificateDer<'static>>,
    /// The name that the server is requested by.
    pub name: ServerName<'static>,
}

impl Chain {
    pub(crate) fn new(
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Self {
        Self {
            leaf: leaf.clone().into_owned(),
            intermediates: intermediates.iter().map(|der| der.clone().into_owned()).collect(),
            name: name.to_owned(),
        }
    }

    /// The certificates from the leaf upwards, each followed by that of its issuer. Unrelated certificates are left
    /// out. Empty when the leaf cannot be parsed.
    pub(super) fn path(&self) -> Vec<Certificate> {
        let mut rest: Vec<Certificate> = self.intermediates.iter().filter_map(Certificate::read).collect();
        let mut path: Vec<Certificate> = Certificate::read(&self.leaf).into_iter().collect();
        while let Some(last) = path.last()
            && !last.is_self_issued()
            && let Some(at) = rest.iter().position(|certificate| certificate.issues(last))
        {
            path.push(rest.swap_remove(at));
        }
        path
    }
}

/// The certificates in a file of an issuer: one in DER, or several in PKCS #7 (RFC 5280, 4.2.2.1). Some issuers
/// publish PEM, which browsers read too.
pub(super) fn read_bundle(bytes: &[u8]) -> Vec<Certificate> {
    if let Some(certificate) = Certificate::read(&CertificateDer::from(bytes)) {
        return vec![certificate];
    }
    let in_cms = certificates_in_cms(bytes).unwrap_or_default();
    if !in_cms.is_empty() {
        return in_cms;
    }
    let in_pem = CertificateDer::pem_slice_iter(bytes).map_while(Result::ok);
    in_pem.filter_map(|der| Certificate::read(&der)).collect()
}

/// The certificates of a `SignedData` (RFC 5652, 5.1), with or without signatures. Parsed as BER, since some issuers
/// use indefinite lengths; the certificates themselves are DER.
fn certificates_in_cms(bytes: &[u8]) -> Option<Vec<Certificate>> {
    let (_, content_info) = Any::from_ber(bytes).ok()?;
    let (rest, content_type) = Any::from_ber(content_info.data).ok()?;
    if content_type.oid().ok()? != OID_PKCS7_ID_SIGNED_DATA {
        return None;
    }
    let (_, content) = Any::from_ber(rest).ok()?;
    let (_, signed_data) = Any::from_ber(content.data).ok()?;
    let (_, set) = elements(signed_data.data).find(|(_, element)| {
        element.header.class() == Class::ContextSpecific && element.header.tag() == Tag(0)
    })?;
    Some(elements(set.data).filter_map(|(der, _)| Certificate::read(&CertificateDer::from(der))).collect())
}

/// The elements of a constructed value, each with its encoding.
fn elements(mut content: &[u8]) -> impl Iterator<Item = (&[u8], Any<'_>)> {
    std::iter::from_fn(move || {
        let (rest, element) = Any::from_ber(content).ok()?;
        let encoding = &content[..content.len() - rest.len()];
        content = rest;
        Some((encoding, element))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, CustomExtension, KeyPair};

    use super::*;

    /// A certificate with the URL of its issuer's certificate.
    fn certificate() -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        let url = b"http://ca.test/x";
        let description = [&[0x30, 28, 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2, 0x86, 16], &url[..]].concat();
        let access = [&[0x30, 30], &description[..]].concat();
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access);
        params.custom_extensions.push(extension);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn issuer_urls_of_a_certificate_are_parsed() {
        let certificate = Certificate::read(&certificate()).unwrap();
        assert_eq!(certificate.issuer_urls, ["http://ca.test/x"]);
        assert!(certificate.is_self_issued() && certificate.issues(&certificate));
        assert_eq!(read_bundle(&certificate.der), std::slice::from_ref(&certificate));
        assert_eq!(read_bundle(b""), []);
        // Bytes behind the certificate are an error.
        assert_eq!(Certificate::read(&[&certificate.der[..], b"x"].concat().into()), None);
    }

    proptest! {
        #[test]
        fn any_published_bytes_are_parsed_safely(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        ) {
            let mut certificate = certificate().to_vec();
            for (at, byte) in spoilt {
                let at = at.index(certificate.len());
                certificate[at] = byte;
            }
            for bytes in [certificate, bytes] {
                read_bundle(&bytes);
                // The same bytes as the content of signed data.
                let wrapped = [&[0x30, 0x80, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80, 0x30, 0x80],
                    &bytes[..]].concat();
                read_bundle(&wrapped);
            }
        }
    }
}
