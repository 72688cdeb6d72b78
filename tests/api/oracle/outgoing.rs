//! Answers about the pages of a scope and about the links on them.

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::super::client::Client;
use super::{by, export, host, percentage, source_domain, text};

/// Data that the rows of pages lack, from the exports of all link targets.
#[derive(Default)]
pub struct World {
    /// Referring domains of every page; the key is the page without its scheme.
    refdoms: BTreeMap<String, BTreeSet<String>>,
    /// First days of active links, by target, page and position.
    days: BTreeMap<(String, String, u64), String>,
}

impl World {
    pub fn read<'d>(
        client: &Client,
        suffixes: &Suffixes,
        domains: impl IntoIterator<Item = &'d (impl AsRef<str> + ?Sized + 'd)>,
    ) -> Self {
        let mut world = Self::default();
        for domain in domains {
            for link in export(client, "exportbacklinks", domain.as_ref(), 10_000) {
                if link["active"] == true {
                    let target = text(&link, "linktarget").to_owned();
                    let named = without_scheme(&target).to_owned();
                    world.refdoms.entry(named).or_default().insert(source_domain(suffixes, &link));
                    let page = text(&link, "backlinkpage").to_owned();
                    let key = (target, page, link["pos"].as_u64().unwrap());
                    world.days.insert(key, text(&link, "insDate").to_owned());
                }
            }
        }
        world
    }
}

fn without_scheme(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

/// Rows of `/outgoinglinks`, in key order, with the target under `url`.
pub fn outgoinglinks(pages: &[Value], world: &World) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in pages {
        let info = &page["info"];
        let address = text(info, "url");
        for link in page["extL"].as_array().unwrap() {
            let target = text(link, "url");
            let key = (target.to_owned(), address.to_owned(), link["pos"].as_u64().unwrap());
            rows.push(json!({
                "backlinkpage": without_scheme(address), "title": info["title"], "linktarget": without_scheme(target),
                "linktext": link["anchor"], "tag": link["tag"], "nofollow": link["nofollow"], "pos": link["pos"],
                "sr": info["sr"], "cdate": world.days[&key].parse::<u32>().unwrap(),
            }));
        }
    }
    rows
}

/// Rows of an endpoint that groups outgoing links by one of their values.
fn counted(links: &[Value], of: &str, name: &str, count: &str) -> Vec<Value> {
    let groups = by(links, |link| text(link, of).to_owned()).into_iter();
    groups.map(|(value, group)| json!({ name: value, count: group.len() })).collect()
}

/// Rows of `/outgoinghosts`, by host.
pub fn outgoinghosts(links: &[Value]) -> Vec<Value> {
    let hosts = by(links, |link| host(&format!("http://{}", text(link, "linktarget")))).into_iter();
    hosts.map(|(host, group)| json!({ "host": host, "frequency": group.len() })).collect()
}

/// Rows of `/outgoinglinktexts`, by anchor text.
pub fn outgoinglinktexts(links: &[Value]) -> Vec<Value> {
    counted(links, "linktext", "linktext", "frequency")
}

/// Rows of `/outgoingtoppages`, by page.
pub fn outgoingtoppages(links: &[Value]) -> Vec<Value> {
    counted(links, "backlinkpage", "webpage", "extLinks")
}

/// Rows of `/pagedistribution`, by page, before the rest is merged.
pub fn pages_linked_to(links: &[Value], world: &World) -> Vec<Value> {
    let mut rows = counted(links, "linktarget", "linkedpage", "frequency");
    for row in &mut rows {
        let frequency = row["frequency"].as_u64().unwrap() as usize;
        row["percentage"] = percentage(frequency, links.len());
        row["refdoms"] = json!(world.refdoms[text(row, "linkedpage")].len());
    }
    rows
}

/// Rows of `/httpstatus`, by code.
pub fn httpstatus(pages: &[Value]) -> Vec<Value> {
    let codes = by(pages, |page| page["info"]["http-code"].as_u64().unwrap()).into_iter();
    let row = |(code, group): (u64, Vec<&Value>)| json!({ "code": code, "pages": group.len(), "percentage": percentage(group.len(), pages.len()) });
    codes.map(row).collect()
}

/// Rows of `/outgoinglinkcount`, by type. Only a page that was parsed as HTML has links and a charset.
pub fn outgoinglinkcount(pages: &[Value]) -> Vec<Value> {
    let sum = |key: &str| pages.iter().map(|page| page[key].as_array().unwrap().len()).sum::<usize>();
    let is_html = |page: &&Value| {
        let info = &page["info"];
        info["charset"] != "" && (200..300).contains(&info["http-code"].as_u64().unwrap())
    };
    let html = pages.iter().filter(is_html).count();
    let (external, internal) = (sum("extL"), sum("intL"));
    let row = |(linktype, links): (&str, usize)| {
        let avg = links.checked_div(html).unwrap_or(0);
        json!({ "avg": avg, "pages": html, "linktype": linktype, "frequency": links })
    };
    [("all", external + internal), ("extLinks", external), ("intLinks", internal)].map(row).to_vec()
}
