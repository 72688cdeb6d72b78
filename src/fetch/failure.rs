//! Why a fetch brought no answer, and how a client's error is read as one of the known kinds.

use std::error::Error;
use std::io;

use rustix::io::Errno;

use super::protocol::ProtocolFault;
use super::tls::{Chain, Refusal};
use crate::model::FailureKind;

/// A fetch that brought no answer: an outcome to be recorded, not an error of the program.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{detail}")]
pub struct Failure {
    pub kind: FailureKind,
    pub blame: Blame,
    /// For people: what exactly went wrong.
    pub detail: String,
    /// What another protocol may mend.
    pub fault: Option<ProtocolFault>,
    /// The chain of a server's certificate, where fetching what it lacks may mend it.
    pub(super) incomplete: Option<Box<Chain>>,
}

/// Whose failure it was. Unless it was the host's, the host was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The host's.
    Host,
    /// That of name servers, which did not answer: it says nothing of the host.
    NameServers,
    /// This machine's, which has no file or port left to ask with: it says nothing of anybody else.
    Machine,
}

impl Blame {
    /// What this machine says for want of open files, memory for sockets, or ports.
    const WANTS: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::ADDRNOTAVAIL];

    pub(super) fn of(error: &io::Error) -> Self {
        let is_want = Errno::from_io_error(error).is_some_and(|errno| Self::WANTS.contains(&errno));
        if is_want { Self::Machine } else { Self::Host }
    }
}

impl Failure {
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, blame: Blame::Host, detail: detail.into(), fault: None, incomplete: None }
    }

    /// Of a request that was not answered. A machine without IPv6 says of each such address what it says for want of
    /// ports.
    pub(super) fn of(error: reqwest::Error, ipv6: bool) -> Self {
        let errno = |error: &(dyn Error + 'static)| Errno::from_io_error(error.downcast_ref()?);
        let no_ipv6 = ipv6 && chain(&error).any(|error| errno(error) == Some(Errno::ADDRNOTAVAIL));
        let failure = Self::from(error);
        if no_ipv6 { Self { blame: Blame::Host, ..failure } } else { failure }
    }
}

impl Failure {
    /// Of an exchange over a connection of its own.
    pub(super) fn of_http(error: &hyper::Error) -> Self {
        Self::new(FailureKind::Protocol, words(chain(error)))
    }

    /// Of a TLS handshake over such a connection.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        Refusal::find(error).map_or_else(|| Self::new(FailureKind::Tls, error.to_string()), Self::from)
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        let incomplete = refusal.incomplete.clone().map(Box::new);
        Self { incomplete, ..Self::new(FailureKind::Tls, refusal.to_string()) }
    }
}

impl From<reqwest::Error> for Failure {
    /// The chain of causes tells a refused certificate from a refused connection; the client itself does not.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(refusal) = Refusal::find(&error) {
            return refusal.into();
        }
        let chain = || chain(&error);
        let kind = if error.is_timeout() {
            FailureKind::Timeout
        } else if chain().any(|error| error.is::<rustls::Error>() || is_handshake(error)) {
            FailureKind::Tls
        } else if error.is_connect() {
            FailureKind::Connect
        } else {
            FailureKind::Protocol
        };
        let detail = words(chain());
        let told = chain().find_map(|error| error.downcast_ref::<io::Error>().map(Blame::of));
        let fault = chain().find_map(fault);
        Self { kind, blame: told.unwrap_or(Blame::Host), detail, fault, incomplete: None }
    }
}

/// An error and its causes in one line. Many errors repeat their cause in their own words: it is left out then.
fn words<'a>(chain: impl Iterator<Item = &'a (dyn Error + 'static)>) -> String {
    let mut words = String::new();
    for error in chain {
        let cause = error.to_string();
        if words.is_empty() {
            words = cause;
        } else if !words.ends_with(&cause) {
            words = words + ": " + &cause;
        }
    }
    words
}

/// An error and its causes.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// What an error says of the protocol. A connection that breaks is no fault of HTTP/2.
fn fault(error: &(dyn Error + 'static)) -> Option<ProtocolFault> {
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return match error.reason() {
            Some(h2::Reason::HTTP_1_1_REQUIRED) => Some(ProtocolFault::Http11Required),
            _ if error.is_io() => None,
            _ => Some(ProtocolFault::Http2),
        };
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // So the client tells of chunks.
        let is_chunk = error.kind() == io::ErrorKind::InvalidInput && error.raw_os_error().is_none();
        return is_chunk.then_some(ProtocolFault::Chunks);
    }
    let error = error.downcast_ref::<hyper::Error>()?;
    (error.is_parse() || error.is_parse_too_large()).then_some(ProtocolFault::Head)
}

/// Whether this is a TLS handshake that broke off. The connector wraps what a handshake fails with once more in an
/// I/O error; what TCP fails with it does not.
fn is_handshake(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<io::Error>())
}

/// The cause of an error. An [`io::Error`] hides the one it was made of.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
