//! When a query has to stop: its time is up, or nobody waits for the answer any more.
//!
//! Loops over rows ask now and then, every few milliseconds at least; a query is never killed from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::QueryError;

/// Rows between two looks at the clock.
const ROWS_A_LOOK: usize = 1_024;

/// Steps between two looks, each of which takes some nanoseconds.
const STEPS_A_LOOK: usize = 1 << 16;

/// Cells between two looks, where no more is done with each than to copy or compare a number.
pub(super) const CELLS_A_LOOK: usize = 1 << 17;

/// The point in time, or the sign, at which a query gives up.
#[derive(Clone, Debug)]
pub struct Deadline {
    start: Instant,
    time: Duration,
    /// Nanoseconds from the start.
    until: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

/// Stops the query of its deadline when it is dropped.
#[derive(Debug)]
pub struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Deadline {
    /// Starts now.
    pub fn after(time: Duration) -> Self {
        let until = Arc::new(AtomicU64::new(nanoseconds(time)));
        Self { start: Instant::now(), time, until, cancelled: Arc::new(AtomicBool::new(false)) }
    }

    /// Gives the whole time once more: somebody has taken a part of the answer and waits for the next.
    pub fn renew(&self) {
        self.until.store(nanoseconds(self.start.elapsed().saturating_add(self.time)), Ordering::Relaxed);
    }

    /// To be held as long as somebody waits for the answer.
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(Arc::clone(&self.cancelled))
    }

    /// Stops the query.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The time left.
    pub fn left(&self) -> Duration {
        let until = Duration::from_nanos(self.until.load(Ordering::Relaxed));
        until.saturating_sub(self.start.elapsed())
    }

    /// # Errors
    /// [`QueryError::Deadline`] once the time is up or nobody waits.
    pub fn check(&self) -> Result<(), QueryError> {
        if self.cancelled.load(Ordering::Relaxed) || self.left().is_zero() {
            return Err(QueryError::Deadline);
        }
        Ok(())
    }

    /// As [`Self::check`], at the first of every thousand or so rows.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_at(&self, row: usize) -> Result<(), QueryError> {
        if row.is_multiple_of(ROWS_A_LOOK) { self.check() } else { Ok(()) }
    }

    /// The rows of a scan, cut short by an error when the time is up.
    pub fn over<T, E: Into<QueryError>>(
        &self,
        rows: impl Iterator<Item = Result<T, E>>,
    ) -> impl Iterator<Item = Result<T, QueryError>> {
        rows.enumerate().map(|(at, row)| {
            self.check_at(at)?;
            row.map_err(Into::into)
        })
    }
}

/// Counts small steps of work, and looks at a deadline when enough of them are done.
#[derive(Debug)]
pub(super) struct Steps<'d> {
    deadline: &'d Deadline,
    /// Steps before the next look.
    left: usize,
}

impl<'d> Steps<'d> {
    pub fn of(deadline: &'d Deadline) -> Self {
        Self { deadline, left: STEPS_A_LOOK }
    }

    /// One step more.
    ///
    /// # Errors
    /// As [`Deadline::check`].
    pub fn step(&mut self) -> Result<(), QueryError> {
        self.left -= 1;
        if self.left == 0 {
            self.left = STEPS_A_LOOK;
            self.deadline.check()?;
        }
        Ok(())
    }
}

/// A time beyond what the counter holds is as good as five centuries.
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
        let failed = deadline.over(endless()).find(Result::is_err);
        assert!(matches!(failed, Some(Err(QueryError::Deadline))));
    }

    #[test]
    fn a_renewed_deadline_starts_again() {
        let deadline = Deadline::after(Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(21));
        assert!(deadline.check().is_err());
        deadline.renew();
        assert!(deadline.check().is_ok() && deadline.left() <= Duration::from_millis(20));
    }

    #[test]
    fn a_scan_ends_when_nobody_waits() {
        let deadline = Deadline::after(Duration::MAX);
        let waiting = deadline.cancel_on_drop();
        assert!(deadline.check().is_ok());
        drop(waiting);
        assert!(matches!(deadline.over(endless()).next(), Some(Err(QueryError::Deadline))));
    }
}
