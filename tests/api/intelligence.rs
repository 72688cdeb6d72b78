//! The endpoints beyond the contract, over HTTP, compared with a slow computation.

mod figures;
mod questions;
mod refused;
mod varied;
mod visits;
mod webs;

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::model::{FailureKind, StoredPage};
use backlinkd::store::Store;
use backlinkd::urls::{Scope, Suffixes, UrlRules};
use serde_json::{Value, json};

use super::client::{Client, encode};
use super::oracle::intelligence::{self as slow, Referrers, States};
use super::oracle::{self, incoming, source_domain};

/// The expected content of a served web, known independently of its answers.
pub struct Web<'a> {
    client: &'a Client,
    store: &'a Store,
    states: States,
    /// All pages that ever responded, as exported, with only the links that may lead a visitor onwards.
    pages: BTreeMap<String, Value>,
    referrers: Referrers,
}

/// The pages as the store has them.
fn stored_states(store: &Store) -> States {
    let names = |number: u8| FailureKind::ALL.into_iter().find(|kind| *kind as u8 == number);
    let snapshot = store.snapshot();
    let pages = snapshot.graph().map(|row| {
        let row = row.unwrap();
        let failure = names(row.page.last_failure).map_or("", FailureKind::as_str);
        (row.url.as_str().to_owned(), (u64::from(row.page.facts.status), failure))
    });
    pages.collect()
}

/// The registrable domains of all pages and of all their link targets.
fn domains(store: &Store) -> BTreeSet<String> {
    let (suffixes, snapshot) = (store.suffixes(), store.snapshot());
    let urls = snapshot.graph().flat_map(|row| {
        let row = row.unwrap();
        std::iter::once(row.url).chain(row.links.into_iter().map(|link| link.target)).collect::<Vec<_>>()
    });
    urls.map(|url| suffixes.domain_of(url.host()).to_owned()).collect()
}

impl<'a> Web<'a> {
    fn new(client: &'a Client, store: &'a Store) -> Self {
        Self::reading(client, store, |_| {})
    }

    /// Reads all pages; calls `shown` with each of them while it still has all its links.
    pub fn reading(client: &'a Client, store: &'a Store, mut shown: impl FnMut(&Value)) -> Self {
        let (mut pages, mut referrers) = (BTreeMap::new(), Referrers::new());
        for domain in domains(store) {
            for mut page in oracle::pages(client, &domain) {
                shown(&page);
                for kind in ["extL", "intL"] {
                    page[kind].as_array_mut().unwrap().retain(leads_on);
                }
                pages.insert(page["info"]["url"].as_str().unwrap().to_owned(), page);
            }
            let links = oracle::links(client, &domain);
            let sources = links.iter().map(|link| source_domain(store.suffixes(), link));
            referrers.insert(domain.clone(), sources.filter(|source| *source != domain).collect());
        }
        Self { client, store, states: stored_states(store), pages, referrers }
    }

    fn suffixes(&self) -> &Suffixes {
        self.store.suffixes()
    }

    /// All external links into a scope; lost ones with the day of their loss.
    fn exported(&self, scope: &str, more: &str) -> Vec<Value> {
        let target = format!("/exportbacklinks?url={}{more}&limit=10000", encode(scope));
        let mut rows = self.client.json(&target)["response"].as_array().unwrap().clone();
        assert!(rows.len() < 10_000);
        let kind = more.split('&').find_map(|pair| pair.strip_prefix("scope=")?.parse().ok());
        let parsed = Scope::parse(scope, kind, &UrlRules::default(), self.suffixes()).unwrap();
        let snapshot = self.store.snapshot();
        let stored = snapshot.backlinks(&parsed, None).map(|row| row.unwrap().value).filter(|link| {
            let foreign = self.suffixes().domain_of(link.source.host()) != parsed.domain(self.suffixes());
            foreign || !more.contains("internal=exclude")
        });
        let stored: Vec<_> = stored.collect();
        assert_eq!(stored.len(), rows.len(), "{scope}{more}");
        for (row, link) in rows.iter_mut().zip(stored) {
            let pair = (row["backlinkpage"].as_str(), row["linktarget"].as_str());
            assert_eq!(pair, (Some(link.source.as_str()), Some(link.target.as_str())));
            if row["active"] == false {
                row["lostDate"] = json!(link.absences.last().unwrap().lost.to_string());
                row["reason"] = json!(reason(&snapshot.page(&link.source).unwrap().unwrap()));
            }
        }
        rows
    }

    fn active(&self, scope: &str, more: &str) -> Vec<Value> {
        let mut rows = self.exported(scope, more);
        rows.retain(|row| row["active"] == true);
        rows
    }

