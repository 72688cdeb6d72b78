//! Runs one crawl: starts the writer and the loop, and ends both.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use super::event_loop::CrawlLoop;
use super::messages::{LoopEvent, WriteRequest};
use super::progress::Figures;
use super::timing::is_past;
use super::timing::{LAST_COMMIT_GRACE, WRITER_POLL};
use super::writer::link::WriterSender;
use super::{CrawlError, CrawlJob, Crawler};

/// Runs one crawl to its end.
pub(super) fn run(
    crawler: &Crawler,
    job: &CrawlJob,
    runtime: &tokio::runtime::Handle,
    stop: &AtomicBool,
) -> Result<Figures, CrawlError> {
    let writer = crawler.writer();
    run_with(crawler, job, runtime, stop, move |work, events| writer.run(&work, &events))
}

/// Runs one crawl with the given main function of its writer thread.
pub(super) fn run_with(
    crawler: &Crawler,
    job: &CrawlJob,
    runtime: &tokio::runtime::Handle,
    stop: &AtomicBool,
    writer_main: impl FnOnce(Receiver<WriteRequest>, Sender<LoopEvent>) + Send + 'static,
) -> Result<Figures, CrawlError> {
    let (events, inbox) = channel();
    let (work, requests) = channel();
    let to_loop = events.clone();
    let writer = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || writer_main(requests, to_loop))
        .map_err(CrawlError::Thread)?;
    let archive = crawler.archive()?.map(Arc::new);
    let sender = WriterSender::new(work);
    let mut crawl = CrawlLoop::new(crawler, job, runtime, events, &sender, archive.clone())?;
    crawl.start()?;
    let result = crawl.run(&inbox, stop, &writer);
    let give_up_at = crawl.give_up_at();
    // The writer ends when the last sender of requests is dropped: those of the loop, and those of aborted
    // fetches.
    drop((crawl, sender));
    drop(inbox);
    let last = Instant::now() + LAST_COMMIT_GRACE;
    // The caller may close or reopen the store after this, so it must not be in use.
    let until = if result.is_ok() { give_up_at.map(|until| until.max(last)) } else { Some(last) };
    let joined = join(writer, until);
    let closed = archive.map_or(Ok(()), |archive| archive.close());
    result?;
    joined?;
    closed?;
    if give_up_at.is_none() {
        // Users see the length of the queue, and the last discovered URLs belong to it. The next crawl would
        // merge them too.
        crawler.store().merge_discovered()?;
    }
    Ok(crawler.progress().figures())
}

/// Waits for the writer to end, but not beyond `until`. The writer may be in a merge, which takes minutes and
/// survives a crash.
fn join(writer: JoinHandle<()>, until: Option<Instant>) -> Result<(), CrawlError> {
    while until.is_some() && !writer.is_finished() {
        if is_past(until) {
            tracing::warn!("the crawl ends before all fetched pages are stored; the rest stays in the queue");
            return Ok(());
        }
        std::thread::sleep(WRITER_POLL);
    }
    writer.join().map_err(|_| CrawlError::Broken)
}
