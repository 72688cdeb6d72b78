//! Processes a response: archives it, extracts its record and its links, and sends them to the writer.
//!
//! A response that cannot be archived returns to the loop unread, for a retry. A page that makes this program
//! panic must not end a long crawl: its visit counts as failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::archive::Archive;
use super::extract::{Extractor, FinalResponse};
use super::messages::{Completion, FetchedResponse, LoopEvent, WriteRequest};
use super::walls::redirect_chain::RedirectChain;
use super::writer::link::WriterSender;
use crate::fetch::{FetchOutcome, Reservation};
use crate::model::{FailureKind, QueueEntry};
use crate::urls::CanonicalUrl;
use crate::warc::WarcError;

/// Copies of a completion in memory during its commit: as parsed, as rows, and as written.
const COPIES_WHILE_WRITTEN: usize = 3;

/// A processed page or sitemap; or the response itself, and why it could not be archived.
type ProcessResult = Result<Option<Processed>, (Box<FetchedResponse>, WarcError)>;

/// A processed page or sitemap.
enum Processed {
    Completed(Box<Completion>, Option<Reservation>),
    /// Its redirect chain continues within the same visit.
    ChainContinued(QueueEntry, RedirectChain),
}

/// Archives and parses a response, then sends the result to the writer.
#[derive(Clone)]
pub(super) struct ResponseProcessor {
    extractor: Arc<Extractor>,
    /// Writes the responses to WARC files, if configured.
    archive: Option<Arc<Archive>>,
    parsers: Arc<rayon::ThreadPool>,
    events: Sender<LoopEvent>,
    writer: WriterSender,
}

impl ResponseProcessor {
    pub(super) fn new(
        extractor: Arc<Extractor>,
        archive: Option<Arc<Archive>>,
        parsers: &Arc<rayon::ThreadPool>,
        events: Sender<LoopEvent>,
        writer: WriterSender,
    ) -> Self {
        Self { extractor, archive, parsers: Arc::clone(parsers), events, writer }
    }

    /// A sender of events to the loop.
    pub(super) fn events(&self) -> Sender<LoopEvent> {
        self.events.clone()
    }

    pub(super) fn extractor(&self) -> &Extractor {
        &self.extractor
    }

    /// Processes later responses with another extractor.
    pub(super) fn set_extractor(&mut self, extractor: Extractor) {
        self.extractor = Arc::new(extractor);
    }

    /// Whether responses are written to WARC files.
    pub(super) fn has_archive(&self) -> bool {
        self.archive.is_some()
    }

    /// Processes a response on the parser threads.
    pub(super) fn spawn(self, fetched: FetchedResponse) {
        let parsers = Arc::clone(&self.parsers);
        parsers.spawn(move || self.process(fetched));
    }

    /// Processes a response on this thread. Large ones take long, so call it off the async threads.
    pub(super) fn process(&self, fetched: FetchedResponse) {
        let (url, entry) = (fetched.requested.clone(), fetched.entry.clone());
        match self.catch_panic(&url, entry, || self.archive_and_extract(fetched)) {
            Ok(None) => {}
            Ok(Some(Processed::Completed(completion, reservation))) => {
                _ = self.writer.send(WriteRequest::Completed(completion, reservation));
            }
            Ok(Some(Processed::ChainContinued(entry, chain))) => {
                _ = self.events.send(LoopEvent::ChainContinued(entry, chain));
            }
            Err((fetched, error)) => _ = self.events.send(LoopEvent::ArchiveFailed(fetched, error)),
        }
    }

