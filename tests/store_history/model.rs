//! The model: every page with its links and its remembered former links, in plain lists; every answer is computed from
//! them.
//!
//! It shares no code with the store, whose records it rebuilds field by field, so that a mistake there shows here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use backlinkd::model::{
    Absence, BacklinkRecord, Day, FailureKind, Link, LinkTag, OutlinkRecord, PageContent, StoredPage, Visit,
    VisitRecord,
};
use backlinkd::store::{HostPair, PairCounts, Stats};
use backlinkd::urls::{CanonicalUrl, Scope, Suffixes, Surt, host_prefix};

use super::{ABSENCES, FORMER};

pub struct Model {
    suffixes: Arc<Suffixes>,
    /// In key order.
    pages: BTreeMap<Surt, Known>,
}

#[derive(Clone)]
struct Known {
    url: CanonicalUrl,
    page: StoredPage,
    settled: bool,
    active: Vec<OutlinkRecord>,
    /// The most recently lost link comes first.
    lost: Vec<OutlinkRecord>,
}

impl Model {
    pub fn new(suffixes: Arc<Suffixes>) -> Self {
        Self { suffixes, pages: BTreeMap::new() }
    }

    pub fn visit(&mut self, record: &VisitRecord) {
        let day = Day((record.visited / 86_400) as u32);
        let key = Surt::from(&record.url);
        if matches!(record.visit, Visit::NotModified)
            && !self.pages.get(&key).is_some_and(|known| known.settled)
        {
            return;
        }
        let known = self.pages.entry(key).or_insert_with(|| Known {
            url: record.url.clone(),
            page: StoredPage { first_day: day, ..StoredPage::default() },
            settled: false,
            active: Vec::new(),
            lost: Vec::new(),
        });
        match &record.visit {
            Visit::Failed(kind, cause) => {
                known.page.cause.clone_from(cause);
                known.page.failures += 1;
                known.page.last_failure = *kind as u8;
            }
            Visit::NotModified => {
                known.renewed(day);
                known.page.cause.clear();
            }
            Visit::Responded(content)
                if content.challenge
                    || matches!(content.facts.status, 204 | 206 | 304 | 403 | 429 | 500 | 503) =>
            {
                let failures = known.page.failures + 1;
                if known.settled {
                    known.page.facts.status = content.facts.status;
                } else {
                    known.take_page(content);
                    known.page.facts.html = false;
                }
                known.page.failures = failures;
                known.page.last_failure = if content.challenge { FailureKind::Challenge as u8 } else { 0 };
                known.page.cause.clone_from(&content.cause);
            }
            Visit::Responded(content) => {
                known.settled = true;
                let before = known.page.clone();
                known.take_page(content);
                let gone = matches!(content.facts.status, 404 | 410);
                // Neither a redirect nor a status of a vanished page has an end that could be missing.
                let cut = content.facts.cut.is_some() && content.facts.status < 300;
                if cut && before.fetched_day != Day::default() {
                    known.keep_what_is_not_said(&before);
                }
                known.take_links(if gone { &[] } else { &content.links }, day, cut);
                known.renewed(day);
            }
        }
        known.page.visited = record.visited;
        let external = known.active.iter().filter(|link| link.external).count();
        known.page.ext_links = external as u32;
        known.page.int_links = (known.active.len() - external) as u32;
    }

    pub fn page(&self, url: &CanonicalUrl) -> Option<StoredPage> {
        self.pages.get(&Surt::from(url)).map(|known| known.page.clone())
    }

    pub fn outlinks(&self, url: &CanonicalUrl) -> Vec<OutlinkRecord> {
        self.pages.get(&Surt::from(url)).map_or_else(Vec::new, |known| known.links().cloned().collect())
    }

    pub fn graph(&self) -> Vec<(CanonicalUrl, StoredPage, Vec<OutlinkRecord>)> {
        let row = |known: &Known| (known.url.clone(), known.page.clone(), known.active.clone());
        self.pages.values().map(row).collect()
    }

    pub fn stats(&self) -> Stats {
        let pages = || self.pages.values();
        let hosts: BTreeSet<&str> = pages().map(|known| known.url.host()).collect();
        let domains: BTreeSet<&str> = hosts.iter().map(|host| self.suffixes.domain_of(host)).collect();
        Stats {
            visited: self.pages.len() as u64,
            html_pages: pages().filter(|known| known.page.facts.html).count() as u64,
            links: pages().map(|known| known.active.len() as u64).sum(),
            backlinks: pages().map(|known| u64::from(known.page.ext_links)).sum(),
            lost_links: pages().map(|known| known.lost.len() as u64).sum(),
            hosts: hosts.len() as u64,
            domains: domains.len() as u64,
            queued: 0,
            disk_bytes: 0,
        }
    }

