//! What happens on a connection, as far as it decides how long that may go on.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

use super::Cut;
use crate::api::admission::Client;
use crate::config::ApiConfig;

/// How long each part of a connection's life may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub head: Duration,
    pub idle: Duration,
    pub write: Duration,
    pub request: Duration,
}

impl Timeouts {
    pub fn new(config: &ApiConfig) -> Self {
        Self {
            head: config.head_timeout.0,
            idle: config.idle_timeout.0,
            write: config.write_timeout.0,
            request: config.request_timeout.0,
        }
    }

    /// How often it is looked whether one has passed: at a quarter of the shortest, from 10 ms to a second.
    pub fn look_every(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.write).min(self.request);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    Open = 0,
    /// What was begun is finished, and nothing else.
    Drain = 1,
    End = 2,
}

/// A connection's notes. Times are milliseconds of [`now`].
pub struct Activity {
    accepted: u64,
    /// A [`Course`], and the connection's task, which looks at it.
    course: AtomicU8,
    task: AtomicWaker,
    is_http2: AtomicBool,
    /// When the first bytes of a head came that is not whole yet; [`NEVER`] without any.
    head_since: AtomicU64,
    /// When the last request ended; [`NEVER`] before the first.
    idle_since: AtomicU64,
    /// Since when the client has to read before more can be sent; [`NEVER`]: it need not.
    blocked_since: AtomicU64,
    /// When the client last took bytes; 0 before that. On an HTTP/1 connection they are of the one answer that is
    /// sent.
    written: AtomicU64,
    /// Whether an answer was broken off that was begun.
    is_broken_off: AtomicBool,
    /// Passwords that were wrong.
    wrong_logins: AtomicU32,
    exchanges: Mutex<Vec<Arc<Exchange>>>,
}

const NEVER: u64 = u64::MAX;

/// Milliseconds of the kernel's coarse clock, which is read several times a request: it is exact to a tick (1 to 10 ms)
/// and costs a fraction of what [`std::time::Instant`] does.
fn now() -> u64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::MonotonicCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let time = Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    u64::try_from(time.as_millis()).unwrap_or(0)
}

/// Whether a time is so long ago.
fn is_past(since: u64, now: u64, duration: Duration) -> bool {
    since <= now && u128::from(now - since) >= duration.as_millis()
}

/// A request under way, and its answer.
pub struct Exchange {
    /// When its head was read.
    begun: u64,
    phase: AtomicU8,
    /// When its answer was last handed on to the connection; see [`Exchange::taken`].
    taken: AtomicU64,
    /// Whether bytes of its answer are there for the client, which is not to blame where they are not.
    is_offered: AtomicBool,
    /// Whether it waits for its password to be verified, because others were wrong.
    is_suspect: AtomicBool,
    /// Bytes of its answer, and the client that they are held for.
    held: Mutex<Option<(u64, Client)>>,
    /// Ends the task of its HTTP/2 stream. `None`: it ends with its connection.
    end: Mutex<Option<Arc<Notify>>>,
    is_ended: AtomicBool,
    activity: Arc<Activity>,
}

/// How far an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client still sends the request.
    Reading = 0,
    /// The answer is made.
    Answering = 1,
    /// The answer is sent.
    Writing = 2,
}

impl Activity {
    pub fn new() -> Self {
        Self {
            accepted: now(),
            course: AtomicU8::new(Course::Open as u8),
            task: AtomicWaker::new(),
            is_http2: AtomicBool::new(false),
            head_since: AtomicU64::new(NEVER),
            idle_since: AtomicU64::new(NEVER),
            blocked_since: AtomicU64::new(NEVER),
            written: AtomicU64::new(0),
            is_broken_off: AtomicBool::new(false),
            wrong_logins: AtomicU32::new(0),
            exchanges: Mutex::default(),
        }
    }

    /// Bytes came from the client.
    pub fn note_bytes(&self, is_http2: bool) {
        if is_http2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        // While a request is under way they are its body, as a rule.
        let is_head = !self.is_http2.load(Ordering::Relaxed)
            && self.head_since.load(Ordering::Relaxed) == NEVER
            && self.exchanges().is_empty();
        if is_head {
            self.head_since.store(now(), Ordering::Relaxed);
        }
    }

    /// Bytes were sent to the client, or have to wait.
    pub fn note_write(&self, is_blocked: bool) {
        let now = now();
        if !is_blocked {
            self.written.store(now, Ordering::Relaxed);
            self.blocked_since.store(NEVER, Ordering::Relaxed);
        } else if !self.is_blocked() {
            self.blocked_since.store(now, Ordering::Relaxed);
        }
    }

