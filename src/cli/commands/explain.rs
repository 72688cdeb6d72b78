//! `backlinkd explain`: the state of a URL, and why it is not fetched. Works while a daemon runs.

use std::sync::Arc;

use serde::Serialize;

use super::server_report::{FailureReport, ServerReport, format_time, unix_now};
use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::cli::terminal::numbers::grouped;
use crate::crawl;
use crate::model::{Cut, Day, FailureKind, Priority, QueuedUrl, StoredPage, TlsFlaw};
use crate::policy::TrapRules;
use crate::store::Store;
use crate::urls::CanonicalUrl;

/// The report, as its JSON shows it. Times are Unix seconds.
#[derive(Debug, Serialize)]
struct UrlReport {
    url: String,
    /// Whether a page, a sitemap or a seed ever named the URL.
    met: bool,
    /// `null`: never visited.
    page: Option<PageReport>,
    /// `null`: not in the queue of its host.
    queued: Option<QueueReport>,
    /// Why the last request for it failed, or which part of its response is missing; `null`: neither is known.
    cause: Option<String>,
    server: ServerReport,
    /// Why it is not fetched now, as sentences. Empty: it is fetched when its turn comes.
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PageReport {
    visited: u64,
    /// HTTP status of the last response; 0 when there was none.
    status: u16,
    /// Why the last visit failed, as one word; `null` when it did not fail.
    failure: Option<&'static str>,
    /// Why the end of its body is missing, as one word; `null` when the body is whole.
    cut: Option<&'static str>,
    /// The flaw of the server's certificate, as one word; `null` when there is none.
    tls: Option<&'static str>,
    /// The cause of the failure, or of the missing part, in words; empty without either.
    cause: String,
    depth: u16,
    next_visit: Option<u64>,
}

#[derive(Debug, Serialize)]
struct QueueReport {
    /// The lane: `seed`, `sitemap`, `again` or `new`.
    kind: &'static str,
    /// For another visit: since when the URL has been due.
    due: Option<u64>,
    /// For a new page: its priority among those of its host. Lower comes sooner.
    place: Option<u16>,
    /// Distance in links from a seed.
    depth: u16,
    failed_attempts: u32,
}

pub fn explain(context: &CliContext, word: &str, json: bool) -> anyhow::Result<Outcome> {
    let url = context.rules.typed(word)?;
    let report = UrlReport::collect(context, &context.open_secondary()?, &url)?;
    if json {
        context.console.print(serde_json::to_string(&report)?)?;
    } else {
        context.console.print(report.to_text())?;
    }
    Ok(Outcome::Success)
}

impl UrlReport {
    fn collect(context: &CliContext, store: &Arc<Store>, url: &CanonicalUrl) -> anyhow::Result<Self> {
        let page = store.page(url)?.map(|stored| page_report(context, stored));
        let queued = store.entry_of(url)?.map(queue_report);
        let met = page.is_some() || queued.is_some() || store.was_seen(url)?;
        let server = ServerReport::collect(context, store, url)?;
        let cause = find_cause(url, page.as_ref(), &server);
        let (url_text, reasons) = (url.to_string(), Vec::new());
        let mut report = Self { url: url_text, met, page, queued, cause, server, reasons };
        report.reasons = report.reasons_not_fetched(context, store, url)?;
        Ok(report)
    }

    fn reasons_not_fetched(
        &self,
        context: &CliContext,
        store: &Store,
        url: &CanonicalUrl,
    ) -> anyhow::Result<Vec<String>> {
        let (mut reasons, config, server) = (Vec::new(), &context.config.crawl, &self.server);
        if !self.met {
            reasons.push("It was not met yet: no page, sitemap or seed led to it.".to_owned());
        }
        if server.blocked {
            reasons.push("crawl.block_list or blocks.txt names its host.".to_owned());
        }
        let today = Day::from_unix_seconds(unix_now());
        if let Some(trap) = TrapRules::new(&context.config.traps).judge(url, today) {
            reasons.push(format!("It looks like a part of a trap: {trap}."));
        }
        match &server.robots {
            Some(robots) if !robots.allowed && robots.line > 0 => {
                reasons.push(format!("Line {} of robots.txt disallows it.", robots.line));
            }
            Some(robots) if !robots.allowed => {
                reasons.push(format!("robots.txt: goes by {}.", robots.basis));
                if let Some(since) = robots.failing_since.filter(|_| robots.attempts > 0) {
                    reasons.push(format!(
                        "robots.txt cannot be had since {}: {}: {}. It is asked for again at {}.",
                        format_time(since),
                        robots.kind,
                        robots.cause,
                        format_time(robots.due)
                    ));
                }
            }
            _ => {}
        }
        if let Some(until) = server.asleep_until {
            reasons.push(format!(
                "Its host is left alone until {}, because it did not answer, answered with errors or asked for a pause.",
                format_time(until)
            ));
            if let Some(FailureReport { at, url, kind, cause }) = server.failures.last() {
                reasons.push(format!(
                    "The last failure there, at {}: {url}: {kind}: {cause}.",
                    format_time(*at)
                ));
            }
        }
        reasons.extend(self.depth_or_budget(config.max_depth));
        match (&self.page, &self.queued) {
            (Some(PageReport { next_visit: Some(at), .. }), None) => {
                reasons.push(format!("Its next visit is due at {}.", format_time(*at)));
            }
            (None, None) if self.met && reasons.is_empty() => {
                reasons.push("It was discovered, but is neither queued nor visited: it was too deep, deferred or given up.".to_owned());
            }
            _ => {}
        }
        reasons.extend(self.off_seed_domains(context, store, url)?);
        reasons.extend(crawl::too_little_room(store, config).map(|disk| {
            format!(
                "No page is fetched now: {} bytes are free on the disk of {}, fewer than crawl.min_free_disk_bytes.",
                grouped(disk.free),
                disk.directory.display()
            )
        }));
        Ok(reasons)
    }

