//! Compares the declarations of the list endpoints, and the shapes of all answers, with the contract.

use std::collections::BTreeSet;

use backlinkd::api::{CRAWL_ENDPOINTS, ENDPOINTS, Endpoint, Handler, Verb};
use backlinkd::query::ValueType;
use serde_json::{Value, json};

use super::server::Server;
use super::web::{link, page};

pub fn contract() -> Value {
    serde_json::from_str(include_str!("../data/api/contract.json")).unwrap()
}

/// Only `iscached` uses this name.
const UNDOCUMENTED: &str = "httpstatus";

/// Endpoints that the contract does not contain, in alphabetical order.
pub const BEYOND: &[&str] = &[
    "bestpages",
    "brokenbacklinks",
    "competitors",
    "domains",
    "history",
    "linkintersect",
    "lostbacklinks",
    "lostdomains",
    "neighbourhood",
    "newbacklinks",
    "newdomains",
    "redirectchain",
    "stats",
    "suggest",
    "summary",
];

fn documented() -> impl Iterator<Item = &'static Endpoint> {
    ENDPOINTS
        .iter()
        .copied()
        .filter(|endpoint| endpoint.name != UNDOCUMENTED && !BEYOND.contains(&endpoint.name))
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().map(|list| list.iter().map(|word| word.as_str().unwrap()).collect()).unwrap_or_default()
}

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    words.into_iter().collect()
}

#[test]
fn every_endpoint_is_in_the_contract_with_its_methods() {
    let contract = contract();
    assert!(ENDPOINTS.is_sorted_by_key(|endpoint| endpoint.name));
    let names = set(ENDPOINTS.iter().map(|endpoint| endpoint.name));
    let mut promised = set(contract.as_object().unwrap().keys().map(String::as_str));
    assert!(promised.insert(UNDOCUMENTED));
    for name in BEYOND {
        assert!(promised.insert(name), "{name} is in the contract");
    }
    assert_eq!(names, promised);
    for endpoint in documented() {
        let verbs = endpoint.verbs.iter().map(|verb| match verb {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        });
        assert_eq!(set(verbs), set(words(&contract[endpoint.name]["methods"])), "{}", endpoint.name);
    }
}

#[test]
fn lists_order_and_filter_by_the_fields_of_the_contract() {
    let contract = contract();
    let mut lists = 0;
    for endpoint in documented() {
        let Some(listing) = endpoint.handler.listing() else { continue };
        let promised = &contract[endpoint.name];
        let order = words(&promised["order_fields"]).into_iter().map(|field| field.trim_start_matches('-'));
        let fields = set(listing.order_fields());
        assert!(set(order).is_subset(&fields), "{}", endpoint.name);
        assert_eq!(listing.default_order, words(&promised["default_order"]), "{}", endpoint.name);
        assert!(set(words(&promised["where_fields"])).is_subset(&fields), "{}", endpoint.name);
        let is_distribution = matches!(endpoint.handler, Handler::Distribution { .. });
        assert_eq!(promised["has_limit"], !is_distribution, "{}", endpoint.name);
        let finished = promised["example"].get("exportFinished").is_some();
        assert_eq!(endpoint.handler.reports_completeness(), finished, "{}", endpoint.name);
        lists += 1;
    }
    let ordered =
        contract.as_object().unwrap().values().filter(|promised| promised["order_fields"].is_array());
    // The links of pages are counted in three fixed rows.
    assert_eq!(lists, ordered.count() - 1);
}

/// Columns have the types of the example's values, and exist under every name in use.
#[test]
fn lists_declare_the_keys_and_types_of_the_example() {
    let contract = contract();
    for endpoint in documented() {
        let Some(listing) = endpoint.handler.listing() else { continue };
        for (key, value) in contract[endpoint.name]["example"]["response"][0].as_object().unwrap() {
            let column = listing.column(key).unwrap();
            let fits = match listing.value_type(column) {
                // A row number is computed for the page only.
                None
                | Some(
                    ValueType::Number
                    | ValueType::Hundredths
                    | ValueType::TenThousandths
                    | ValueType::DayNumber,
                ) => value.is_number(),
                Some(ValueType::Flag) => value.is_boolean(),
                Some(ValueType::Day | ValueType::Text | ValueType::Address) => value.is_string(),
            };
            assert!(fits, "{} of {}", key, endpoint.name);
        }
        for column in listing.usable_columns() {
            assert!(listing.value_type(column).is_some(), "{} of {}", column.name, endpoint.name);
        }
    }
}

/// Whether the answer has all keys of the example, with values of the same type.
pub fn assert_shape(example: &Value, answer: &Value, path: &str) {
    match (example, answer) {
        (Value::Object(example), Value::Object(answer)) => {
            for (key, value) in example {
                let found = answer.get(key).unwrap_or_else(|| panic!("{path}.{key} is missing"));
                assert_shape(value, found, &format!("{path}.{key}"));
            }
        }
        (Value::Array(example), Value::Array(answer)) => {
            assert!(!answer.is_empty(), "{path} is empty");
            for (at, row) in answer.iter().enumerate() {
                let like = example.get(at).unwrap_or(&example[0]);
                assert_shape(like, row, &format!("{path}[{at}]"));
            }
        }
        // The token of the last chunk.
        (Value::String(_), Value::Null) if path.ends_with(".next") => {}
        (example, answer) => {
            assert_eq!(std::mem::discriminant(example), std::mem::discriminant(answer), "{path}: {answer}");
        }
    }
}

#[test]
fn answers_have_the_shape_of_the_examples_and_every_documented_key() {
    let server = Server::start(&[
        page(
            "http://source.example/",
            "192.0.2.1",
            "SE",
            vec![link("http://target.example/", "x"), link("http://source.example/b", "y")],
        ),
        page(
            "http://target.example/",
            "192.0.2.2",
            "",
            vec![link("http://third.example/", "z"), link("http://target.example/a", "y")],
        ),
    ]);
    let contract = contract();
    for endpoint in documented() {
        let more = match endpoint.name {
            "anaurls" | "backlinkshort" => "urls[]=target.example&urls[]=source.example",
            "iscached" => "resources=backlinks,httpstatus",
            "backlinks-histogram" | "newandlost-histogram" => "from=20240101",
            _ => "limit=1",
        };
        let answer = server.client.json(&format!("/{}?url=target.example&{more}", endpoint.name));
        assert_shape(&contract[endpoint.name]["example"], &answer, endpoint.name);
        for documented in contract[endpoint.name]["keys"].as_array().unwrap() {
            let path = documented[0].as_str().unwrap();
            // The second row of two with one key each, and a name that represents others.
            let path = path.replace("[0].deeplinks", "[1].deeplinks").replace("[0].nofollow", "[1].nofollow");
            let path = path.replace("<endpoint_name>", "httpstatus");
            let pointer =
                path.replace("[]", ".0").replace("[0]", ".0").replace("[1]", ".1").replace('.', "/");
            assert!(answer.pointer(&pointer).is_some(), "{}: {path}", endpoint.name);
        }
    }
}

#[test]
fn the_root_lists_the_endpoints() {
    let server = Server::start(&[]);
    let root = server.client.json("/");
    assert_eq!(root["name"], "backlinkd");
    assert_eq!(root["version"], env!("CARGO_PKG_VERSION"));
    let names: Vec<&str> = ENDPOINTS.iter().chain(CRAWL_ENDPOINTS).map(|endpoint| endpoint.name).collect();
    assert_eq!(root["endpoints"], json!(names));
    assert_eq!(server.client.json("/health"), json!({ "health": "ok", "status": 200 }));
}
