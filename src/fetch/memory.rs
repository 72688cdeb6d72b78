//! The memory budget of responses, from the wire until they are stored: `crawl.memory_bytes`.
//!
//! Each response has a [`Reservation`]. It grows with the body, then before the body is decoded and parsed. It
//! shrinks to the size of the result, and is released when that is stored. A reservation that does not fit waits in
//! line.
//!
//! * The first `FREE_BYTES` of each response are set aside for the maximum number of concurrent responses. Ordinary
//!   pages are downloaded without a wait, however large the others are. The first `PARSER_BYTES` of each parser
//!   thread are set aside too.
//! * Responses that hold a part of their memory may wait for each other. To avoid a deadlock, one download and one
//!   parser thread may exceed the budget until their response is stored. Parsers come before downloads: they wait
//!   only for the store, which waits for nothing. Downloads then find free parsers.
//!
//! The excess is bounded by the memory of one response.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes set aside for each response, unless they sum up to more than half of the budget.
const FREE_BYTES: usize = 64 << 10;

/// Bytes that each parser thread may use in addition; enough for common pages.
const PARSER_BYTES: usize = 1 << 20;

/// Bytes per permit, the unit of reservations.
const UNIT_BYTES: usize = 64 << 10;

/// The memory budget. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    free: Arc<Semaphore>,
    all: u32,
    /// Bytes set aside for each response.
    free_per_response: usize,
    /// Passes to exceed the budget: one for a download, one for a parser.
    download_pass: Arc<Semaphore>,
    parser_pass: Arc<Semaphore>,
    waits: AtomicU64,
}

impl MemoryBudget {
    /// A budget of this many bytes, with a part set aside for each of `responses` concurrent responses.
    pub fn new(bytes: usize, responses: usize) -> Self {
        let free_per_response = FREE_BYTES.min(bytes / 2 / responses.max(1));
        let all = units(bytes - free_per_response * responses).max(1);
        Self(Arc::new(Budget {
            free: Arc::new(Semaphore::new(all as usize)),
            all,
            free_per_response,
            download_pass: Arc::new(Semaphore::new(1)),
            parser_pass: Arc::new(Semaphore::new(1)),
            waits: AtomicU64::new(0),
        }))
    }

    /// A budget without a limit.
    pub fn unlimited() -> Self {
        Self::new(usize::MAX, 0)
    }

    /// An empty reservation for one response.
    pub fn reservation(&self) -> Reservation {
        Reservation { budget: Some(self.clone()), permits: None, pass: None }
    }

    /// Reserved bytes, without those set aside.
    pub fn taken(&self) -> usize {
        (self.0.all as usize).saturating_sub(self.0.free.available_permits()).saturating_mul(UNIT_BYTES)
    }

    /// How often a response has waited for memory.
    pub fn waits(&self) -> u64 {
        self.0.waits.load(Ordering::Relaxed)
    }
}

/// The memory of one response, released when dropped. Without a budget it grows freely.
#[derive(Debug, Default)]
pub struct Reservation {
    budget: Option<MemoryBudget>,
    permits: Option<OwnedSemaphorePermit>,
    /// The pass to exceed the budget.
    pass: Option<OwnedSemaphorePermit>,
}

impl Reservation {
    /// Grows to this many bytes. Returns the time spent waiting.
    pub(super) async fn grow(&mut self, bytes: usize) -> Duration {
        let Some((memory, wanted)) = self.missing_permits(bytes) else { return Duration::ZERO };
        let start = Instant::now();
        self.wait(&memory, wanted, &memory.download_pass).await;
        start.elapsed()
    }

    /// Grows to this many bytes, on a parser thread, which blocks. Lasts until [`Self::settle`].
    pub fn grow_for_parser(&mut self, bytes: usize) {
        self.grow_blocking(bytes.saturating_sub(PARSER_BYTES));
    }

    /// Grows or shrinks to this many bytes, on a parser thread.
    pub fn settle(&mut self, bytes: usize) {
        self.grow_blocking(bytes);
        self.release_beyond(bytes);
    }

    fn grow_blocking(&mut self, bytes: usize) {
        if let Some((memory, wanted)) = self.missing_permits(bytes) {
            block_on(self.wait(&memory, wanted, &memory.parser_pass));
        }
    }

