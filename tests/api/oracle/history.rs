//! The history of links day by day, from the stored visits.
//!
//! Visits must be in chronological order, have status 200, 301 or 404, and contain no target twice on one page. A page
//! and a target then identify a link.

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::model::{Day, Visit, VisitRecord};
use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

/// A link's presence: the day it appeared and the day it was lost, if it was. A link has at least one presence.
type Stays = Vec<(u32, Option<u32>)>;

/// Every link that ever existed.
pub struct History {
    /// By source domain and target host.
    links: Vec<(String, String, Stays)>,
}

impl History {
    pub fn of(records: &[VisitRecord], suffixes: &Suffixes) -> Self {
        let mut links: BTreeMap<(String, String), Stays> = BTreeMap::new();
        for record in records {
            let Visit::Responded(content) = &record.visit else { panic!("a visit without an answer") };
            let today = Day::from_unix_seconds(record.visited).as_number();
            let page = record.url.as_str().to_owned();
            let there: BTreeSet<&str> = content.links.iter().map(|link| link.target.as_str()).collect();
            assert_eq!(there.len(), content.links.len(), "a target is named twice");
            for target in &there {
                let stays = links.entry((page.clone(), (*target).to_owned())).or_default();
                match stays.last_mut() {
                    // A link that is lost and returns within a day has no absence.
                    Some((_, gone)) if *gone == Some(today) => *gone = None,
                    Some((_, None)) => {}
                    _ => stays.push((today, None)),
                }
            }
            for ((source, target), stays) in &mut links {
                if *source == page && !there.contains(target.as_str()) {
                    let gone = &mut stays.last_mut().unwrap().1;
                    *gone = gone.or(Some(today));
                }
            }
        }
        let host = |address: &str| url::Url::parse(address).unwrap().host_str().unwrap().to_owned();
        let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
        let links = links.into_iter().map(|((page, target), stays)| (host(&page), host(&target), stays));
        let external = links.filter(|(source, target, _)| bare(source) != bare(target));
        let by_domain =
            external.map(|(source, target, stays)| (suffixes.domain_of(&source).to_owned(), target, stays));
        Self { links: by_domain.collect() }
    }

    /// Rows of `/backlinks-histogram` and of `/newandlost-histogram` for the hosts of the scope.
    pub fn rows(&self, holds: impl Fn(&str) -> bool) -> (Vec<Value>, Vec<Value>) {
        let links: Vec<(&str, &Stays)> = self
            .links
            .iter()
            .filter(|(_, target, _)| holds(target))
            .map(|(domain, _, stays)| (domain.as_str(), stays))
            .collect();
        let stays = || links.iter().flat_map(|(domain, stays)| stays.iter().map(|stay| (*domain, *stay)));
        let days: BTreeSet<u32> =
            stays().flat_map(|(_, (came, went))| [Some(came), went]).flatten().collect();
        let (mut seen_rows, mut change_rows) = (Vec::new(), Vec::new());
        for day in days {
            let first: Vec<&str> =
                links.iter().filter(|(_, stays)| stays[0].0 == day).map(|(domain, _)| *domain).collect();
            let active = |at_end: bool| -> Vec<&str> {
                let before = |other: u32| if at_end { other <= day } else { other < day };
                let is_there = |(came, went): (u32, Option<u32>)| before(came) && !went.is_some_and(before);
                stays().filter(|(_, stay)| is_there(*stay)).map(|(domain, _)| domain).collect()
            };
            let came: Vec<&str> =
                stays().filter(|(_, stay)| stay.0 == day).map(|(domain, _)| domain).collect();
            let went: Vec<&str> =
                stays().filter(|(_, stay)| stay.1 == Some(day)).map(|(domain, _)| domain).collect();
            let (before, after) = (distinct(&active(false)), distinct(&active(true)));
            if !first.is_empty() {
                seen_rows.push(json!({
                    "date": day, "urls": first.len(), "domains": distinct(&first).len(),
                    "totalUrls": active(true).len(), "totalDomains": after.len(),
                }));
            }
            change_rows.push(json!({
                "date": day,
                "urls": { "new": came.len(), "lost": went.len() },
                "domains": {
                    "new": distinct(&came).difference(&before).count(),
                    "lost": distinct(&went).difference(&after).count(),
                },
            }));
        }
        (seen_rows, change_rows)
    }

    /// Rows of `/history` for the hosts of the scope. A step is its first and its last day.
    pub fn steps(&self, holds: impl Fn(&str) -> bool, steps: &[(u32, u32)]) -> Vec<Value> {
        let (seen, changes) = self.rows(&holds);
        let sum = |rows: &[Value], (first, last): (u32, u32), path: &str| -> u64 {
            let within = rows
                .iter()
                .filter(|row| (u64::from(first)..=u64::from(last)).contains(&row["date"].as_u64().unwrap()));
            within.map(|row| row.pointer(path).unwrap().as_u64().unwrap()).sum()
        };
        let row = |&step: &(u32, u32)| {
            let last = step.1;
            let links = self.links.iter().filter(|(_, target, _)| holds(target));
            let active: Vec<&str> = links
                .flat_map(|(domain, _, stays)| stays.iter().map(move |stay| (domain.as_str(), stay)))
                .filter(|(_, (came, went))| *came <= last && !went.is_some_and(|went| went <= last))
                .map(|(domain, _)| domain)
                .collect();
            json!({
                "date": step.0,
                "backlinks": active.len(),
                "refdoms": distinct(&active).len(),
                "newBacklinks": sum(&changes, step, "/urls/new"),
                "lostBacklinks": sum(&changes, step, "/urls/lost"),
                "newRefdoms": sum(&changes, step, "/domains/new"),
                "lostRefdoms": sum(&changes, step, "/domains/lost"),
                "firstSeen": sum(&seen, step, "/urls"),
            })
        };
        steps.iter().map(row).collect()
    }

    /// Day, domain and number of links of each domain that is new, or lost, for the hosts of the scope; by domain and
    /// day.
    pub fn domain_changes(&self, holds: impl Fn(&str) -> bool, is_lost: bool) -> Vec<(u32, String, usize)> {
        let mut of_domains: BTreeMap<&str, Vec<(u32, Option<u32>)>> = BTreeMap::new();
        for (domain, target, stays) in &self.links {
            if holds(target) {
                of_domains.entry(domain).or_default().extend(stays);
            }
        }
        let mut changes = Vec::new();
        for (domain, stays) in of_domains {
            let days: BTreeSet<u32> =
                stays.iter().flat_map(|(came, went)| [Some(*came), *went]).flatten().collect();
            for day in days {
                let there = |at_end: bool| {
                    let passed = |other: u32| if at_end { other <= day } else { other < day };
                    stays.iter().any(|(came, went)| passed(*came) && !went.is_some_and(passed))
                };
                let links = stays
                    .iter()
                    .filter(|(came, went)| if is_lost { *went == Some(day) } else { *came == day })
                    .count();
                if links > 0 && !there(is_lost) {
                    changes.push((day, domain.to_owned(), links));
                }
            }
        }
        changes
    }
}

fn distinct<'a>(domains: &[&'a str]) -> BTreeSet<&'a str> {
    domains.iter().copied().collect()
}
