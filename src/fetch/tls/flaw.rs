//! What is wrong with a certificate, as one of the known kinds and in words.

use std::error::Error;
use std::fmt;

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::certificate::{Certificate, Chain};
use crate::fetch::failure::chain;
use crate::model::{Day, TlsFlaw};

/// Names of a certificate that a message shows, at most.
const SHOWN_NAMES: usize = 3;

/// Characters of a cause, at most.
const MAX_CAUSE: usize = 500;

/// Why a server cannot be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub kind: TlsFlaw,
    /// For people.
    pub cause: String,
}

impl Flaw {
    /// The gravest flaw of a chain that was refused with `error`. Who vouches for a certificate counts more than whom
    /// it is for, and that more than when it is valid: so a certificate that is out of date is verified again, by
    /// `verify_at`, for a time at which it is valid.
    pub fn gravest(
        error: &CertificateError,
        chain: &Chain,
        verify_at: impl FnOnce(UnixTime) -> Result<(), CertificateError>,
    ) -> Self {
        let flaw = Self::of(error, chain);
        let valid_at = match error {
            CertificateError::ExpiredContext { not_after, .. } => *not_after,
            CertificateError::NotValidYetContext { not_before, .. } => *not_before,
            _ => return flaw,
        };
        match verify_at(valid_at).map_err(|error| Self::of(&error, chain)) {
            Err(graver) if !matches!(graver.kind, TlsFlaw::Expired | TlsFlaw::NotYetValid) => graver,
            _ => flaw,
        }
    }

    fn of(error: &CertificateError, chain: &Chain) -> Self {
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
                let names = listed(presented);
                (TlsFlaw::WrongName, format!("the certificate is for {names}, not for {}", expected.to_str()))
            }
            E::Revoked => (TlsFlaw::Revoked, "the certificate has been revoked".to_owned()),
            error => Self::of_issuer(error, chain),
        };
        Self { kind, cause }
    }

    /// A leaf that is its own issuer is refused as that of an unknown authority, or as an authority's in the place of a
    /// server's.
    fn of_issuer(error: &CertificateError, chain: &Chain) -> (TlsFlaw, String) {
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

/// What a handshake fails with when the server's certificate is refused.
#[derive(Clone, Debug)]
pub(in crate::fetch) struct Refusal {
    cause: String,
    /// The chain, where an issuer's certificate that it lacks may be had.
    pub incomplete: Option<Chain>,
}

impl Refusal {
    /// Names and URLs of a certificate are whatever its maker wrote: control characters and what is too long are left
    /// out.
    pub fn new(cause: &str, incomplete: Option<Chain>) -> Self {
        let cause = cause.chars().filter(|c| !c.is_control()).take(MAX_CAUSE).collect();
        Self { cause, incomplete }
    }

    /// The refusal that an error comes from.
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        chain(error).find_map(|error| match error.downcast_ref()? {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
            _ => None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; with fetch.tls = \"record\" its pages are read all the same", self.cause)
    }
}

impl Error for Refusal {}

/// A day, as people write it.
fn date(time: UnixTime) -> String {
    let number = Day::from_unix_seconds(time.as_secs()).as_number();
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}

/// The first of a certificate's names. They come as rustls shows them, in a kind of its own.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "no name".to_owned();
    }
    let mut text = names.iter().take(SHOWN_NAMES).map(|name| bare(name)).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = names.len().checked_sub(SHOWN_NAMES) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// `DnsName("a.test")` is shown as `a.test`.
fn bare(name: &str) -> &str {
    name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')).unwrap_or(name).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_certificate_are_shown_within_reason() {
        let names = |names: &[&str]| listed(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names(&[]), "no name");
        assert_eq!(names(&["DnsName(\"a.test\")"]), "a.test");
        assert_eq!(names(&["DnsName(\"a.test\")", "IpAddress(1.2.3.4)"]), "a.test, 1.2.3.4");
        assert_eq!(names(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        let refusal = Refusal::new(&format!("is by \n\u{1b}[31m{}", "x".repeat(9_000)), None).to_string();
        assert!(refusal.starts_with("is by [31mxxx") && refusal.len() < 700, "{refusal}");
    }
}
