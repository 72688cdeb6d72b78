//! Answers over a whole store, compared with a slow computation and with known figures.

use std::collections::BTreeSet;

use backlinkd::model::{Link, LinkTag, Rel, SearchRank};
use backlinkd::urls::{CanonicalUrl, Suffixes};
use serde_json::{Value, json};

use super::about::About;
use super::client::Client;
use super::oracle::outgoing::World;
use super::oracle::{self, incoming, outgoing};
use super::server::Server;
use super::web::{DOMAINS, later, link, page, random, url};

const SCOPES: &[&str] = &[
    "example.com",
    "www.example.com",
    "shop.example.com",
    "example-shop.com",
    "a.co.uk",
    "b.github.io",
    "192.0.2.7",
    "http://example.com/",
    "example.com/",
    "https://www.example.com/a/b?q=1",
    "example.com:8080",
    "uni.edu.au",
    "council.gov.uk/",
    "bücher.example",
    "unknown.example",
];

/// Gives every page, host and domain a rank derived from its name.
pub fn publish_ranks(server: &Server, records: &[backlinkd::model::VisitRecord]) {
    let rank = |text: &str| SearchRank((text.bytes().map(u16::from).sum::<u16>() * 37) % 1_001);
    let pages: BTreeSet<&str> = records.iter().map(|record| record.url.as_str()).collect();
    let hosts: BTreeSet<&str> = records.iter().map(|record| record.url.host()).collect();
    let mut pages = pages.into_iter().map(|page| (url(page), rank(page)));
    let pages: &mut dyn Iterator<Item = (CanonicalUrl, SearchRank)> = &mut pages;
    let named: Vec<(String, SearchRank)> =
        hosts.into_iter().map(|host| (host.to_owned(), rank(host))).collect();
    server.store.publish_ranks(pages, &mut named.clone().into_iter(), &mut named.into_iter()).unwrap();
}

fn list<'a>(client: &Client, endpoint: &str, scope: impl Into<About<'a>>, more: &str) -> Value {
    client.json(&format!("/{endpoint}?{}&limit=10000{more}", scope.into().query()))
}

/// Rows without the keys that exports do not have.
fn without(rows: &Value, keys: &[&str]) -> Vec<Value> {
    let mut rows = rows.as_array().unwrap().clone();
    for row in &mut rows {
        keys.iter().for_each(|key| {
            assert!(row.as_object_mut().unwrap().remove(*key).is_some(), "{key} of {row}");
        });
    }
    rows
}

/// Compares every answer about the links into a scope with its exported links. Returns the number of backlinks.
pub fn agree<'a>(client: &Client, suffixes: &Suffixes, scope: impl Into<About<'a>>) -> usize {
    let scope = scope.into();
    let links = oracle::links(client, scope);
    let count = links.len();

    let answer = list(client, "backlinks", scope, "");
    let rows = oracle::ordered(incoming::backlinks(&links), &["-sr"]);
    let expected = oracle::window(&rows, 0, 10_000, &["nr", "dsCount"]);
    assert_eq!(without(&answer["response"], &["ugc", "sponsored"]), expected, "{scope}");
    assert_eq!((&answer["count"], &answer["exportFinished"]), (&json!(count), &json!(true)));

    let rank =
        |domain: &str| client.json(&format!("/sr?url={domain}&scope=domain"))["response"][0]["sr"].clone();
    let rows = oracle::ordered(incoming::referring_domains(&links, suffixes, rank), &["-links"]);
    let expected = oracle::window(&rows, 0, 10_000, &["dsCount"]);
    assert_eq!(list(client, "referringdomains", scope, "")["response"], json!(expected), "{scope}");

    for (endpoint, rows, order) in [
        ("linktexts", incoming::linktexts(&links, suffixes), &["-refdoms", "-frequency"][..]),
        ("linkedpages", incoming::linkedpages(&links, suffixes), &["-refdoms", "-frequency"]),
        ("tagtypes", incoming::tagtypes(&links, suffixes), &["-tag"]),
        ("iplist", incoming::iplist(&links), &["-links"]),
        ("tldlist", incoming::tldlist(&links, suffixes), &["-links"]),
        ("geolocationshort", incoming::geolocationshort(&links), &["-links"]),
    ] {
        agree_on_list(client, endpoint, scope, rows, order);
    }
    let by_text = incoming::linktexts(&links, suffixes);
    let by_text = by_text.into_iter().map(|mut row| {
        row.as_object_mut().unwrap().remove("type");
        row
    });
    agree_on_distribution(client, "linktextdistribution", scope, by_text.collect(), "anchortext");
    let by_page = incoming::pages_linked_to(&links, suffixes);
    agree_on_distribution(client, "pagedistribution&direction=in", scope, by_page, "linkedpage");
    for (question, rows) in incoming::summaries(&links, suffixes, &host_of(scope.url)) {
        assert_eq!(get(client, question, scope)["response"], rows, "{question} {scope}");
    }
    count
}

