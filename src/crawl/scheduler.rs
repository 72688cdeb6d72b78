//! The loop: asks the frontier what is next, hands it out, and takes in what came of it.
//!
//! It runs on the caller's thread and may read the store; the fetches it starts run on the async runtime, and all
//! that is written while it runs is written by the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::task::JoinSet;

use super::archive::Archive;
use super::backlog::StoreBacklog;
use super::chain::Chain;
use super::desk::Fetched;
use super::messages::{Event, Stored, Work};
use super::progress::{Figures, Progress, is_past, unix_now};
use super::reading::Reading;
use super::sweep::Intake;
use super::troubles::Troubles;
use super::turns::Errand;
use super::unstored::StoreTrouble;
use super::want::Want;
use super::{CrawlError, CrawlJob, Crawler, Reload, writer};
use crate::frontier::{Found, Frontier, FrontierRules, Next, QueueName};
use crate::store::{Commit, StoreError};
use crate::urls::CanonicalUrl;

/// How often the loop looks at `stop` when nothing happens.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(100);
/// How often a crawl that runs forever asks whether pages have fallen due.
const DUE_EVERY: Duration = Duration::from_secs(1);
/// Pages that have fallen due put into the queue at once.
const DUE_CHUNK: usize = 1_000;
/// How often the frontier forgets what has nothing to do, and the free space of the disks is looked at.
pub(super) const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// How long a host goes on, once it has had a turn, before it makes room for others that wait for a place. Long, for
/// coming back costs reading its queue and finding its address anew.
const SHARE: Duration = Duration::from_secs(3_600);
/// How long work is handed out before events and `stop` are looked at: turns that ask for nothing end none of the
/// conditions under which it goes on.
const HAND_OUT: Duration = Duration::from_millis(10);
/// Between two merges for want of work, so many times as long as the last took.
const MERGE_REST: u32 = 4;
/// What the writer gets at least, in a crawl that is told to stop, to store what was fetched last.
const LAST_BATCH: Duration = Duration::from_secs(2);
/// How often it is looked at then.
const WRITER_POLL: Duration = Duration::from_millis(10);

pub(super) struct Loop<'a> {
    pub crawler: &'a Crawler,
    pub job: &'a CrawlJob,
    pub runtime: &'a tokio::runtime::Handle,
    pub backlog: StoreBacklog,
    pub frontier: Frontier<Errand>,
    pub events: Sender<Event>,
    pub work: Sender<Work>,
    /// What runs on the async runtime; given up when the loop ends.
    pub tasks: JoinSet<()>,
    /// Pages handed out that are not stored yet.
    pub outstanding: usize,
    pub handed_out: u64,
    /// What went wrong lately, by queue.
    pub troubles: FxHashMap<QueueName, Troubles>,
    pub want: Want,
    pub reading: Arc<Reading>,
    /// Where answers are kept besides, if they are.
    pub archive: Option<Arc<Archive>>,
    deadline: Option<Instant>,
    /// When what is under way is given up, once the crawl is to end before its work does.
    stopping: Option<Instant>,
    /// When the writer was asked to merge, if it has not yet.
    merging: Option<Instant>,
    next_merge: Instant,
    /// Whether the writer was asked for pages that have fallen due.
    asked_due: bool,
    next_due: Instant,
    /// When the crawl began, in Unix time.
    began: u64,
    pub next_housekeeping: Instant,
    pub intake: Intake,
    /// Whether no pages are fetched for want of room.
    pub paused: bool,
    pub trouble: StoreTrouble,
    /// Seeds that are not stored yet.
    unqueued: Vec<CanonicalUrl>,
    /// Answers that could not be kept, for another try.
    pub unkept: Vec<Fetched>,
    /// Redirects that are followed within the visit of a page, by the URL in the queue.
    pub chains: FxHashMap<CanonicalUrl, Chain>,
}

/// Runs one crawl to its end.
pub(super) fn run(
    crawler: &Crawler,
    job: &CrawlJob,
    runtime: &tokio::runtime::Handle,
    stop: &AtomicBool,
) -> Result<Figures, CrawlError> {
    let (store, progress) = (Arc::clone(&crawler.store), Arc::clone(&crawler.progress));
    let (config, most_met) = (crawler.config.store.clone(), crawler.config.crawl.met_urls);
    let write = move |work: Receiver<Work>, events: Sender<Event>| {
        writer::run(&store, &progress, &config, most_met, &work, &events);
    };
    run_with(crawler, job, runtime, stop, write)
}

