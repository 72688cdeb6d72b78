//! Answers about the links into a scope.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::{by, host, percentage, source_domain, text};

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
            "percentage": percentage(group.len(), links.len()),
            "refdoms": domains.len(),
            "anchortext": anchor,
            "type": kind,
            "frequency": group.len(),
        })
    });
    rows.collect()
}

/// The last day on which a link counted as active.
fn last_active_day(link: &Value) -> &str {
    text(link, if link["active"] == true { "updDate" } else { "lostDate" })
}

/// Rows of `/referringdomains` without their numbers, by domain. Lost links have a `lostDate`.
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
            "firstSeen": group.iter().map(|link| text(link, "insDate")).min(),
            "lastSeen": group.iter().map(|link| last_active_day(link)).max(),
            "followed": group.iter().filter(|link| link["nofollow"] == false).count(),
        })
    });
    rows.collect()
}

fn domains<'a>(group: impl IntoIterator<Item = &'a Value>, suffixes: &Suffixes) -> usize {
    group.into_iter().map(|link| source_domain(suffixes, link)).collect::<BTreeSet<_>>().len()
}

/// Rows of `/linkedpages`, by page.
pub fn linkedpages(links: &[Value], suffixes: &Suffixes) -> Vec<Value> {
    let rows = by(links, |link| text(link, "linktarget").to_owned()).into_iter().map(|(page, group)| {
        json!({
            "linkedpage": page, "percentage": percentage(group.len(), links.len()), "frequency": group.len(),
            "refdoms": domains(group, suffixes),
        })
    });
    rows.collect()
}

/// Rows of `/pagedistribution` with `direction=in`, by page, before the rest is merged.
pub fn pages_linked_to(links: &[Value], suffixes: &Suffixes) -> Vec<Value> {
    let page = |link: &Value| text(link, "linktarget").split_once("://").unwrap().1.to_owned();
    let rows = by(links, page).into_iter().map(|(page, group)| {
        json!({
            "linkedpage": page, "percentage": percentage(group.len(), links.len()), "frequency": group.len(),
            "refdoms": domains(group, suffixes),
        })
    });
    rows.collect()
}

/// Rows of `/tagtypes`, by tag.
pub fn tagtypes(links: &[Value], suffixes: &Suffixes) -> Vec<Value> {
    let rows = by(links, |link| text(link, "tag").to_owned()).into_iter().map(
        |(tag, group)| json!({ "tag": tag, "frequency": group.len(), "refdoms": domains(group, suffixes) }),
    );
    rows.collect()
}

/// The most frequent value of a key: a known one if one exists, and the lowest of equally frequent ones.
fn commonest<'a>(group: &[&'a Value], key: &str) -> &'a str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for link in group {
        *counts.entry(text(link, key)).or_default() += 1;
    }
    let mut best = ("", 0);
    for (value, count) in counts {
        if !value.is_empty() && count > best.1 {
            best = (value, count);
        }
    }
    best.0
}

/// Rows of `/iplist`, by address.
pub fn iplist(links: &[Value]) -> Vec<Value> {
    let mut addresses = by(links, |link| text(link, "ip").parse::<IpAddr>().ok());
    addresses.remove(&None);
    let rows = addresses.into_iter().map(|(address, group)| {
        let ccode = commonest(&group, "ccode");
        let there: Vec<&Value> = group.iter().copied().filter(|link| link["ccode"] == ccode).collect();
        json!({
            "ip": address.unwrap().to_string(), "ccode": ccode, "country": commonest(&there, "country"),
            "city": commonest(&there, "city"), "links": group.len(),
            "percentage": percentage(group.len(), links.len()),
        })
    });
    rows.collect()
}

/// Rows of `/tldlist`, by top-level domain.
pub fn tldlist(links: &[Value], suffixes: &Suffixes) -> Vec<Value> {
    let toplevel = |link: &Value| {
        let host = host(text(link, "backlinkpage"));
        let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
        if is_address { String::new() } else { host.split('.').next_back().unwrap().to_owned() }
    };
    let rows = by(links, toplevel).into_iter().map(|(toplevel, group)| {
        json!({
            "toplevel": toplevel, "links": group.len(), "percentage": percentage(group.len(), links.len()),
            "diffdomains": domains(group, suffixes),
        })
    });
    rows.collect()
}