    pub fn pages(&self, scope: &Scope) -> Vec<(CanonicalUrl, StoredPage)> {
        let selected = self.pages.values().filter(|known| self.selects(scope, &known.url));
        selected.map(|known| (known.url.clone(), known.page.clone())).collect()
    }

    pub fn backlinks(&self, scope: &Scope) -> Vec<BacklinkRecord> {
        let mut rows: Vec<BacklinkRecord> =
            self.pages.values().flat_map(|known| self.backlinks_of(known)).collect();
        rows.retain(|row| self.selects(scope, &row.target));
        rows.sort_by_key(|row| (Surt::from(&row.target), Surt::from(&row.source), row.seq));
        rows
    }

    fn backlinks_of<'a>(&'a self, known: &'a Known) -> impl Iterator<Item = BacklinkRecord> + 'a {
        let domain = |link: &OutlinkRecord| self.suffixes.domain_of(link.target.host()).to_owned();
        known.links().filter(|link| link.external).map(move |link| {
            let alike = known.active.iter().filter(|other| other.external && domain(other) == domain(link));
            BacklinkRecord {
                source: known.url.clone(),
                target: link.target.clone(),
                seq: link.seq,
                pos: link.pos,
                tag: link.tag,
                rel: link.rel,
                anchor: link.anchor.clone(),
                first_day: link.first_day,
                absences: link.absences.clone(),
                blpcount: alike.count() as u32,
                page: known.page.source(),
            }
        })
    }

    /// Counted from the active backlinks, whatever the ports of source and target.
    pub fn host_pairs(&self, scope: &Scope) -> Vec<HostPair> {
        if matches!(scope, Scope::Url { .. } | Scope::Host { port: Some(_), .. } | Scope::Prefix { .. }) {
            return Vec::new();
        }
        let mut pairs: BTreeMap<(Vec<u8>, Vec<u8>), HostPair> = BTreeMap::new();
        for row in self.backlinks(scope).into_iter().filter(BacklinkRecord::is_active) {
            let (target, source) = (row.target.host(), row.source.host());
            let pair = pairs.entry((host_prefix(target), host_prefix(source))).or_insert_with(|| HostPair {
                target_host: target.to_owned(),
                source_host: source.to_owned(),
                counts: PairCounts::default(),
            });
            pair.counts.links += 1;
            pair.counts.nofollow += u64::from(row.rel.bits() != 0);
            pair.counts.text += u64::from(row.tag == LinkTag::A);
            pair.counts.image += u64::from(matches!(row.tag, LinkTag::Aimg | LinkTag::Area));
            pair.counts.home +=
                u64::from(row.target.as_str().ends_with(&format!("{}/", row.target.authority())));
        }
        pairs.into_values().collect()
    }

    /// Counted from the source pages' own links.
    pub fn referrals(&self, domain: &str) -> Vec<(String, u64)> {
        let mut counts: BTreeMap<(Vec<u8>, Vec<u8>), (String, u64)> = BTreeMap::new();
        for known in self.pages.values().filter(|known| self.suffixes.domain_of(known.url.host()) == domain) {
            for link in known.active.iter().filter(|link| link.external) {
                let (source, target) = (known.url.host(), link.target.host());
                let count = counts.entry((host_prefix(source), host_prefix(target)));
                count.or_insert_with(|| (target.to_owned(), 0)).1 += 1;
            }
        }
        counts.into_values().collect()
    }

    fn selects(&self, scope: &Scope, url: &CanonicalUrl) -> bool {
        match scope {
            Scope::Url { url: one, https_url } => url == one || https_url.as_ref() == Some(url),
            Scope::Host { host, port } => url.host() == host && (port.is_none() || *port == url.port()),
            Scope::Domain { domain } => self.suffixes.domain_of(url.host()) == domain,
            Scope::Prefix { host, port, path } => {
                // The path and everything after it, without the rule of the program.
                let (path, full) = (path.as_str(), url.path_and_query());
                let below = if path.ends_with('/') {
                    full.starts_with(path)
                } else {
                    full.split('?').next() == Some(path) || full.starts_with(&format!("{path}/"))
                };
                url.host() == host && (port.is_none() || *port == url.port()) && below
            }
        }
    }
}

