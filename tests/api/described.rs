//! The texts and examples in the OpenAPI document: every operation and every parameter has them, and they are true.

use std::collections::BTreeSet;

use backlinkd::api::{CRAWL_ENDPOINTS, ENDPOINTS, Topic};
use serde_json::Value;

use super::server::Server;

/// Paths without an example: the document is no example of itself.
const NO_EXAMPLE: [&str; 1] = ["/openapi.json"];
const MOST_WORDS: usize = 30;

fn document() -> Value {
    Server::start(&[]).client.json("/openapi.json")
}

/// Every operation with its path.
fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().values().map(move |operation| (path.as_str(), operation))
        })
        .collect()
}

fn assert_plain(text: &str, of: &str) {
    assert!(text.ends_with('.'), "{of}: {text}");
    for sentence in text.split(". ") {
        let words = sentence.split_whitespace().count();
        assert!((2..=MOST_WORDS).contains(&words), "{of}: {words} words: {sentence}");
    }
}

fn assert_fits(document: &Value, schema: &Value, example: &Value, of: &str) {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{of}: {example}: {}", wrong.join("; "));
}

#[test]
fn every_operation_has_a_title_a_description_and_a_tag() {
    let document = document();
    let topics: Vec<&str> = Topic::ALL.iter().map(|topic| topic.name()).collect();
    let mut used = BTreeSet::new();
    for (path, operation) in operations(&document) {
        let summary = operation["summary"].as_str().unwrap_or_else(|| panic!("{path} has no summary"));
        assert!((3..=60).contains(&summary.chars().count()), "{path}: {summary}");
        assert!(
            summary.starts_with(|c: char| c.is_uppercase()) && !summary.ends_with('.'),
            "{path}: {summary}"
        );
        assert_plain(operation["description"].as_str().unwrap(), path);
        let tags = operation["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 1, "{path}");
        assert!(topics.contains(&tags[0].as_str().unwrap()), "{path}: {tags:?}");
        used.insert(tags[0].as_str().unwrap());
    }
    let declared: Vec<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(declared.iter().copied().collect::<BTreeSet<_>>(), used);
    assert!(declared.is_sorted_by_key(|tag| topics.iter().position(|topic| topic == tag)));
}

#[test]
fn every_endpoint_has_a_title_of_its_own() {
    let all = || ENDPOINTS.iter().chain(CRAWL_ENDPOINTS);
    let titles: BTreeSet<&str> = all().map(|endpoint| endpoint.docs.summary).collect();
    assert_eq!(titles.len(), all().count());
}

/// The golden test compares the examples with the answers of a server.
#[test]
fn every_operation_has_an_example_that_fits_its_schema() {
    let document = document();
    for (path, operation) in operations(&document) {
        let content = &operation["responses"]["200"]["content"]["application/json"];
        // Signing in and out have no body, and controls are accepted with 202.
        if !operation["responses"]["200"].is_object() {
            continue;
        }
        assert_eq!(content.get("example").is_some(), !NO_EXAMPLE.contains(&path), "{path}");
        if let Some(example) = content.get("example") {
            assert_fits(&document, &content["schema"], example, path);
            let rows = example["response"].as_array().map_or(1, Vec::len);
            // In the index of the examples, nothing was lost yet, and both lists of the crawl are empty.
            let is_empty =
                ["/lostbacklinks", "/lostdomains", "/crawl/blocks", "/crawl/seeds"].contains(&path);
            assert!(rows > 0 || is_empty, "the example of {path} has no rows");
        }
    }
}

#[test]
fn every_parameter_has_a_description_and_an_example_that_fits_its_schema() {
    let document = document();
    let mut parameters = 0;
    for (path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().unwrap() {
            let of = format!("{} of {path}", parameter["name"]);
            assert_plain(parameter["description"].as_str().unwrap(), &of);
            // Where nothing can be filtered, no condition is an example.
            let is_ignored =
                parameter["schema"]["description"].as_str().is_some_and(|text| text.starts_with("Ignored"));
            assert_eq!(parameter.get("example").is_some(), !is_ignored, "{of}");
            if let Some(example) = parameter.get("example") {
                assert_fits(&document, &parameter["schema"], example, &of);
            }
            parameters += 1;
        }
    }
    assert!(parameters > 200, "{parameters}");
}

/// A request with every example at once is accepted. Facets are in JSON alone, and the example of a format is another.
#[test]
fn the_examples_of_parameters_are_accepted() {
    let server = Server::start(&[]);
    let document = server.client.json("/openapi.json");
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths.iter().filter(|(_, item)| item["get"].is_object()) {
        for left_out in ["facets", "format"] {
            let mut query = Vec::new();
            for parameter in item["get"]["parameters"].as_array().unwrap() {
                // Tokens belong to one index.
                let name = parameter["name"].as_str().unwrap();
                let is_given = name != "next" && name != left_out;
                let Some(example) = parameter.get("example").filter(|_| is_given) else { continue };
                let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
                let values = match example.as_array() {
                    Some(names) if name == "fields" => {
                        vec![names.iter().map(text).collect::<Vec<_>>().join(",")]
                    }
                    Some(values) => values.iter().map(text).collect(),
                    None => vec![text(example)],
                };
                query.extend(values.iter().map(|value| format!("{name}={}", super::client::encode(value))));
            }
            let target = format!("{path}?{}", query.join("&"));
            let reply = server.client.get(&target);
            assert_eq!(reply.status, 200, "{target}: {}", reply.text());
            assert!(!reply.text().contains(" was ignored; use one of "), "{target}: {}", reply.text());
        }
    }
}
