//! The declarations of the list endpoints, and the shapes of all answers, against the contract.

use std::collections::BTreeSet;

use backlinkd::api::{Answer, ENDPOINTS, Verb};
use backlinkd::query::Kind;
use serde_json::{Value, json};

use super::server::Server;
use super::web::{link, page};

fn contract() -> Value {
    serde_json::from_str(include_str!("../data/api/contract.json")).unwrap()
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
    for endpoint in ENDPOINTS {
        let verbs = endpoint.verbs.iter().map(|verb| match verb {
            Verb::Get => "GET",
            Verb::Post => "POST",
        });
        assert_eq!(set(verbs), set(words(&contract[endpoint.name]["methods"])), "{}", endpoint.name);
    }
}

#[test]
fn lists_order_and_filter_by_the_fields_of_the_contract() {
    let contract = contract();
    let mut lists = 0;
    for endpoint in ENDPOINTS {
        let Answer::List(listing) = &endpoint.answer else { continue };
        let promised = &contract[endpoint.name];
        let order = words(&promised["order_fields"]).into_iter().map(|field| field.trim_start_matches('-'));
        assert_eq!(set(listing.order_fields.iter().copied()), set(order), "{}", endpoint.name);
        assert_eq!(listing.default_order, words(&promised["default_order"]), "{}", endpoint.name);
        assert_eq!(
            set(listing.where_fields.iter().copied()),
            set(words(&promised["where_fields"])),
            "{}",
            endpoint.name
        );
        assert_eq!(promised["has_limit"], true);
        lists += 1;
    }
    assert_eq!(lists, 3);
}

/// Columns have the kinds that the example's values show, and exist under every name that is used.
#[test]
fn lists_declare_the_keys_and_types_of_the_example() {
    let contract = contract();
    for endpoint in ENDPOINTS {
        let Answer::List(listing) = &endpoint.answer else { continue };
        for (key, value) in contract[endpoint.name]["example"]["response"][0].as_object().unwrap() {
            let column = listing.column(key).unwrap();
            let fits = match listing.kind(column) {
                // A row number is made for the page alone.
                Err(_) | Ok(Kind::Number | Kind::Hundredths) => value.is_number(),
                Ok(Kind::Flag) => value.is_boolean(),
                Ok(Kind::Day | Kind::Text | Kind::Address) => value.is_string(),
            };
            assert!(fits, "{} of {}", key, endpoint.name);
        }
        for name in listing.order_fields.iter().chain(listing.where_fields) {
            assert!(listing.kind(listing.column(name).unwrap()).is_ok(), "{name} of {}", endpoint.name);
        }
    }
}

/// Whether the answer has all keys of the example, with values of the same type.
fn assert_shape(example: &Value, answer: &Value, path: &str) {
    match (example, answer) {
        (Value::Object(example), Value::Object(answer)) => {
            for (key, value) in example {
                let found = answer.get(key).unwrap_or_else(|| panic!("{path}.{key} is missing"));
                assert_shape(value, found, &format!("{path}.{key}"));
            }
        }
        (Value::Array(example), Value::Array(answer)) => {
            assert!(!answer.is_empty(), "{path} is empty");
            for row in answer {
                assert_shape(&example[0], row, &format!("{path}[]"));
            }
        }
        // The token of the last piece.
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
        page("http://target.example/", "192.0.2.2", "", vec![link("http://third.example/", "z")]),
    ]);
    let contract = contract();
    for endpoint in ENDPOINTS {
        // The page with links both ways.
        let scope = if endpoint.name == "exportpages" { "source.example" } else { "target.example" };
        let answer = server.client.json(&format!("/{}?url={scope}&limit=1", endpoint.name));
        assert_shape(&contract[endpoint.name]["example"], &answer, endpoint.name);
        for documented in contract[endpoint.name]["keys"].as_array().unwrap() {
            let path = documented[0].as_str().unwrap();
            let pointer = path.replace("[]", ".0").replace("[0]", ".0").replace('.', "/");
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
    assert_eq!(root["endpoints"], json!(ENDPOINTS.iter().map(|endpoint| endpoint.name).collect::<Vec<_>>()));
    assert_eq!(server.client.json("/health"), json!({ "health": "ok", "status": 200 }));
}