/// Runs one crawl, whose writer does `write`.
pub(super) fn run_with(
    crawler: &Crawler,
    job: &CrawlJob,
    runtime: &tokio::runtime::Handle,
    stop: &AtomicBool,
    write: impl FnOnce(Receiver<Work>, Sender<Event>) + Send + 'static,
) -> Result<Figures, CrawlError> {
    let (events, inbox) = channel();
    let (work, asked) = channel();
    let to_loop = events.clone();
    let writer = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write(asked, to_loop))
        .map_err(CrawlError::Thread)?;
    let archive = Archive::create(&crawler.config, &crawler.fetcher)?.map(Arc::new);
    let mut crawl = Loop::new(crawler, job, runtime, events, work)?;
    crawl.archive.clone_from(&archive);
    crawl.start()?;
    let result = crawl.run(&inbox, stop, &writer);
    let stopping = crawl.stopping;
    // The writer ends when the last sender of work is gone: the loop's, and those of fetches given up with it.
    drop(crawl);
    drop(inbox);
    let last = Instant::now() + LAST_BATCH;
    // The store must not be in use when whoever called ends, or opens it anew.
    let until = if result.is_ok() { stopping.map(|until| until.max(last)) } else { Some(last) };
    let joined = join(writer, until);
    let closed = archive.map_or(Ok(()), |archive| archive.close());
    result?;
    joined?;
    closed?;
    if stopping.is_none() {
        // What was met last belongs to the queue that people are told of. It would be found by the next crawl too.
        crawler.store.merge_met()?;
    }
    Ok(crawler.progress.figures())
}

/// Waits for the writer to end, but not beyond `until`: it may be at a merge, which may take minutes, and which a
/// crash does no harm to.
fn join(writer: JoinHandle<()>, until: Option<Instant>) -> Result<(), CrawlError> {
    while until.is_some() && !writer.is_finished() {
        if is_past(until) {
            tracing::warn!(
                "the crawl ends before all is stored that was fetched; the rest stays in the queue"
            );
            return Ok(());
        }
        std::thread::sleep(WRITER_POLL);
    }
    writer.join().map_err(|_| CrawlError::Broken)
}

impl<'a> Loop<'a> {
    fn new(
        crawler: &'a Crawler,
        job: &'a CrawlJob,
        runtime: &'a tokio::runtime::Handle,
        events: Sender<Event>,
        work: Sender<Work>,
    ) -> Result<Self, StoreError> {
        let config = &crawler.config;
        let now = Instant::now();
        let backlog = StoreBacklog::new(&crawler.store, &config.crawl);
        let backlog = if job.forever { backlog.endure(&crawler.progress) } else { backlog };
        Ok(Self {
            crawler,
            job,
            runtime,
            backlog,
            frontier: Frontier::new(FrontierRules {
                fetchers: config.crawl.fetchers,
                slow_fetchers: config.crawl.slow_fetchers,
                slow_after: config.crawl.slow_after.0,
                resolvers: config.crawl.resolvers,
                window: config.crawl.host_queue_in_memory,
                max_queues: config.crawl.hosts_in_memory,
                share: SHARE,
                address_ttl: config.fetch.dns_ttl.0,
            }),
            events,
            work,
            tasks: JoinSet::new(),
            outstanding: 0,
            handed_out: 0,
            troubles: FxHashMap::default(),
            want: Want::default(),
            reading: Arc::new(Reading::new(crawler, &[&job.seeds[..], &job.former_seeds].concat())?),
            archive: None,
            deadline: job.max_time.map(|time| now + time),
            stopping: None,
            merging: None,
            next_merge: now,
            asked_due: false,
            next_due: now,
            began: unix_now(),
            next_housekeeping: now,
            intake: Intake::new(),
            paused: false,
            trouble: StoreTrouble::default(),
            unqueued: Vec::new(),
            unkept: Vec::new(),
            chains: FxHashMap::default(),
        })
    }

    /// Takes in the seeds. What earlier crawls left and what has fallen due comes by and by.
    fn start(&mut self) -> Result<(), CrawlError> {
        self.unqueued.clone_from(&self.job.seeds);
        let queued = self.queue_seeds();
        self.endure(queued, ())?;
        self.ask_due()
    }

