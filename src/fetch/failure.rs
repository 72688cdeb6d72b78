//! Failed fetches, and the classification of client errors by kind.

use std::error::Error;
use std::io;

use rustix::io::Errno;

use super::error_chain::{chain, join_causes};
use super::protocol::ProtocolFault;
use super::tls::certificate::Chain;
use super::tls::flaw::Refusal;
use crate::model::FailureKind;

/// A fetch without a response. It is an outcome to be recorded, not an error of the program.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{detail}")]
pub struct Failure {
    pub kind: FailureKind,
    pub blame: Blame,
    /// The cause, for people.
    pub detail: String,
    /// The fault, if another protocol may avoid it.
    pub fault: Option<ProtocolFault>,
    /// The certificate chain of the server, if fetching its missing certificates may help.
    pub(super) incomplete_chain: Option<Box<Chain>>,
}

/// The party that caused a failure. For all but [`Self::Host`], no request was sent to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The host.
    Host,
    /// Name servers that did not respond. This says nothing about the host.
    NameServers,
    /// This machine, which has run out of files or ports. This says nothing about the others.
    Machine,
}

impl Blame {
    /// Errors for a lack of open files, memory for sockets, or ports.
    const WANTS: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::ADDRNOTAVAIL];

    pub(super) fn from_io_error(error: &io::Error) -> Self {
        let is_want = Errno::from_io_error(error).is_some_and(|errno| Self::WANTS.contains(&errno));
        if is_want { Self::Machine } else { Self::Host }
    }
}

impl Failure {
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, blame: Blame::Host, detail: detail.into(), fault: None, incomplete_chain: None }
    }

    /// The failure of a request without a response. A machine without IPv6 reports the same error for an IPv6 address
    /// as for a lack of ports.
    pub(super) fn from_request_error(error: reqwest::Error, ipv6: bool) -> Self {
        let errno = |error: &(dyn Error + 'static)| Errno::from_io_error(error.downcast_ref()?);
        let no_ipv6 = ipv6 && chain(&error).any(|error| errno(error) == Some(Errno::ADDRNOTAVAIL));
        let failure = Self::from(error);
        if no_ipv6 { Self { blame: Blame::Host, ..failure } } else { failure }
    }
}

impl Failure {
    /// The failure of an exchange over a separate connection.
    pub(super) fn from_hyper(error: &hyper::Error) -> Self {
        Self::new(FailureKind::Protocol, join_causes(chain(error)))
    }

    /// The failure of a TLS handshake over such a connection.
    pub(super) fn from_handshake(error: &io::Error) -> Self {
        Refusal::find(error).map_or_else(|| Self::new(FailureKind::Tls, error.to_string()), Self::from)
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        let incomplete_chain = refusal.incomplete_chain.clone().map(Box::new);
        Self { incomplete_chain, ..Self::new(FailureKind::Tls, refusal.to_string()) }
    }
}

impl From<reqwest::Error> for Failure {
    /// Only the chain of causes distinguishes a refused certificate from a refused connection.
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
        let detail = join_causes(chain());
        let source = chain().find_map(|error| error.downcast_ref::<io::Error>().map(Blame::from_io_error));
        let fault = chain().find_map(fault);
        Self { kind, blame: source.unwrap_or(Blame::Host), detail, fault, incomplete_chain: None }
    }
}

/// The protocol fault in an error. A broken connection is no fault of HTTP/2.
fn fault(error: &(dyn Error + 'static)) -> Option<ProtocolFault> {
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return match error.reason() {
            Some(h2::Reason::HTTP_1_1_REQUIRED) => Some(ProtocolFault::Http11Required),
            _ if error.is_io() => None,
            _ => Some(ProtocolFault::Http2),
        };
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // The form in which the client reports a malformed chunk.
        let is_chunk = error.kind() == io::ErrorKind::InvalidInput && error.raw_os_error().is_none();
        return is_chunk.then_some(ProtocolFault::Chunks);
    }
    let error = error.downcast_ref::<hyper::Error>()?;
    (error.is_parse() || error.is_parse_too_large()).then_some(ProtocolFault::Head)
}

/// Whether this is a failed TLS handshake. The connector wraps handshake errors in a second I/O error, but not TCP
/// errors.
fn is_handshake(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<io::Error>())
}
