//! Why a fetch brought no answer, and how a client's error is read as one of the known kinds.

use std::error::Error;

use crate::model::FailureKind;

/// A fetch that brought no answer: an outcome to be recorded, not an error of the program.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{detail}")]
pub struct Failure {
    pub kind: FailureKind,
    /// For people: what exactly went wrong.
    pub detail: String,
}

impl Failure {
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl From<reqwest::Error> for Failure {
    /// The chain of causes tells a refused certificate from a refused connection; the client itself does not.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let chain = || std::iter::successors(Some(&error as &(dyn Error + 'static)), |error| cause(*error));
        if let Some(own) = chain().find_map(|error| error.downcast_ref::<Self>()) {
            return own.clone();
        }
        let kind = if error.is_timeout() {
            FailureKind::Timeout
        } else if chain().any(|error| error.is::<rustls::Error>() || is_handshake(error)) {
            FailureKind::Tls
        } else if error.is_connect() {
            FailureKind::Connect
        } else {
            FailureKind::Protocol
        };
        let detail: Vec<String> = chain().map(ToString::to_string).collect();
        Self::new(kind, detail.join(": "))
    }
}

/// Whether this is a TLS handshake that broke off. The connector wraps what a handshake fails with once more in an
/// I/O error; what TCP fails with it does not.
fn is_handshake(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<std::io::Error>())
}

/// The cause of an error. An [`std::io::Error`] hides the one it was made of.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