impl Known {
    fn links(&self) -> impl Iterator<Item = &OutlinkRecord> {
        self.active.iter().chain(&self.lost)
    }

    fn renewed(&mut self, day: Day) {
        self.page.fetched_day = day;
        self.page.failures = 0;
        self.page.last_failure = 0;
    }

    fn keep_what_is_not_said(&mut self, before: &StoredPage) {
        let page = &mut self.page;
        for (now, before) in [
            (&mut page.facts.title, &before.facts.title),
            (&mut page.facts.description, &before.facts.description),
        ] {
            if now.is_empty() {
                now.clone_from(before);
            }
        }
        page.facts.canonical = page.facts.canonical.take().or_else(|| before.facts.canonical.clone());
    }

    fn take_page(&mut self, content: &PageContent) {
        let content = content.clone();
        self.page = StoredPage { facts: content.facts, cause: content.cause, ..self.page.clone() };
    }

    /// Target by target. Kept links are matched first among links of equal tag and text, then among any. The remembered
    /// lost links follow the active ones.
    fn take_links(&mut self, links: &[Link], day: Day, cut: bool) {
        let before = self.active.len();
        let targets: BTreeSet<&CanonicalUrl> = links.iter().map(|link| &link.target).collect();
        let mut now: Vec<Option<OutlinkRecord>> = vec![None; links.len()];
        for target in targets {
            let numbers = self.links().filter(|link| link.target == *target).map(|link| link.seq + 1);
            let mut ever = numbers.max().unwrap_or(0);
            let mut open: Vec<usize> = (0..links.len()).filter(|&at| links[at].target == *target).collect();
            for pool in [&mut self.active, &mut self.lost] {
                for equal in [true, false] {
                    open.retain(|&at| {
                        let fits = |known: &OutlinkRecord| {
                            known.target == *target
                                && (!equal
                                    || (known.tag, &known.anchor) == (links[at].tag, &links[at].anchor))
                        };
                        let found = pool.iter().position(fits).map(|place| pool.remove(place));
                        now[at] = found;
                        now[at].is_none()
                    });
                }
            }
            for at in open {
                now[at] = Some(new_link(&self.url, target, ever, day));
                ever += 1;
            }
        }
        let mut gone = std::mem::take(&mut self.active);
        // In a cut page, the content after the last previously known link is unknown.
        let known_until = now.iter().flatten().filter(|link| link.is_active()).map(|link| link.pos).max();
        let mut unsettled = Vec::new();
        if cut {
            let place =
                gone.iter().position(|link| link.pos > known_until.unwrap_or(0)).unwrap_or(gone.len());
            unsettled = gone.split_off(place);
            let most = FORMER.max(before.saturating_sub(links.len()));
            gone.extend(unsettled.split_off(unsettled.len().min(most)));
        }
        for link in &mut gone {
            link.absences.push(Absence { lost: day, back: None });
            if link.absences.len() > ABSENCES {
                let oldest = link.absences.remove(0);
                link.absences[0].lost = oldest.lost;
            }
        }
        self.lost.splice(0..0, gone);
        self.lost.truncate(FORMER);
        for (at, (known, link)) in now.into_iter().zip(links).enumerate() {
            let mut known = known.unwrap();
            known.pos = at as u32 + 1;
            (known.tag, known.rel, known.anchor) = (link.tag, link.rel, link.anchor.clone());
            if let Some(Absence { lost, back: None }) = known.absences.last().copied() {
                known.absences.pop();
                if lost != day {
                    known.absences.push(Absence { lost, back: Some(day) });
                }
            }
            self.active.push(known);
        }
        for mut link in unsettled {
            link.pos = self.active.len() as u32 + 1;
            self.active.push(link);
        }
    }
}

fn new_link(page: &CanonicalUrl, target: &CanonicalUrl, seq: u32, day: Day) -> OutlinkRecord {
    let bare = |url: &CanonicalUrl| {
        let host = url.host();
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    };
    OutlinkRecord {
        target: target.clone(),
        seq,
        pos: 0,
        tag: LinkTag::A,
        rel: backlinkd::model::Rel::NONE,
        anchor: String::new(),
        external: bare(page) != bare(target),
        first_day: day,
        absences: Vec::new(),
    }
}
