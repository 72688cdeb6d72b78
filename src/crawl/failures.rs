//! Failed requests. Each is logged, counted by its kind in the table at the end of a crawl, and stored among
//! the last failures of its host.
//!
//! A request fails when it has no response, an inconclusive one (5xx, 403, a challenge …), or one that is
//! truncated. Other modules decide on retries. The causes quote servers, so they are shortened and cleaned
//! here ([`plain_cause`]) before they are shown. The table is bounded to [`MAX_KINDS`] kinds with
//! [`EXAMPLES`] examples each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::failure_log::{FailureLog, RecentFailure};
use crate::clock::unix_now;
use crate::fetch::{Failure, RobotsFailure};
use crate::model::{Cut, FailureKind, HostFailure, PageContent, Target, Visit, plain, plain_cause};
use crate::urls::CanonicalUrl;

/// Examples of each kind.
pub(super) const EXAMPLES: usize = 3;
/// Kinds in the table. There are fewer, unless servers answer with unknown statuses.
const MAX_KINDS: usize = 100;
/// The kind of failures that the table has no room for.
const OTHER: &str = "other";
/// Characters of a URL in an example.
const MAX_URL_CHARS: usize = 300;

/// The resource that was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The address of a host, from name servers.
    Address,
    RobotsTxt,
    Sitemap,
    Page,
}

impl Resource {
    /// The resource of a queue entry.
    pub(super) fn of(target: &Target) -> Self {
        match target {
            Target::Page => Self::Page,
            Target::Sitemap(_) => Self::Sitemap,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::RobotsTxt => "robots.txt",
            Self::Sitemap => "sitemap",
            Self::Page => "page",
        }
    }
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// As in [`HostFailure::kind`].
    pub kind: Cow<'static, str>,
    /// A cleaned sentence.
    pub words: String,
}

impl Cause {
    pub(super) fn new(kind: FailureKind, words: &str) -> Self {
        Self { kind: kind.as_str().into(), words: plain_cause(words) }
    }

    /// The cause of a response with an inconclusive status.
    pub(super) fn status(status: u16) -> Self {
        Self { kind: format!("status-{status}").into(), words: format!("the server answered {status}") }
    }

    /// The cause of a truncated body; `None` where a limit of this program truncated it.
    pub(super) fn cut(cut: Cut, words: &str) -> Option<Self> {
        let usual = match cut {
            Cut::Length | Cut::Document => return None,
            Cut::Time => "the body did not come in time",
            Cut::Disconnect => "the connection ended before the body",
            Cut::Encoding => "the encoding of the body breaks off",
        };
        let words = if words.is_empty() { usual } else { words };
        Some(Self { kind: "cut".into(), words: plain_cause(words) })
    }

    /// Returns why a visit to a page failed, if it did. The visit keeps the cleaned words.
    pub(super) fn take(visit: &mut Visit) -> Option<Self> {
        match visit {
            Visit::NotModified => None,
            Visit::Failed(kind, words) => {
                let cause = Self::new(*kind, words);
                words.clone_from(&cause.words);
                Some(cause)
            }
            Visit::Responded(content) => {
                let cause = Self::of_content(content)?;
                content.cause.clone_from(&cause.words);
                Some(cause)
            }
        }
    }

    fn of_content(content: &PageContent) -> Option<Self> {
        if content.challenge {
            let words = if content.cause.is_empty() {
                "a challenge in the place of the page"
            } else {
                &content.cause
            };
            return Some(Self::new(FailureKind::Challenge, words));
        }
        if !content.determines_links() {
            return Some(Self::status(content.facts.status));
        }
        content.facts.cut.and_then(|cut| Self::cut(cut, &content.cause))
    }
}

impl From<&Failure> for Cause {
    fn from(failure: &Failure) -> Self {
        Self::new(failure.kind, &failure.detail)
    }
}

impl From<&RobotsFailure> for Cause {
    fn from(failure: &RobotsFailure) -> Self {
        Self { kind: failure.kind.clone().into(), words: failure.cause.clone() }
    }
}

