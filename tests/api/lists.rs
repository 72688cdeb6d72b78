//! Lists of a served web, queried in every way, compared with a slow computation.

use std::sync::LazyLock;

use backlinkd::api::ENDPOINTS;
use backlinkd::query::Listing;
use backlinkd::urls::Suffixes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::answers::publish_ranks;
use super::client::encode;
use super::oracle::outgoing::World;
use super::oracle::{self, incoming, outgoing};
use super::question::{agree_on_facets, expected, question};
use super::server::Server;
use super::web::{DOMAINS, random};

const SCOPES: [&str; 3] = ["example.com", "http://www.example.com/", "a.co.uk"];

/// All rows of a list, in the order of their key.
struct Rows {
    endpoint: &'static str,
    listing: &'static Listing,
    scope: &'static str,
    rows: Vec<Value>,
}

struct Served {
    server: Server,
    lists: Vec<Rows>,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let records = random(51, 300);
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    let suffixes = Suffixes::built_in().unwrap();
    let world = World::read(&server.client, &suffixes, DOMAINS.iter().copied());
    let mut lists = Vec::new();
    for scope in SCOPES {
        let links = oracle::links(&server.client, scope);
        let pages = oracle::pages(&server.client, scope);
        let outlinks = outgoing::outgoinglinks(&pages, &world);
        for (endpoint, rows) in [
            ("linkedpages", incoming::linkedpages(&links, &suffixes)),
            ("tagtypes", incoming::tagtypes(&links, &suffixes)),
            ("iplist", incoming::iplist(&links)),
            ("tldlist", incoming::tldlist(&links, &suffixes)),
            ("geolocationshort", incoming::geolocationshort(&links)),
            ("outgoinghosts", outgoing::outgoinghosts(&outlinks)),
            ("outgoinglinktexts", outgoing::outgoinglinktexts(&outlinks)),
            ("outgoingtoppages", outgoing::outgoingtoppages(&outlinks)),
            ("outgoinglinks", outlinks),
            ("httpstatus", outgoing::httpstatus(&pages)),
        ] {
            let declared = ENDPOINTS.iter().find(|declared| declared.name == endpoint).unwrap();
            let listing = declared.handler.listing().unwrap();
            lists.push(Rows { endpoint, listing, scope, rows });
        }
    }
    Served { server, lists }
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_are_filtered_ordered_and_limited_as_requested(
        (at, question) in (0..SERVED.lists.len()).prop_flat_map(|at| (Just(at), question(SERVED.lists[at].listing))),
    ) {
        let Rows { endpoint, listing, scope, rows } = &SERVED.lists[at];
        let (response, count) = expected(rows.clone(), &question, listing, &[]);
        let target = format!("/{endpoint}?url={}{}", encode(scope), question.query());
        let answer = SERVED.server.client.json(&target);
        agree_on_facets(&answer, rows, &question);
        prop_assert_eq!(&answer["response"], &response, "{}", target);
        prop_assert_eq!(&answer["count"], &json!(count), "{}", target);
        // An empty result of `where` is not explained.
        let is_explained = rows.is_empty() && question.conditions.is_empty();
        prop_assert_eq!(answer.get("warnings").is_some(), is_explained, "{}", target);
    }
}

/// Each row has one value of each column, so the rows of a facet add up to the count.
#[test]
fn facets_show_the_most_frequent_values_and_sum_up_the_others() {
    let client = &SERVED.server.client;
    let target = "/backlinks?url=example.com&limit=3&facets=backlinkpage,tag,domain&where=";
    let answer = client.json(&format!("{target}{}", encode("NOT (tag eq 'a' OR pos gt 40)")));
    let count = answer["count"].as_u64().unwrap();
    for facet in ["backlinkpage", "tag", "domain"] {
        let values = answer["facets"][facet].as_array().unwrap();
        let shown: u64 = values.iter().map(|value| value["rows"].as_u64().unwrap()).sum();
        assert_eq!(shown + answer["others"][facet].as_u64().unwrap(), count, "{answer}");
        assert!(values.is_sorted_by(|a, b| a["rows"].as_u64() >= b["rows"].as_u64()), "{values:?}");
        for value in values {
            let condition = format!(
                "NOT (tag eq 'a' OR pos gt 40) AND {facet} eq '{}'",
                value["value"].as_str().unwrap().replace('\'', "''")
            );
            let found =
                client.json(&format!("/backlinks?url=example.com&limit=0&where={}", encode(&condition)));
            assert_eq!(found["count"], value["rows"], "{condition}");
        }
    }
    assert_eq!(answer["facets"]["backlinkpage"].as_array().unwrap().len(), 20);
    assert!(answer["others"]["backlinkpage"].as_u64().unwrap() > 20, "{answer}");
    assert_eq!(answer["response"].as_array().unwrap().len(), 3);
    assert!(answer["response"][0].get("domain").is_none());
}

/// Lost links are listed on request, and counted nowhere else.
#[test]
fn lost_links_can_be_listed() {
    let client = &SERVED.server.client;
    let exported = oracle::export(client, "exportbacklinks", "example.com", 10_000);
    let count =
        |active: &str| client.json(&format!("/backlinks?url=example.com&limit=0{active}"))["count"].clone();
    let lost = exported.iter().filter(|link| link["active"] == false).count();
    assert!(lost > 10, "{lost}");
    assert_eq!(count("&active=all"), exported.len());
    assert_eq!(count("&active=false"), lost);
    assert_eq!(count("&active=true"), exported.len() - lost);
    assert_eq!(count(""), exported.len() - lost);
    let rows = client.json("/backlinks?url=example.com&limit=10000&active=false");
    assert!(rows["response"].as_array().unwrap().iter().all(|row| row["active"] == false));
}
