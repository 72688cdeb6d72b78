//! What a reply was computed from. This decides whether the reply is cacheable.
//!
//! Whatever gives an endpoint a value that can change without a commit also gives a [`Provenance`], and no reply is
//! rendered without one.

use crate::query::{Coverage, IndexAnswer, IndexState};

/// What a reply depends on in addition to its request.
#[must_use = "a reply must not be cached for longer than its provenance allows"]
#[derive(Debug)]
pub struct Provenance {
    /// Whether the same request gets the same reply until the next commit.
    cacheable: bool,
    /// Whether the result is incomplete, or computed from an earlier state of the store.
    stale: bool,
    /// The state of the index that the result is of. `None` if there is none, or if there are several.
    state: Option<IndexState>,
    /// What the index knows of the scope, if the reply has no rows.
    known: Option<&'static str>,
    /// Why the reply has no rows, if it has none.
    explanations: Vec<String>,
}

/// A rendered reply in JSON.
#[derive(Debug)]
pub struct JsonReply {
    pub body: Vec<u8>,
    /// Whether the same request gets the same reply until the next commit.
    pub cacheable: bool,
    /// The state of the index that the reply is of.
    pub state: Option<IndexState>,
}

impl Provenance {
    /// The reply depends on the current state of the store alone.
    pub fn current() -> Self {
        Self { cacheable: true, stale: false, state: None, known: None, explanations: Vec::new() }
    }

    /// The reply depends on this state of the store alone, which is the present one.
    pub fn of_state(state: IndexState) -> Self {
        Self { state: Some(state), ..Self::current() }
    }

    /// The reply depends on something that changes without a commit, such as the current day.
    pub fn volatile() -> Self {
        Self { cacheable: false, ..Self::current() }
    }

    /// The reply depends on the answer of a search index.
    pub fn of_answer<T>(answer: &IndexAnswer<T>) -> Self {
        let stale = !(answer.is_complete && answer.current);
        Self { cacheable: !stale, stale, state: answer.state, ..Self::current() }
    }

    /// The reply depends on both.
    pub fn and(self, other: Self) -> Self {
        Self {
            cacheable: self.cacheable && other.cacheable,
            stale: self.stale || other.stale,
            state: match (self.state, other.state) {
                (Some(one), Some(another)) if one.change != another.change => None,
                (one, another) => one.or(another),
            },
            known: least(self.known, other.known),
            explanations: [self.explanations, other.explanations].concat(),
        }
    }

    /// Adds what the index knows of the scope of a reply without rows. Of several scopes, the least known one counts.
    pub(super) fn with_coverage(self, coverage: &Coverage) -> Self {
        Self { known: least(self.known, Some(coverage.name())), ..self }
    }

    /// What the index knows of the scope: a name of a coverage, if the reply has no rows.
    pub fn known(&self) -> Option<&'static str> {
        self.known
    }

    /// Adds the reason why the reply has no rows. The reason depends on data that changes without a commit, for example
    /// on queued seeds.
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

    /// The state of the index that the reply names in `Backlinkd-As-Of`.
    pub fn state(&self) -> Option<IndexState> {
        self.state
    }

    pub fn explanations(&self) -> &[String] {
        &self.explanations
    }
}

/// Returns the name of the lesser coverage.
fn least(one: Option<&'static str>, other: Option<&'static str>) -> Option<&'static str> {
    let mut names = Coverage::NAMES.into_iter().map(Some);
    names.find(|name| *name == one || *name == other).flatten()
}

impl JsonReply {
    pub fn new(body: Vec<u8>, provenance: &Provenance) -> Self {
        Self { body, cacheable: provenance.is_cacheable(), state: provenance.state() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_as_cacheable_as_its_least_cacheable_part() {
        let answer = |is_complete, current| {
            Provenance::of_answer(&IndexAnswer { answer: (), is_complete, current, state: None })
        };
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

    #[test]
    fn a_reply_of_several_states_names_none() {
        let of = |change| Provenance::of_state(IndexState { change, read_at: change });
        for (provenance, change) in [
            (of(1), Some(1)),
            (of(1).and(Provenance::volatile()), Some(1)),
            (Provenance::current().and(of(2)), Some(2)),
            (of(1).and(of(1)), Some(1)),
            (of(1).and(of(2)), None),
            (Provenance::current(), None),
        ] {
            assert_eq!(provenance.state().map(|state| state.change), change, "{provenance:?}");
        }
    }
}
