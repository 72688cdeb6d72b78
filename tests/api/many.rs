//! Requests about many URLs, and requests with a body.

use backlinkd::api::AuthPolicy;
use backlinkd::config::ApiConfig;
use serde_json::{Value, json};

use super::answers::publish_ranks;
use super::client::{Client, Reply, encode};
use super::server::Server;
use super::web::random;

const JSON: &str = "Content-Type: application/json";

fn post(client: &Client, target: &str, header: &str, body: &str) -> Reply {
    client.send("POST", target, &[header], body.as_bytes())
}

const URLS: &[&str] = &[
    "example.org",
    "example.com",
    "HTTP://WWW.Example.com",
    "example.com/",
    "bücher.example",
    "unknown.example",
    "example.com",
];

#[test]
fn rows_have_the_requested_order_and_the_url_as_given() {
    let records = random(41, 250);
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    let client = &server.client;
    let figure = |endpoint: &str, url: &str| {
        let answer = client.json(&format!("/{endpoint}?url={}", encode(url)));
        answer["response"][0].as_object().unwrap().values().next().unwrap().clone()
    };
    let rows: Vec<Value> = URLS
        .iter()
        .map(|url| {
            json!({
                "url": url, "backlinks": figure("anabacklinks", url), "refdoms": figure("domainpopularity", url),
                "sr": figure("sr", url),
            })
        })
        .collect();
    assert_ne!(rows[1]["backlinks"], 0);
    let unknown = ["unknown.example is not known to this index."];
    let expected = json!({ "response": rows, "count": URLS.len(), "status": 200, "warnings": unknown });
    let pairs = |number: fn(usize) -> String| -> String {
        URLS.iter().enumerate().map(|(at, url)| format!("&urls[{}]={}", number(at), encode(url))).collect()
    };
    for query in [pairs(|_| String::new()), pairs(|at| at.to_string())] {
        assert_eq!(client.json(&format!("/backlinkshort?{query}")), expected);
    }
    let body = serde_json::to_string(URLS).unwrap();
    for header in [JSON, "content-type: Application/JSON; charset=utf-8"] {
        let reply = post(client, "/backlinkshort", header, &body);
        assert_eq!((reply.status, reply.json()), (200, expected.clone()));
    }
    let mut short = expected;
    for row in short["response"].as_array_mut().unwrap() {
        row.as_object_mut().unwrap().remove("sr");
    }
    assert_eq!(client.json(&format!("/anaurls?{}", pairs(|_| String::new()))), short);
}

