//! The states of the store that answers show.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::clock::unix_now;
use crate::query::QueryError;
use crate::store::Snapshot;

/// A state of the store. Answers from equal states have equal values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexState {
    /// The number of the last commit that changed anything; 0 before the first.
    pub change: u64,
    /// The Unix time at which this process first read the state, in seconds.
    pub read_at: u64,
}

/// A snapshot of the present state.
pub struct PresentState<'a> {
    pub snapshot: Snapshot<'a>,
    pub state: IndexState,
    /// The change number of the store before the snapshot was taken, so that it is never newer than the snapshot.
    pub(super) current_at_change: u64,
}

/// Remembers when the newest state was first read, so that all answers about it name the same time.
#[derive(Debug, Default)]
pub(super) struct StateClock(Mutex<Option<IndexState>>);

impl StateClock {
    /// The state of a snapshot that was just taken.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    pub(super) fn state_of(&self, snapshot: &Snapshot<'_>) -> Result<IndexState, QueryError> {
        Ok(self.state_at(snapshot.last_change()?, unix_now()))
    }

    /// A state that is older than the newest one was left when that was read, and has its time.
    fn state_at(&self, change: u64, now: u64) -> IndexState {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *newest {
            Some(IndexState { change: known, read_at }) if change <= known => IndexState { change, read_at },
            _ => *newest.insert(IndexState { change, read_at: now }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_keeps_the_time_at_which_it_was_first_read() {
        let clock = StateClock::default();
        for (change, now, read_at) in
            [(0, 10, 10), (0, 11, 10), (5, 12, 12), (5, 20, 12), (4, 21, 12), (6, 30, 30), (6, 31, 30)]
        {
            assert_eq!(clock.state_at(change, now), IndexState { change, read_at }, "{change} at {now}");
        }
    }
}
