//! The OpenAPI document, compared with the behaviour of the API.

use backlinkd::api::{AuthPolicy, CRAWL_ENDPOINTS, ENDPOINTS, hash_password};
use backlinkd::config::ApiConfig;
use serde_json::{Value, json};

use super::about::required;
use super::answers::publish_ranks;
use super::client::{Client, encode};
use super::server::Server;
use super::web::random;

fn served() -> Server {
    let records = random(91, 200);
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    server
}

fn assert_valid(document: &Value, schema: &Value, answer: &Value, target: &str) {
    // References point into the document.
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{target}: {}", wrong.join("\n"));
}

fn schema<'d>(document: &'d Value, name: &str, method: &str) -> &'d Value {
    let schema = &document["paths"][format!("/{name}")][method]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert!(schema.is_object(), "{name}");
    schema
}

#[test]
fn every_answer_matches_the_document() {
    let server = served();
    let document = server.client.json("/openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), ENDPOINTS.len() + CRAWL_ENDPOINTS.len() + 5);
    for (path, item) in paths {
        if item.get("get").is_none() {
            continue;
        }
        let name = &path[1..];
        for more in [
            "",
            "&unknown=1&scope=url",
            "&limit=3&fields=",
            "&showgroup=true",
            "&direction=in",
            "&group=domain",
            "&facets=",
        ] {
            let fields = ENDPOINTS.iter().find(|endpoint| endpoint.name == name);
            let fields = fields.filter(|endpoint| endpoint.handler.is_tabular());
            let first = fields.map_or(String::new(), |endpoint| endpoint.column_names()[0].to_owned());
            let countable = fields.and_then(|endpoint| endpoint.handler.listing());
            let countable = countable.map_or("", |listing| listing.order_fields()[0]);
            let more = match more {
                "&facets=" if countable.is_empty() => String::new(),
                "&facets=" => format!("{more}{countable}"),
                _ if more.ends_with("fields=") => format!("{more}{first}"),
                _ => more.to_owned(),
            };
            let target = format!("{path}?{}{more}", required(name, "example.com"));
            assert_valid(&document, schema(&document, name, "get"), &server.client.json(&target), &target);
        }
    }
    for (path, body) in [
        ("/backlinkshort", "[\"example.com\"]"),
        ("/summary", "{\"urls\":[\"example.com\",\"unknown.example\"]}"),
        ("/iscached", "{\"url\":\"a.example\",\"resources\":\"sr\"}"),
    ] {
        let reply = server.client.send("POST", path, &["Content-Type: application/json"], body.as_bytes());
        let operation = &document["paths"][path]["post"];
        assert_valid(&document, schema(&document, &path[1..], "post"), &reply.json(), path);
        let wanted = &operation["requestBody"]["content"]["application/json"];
        assert_valid(&document, &wanted["schema"], &wanted["example"], path);
        assert_valid(&document, &wanted["schema"], &serde_json::from_str(body).unwrap(), path);
    }
    let error = &document["components"]["schemas"]["Error"];
    for target in ["/nothing", "/sr", "/backlinks?url=a.example&limit=x", "/backlinks?url=a.example&where=x"]
    {
        assert_valid(&document, error, &server.client.get(target).json(), target);
    }
}

/// The rows of the test above are not empty, and a schema rejects other values.
#[test]
fn the_schemas_reject_other_answers() {
    let server = served();
    let document = server.client.json("/openapi.json");
    for name in ENDPOINTS.iter().map(|endpoint| endpoint.name) {
        let mut answer = server.client.json(&format!("/{name}?{}", required(name, "example.com")));
        let validator = jsonschema::validator_for(schema(&document, name, "get")).unwrap();
        assert!(validator.is_valid(&answer), "{name}");
        if let Some(rows) = answer["response"].as_array_mut() {
            let row = rows[0].as_object_mut().unwrap_or_else(|| panic!("{name} has no rows"));
            row.insert("more".to_owned(), json!(1));
            assert!(!validator.is_valid(&answer), "{name}: another key");
        }
        answer.as_object_mut().unwrap().remove("status");
        assert!(!validator.is_valid(&answer), "{name}: no status");
    }
}

#[test]
fn a_summary_names_every_kind_of_scope() {
    let server = served();
    let document = server.client.json("/openapi.json");
    for kind in ["url", "host", "domain", "prefix"] {
        let target = format!("/summary?url=example.com&scope={kind}");
        let answer = server.client.json(&target);
        assert_eq!(answer["scope"], kind);
        assert_valid(&document, schema(&document, "summary", "get"), &answer, &target);
    }
}

#[test]
fn the_document_has_the_parameters_with_their_bounds() {
    let config = ApiConfig { max_limit: 77, max_urls: 9, ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    let document = server.client.json("/openapi.json");
    let parameter = |path: &str, name: &str| -> Value {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap().clone();
        parameters.into_iter().find(|parameter| parameter["name"] == name).unwrap_or(Value::Null)
    };
    assert_eq!(parameter("/backlinks", "limit")["schema"]["maximum"], 77);
    assert_eq!(parameter("/anaurls", "urls[]")["schema"]["anyOf"][0]["maxItems"], 9);
    assert_eq!(parameter("/linkintersect", "targets[]")["schema"]["minItems"], 2);
    assert_eq!(parameter("/linkintersect", "targets[]")["schema"]["maxItems"], 20);
    assert_eq!(parameter("/backlinks", "url")["required"], true);
    assert_eq!(
        parameter("/backlinks", "scope")["schema"]["enum"],
        json!(["url", "host", "domain", "prefix"])
    );
    assert_eq!(parameter("/linktexts", "active"), Value::Null);
    assert_eq!(parameter("/backlinks", "active")["schema"]["enum"], json!(["true", "false", "all"]));
    let columns = &parameter("/linktexts", "fields")["schema"]["items"]["enum"];
    assert_eq!(*columns, json!(["percentage", "refdoms", "anchortext", "type", "frequency"]));
    // Each word of a list is accepted, and each bound is exact.
    for endpoint in ENDPOINTS {
        let needed = required(endpoint.name, "example.com");
        for parameter in
            document["paths"][format!("/{}", endpoint.name)]["get"]["parameters"].as_array().unwrap()
        {
            let name = parameter["name"].as_str().unwrap();
            let status = |value: &str| {
                let given: Vec<&str> = needed
                    .split('&')
                    .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name))
                    .collect();
                server.client.get(&format!("/{}?{}&{name}={value}", endpoint.name, given.join("&"))).status
            };
            for word in parameter["schema"]["enum"].as_array().into_iter().flatten() {
                assert_eq!(status(word.as_str().unwrap()), 200, "{name}={word} of {}", endpoint.name);
            }
            for bound in ["minimum", "maximum"] {
                let Some(bound) = parameter["schema"][bound].as_i64() else { continue };
                let beyond = if bound <= 1 { bound - 1 } else { bound + 1 };
                assert_eq!((status(&bound.to_string()), status(&beyond.to_string())), (200, 400), "{name}");
            }
        }
    }
}

