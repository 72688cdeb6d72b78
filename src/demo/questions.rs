//! The demo's questions to the API, each with the answer derived from the description.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::expected::{Backlink, Expected};
use super::expected_page::{ExpectedLink, ExpectedPage, ExpectedTarget};

/// A question to the API.
pub(super) struct Question {
    /// One line about the answer.
    pub shows: &'static str,
    /// Path and query.
    pub path: &'static str,
    /// The rows of the answer, in any order, without the properties that the description lacks.
    pub rows: fn(&Expected<'_>) -> Vec<Value>,
    /// For a list: the property that its rows are sorted by, in descending order.
    pub sorted_by: Option<&'static str>,
}

/// All questions, in the order of the report.
pub(super) static QUESTIONS: &[Question] = &[
    Question {
        shows: "How many backlinks the museum has, its shop included",
        path: "/anabacklinks?url=museum.example",
        sorted_by: None,
        rows: |expected| vec![json!({ "backlinks": expected.backlinks(in_museum).count() })],
    },
    Question {
        shows: "... and from how many registrable domains they come",
        path: "/domainpopularity?url=museum.example",
        sorted_by: None,
        rows: |expected| vec![json!({ "domainpopularity": distinct_domains(expected.backlinks(in_museum)) })],
    },
    Question {
        shows: "Which domains these are, and where their servers are",
        path: "/referringdomains?url=museum.example",
        sorted_by: Some("links"),
        rows: referring_domains,
    },
    Question {
        shows: "The backlinks themselves, those on the strongest pages first",
        path: "/backlinks?url=museum.example&limit=100",
        sorted_by: Some("sr"),
        rows: |expected| rows_of(expected, expected.backlinks(in_museum)),
    },
    Question {
        shows: "... only those that pass no rank on",
        path: "/backlinks?url=museum.example&where=nofollow%20eq%20true",
        sorted_by: Some("sr"),
        rows: |expected| rows_of(expected, expected.backlinks(in_museum).filter(|link| link.link.nofollow)),
    },
    Question {
        shows: "... only those to a single page",
        path: "/backlinks?url=www.museum.example/tide-clock",
        sorted_by: Some("sr"),
        rows: |expected| {
            let wanted = "http://www.museum.example/tide-clock";
            rows_of(expected, expected.backlinks(|to| to.url == wanted))
        },
    },
    Question {
        shows: "The words that others link to the newspaper with, its own blog left out",
        path: "/linktexts?url=observer.example&internal=exclude",
        sorted_by: Some("refdoms"),
        rows: |expected| {
            let links = expected.backlinks(|to| to.host.domain == "observer.example");
            link_texts(links.filter(|link| link.page.host.domain != "observer.example"))
        },
    },
    Question {
        shows: "The backlinks of a host with an umlaut: bücher.example",
        path: "/backlinks?url=b%C3%BCcher.example",
        sorted_by: Some("sr"),
        rows: |expected| {
            rows_of(expected, expected.backlinks(|to| to.host.domain == "xn--bcher-kva.example"))
        },
    },
    Question {
        shows: "The IV Search Rank of a domain, from 0 to 10",
        path: "/sr?url=observer.example",
        sorted_by: None,
        rows: |expected| vec![json!({ "sr": expected.domain_ranks.get("observer.example") })],
    },
    Question {
        shows: "... and of a page",
        path: "/sr?url=www.museum.example/collection/lamp",
        sorted_by: None,
        rows: |expected| {
            vec![json!({ "sr": expected.page_ranks.get("http://www.museum.example/collection/lamp") })]
        },
    },
    Question {
        shows: "All backlinks, ten at a time (the next ten: add &next= and what \"next\" says)",
        path: "/exportbacklinks?url=museum.example&limit=10",
        sorted_by: None,
        rows: |expected| expected.backlinks(in_museum).map(|link| exported(expected, link)).collect(),
    },
    Question {
        shows: "All pages of the university with all their links, five at a time",
        path: "/exportpages?url=example.edu&limit=5",
        sorted_by: None,
        rows: |expected| {
            let pages = expected.pages.iter().filter(|(_, page)| page.host.domain == "example.edu");
            pages.map(|(url, page)| exported_page(expected, url, page)).collect()
        },
    },
];

fn in_museum(target: &ExpectedTarget<'_>) -> bool {
    target.host.domain == "museum.example"
}

fn distinct_domains<'e>(links: impl Iterator<Item = Backlink<'e>>) -> usize {
    links.map(|link| link.page.host.domain).collect::<BTreeSet<_>>().len()
}

