//! Golden files: what the program answers over a fixed data directory, its OpenAPI document and its metrics. A change that
//! is only to make the code better leaves all of them as they are.
//!
//! `tests/data/golden` holds the data directory of the demo as one version wrote it, and the files. Writing them again
//! (`GOLDEN=write cargo test golden`) needs a reason that the commit message gives. The examples of answers in the OpenAPI
//! document, `src/api/openapi/examples.json`, are written and compared at the same time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use backlinkd::api::{ENDPOINTS, Verb};
use serde_json::Value;

use super::former_formats::copy;
use super::process::{Place, get};
use crate::api::about::OF_THE_INDEX;

const CREDENTIALS: Option<&str> = Some("user:password");

/// Domains, hosts and pages of the demo.
const TARGETS: [&str; 3] =
    ["museum.example", "www.museum.example", "http://www.museum.example/collection/lamp"];

/// Parameters of endpoints that need others than `url`.
const OWN: [(&str, &[&str]); 9] = [
    ("history", &["url=museum.example&from=20260101&to=20270131&step=month"]),
    // It contains the time.
    ("summary", &[]),
    ("linkintersect", &["targets[]=museum.example&targets[]=observer.example"]),
    ("backlinkshort", &["urls[]=museum.example&urls[]=example.edu&urls[]=nobody.example"]),
    ("pagedistribution", &["url=museum.example"]),
    ("redirectchain", &["url=http://www.museum.example/collection/lamp"]),
    (
        "neighbourhood",
        &[
            "url=museum.example&since=20200101",
            "url=www.museum.example&since=20200101&nodes=4",
            "url=http://www.museum.example/collection/lamp&since=20301231",
        ],
    ),
    ("health", &[""]),
    ("", &[""]),
];

/// What lists take besides.
const LISTS: [&str; 3] = ["", "&limit=3&offset=2", "&internal=exclude&limit=20"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

fn paths() -> Vec<String> {
    let mut paths = Vec::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.verbs.contains(&Verb::Get)) {
        let name = endpoint.name;
        // The answers about the whole index show the time of their state.
        if name == "openapi.json" || OF_THE_INDEX.contains(&name) {
            continue;
        }
        if let Some((_, own)) = OWN.iter().find(|(own, _)| *own == name) {
            paths.extend(own.iter().map(|query| format!("/{name}?{query}")));
            continue;
        }
        for target in TARGETS {
            for list in LISTS {
                // Days since are counted from today where none is given.
                let days = "&from=20200101&to=20301231";
                paths.push(format!("/{name}?url={target}{list}{days}"));
            }
        }
    }
    for format in ["csv", "jsonl"] {
        for name in ["backlinks", "referringdomains", "linktexts", "exportbacklinks"] {
            paths.push(format!("/{name}?url=museum.example&format={format}&limit=20"));
        }
    }
    paths
}

/// Status and body of an answer.
fn answer(address: SocketAddr, path: &str) -> Value {
    let (status, answer) = get(address, path, CREDENTIALS);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
    serde_json::json!({ "status": status, "body": body })
}

/// The metrics' names and kinds, each with the labels that its samples have.
fn metrics(address: SocketAddr) -> Value {
    let (_, text) = get(address, "/metrics", CREDENTIALS);
    let mut metrics: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        metrics.insert(name.to_owned(), kind.to_owned());
    }
    for line in text.lines().filter(|line| line.starts_with("backlinkd_")) {
        let Some((name, labels)) = line.split_once('{') else { continue };
        let labels = labels.rsplit_once('}').unwrap().0;
        let names: Vec<&str> =
            labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0)).collect();
        metrics.insert(name.to_owned() + "{}", names.join(","));
    }
    serde_json::to_value(metrics).unwrap()
}

/// Parameters besides the required ones that are in the request of an example: the answer is short, and does not depend
/// on the current day.
const EXAMPLE_PARAMETERS: [&str; 6] = ["limit", "top", "nodes", "since", "step", "to"];