/// Compares every answer about the pages of a scope with its exported pages.
pub fn agree_on_pages<'a>(client: &Client, world: &World, scope: impl Into<About<'a>>) {
    let scope = scope.into();
    let pages = oracle::pages(client, scope);
    let links = outgoing::outgoinglinks(&pages, world);
    for (endpoint, rows, order) in [
        ("outgoinglinks", links.clone(), "-cdate"),
        ("outgoinghosts", outgoing::outgoinghosts(&links), "-frequency"),
        ("outgoinglinktexts", outgoing::outgoinglinktexts(&links), "-frequency"),
        ("outgoingtoppages", outgoing::outgoingtoppages(&links), "-extLinks"),
        ("httpstatus", outgoing::httpstatus(&pages), "-pages"),
    ] {
        agree_on_list(client, endpoint, scope, rows, &[order]);
    }
    let by_page = outgoing::pages_linked_to(&links, world);
    agree_on_distribution(client, "pagedistribution", scope, by_page, "linkedpage");
    let rows = outgoing::outgoinglinkcount(&pages);
    for order in ["linktype", "-linktype", "frequency", "-frequency"] {
        let answer = get(client, &format!("outgoinglinkcount&order[]={order}"), scope);
        assert_eq!(answer["response"], json!(oracle::ordered(rows.clone(), &[order])), "{scope}");
        assert_eq!(answer["count"], 3);
    }
}

/// The answer of an endpoint with additional parameters.
fn get(client: &Client, question: &str, scope: About<'_>) -> Value {
    let (endpoint, more) = question.split_once('&').unwrap_or((question, ""));
    client.json(&format!("/{endpoint}?{}&{more}", scope.query()))
}

fn agree_on_list(client: &Client, endpoint: &str, scope: About<'_>, rows: Vec<Value>, order: &[&str]) {
    let answer = list(client, endpoint, scope, "");
    assert_eq!(answer["count"], rows.len(), "{endpoint} {scope}");
    let expected = oracle::window(&oracle::ordered(rows, order), 0, 10_000, &[]);
    assert_eq!(answer["response"], json!(expected), "{endpoint} {scope}");
    let finished = answer.get("exportFinished");
    assert_eq!(finished.is_some(), endpoint != "geolocationshort", "{endpoint}");
}

fn agree_on_distribution(client: &Client, question: &str, scope: About<'_>, rows: Vec<Value>, name: &str) {
    let default = oracle::ordered(rows.clone(), &["-refdoms", "-frequency"]);
    let by_name = oracle::ordered(rows, &[&format!("-{name}")]);
    let by_name_asked = format!("&order[]=-{name}&top=1");
    for (more, rows, top) in [
        ("", &default, 9),
        ("&top=3", &default, 3),
        ("&top=100", &default, 100),
        (&by_name_asked, &by_name, 1),
    ] {
        let answer = get(client, &format!("{question}{more}"), scope);
        let expected = oracle::distribution(rows, top, name);
        assert_eq!(answer["count"], expected.len(), "{question}{more} {scope}");
        assert_eq!(answer["response"], json!(expected), "{question}{more} {scope}");
        assert_eq!(answer["exportFinished"], true);
    }
}

fn host_of(scope: &str) -> String {
    let address = if scope.contains("://") { scope.to_owned() } else { format!("http://{scope}") };
    url::Url::parse(&address).unwrap().host_str().unwrap().to_owned()
}

#[test]
fn every_answer_equals_the_slow_computation() {
    let suffixes = Suffixes::built_in().unwrap();
    for seed in 1..=3 {
        let records = random(seed, 250);
        let server = Server::start(&records);
        publish_ranks(&server, &records);
        let client = &server.client;
        let world = World::read(client, &suffixes, DOMAINS.iter().copied());
        for scope in SCOPES {
            agree(client, &suffixes, *scope);
            agree_on_pages(client, &world, *scope);
        }
    }
}

