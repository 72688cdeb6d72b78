//! Answers about the URLs below a path, compared with the rows of the whole host.

use std::collections::BTreeSet;

use backlinkd::model::DiscoveredUrl;
use backlinkd::store::Commit;
use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::about::About;
use super::answers::{agree, agree_on_pages, publish_ranks};
use super::oracle::outgoing::World;
use super::oracle::{self, export};
use super::server::Server;
use super::web::{DOMAINS, link, page, random, url};

/// Each with its host, and its path as it is sent.
const PREFIXES: [(&str, &str, &str); 8] = [
    ("example.com/a", "example.com", "/a"),
    ("https://example.com/a/", "example.com", "/a/"),
    ("www.example.com/blog", "www.example.com", "/blog"),
    ("www.example.com/blog/", "www.example.com", "/blog/"),
    ("example.com:8080/a", "example.com:8080", "/a"),
    ("a.co.uk/ä", "a.co.uk", "/%C3%A4"),
    ("shop.example.com", "shop.example.com", "/"),
    ("example.org/none", "example.org", "/none"),
];

/// A random web, and paths that are easily confused.
fn served() -> Server {
    let mut records = random(57, 300);
    let paths = ["/blog", "/blog/", "/blog/a", "/blog?q", "/blogger", "/blog-x", "/blog.html", "/blo"];
    for (at, path) in paths.iter().enumerate() {
        let target = format!("http://www.example.com{path}");
        let links = vec![link(&target, "x"), link(&format!("https://www.example.com:8443{path}"), "y")];
        records.push(page(&format!("http://source.example/{at}"), "192.0.2.1", "SE", links));
        records.push(page(&target, "192.0.2.2", "SE", vec![link(&format!("http://t{at}.example/"), "z")]));
    }
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    server
}

/// Whether a URL is below a path, by its segments.
fn is_below(address: &str, path: &str) -> bool {
    let parsed = ::url::Url::parse(address).unwrap();
    match path.strip_suffix('/') {
        Some(_) => parsed.path().starts_with(path),
        None => {
            let given: Vec<&str> = path.split('/').collect();
            let segments: Vec<&str> = parsed.path().split('/').take(given.len()).collect();
            segments == given
        }
    }
}

fn below(rows: Vec<Value>, path: &str, address: impl Fn(&Value) -> String) -> Vec<Value> {
    rows.into_iter().filter(|row| is_below(&address(row), path)).collect()
}

#[test]
fn a_prefix_selects_the_rows_of_its_host_below_its_path() {
    let server = served();
    let client = &server.client;
    let mut found = 0;
    for (prefix, host, path) in PREFIXES {
        let (about, host) = (About::prefix(prefix), About::host(host));
        let target = |row: &Value| row["linktarget"].as_str().unwrap().to_owned();
        let links = below(export(client, "exportbacklinks", host, 1_000), path, target);
        let page = |row: &Value| row["info"]["url"].as_str().unwrap().to_owned();
        let pages = below(export(client, "exportpages", host, 1_000), path, page);
        for limit in [2, 1_000] {
            assert_eq!(export(client, "exportbacklinks", about, limit), links, "{prefix}");
            assert_eq!(export(client, "exportpages", about, limit), pages, "{prefix}");
        }
        found += links.len() + pages.len();
        assert_eq!(links.is_empty(), path == "/none", "{prefix}");
    }
    assert!(found > 200, "{found}");
    let of_blog: BTreeSet<String> = oracle::links(client, About::prefix("www.example.com/blog"))
        .iter()
        .map(|row| row["linktarget"].as_str().unwrap().to_owned())
        .collect();
    let expected = ["", ":8443"].map(|port| {
        let scheme = if port.is_empty() { "http" } else { "https" };
        ["/blog", "/blog/", "/blog/a", "/blog?q"]
            .map(|path| format!("{scheme}://www.example.com{port}{path}"))
    });
    assert_eq!(of_blog, expected.into_iter().flatten().collect());
}

#[test]
fn every_answer_about_a_prefix_equals_the_slow_computation() {
    let server = served();
    let suffixes = Suffixes::built_in().unwrap();
    let others = ["source.example", "t0.example", "t1.example", "t2.example", "t3.example", "t4.example"];
    let others = others.into_iter().chain(["t5.example", "t6.example", "t7.example"]);
    let world = World::read(&server.client, &suffixes, DOMAINS.iter().copied().chain(others));
    for (prefix, ..) in PREFIXES {
        agree(&server.client, &suffixes, About::prefix(prefix));
        agree_on_pages(&server.client, &world, About::prefix(prefix));
    }
}

#[test]
fn the_prefix_of_a_whole_host_is_the_host() {
    let server = served();
    for host in ["example.com", "www.example.com", "example.com:8080"] {
        for endpoint in
            ["backlinks", "linktexts", "linkratio", "edugovlinks", "outgoinglinkcount", "httpstatus"]
        {
            let get = |scope| server.client.json(&format!("/{endpoint}?url={host}&scope={scope}"));
            assert_eq!(get("prefix"), get("host"), "{endpoint} of {host}");
        }
    }
}

#[test]
fn the_rank_of_a_prefix_is_that_of_its_page() {
    let server = served();
    let rank = |query: &str| server.client.json(&format!("/sr?url={query}"))["response"][0]["sr"].clone();
    assert_eq!(rank("www.example.com/blog&scope=prefix"), rank("http://www.example.com/blog"));
    assert_ne!(rank("www.example.com/blog&scope=prefix"), json!(0));
    assert_eq!(rank("https://www.example.com/blog&scope=prefix"), rank("http://www.example.com/blog"));
    assert_eq!(rank("www.example.com/none&scope=prefix"), json!(0));
}

#[test]
fn a_query_in_a_prefix_is_refused() {
    let server = Server::start(&[]);
    for query in ["example.com/a%3Fb", "http://example.com/%3F", "example.com%3Fb"] {
        let reply = server.client.get(&format!("/backlinks?url={query}&scope=prefix"));
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.json()["error"].as_str().unwrap().contains("question mark"), "{query}");
    }
    assert_eq!(server.client.get("/backlinks?url=example.com/a%23b%3Fc&scope=prefix").status, 200);
    assert_eq!(server.client.get("/redirectchain?url=example.com/a&scope=prefix").status, 400);
}

#[test]
fn an_empty_answer_says_what_is_known_of_a_prefix() {
    let server = Server::start(&[page("http://visited.example/a/b", "", "", vec![])]);
    let met = ["http://queued.example/x/y", "http://visited.example/met"];
    let found = met.map(|address| DiscoveredUrl::page(url(address), 1)).to_vec();
    server.store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    server.store.merge_discovered().unwrap();
    for (prefix, expected) in [
        ("unknown.example/a", "unknown.example/a is not known to this index."),
        ("queued.example/x", "queued.example/x is known but was not visited yet."),
        ("queued.example/x/", "queued.example/x/ is known but was not visited yet."),
        ("queued.example/xx", "queued.example/xx is not known to this index."),
        ("visited.example/met", "visited.example/met is known but was not visited yet."),
        ("visited.example/m", "visited.example/m is not known to this index."),
        (
            "visited.example/a",
            "visited.example/a was visited at 2024-02-29 (status 200 at http://visited.example/a/b) and has no links of \
             this kind.",
        ),
    ] {
        let answer = server.client.json(&format!("/backlinks?url={prefix}&scope=prefix"));
        assert_eq!(answer["warnings"], json!([expected]), "{prefix}");
    }
}
