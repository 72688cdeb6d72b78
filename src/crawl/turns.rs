//! What is done with a turn at a host, and how the turn ends: the host's and its address's pause.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::CrawlError;
use super::chain::Chain;
use super::desk::{Desk, Fetched};
use super::failures::{Cause, Resource};
use super::messages::{End, Ended, Event, Outcome, Waiting, Work};
use super::progress::{Progress, unix_now};
use super::scheduler::Loop;
use super::want;
use crate::fetch::{
    Allowed, Answer, Blame, Failure, FetchOutcome, RobotsAnswer, RobotsFetch, RobotsStep, Validators,
};
use crate::frontier::{Fate, Found, Pause, Priority, QueueName, QueuedUrl, Target, due_visit};
use crate::model::{CLOCK_ERROR, Cut, Day, FailureKind, StoredPage};
use crate::urls::CanonicalUrl;

/// Why a robots.txt is not asked for at a host that is dormant.
const LEFT_ALONE: &str = "its host is left alone for now";

/// Chains of redirects that wait for a turn, at most; one that finds no room begins again.
const MOST_CHAINS: usize = 10_000;

/// A robots.txt to fetch, and the queue that waits for it.
#[derive(Debug)]
pub(super) struct Errand {
    job: RobotsFetch,
    waiting: Waiting,
}