    fn page_rank(&self, page: &str) -> Value {
        self.client.json(&format!("/sr?url={}", encode(page)))["response"][0]["sr"].clone()
    }

    fn domain_rank(&self, domain: &str) -> Value {
        self.client.json(&format!("/sr?url={domain}&scope=domain"))["response"][0]["sr"].clone()
    }

    /// The registrable domain that contains a scope.
    fn own_domain(&self, scope: &str) -> String {
        let parsed = Scope::parse(scope, None, &UrlRules::default(), self.suffixes()).unwrap();
        parsed.domain(self.suffixes()).to_owned()
    }

    fn chains(&self, url: &str) -> Vec<Value> {
        let chain = |url: &str| slow::chain(&self.pages, url, 20);
        if url.contains("://") {
            return chain(url);
        }
        let both = ["http", "https"].map(|scheme| format!("{scheme}://{url}"));
        let known: Vec<&String> = both.iter().filter(|url| self.pages.contains_key(*url)).collect();
        match known.as_slice() {
            [] => chain(&both[0]),
            known => known.iter().flat_map(|url| chain(url)).collect(),
        }
    }

    /// The whole answer of a list; its rows without the flags that exports do not have.
    fn ask(&self, target: &str) -> (Vec<Value>, Value) {
        let mut answer = self.client.json(&format!("{target}&limit=10000"));
        let mut rows = answer["response"].take().as_array().unwrap().clone();
        assert_eq!(answer["count"], rows.len(), "{target}");
        assert_eq!(answer["range"], json!({ "offset": 0, "limit": 10_000 }));
        for row in &mut rows {
            for flag in ["ugc", "sponsored"] {
                row.as_object_mut().unwrap().remove(flag);
            }
        }
        (rows, answer)
    }

    /// Compares the answer of a list over the index with rows in key order.
    fn agree(&self, target: &str, rows: Vec<Value>, order: &[&str], numbers: &[&str]) {
        let (found, answer) = self.ask(target);
        let expected = oracle::window(&oracle::ordered(rows, order), 0, 10_000, numbers);
        assert_eq!(found.len(), expected.len(), "{target}");
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "row {at} of {target}");
        }
        let is_made = ["/linkintersect", "/competitors", "/redirectchain"];
        let is_made = is_made.iter().any(|path| target.starts_with(path));
        assert_eq!(answer.get("exportFinished").is_some(), !is_made, "{target}");
    }

    /// Compares every answer about one scope; returns the number of its links, active and lost.
    pub fn agree_on_scope(&self, scope: &str, more: &str) -> usize {
        let numbers = &["nr", "dsCount"];
        let (all, active) = (self.exported(scope, more), self.active(scope, more));
        let about = format!("url={}{more}", encode(scope));
        let pages = slow::bestpages(&active, self.suffixes(), &self.states, |page| self.page_rank(page));
        self.agree(&format!("/bestpages?{about}"), pages, &["-refdoms", "-links"], &[]);
        let broken = slow::brokenbacklinks(&active, &self.states);
        self.agree(&format!("/brokenbacklinks?{about}"), broken, &["-sr"], numbers);
        let mut days: Vec<u32> =
            all.iter().map(|link| link["insDate"].as_str().unwrap().parse().unwrap()).collect();
        days.sort_unstable();
        days.dedup();
        let middle = days.get(days.len() / 2).copied().unwrap_or(20_240_301);
        for (from, to) in
            [(19_700_101, 21_000_101), (middle, middle), (middle, 21_000_101), (20_000_101, middle)]
        {
            let range = format!("{about}&from={from}&to={to}");
            let new = slow::newbacklinks(&all, from, to);
            self.agree(&format!("/newbacklinks?{range}"), new.clone(), &["-insDate"], numbers);
            for active in [true, false] {
                let part = new.iter().filter(|row| row["active"] == active).cloned().collect();
                self.agree(&format!("/newbacklinks?{range}&active={active}"), part, &["-insDate"], numbers);
            }
            let lost = slow::lostbacklinks(&all, from, to);
            self.agree_on_lost(&format!("/lostbacklinks?{range}"), lost);
        }
        let lost: Vec<Value> = all.iter().filter(|link| link["active"] == false).cloned().collect();
        for (activity, links) in [("", &active), ("&active=false", &lost), ("&active=all", &all)] {
            let links: Vec<Value> = links.iter().map(without_lost_date).collect();
            let rows = slow::strongest(&links, self.suffixes(), |_| true);
            let target = format!("/backlinks?{about}&group=domain{activity}");
            // The strongest links are in key order before they are sorted.
            self.agree(&target, in_order_of(rows, &links), &["-sr"], numbers);
        }
        for (activity, links) in [("", &active), ("&active=false", &lost), ("&active=all", &all)] {
            self.agree_on_referring_domains(&format!("{about}{activity}"), links);
        }
        all.len()
    }

    fn agree_on_referring_domains(&self, about: &str, links: &[Value]) {
        let rank = |domain: &str| self.domain_rank(domain);
        let mut rows = incoming::referring_domains(links, self.suffixes(), rank);
        self.agree(&format!("/referringdomains?{about}"), rows.clone(), &["-links"], &["dsCount"]);
        for row in &mut rows {
            row["refdoms"] = json!(self.referrers[row["domain"].as_str().unwrap()].len());
        }
        let target = format!("/referringdomains?{about}&details=true&order[]=-refdoms");
        self.agree(&target, rows, &["-refdoms"], &["dsCount"]);
    }

    fn agree_on_lost(&self, target: &str, rows: Vec<Value>) {
        self.agree(target, rows, &["-lostDate"], &["nr", "dsCount"]);
    }

    pub fn agree_on_intersection(&self, targets: &[&str], exclude: &[&str], more: &str) -> usize {
        let links = |scopes: &[&str]| -> Vec<Vec<Value>> {
            scopes.iter().map(|scope| self.active(scope, more)).collect()
        };
        let rank = |domain: &str| self.domain_rank(domain);
        let (linked, excluded) = (links(targets), links(exclude));
        let mut count = 0;
        for at_least in 1..=targets.len() {
            let rows = slow::linkintersect(&linked, at_least, &excluded, self.suffixes(), rank);
            count = rows.len();
            let target = format!("{}&atLeast={at_least}", intersection(targets, exclude, more));
            self.agree(&target, rows.clone(), &["-links"], &[]);
            if at_least == targets.len() {
                self.agree(&intersection(targets, exclude, more), rows, &["-links"], &[]);
            }
        }
        count
    }

    fn competitors(&self, scope: &str, more: &str) -> Vec<Value> {
        let rank = |domain: &str| self.domain_rank(domain);
        let (links, own) = (self.active(scope, more), self.own_domain(scope));
        slow::competitors(&links, &own, &self.referrers, self.suffixes(), rank)
    }

    pub fn agree_on_competitors(&self, scope: &str, more: &str) {
        let target = format!("/competitors?url={}{more}", encode(scope));
        self.agree(&target, self.competitors(scope, more), &["-common"], &[]);
    }

    pub fn agree_on_chain(&self, url: &str) -> Vec<Value> {
        let rows = self.chains(url);
        self.agree(&format!("/redirectchain?url={}", encode(url)), rows.clone(), &[], &[]);
        rows
    }
}