/// One failed request.
#[derive(Clone, Debug)]
pub(super) struct FailedRequest<'a> {
    pub resource: Resource,
    pub url: &'a CanonicalUrl,
    /// How many times in a row it was made.
    pub attempt: u32,
    pub cause: Cause,
}

impl FailedRequest<'_> {
    /// Logs and counts the failure, and returns its entry for the record of the host.
    pub(super) fn report(self, table: &FailureTable) -> HostFailure {
        let Self { resource, url, attempt, cause: Cause { kind, words } } = self;
        let (host, cause) = (url.host(), words.as_str());
        // The message names the resource, so that no field is needed for it.
        match resource {
            Resource::Page => {
                tracing::info!(target: "backlinkd::fetches", %url, host, %kind, attempt, cause, "a page could not be fetched");
            }
            Resource::RobotsTxt => {
                tracing::info!(target: "backlinkd::fetches", %url, host, %kind, attempt, cause, "a robots.txt could not be fetched");
            }
            Resource::Sitemap => {
                tracing::info!(target: "backlinkd::fetches", %url, host, %kind, attempt, cause, "a sitemap could not be fetched");
            }
            Resource::Address => {
                tracing::info!(target: "backlinkd::fetches", %url, host, %kind, attempt, cause, "a host has no usable address");
            }
        }
        table.add(resource, &kind, url, cause);
        HostFailure { at: unix_now(), url: url.to_string(), kind: kind.into_owned(), cause: words }
    }
}

/// Failed requests by resource and cause.
#[derive(Debug, Default)]
pub(super) struct FailureTable(Mutex<FailureRecords>);

/// The counts of failures, and the last ones.
#[derive(Debug, Default)]
struct FailureRecords {
    rows: BTreeMap<(Resource, Cow<'static, str>), Row>,
    log: FailureLog,
}

#[derive(Debug, Default)]
struct Row {
    count: u64,
    examples: Vec<FailureExample>,
}

/// One kind of failure in a crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureCount {
    pub resource: Resource,
    pub kind: String,
    pub count: u64,
    /// The first ones, each of another URL.
    pub examples: Vec<FailureExample>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureExample {
    pub url: String,
    pub cause: String,
}

impl FailureTable {
    /// A table that also keeps the last `most` failures.
    pub(super) fn keeping(most: usize) -> Self {
        let log = FailureLog::new(most);
        Self(Mutex::new(FailureRecords { log, ..FailureRecords::default() }))
    }

    fn records(&self) -> MutexGuard<'_, FailureRecords> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, resource: Resource, kind: &str, url: &CanonicalUrl, cause: &str) {
        let FailureRecords { rows, log } = &mut *self.records();
        let key = (resource, Cow::Owned(kind.to_owned()));
        let has_room = rows.len() < MAX_KINDS || rows.contains_key(&key);
        let key = if has_room { key } else { (resource, OTHER.into()) };
        let (url, cause) = (plain(url.as_str(), MAX_URL_CHARS), cause.to_owned());
        let kind = key.1.to_string();
        let (at, resource) = (unix_now(), resource.as_str());
        log.add(RecentFailure { at, resource, kind, url: url.clone(), cause: cause.clone() });
        let row = rows.entry(key).or_default();
        row.count += 1;
        if row.examples.len() < EXAMPLES && row.examples.iter().all(|example| example.url != url) {
            row.examples.push(FailureExample { url, cause });
        }
    }

    /// The last failures, the latest first.
    pub(super) fn last(&self) -> Vec<RecentFailure> {
        self.records().log.newest_first()
    }

