//! What is done with an answer when it is there: it is kept, read, and passed on to be stored.
//!
//! What cannot be kept goes back to the loop as it is, for another time. A defect of this program that a page brings to
//! light must not end a crawl worth months: the visit counts as failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::archive::Archive;
use super::chain::Chain;
use super::messages::{Event, Outcome, Work};
use super::reading::Reading;
use crate::fetch::{FetchOutcome, Room, Validators};
use crate::frontier::{QueuedUrl, Target};
use crate::model::FailureKind;
use crate::urls::CanonicalUrl;
use crate::warc::WarcError;

/// Times that what came of an answer stands in memory while it is stored: as it came, as rows, and as they are written.
const WRITTEN: usize = 3;

/// What came of a request.
pub(super) struct Fetched {
    pub url: CanonicalUrl,
    /// The chain of redirects that led to the URL.
    pub chain: Option<Chain>,
    /// When it was asked, in Unix time.
    pub begun: u64,
    /// What the request was made conditional by.
    pub validators: Option<Validators>,
    pub outcome: FetchOutcome,
    /// `None` for a robots.txt, which others read.
    pub queued: Option<QueuedUrl>,
}

/// What came of an answer, if it was a page's or a sitemap's; or the answer itself, and why it could not be kept.
type Read = Result<Option<Progressed>, (Box<Fetched>, WarcError)>;

/// What came of a page's or a sitemap's answer.
enum Progressed {
    Done(Box<Outcome>, Option<Room>),
    /// It leads on, within the same visit.
    Redirected(QueuedUrl, Chain),
}

/// Whom an answer goes through, and whom what came of it is told.
#[derive(Clone)]
pub(super) struct Desk {
    pub reading: Arc<Reading>,
    /// Where answers are kept besides, if they are.
    pub archive: Option<Arc<Archive>>,
    pub parsers: Arc<rayon::ThreadPool>,
    pub events: Sender<Event>,
    pub work: Sender<Work>,
}

impl Desk {
    /// Has an answer taken by the threads that parse.
    pub fn hand_in(self, fetched: Fetched) {
        let parsers = Arc::clone(&self.parsers);
        parsers.spawn(move || self.take(fetched));
    }

    /// Takes as long as the answer asks for: call it off the async threads, unless it is small.
    pub fn take(&self, fetched: Fetched) {
        let (url, queued) = (fetched.url.clone(), fetched.queued.clone());
        match self.guarded(&url, queued, || self.keep_and_read(fetched)) {
            Ok(None) => {}
            Ok(Some(Progressed::Done(outcome, room))) => _ = self.work.send(Work::Outcome(outcome, room)),
            Ok(Some(Progressed::Redirected(queued, chain))) => {
                _ = self.events.send(Event::Redirected(queued, chain));
            }
            Err((fetched, error)) => _ = self.events.send(Event::Unkept(fetched, error)),
        }
    }

    fn guarded(&self, url: &CanonicalUrl, queued: Option<QueuedUrl>, read: impl FnOnce() -> Read) -> Read {
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
            tracing::error!(%url, "an answer could not be read because of a defect of this program; please report it");
            let failed = FetchOutcome::Failed(FailureKind::Decode, "a defect of this program".to_owned());
            Ok(queued.map(|queued| {
                let (asked, chain) = (queued.url.clone(), None);
                let mut room = Room::default();
                Progressed::Done(Box::new(self.read(queued, &asked, chain, failed, false, &mut room)), None)
            }))
        })
    }

    fn keep_and_read(&self, fetched: Fetched) -> Read {
        if let Some(archive) = &self.archive
            && let Err(error) = archive.keep(&fetched)
        {
            return Err((Box::new(fetched), error));
        }
        let Fetched { mut outcome, queued, validators, url, chain, .. } = fetched;
        Ok(queued.map(|queued| {
            if let FetchOutcome::Answered(answer) = &outcome
                && let Some(next) = self.reading.next_in_chain(&queued, &url, answer, chain.as_ref())
            {
                return Progressed::Redirected(queued, next);
            }
            let mut room = match &mut outcome {
                FetchOutcome::Answered(answer) => std::mem::take(&mut answer.room),
                FetchOutcome::Failed(..) => Room::default(),
            };
            let outcome = self.read(queued, &url, chain, outcome, validators.is_some(), &mut room);
            room.settle(outcome.bytes().saturating_mul(WRITTEN));
            Progressed::Done(Box::new(outcome), Some(room))
        }))
    }

    fn read(
        &self,
        queued: QueuedUrl,
        asked: &CanonicalUrl,
        chain: Option<Chain>,
        fetched: FetchOutcome,
        conditional: bool,
        room: &mut Room,
    ) -> Outcome {
        match queued.target {
            Target::Page => self.reading.outcome(queued, asked, chain, fetched, conditional, room),
            Target::Sitemap(_) => self.reading.sitemap(queued, &fetched, room),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::config::Config;
    use crate::crawl::messages::End;
    use crate::crawl::{CrawlError, CrawlJob, Crawler, scheduler};
    use crate::frontier::{Priority, SitemapGrant};
    use crate::model::Visit;
    use crate::store::Store;
    use crate::urls::{Suffixes, UrlRules};

    fn crawler(folder: &std::path::Path) -> Crawler {
        let (config, suffixes) = (Config::default(), Arc::new(Suffixes::built_in().unwrap()));
        let store = Arc::new(Store::open(folder, &config.store, suffixes).unwrap());
        Crawler::new(store, &config, UrlRules::default()).unwrap()
    }

    #[test]
    fn a_defect_is_a_failed_visit_and_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let crawler = crawler(folder.path());
        let (events, work) = (channel().0, channel().0);
        let reading = Arc::new(Reading::new(&crawler, &[]).unwrap());
        let desk = Desk { reading, archive: None, parsers: Arc::clone(&crawler.parsers), events, work };
        let url = UrlRules::default().canonical("http://a.test/").unwrap();
        // A page would be read no better the next time.
        let sitemap = Target::Sitemap(Box::new(SitemapGrant::at_level(0)));
        for (target, first) in [(Target::Page, End::Fetched), (sitemap, End::Again)] {
            for (attempts, expected) in [(0, first), (2, End::Fetched)] {
                let (url, priority, target) = (url.clone(), Priority::New(0), target.clone());
                let queued = QueuedUrl { url: url.clone(), priority, depth: 0, attempts, target };
                let read = desk.guarded(&url, Some(queued), || panic!("a defect"));
                let Some(Progressed::Done(outcome, _)) = read.ok().flatten() else { panic!("it is done") };
                assert_eq!((outcome.end, outcome.queued.attempts), (expected, attempts + 1));
                let visit = outcome.record.map(|record| record.visit);
                let defect = || Visit::Failed(FailureKind::Decode, "a defect of this program".to_owned());
                let failed = (outcome.queued.target == Target::Page).then(defect);
                assert_eq!(visit, failed);
            }
        }
        assert!(matches!(desk.guarded(&url, None, || panic!("a defect")), Ok(None)));
    }

    #[test]
    fn a_crawl_whose_writer_is_gone_ends() {
        let folder = tempfile::tempdir().unwrap();
        let crawler = crawler(folder.path());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let job = CrawlJob { forever: true, ..CrawlJob::default() };
        let stop = std::sync::atomic::AtomicBool::new(false);
        let ended = scheduler::run_with(&crawler, &job, runtime.handle(), &stop, |work, _| {
            // It was asked for what is due, and the loop waits for the answer.
            let _ = work.recv();
            panic!("a defect");
        });
        assert!(matches!(ended, Err(CrawlError::Broken)), "{ended:?}");
    }
}