    /// An answer that its client has begun to get is not finished. Over HTTP/1.0 only the way in which the connection
    /// ends tells that.
    pub fn note_broken_off(&self) {
        self.is_broken_off.store(true, Ordering::Relaxed);
    }

    /// Whether the connection must not end as if all were sent.
    pub fn is_broken_off(&self) -> bool {
        self.is_broken_off.load(Ordering::Relaxed) && !self.is_http2.load(Ordering::Relaxed)
    }

    fn is_blocked(&self) -> bool {
        self.blocked_since.load(Ordering::Relaxed) != NEVER
    }

    /// The head of a request is there. The exchange is over when what is returned is dropped.
    pub fn begin(self: &Arc<Self>) -> Begun {
        self.head_since.store(NEVER, Ordering::Relaxed);
        let now = now();
        let exchange = Arc::new(Exchange {
            begun: now,
            phase: AtomicU8::new(Phase::Reading as u8),
            taken: AtomicU64::new(now),
            is_offered: AtomicBool::new(false),
            is_suspect: AtomicBool::new(false),
            held: Mutex::default(),
            end: Mutex::default(),
            is_ended: AtomicBool::new(false),
            activity: Arc::clone(self),
        });
        self.exchanges().push(Arc::clone(&exchange));
        Begun(exchange)
    }

    /// A panic elsewhere cannot leave the list half changed.
    fn exchanges(&self) -> MutexGuard<'_, Vec<Arc<Exchange>>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is under way that a connection is left open for while the server ends.
    pub fn is_drained(&self) -> bool {
        self.course.load(Ordering::Acquire) == Course::Drain as u8 && !self.is_answering()
    }

    /// Ends requests that have taken too long; says why the whole connection has to end, if it has.
    pub fn look(&self, timeouts: &Timeouts, mut count: impl FnMut(Cut)) -> Option<Cut> {
        let (now, exchanges) = (now(), self.exchanges());
        let is_over = |since: u64, timeout: Duration| is_past(since, now, timeout);
        let blocked_since = self.blocked_since.load(Ordering::Relaxed);
        if exchanges.is_empty() && blocked_since != NEVER {
            // The end of an answer that is made waits for its client.
            return is_over(blocked_since, timeouts.write).then_some(Cut::Write);
        }
        if exchanges.is_empty() {
            let idle_since = self.idle_since.load(Ordering::Relaxed);
            // The first request has to come as soon as the rest of one that has begun.
            let is_first = idle_since == NEVER;
            let head_since = if is_first { self.accepted } else { self.head_since.load(Ordering::Relaxed) };
            if is_over(head_since, timeouts.head) {
                return Some(Cut::Head);
            }
            return is_over(self.idle_since(), timeouts.idle).then_some(Cut::Idle);
        }
        for exchange in exchanges.iter() {
            let is_unread = exchange.is_offered() && is_over(exchange.taken(), timeouts.write);
            let cut = match is_unread {
                true => Cut::Write,
                false if is_over(exchange.begun, timeouts.request) => Cut::Request,
                false => continue,
            };
            if exchange.end() {
                count(cut);
            }
        }
        None
    }

    /// Since when nothing happens, if no request is under way; or, of all its answers, since when none is read, if that
    /// is for this long.
    pub fn unused_since(&self, unread_for: Duration) -> Option<u64> {
        let (now, exchanges) = (now(), self.exchanges());
        let taken = exchanges.iter().map(|exchange| {
            let is_suspect = exchange.is_suspect.load(Ordering::Relaxed);
            let since = if is_suspect { exchange.begun } else { exchange.taken() };
            (is_suspect || exchange.is_offered()).then_some(since)
        });
        let mut latest = self.idle_since();
        for taken in taken {
            latest = latest.max(taken?);
        }
        let blocked_since = self.blocked_since.load(Ordering::Relaxed);
        if blocked_since != NEVER {
            latest = latest.max(blocked_since);
        }
        let is_used = !exchanges.is_empty() || blocked_since != NEVER;
        (!is_used || is_past(latest, now, unread_for)).then_some(latest)
    }

    /// Since when no request is under way, if none is.
    fn idle_since(&self) -> u64 {
        match self.idle_since.load(Ordering::Relaxed) {
            NEVER => self.accepted,
            since => since,
        }
    }

