//! Answers worked out the slow way, from rows as `exportbacklinks` gives them.
//!
//! Usable over any store: [`links`] reads a scope's export, the other functions need nothing but its rows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use backlinkd::urls::Suffixes;
use serde_json::{Map, Value, json};

use super::client::{Client, encode};

/// All rows of an export.
pub fn export(client: &Client, endpoint: &str, url: &str, limit: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = String::new();
    loop {
        let reply = client.json(&format!("/{endpoint}?url={}&limit={limit}{next}", encode(url)));
        let piece = reply["response"].as_array().unwrap().clone();
        assert_eq!(reply["count"], piece.len());
        rows.extend(piece);
        match &reply["next"] {
            Value::Null => return rows,
            token => next = format!("&next={}", token.as_str().unwrap()),
        }
    }
}

/// The active links of a scope, in key order.
pub fn links(client: &Client, url: &str) -> Vec<Value> {
    export(client, "exportbacklinks", url, 1_000).into_iter().filter(|row| row["active"] == true).collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} of {row}"))
}

/// The registrable domain of a link's page.
pub fn source_domain(suffixes: &Suffixes, row: &Value) -> String {
    let page = url::Url::parse(text(row, "backlinkpage")).unwrap();
    suffixes.domain_of(page.host_str().unwrap()).to_owned()
}

fn by(links: &[Value], key: impl Fn(&Value) -> String) -> BTreeMap<String, Vec<&Value>> {
    let mut groups: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for link in links {
        groups.entry(key(link)).or_default().push(link);
    }
    groups
}

/// Rows of `/backlinks` without their numbers, in key order.
pub fn backlinks(links: &[Value]) -> Vec<Value> {
    links
        .iter()
        .map(|link| {
            let mut row = link.as_object().unwrap().clone();
            for (copy, of) in [("cdate", "insDate"), ("udate", "updDate"), ("update", "updDate")] {
                row.insert(copy.to_owned(), link[of].clone());
            }
            Value::Object(row)
        })
        .collect()
}

/// Rows of `/linktexts`, by anchor text.
pub fn linktexts(links: &[Value], suffixes: &Suffixes) -> Vec<Value> {
    let rows = by(links, |link| text(link, "linktext").to_owned()).into_iter().map(|(anchor, group)| {
        let images = group.iter().filter(|link| matches!(text(link, "tag"), "aimg" | "area")).count();
        let kind = if images == 0 {
            "OnlyText"
        } else if images == group.len() {
            "OnlyImages"
        } else if images > group.len() - images {
            "MostlyImages"
        } else {
            "MostlyText"
        };
        let domains: BTreeSet<String> = group.iter().map(|link| source_domain(suffixes, link)).collect();
        json!({
            "percentage": number((group.len() as f64 * 10_000.0 / links.len() as f64).round()),
            "refdoms": domains.len(),
            "anchortext": anchor,
            "type": kind,
            "frequency": group.len(),
        })
    });
    rows.collect()
}

/// Rows of `/referringdomains` without their numbers, by domain.
pub fn referring_domains(links: &[Value], suffixes: &Suffixes, rank: impl Fn(&str) -> Value) -> Vec<Value> {
    let rows = by(links, |link| source_domain(suffixes, link)).into_iter().map(|(domain, group)| {
        let mut addresses: BTreeMap<Option<IpAddr>, Vec<&Value>> = BTreeMap::new();
        for link in &group {
            addresses.entry(text(link, "ip").parse().ok()).or_default().push(link);
        }
        let unknown = addresses.remove(&None);
        let known = addresses.len();
        let mut best: Option<(Option<IpAddr>, Vec<&Value>)> = None;
        for (address, group) in addresses {
            if best.as_ref().is_none_or(|(_, most)| group.len() > most.len()) {
                best = Some((address, group));
            }
        }
        let (address, at_it) = best.or(unknown.map(|group| (None, group))).unwrap();
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        for link in &at_it {
            *codes.entry(text(link, "ccode")).or_default() += 1;
        }
        let ccode = codes
            .iter()
            .max_by(|(a, n), (b, m)| (!a.is_empty(), **n, b).cmp(&(!b.is_empty(), **m, a)))
            .map(|(code, _)| *code);
        json!({
            "ccode": ccode,
            "domain": domain,
            "ip": address.map(|address| address.to_string()).unwrap_or_default(),
            "links": group.len(),
            "ip_count_additional": known.saturating_sub(1),
            "sr": rank(&domain),
        })
    });
    rows.collect()
}

/// Hundredths as answers write them.
pub fn number(hundredths: f64) -> Value {
    if hundredths % 100.0 == 0.0 { json!((hundredths / 100.0) as u64) } else { json!(hundredths / 100.0) }
}

/// What answers order by: numbers by size, `ip` by address value, other texts by code point.
pub fn compare(key: &str, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap(),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) if key == "ip" => {
            a.parse::<IpAddr>().ok().cmp(&b.parse::<IpAddr>().ok())
        }
        (Value::String(a), Value::String(b)) => a.chars().cmp(b.chars()),
        _ => panic!("{a} and {b} do not compare"),
    }
}

/// Rows in the order asked for; the sort keeps the order of rows that are equal in it.
pub fn ordered(mut rows: Vec<Value>, order: &[&str]) -> Vec<Value> {
    rows.sort_by(|a, b| {
        order.iter().fold(Ordering::Equal, |so_far, key| {
            so_far.then_with(|| match key.strip_prefix('-') {
                Some(key) => compare(key, &b[key], &a[key]),
                None => compare(key, &a[key], &b[key]),
            })
        })
    });
    rows
}

/// A window of the rows, numbered under the names given.
pub fn window(rows: &[Value], offset: usize, limit: usize, numbers: &[&str]) -> Vec<Value> {
    let shown = rows.iter().enumerate().skip(offset).take(limit);
    shown
        .map(|(at, row)| {
            let mut row: Map<String, Value> = row.as_object().unwrap().clone();
            for name in numbers {
                row.insert((*name).to_owned(), json!(at + 1));
            }
            Value::Object(row)
        })
        .collect()
}