    /// The counts, by resource and kind.
    pub(super) fn counts(&self) -> Vec<FailureCount> {
        let count = |((resource, kind), row): (&(Resource, Cow<'static, str>), &Row)| FailureCount {
            resource: *resource,
            kind: kind.to_string(),
            count: row.count,
            examples: row.examples.clone(),
        };
        self.records().rows.iter().map(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PageFacts;
    use crate::urls::UrlRules;

    fn url(number: usize) -> CanonicalUrl {
        UrlRules::default().canonical(&format!("http://h{number}.test/{}", "x".repeat(500))).unwrap()
    }

    fn fail(table: &FailureTable, number: usize, cause: Cause) -> HostFailure {
        FailedRequest { resource: Resource::Page, url: &url(number), attempt: 1, cause }.report(table)
    }

    #[test]
    fn failures_are_counted_by_kind_with_examples_of_different_urls() {
        let table = FailureTable::default();
        for number in [1, 1, 2, 3, 4, 4] {
            let reported =
                fail(&table, number, Cause::new(FailureKind::Connect, &format!("refused {number}")));
            assert_eq!((reported.kind.as_str(), reported.url), ("connect", url(number).to_string()));
        }
        fail(&table, 9, Cause::status(503));
        let robots = Cause::new(FailureKind::Tls, "bad\r\ncertificate");
        let request =
            FailedRequest { resource: Resource::RobotsTxt, url: &url(7), attempt: 2, cause: robots };
        assert_eq!(request.report(&table).cause, "bad certificate");
        let counts = table.counts();
        let shown: Vec<_> =
            counts.iter().map(|row| (row.resource.as_str(), row.kind.as_str(), row.count)).collect();
        assert_eq!(shown, [("robots.txt", "tls", 1), ("page", "connect", 6), ("page", "status-503", 1)]);
        let causes: Vec<_> = counts[1].examples.iter().map(|example| example.cause.as_str()).collect();
        assert_eq!(causes, ["refused 1", "refused 2", "refused 3"]);
        assert!(counts[1].examples.iter().all(|example| example.url.chars().count() <= MAX_URL_CHARS));
    }

    #[test]
    fn the_table_is_bounded_whatever_servers_answer() {
        let table = FailureTable::default();
        for status in 0..1_000u16 {
            fail(&table, status.into(), Cause::status(status));
        }
        let counts = table.counts();
        assert!(counts.len() <= MAX_KINDS + 1, "{}", counts.len());
        assert_eq!(counts.iter().map(|row| row.count).sum::<u64>(), 1_000);
        assert_eq!(counts[0].kind, OTHER);
    }

    #[test]
    fn a_response_fails_when_it_is_inconclusive_or_truncated() {
        let answered = |status, cut, challenge, cause: &str| {
            let cause = cause.to_owned();
            let content = PageContent {
                facts: PageFacts { status, cut, ..PageFacts::default() },
                challenge,
                cause,
                ..PageContent::default()
            };
            let mut visit = Visit::Responded(Box::new(content));
            let taken = Cause::take(&mut visit)?;
            let Visit::Responded(content) = visit else { panic!("another visit") };
            assert_eq!(content.cause, taken.words);
            Some((taken.kind.into_owned(), taken.words))
        };
        let shown = |kind: &str, words: &str| Some((kind.to_owned(), words.to_owned()));
        for (status, cut, challenge, cause, right) in [
            (200, None, false, "", None),
            (404, None, false, "", None),
            (301, None, false, "", None),
            (503, None, false, "", shown("status-503", "the server answered 503")),
            (403, None, false, "", shown("status-403", "the server answered 403")),
            (202, None, false, "", shown("status-202", "the server answered 202")),
            (403, None, true, "asks for a captcha", shown("challenge", "asks for a captcha")),
            (200, Some(Cut::Length), false, "", None),
            (200, Some(Cut::Document), false, "", None),
            (200, Some(Cut::Encoding), false, "no\ntrailer", shown("cut", "no trailer")),
            (200, Some(Cut::Disconnect), false, "", shown("cut", "the connection ended before the body")),
        ] {
            assert_eq!(answered(status, cut, challenge, cause), right, "{status} {cut:?}");
        }
        assert_eq!(Cause::take(&mut Visit::NotModified), None);
        let mut failed = Visit::Failed(FailureKind::Dns, "no\u{7} such name".to_owned());
        assert_eq!(Cause::take(&mut failed).map(|cause| cause.words), Some("no such name".to_owned()));
        assert_eq!(failed, Visit::Failed(FailureKind::Dns, "no such name".to_owned()));
    }
}