fn rows_of<'e>(expected: &Expected<'_>, links: impl Iterator<Item = Backlink<'e>>) -> Vec<Value> {
    let row = |link: Backlink<'_>| {
        let mut row = exported(expected, link);
        row["ugc"] = link.link.given.has_rel("ugc").into();
        row["sponsored"] = link.link.given.has_rel("sponsored").into();
        row
    };
    links.map(row).collect()
}

fn exported(expected: &Expected<'_>, Backlink { source, page, link }: Backlink<'_>) -> Value {
    let place = page.host.place;
    json!({
        "backlinkpage": source, "title": page.title, "sr": expected.page_ranks.get(source),
        "ip": page.host.address, "ccode": place.ccode, "country": place.country, "city": place.city,
        "extL": page.external_links(), "intL": page.links.len() - page.external_links(),
        "sumL": page.links.len(), "blpcount": page.backlinks_to(link.target.host.domain),
        "linktarget": link.target.url, "linktext": link.given.text, "tag": link.given.tag.as_str(),
        "pos": link.pos, "nofollow": link.nofollow, "active": true,
    })
}

fn exported_page(expected: &Expected<'_>, url: &str, page: &ExpectedPage<'_>) -> Value {
    let link = |link: &ExpectedLink<'_>| {
        json!({
            "url": link.target.url, "anchor": link.given.text, "tag": link.given.tag.as_str(),
            "pos": link.pos, "nofollow": link.nofollow,
        })
    };
    let links =
        |external| page.links.iter().filter(|link| link.external == external).map(link).collect::<Vec<_>>();
    json!({
        "info": {
            "url": url, "http-code": page.status, "title": page.title, "description": page.text,
            "ip": page.host.address, "ccode": page.host.place.ccode, "sr": expected.page_ranks.get(url),
        },
        "extL": links(true), "intL": links(false),
    })
}

fn referring_domains(expected: &Expected<'_>) -> Vec<Value> {
    let mut addresses: BTreeMap<&str, BTreeMap<_, usize>> = BTreeMap::new();
    for link in expected.backlinks(in_museum) {
        let host = link.page.host;
        *addresses.entry(host.domain).or_default().entry((host.address, host.place.ccode)).or_default() += 1;
    }
    let row = |(domain, servers): (&str, BTreeMap<(Ipv4Addr, &str), usize>)| {
        // Ties go to the lowest address.
        let busiest = servers.iter().rev().max_by_key(|(_, links)| **links);
        json!({
            "domain": domain, "links": servers.values().sum::<usize>(), "sr": expected.domain_ranks.get(domain),
            "ip": busiest.map(|((address, _), _)| address), "ccode": busiest.map(|((_, ccode), _)| ccode),
            "ip_count_additional": servers.len() - 1,
        })
    };
    addresses.into_iter().map(row).collect()
}

fn link_texts<'e>(links: impl Iterator<Item = Backlink<'e>>) -> Vec<Value> {
    let mut texts: BTreeMap<&str, Vec<Backlink<'_>>> = BTreeMap::new();
    for link in links {
        texts.entry(link.link.given.text).or_default().push(link);
    }
    let all: usize = texts.values().map(Vec::len).sum();
    let row = |(text, links): (&str, Vec<Backlink<'_>>)| {
        let images = links.iter().filter(|link| link.link.given.tag.is_image()).count();
        let kind = match images {
            0 => "OnlyText",
            images if images == links.len() => "OnlyImages",
            images if images * 2 > links.len() => "MostlyImages",
            _ => "MostlyText",
        };
        json!({
            "anchortext": text, "frequency": links.len(), "type": kind,
            "refdoms": distinct_domains(links.iter().copied()),
            "percentage": (links.len() as f64 / all as f64 * 10_000.0).round() / 100.0,
        })
    };
    texts.into_iter().map(row).collect()
}
