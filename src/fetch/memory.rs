//! Room in memory for what answers bring, from the wire until it is stored: `crawl.memory_bytes`.
//!
//! Each answer has a [`Room`]. It grows with the body, then with what the body is decoded and parsed to, before these
//! are made; shrinks to what came of it; and is given back when that is stored. Who finds no room waits in line.
//!
//! * The first bytes of each answer, `FREE` at most, are set apart for as many answers as there may be at once: usual
//!   pages are received without a wait, however much others bring. So are the first bytes that each thread that reads
//!   takes for that, `READING`.
//! * Answers that have a part of what they need may wait for each other. So one of those that are being received, and one
//!   of those that are being read, may go on without room, until it is stored. Readers come before receivers, as what
//!   they wait for is the store alone, which waits for nobody; receivers then find threads that read.
//!
//! What is beyond is bounded all the same, by what one answer may bring.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of each answer that are set apart for it, unless they would be more than half of the memory.
const FREE: usize = 64 << 10;

/// Bytes that each thread that reads may take besides, which common pages are parsed in.
const READING: usize = 1 << 20;

/// Bytes that a permit stands for. Room is taken in such steps.
const UNIT: usize = 64 << 10;

/// All the room there is.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Rooms>);

#[derive(Debug)]
struct Rooms {
    free: Arc<Semaphore>,
    all: u32,
    /// Bytes of each answer that are set apart.
    apart: usize,
    /// Who may go on without room: one who receives, one who reads.
    receiver: Arc<Semaphore>,
    reader: Arc<Semaphore>,
    waits: AtomicU64,
}

impl Memory {
    /// So many bytes, of which the usual part is set apart for each of so many answers.
    pub fn new(bytes: usize, answers: usize) -> Self {
        let apart = FREE.min(bytes / 2 / answers.max(1));
        let all = units(bytes - apart * answers).max(1);
        Self(Arc::new(Rooms {
            free: Arc::new(Semaphore::new(all as usize)),
            all,
            apart,
            receiver: Arc::new(Semaphore::new(1)),
            reader: Arc::new(Semaphore::new(1)),
            waits: AtomicU64::new(0),
        }))
    }

    /// As much as anybody may want.
    pub fn unlimited() -> Self {
        Self::new(usize::MAX, 0)
    }

    /// A room for one answer, empty as yet.
    pub fn room(&self) -> Room {
        Room { of: Some(self.clone()), permits: None, pass: None }
    }

    /// Bytes taken, of what is not set apart.
    pub fn taken(&self) -> usize {
        (self.0.all as usize).saturating_sub(self.0.free.available_permits()).saturating_mul(UNIT)
    }

    /// How often an answer has waited for room.
    pub fn waits(&self) -> u64 {
        self.0.waits.load(Ordering::Relaxed)
    }
}

/// The room of one answer, given back when it is dropped. That of no memory grows for nothing.
#[derive(Debug, Default)]
pub struct Room {
    of: Option<Memory>,
    permits: Option<OwnedSemaphorePermit>,
    /// Leave to go on without.
    pass: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Grows to so many bytes; how long that took.
    pub(super) async fn grow(&mut self, bytes: usize) -> Duration {
        let Some((memory, wanted)) = self.lacks(bytes) else { return Duration::ZERO };
        let start = Instant::now();
        self.wait(&memory, wanted, &memory.receiver).await;
        start.elapsed()
    }

    /// Grows to so many bytes on a thread that reads, which waits; until [`Self::settle`].
    pub fn grow_reading(&mut self, bytes: usize) {
        self.grow_here(bytes.saturating_sub(READING));
    }

    /// Grows or shrinks to so many bytes, on the same thread.
    pub fn settle(&mut self, bytes: usize) {
        self.grow_here(bytes);
        self.keep(bytes);
    }

    fn grow_here(&mut self, bytes: usize) {
        if let Some((memory, wanted)) = self.lacks(bytes) {
            block_on(self.wait(&memory, wanted, &memory.reader));
        }
    }

