//! The state of a page at its last visit: the HTTP status, or why there was no response.
//!
//! The last visit decides. A page that responded for years and cannot be reached today is broken today. A
//! page that robots.txt disallows was not visited, so it counts as neither reachable nor broken.

use std::sync::Arc;

use super::column::{Column, Encoding, ValueType};
use super::dictionary::TextDictionaryBuilder;
use crate::model::{FailureKind, PageOutcome, StoredPage};

/// The lowest HTTP status that means that there is no page.
const LOWEST_ERROR: u16 = 400;
/// The name of a failure that a later version of this program may have stored.
const UNKNOWN_FAILURE: &str = "unknown";

/// The state of a page. The default is a page that was never visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageState {
    /// HTTP status of the last response; 0 when there was none.
    pub status: u16,
    /// [`FailureKind`] of the last visit as its number; 0 when it did not fail.
    pub failure: u8,
}

/// A part of a [`PageState`], for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatePart {
    /// HTTP status of the last response, however old; 0 when there was none.
    LastStatus,
    /// HTTP status of the last visit; 0 when it failed or there was none.
    Code,
    /// The name of the last visit's failure; empty when it did not fail, or there was no visit.
    Failure,
    /// Whether the last visit failed, or its status was 400 or above.
    Broken,
}

impl From<&StoredPage> for PageState {
    fn from(page: &StoredPage) -> Self {
        Self { status: page.facts.status, failure: page.last_failure }
    }
}

impl From<&PageOutcome> for PageState {
    fn from(page: &PageOutcome) -> Self {
        Self { status: page.status, failure: page.last_failure }
    }
}

impl PageState {
    /// HTTP status of the last visit; 0 when it failed or there was none.
    pub fn code(self) -> u16 {
        if self.was_unanswered() { 0 } else { self.status }
    }

    /// Whether the last visit failed.
    pub fn was_unanswered(self) -> bool {
        self.failure != 0
    }

    /// Why the last visit failed; empty when it did not.
    pub fn failure_name(self) -> &'static str {
        FailureKind::from_code(self.failure)
            .map_or(if self.was_unanswered() { UNKNOWN_FAILURE } else { "" }, FailureKind::as_str)
    }

    pub fn is_broken(self) -> bool {
        // A challenge hides the page from crawlers, not from readers.
        let is_hidden = self.failure == FailureKind::Challenge.code();
        !is_hidden && (self.was_unanswered() || self.status >= LOWEST_ERROR)
    }

    /// The part as a cell of a column.
    fn cell(self, part: StatePart) -> u32 {
        match part {
            StatePart::LastStatus => u32::from(self.status),
            StatePart::Code => u32::from(self.code()),
            StatePart::Failure => u32::from(self.failure).min(FailureKind::ALL.len() as u32 + 1),
            StatePart::Broken => u32::from(self.is_broken()),
        }
    }
}

impl StatePart {
    pub fn value_type(self) -> ValueType {
        match self {
            Self::LastStatus | Self::Code => ValueType::Number,
            Self::Failure => ValueType::Text,
            Self::Broken => ValueType::Flag,
        }
    }

    fn encoding(self) -> Encoding {
        match self {
            Self::LastStatus | Self::Code => Encoding::Number,
            Self::Broken => Encoding::Flag,
            Self::Failure => {
                // A failure's name is stored under the failure's number as its code.
                let mut names = TextDictionaryBuilder::default();
                let failures = FailureKind::ALL.map(FailureKind::as_str);
                for name in [""].into_iter().chain(failures).chain([UNKNOWN_FAILURE]) {
                    names.code(name);
                }
                Encoding::Texts(Arc::new(names.finish()))
            }
        }
    }
}

impl StatePart {
    /// The column of this part, with one row per state.
    pub(in crate::query) fn column(self, states: &[PageState]) -> Column {
        Column::new(states.iter().map(|state| state.cell(self)).collect(), self.encoding())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_visit_decides_what_is_broken() {
        for (status, failure, code, broken) in [
            (0, 0, 0, false),
            (200, 0, 200, false),
            (301, 0, 301, false),
            (399, 0, 399, false),
            (400, 0, 400, true),
            (503, 0, 503, true),
            (200, FailureKind::Dns.code(), 0, true),
            (0, FailureKind::Decode.code(), 0, true),
        ] {
            let state = PageState { status, failure };
            assert_eq!((state.code(), state.is_broken()), (code, broken), "{state:?}");
        }
    }

    #[test]
    fn every_failure_has_its_own_name() {
        let Encoding::Texts(names) = StatePart::Failure.encoding() else { panic!("no texts") };
        let name = |failure| names.get(PageState { status: 200, failure }.cell(StatePart::Failure));
        assert_eq!(name(0), "");
        for kind in FailureKind::ALL {
            assert_eq!(name(kind.code()), kind.as_str());
            assert_eq!(PageState { status: 200, failure: kind.code() }.failure_name(), kind.as_str());
        }
        let beyond = FailureKind::ALL.len() as u8 + 1;
        assert_eq!((name(beyond), name(255)), (UNKNOWN_FAILURE, UNKNOWN_FAILURE));
    }
}
