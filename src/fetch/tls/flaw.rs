//! The flaw of a certificate: its kind, and its cause in words.

use std::error::Error;
use std::fmt;

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::certificate::{Certificate, Chain};
use crate::fetch::error_chain::chain;
use crate::model::{Day, TlsFlaw};

/// Maximum number of certificate names in a message.
const SHOWN_NAMES: usize = 3;

/// Maximum length of a cause, in characters.
const MAX_CAUSE: usize = 500;

/// The reason why a server cannot be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub kind: TlsFlaw,
    /// The cause, for people.
    pub cause: String,
}

impl Flaw {
    /// The most severe flaw of a chain that was rejected with `error`. An unknown issuer is more severe than a wrong
    /// name, and a wrong name more than a wrong date. So a certificate outside its dates is verified again, by
    /// `verify_at`, for a time at which it is valid.
    pub(super) fn worst(
        error: &CertificateError,
        chain: &Chain,
        verify_at: impl FnOnce(UnixTime) -> Result<(), CertificateError>,
    ) -> Self {
        let flaw = Self::classify(error, chain);
        let valid_at = match error {
            CertificateError::ExpiredContext { not_after, .. } => *not_after,
            CertificateError::NotValidYetContext { not_before, .. } => *not_before,
            _ => return flaw,
        };
        match verify_at(valid_at).map_err(|error| Self::classify(&error, chain)) {
            Err(graver) if !matches!(graver.kind, TlsFlaw::Expired | TlsFlaw::NotYetValid) => graver,
            _ => flaw,
        }
    }

    fn classify(error: &CertificateError, chain: &Chain) -> Self {
        use CertificateError as E;
        let (kind, cause) = match error {
            E::Expired => (TlsFlaw::Expired, "the certificate has expired".to_owned()),
            E::ExpiredContext { not_after, .. } => {
                (TlsFlaw::Expired, format!("the certificate has expired ({})", date(*not_after)))
            }
            E::NotValidYet => (TlsFlaw::NotYetValid, "the certificate is not valid yet".to_owned()),
            E::NotValidYetContext { not_before, .. } => (
                TlsFlaw::NotYetValid,
                format!("the certificate is not valid yet (from {})", date(*not_before)),
            ),
            E::NotValidForName => (TlsFlaw::WrongName, "the certificate is for another name".to_owned()),
            E::NotValidForNameContext { expected, presented } => {
                let names = format_names(presented);
                (TlsFlaw::WrongName, format!("the certificate is for {names}, not for {}", expected.to_str()))
            }
            E::Revoked => (TlsFlaw::Revoked, "the certificate has been revoked".to_owned()),
            error => Self::classify_issuer(error, chain),
        };
        Self { kind, cause }
    }

    /// A self-issued leaf is rejected either for its unknown authority, or as a CA certificate in place of a server
    /// certificate.
    fn classify_issuer(error: &CertificateError, chain: &Chain) -> (TlsFlaw, String) {
        match Certificate::read(&chain.leaf) {
            Some(leaf) if leaf.is_self_issued() => {
                (TlsFlaw::SelfSigned, "the certificate is self-signed, so its issuer is unknown".to_owned())
            }
            Some(_) if *error == CertificateError::UnknownIssuer => {
                let last = chain.path().pop().map(|last| last.issuer_text).unwrap_or_default();
                (TlsFlaw::UnknownIssuer, format!("the certificate's issuer is unknown ({last})"))
            }
            _ => (TlsFlaw::Invalid, format!("the certificate is not valid: {error}")),
        }
    }
}

/// The handshake error for a rejected server certificate.
#[derive(Clone, Debug)]
pub(in crate::fetch) struct Refusal {
    cause: String,
    /// The chain, if a missing issuer's certificate may be available.
    pub incomplete_chain: Option<Chain>,
}

impl Refusal {
    /// Names and URLs in a certificate are untrusted text: control characters and excess length are removed.
    pub(crate) fn new(cause: &str, incomplete_chain: Option<Chain>) -> Self {
        let cause = cause.chars().filter(|c| !c.is_control()).take(MAX_CAUSE).collect();
        Self { cause, incomplete_chain }
    }

    /// The refusal inside an error.
    pub(crate) fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        chain(error).find_map(|error| match error.downcast_ref()? {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
            _ => None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; with fetch.tls = \"record\" its pages are read nevertheless", self.cause)
    }
}

impl Error for Refusal {}

/// A date as `yyyy-mm-dd`.
fn date(time: UnixTime) -> String {
    let number = Day::from_unix_seconds(time.as_secs()).as_number();
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}

/// The first names of a certificate. rustls displays each with its kind.
fn format_names(names: &[String]) -> String {
    if names.is_empty() {
        return "no name".to_owned();
    }
    let mut text = names.iter().take(SHOWN_NAMES).map(|name| strip_kind(name)).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = names.len().checked_sub(SHOWN_NAMES) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// `DnsName("a.test")` becomes `a.test`.
fn strip_kind(name: &str) -> &str {
    name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')).unwrap_or(name).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificate_names_in_messages_are_bounded() {
        let names = |names: &[&str]| format_names(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names(&[]), "no name");
        assert_eq!(names(&["DnsName(\"a.test\")"]), "a.test");
        assert_eq!(names(&["DnsName(\"a.test\")", "IpAddress(1.2.3.4)"]), "a.test, 1.2.3.4");
        assert_eq!(names(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        let refusal = Refusal::new(&format!("is by \n\u{1b}[31m{}", "x".repeat(9_000)), None).to_string();
        assert!(refusal.starts_with("is by [31mxxx") && refusal.len() < 700, "{refusal}");
    }
}
