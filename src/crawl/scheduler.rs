//! The loop: asks the frontier what is next, hands it out, and takes in what came of it.
//!
//! It runs on the caller's thread and may read the store; the fetches it starts run on the async runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::task::JoinSet;

use super::messages::{Ended, Event, Outcome, Stored};
use super::progress::{Figures, Progress, is_past, unix_now};
use super::reading::Reading;
use super::{CrawlError, CrawlJob, Crawler, writer};
use crate::fetch::{Allowed, FetchOutcome, RobotsAnswer, RobotsFetch, RobotsStep, Validators};
use crate::frontier::{Fate, Found, Frontier, FrontierRules, Next, Pause, QueueName, QueuedUrl};
use crate::model::FailureKind;
use crate::store::{Commit, StoreError};
use crate::urls::CanonicalUrl;

/// How often the loop looks at `stop` when nothing happens.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// A crawl that runs forever looks for pages that have fallen due ten times in `crawl.recrawl_after`, within these
/// bounds: looking means reading through all pages.
const DUE_CHECKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3_600));
/// Pages that have fallen due put into the queue at once.
const DUE_CHUNK: usize = 1_000;

/// A robots.txt to fetch, and the queue that waits for it.
#[derive(Debug)]
struct Errand {
    job: RobotsFetch,
    waiting: QueueName,
}

struct Loop<'a> {
    crawler: &'a Crawler,
    job: &'a CrawlJob,
    runtime: &'a tokio::runtime::Handle,
    frontier: Frontier<Errand>,
    events: Sender<Event>,
    outcomes: Sender<Outcome>,
    /// What runs on the async runtime; given up when the loop ends.
    tasks: JoinSet<()>,
    /// Pages handed out that are not stored yet.
    outstanding: usize,
    handed_out: u64,
    /// Failures in a row, by queue.
    failures: FxHashMap<QueueName, u32>,
    reading: Arc<Reading>,
    deadline: Option<Instant>,
    next_due_check: Instant,
}

fn due_check(crawler: &Crawler) -> Duration {
    let (shortest, longest) = DUE_CHECKS;
    (crawler.config.crawl.recrawl_after.0 / 10).clamp(shortest, longest)
}

/// Runs one crawl to its end.
pub(super) fn run(
    crawler: &Crawler,
    job: &CrawlJob,
    runtime: &tokio::runtime::Handle,
    stop: &AtomicBool,
) -> Result<Figures, CrawlError> {
    let (events, inbox) = channel();
    let (outcomes, work) = channel();
    let writer = {
        let (store, progress) = (Arc::clone(&crawler.store), Arc::clone(&crawler.progress));
        let (batch, events) = (crawler.config.store.batch_pages, events.clone());
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer::run(&store, &progress, batch, &work, &events))
            .map_err(CrawlError::Thread)?
    };
    let mut crawl = Loop::new(crawler, job, runtime, events, outcomes)?;
    crawl.start()?;
    let result = crawl.run(&inbox, stop);
    // The writer ends when the last sender of outcomes is gone: the loop's, and those of fetches given up with it.
    drop(crawl);
    drop(inbox);
    if result.is_ok() && writer.join().is_err() {
        return Err(CrawlError::Broken);
    }
    result.map(|()| crawler.progress.figures())
}

impl<'a> Loop<'a> {
    fn new(
        crawler: &'a Crawler,
        job: &'a CrawlJob,
        runtime: &'a tokio::runtime::Handle,
        events: Sender<Event>,
        outcomes: Sender<Outcome>,
    ) -> Result<Self, StoreError> {
        let config = &crawler.config;
        Ok(Self {
            crawler,
            job,
            runtime,
            frontier: Frontier::new(FrontierRules {
                resolvers: config.crawl.resolvers,
                window: config.crawl.host_queue_in_memory,
                max_fetches: config.crawl.max_pages_per_host,
                address_ttl: config.fetch.dns_ttl.0,
            }),
            events,
            outcomes,
            tasks: JoinSet::new(),
            outstanding: 0,
            handed_out: 0,
            failures: FxHashMap::default(),
            reading: Arc::new(Reading::new(crawler, &job.seeds)?),
            deadline: job.max_time.map(|time| Instant::now() + time),
            next_due_check: Instant::now() + due_check(crawler),
        })
    }