/// Why the links that a page had are not there, from its stored facts.
fn reason(page: &StoredPage) -> &'static str {
    let StoredPage { facts, failures, last_failure, .. } = page;
    let is_challenge = *last_failure == FailureKind::Challenge.code();
    match (facts.html, is_challenge, facts.status) {
        (true, ..) => "removed",
        (_, true, _) => "",
        (_, _, 404 | 410) => "gone",
        (_, _, 301..=303 | 307 | 308) => "redirected",
        (_, _, 200) if *failures == 0 || (*failures == 1 && *last_failure != 0) => "not-html",
        _ => "",
    }
}

fn intersection(targets: &[&str], exclude: &[&str], more: &str) -> String {
    let list = |name: &str, scopes: &[&str]| -> String {
        scopes.iter().map(|scope| format!("&{name}[]={}", encode(scope))).collect()
    };
    format!("/linkintersect?{}{}{more}", list("targets", targets), list("exclude", exclude))
}

/// Whether a link is a redirect, of any kind.
fn leads_on(link: &Value) -> bool {
    let tag = link["tag"].as_str().unwrap();
    tag == "refresh" || tag.parse::<u16>().is_ok()
}

fn without_lost_date(link: &Value) -> Value {
    let mut link = link.as_object().unwrap().clone();
    for key in ["lostDate", "reason"] {
        link.remove(key);
    }
    Value::Object(link)
}

/// Rows in the order of their links.
fn in_order_of(mut rows: Vec<Value>, links: &[Value]) -> Vec<Value> {
    let place = |row: &Value| {
        let same = |link: &Value| {
            let keys = ["backlinkpage", "linktarget", "pos", "active", "insDate"];
            keys.iter().all(|key| link[*key] == row[*key])
        };
        links.iter().position(same).unwrap()
    };
    rows.sort_by_key(|row| place(row));
    rows
}