#[test]
fn scope_and_internal_apply_to_all_urls() {
    let server = Server::start(&random(42, 250));
    let client = &server.client;
    for more in ["scope=host", "scope=domain&internal=exclude"] {
        let one = |url: &str| {
            client.json(&format!("/anabacklinks?url={url}&{more}"))["response"][0]["backlinks"].clone()
        };
        let asked = client.json(&format!("/anaurls?urls[]=example.com&urls[]=www.example.com&{more}"));
        let found: Vec<Value> = (0..2).map(|at| asked["response"][at]["backlinks"].clone()).collect();
        assert_eq!(found, [one("example.com"), one("www.example.com")], "{more}");
        let posted = post(client, &format!("/backlinkshort?{more}"), JSON, r#"["example.com"]"#);
        assert_eq!(posted.json()["response"][0]["backlinks"], one("example.com"));
    }
}

#[test]
fn more_urls_than_allowed_are_refused() {
    let server = Server::start(&[]);
    let urls = |count: usize| vec!["a.example"; count];
    let send = |count: usize| {
        let body = serde_json::to_string(&urls(count)).unwrap();
        post(&server.client, "/backlinkshort", JSON, &body)
    };
    assert_eq!(send(1_000).json()["count"], 1_000);
    let refused = send(1_001);
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"].as_str().unwrap().contains("1001 URLs; name at most 1000"));
    let few = Server::start_with(&[], ApiConfig { max_urls: 2, ..ApiConfig::default() }, AuthPolicy::Open);
    for (query, status) in
        [("urls[]=a.example&urls[]=b.example", 200), ("urls=a.example&urls=b.example&urls=c.example", 400)]
    {
        for endpoint in ["anaurls", "backlinkshort"] {
            assert_eq!(few.client.get(&format!("/{endpoint}?{query}")).status, status, "{query}");
        }
    }
}

const BAD_BODIES: &[(&str, &str, &str, &str)] = &[
    ("/backlinkshort", JSON, "", "the body cannot be read"),
    ("/backlinkshort", JSON, "[", "send JSON like [\"example.com\""),
    ("/backlinkshort", JSON, "{}", "send JSON like"),
    ("/backlinkshort", JSON, "null", "send JSON like"),
    ("/backlinkshort", JSON, "\"example.com\"", "send JSON like"),
    ("/backlinkshort", JSON, "[1]", "send JSON like"),
    ("/backlinkshort", JSON, "[\"example.com\", null]", "send JSON like"),
    ("/backlinkshort", JSON, "[\"example.com\"] x", "send JSON like"),
    ("/backlinkshort", JSON, "['example.com']", "send JSON like"),
    ("/backlinkshort", JSON, "[\"\\ud800\"]", "send JSON like"),
    ("/backlinkshort", JSON, "[]", "urls is missing"),
    ("/backlinkshort", JSON, "[\"example.com\", \"\"]", "entry 2 of urls, \"\""),
    ("/backlinkshort", JSON, "[\"a..b\"]", "entry 1 of urls, \"a..b\""),
    ("/backlinkshort", JSON, "[\"mailto:a@example.com\"]", "entry 1 of urls"),
    (
        "/backlinkshort",
        "Content-Type: text/plain",
        "[\"example.com\"]",
        "\"text/plain\"; it must be application/json",
    ),
    ("/backlinkshort", "Content-Type: application/x-www-form-urlencoded", "urls[]=a", "application/json"),
    ("/backlinkshort", "Content-Type: application/jsonp", "[\"example.com\"]", "application/json"),
    ("/backlinkshort", "X-Other: 1", "[\"example.com\"]", "Content-Type of the body is \"\""),
    ("/backlinkshort?scope=all", JSON, "[\"example.com\"]", "scope"),
    ("/backlinkshort?internal=all", JSON, "[\"example.com\"]", "internal"),
    ("/iscached", JSON, "", "the body cannot be read"),
    ("/iscached", JSON, "[]", "send JSON like {\"url\""),
    ("/iscached", JSON, "{\"url\": \"example.com\"}", "missing field `resources`"),
    ("/iscached", JSON, "{\"resources\": [\"backlinks\"]}", "missing field `url`"),
    ("/iscached", JSON, "{\"url\": 1, \"resources\": [\"backlinks\"]}", "send JSON like"),
    ("/iscached", JSON, "{\"url\": \"example.com\", \"resources\": 1}", "send JSON like"),
    ("/iscached", JSON, "{\"url\": \"example.com\", \"resources\": []}", "resources is missing"),
    ("/iscached", JSON, "{\"url\": \"example.com\", \"resources\": \" , \"}", "resources is missing"),
    ("/iscached", JSON, "{\"url\": \"\", \"resources\": [\"backlinks\"]}", "url cannot be used"),
    ("/iscached", JSON, "{\"url\": \"a b\", \"resources\": [\"backlinks\"]}", "url cannot be used"),
    ("/iscached", "Content-Type: text/json", "{}", "application/json"),
];

#[test]
fn every_bad_body_gets_a_sentence_that_explains_it() {
    let server = Server::start(&[]);
    for (target, header, body, part) in BAD_BODIES {
        let reply = post(&server.client, target, header, body);
        assert_eq!(reply.status, 400, "{target} {body}: {}", String::from_utf8_lossy(&reply.body));
        let sentence = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(sentence.contains(part), "{target} {body}: {sentence}");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let config = ApiConfig { max_body_bytes: 1_024, ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    let body = |bytes: usize| format!("[\"{}\"]", "x".repeat(bytes - 4));
    // As large as allowed, and parsed: no host has such a name.
    let reply = post(&server.client, "/backlinkshort", JSON, &body(1_024));
    assert!(reply.json()["error"].as_str().unwrap().contains("entry 1 of urls"));
    assert_eq!(post(&server.client, "/backlinkshort", JSON, &body(1_025)).status, 413);
    let other = post(&server.client, "/anaurls", JSON, "[\"example.com\"]");
    assert_eq!((other.status, other.header("allow")), (405, Some("GET, HEAD")));
    let other = server.client.send("PUT", "/backlinkshort", &[JSON], b"[]");
    assert_eq!((other.status, other.header("allow")), (405, Some("GET, HEAD, POST")));
}

#[test]
fn lists_that_claim_to_be_complete_are_complete() {
    let server = Server::start(&[]);
    let client = &server.client;
    let all = [
        "backlinks",
        "httpstatus",
        "iplist",
        "linkedpages",
        "linktextdistribution",
        "linktexts",
        "outgoinghosts",
        "outgoinglinks",
        "outgoinglinktexts",
        "outgoingtoppages",
        "pagedistribution",
        "referringdomains",
        "tagtypes",
        "tldlist",
    ];
    for name in all {
        let answer = client.json(&format!("/{name}?url=example.com"));
        assert_eq!(answer["exportFinished"], true, "{name}");
    }
    let answer = client.json(&format!("/iscached?url=example.com&resources={}", all.join(",")));
    let expected: serde_json::Map<_, _> = all.iter().map(|name| ((*name).to_owned(), json!(true))).collect();
    assert_eq!(answer, json!({ "response": expected, "status": 200 }));

    let mixed =
        json!({ "response": { "backlinks": true, "anabacklinks": false, "nothing": false }, "status": 200 });
    for query in [
        "resources=backlinks,anabacklinks,nothing",
        "resources=+backlinks+,nothing,,anabacklinks,backlinks",
        "resources[]=backlinks&resources[]=anabacklinks,nothing",
        "resources=%5B%22backlinks%22,%22anabacklinks%22,+%22nothing%22%5D",
    ] {
        assert_eq!(client.json(&format!("/iscached?url=example.com&{query}")), mixed, "{query}");
    }
    for resources in [r#"["backlinks", "anabacklinks", "nothing"]"#, r#""backlinks,anabacklinks,nothing""#] {
        let body = format!(r#"{{"url": "example.com", "resources": {resources}}}"#);
        assert_eq!(post(client, "/iscached", JSON, &body).json(), mixed, "{resources}");
    }
}
