//! Lists beyond the contract, filtered, ordered and limited in every way.

use std::sync::LazyLock;

use backlinkd::api::ENDPOINTS;
use backlinkd::api::endpoints::backlinks::STRONGEST_OF_DOMAINS;
use backlinkd::api::endpoints::linkintersect;
use backlinkd::query::Listing;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::answers::publish_ranks;
use super::super::client::encode;
use super::super::oracle::{intelligence as slow, source_domain};
use super::super::question::{agree_on_facets, expected, question_except};
use super::super::server::Server;
use super::varied::varied;
use super::{Web, in_order_of, intersection};

const SCOPES: [&str; 3] = ["example.com", "www.example.com", "a.co.uk"];
const NUMBERS: &[&str] = &["nr", "dsCount"];

/// All rows of a list, in the order of their key.
struct Rows {
    /// Path and query.
    target: String,
    listing: Listing,
    rows: Vec<Value>,
    numbers: &'static [&'static str],
    /// Whether rows represent others; then these are all the represented rows.
    grouped: bool,
}

struct Served {
    server: Server,
    lists: Vec<Rows>,
}

fn declared(endpoint: &str) -> Listing {
    let endpoint = ENDPOINTS.iter().find(|declared| declared.name == endpoint).unwrap();
    Listing { ..*endpoint.handler.listing().unwrap() }
}

static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let records = varied(81, 900);
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    let web = Web::new(&server.client, &server.store);
    let mut lists = Vec::new();
    let mut push = |endpoint: &str, more: String, mut rows: Vec<Value>, numbers| {
        let target = format!("/{endpoint}?{more}");
        let listing = declared(endpoint);
        if listing.hidden_columns.iter().any(|column| column.name == "domain") {
            for row in &mut rows {
                row["domain"] = json!(source_domain(web.suffixes(), row));
            }
        }
        lists.push(Rows { target, listing, rows, numbers, grouped: false });
    };
    for scope in SCOPES {
        let (all, active) = (web.exported(scope, ""), web.active(scope, ""));
        let about = format!("url={}", encode(scope));
        let range = format!("{about}&from=20240301&to=20240315");
        let pages = slow::bestpages(&active, web.suffixes(), &web.states, |page| web.page_rank(page));
        push("bestpages", about.clone(), pages, &[]);
        push("brokenbacklinks", about.clone(), slow::brokenbacklinks(&active, &web.states), NUMBERS);
        push("newbacklinks", range.clone(), slow::newbacklinks(&all, 20_240_301, 20_240_315), NUMBERS);
        push("lostbacklinks", range, slow::lostbacklinks(&all, 20_240_301, 20_240_315), NUMBERS);
        push("competitors", about, web.competitors(scope, ""), &[]);
    }
    let longest = web.states.keys().map(|url| web.chains(url)).max_by_key(Vec::len).unwrap();
    push("redirectchain", format!("url={}", encode(longest[0]["url"].as_str().unwrap())), longest, &[]);
    let targets = ["example.com", "a.co.uk", "example.org"];
    let links: Vec<Vec<Value>> = targets.iter().map(|scope| web.active(scope, "")).collect();
    let rows =
        slow::linkintersect(&links, links.len(), &[], web.suffixes(), |domain| web.domain_rank(domain));
    // As many columns as targets.
    let listing = Listing { columns: &linkintersect::LISTING.columns[..6], ..linkintersect::LISTING };
    lists.push(Rows { target: intersection(&targets, &[], ""), listing, rows, numbers: &[], grouped: false });
    for scope in SCOPES {
        let target = format!("/backlinks?group=domain&url={}", encode(scope));
        let listing = Listing { ..STRONGEST_OF_DOMAINS };
        let rows = web.active(scope, "");
        lists.push(Rows { target, listing, rows, numbers: NUMBERS, grouped: true });
    }
    Served { server, lists }
});

fn a_question() -> impl Strategy<Value = (usize, super::super::question::Question)> {
    // Exports do not have the two flags.
    (0..SERVED.lists.len())
        .prop_flat_map(|at| (Just(at), question_except(&SERVED.lists[at].listing, &["ugc", "sponsored"])))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_are_filtered_ordered_and_limited_as_requested((at, question) in a_question()) {
        let Rows { target, listing, rows, numbers, grouped } = &SERVED.lists[at];
        let rows = if *grouped {
            let suffixes = SERVED.server.store.suffixes();
            let kept = slow::strongest(rows, suffixes, |row| question.passes(row));
            in_order_of(kept, rows)
        } else {
            rows.clone()
        };
        let (response, count) = expected(rows.clone(), &question, listing, numbers);
        let target = format!("{target}{}", question.query());
        let mut answer = SERVED.server.client.json(&target);
        agree_on_facets(&answer, &rows, &question);
        for row in answer["response"].as_array_mut().unwrap() {
            row.as_object_mut().unwrap().retain(|key, _| !matches!(key.as_str(), "ugc" | "sponsored"));
        }
        prop_assert_eq!(&answer["response"], &response, "{}", target);
        prop_assert_eq!(&answer["count"], &json!(count), "{}", target);
        prop_assert!(answer.get("warnings").is_none(), "{}", target);
    }
}

/// A list without rows would agree with any computation.
#[test]
fn every_list_has_rows() {
    for Rows { target, rows, .. } in &SERVED.lists {
        assert!(rows.len() > 2, "{target} has {} rows", rows.len());
    }
}

#[test]
fn an_unsupported_order_is_ignored_with_a_warning() {
    for Rows { target, .. } in &SERVED.lists {
        let odd = SERVED.server.client.json(&format!("{target}&order[]=nothing&order[]=-percentage"));
        let warnings = odd["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 2, "{target}");
        let plain = SERVED.server.client.json(target);
        assert_eq!(odd["response"], plain["response"], "{target}");
    }
}