    /// The permits that it lacks for so many bytes, unless they are there at once or it may do without.
    fn lacks(&mut self, bytes: usize) -> Option<(Arc<Rooms>, u32)> {
        let Memory(memory) = self.of.as_ref()?;
        let beyond = bytes.checked_sub(memory.apart).filter(|beyond| *beyond > 0)?;
        let held = self.permits.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = (units(beyond).min(memory.all) as usize).saturating_sub(held);
        if wanted == 0 || self.pass.is_some() {
            return None;
        }
        let (memory, wanted) = (Arc::clone(memory), u32::try_from(wanted).unwrap_or(MOST));
        match Arc::clone(&memory.free).try_acquire_many_owned(wanted) {
            Ok(permits) => {
                self.take(permits);
                None
            }
            Err(_) => Some((memory, wanted)),
        }
    }

    async fn wait(&mut self, memory: &Rooms, wanted: u32, passes: &Arc<Semaphore>) {
        memory.waits.fetch_add(1, Ordering::Relaxed);
        let room = Arc::clone(&memory.free).acquire_many_owned(wanted);
        let pass = Arc::clone(passes).acquire_owned();
        // No semaphore is ever closed.
        tokio::select! {
            biased;
            Ok(room) = room => self.take(room),
            Ok(pass) = pass => self.pass = Some(pass),
            else => {}
        }
    }

    fn take(&mut self, permits: OwnedSemaphorePermit) {
        match &mut self.permits {
            Some(held) => held.merge(permits),
            None => self.permits = Some(permits),
        }
    }

    /// Gives back what so many bytes do not need.
    fn keep(&mut self, bytes: usize) {
        let (Some(Memory(memory)), Some(held)) = (&self.of, &mut self.permits) else { return };
        let rest = held.num_permits().saturating_sub(units(bytes.saturating_sub(memory.apart)) as usize);
        drop(held.split(rest));
    }
}

/// What is compared is the answers.
impl Eq for Room {}

impl PartialEq for Room {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A copy of an answer shares its body.
impl Clone for Room {
    fn clone(&self) -> Self {
        Self::default()
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(MOST).min(MOST)
}

/// Units there may be at most; tokio's semaphores have no more on any machine.
const MOST: u32 = u32::MAX >> 3;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread.
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

    fn free(memory: &Memory) -> usize {
        memory.0.free.available_permits()
    }

    #[tokio::test]
    async fn room_is_there_again_when_it_is_given_back() {
        // A fifth is set apart.
        let memory = Memory::new(5 * UNIT, 1);
        let mut first = memory.room();
        first.grow(FREE).await;
        assert_eq!(free(&memory), 4);
        first.grow(FREE + 1).await;
        assert_eq!(free(&memory), 3);
        first.grow(FREE + 3 * UNIT).await;
        assert_eq!(free(&memory), 1);
        first.keep(FREE + 2 * UNIT);
        assert_eq!(free(&memory), 2);
        first.keep(0);
        assert_eq!(free(&memory), 4);
        // What may bring more than there is room for has all of it.
        first.grow(100 * UNIT).await;
        assert_eq!(free(&memory), 0);
        drop(first);
        assert_eq!((free(&memory), memory.waits()), (4, 0));
    }

    #[test]
    fn little_memory_is_not_all_set_apart() {
        let memory = Memory::new(4 << 20, 1_000);
        assert!(memory.0.apart * 1_000 <= 2 << 20 && free(&memory) >= 32);
        Memory::unlimited().room().grow_reading(usize::MAX);
    }

    /// As many as there may be, each with a part of what it needs; none ever gives back before it has all.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn answers_that_wait_for_each_other_all_go_on() {
        let memory = Memory::new(8 * UNIT, 0);
        let receive = |memory: Memory| async move {
            let mut room = memory.room();
            for steps in 1..=8 {
                room.grow(steps * UNIT).await;
                tokio::task::yield_now().await;
            }
            let read = tokio::task::spawn_blocking(move || {
                room.grow_reading(READING + 20 * UNIT);
                std::thread::sleep(Duration::from_millis(1));
                room.keep(3 * UNIT);
                room
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