    /// Ends the connection.
    pub fn end(&self) {
        self.course.store(Course::End as u8, Ordering::Release);
        self.task.wake();
    }

    /// Lets the connection finish what was begun, and nothing else.
    pub fn drain(&self) {
        let (open, drain) = (Course::Open as u8, Course::Drain as u8);
        if self.course.compare_exchange(open, drain, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.task.wake();
        }
    }

    /// What is to become of the connection; whoever asks is woken when that changes.
    pub fn course(&self, context: &Context<'_>) -> Course {
        self.task.register(context.waker());
        match self.course.load(Ordering::Acquire) {
            0 => Course::Open,
            1 => Course::Drain,
            _ => Course::End,
        }
    }

    /// Whether a request was read to its end and its answer is not sent yet.
    pub fn is_answering(&self) -> bool {
        self.is_blocked() || self.exchanges().iter().any(|exchange| exchange.phase() != Phase::Reading)
    }

    /// The exchanges whose clients have taken nothing of their answers for this long: since when, and which.
    pub fn unread(&self, for_long: Duration) -> Vec<(u64, Arc<Exchange>)> {
        let (now, exchanges) = (now(), self.exchanges());
        let unread = exchanges.iter().filter_map(|exchange| {
            let taken = exchange.taken();
            let is_unread = exchange.is_offered() && is_past(taken, now, for_long);
            is_unread.then(|| (taken, Arc::clone(exchange)))
        });
        unread.collect()
    }
}

impl Exchange {
    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Reading,
            1 => Phase::Answering,
            _ => Phase::Writing,
        }
    }

    /// The request was read to its end.
    pub fn note_read(&self) {
        self.phase.store(Phase::Answering as u8, Ordering::Relaxed);
    }

    /// The answer begins to be sent.
    pub fn note_answered(&self, held: Option<(u64, Client)>) {
        self.note_taken(true);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        self.phase.store(Phase::Writing as u8, Ordering::Relaxed);
    }

    /// Passwords that were wrong on its connection.
    pub fn wrong_logins(&self) -> u32 {
        self.activity.wrong_logins.load(Ordering::Relaxed)
    }

    /// It waits because passwords of the same name and address were wrong; it has no claim to its place meanwhile.
    pub fn note_suspect(&self, is_suspect: bool) {
        self.is_suspect.store(is_suspect, Ordering::Relaxed);
    }

    /// A password was wrong.
    pub fn note_wrong_login(&self) {
        self.activity.wrong_logins.fetch_add(1, Ordering::Relaxed);
    }

    /// The client takes bytes of its answer; whether there are more for it.
    pub fn note_taken(&self, is_offered: bool) {
        self.is_offered.store(is_offered, Ordering::Relaxed);
        self.taken.store(now(), Ordering::Relaxed);
    }

    /// When its client last took bytes of its answer.
    fn taken(&self) -> u64 {
        let (taken, written) = (&self.taken, &self.activity.written);
        let own = taken.load(Ordering::Relaxed);
        if self.is_http2() { own } else { own.max(written.load(Ordering::Relaxed)) }
    }

    /// Whether it is up to the client that its answer goes on.
    fn is_offered(&self) -> bool {
        self.phase() == Phase::Writing && self.is_offered.load(Ordering::Relaxed)
    }

    /// Bytes of its answer that are held, and for whom.
    pub fn held(&self) -> Option<(u64, Client)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// See [`Activity::note_broken_off`].
    pub fn note_broken_off(&self) {
        self.activity.note_broken_off();
    }

    /// Whether its connection speaks HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.activity.is_http2.load(Ordering::Relaxed)
    }

    pub fn ends_by(&self, end: Arc<Notify>) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// Ends it; says whether it had not been ended before.
    pub fn end(&self) -> bool {
        if self.is_ended.swap(true, Ordering::Relaxed) {
            return false;
        }
        match &*self.end.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(end) => end.notify_one(),
            None => self.activity.end(),
        }
        true
    }
}

/// An exchange until it is over.
pub struct Begun(Arc<Exchange>);

impl std::ops::Deref for Begun {
    type Target = Arc<Exchange>;

    fn deref(&self) -> &Arc<Exchange> {
        &self.0
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let activity = &self.0.activity;
        let mut exchanges = activity.exchanges();
        exchanges.retain(|exchange| !Arc::ptr_eq(exchange, &self.0));
        activity.idle_since.store(now(), Ordering::Relaxed);
    }
}
