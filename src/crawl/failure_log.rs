//! The last failed requests of a crawl, for operators. Their number is `crawl.recent_failures`, and their texts are
//! short, so that the log stays small whatever servers answer.

use std::collections::VecDeque;

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentFailure {
    /// Unix time.
    pub at: u64,
    /// As [`super::Resource`] names it.
    pub resource: &'static str,
    /// As in [`super::FailureCount::kind`].
    pub kind: String,
    pub url: String,
    /// A cleaned sentence.
    pub cause: String,
}

/// The last failures, the latest last.
#[derive(Debug, Default)]
pub(super) struct FailureLog {
    most: usize,
    last: VecDeque<RecentFailure>,
}

impl FailureLog {
    /// A log of at most `most` failures.
    pub(super) fn new(most: usize) -> Self {
        Self { most, last: VecDeque::new() }
    }

    /// Adds a failure. The oldest one makes room for it.
    pub(super) fn add(&mut self, failure: RecentFailure) {
        self.last.push_back(failure);
        while self.last.len() > self.most {
            self.last.pop_front();
        }
    }

    /// The failures, the latest first.
    pub(super) fn newest_first(&self) -> Vec<RecentFailure> {
        self.last.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failures_stay_the_latest_first() {
        for (most, right) in [(0, &[][..]), (2, &[5, 4]), (9, &[5, 4, 3, 2, 1])] {
            let mut log = FailureLog::new(most);
            for at in 1..=5 {
                let (kind, url, cause) = ("dns".to_owned(), String::new(), String::new());
                log.add(RecentFailure { at, resource: "page", kind, url, cause });
            }
            assert_eq!(log.newest_first().iter().map(|failure| failure.at).collect::<Vec<_>>(), right);
        }
    }
}