/// Columns that only some requests have are described, but are not among those that any request may use.
#[test]
fn the_document_has_the_columns_of_some_requests() {
    let server = served();
    let document = server.client.json("/openapi.json");
    for (name, more, columns, when) in [
        ("backlinks", "&group=domain", "domain,domainLinks", "with group=domain"),
        ("backlinks", "&details=true", "confirmed,doubt,reason", "with details=true"),
        ("newbacklinks", "&details=true", "confirmed,doubt,reason", "with details=true"),
        ("referringdomains", "&details=true", "refdoms", "with details=true"),
        ("linkintersect", "&targets[]=example.com", "links3", "with as many targets[]"),
    ] {
        let target = format!("/{name}?{}{more}", required(name, "example.com"));
        let answer = server.client.json(&target);
        assert_valid(&document, schema(&document, name, "get"), &answer, &target);
        let described = &schema(&document, name, "get")["properties"]["response"]["items"]["properties"];
        let parameters = document["paths"][format!("/{name}")]["get"]["parameters"].as_array().unwrap();
        for column in columns.split(',') {
            assert!(answer["response"][0].get(column).is_some(), "{target}: {answer}");
            assert_eq!(described[column]["description"], format!("Only {when}."));
            for wanted in ["where", "order[]", "fields"] {
                let parameter = parameters.iter().find(|parameter| parameter["name"] == wanted).unwrap();
                let about = parameter["description"].as_str().unwrap();
                let is_named = about.contains(column) || (wanted, column) == ("order[]", "domain");
                assert!(is_named && about.contains(when), "{wanted}: {about}");
                assert!(!parameter["schema"].to_string().contains(&format!("\"{column}\"")), "{wanted}");
            }
        }
    }
}

/// Every column can be used as `x-columns` says, and in no other way.
#[test]
fn columns_take_the_operators_that_the_document_names() {
    let server = served();
    let document = server.client.json("/openapi.json");
    let operators = [
        "lt",
        "le",
        "gt",
        "ge",
        "eq",
        "ne",
        "in",
        "like",
        "notlike",
        "contains",
        "startswith",
        "endswith",
        "matches",
    ];
    let mut lists = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(columns) = item["get"]["x-columns"].as_array() else { continue };
        lists += 1;
        let target = format!("{path}?{}&limit=1", required(&path[1..], "example.com"));
        let status = |more: String| server.client.get(&format!("{target}&{more}")).status;
        for column in columns.iter().filter(|column| column.get("when").is_none()) {
            let name = column["name"].as_str().unwrap();
            let value = match column["kind"].as_str().unwrap() {
                "number" | "rank" => "1",
                "flag" => "true",
                "day" => "'20240229'",
                "text" => "'a'",
                "address" => "'192.0.2.1'",
                kind => panic!("{kind}"),
            };
            let accepted = operators.map(|operator| {
                let value = if operator == "in" { format!("({value},{value})") } else { value.to_owned() };
                status(format!("where={}", encode(&format!("NOT {name} {operator} {value}")))) == 200
            });
            let named = operators.map(|operator| {
                column["operators"].as_array().unwrap().iter().any(|named| named == operator)
            });
            assert_eq!(accepted, named, "{path}: {column}");
            let ordered = server.client.json(&format!("{target}&order[]=-{name}"));
            let is_sortable = !ordered["warnings"].to_string().contains("order field");
            assert_eq!(json!(is_sortable), column["sortable"], "{path}: {column}");
            let is_distribution = path.contains("distribution");
            let has_facets = status(format!("facets={name}")) == 200;
            assert_eq!(json!(has_facets), json!(is_distribution || is_sortable), "{path}: {column}");
        }
    }
    assert_eq!(lists, ENDPOINTS.iter().filter(|endpoint| endpoint.handler.listing().is_some()).count());
}

#[test]
fn the_document_requires_and_declares_credentials() {
    let server = Server::start_with(&[], ApiConfig::default(), AuthPolicy::Users);
    server.store.put_user("user", &hash_password("secret").unwrap()).unwrap();
    assert_eq!(server.client.get("/openapi.json").status, 401);
    let document = Client::with_user(server.client.address, "user", "secret").json("/openapi.json");
    assert_eq!(document["security"], json!([{ "basic": [] }, { "bearer": [] }, { "session": [] }]));
    assert_eq!(document["components"]["securitySchemes"]["basic"]["scheme"], "basic");
    assert!(Server::start(&[]).client.json("/openapi.json").get("security").is_none());
}
