//! Answers about the whole index, compared with the exports of every domain.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backlinkd::config::{RankConfig, SearchConfig};
use backlinkd::query::{Deadline, SearchIndexes};
use backlinkd::rank::rank_all;
use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::about::About;
use super::client::Client;
use super::oracle::{self, source_domain};
use super::server::Server;
use super::web::{DOMAINS, later, link, page, random};

const FIELDS: [&str; 6] = ["domain", "sr", "refdoms", "backlinks", "pages", "hosts"];

fn host(address: &Value) -> String {
    url::Url::parse(address.as_str().unwrap()).unwrap().host_str().unwrap().to_owned()
}

fn sr(client: &Client, name: &str, scope: &str) -> Value {
    client.json(&format!("/sr?url={name}&scope={scope}"))["response"][0]["sr"].clone()
}

/// The rows of `/domains` in the order of their names, with the hosts of each, from exports.
fn slow(client: &Client, suffixes: &Suffixes, domains: &[&str]) -> Vec<(Value, BTreeSet<String>)> {
    let mut domains = domains.to_vec();
    domains.sort_unstable();
    let row = |domain: &str| {
        let (links, pages) = (oracle::links(client, domain), oracle::pages(client, domain));
        let refdoms: BTreeSet<String> = links.iter().map(|link| source_domain(suffixes, link)).collect();
        let of_links = links.iter().map(|link| host(&link["linktarget"]));
        let hosts: BTreeSet<String> =
            of_links.chain(pages.iter().map(|page| host(&page["info"]["url"]))).collect();
        let row = json!({
            "domain": domain, "sr": sr(client, domain, "domain"), "refdoms": refdoms.len(),
            "backlinks": links.len(), "pages": pages.len(), "hosts": hosts.len(),
        });
        (row, hosts)
    };
    domains.into_iter().map(row).filter(|(row, _)| row["hosts"] != 0).collect()
}

fn rank(server: &Server) {
    rank_all(&server.store, &RankConfig::default(), server.store.suffixes(), &|_| {}).unwrap();
}

fn rows(client: &Client, more: &str) -> Vec<Value> {
    let answer = client.json(&format!("/domains?limit=10000{more}"));
    let rows = answer["response"].as_array().unwrap().clone();
    assert_eq!(answer["count"], rows.len(), "{more}");
    rows
}

#[test]
fn domains_and_their_figures_equal_the_slow_computation() {
    let server = Server::start(&random(31, 300));
    let client = &server.client;
    for is_ranked in [false, true] {
        let change = client.json("/stats")["change"].clone();
        if is_ranked {
            rank(&server);
        }
        let expected: Vec<Value> =
            slow(client, server.store.suffixes(), DOMAINS).into_iter().map(|(row, _)| row).collect();
        assert!(expected.len() > 8, "{expected:?}");
        assert_eq!(expected.iter().any(|row| row["sr"] != 0), is_ranked);
        assert_eq!(rows(client, "&order[]=domain"), expected);
        assert_eq!(rows(client, ""), oracle::ordered(expected.clone(), &["-sr"]));
        for field in FIELDS {
            let down = format!("-{field}");
            let ordered = oracle::ordered(expected.clone(), &[&down]);
            assert_eq!(rows(client, &format!("&order[]=-{field}")), ordered, "{field}");
        }
        let many: Vec<Value> =
            expected.iter().filter(|row| row["backlinks"].as_u64() > Some(20)).cloned().collect();
        assert!(!many.is_empty() && many.len() < expected.len(), "{many:?}");
        assert_eq!(rows(client, "&order[]=domain&where=backlinks%20gt%2020"), many);
        let answer = client.json("/domains?limit=2&offset=1&order[]=domain");
        assert_eq!(answer["response"], json!(&expected[1..3]));
        assert_eq!((&answer["count"], &answer["exportFinished"]), (&json!(expected.len()), &json!(true)));
        assert_eq!(answer["asOf"]["change"], change);
        let ranked = if is_ranked { answer["asOf"]["time"].clone() } else { Value::Null };
        assert_eq!(answer["ranked"], ranked);
        assert_eq!(client.json("/stats")["ranked"], ranked);
    }
}

#[test]
fn figures_stay_those_of_the_last_ranking() {
    let records = vec![page("http://a.test/", "", "", vec![link("http://b.test/", "x")])];
    let server = Server::start(&records);
    rank(&server);
    let domains = |server: &Server| rows(&server.client, "&fields=domain,backlinks&order[]=domain");
    let before = domains(&server);
    assert_eq!(
        before,
        [json!({"domain": "a.test", "backlinks": 0}), json!({"domain": "b.test", "backlinks": 1})]
    );
    let next = page("http://a.test/", "", "", vec![link("http://b.test/", "x"), link("http://c.test/", "x")]);
    server.store.put(&[later(next, 1)]).unwrap();
    assert_eq!(domains(&server), before);
    let server = server.restart();
    assert_eq!(domains(&server), before);
    rank(&server);
    let after = domains(&server);
    assert_eq!(after.len(), 3);
    // A damaged file is not shown: the present state is.
    let file = server.store.directory().join("sites");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, &bytes[..]).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(domains(&server), after);
    assert_eq!(server.client.json("/domains")["ranked"], Value::Null);
    assert!(!file.exists());
}