    /// Takes up what earlier crawls left, what has fallen due, and the seeds.
    fn start(&mut self) -> Result<(), CrawlError> {
        let store = &self.crawler.store;
        for queue in store.queues()? {
            self.frontier.restore(queue, store.as_ref())?;
        }
        self.queue_due()?;
        let seeds = self.job.seeds.iter();
        self.queue(seeds.map(|url| Found { url: url.clone(), depth: 0, again: true }).collect())
    }

    fn queue(&mut self, found: Vec<Found>) -> Result<(), CrawlError> {
        let store = &self.crawler.store;
        let queued = store.commit(Commit { found, ..Commit::default() })?;
        Ok(self.frontier.queued(queued, store.as_ref())?)
    }

    /// Queues every page whose last visit is `crawl.recrawl_after` ago.
    fn queue_due(&mut self) -> Result<(), CrawlError> {
        let last = unix_now().saturating_sub(self.crawler.config.crawl.recrawl_after.0.as_secs());
        let due = self.crawler.store.visited_before(last + 1)?;
        for chunk in due.chunks(DUE_CHUNK) {
            let again =
                |(url, depth): &(CanonicalUrl, u16)| Found { url: url.clone(), depth: *depth, again: true };
            self.queue(chunk.iter().map(again).collect())?;
        }
        Ok(())
    }

    fn run(&mut self, inbox: &Receiver<Event>, stop: &AtomicBool) -> Result<(), CrawlError> {
        let mut stopping: Option<Instant> = None;
        loop {
            if stopping.is_none() && stop.load(Ordering::Relaxed) {
                stopping = Some(Instant::now() + self.crawler.config.crawl.drain.0);
            }
            self.clear_away()?;
            let open = stopping.is_none() && !self.is_at_limit();
            let wait = if open { self.hand_out()? } else { self.rest() };
            self.show();
            let Some(wait) = wait else { return Ok(()) };
            if is_past(stopping) {
                tracing::warn!(
                    pages = self.outstanding,
                    "fetches under way were given up after crawl.drain; they stay in the queue"
                );
                return Ok(());
            }
            match inbox.recv_timeout(wait) {
                Ok(event) => {
                    self.take_in(event)?;
                    while let Ok(event) = inbox.try_recv() {
                        self.take_in(event)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(CrawlError::Broken),
            }
            if self.job.forever && Instant::now() >= self.next_due_check {
                self.next_due_check = Instant::now() + due_check(self.crawler);
                self.queue_due()?;
            }
        }
    }

    /// Forgets the tasks that ended. One that panicked leaves its URL without a fate, so the crawl cannot go on.
    fn clear_away(&mut self) -> Result<(), CrawlError> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.map_err(|_| CrawlError::Broken)?;
        }
        Ok(())
    }

    fn is_at_limit(&self) -> bool {
        self.job.max_pages.is_some_and(|most| self.handed_out >= most) || is_past(self.deadline)
    }

    /// How long to wait when nothing is handed out any more; `None` when all is in.
    fn rest(&self) -> Option<Duration> {
        (self.outstanding > 0 || self.frontier.is_busy()).then_some(HEARTBEAT)
    }

    /// Hands out work until there is none, or enough is under way; says how long to wait, `None` for the end.
    fn hand_out(&mut self) -> Result<Option<Duration>, CrawlError> {
        let config = &self.crawler.config.crawl;
        let (fetchers, unstored) = (config.fetchers, config.fetchers + config.store_queue);
        while self.frontier.turns() < fetchers && self.outstanding < unstored && !self.is_at_limit() {
            let now = Instant::now();
            match self.frontier.next(now, self.crawler.store.as_ref())? {
                Next::Resolve(queue, url) => self.resolve(queue, url),
                Next::Errand(queue, errand) => self.fetch_robots(queue, errand),
                Next::Page(queue, queued) => self.page(queue, queued, now)?,
                Next::Wait(until) => return Ok(Some(until.saturating_duration_since(now).min(HEARTBEAT))),
                Next::Busy => return Ok(Some(HEARTBEAT)),
                Next::Drained if self.outstanding > 0 || self.job.forever => return Ok(Some(HEARTBEAT)),
                Next::Drained => return Ok(None),
            }
        }
        Ok(Some(HEARTBEAT))
    }