    /// The reason for a link outside the domains of the seeds, which `crawl.stay_on_seed_domains` excludes. Seeds
    /// from a file are not stored, so the visited domains represent them.
    fn off_seed_domains(
        &self,
        context: &CliContext,
        store: &Store,
        url: &CanonicalUrl,
    ) -> anyhow::Result<Option<String>> {
        if !context.config.crawl.stay_on_seed_domains || self.page.is_some() || self.queued.is_some() {
            return Ok(None);
        }
        let domain = context.suffixes.domain_of(url.host());
        let is_own =
            context.listed_seeds()?.0.iter().any(|seed| context.suffixes.domain_of(seed.host()) == domain);
        let is_on = is_own || store.visited_domains()?.contains(domain);
        Ok((!is_on).then(|| {
            format!("crawl.stay_on_seed_domains is on, and {domain} is no domain of a seed: links to it are not followed.")
        }))
    }

    /// The limit of depth or budget that the URL exceeds. Repeated visits do not count towards a budget.
    fn depth_or_budget(&self, max_depth: u16) -> Option<String> {
        let queued = self.queued.as_ref()?;
        let budget = &self.server.budget;
        if queued.depth > max_depth {
            return Some(format!(
                "It is {} links away from a seed, more than crawl.max_depth.",
                queued.depth
            ));
        }
        let is_new = self.page.is_none() && queued.place.is_some();
        if is_new && budget.pages >= budget.most {
            return Some(format!("Its host has used its budget of {} new pages.", budget.most));
        }
        (is_new && budget.domain_pages >= budget.domain_most)
            .then(|| format!("{} has used its budget of {} new pages.", budget.domain, budget.domain_most))
    }

    /// The report as text.
    fn to_text(&self) -> String {
        let mut text = self.url.clone();
        match &self.page {
            Some(page) => {
                let outcome = page.failure.map_or_else(|| format!("status {}", page.status), str::to_owned);
                text += &format!("\n  visited at {}: {outcome}", format_time(page.visited));
                if let Some(cut) = page.cut {
                    text += &format!("\n  the end of its body is missing ({cut})");
                }
                if let Some(flaw) = page.tls {
                    text += &format!("\n  the certificate of its server cannot be verified ({flaw})");
                }
            }
            None => text += "\n  never visited",
        }
        if let Some(cause) = &self.cause {
            text += &format!("\n  cause: {cause}");
        }
        if let Some(queued) = &self.queued {
            let role = match (queued.due, queued.place) {
                (Some(due), _) => format!("for another visit, due since {}", format_time(due)),
                (_, Some(place)) => format!("as a new page, priority {place}"),
                _ => format!("as a {}", queued.kind),
            };
            text += &format!(
                "\n  waits in its host's queue {role}, {} links away from a seed, {} failed attempts",
                queued.depth, queued.failed_attempts
            );
        }
        if let Some(robots) = self.server.robots.as_ref().filter(|robots| robots.allowed) {
            text += &match robots.line {
                0 => "\n  allowed: no line of robots.txt is about it".to_owned(),
                line => format!("\n  allowed by line {line} of robots.txt"),
            };
        }
        if self.reasons.is_empty() {
            return text + "\nIt is fetched when its turn comes.";
        }
        self.reasons.iter().fold(text, |text, reason| text + "\n" + reason)
    }
}

/// Why a URL has no good response: the cause of its page, or else the last failure that its host remembers.
fn find_cause(url: &CanonicalUrl, page: Option<&PageReport>, server: &ServerReport) -> Option<String> {
    if let Some(page) = page {
        let kind = page.failure.or(page.cut.map(|_| "cut"));
        let words = || kind.map_or(page.cause.clone(), |kind| format!("{kind}: {}", page.cause));
        return (!page.cause.is_empty()).then(words);
    }
    let failure = server.failures.iter().rfind(|failure| failure.url == url.as_str())?;
    Some(format!("{}: {}", failure.kind, failure.cause))
}

fn queue_report(entry: QueuedUrl) -> QueueReport {
    let (kind, due, place) = match entry.priority {
        Priority::Seed => ("seed", None, None),
        Priority::Sitemap => ("sitemap", None, None),
        Priority::Again(due) => ("again", Some(due.into()), None),
        Priority::New(place) => ("new", None, Some(place)),
    };
    QueueReport { kind, due, place, depth: entry.depth, failed_attempts: entry.attempts }
}

fn page_report(context: &CliContext, page: StoredPage) -> PageReport {
    let failure = FailureKind::from_number(page.last_failure);
    PageReport {
        visited: page.visited,
        status: page.status,
        failure: failure.map(|kind| kind.as_str()),
        cut: page.cut.map(Cut::as_str),
        tls: page.tls.map(TlsFlaw::as_str),
        cause: page.cause.clone(),
        depth: page.depth,
        next_visit: (page.next_visit > 0).then(|| crawl::next_visit(&context.config, &page, unix_now())),
    }
}
