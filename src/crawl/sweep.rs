//! How queues on disk come into the frontier: as word of them arrives, and by *sweeps* over all of them, which find
//! what slept, what there was no room for, and what has a greater budget than it had.
//!
//! Each turn of the loop takes in some, and for a bounded time; the rest waits, so that fetches are seen to however
//! many arrive at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::progress::unix_now;
use super::scheduler::{HEARTBEAT, HOUSEKEEPING, Loop};
use super::{CrawlError, asleep_until};
use crate::frontier::{Arrival, Backlog, Priority, QueueName};
use crate::store::StoreError;

/// How often the queues on disk are swept for hosts that have slept or whose budget has grown.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Queues on disk looked at in one turn of the loop at most, and at least unless time is up.
const SWEEP_CHUNK: usize = 500;
const SWEEP_LEAST: usize = 16;
/// How long one turn of the loop takes in what has arrived, and how long it sweeps.
const INTAKE: Duration = Duration::from_millis(10);
/// Arrivals that wait to be taken in; sweeps find the queues of those beyond.
const MOST_WAITING: usize = 100_000;

/// How far the walk over the queues on disk has come.
pub(super) enum Sweep {
    /// Nothing to do until then.
    Rests(Instant),
    /// What comes after this queue.
    After(Option<QueueName>),
    /// The same, while nothing else is left to do; an ordinary sweep as soon as a queue is taken in.
    Last(Option<QueueName>),
    /// The last sweep is over, and has taken in none.
    Over,
}

/// What the loop keeps for it.
pub(super) struct Intake {
    sweep: Sweep,
    /// Word of queues that are not in memory.
    arrivals: VecDeque<Arrival>,
}

impl Intake {
    pub fn new() -> Self {
        Self { sweep: Sweep::After(None), arrivals: VecDeque::new() }
    }

    /// Whether arrivals wait to be taken in.
    pub fn has_arrivals(&self) -> bool {
        !self.arrivals.is_empty()
    }
}

impl Loop<'_> {
    /// Hears of queues that have URLs. Those in memory are told at once; the others wait to be taken in.
    pub fn arrive(&mut self, arrivals: Vec<Arrival>) -> Result<(), CrawlError> {
        for arrival in arrivals {
            let waiting = &mut self.intake.arrivals;
            if self.frontier.knows(&arrival.queue) {
                self.frontier.arrived(&arrival, &self.backlog)?;
            } else if arrival.priority == Priority::Seed || waiting.len() < MOST_WAITING {
                waiting.push_back(arrival);
            } else {
                self.frontier.leave_out();
            }
        }
        Ok(())
    }

    /// Takes in some of the queues that wait, unless they sleep. A seed is asked for although its host was given up
    /// before.
    pub fn take_in_arrivals(&mut self) -> Result<(), CrawlError> {
        let end = Instant::now() + INTAKE;
        while let Some(arrival) = self.intake.arrivals.pop_front() {
            let is_seed = arrival.priority == Priority::Seed;
            if is_seed || self.frontier.knows(&arrival.queue) || !self.is_asleep(&arrival.queue)? {
                self.frontier.arrived(&arrival, &self.backlog)?;
            }
            if Instant::now() >= end {
                break;
            }
        }
        Ok(())
    }

    fn is_asleep(&self, queue: &QueueName) -> Result<bool, StoreError> {
        let host = self.crawler.store.host(queue)?;
        Ok(asleep_until(&self.crawler.config, &host, unix_now()).is_some())
    }

    /// Takes one step of a sweep, if one is due and may find a place.
    pub fn sweep_on(&mut self, now: Instant) -> Result<(), CrawlError> {
        let leaves_out = self.frontier.leaves_out();
        match &mut self.intake.sweep {
            Sweep::Rests(until) => {
                if leaves_out {
                    *until = (*until).min(now + HOUSEKEEPING);
                }
                if *until > now {
                    return Ok(());
                }
                self.begin_sweep(Sweep::After(None));
            }
            // The crawl did not end with it.
            Sweep::Over => self.begin_sweep(Sweep::After(None)),
            Sweep::After(_) | Sweep::Last(_) => {}
        }
        if self.frontier.room() > 0 || !self.frontier.leaves_out() {
            self.sweep_step()?;
        }
        Ok(())
    }

    fn begin_sweep(&mut self, sweep: Sweep) {
        self.frontier.look_anew();
        self.intake.sweep = sweep;
    }

    fn sweep_step(&mut self) -> Result<(), CrawlError> {
        let end = Instant::now() + INTAKE;
        let (mut last, mut is_last_sweep) = match &mut self.intake.sweep {
            Sweep::After(after) => (after.take(), false),
            Sweep::Last(after) => (after.take(), true),
            Sweep::Rests(_) | Sweep::Over => return Ok(()),
        };
        let most = self.frontier.room().clamp(SWEEP_LEAST, SWEEP_CHUNK);
        let found = self.crawler.store.queues(last.as_ref(), most)?;
        if found.is_empty() {
            let rests = Sweep::Rests(Instant::now() + SWEEP_EVERY);
            self.intake.sweep = if is_last_sweep { Sweep::Over } else { rests };
            return Ok(());
        }
        for arrival in found {
            if self.may_be_asked(&arrival)? {
                if self.frontier.room() == 0 && !self.frontier.knows(&arrival.queue) {
                    // It is the first when there is room again.
                    self.frontier.leave_out();
                    break;
                }
                is_last_sweep = false;
                self.frontier.take_in(&arrival, &self.backlog)?;
            }
            last = Some(arrival.queue);
            if Instant::now() >= end {
                break;
            }
        }
        self.intake.sweep = if is_last_sweep { Sweep::Last(last) } else { Sweep::After(last) };
        Ok(())
    }

    /// Whether a queue on disk has work that the frontier does not see to.
    fn may_be_asked(&self, Arrival { queue, url, priority }: &Arrival) -> Result<bool, StoreError> {
        if self.frontier.sees_to(queue) || self.is_asleep(queue)? {
            return Ok(false);
        }
        Ok(!priority.is_new_page() || !self.backlog.standing(queue, url)?.is_spent())
    }

    /// Looks at all queues on disk once more before the crawl ends for want of work: how long to wait, `None` when
    /// there is nothing.
    pub fn sweep_last(&mut self) -> Option<Duration> {
        match self.intake.sweep {
            Sweep::Over => return None,
            Sweep::After(_) | Sweep::Last(_) => {}
            Sweep::Rests(_) => {
                self.backlog.count_anew();
                self.begin_sweep(Sweep::Last(None));
            }
        }
        // What is full of queues that have nothing to do has room for others as soon as they have had their rest.
        self.frontier.prune(Instant::now(), &self.backlog);
        Some(if self.frontier.room() > 0 { Duration::ZERO } else { HEARTBEAT })
    }
}