/// Values of an example that depend on the time of the run, or on the machine, with the values that stand for them.
fn fixed_values() -> [(&'static str, Value); 6] {
    let basis = "the file as last fetched";
    [
        ("/asOf/time", "2026-11-30T12:00:00Z".into()),
        ("/bytes", 367_432.into()),
        ("/diskFreeBytes", 43_209_072_640_u64.into()),
        ("/reasons", serde_json::json!(["Its next visit is due at 2026-12-07T01:26:40Z."])),
        ("/server/robots/basis", basis.into()),
        ("/servers/0/robots/basis", basis.into()),
    ]
}

/// The answer with fixed values instead of those of the run.
fn at_noon(mut answer: Value) -> Value {
    for (path, value) in fixed_values() {
        if let Some(found) = answer.pointer_mut(path) {
            *found = value;
        }
    }
    answer
}

/// The answer of each endpoint to the examples of its parameters. The document of the API is no example of itself.
fn examples(address: SocketAddr, document: &Value) -> BTreeMap<String, Value> {
    let mut examples = BTreeMap::new();
    for (path, item) in document["body"]["paths"].as_object().unwrap() {
        if path == "/openapi.json" || !item["get"].is_object() {
            continue;
        }
        let mut query = Vec::new();
        for parameter in item["get"]["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["required"] == true || EXAMPLE_PARAMETERS.contains(&name) {
                let values = parameter["example"].as_array().cloned();
                let values = values.unwrap_or_else(|| vec![parameter["example"].clone()]);
                query.extend(values.iter().map(|value| {
                    format!("{name}={}", value.as_str().map_or(value.to_string(), str::to_owned))
                }));
            }
        }
        let request = format!("{path}?{}", query.join("&"));
        let answer = answer(address, &request);
        assert_eq!(answer["status"], 200, "{request}: {answer}");
        examples.insert(path[1..].to_owned(), at_noon(answer["body"].clone()));
    }
    examples
}

/// Examples, one in each line.
fn lines(examples: &BTreeMap<String, Value>) -> String {
    let lines: Vec<String> =
        examples.iter().map(|(name, example)| format!("{}: {example}", Value::from(name.as_str()))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// The document without what it has from the file of examples, which is compared itself.
fn without_examples(mut document: Value) -> Value {
    for item in document["body"]["paths"].as_object_mut().unwrap().values_mut() {
        for operation in item.as_object_mut().unwrap().values_mut() {
            let json = operation.pointer_mut("/responses/200/content/application~1json");
            if let Some(json) = json {
                json.as_object_mut().unwrap().remove("example");
            }
            for parameter in operation["parameters"].as_array_mut().unwrap() {
                if parameter["name"] == "next" {
                    parameter.as_object_mut().unwrap().remove("example");
                }
            }
        }
    }
    document
}

#[test]
fn answers_metrics_and_openapi_are_the_golden_ones() {
    let place = Place::new();
    copy(&folder().join("index"), &place.data());
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = serving.address();
    let answers: BTreeMap<String, Value> =
        paths().into_iter().map(|path| (path.clone(), answer(address, &path))).collect();
    let document = answer(address, "/openapi.json");
    let examples = examples(address, &document);
    let found = [
        ("answers.json", serde_json::to_value(answers).unwrap()),
        ("openapi.json", without_examples(document)),
        ("metrics.json", metrics(address)),
    ];
    serving.signal("TERM");
    serving.end().with(0);
    assert!(place.run(&["verify"]).with(0).out.contains("Nothing is wrong"));
    let example_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/openapi/examples.json");
    if std::env::var_os("GOLDEN").is_some_and(|golden| golden == "write") {
        for (file, value) in found {
            std::fs::write(folder().join(file), serde_json::to_string(&value).unwrap() + "\n").unwrap();
        }
        std::fs::write(example_file, lines(&examples)).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(example_file).unwrap(), lines(&examples), "the examples");
    for (file, value) in found {
        let golden: Value = serde_json::from_slice(&std::fs::read(folder().join(file)).unwrap()).unwrap();
        let (value, golden) = (value.as_object().unwrap(), golden.as_object().unwrap());
        assert_eq!(value.keys().collect::<Vec<_>>(), golden.keys().collect::<Vec<_>>(), "{file}");
        for (name, golden) in golden {
            assert_eq!(&value[name], golden, "{file}: {name}");
        }
    }
}
