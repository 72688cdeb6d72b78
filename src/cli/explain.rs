//! `backlinkd explain`: what is known of a URL, and why it is not fetched. Also while a daemon runs.

use std::sync::Arc;

use serde::Serialize;

use super::numbers::grouped;
use super::standing::{Failure, Server, time, unix_now};
use super::{Ending, Setting};
use crate::crawl;
use crate::frontier::{Priority, QueuedUrl, TrapRules};
use crate::model::{Cut, Day, FailureKind, StoredPage, TlsFlaw};
use crate::store::Store;
use crate::urls::CanonicalUrl;

/// Times are Unix seconds.
#[derive(Debug, Serialize)]
struct Explained {
    url: String,
    /// Whether it was ever met, on a page, in a sitemap or as a seed.
    met: bool,
    /// `null`: it was never visited.
    page: Option<Page>,
    /// `null`: it does not wait in its host's queue.
    queued: Option<Queued>,
    /// Why the last request for it failed, or what of its answer is missing; `null`: neither is known.
    cause: Option<String>,
    server: Server,
    /// Why it is not fetched now, in sentences; none: it is fetched when its turn comes.
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Page {
    visited: u64,
    /// HTTP status of the last answer; 0 when there was none.
    status: u16,
    /// Why the last visit failed, in a word; `null` when it did not.
    failure: Option<&'static str>,
    /// Why the end of its body is missing, in a word; `null` when it is whole.
    cut: Option<&'static str>,
    /// What is wrong with the server's certificate, in a word; `null` when nothing is.
    tls: Option<&'static str>,
    /// Why it failed, or what of the answer is missing, in words; empty when all went well.
    cause: String,
    depth: u16,
    next_visit: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Queued {
    /// As what: `seed`, `sitemap`, `again` or `new`.
    kind: &'static str,
    /// Since when it has been due, when it is visited again.
    due: Option<u64>,
    /// A new page's place among those of its host: the lower, the sooner.
    place: Option<u16>,
    /// Links away from a seed.
    depth: u16,
    failed_attempts: u32,
}

pub(super) fn explain(setting: &Setting, word: &str, json: bool) -> anyhow::Result<Ending> {
    let url = setting.rules.typed(word)?;
    let explained = Explained::of(setting, &setting.open_beside()?, &url)?;
    if json {
        setting.console.answer(serde_json::to_string(&explained)?)?;
    } else {
        setting.console.answer(explained.text())?;
    }
    Ok(Ending::Good)
}

impl Explained {
    fn of(setting: &Setting, store: &Arc<Store>, url: &CanonicalUrl) -> anyhow::Result<Self> {
        let page = store.page(url)?.map(|stored| page(setting, stored));
        let queued = store.entry_of(url)?.map(queued);
        let met = page.is_some() || queued.is_some() || store.was_met(url)?;
        let server = Server::of(setting, store, url)?;
        let cause = cause(url, page.as_ref(), &server);
        let (url_text, reasons) = (url.to_string(), Vec::new());
        let mut explained = Self { url: url_text, met, page, queued, cause, server, reasons };
        explained.reasons = explained.why_not(setting, store, url)?;
        Ok(explained)
    }

    fn why_not(&self, setting: &Setting, store: &Store, url: &CanonicalUrl) -> anyhow::Result<Vec<String>> {
        let (mut reasons, config, server) = (Vec::new(), &setting.config.crawl, &self.server);
        if !self.met {
            reasons.push("It was not met yet: no page, sitemap or seed led to it.".to_owned());
        }
        if server.blocked {
            reasons.push("crawl.block_list or blocks.txt names its host.".to_owned());
        }
        let today = Day::from_unix_seconds(unix_now());
        if let Some(trap) = TrapRules::new(&setting.config.traps).judge(url, today) {
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
                        time(since),
                        robots.kind,
                        robots.cause,
                        time(robots.due)
                    ));
                }
            }
            _ => {}
        }
        if let Some(until) = server.asleep_until {
            reasons.push(format!(
                "Its host is left alone until {}, because it did not answer, answered with errors or asked for a pause.",
                time(until)
            ));
            if let Some(Failure { at, url, kind, cause }) = server.failures.last() {
                reasons.push(format!("The last failure there, at {}: {url}: {kind}: {cause}.", time(*at)));
            }
        }
        reasons.extend(self.depth_or_budget(config.max_depth));
        match (&self.page, &self.queued) {
            (Some(Page { next_visit: Some(at), .. }), None) => {
                reasons.push(format!("Its next visit is due at {}.", time(*at)));
            }
            (None, None) if self.met && reasons.is_empty() => {
                reasons.push("It was met, and neither waits in a queue nor was visited: it was too deep, put off or given up.".to_owned());
            }
            _ => {}
        }
        reasons.extend(self.off_the_seeds(setting, store, url)?);
        reasons.extend(crawl::too_little_room(store, config).map(|disk| {
            format!(
                "No page is fetched now: {} bytes are free on the disk of {}, fewer than crawl.min_free_disk_bytes.",
                grouped(disk.free),
                disk.directory.display()
            )
        }));
        Ok(reasons)
    }

    /// Links to other domains than the seeds' are not followed where `crawl.stay_on_seed_domains` says so. Which seeds
    /// a crawl was given besides the index's own is told by the domains that it visited.
    fn off_the_seeds(
        &self,
        setting: &Setting,
        store: &Store,
        url: &CanonicalUrl,
    ) -> anyhow::Result<Option<String>> {
        if !setting.config.crawl.stay_on_seed_domains || self.page.is_some() || self.queued.is_some() {
            return Ok(None);
        }
        let domain = setting.suffixes.domain_of(url.host());
        let is_own =
            setting.own_seeds()?.0.iter().any(|seed| setting.suffixes.domain_of(seed.host()) == domain);
        let is_on = is_own || store.visited_domains()?.contains(domain);
        Ok((!is_on).then(|| {
            format!("crawl.stay_on_seed_domains is on, and {domain} is no domain of a seed: links to it are not followed.")
        }))
    }

    /// Pages that are visited again count towards no budget.
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
            return Some(format!("Its host has had its budget of {} new pages.", budget.most));
        }
        (is_new && budget.domain_pages >= budget.domain_most)
            .then(|| format!("{} has had its budget of {} new pages.", budget.domain, budget.domain_most))
    }

    /// For people.
    fn text(&self) -> String {
        let mut text = self.url.clone();
        match &self.page {
            Some(page) => {
                let outcome = page.failure.map_or_else(|| format!("status {}", page.status), str::to_owned);
                text += &format!("\n  visited at {}: {outcome}", time(page.visited));
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
                (Some(due), _) => format!("for another visit, due since {}", time(due)),
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

/// What is known of why a URL has no good answer: by its page, else by what its host remembers.
fn cause(url: &CanonicalUrl, page: Option<&Page>, server: &Server) -> Option<String> {
    if let Some(page) = page {
        let kind = page.failure.or(page.cut.map(|_| "cut"));
        let words = || kind.map_or(page.cause.clone(), |kind| format!("{kind}: {}", page.cause));
        return (!page.cause.is_empty()).then(words);
    }
    let failure = server.failures.iter().rfind(|failure| failure.url == url.as_str())?;
    Some(format!("{}: {}", failure.kind, failure.cause))
}

fn queued(entry: QueuedUrl) -> Queued {
    let (kind, due, place) = match entry.priority {
        Priority::Seed => ("seed", None, None),
        Priority::Sitemap => ("sitemap", None, None),
        Priority::Again(due) => ("again", Some(due.into()), None),
        Priority::New(place) => ("new", None, Some(place)),
    };
    Queued { kind, due, place, depth: entry.depth, failed_attempts: entry.attempts }
}

fn page(setting: &Setting, page: StoredPage) -> Page {
    let failure = FailureKind::from_number(page.last_failure);
    Page {
        visited: page.visited,
        status: page.status,
        failure: failure.map(|kind| kind.as_str()),
        cut: page.cut.map(Cut::as_str),
        tls: page.tls.map(TlsFlaw::as_str),
        cause: page.cause.clone(),
        depth: page.depth,
        next_visit: (page.next_visit > 0).then(|| crawl::next_visit(&setting.config, &page, unix_now())),
    }
}