    fn show(&self) {
        let progress = &self.crawler.progress;
        Progress::set(&progress.ready, self.frontier.ready_addresses());
        Progress::set(&progress.under_way, self.frontier.turns());
    }

    fn resolve(&mut self, queue: QueueName, url: CanonicalUrl) {
        let (fetcher, events) = (Arc::clone(&self.crawler.fetcher), self.events.clone());
        let task = async move {
            let found = fetcher.addresses().resolve(&url).await.map_err(|failure| failure.detail);
            let _ = events.send(Event::Resolved { queue, at: Instant::now(), found });
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    fn fetch_robots(&mut self, turn: QueueName, Errand { job, waiting }: Errand) {
        let (robots, events) = (Arc::clone(&self.crawler.robots), self.events.clone());
        let task = async move {
            let step = robots.fetch(job).await;
            let _ = events.send(Event::Robots { turn, waiting, at: Instant::now(), step });
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    /// A page's turn has come: robots.txt decides what it is used for.
    fn page(&mut self, queue: QueueName, queued: QueuedUrl, now: Instant) -> Result<(), CrawlError> {
        match self.crawler.robots.check(&queued.url) {
            RobotsAnswer::Allowed(permit) => {
                self.outstanding += 1;
                self.handed_out += 1;
                let known = self.known_validators(&queued.url)?;
                self.fetch(queue, queued, permit, known);
            }
            RobotsAnswer::Disallowed { line } => {
                tracing::debug!(url = %queued.url, line, "robots.txt disallows the URL");
                self.outstanding += 1;
                self.frontier.ended(&queue, now, None, Pause::None);
                let outcome = Outcome { queued, record: None, found: Vec::new(), fate: Fate::Dropped };
                self.outcomes.send(outcome).map_err(|_| CrawlError::Broken)?;
            }
            RobotsAnswer::Unreachable { retry_in } => {
                self.frontier.put_back(&queue, queued);
                self.frontier.ended(&queue, now, None, Pause::Dormant(retry_in));
            }
            RobotsAnswer::NeedsFetch(job) => {
                self.frontier.put_back(&queue, queued);
                self.fetch_robots(queue.clone(), Errand { job, waiting: queue });
            }
        }
        Ok(())
    }

    /// What to make the request conditional by: only a page whose last answer was a 200 can be renewed by a 304.
    fn known_validators(&self, url: &CanonicalUrl) -> Result<Option<Validators>, CrawlError> {
        let Some(page) = self.crawler.store.snapshot().page(url)? else { return Ok(None) };
        let usable = page.status == 200 && !(page.etag.is_empty() && page.last_modified.is_empty());
        Ok(usable.then_some(Validators { etag: page.etag, last_modified: page.last_modified }))
    }

    fn fetch(&mut self, queue: QueueName, queued: QueuedUrl, permit: Allowed, known: Option<Validators>) {
        let (fetcher, events) = (Arc::clone(&self.crawler.fetcher), self.events.clone());
        let (reading, outcomes) = (Arc::clone(&self.reading), self.outcomes.clone());
        let crawl_delay = permit.crawl_delay();
        let task = async move {
            let outcome = fetcher.fetch(permit, known.as_ref()).await;
            let ended = match &outcome {
                FetchOutcome::Answered(answer) => {
                    Ended::Answered { status: answer.status, retry_after: answer.retry_after, crawl_delay }
                }
                FetchOutcome::Failed(kind, _) => Ended::Failed { kind: *kind, crawl_delay },
            };
            // The host's pause begins now, not when the page is parsed.
            let _ = events.send(Event::Page { queue, queued: queued.clone(), at: Instant::now(), ended });
            rayon::spawn(move || {
                let _ = outcomes.send(reading.outcome(queued, outcome, known.is_some()));
            });
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    fn take_in(&mut self, event: Event) -> Result<(), CrawlError> {
        match event {
            Event::Resolved { queue, at, found } => self.take_in_address(&queue, at, found),
            Event::Robots { turn, waiting, at, step } => self.take_in_robots(turn, waiting, at, step)?,
            Event::Page { queue, queued, at, ended } => self.take_in_page(&queue, &queued, at, ended),
            Event::Stored(Stored { ended, queued }) => {
                for (url, fate) in ended {
                    self.outstanding -= 1;
                    self.frontier.stored(url, fate);
                }
                self.frontier.queued(queued, self.crawler.store.as_ref())?;
            }
            Event::Broken(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn take_in_address(&mut self, queue: &QueueName, at: Instant, found: Result<std::net::IpAddr, String>) {
        let dormant = self.crawler.config.crawl.dead_host_retry.0;
        if let Err(reason) = &found {
            tracing::debug!(queue = %String::from_utf8_lossy(queue.as_bytes()), reason, "a host has no usable address");
            for errand in self.frontier.take_errands(queue) {
                self.frontier.give_up(&errand.waiting, at, dormant);
            }
        }
        self.frontier.resolved(queue, at, found.map_err(|_| dormant));
    }

    fn take_in_robots(
        &mut self,
        turn: QueueName,
        waiting: QueueName,
        at: Instant,
        step: RobotsStep,
    ) -> Result<(), CrawlError> {
        let next = match step {
            RobotsStep::Known => None,
            RobotsStep::Moved(job) => Some(job),
        };
        let target = next.as_ref().map(|job| QueueName::of(job.url()));
        let elsewhere = target.is_some_and(|target| target != waiting);
        let pause = if elsewhere && turn == waiting { Pause::Waiting } else { Pause::None };
        self.frontier.ended(&turn, at, Some(self.crawler.config.crawl.delay.0), pause);
        match next {
            None => self.frontier.resume(&waiting),
            Some(job) => {
                let url = job.url().clone();
                let errand = Errand { job, waiting: waiting.clone() };
                if self.frontier.errand(&url, errand, self.crawler.store.as_ref())?.is_some() {
                    // A robots.txt that cannot be had forbids everything (RFC 9309, 2.3.1.4).
                    let retry_in = self.crawler.config.robots.retry_after.0;
                    self.frontier.give_up(&waiting, at, retry_in);
                } else if !elsewhere {
                    self.frontier.resume(&waiting);
                }
            }
        }
        Ok(())
    }

    /// Ends the turn of a page: how long its address and its host are left alone.
    fn take_in_page(&mut self, queue: &QueueName, queued: &QueuedUrl, at: Instant, ended: Ended) {
        let config = &self.crawler.config.crawl;
        let (crawl_delay, pause) = match ended {
            Ended::Answered { status, retry_after, crawl_delay } => {
                self.failures.remove(queue);
                let asked = matches!(status, 429 | 503).then(|| retry_after.unwrap_or(config.retry_delay.0));
                let pause = match asked {
                    Some(length) if length >= config.dead_host_retry.0 => {
                        Pause::Dormant(config.dead_host_retry.0)
                    }
                    Some(length) => Pause::For(length),
                    None => Pause::None,
                };
                (crawl_delay, pause)
            }
            Ended::Failed { kind, crawl_delay } => {
                tracing::debug!(url = %queued.url, kind = kind.as_str(), "a page could not be fetched");
                (crawl_delay, self.failed(queue, kind))
            }
        };
        let delay = crawl_delay.unwrap_or_default().min(config.max_crawl_delay.0).max(config.delay.0);
        self.frontier.ended(queue, at, Some(delay), pause);
    }

    fn failed(&mut self, queue: &QueueName, kind: FailureKind) -> Pause {
        let config = &self.crawler.config.crawl;
        match kind {
            // The page's fault, not the host's.
            FailureKind::Protocol | FailureKind::Decode => Pause::None,
            FailureKind::Dns | FailureKind::AddressRefused => Pause::Dormant(config.dead_host_retry.0),
            FailureKind::Connect | FailureKind::Tls | FailureKind::Timeout => {
                let failures = self.failures.entry(queue.clone()).or_insert(0);
                *failures += 1;
                if *failures >= config.max_attempts {
                    return Pause::Dormant(config.dead_host_retry.0);
                }
                Pause::For(config.retry_delay.0.saturating_mul(1 << (*failures - 1).min(16)))
            }
        }
    }
}