    fn catch_panic(
        &self,
        url: &CanonicalUrl,
        entry: Option<QueueEntry>,
        work: impl FnOnce() -> ProcessResult,
    ) -> ProcessResult {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            tracing::error!(%url, "a response could not be processed because of a defect of this program; please report it");
            let failed = FetchOutcome::Failed(FailureKind::Decode, "a defect of this program".to_owned());
            Ok(entry.map(|entry| {
                let requested = entry.url.clone();
                let response = FinalResponse { entry, requested, chain: None, outcome: failed, is_conditional: false };
                let completion = self.extractor.extract(response, &mut Reservation::default());
                Processed::Completed(Box::new(completion), None)
            }))
        })
    }

    fn archive_and_extract(&self, fetched: FetchedResponse) -> ProcessResult {
        if let Some(archive) = &self.archive
            && let Err(error) = archive.write(&fetched)
        {
            return Err((Box::new(fetched), error));
        }
        let FetchedResponse { mut outcome, entry, validators, requested, chain, .. } = fetched;
        Ok(entry.map(|entry| {
            if let FetchOutcome::Responded(response) = &outcome
                && let Some(next) = self.extractor.next_in_chain(&entry, &requested, response, chain.as_ref())
            {
                return Processed::ChainContinued(entry, next);
            }
            let mut reservation = match &mut outcome {
                FetchOutcome::Responded(response) => std::mem::take(&mut response.reservation),
                FetchOutcome::Failed(..) => Reservation::default(),
            };
            let is_conditional = validators.is_some();
            let response = FinalResponse { entry, requested, chain, outcome, is_conditional };
            let completion = self.extractor.extract(response, &mut reservation);
            reservation.settle(completion.bytes().saturating_mul(COPIES_WHILE_WRITTEN));
            Processed::Completed(Box::new(completion), Some(reservation))
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::config::Config;
    use crate::crawl::{CrawlError, CrawlJob, Crawler, run};
    use crate::model::Visit;
    use crate::model::{Disposition, Priority, SitemapGrant, Target};
    use crate::store::Store;
    use crate::urls::{Suffixes, UrlRules};

    fn crawler(folder: &std::path::Path) -> Crawler {
        let (config, suffixes) = (Config::default(), Arc::new(Suffixes::built_in().unwrap()));
        let store = Arc::new(Store::open(folder, &config.store, suffixes).unwrap());
        Crawler::new(store, &config, UrlRules::default()).unwrap()
    }

    #[test]
    fn a_panic_is_a_failed_visit_and_does_not_end_the_crawl() {
        let folder = tempfile::tempdir().unwrap();
        let crawler = crawler(folder.path());
        let processor = crawler.processor(&[], None, channel().0, WriterSender::new(channel().0)).unwrap();
        let url = UrlRules::default().canonical("http://a.test/").unwrap();
        // The parser would fail at the same page again.
        let sitemap = Target::Sitemap(Box::new(SitemapGrant::at_level(0)));
        for (target, first) in [(Target::Page, Disposition::Fetched), (sitemap, Disposition::Retry)] {
            for (attempts, expected) in [(0, first), (2, Disposition::Fetched)] {
                let (url, priority, target) = (url.clone(), Priority::New(0), target.clone());
                let entry = QueueEntry { url: url.clone(), priority, depth: 0, attempts, target };
                let read = processor.catch_panic(&url, Some(entry), || panic!("a defect"));
                let Some(Processed::Completed(completion, _)) = read.ok().flatten() else {
                    panic!("it is done")
                };
                assert_eq!((completion.disposition, completion.entry.attempts), (expected, attempts + 1));
                let visit = completion.record.map(|record| record.visit);
                let defect = || Visit::Failed(FailureKind::Decode, "a defect of this program".to_owned());
                let failed = (completion.entry.target == Target::Page).then(defect);
                assert_eq!(visit, failed);
            }
        }
        assert!(matches!(processor.catch_panic(&url, None, || panic!("a defect")), Ok(None)));
    }

    #[test]
    fn a_crawl_ends_when_its_writer_panics() {
        let folder = tempfile::tempdir().unwrap();
        let crawler = crawler(folder.path());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let job = CrawlJob { forever: true, ..CrawlJob::default() };
        let stop = std::sync::atomic::AtomicBool::new(false);
        let ended = run::run_with(&crawler, &job, runtime.handle(), &stop, |work, _| {
            // This is the request for due pages. The loop waits for its report.
            let _ = work.recv();
            panic!("a defect");
        });
        assert!(matches!(ended, Err(CrawlError::Broken)), "{ended:?}");
    }
}
