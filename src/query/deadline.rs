//! The deadline of a query: when its time is up or its client has gone.
//!
//! A query checks its deadline itself, in every loop over rows, at least every few milliseconds. It is never
//! killed from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::QueryError;

/// Rows between two checks of the clock.
const ROWS_PER_CHECK: usize = 1_024;

/// Steps between two checks, where a step takes some nanoseconds.
const STEPS_PER_CHECK: usize = 1 << 16;

/// Cells between two checks, where each cell is only copied or compared as a number.
pub(in crate::query) const CELLS_PER_CHECK: usize = 1 << 17;

/// The time limit of a query and its cancellation flag. Clones share both.
#[derive(Clone, Debug)]
pub struct Deadline {
    start: Instant,
    time: Duration,
    /// Nanoseconds from the start.
    until: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

/// Cancels a query when it is dropped.
#[derive(Debug)]
pub struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Deadline {
    /// A deadline that lies `time` after now.
    pub fn after(time: Duration) -> Self {
        let until = Arc::new(AtomicU64::new(nanoseconds(time)));
        Self { start: Instant::now(), time, until, cancelled: Arc::new(AtomicBool::new(false)) }
    }

    /// Restarts the time limit. Call it when the client has received a part of the answer and waits for the
    /// next.
    pub fn renew(&self) {
        self.until.store(nanoseconds(self.start.elapsed().saturating_add(self.time)), Ordering::Relaxed);
    }

    /// A guard to hold while the client waits for the answer: dropping it cancels the query.
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(Arc::clone(&self.cancelled))
    }

    /// Cancels the query.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The remaining time.
    pub fn remaining(&self) -> Duration {
        let until = Duration::from_nanos(self.until.load(Ordering::Relaxed));
        until.saturating_sub(self.start.elapsed())
    }

    /// # Errors
    /// [`QueryError::Deadline`] when the time is up or the query is cancelled.
    pub fn check(&self) -> Result<(), QueryError> {
        if self.cancelled.load(Ordering::Relaxed) || self.remaining().is_zero() {
            return Err(QueryError::Deadline);
        }
        Ok(())
    }

    /// As [`Self::check`], but only at every 1,024th row, starting with row 0.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_at(&self, row: usize) -> Result<(), QueryError> {
        if row.is_multiple_of(ROWS_PER_CHECK) { self.check() } else { Ok(()) }
    }

    /// The rows of a scan, with a deadline error in place of a row when the time is up.
    pub fn guard_rows<T, E: Into<QueryError>>(
        &self,
        rows: impl Iterator<Item = Result<T, E>>,
    ) -> impl Iterator<Item = Result<T, QueryError>> {
        rows.enumerate().map(|(at, row)| {
            self.check_at(at)?;
            row.map_err(Into::into)
        })
    }
}

/// Counts small steps of work and checks the deadline after every 65,536 of them.
#[derive(Debug)]
pub(in crate::query) struct StepCounter<'d> {
    deadline: &'d Deadline,
    /// Steps before the next check.
    left: usize,
}

impl<'d> StepCounter<'d> {
    pub(super) fn new(deadline: &'d Deadline) -> Self {
        Self { deadline, left: STEPS_PER_CHECK }
    }

    /// Counts one step.
    ///
    /// # Errors
    /// As [`Deadline::check`].
    pub(super) fn step(&mut self) -> Result<(), QueryError> {
        self.left -= 1;
        if self.left == 0 {
            self.left = STEPS_PER_CHECK;
            self.deadline.check()?;
        }
        Ok(())
    }

    /// Checks the deadline before work whose steps cannot be counted.
    ///
    /// # Errors
    /// As [`Deadline::check`].
    pub(super) fn check(&self) -> Result<(), QueryError> {
        self.deadline.check()
    }
}

/// A longer time saturates: the counter holds five centuries.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endless() -> impl Iterator<Item = Result<u8, QueryError>> {
        std::iter::repeat_with(|| Ok(1))
    }

    #[test]
    fn a_scan_ends_when_the_time_is_up() {
        let deadline = Deadline::after(Duration::from_millis(20));
        let failed = deadline.guard_rows(endless()).find(Result::is_err);
        assert!(matches!(failed, Some(Err(QueryError::Deadline))));
    }

    #[test]
    fn a_renewed_deadline_starts_again() {
        let deadline = Deadline::after(Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(21));
        assert!(deadline.check().is_err());
        deadline.renew();
        assert!(deadline.check().is_ok() && deadline.remaining() <= Duration::from_millis(20));
    }

    #[test]
    fn a_scan_ends_when_it_is_cancelled() {
        let deadline = Deadline::after(Duration::MAX);
        let waiting = deadline.cancel_on_drop();
        assert!(deadline.check().is_ok());
        drop(waiting);
        assert!(matches!(deadline.guard_rows(endless()).next(), Some(Err(QueryError::Deadline))));
    }
}