impl Loop<'_> {
    pub fn resolve(&mut self, queue: QueueName, url: CanonicalUrl) {
        let (fetcher, events) = (Arc::clone(&self.crawler.fetcher), self.events.clone());
        let task = async move {
            let found = fetcher.addresses().resolve(&url).await;
            let _ = events.send(Event::Resolved { queue, url, at: Instant::now(), found });
        };
        self.tasks.spawn_on(task, self.runtime);
    }

    pub fn fetch_robots(
        &mut self,
        turn: QueueName,
        Errand { job, waiting }: Errand,
    ) -> Result<(), CrawlError> {
        let ip = self.frontier.address(&turn).ok_or(CrawlError::Broken)?;
        Progress::add(&self.crawler.progress.robots, 1);
        let (robots, desk) = (Arc::clone(&self.crawler.robots), self.desk());
        let task = async move {
            let (asked, begun) = (job.url().clone(), unix_now());
            let waited = AtomicU64::new(0);
            let keep = |answer: &Answer| {
                if desk.archive.is_some() {
                    let outcome = FetchOutcome::Answered(Box::new(answer.clone()));
                    let url = asked.clone();
                    let (queued, chain) = (None, None);
                    desk.take(Fetched { url, chain, begun, validators: None, outcome, queued });
                }
                waited.store(answer.waited.as_millis() as u64, Ordering::Relaxed);
            };
            let step = robots.fetch_and_show(job, ip, &keep).await;
            let (at, waited) = (Instant::now(), Duration::from_millis(waited.into_inner()));
            let _ = desk.events.send(Event::Robots { turn, asked, waiting, at, waited, step });
        };
        self.tasks.spawn_on(task, self.runtime);
        Ok(())
    }

    /// A page's turn has come: what is known of it, and robots.txt, decide what it is used for.
    pub fn page(&mut self, queue: QueueName, queued: QueuedUrl, now: Instant) -> Result<(), CrawlError> {
        let store = &self.crawler.store;
        let (queued, page) = match queued.target {
            Target::Page => match store.page(&queued.url) {
                Ok(page) => (queued, page),
                Err(error) => return self.pass_over(&queue, queued, now, error),
            },
            // Further hosts may have named it since it was read from disk.
            Target::Sitemap(_) => match store.entry_now(&queued) {
                Ok(Some(queued)) => (queued, None),
                Err(error) => return self.pass_over(&queue, queued, now, error),
                Ok(None) => return self.pass(queue, queued, now, End::Withdrawn),
            },
        };
        if let Some(end) = self.was_done(&queued, page.as_ref()) {
            return self.pass(queue, queued, now, end);
        }
        if self.crawler.blocks().blocks(queued.url.host()) {
            Progress::add(&self.crawler.progress.blocked, 1);
            return self.put_off(queue, queued, now);
        }
        if let Some(chain) = self.chains.remove(&queued.url)
            && let RobotsAnswer::Allowed(permit) = self.crawler.robots.check(&chain.next)
        {
            self.hand_out_page(&queued);
            return self.fetch(queue, queued, permit, None, Some(chain));
        }
        match self.crawler.robots.check(&queued.url) {
            RobotsAnswer::Allowed(permit) => {
                self.hand_out_page(&queued);
                self.fetch(queue, queued, permit, page.and_then(validators), None)?;
            }
            RobotsAnswer::Disallowed { line } => {
                tracing::debug!(url = %queued.url, line, "robots.txt disallows the URL");
                Progress::add(&self.crawler.progress.disallowed, 1);
                self.put_off(queue, queued, now)?;
            }
            RobotsAnswer::Unreachable { retry_in } => {
                self.frontier.put_back(&queue, queued);
                self.sleep(&queue, retry_in)?;
                self.frontier.ended(&queue, now, None, Pause::Dormant(retry_in));
            }
            RobotsAnswer::NeedsFetch(job) => {
                let waiting = Waiting { queue: queue.clone(), url: queued.url.clone() };
                self.frontier.put_back(&queue, queued);
                self.fetch_robots(queue, Errand { job, waiting })?;
            }
        }
        Ok(())
    }

    fn hand_out_page(&mut self, queued: &QueuedUrl) {
        self.outstanding += 1;
        self.handed_out += u64::from(queued.target == Target::Page);
    }

    /// A redirect leads on within the visit of its page: the next request waits for the host's turn.
    pub fn follow(&mut self, queued: QueuedUrl, chain: Chain) {
        self.outstanding -= 1;
        self.handed_out -= u64::from(queued.target == Target::Page);
        if self.chains.len() < MOST_CHAINS {
            self.chains.insert(queued.url.clone(), chain);
        }
        self.frontier.stored(queued, Fate::Again);
    }

    /// What becomes of an entry of the queue whose visit was made already: a URL may stand there twice. One whose page
    /// has no next visit is the only one of its page. A page that is due too soon after its last visit left the
    /// schedule to come here, and goes back to it.
    fn was_done(&self, queued: &QueuedUrl, page: Option<&StoredPage>) -> Option<End> {
        let page = page.filter(|_| queued.attempts == 0)?;
        let (rules, now) = (&self.crawler.recrawl, unix_now());
        let earliest = page.visited + rules.min.as_secs();
        // A visit in the future was made while the clock ran ahead; nobody can tell how long ago that was.
        let too_soon = earliest > now && page.visited <= now.saturating_add(CLOCK_ERROR);
        match queued.priority {
            Priority::Again(_) => too_soon.then(|| {
                let planned = due_visit(page.next_visit, page.visited, rules.longest(), now);
                End::PutOff(earliest.max(planned))
            }),
            priority => (priority.is_new_page() && page.next_visit != 0).then_some(End::Withdrawn),
        }
    }

    /// The URL is not fetched, for now: things may have changed by the time that any page is visited again.
    fn put_off(&mut self, queue: QueueName, queued: QueuedUrl, now: Instant) -> Result<(), CrawlError> {
        let next = unix_now() + self.crawler.recrawl.max.as_secs();
        self.pass(queue, queued, now, End::PutOff(next))
    }

    /// Ends a turn in which nothing is asked for.
    fn pass(
        &mut self,
        queue: QueueName,
        queued: QueuedUrl,
        now: Instant,
        end: End,
    ) -> Result<(), CrawlError> {
        self.outstanding += 1;
        self.frontier.ended(&queue, now, None, Pause::None);
        let (record, others, found, failure) = (None, Vec::new(), Vec::new(), None);
        let outcome = Outcome { queued, record, others, found, failure, end };
        self.work.send(Work::Outcome(Box::new(outcome), None)).map_err(|_| CrawlError::Broken)
    }

    fn fetch(
        &mut self,
        queue: QueueName,
        queued: QueuedUrl,
        permit: Allowed,
        known: Option<Validators>,
        chain: Option<Chain>,
    ) -> Result<(), CrawlError> {
        let ip = self.frontier.address(&queue).ok_or(CrawlError::Broken)?;
        let (fetcher, desk) = (Arc::clone(&self.crawler.fetcher), self.desk());
        let crawl_delay = permit.crawl_delay();
        let most = self.crawler.config.sitemaps.max_bytes;
        let task = async move {
            let begun = unix_now();
            let asked = permit.url().clone();
            let cookies = chain.as_ref().map(|chain| &chain.cookies);
            let fetched = match &queued.target {
                Target::Page => fetcher.fetch(permit, ip, known.as_ref(), cookies).await,
                Target::Sitemap(_) => fetcher.fetch_file(permit, ip, cookies, most).await,
            };
            let outcome = match fetched {
                Ok(outcome) => outcome,
                Err(failure) => {
                    let _ = desk.events.send(Event::Unasked { queue, queued, at: Instant::now(), failure });
                    return;
                }
            };
            let waited = match &outcome {
                FetchOutcome::Answered(answer) => answer.waited,
                FetchOutcome::Failed(..) => Duration::ZERO,
            };
            let ended = match &outcome {
                // A server that is too slow is one, although what has come of the page is kept.
                FetchOutcome::Answered(answer) if answer.cut == Some(Cut::Time) => {
                    Ended::Failed { kind: FailureKind::Timeout, crawl_delay }
                }
                FetchOutcome::Answered(answer) => {
                    Ended::Answered { status: answer.status, retry_after: answer.retry_after, crawl_delay }
                }
                FetchOutcome::Failed(kind, _) => Ended::Failed { kind: *kind, crawl_delay },
            };
            // The host's pause begins now, not when the page is parsed.
            let (at, page) = (Instant::now(), queued.clone());
            let _ = desk.events.send(Event::Page { queue, queued: page, at, waited, ended });
            let (url, queued) = (asked, Some(queued));
            let fetched = Fetched { url, chain, begun, validators: known, outcome, queued };
            desk.hand_in(fetched);
        };
        self.tasks.spawn_on(task, self.runtime);
        Ok(())
    }

    pub fn desk(&self) -> Desk {
        Desk {
            reading: Arc::clone(&self.reading),
            archive: self.archive.clone(),
            parsers: Arc::clone(&self.crawler.parsers),
            events: self.events.clone(),
            work: self.work.clone(),
        }
    }

    pub fn take_in_address(
        &mut self,
        queue: &QueueName,
        url: &CanonicalUrl,
        at: Instant,
        found: Result<IpAddr, Failure>,
    ) -> Result<(), CrawlError> {
        let found = match found {
            Ok(ip) => {
                if let Some(troubles) = self.troubles.get_mut(queue) {
                    troubles.resolved();
                }
                Ok(ip)
            }
            Err(failure) => {
                let pause = self.unasked(queue, at, &failure)?;
                if failure.blame == Blame::Machine {
                    self.frontier.resolved(queue, at, Err(pause));
                    return Ok(());
                }
                let attempt =
                    self.troubles.get(queue).map_or(1, |troubles| troubles.times_unresolved().max(1));
                self.tell_failure(queue, Resource::Address, url, attempt, Cause::from(&failure))?;
                Err(pause)
            }
        };
        self.frontier.resolved(queue, at, found);
        Ok(())
    }

    /// A page was handed out, and nobody was asked for it: its turn is still to come.
    pub fn take_back(
        &mut self,
        queue: &QueueName,
        queued: QueuedUrl,
        at: Instant,
        failure: &Failure,
    ) -> Result<(), CrawlError> {
        self.outstanding -= 1;
        self.handed_out -= u64::from(queued.target == Target::Page);
        if failure.blame != Blame::Machine {
            self.tell_failure(
                queue,
                Resource::of(&queued.target),
                &queued.url,
                queued.attempts + 1,
                Cause::from(failure),
            )?;
        }
        self.frontier.put_back(queue, queued);
        let pause = self.unasked(queue, at, failure)?;
        self.frontier.ended(queue, at, None, pause);
        Ok(())
    }

    /// How a queue goes on whose host was not asked at `at`.
    fn unasked(&mut self, queue: &QueueName, at: Instant, failure: &Failure) -> Result<Pause, CrawlError> {
        match failure.blame {
            Blame::Machine => {
                self.want.met(at, &failure.detail);
                Ok(Pause::For(want::REST))
            }
            Blame::NameServers => {
                let config = &self.crawler.config.crawl;
                let length = match self.troubles.entry(queue.clone()).or_default().unresolved(config) {
                    // For as long as a batch may take: the next one asks at once.
                    Pause::Dormant(_) if !self.job.forever => config.dead_host_retry.0,
                    Pause::Dormant(length) => length,
                    pause => return Ok(pause),
                };
                self.give_up_errands(queue, failure.kind, &failure.detail)?;
                Ok(Pause::Dormant(length))
            }
            Blame::Host => {
                let dormant = self.crawler.config.crawl.dead_host_retry.0;
                self.give_up_errands(queue, failure.kind, &failure.detail)?;
                self.sleep(queue, dormant)?;
                Ok(Pause::Dormant(dormant))
            }
        }
    }

    /// A queue will have no turn for a while: whoever waits for one there, for a robots.txt, goes without.
    fn give_up_errands(&mut self, queue: &QueueName, kind: FailureKind, why: &str) -> Result<(), CrawlError> {
        let errands = self.frontier.take_errands(queue);
        errands.into_iter().try_for_each(|errand| self.go_without(errand, kind, why))
    }

    /// Has it stored that a host is left alone, so that the next crawl knows.
    fn sleep(&self, queue: &QueueName, length: Duration) -> Result<(), CrawlError> {
        let until = unix_now() + length.as_secs();
        self.work.send(Work::Asleep(queue.clone(), until)).map_err(|_| CrawlError::Broken)
    }

    pub fn take_in_robots(
        &mut self,
        turn: &QueueName,
        asked: &CanonicalUrl,
        waiting: Waiting,
        at: Instant,
        step: RobotsStep,
    ) -> Result<(), CrawlError> {
        let next = match step {
            RobotsStep::Known => None,
            RobotsStep::Failed(failure) => {
                self.tell_robots(&waiting.queue, asked, &failure)?;
                None
            }
            RobotsStep::Moved(job) => Some(job),
            RobotsStep::Unasked(job, failure) => {
                if failure.blame != Blame::Machine {
                    self.tell_failure(&waiting.queue, Resource::RobotsTxt, asked, 1, Cause::from(&failure))?;
                }
                self.frontier.errand(asked, Errand { job, waiting }, &self.backlog)?;
                let pause = self.unasked(turn, at, &failure)?;
                self.frontier.ended(turn, at, None, pause);
                return Ok(());
            }
        };
        let target = next.as_ref().map(|job| QueueName::of(job.url()));
        let elsewhere = target.is_some_and(|target| target != waiting.queue);
        let pause = match elsewhere && *turn == waiting.queue {
            true => Pause::Waiting,
            false => self.unless_moved(turn, asked),
        };
        // What was just said of pauses holds at once; whose it was may be another host of the same server.
        let robots = &self.crawler.robots;
        let crawl_delay = robots.crawl_delay(asked).max(robots.crawl_delay(&waiting.url));
        self.frontier.ended(turn, at, Some(self.delay(crawl_delay)), pause);
        let Some(job) = next else {
            self.frontier.resume(&waiting.queue);
            return self.queue_sitemaps(&waiting.url);
        };
        let (url, queue) = (job.url().clone(), waiting.queue.clone());
        let errand = Errand { job, waiting };
        if self.crawler.blocks().blocks(url.host()) {
            self.go_without(
                errand,
                FailureKind::AddressRefused,
                "its host is on crawl.block_list or in blocks.txt",
            )?;
        } else if let Some(errand) = self.frontier.errand(&url, errand, &self.backlog)? {
            self.go_without(errand, FailureKind::Connect, LEFT_ALONE)?;
        } else if !elsewhere {
            self.frontier.resume(&queue);
        }
        Ok(())
    }

    /// Ends the wait for a robots.txt whose request is not made. It cannot be had then, so what is known of it holds,
    /// or everything is forbidden (RFC 9309, 2.3.1.4).
    fn go_without(
        &mut self,
        Errand { job, waiting }: Errand,
        kind: FailureKind,
        why: &str,
    ) -> Result<(), CrawlError> {
        let url = job.url().clone();
        let failure = self.crawler.robots.failed(job, kind, why);
        self.tell_robots(&waiting.queue, &url, &failure)?;
        self.frontier.resume(&waiting.queue);
        Ok(())
    }

    /// Queues the sitemaps that a robots.txt declares, each time that it was fetched: so they are read again as
    /// often as it is.
    fn queue_sitemaps(&self, url: &CanonicalUrl) -> Result<(), CrawlError> {
        if !self.crawler.config.sitemaps.follow {
            return Ok(());
        }
        let today = Day::from_unix_seconds(unix_now());
        let sitemaps = self.crawler.robots.sitemaps(url, self.crawler.config.sitemaps.max_per_host);
        self.reading.allowances.renew(url, !sitemaps.is_empty());
        let found: Vec<Found> =
            sitemaps.into_iter().filter_map(|named| self.reading.named_sitemap(named, url, today)).collect();
        if found.is_empty() {
            return Ok(());
        }
        self.work.send(Work::Found(found)).map_err(|_| CrawlError::Broken)
    }

    /// Ends the turn of a page: how long its address and its host are left alone.
    pub fn take_in_page(
        &mut self,
        queue: &QueueName,
        queued: &QueuedUrl,
        at: Instant,
        ended: Ended,
    ) -> Result<(), CrawlError> {
        let (crawl_delay, pause) = match ended {
            Ended::Answered { status, retry_after, crawl_delay } => {
                (crawl_delay, self.answered(queue, status, retry_after))
            }
            Ended::Failed { kind, crawl_delay } => (crawl_delay, self.failed(queue, kind)),
        };
        if let Pause::Dormant(length) = pause {
            self.sleep(queue, length)?;
            self.give_up_errands(queue, FailureKind::Connect, LEFT_ALONE)?;
        }
        let pause = if pause == Pause::None { self.unless_moved(queue, &queued.url) } else { pause };
        self.frontier.ended(queue, at, Some(self.delay(crawl_delay)), pause);
        Ok(())
    }

    /// No pause; but where the host's address holds no longer, it is found anew before its next turn.
    fn unless_moved(&self, queue: &QueueName, url: &CanonicalUrl) -> Pause {
        let addresses = self.crawler.fetcher.addresses();
        match self.frontier.address(queue).is_some_and(|ip| addresses.holds(url, ip)) {
            true => Pause::None,
            false => Pause::For(Duration::ZERO),
        }
    }

    /// The time between two requests to a host that asks for this one.
    fn delay(&self, crawl_delay: Option<Duration>) -> Duration {
        let config = &self.crawler.config.crawl;
        crawl_delay.unwrap_or_default().min(config.max_crawl_delay.0).max(config.delay.0)
    }

    fn answered(&mut self, queue: &QueueName, status: u16, retry_after: Option<Duration>) -> Pause {
        let mut troubles = self.troubles.remove(queue).unwrap_or_default();
        let pause = troubles.answered(status, retry_after, &self.crawler.config);
        if !troubles.is_none() {
            self.troubles.insert(queue.clone(), troubles);
        }
        pause
    }

    fn failed(&mut self, queue: &QueueName, kind: FailureKind) -> Pause {
        let config = &self.crawler.config.crawl;
        match kind {
            // The page's fault, not the host's.
            FailureKind::Protocol | FailureKind::Decode | FailureKind::Challenge => Pause::None,
            FailureKind::Dns | FailureKind::AddressRefused => Pause::Dormant(config.dead_host_retry.0),
            FailureKind::Connect | FailureKind::Tls | FailureKind::Timeout => {
                self.troubles.entry(queue.clone()).or_default().unanswered(config)
            }
        }
    }
}

/// What to make the request conditional by: only a page whose last answer was a 200 can be renewed by a 304. One that
/// broke off is asked for whole.
fn validators(page: StoredPage) -> Option<Validators> {
    let is_whole = !matches!(page.cut, Some(Cut::Time | Cut::Disconnect | Cut::Encoding));
    let usable = is_whole && page.status == 200 && !(page.etag.is_empty() && page.last_modified.is_empty());
    usable.then_some(Validators { etag: page.etag, last_modified: page.last_modified })
}