    /// The permits still missing for this many bytes. Takes them if they are free; `None` then, or with a pass.
    fn missing_permits(&mut self, bytes: usize) -> Option<(Arc<Budget>, u32)> {
        let MemoryBudget(memory) = self.budget.as_ref()?;
        let beyond = bytes.checked_sub(memory.free_per_response).filter(|beyond| *beyond > 0)?;
        let held = self.permits.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = (units(beyond).min(memory.all) as usize).saturating_sub(held);
        if wanted == 0 || self.pass.is_some() {
            return None;
        }
        let (memory, wanted) = (Arc::clone(memory), u32::try_from(wanted).unwrap_or(MAX_UNITS));
        match Arc::clone(&memory.free).try_acquire_many_owned(wanted) {
            Ok(permits) => {
                self.add_permits(permits);
                None
            }
            Err(_) => Some((memory, wanted)),
        }
    }

    async fn wait(&mut self, memory: &Budget, wanted: u32, passes: &Arc<Semaphore>) {
        memory.waits.fetch_add(1, Ordering::Relaxed);
        let reservation = Arc::clone(&memory.free).acquire_many_owned(wanted);
        let pass = Arc::clone(passes).acquire_owned();
        // Semaphores are never closed.
        tokio::select! {
            biased;
            Ok(reservation) = reservation => self.add_permits(reservation),
            Ok(pass) = pass => self.pass = Some(pass),
            else => {}
        }
    }

    fn add_permits(&mut self, permits: OwnedSemaphorePermit) {
        match &mut self.permits {
            Some(held) => held.merge(permits),
            None => self.permits = Some(permits),
        }
    }

    /// Releases the permits beyond this many bytes.
    fn release_beyond(&mut self, bytes: usize) {
        let (Some(MemoryBudget(memory)), Some(held)) = (&self.budget, &mut self.permits) else { return };
        let rest =
            held.num_permits().saturating_sub(units(bytes.saturating_sub(memory.free_per_response)) as usize);
        drop(held.split(rest));
    }
}

/// Comparisons of responses ignore their memory.
impl Eq for Reservation {}

impl PartialEq for Reservation {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A copy of a response shares its body.
impl Clone for Reservation {
    fn clone(&self) -> Self {
        Self::default()
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(MAX_UNITS).min(MAX_UNITS)
}

/// Maximum number of units; the limit of tokio's semaphores on any machine.
const MAX_UNITS: u32 = u32::MAX >> 3;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread until the future is ready.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(memory: &MemoryBudget) -> usize {
        memory.0.free.available_permits()
    }

    #[tokio::test]
    async fn released_memory_can_be_reserved_again() {
        // A fifth is set aside.
        let memory = MemoryBudget::new(5 * UNIT_BYTES, 1);
        let mut first = memory.reservation();
        first.grow(FREE_BYTES).await;
        assert_eq!(free(&memory), 4);
        first.grow(FREE_BYTES + 1).await;
        assert_eq!(free(&memory), 3);
        first.grow(FREE_BYTES + 3 * UNIT_BYTES).await;
        assert_eq!(free(&memory), 1);
        first.release_beyond(FREE_BYTES + 2 * UNIT_BYTES);
        assert_eq!(free(&memory), 2);
        first.release_beyond(0);
        assert_eq!(free(&memory), 4);
        // A response larger than the budget gets all of it.
        first.grow(100 * UNIT_BYTES).await;
        assert_eq!(free(&memory), 0);
        drop(first);
        assert_eq!((free(&memory), memory.waits()), (4, 0));
    }

    #[test]
    fn at_most_half_of_a_small_budget_is_set_aside() {
        let memory = MemoryBudget::new(4 << 20, 1_000);
        assert!(memory.0.free_per_response * 1_000 <= 2 << 20 && free(&memory) >= 32);
        MemoryBudget::unlimited().reservation().grow_for_parser(usize::MAX);
    }

    /// As many responses as possible, each holding a part of its memory; none releases any before it has all.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn responses_that_wait_for_each_other_do_not_deadlock() {
        let memory = MemoryBudget::new(8 * UNIT_BYTES, 0);
        let receive = |memory: MemoryBudget| async move {
            let mut reservation = memory.reservation();
            for steps in 1..=8 {
                reservation.grow(steps * UNIT_BYTES).await;
                tokio::task::yield_now().await;
            }
            let read = tokio::task::spawn_blocking(move || {
                reservation.grow_for_parser(PARSER_BYTES + 20 * UNIT_BYTES);
                std::thread::sleep(Duration::from_millis(1));
                reservation.release_beyond(3 * UNIT_BYTES);
                reservation
            });
            drop(read.await.unwrap());
        };
        let all: Vec<_> = (0..50).map(|_| tokio::spawn(receive(memory.clone()))).collect();
        let all = async {
            for one in all {
                one.await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.expect("they wait for each other");
        assert!(memory.waits() > 0);
        assert_eq!(free(&memory), 8);
    }
}
