//! Answers of the endpoints beyond the contract, from exported links and pages and from the state of pages at their
//! last visit.

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::{by, incoming, source_domain, text};

/// The state of every visited page: its last status, 0 for none, and the name of the failure since, "" for none.
pub type States = BTreeMap<String, (u64, &'static str)>;

/// Rows of `/bestpages`, by page. `rank` returns the ranks of pages.
pub fn bestpages(
    links: &[Value],
    suffixes: &Suffixes,
    states: &States,
    rank: impl Fn(&str) -> Value,
) -> Vec<Value> {
    let rows = by(links, |link| text(link, "linktarget").to_owned()).into_iter().map(|(page, group)| {
        let domains: BTreeSet<String> = group.iter().map(|link| source_domain(suffixes, link)).collect();
        let code = states.get(&page).map_or(0, |(status, _)| *status);
        json!({ "page": page, "refdoms": domains.len(), "links": group.len(), "sr": rank(&page), "code": code })
    });
    rows.collect()
}

/// Rows of `/brokenbacklinks` without their numbers, in key order.
pub fn brokenbacklinks(links: &[Value], states: &States) -> Vec<Value> {
    let broken = |mut row: Value| {
        let (status, failure) = states.get(text(&row, "linktarget"))?;
        let (code, is_broken) = match *failure {
            "" => (*status, *status >= 400),
            // Readers reach the page; the challenge stops only programs.
            "challenge" => (0, false),
            _ => (0, true),
        };
        row["code"] = json!(code);
        row["failure"] = json!(failure);
        is_broken.then_some(row)
    };
    incoming::backlinks(links).into_iter().filter_map(broken).collect()
}

/// Rows of `/newbacklinks` without their numbers, from active and lost links, in key order.
pub fn newbacklinks(links: &[Value], from: u32, to: u32) -> Vec<Value> {
    let mut rows = incoming::backlinks(links);
    for row in &mut rows {
        for key in ["lostDate", "reason"] {
            row.as_object_mut().unwrap().remove(key);
        }
    }
    within(rows, "insDate", from, to)
}

/// Rows of `/lostbacklinks` without their numbers, from links with a `lostDate`, in key order.
pub fn lostbacklinks(links: &[Value], from: u32, to: u32) -> Vec<Value> {
    let mut lost = incoming::backlinks(links);
    lost.retain(|link| link["active"] == false);
    within(lost, "lostDate", from, to)
}

fn within(mut rows: Vec<Value>, date: &str, from: u32, to: u32) -> Vec<Value> {
    rows.retain(|row| (from..=to).contains(&text(row, date).parse().unwrap()));
    rows
}

/// Rows of `/backlinks?group=domain` without their numbers, in key order, from the links of the scope. Only links that
/// pass the filter can represent their domain.
pub fn strongest(links: &[Value], suffixes: &Suffixes, passes: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for link in links {
        *counts.entry(source_domain(suffixes, link)).or_default() += 1;
    }
    let rows = incoming::backlinks(links).into_iter().map(|mut row| {
        let domain = source_domain(suffixes, &row);
        row["domainLinks"] = json!(counts[&domain]);
        row["domain"] = json!(domain);
        row
    });
    let mut best: Vec<Value> = Vec::new();
    for row in rows.filter(|row| passes(row)) {
        match best.iter().position(|other| other["domain"] == row["domain"]) {
            Some(at) if best[at]["sr"].as_f64() >= row["sr"].as_f64() => {}
            Some(at) => {
                best.remove(at);
                best.push(row);
            }
            None => best.push(row),
        }
    }
    best
}

/// Rows of `/linkintersect`, by domain, from the links of each target and of each exclusion. A domain must link to at
/// least so many of the targets.
pub fn linkintersect(
    targets: &[Vec<Value>],
    at_least: usize,
    exclude: &[Vec<Value>],
    suffixes: &Suffixes,
    rank: impl Fn(&str) -> Value,
) -> Vec<Value> {
    let domains = |links: &[Value]| -> BTreeSet<String> {
        links.iter().map(|link| source_domain(suffixes, link)).collect()
    };
    let of_each: Vec<BTreeSet<String>> = targets.iter().map(|links| domains(links)).collect();
    let mut found: BTreeSet<String> = of_each.iter().flatten().cloned().collect();
    found.retain(|domain| of_each.iter().filter(|domains| domains.contains(domain)).count() >= at_least);
    for links in exclude {
        found = found.difference(&domains(links)).cloned().collect();
    }
    let rows = found.into_iter().map(|domain| {
        let count =
            |links: &Vec<Value>| links.iter().filter(|link| source_domain(suffixes, link) == domain).count();
        let each: Vec<usize> = targets.iter().map(count).collect();
        let mut row = json!({ "domain": domain, "links": each.iter().sum::<usize>(), "sr": rank(&domain) });
        for (at, links) in each.into_iter().enumerate() {
            row[format!("links{}", at + 1)] = json!(links);
        }
        row
    });
    rows.collect()
}

/// The rows of one chain of `/redirectchain`, from exported pages by their URLs.
pub fn chain(pages: &BTreeMap<String, Value>, start: &str, most: usize) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    let mut url = start.to_owned();
    loop {
        let (code, onward) = pages.get(&url).map_or((0, None), |page| {
            let code = page["info"]["http-code"].as_u64().unwrap();
            let tag = match code {
                200..=299 => "refresh".to_owned(),
                code => code.to_string(),
            };
            let links = ["extL", "intL"].into_iter().flat_map(|kind| page[kind].as_array().unwrap());
            let led = links.filter(|link| link["tag"] == tag);
            (code, led.min_by_key(|link| link["pos"].as_u64()))
        });
        let end = match &onward {
            _ if code == 0 => "unknown",
            _ if rows.iter().any(|row| row["url"] == url) => "loop",
            None => "reached",
            Some(_) if rows.len() == most => "too_long",
            Some(_) => "",
        };
        let tag = onward.map_or("", |link| text(link, "tag"));
        let hop = rows.len() + 1;
        rows.push(json!({ "url": url, "code": code, "tag": tag, "end": end, "hop": hop, "start": start }));
        match onward {
            Some(link) if end.is_empty() => url = text(link, "url").to_owned(),
            _ => return rows,
        }
    }
}

/// The domains outside that link to each domain.
pub type Referrers = BTreeMap<String, BTreeSet<String>>;

/// Rows of `/competitors`, by domain, for a scope in the domain `own`.
pub fn competitors(
    links: &[Value],
    own: &str,
    referrers: &Referrers,
    suffixes: &Suffixes,
    rank: impl Fn(&str) -> Value,
) -> Vec<Value> {
    let mut refdoms: BTreeSet<String> = links.iter().map(|link| source_domain(suffixes, link)).collect();
    refdoms.remove(own);
    let others = referrers.iter().filter(|(domain, _)| *domain != own);
    let rows = others.filter_map(|(domain, theirs)| {
        let common = refdoms.intersection(theirs).count();
        let either = refdoms.union(theirs).count();
        let share = (common as f64 * 10_000.0 / either as f64).round();
        let jaccard = if share == 10_000.0 { json!(1) } else { json!(share / 10_000.0) };
        (common > 0).then(|| {
            json!({
                "domain": domain, "common": common, "refdoms": theirs.len(), "jaccard": jaccard,
                "sr": rank(domain),
            })
        })
    });
    rows.collect()
}