    fn queue_seeds(&mut self) -> Result<(), CrawlError> {
        Progress::set(&self.crawler.progress.unqueued, self.unqueued.len());
        let found = self.unqueued.iter().cloned().map(Found::seed).collect();
        let arrivals = self.crawler.store.commit(Commit { found, ..Commit::default() })?;
        self.unqueued.clear();
        Progress::set(&self.crawler.progress.unqueued, 0);
        self.arrive(arrivals)
    }

    pub fn run(
        &mut self,
        inbox: &Receiver<Event>,
        stop: &AtomicBool,
        writer: &JoinHandle<()>,
    ) -> Result<(), CrawlError> {
        loop {
            if self.stopping.is_none() && (stop.load(Ordering::Relaxed) || self.is_out_of_disk()) {
                self.stopping = Some(Instant::now() + self.crawler.config.crawl.drain.0);
            }
            self.clear_away()?;
            let kept = self.keep_house();
            self.endure(kept, ())?;
            let open = self.stopping.is_none() && !self.is_at_limit() && !self.paused && !self.want.lasts();
            let wait = if open {
                let wait = self.hand_out();
                self.endure(wait, Some(HEARTBEAT))?
            } else {
                self.rest()
            };
            self.show();
            let Some(wait) = wait else { return Ok(()) };
            if is_past(self.stopping) {
                tracing::warn!(
                    pages = self.outstanding,
                    "fetches under way were given up after crawl.drain; they stay in the queue"
                );
                return Ok(());
            }
            let wait = if self.intake.has_arrivals() { Duration::ZERO } else { wait };
            // Asked before the events: what it said last is in them.
            let writer_ended = writer.is_finished();
            match inbox.recv_timeout(wait) {
                Ok(event) => {
                    let taken = self.take_in(event);
                    self.endure(taken, ())?;
                    while let Ok(event) = inbox.try_recv() {
                        let taken = self.take_in(event);
                        self.endure(taken, ())?;
                    }
                }
                Err(RecvTimeoutError::Timeout) if !writer_ended => {}
                Err(_) => return Err(CrawlError::Broken),
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

    /// What is due now and then.
    fn keep_house(&mut self) -> Result<(), CrawlError> {
        let now = Instant::now();
        if self.job.forever && now >= self.next_due {
            self.ask_due()?;
        }
        if let Some(Reload { seeds, blocks }) = self.crawler.take_reload() {
            self.crawler.set_blocks(blocks);
            self.reading = Arc::new(self.reading.successor(self.crawler, &seeds));
            self.unqueued.extend(seeds);
        }
        if !self.unqueued.is_empty() && !self.trouble.is_unwritable() {
            self.queue_seeds()?;
        }
        if now >= self.next_housekeeping {
            self.next_housekeeping = now + HOUSEKEEPING;
            self.frontier.prune(now, &self.backlog);
            let frontier = &self.frontier;
            self.troubles.retain(|queue, _| frontier.knows(queue));
            self.look_at_disk()?;
        }
        self.take_in_arrivals()?;
        self.sweep_on(now)
    }

    /// A batch does not wait for somebody to make room.
    fn is_out_of_disk(&self) -> bool {
        self.paused && !self.job.forever
    }

    fn ask_due(&mut self) -> Result<(), CrawlError> {
        self.next_due = Instant::now() + DUE_EVERY;
        if !self.asked_due {
            self.asked_due = true;
            // A crawl that ends visits what was due when it began; what falls due meanwhile is for the next one.
            let now = if self.job.forever { unix_now() } else { self.began };
            self.work.send(Work::Due(now, DUE_CHUNK)).map_err(|_| CrawlError::Broken)?;
        }
        Ok(())
    }

    pub fn is_at_limit(&self) -> bool {
        self.job.max_pages.is_some_and(|most| self.handed_out >= most) || is_past(self.deadline)
    }

    /// How long to wait when nothing is handed out; `None` when all is in and nothing comes any more.
    fn rest(&self) -> Option<Duration> {
        let pauses = self.paused || self.want.lasts();
        let paused = pauses && self.stopping.is_none() && !self.is_at_limit();
        (paused || self.outstanding > 0 || self.frontier.is_busy()).then_some(HEARTBEAT)
    }

    /// Hands out work until there is none, or enough is under way, or it has taken long enough; says how long to
    /// wait, `None` for the end.
    fn hand_out(&mut self) -> Result<Option<Duration>, CrawlError> {
        let config = &self.crawler.config.crawl;
        let unstored = config.fetchers + config.store_queue;
        let mut now = Instant::now();
        let until = now + HAND_OUT;
        // Slow turns hold nothing that waits to be stored.
        while self.frontier.has_place(now)
            && self.outstanding < unstored + self.frontier.slow_turns()
            && !self.is_at_limit()
        {
            now = Instant::now();
            if now > until {
                return Ok(Some(Duration::ZERO));
            }
            match self.frontier.next(now, &self.backlog)? {
                Next::Resolve(queue, url) => self.resolve(queue, url),
                Next::Errand(queue, errand) => self.fetch_robots(queue, errand)?,
                Next::Page(queue, queued) => self.page(queue, queued, now)?,
                Next::Wait(until) => {
                    self.merge_if(now >= self.next_merge)?;
                    return Ok(Some(until.saturating_duration_since(now).min(HEARTBEAT)));
                }
                Next::Busy => {
                    self.merge_if(now >= self.next_merge)?;
                    return Ok(Some(HEARTBEAT));
                }
                Next::Drained => return self.drained(),
            }
        }
        Ok(Some(HEARTBEAT))
    }

    /// Nothing in memory to do, now or later.
    fn drained(&mut self) -> Result<Option<Duration>, CrawlError> {
        self.merge_if(true)?;
        if self.intake.has_arrivals() {
            return Ok(Some(Duration::ZERO));
        }
        if self.outstanding > 0 || self.merging.is_some() || self.asked_due || self.job.forever {
            return Ok(Some(HEARTBEAT));
        }
        Ok(self.sweep_last())
    }

    /// Asks the writer to hold the URLs met against the known ones, for there is room for more work.
    fn merge_if(&mut self, wanted: bool) -> Result<(), CrawlError> {
        if wanted && self.merging.is_none() && self.crawler.store.met_urls() > 0 {
            self.merging = Some(Instant::now());
            self.work.send(Work::Merge).map_err(|_| CrawlError::Broken)?;
        }
        Ok(())
    }

    fn show(&self) {
        let progress = &self.crawler.progress;
        Progress::set(&progress.ready, self.frontier.ready_addresses());
        Progress::set(&progress.under_way, self.frontier.turns());
        Progress::set(&progress.slow, self.frontier.slow_turns());
        Progress::set(&progress.held, self.frontier.held());
        Progress::set(&progress.memory_bytes, self.crawler.memory.taken());
        progress.memory_waits.store(self.crawler.memory.waits(), Ordering::Relaxed);
        Progress::set(&progress.hosts, self.frontier.queues());
        Progress::set(&progress.paused, usize::from(self.paused));
    }

    fn take_in(&mut self, event: Event) -> Result<(), CrawlError> {
        match event {
            Event::Resolved { queue, url, at, found } => self.take_in_address(&queue, &url, at, found)?,
            Event::Robots { turn, asked, waiting, at, waited, step } => {
                self.frontier.excuse(&turn, waited);
                self.take_in_robots(&turn, &asked, waiting, at, step)?;
            }
            Event::Unasked { queue, queued, at, failure } => self.take_back(&queue, queued, at, &failure)?,
            Event::Page { queue, queued, at, waited, ended } => {
                self.frontier.excuse(&queue, waited);
                self.take_in_page(&queue, &queued, at, ended)?;
            }
            Event::Redirected(queued, chain) => self.follow(queued, chain),
            Event::Stored(stored) => self.take_in_stored(stored)?,
            Event::Unkept(fetched, error) => self.take_in_unkept(*fetched, error)?,
        }
        Ok(())
    }

    fn take_in_stored(&mut self, stored: Stored) -> Result<(), CrawlError> {
        for (url, fate) in stored.ended {
            self.outstanding -= 1;
            self.frontier.stored(url, fate);
        }
        if let Some(unstored) = stored.unstored {
            self.take_in_unstored(unstored)?;
        }
        let arrived = self.arrive(stored.arrivals);
        self.endure(arrived, ())?;
        if stored.merged
            && let Some(since) = self.merging.take()
        {
            self.next_merge = Instant::now() + MERGE_REST * since.elapsed();
        }
        if let Some(due) = stored.due {
            self.asked_due = false;
            if due >= DUE_CHUNK {
                self.ask_due()?;
            }
        }
        Ok(())
    }
}
