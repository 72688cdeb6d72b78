//! The state of a URL, and the reasons why it is not fetched.

use serde::Serialize;

use super::{InspectError, Inspector, OriginReport};
use crate::model::{Cut, Day, FailureKind, Priority, QueueEntry, StoredPage, TlsFlaw};
use crate::policy::{AdmissionRules, BudgetStatus, LowDisk, Reason, RevisitRules, SeedDomains, TrapRules};
use crate::store::free_bytes;
use crate::urls::CanonicalUrl;

/// What is known of a URL.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UrlReport {
    pub url: String,
    /// Whether the URL was discovered: a page, a sitemap or a seed names it, or did.
    pub met: bool,
    /// `null`: never visited.
    pub page: Option<PageReport>,
    /// `null`: not in the queue of its host.
    pub queued: Option<QueueReport>,
    /// Why the last request for it failed, or which part of its response is missing; `null`: neither is known.
    pub cause: Option<String>,
    pub server: OriginReport,
    /// Why it is not fetched now. Empty: it is fetched when its turn comes.
    pub reasons: Vec<Reason>,
}

/// The last visit of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageReport {
    pub visited: u64,
    /// HTTP status of the last response; 0 when there was none.
    pub status: u16,
    /// Why the last visit failed, as one word; `null` when it did not fail.
    pub failure: Option<&'static str>,
    /// Why the end of its body is missing, as one word; `null` when the body is whole.
    pub cut: Option<&'static str>,
    /// The flaw of the server's certificate, as one word; `null` when there is none.
    pub tls: Option<&'static str>,
    /// The cause of the failure, or of the missing part, in words; empty without either.
    pub cause: String,
    pub depth: u16,
    pub next_visit: Option<u64>,
}

/// The entry of a URL in the queue of its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueReport {
    /// `seed`, `sitemap`, `again` or `new`.
    pub kind: &'static str,
    /// For another visit: since when the URL has been due.
    pub due: Option<u64>,
    /// For a new page: its priority among those of its host. Lower comes sooner.
    pub place: Option<u16>,
    /// Distance in links from a seed.
    pub depth: u16,
    pub failed_attempts: u32,
}

impl Inspector<'_> {
    /// Reports on a URL.
    ///
    /// # Errors
    /// [`InspectError`] when the store fails or a block list cannot be used.
    pub fn url(&self, url: &CanonicalUrl) -> Result<UrlReport, InspectError> {
        let config = &self.config.crawl;
        let admission = AdmissionRules {
            seed_domains: None,
            blocks: self.block_list()?,
            traps: TrapRules::new(&self.config.traps),
            max_depth: config.max_depth,
        };
        let (page, queued) = self.page_and_entry(url)?;
        let (page, queued) = (page.map(|page| self.page(page)), queued.map(QueueReport::from));
        let met = page.is_some() || queued.is_some() || self.store.was_seen(url)?;
        let (server, budget) = self.origin_report(url, &admission.blocks)?;
        let cause = find_cause(url, page.as_ref(), &server);
        let (url_text, reasons) = (url.to_string(), Vec::new());
        let mut report = UrlReport { url: url_text, met, page, queued, cause, server, reasons };
        let today = Day::from_unix_seconds(self.now);
        report.reasons.extend((!met).then_some(Reason::Undiscovered));
        report.reasons.extend(admission.reasons(url, today));
        report.reasons.extend(report.server.robots.iter().flat_map(|robots| robots.reasons()));
        report.reasons.extend(report.server.backoff_reasons());
        report.reasons.extend(report.reason_in_queue(&admission, &budget));
        report.reasons.extend(report.reason_without_entry());
        report.reasons.extend(self.off_seed_domains(url, &report)?);
        let disk = LowDisk::find(self.store.directory(), config, free_bytes);
        report.reasons.extend(disk.map(Reason::LowDisk));
        Ok(report)
    }

    /// Reads the page of a URL and its entry in the queue in one state. A visit that a running crawl stores between the
    /// two reads changes the page.
    fn page_and_entry(
        &self,
        url: &CanonicalUrl,
    ) -> Result<(Option<StoredPage>, Option<QueueEntry>), InspectError> {
        let mut page = self.store.page(url)?;
        loop {
            let queued = self.store.find_entry_while(url, self.proceed)?;
            let now = self.store.page(url)?;
            if now == page {
                return Ok((page, queued));
            }
            page = now;
        }
    }

    fn page(&self, page: StoredPage) -> PageReport {
        let next = || RevisitRules::new(&self.config.crawl).next_visit(&page, self.now);
        PageReport {
            visited: page.visited,
            status: page.facts.status,
            failure: FailureKind::from_code(page.last_failure).map(|kind| kind.as_str()),
            cut: page.facts.cut.map(Cut::as_str),
            tls: page.facts.tls.map(TlsFlaw::as_str),
            depth: page.depth,
            next_visit: (page.next_visit > 0).then(next),
            cause: page.cause,
        }
    }

    /// The reason against a link outside the domains of the seeds. Seeds from a file are not stored, so the visited
    /// domains represent them.
    fn off_seed_domains(
        &self,
        url: &CanonicalUrl,
        report: &UrlReport,
    ) -> Result<Option<Reason>, InspectError> {
        let is_admitted = report.page.is_some() || report.queued.is_some();
        if !self.config.crawl.stay_on_seed_domains || is_admitted {
            return Ok(None);
        }
        let mut domains = SeedDomains::new(self.store.visited_domains()?, self.store.suffixes());
        domains.add(self.seeds);
        Ok(domains.judge(url))
    }
}

impl UrlReport {
    /// The limit of depth or budget that a queued URL exceeds. Repeated visits do not count towards a budget.
    fn reason_in_queue(&self, admission: &AdmissionRules, budget: &BudgetStatus) -> Option<Reason> {
        let queued = self.queued.as_ref()?;
        let is_new = self.page.is_none() && queued.place.is_some();
        let admitted = admission.admit_depth(queued.depth);
        admitted.and_then(|()| if is_new { budget.admit_new_page() } else { Ok(()) }).err()
    }

    /// The reason why a known URL is not in the queue.
    fn reason_without_entry(&self) -> Option<Reason> {
        match (&self.page, &self.queued) {
            (Some(page), None) => page.next_visit.map(|at| Reason::NotDue { at }),
            (None, None) if self.met && self.reasons.is_empty() => Some(Reason::NotQueued),
            _ => None,
        }
    }
}

/// Why a URL has no good response: the cause of its page, or else the last failure that its host remembers.
fn find_cause(url: &CanonicalUrl, page: Option<&PageReport>, server: &OriginReport) -> Option<String> {
    if let Some(page) = page {
        let kind = page.failure.or(page.cut.map(|_| "cut"));
        let words = || kind.map_or(page.cause.clone(), |kind| format!("{kind}: {}", page.cause));
        return (!page.cause.is_empty()).then(words);
    }
    let failure = server.failures.iter().rfind(|failure| failure.url == url.as_str())?;
    Some(format!("{}: {}", failure.kind, failure.cause))
}

impl From<QueueEntry> for QueueReport {
    fn from(entry: QueueEntry) -> Self {
        let (kind, due, place) = match entry.priority {
            Priority::Seed => ("seed", None, None),
            Priority::Sitemap => ("sitemap", None, None),
            Priority::Revisit(due) => ("again", Some(due.into()), None),
            Priority::New(order) => ("new", None, Some(order)),
        };
        Self { kind, due, place, depth: entry.depth, failed_attempts: entry.attempts }
    }
}