/// Rows of `/geolocationshort`, by country.
pub fn geolocationshort(links: &[Value]) -> Vec<Value> {
    let rows = by(links, |link| text(link, "ccode").to_owned()).into_iter().map(|(ccode, group)| {
        json!({
            "ccode": ccode, "country": commonest(&group, "country"), "links": group.len(),
            "percentage": percentage(group.len(), links.len()),
        })
    });
    rows.collect()
}

fn count(links: &[Value], counts: impl Fn(&Value) -> bool) -> usize {
    links.iter().filter(|link| counts(link)).count()
}

/// The rows of every endpoint without its own list. `home` is the host or domain of the request.
pub fn summaries(links: &[Value], suffixes: &Suffixes, home: &str) -> Vec<(&'static str, Value)> {
    let all = links.len();
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    let at_home = count(links, |link| {
        let target = url::Url::parse(text(link, "linktarget")).unwrap();
        let is_root = target.path() == "/" && target.query().is_none();
        is_root && bare(target.host_str().unwrap()) == bare(home)
    });
    let nofollow = count(links, |link| link["nofollow"] == true);
    let tag = |tags: &[&str]| count(links, |link| tags.contains(&text(link, "tag")));
    vec![
        ("anabacklinks", json!([{ "backlinks": all }])),
        ("domainpopularity", json!([{ "domainpopularity": domains(links, suffixes) }])),
        ("linkratio", json!([{ "homelinks": at_home }, { "deeplinks": all - at_home }])),
        ("linkspread", json!([{ "follow": all - nofollow }, { "nofollow": nofollow }])),
        (
            "linktypes",
            json!([
                { "linktype": "text", "links": tag(&["a"]) },
                { "linktype": "image", "links": tag(&["aimg", "area"]) },
            ]),
        ),
        ("edugovlinks", json!([school(links, suffixes, "edu"), school(links, suffixes, "gov")])),
        ("ippopularity", json!([addresses(links)])),
        ("srspread", Value::Array(spread(links, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]))),
        ("srspread&showgroup=true", Value::Array(spread(links, &["0", "1-2", "3-4", "5-6", "7-8", "9-10"]))),
    ]
}

/// A row of `/edugovlinks`.
fn school(links: &[Value], suffixes: &Suffixes, label: &str) -> Value {
    let under = |link: &&Value| {
        let host = host(text(link, "backlinkpage"));
        suffixes.suffix_of(&host).split('.').any(|part| part == label)
    };
    let from: Vec<&Value> = links.iter().filter(under).collect();
    json!({ "links": from.len(), "refdoms": domains(from, suffixes), "type": label })
}

fn addresses(links: &[Value]) -> Value {
    let all: BTreeSet<IpAddr> = links.iter().filter_map(|link| text(link, "ip").parse().ok()).collect();
    let octets: Vec<[u8; 4]> = all
        .iter()
        .filter_map(|address| match address {
            IpAddr::V4(address) => Some(address.octets()),
            IpAddr::V6(_) => None,
        })
        .collect();
    let class = |from: u8, to: u8| octets.iter().filter(|[first, ..]| (from..=to).contains(first)).count();
    let networks = |bytes: usize| octets.iter().map(|octets| &octets[..bytes]).collect::<BTreeSet<_>>().len();
    json!({
        "ip": octets.len(), "ipv6": all.len() - octets.len(), "class_a": class(0, 127), "class_b": class(128, 191),
        "class_c": class(192, 223), "class_d": class(224, 239), "class_e": class(240, 255), "net8": networks(1),
        "net16": networks(2), "net24": networks(3),
    })
}

/// Links by the rank of their page, rounded up; the name of a bin is its lowest and highest rank.
fn spread(links: &[Value], bins: &[&str]) -> Vec<Value> {
    let row = |bin: &&str| {
        let (low, high) = bin.split_once('-').unwrap_or((bin, bin));
        let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
        let within = |link: &Value| (low..=high).contains(&link["sr"].as_f64().unwrap().ceil());
        json!({ "sr": bin, "links": count(links, within) })
    };
    bins.iter().map(row).collect()
}