#[test]
fn a_part_of_the_rows_is_unfinished() {
    let server = Server::start(&random(32, 100));
    let deadline = Deadline::after(Duration::from_secs(60));
    let complete = |preview_rows| {
        let config = SearchConfig { preview_rows, ..SearchConfig::default() };
        let searches = SearchIndexes::open(Arc::clone(&server.store), config).unwrap();
        searches.sites().read(&deadline).unwrap().state().is_complete
    };
    assert!(!complete(1) && !complete(5));
    assert!(complete(10_000));
}

#[test]
fn random_order_holds_every_row_once() {
    let server = Server::start(&random(33, 200));
    let names = |rows: Vec<Value>| -> Vec<String> {
        rows.iter().map(|row| row["domain"].as_str().unwrap().to_owned()).collect()
    };
    let all: BTreeSet<String> = names(rows(&server.client, "")).into_iter().collect();
    let draw = |more: &str| names(rows(&server.client, &format!("&random=true{more}")));
    let mut drawn: Vec<Vec<String>> = (0..8).map(|_| draw("")).collect();
    // No order is kept.
    let ordered: Vec<Vec<String>> = (0..8).map(|_| draw("&order[]=domain")).collect();
    assert!(ordered.iter().collect::<BTreeSet<_>>().len() > 1, "{ordered:?}");
    drawn.extend(ordered);
    for draw in &drawn {
        assert_eq!(draw.len(), all.len());
        assert_eq!(draw.iter().cloned().collect::<BTreeSet<_>>(), all);
    }
    assert!(drawn.iter().collect::<BTreeSet<_>>().len() > 1, "{drawn:?}");
    let few = server.client.json("/domains?random=true&limit=2&where=pages%20gt%200");
    assert_eq!(few["response"].as_array().unwrap().len(), 2);
    assert_eq!(server.client.get("/domains?random=x").status, 400);
}

#[test]
fn suggestions_are_the_strongest_names_that_begin_so() {
    let server = Server::start(&random(34, 300));
    let client = &server.client;
    rank(&server);
    let mut names: Vec<(String, Value)> = Vec::new();
    for (row, hosts) in slow(client, server.store.suffixes(), DOMAINS) {
        let domain = row["domain"].as_str().unwrap();
        let suggestion =
            json!({ "name": domain, "kind": "domain", "sr": row["sr"], "refdoms": row["refdoms"] });
        names.push((domain.to_owned(), suggestion));
        for host in hosts.into_iter().filter(|host| host != domain) {
            let links = oracle::links(client, About::host(&host));
            let refdoms: BTreeSet<String> =
                links.iter().map(|link| source_domain(server.store.suffixes(), link)).collect();
            let rank = sr(client, &host, "host");
            names.push((
                host.clone(),
                json!({ "name": host, "kind": "host", "sr": rank, "refdoms": refdoms.len() }),
            ));
        }
    }
    for beginning in ["e", "exam", "www.exam", "shop", "www.shop", "1", "xn--", "b", "zz", "a.co.uk", "uni"] {
        let bare = beginning.strip_prefix("www.").unwrap_or(beginning);
        let fits = |name: &str| {
            let without = name.strip_prefix("www.").unwrap_or(name);
            without.starts_with(bare)
        };
        let mut expected: Vec<Value> =
            names.iter().filter(|(name, _)| fits(name)).map(|(_, row)| row.clone()).collect();
        expected = oracle::ordered(expected, &["-sr", "-refdoms", "kind", "name"]);
        let answer = client.json(&format!("/suggest?q={beginning}"));
        assert_eq!(answer["suggestions"], json!(expected), "{beginning}");
        assert_eq!((&answer["exportFinished"], &answer["ranked"]), (&json!(true), &answer["asOf"]["time"]));
        let few = client.json(&format!("/suggest?q={beginning}&limit=2"));
        assert_eq!(few["suggestions"], json!(&expected[..expected.len().min(2)]), "{beginning}");
    }
    assert_eq!(client.json("/suggest?q=b%C3%BCch")["suggestions"][0]["name"], "xn--bcher-kva.example");
    for wrong in ["", "q=", "q=%20", &format!("q={}", "x".repeat(254)), "q=a&limit=-1"] {
        assert_eq!(client.get(&format!("/suggest?{wrong}")).status, 400, "{wrong}");
    }
}

#[test]
fn stats_are_those_of_the_command() {
    let server = Server::start(&random(35, 200));
    let answer = server.client.json("/stats");
    assert_eq!(answer["demo"], false);
    let stats = server.store.stats().unwrap();
    for (key, figure) in [
        ("links", stats.links),
        ("backlinks", stats.backlinks),
        ("former", stats.lost_links),
        ("pages", stats.html_pages),
        ("fetched", stats.visited),
        ("queued", stats.queued),
        ("known", server.store.seen_urls()),
        ("hosts", stats.hosts),
        ("domains", stats.domains),
        ("change", server.store.change_number()),
    ] {
        assert_eq!(answer[key], figure, "{key}");
    }
    assert!(answer["bytes"].as_u64() > Some(0) && answer["asOf"]["change"] == answer["change"], "{answer}");
    // The index is counted again once it has changed.
    server.store.put(&[page("http://another.test/", "", "", vec![])]).unwrap();
    assert_eq!(server.client.json("/stats")["fetched"], stats.visited + 1);
}