#[test]
fn links_of_the_own_domain_can_be_excluded() {
    let suffixes = Suffixes::built_in().unwrap();
    let server = Server::start(&random(4, 150));
    for (scope, own) in
        [("example.com", "example.com"), ("www.example.com", "example.com"), ("a.co.uk", "a.co.uk")]
    {
        let all = oracle::links(&server.client, scope);
        let foreign = all.iter().filter(|link| oracle::source_domain(&suffixes, link) != own).count();
        let get = |endpoint: &str| list(&server.client, endpoint, scope, "&internal=exclude");
        assert_eq!(get("backlinks")["count"], foreign);
        assert_eq!(get("anabacklinks")["response"][0]["backlinks"], foreign);
        assert_eq!(
            get("domainpopularity")["response"][0]["domainpopularity"],
            get("referringdomains")["count"]
        );
        assert!(scope == "a.co.uk" || foreign < all.len(), "{scope}");
    }
}

/// A web small enough to count by hand.
#[test]
fn answers_of_a_small_web_equal_known_figures() {
    let image = |target| Link { tag: LinkTag::Aimg, ..link(target, "") };
    let nofollow = Link { rel: Rel::NOFOLLOW.with(Rel::UGC), ..link("http://target.example/deep", "Deep") };
    let server = Server::start(&[
        page(
            "http://one.example/",
            "192.0.2.10",
            "SE",
            vec![link("http://target.example/", "Home"), nofollow],
        ),
        page("http://www.one.example/p", "192.0.2.9", "DE", vec![image("http://target.example/")]),
        page(
            "http://two.example/",
            "192.0.2.10",
            "SE",
            vec![link("http://two.example/own", "own"), link("https://www.target.example/", "Home")],
        ),
        page(
            "http://target.example/deep",
            "192.0.2.1",
            "",
            vec![link("http://www.target.example/", "not a backlink")],
        ),
        // A link that is gone at the second visit.
        page("http://gone.example/", "192.0.2.20", "", vec![link("http://target.example/", "Gone")]),
        later(page("http://gone.example/", "192.0.2.20", "", vec![]), 3),
    ]);
    let get = |target: &str| server.client.json(target);
    assert_eq!(
        get("/anabacklinks?url=target.example"),
        json!({ "response": [{ "backlinks": 4 }], "status": 200 })
    );
    assert_eq!(get("/domainpopularity?url=target.example")["response"][0]["domainpopularity"], 2);
    assert_eq!(get("/anabacklinks?url=target.example/")["response"][0]["backlinks"], 2);
    assert_eq!(get("/anabacklinks?url=www.target.example")["response"][0]["backlinks"], 1);
    assert_eq!(get("/anabacklinks?url=https://target.example/")["response"][0]["backlinks"], 0);
    assert_eq!(
        get("/linktexts?url=target.example"),
        json!({
            "exportFinished": true,
            "response": [
                { "percentage": 50, "refdoms": 2, "anchortext": "Home", "type": "OnlyText", "frequency": 2 },
                { "percentage": 25, "refdoms": 1, "anchortext": "", "type": "OnlyImages", "frequency": 1 },
                { "percentage": 25, "refdoms": 1, "anchortext": "Deep", "type": "OnlyText", "frequency": 1 },
            ],
            "count": 3,
            "range": { "offset": 0, "limit": 50 },
            "status": 200,
        })
    );
    assert_eq!(
        get("/referringdomains?url=target.example&limit=1"),
        json!({
            "exportFinished": true,
            "response": [{
                "dsCount": 1, "ccode": "SE", "domain": "one.example", "ip": "192.0.2.10", "links": 3,
                "ip_count_additional": 1, "sr": 0, "firstSeen": "20240229", "lastSeen": "20240229", "followed": 2,
            }],
            "count": 2,
            "range": { "offset": 0, "limit": 1 },
            "status": 200,
        })
    );
    let deep = get("/backlinks?url=target.example&where=nofollow+eq+true");
    assert_eq!(
        deep["response"][0],
        json!({
            "nofollow": true, "ugc": true, "sponsored": false, "active": true, "country": "Sweden", "nr": 1,
            "dsCount": 1, "extL": 2, "intL": 0, "sumL": 2, "insDate": "20240229", "cdate": "20240229",
            "updDate": "20240229", "udate": "20240229", "update": "20240229", "city": "", "ip": "192.0.2.10",
            "linktarget": "http://target.example/deep", "title": "Title of http://one.example/", "ccode": "SE",
            "blpcount": 2, "backlinkpage": "http://one.example/", "pos": 2, "linktext": "Deep", "tag": "a", "sr": 0,
        })
    );
    assert_eq!(deep["count"], 1);
}

