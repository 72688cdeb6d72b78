//! An error with its causes. HTTP and TLS errors lie deep in the errors that the client returns.

use std::error::Error;
use std::io;

/// An error and its causes in one line. A cause that the error already quotes is left out.
pub(super) fn join_causes<'a>(chain: impl Iterator<Item = &'a (dyn Error + 'static)>) -> String {
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

/// The cause of an error. An [`io::Error`] hides the error it was built from.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
