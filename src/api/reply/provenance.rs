//! What a reply was computed from. This decides whether the reply is cacheable.
//!
//! Whatever gives an endpoint a value that can change without a commit also gives a [`Provenance`], and no reply is
//! rendered without one.

use crate::query::IndexAnswer;

/// What a reply depends on in addition to its request.
#[must_use = "a reply must not be cached for longer than its provenance allows"]
#[derive(Debug)]
pub struct Provenance {
    /// Whether the same request gets the same reply until the next commit.
    cacheable: bool,
    /// Whether the result is incomplete, or computed from an earlier state of the store.
    stale: bool,
    /// Why the reply has no rows, if it has none.
    explanations: Vec<String>,
}

/// A rendered reply in JSON.
#[derive(Debug)]
pub struct JsonReply {
    pub body: Vec<u8>,
    /// Whether the same request gets the same reply until the next commit.
    pub cacheable: bool,
}

impl Provenance {
    /// The reply depends on the current state of the store alone.
    pub fn current() -> Self {
        Self { cacheable: true, stale: false, explanations: Vec::new() }
    }

    /// The reply depends on something that changes without a commit, such as the current day.
    pub fn volatile() -> Self {
        Self { cacheable: false, ..Self::current() }
    }

    /// The reply depends on the answer of a search index.
    pub fn of_answer<T>(answer: &IndexAnswer<T>) -> Self {
        let stale = !(answer.finished && answer.current);
        Self { cacheable: !stale, stale, explanations: Vec::new() }
    }

    /// The reply depends on both.
    pub fn and(self, other: Self) -> Self {
        Self {
            cacheable: self.cacheable && other.cacheable,
            stale: self.stale || other.stale,
            explanations: [self.explanations, other.explanations].concat(),
        }
    }

    /// Adds the reason why the reply has no rows. It depends on more than links, on queued seeds for example.
    pub(super) fn explained(mut self, explanation: String) -> Self {
        self.explanations.push(explanation);
        Self { cacheable: false, ..self }
    }

    pub fn is_cacheable(&self) -> bool {
        self.cacheable
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub fn explanations(&self) -> &[String] {
        &self.explanations
    }
}

impl JsonReply {
    pub fn new(body: Vec<u8>, provenance: &Provenance) -> Self {
        Self { body, cacheable: provenance.is_cacheable() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_as_cacheable_as_its_least_cacheable_part() {
        let answer =
            |finished, current| Provenance::of_answer(&IndexAnswer { answer: (), finished, current });
        for (provenance, cacheable, stale) in [
            (Provenance::current(), true, false),
            (Provenance::volatile(), false, false),
            (answer(true, true), true, false),
            (answer(false, true), false, true),
            (answer(true, false), false, true),
            (answer(true, true).and(Provenance::current()), true, false),
            (answer(true, true).and(Provenance::volatile()), false, false),
            (Provenance::volatile().and(answer(true, true)), false, false),
            (Provenance::current().explained("no links".to_owned()), false, false),
        ] {
            assert_eq!(
                (provenance.is_cacheable(), provenance.is_stale()),
                (cacheable, stale),
                "{provenance:?}"
            );
        }
    }
}