#[test]
fn a_window_changes_neither_the_count_nor_the_row_numbers() {
    let server = Server::start(&random(5, 150));
    let whole = list(&server.client, "backlinks", "example.com", "&order[]=pos");
    let count = whole["count"].as_u64().unwrap() as usize;
    let window = server.client.json("/backlinks?url=example.com&order[0]=pos&offset=5&limit=3");
    assert_eq!(window["response"], json!(whole["response"].as_array().unwrap()[5..8]));
    assert_eq!((&window["response"][0]["nr"], &window["count"]), (&json!(6), &json!(count)));
    assert_eq!(window["range"], json!({ "offset": 5, "limit": 3 }));
    let none = server.client.json("/backlinks?url=example.com&limit=0");
    assert_eq!((&none["count"], &none["response"]), (&json!(count), &json!([])));
    let beyond = server.client.json("/backlinks?url=example.com&offset=100000");
    assert_eq!((&beyond["count"], &beyond["response"]), (&json!(count), &json!([])));
    assert_eq!(
        server.client.json("/backlinks?url=example.com")["range"],
        json!({ "offset": 0, "limit": 50 })
    );
}

#[test]
fn an_unsupported_order_is_ignored_with_a_warning() {
    let server = Server::start(&random(6, 100));
    let plain = server.client.json("/backlinks?url=example.com");
    assert!(plain.get("warnings").is_none());
    let odd = server.client.json("/backlinks?url=example.com&order[0]=-frequency&order[1]=nr");
    assert_eq!(odd["response"], plain["response"]);
    let warnings = odd["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].as_str().unwrap().contains("\"-frequency\""), "{warnings:?}");
    let mixed = server.client.json("/backlinks?url=example.com&order[1]=pos&order[0]=frequency");
    let by_pos = server.client.json("/backlinks?url=example.com&order[]=pos");
    assert_eq!(mixed["response"], by_pos["response"]);
}

#[test]
fn ranks_are_those_of_the_scope() {
    let server = Server::start(&[]);
    let pages =
        [("http://example.com/", 100), ("https://example.com/", 250), ("http://example.com/a", 1_000)];
    let mut pages = pages.into_iter().map(|(page, rank)| (url(page), SearchRank(rank)));
    let named = |names: &[(&str, u16)]| {
        names
            .iter()
            .map(|(name, rank)| ((*name).to_owned(), SearchRank(*rank)))
            .collect::<Vec<_>>()
            .into_iter()
    };
    let mut hosts = named(&[("www.example.com", 301), ("example.com", 302)]);
    let mut domains = named(&[("example.com", 486)]);
    server.store.publish_ranks(&mut pages, &mut hosts, &mut domains).unwrap();
    for (query, rank) in [
        ("example.com", json!(4.86)),
        ("www.example.com", json!(3.01)),
        ("example.com&scope=host", json!(3.02)),
        ("http://example.com/", json!(1)),
        ("example.com/", json!(2.5)),
        ("example.com/a", json!(10)),
        ("example.com/unknown", json!(0)),
        ("example.com/a&scope=domain", json!(4.86)),
        ("unknown.example", json!(0)),
    ] {
        let answer = server.client.json(&format!("/sr?url={query}"));
        assert_eq!(answer, json!({ "response": [{ "sr": rank }], "status": 200 }), "{query}");
    }
}

#[test]
fn a_server_stops_on_request_and_frees_its_address() {
    let mut server = Server::start(&[]);
    let address = server.client.address;
    assert_eq!(server.client.get("/health").status, 200);
    server.end();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let taken = backlinkd::api::bind(address).await.unwrap();
        let error = backlinkd::api::bind(taken.local_addr().unwrap()).await.unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains("api.listen"), "{error}");
        assert!(error.contains("--listen"), "{error}");
    });
}
