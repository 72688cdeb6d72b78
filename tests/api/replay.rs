//! Every request in the API's documentation, sent unchanged.

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::ApiConfig;
use backlinkd::model::{Link, LinkTag, VisitRecord};
use serde_json::Value;

use super::client::{Client, Reply};
use super::contract::{assert_shape, contract};
use super::server::Server;
use super::web::{later, link, page};

const TEXT: &str = include_str!("../data/api/backlink-api.txt");

/// A request of the documentation.
#[derive(Debug)]
struct Shown {
    method: &'static str,
    target: String,
    body: String,
}

fn between<'t>(text: &'t str, start: &str, end: char) -> Option<&'t str> {
    let rest = &text[text.find(start)? + start.len()..];
    Some(&rest[..rest.find(end)?])
}

impl Shown {
    /// Parses `curl …` and `r = requests.get(…)` or `.post(…)`.
    fn read(line: &str) -> Option<Self> {
        if !line.starts_with("curl ") && !line.starts_with("r = requests.") {
            return None;
        }
        let quote = if line.starts_with("curl ") { '"' } else { '\'' };
        let target = between(line, "http://api_endpoint_here", quote).unwrap().to_owned();
        // Python's quotes, replaced by those of JSON.
        let python = line
            .split_once("json=")
            .map(|(_, rest)| rest.split_once(", auth=").unwrap().0.replace('\'', "\""));
        let body = python.or_else(|| between(line, "-d '", '\'').map(str::to_owned));
        let posts = line.contains("requests.post") || line.contains(" -d ");
        Some(Self { method: if posts { "POST" } else { "GET" }, target, body: body.unwrap_or_default() })
    }

    fn send(&self, client: &Client) -> Reply {
        let headers: &[&str] = if self.method == "POST" { &["Content-type: application/json"] } else { &[] };
        client.send(self.method, &self.target, headers, self.body.as_bytes())
    }

    fn endpoint(&self) -> &str {
        self.target[1..].split('?').next().unwrap()
    }
}

/// Links into and out of the site of the examples, in the years that the examples query.
fn web() -> Vec<VisitRecord> {
    let june_2021 = |mut record: VisitRecord, days: u64| {
        record.visited = 1_622_548_800;
        later(record, days)
    };
    let home = "https://www.domaincrawler.com/";
    let image = Link { tag: LinkTag::Aimg, ..link(home, "") };
    vec![
        june_2021(
            page("http://nic.example/", "192.0.2.1", "SE", vec![link(home, "domaincrawler"), image]),
            0,
        ),
        june_2021(page("http://gone.example/", "192.0.2.2", "DE", vec![link(home, "Gone")]), 0),
        june_2021(page("http://gone.example/", "192.0.2.2", "DE", vec![]), 3),
        june_2021(
            page(
                home,
                "192.0.2.3",
                "SE",
                vec![
                    link("http://facebook.com/", "Facebook"),
                    link("https://domaincrawler.com/about", "About"),
                ],
            ),
            1,
        ),
    ]
}

fn server() -> Server {
    let server = Server::start_with(&web(), ApiConfig::default(), AuthPolicy::Users);
    server.store.put_user("user", &hash_password("password").unwrap()).unwrap();
    server
}

#[test]
fn every_documented_request_is_answered_as_documented() {
    let server = server();
    let client = Client::with_user(server.client.address, "user", "password");
    let contract = contract();
    let shown: Vec<Shown> = TEXT.lines().filter_map(Shown::read).collect();
    assert_eq!(shown.len(), 68);
    for request in &shown {
        assert_eq!(request.send(&server.client).status, 401, "{request:?}");
        let reply = request.send(&client);
        let answer = reply.json();
        assert_eq!(reply.status, 200, "{request:?}: {answer}");
        match request.endpoint() {
            "" => assert!(answer["endpoints"].is_array()),
            endpoint => assert_shape(&contract[endpoint]["example"], &answer, endpoint),
        }
        assert_eq!(warned(&answer), is_wrong(request), "{request:?}: {answer}");
    }
    assert_eq!(shown.iter().filter(|request| is_wrong(request)).count(), 4);
}

fn warned(answer: &Value) -> bool {
    answer.get("warnings").is_some_and(|warnings| warnings[0].as_str().unwrap().contains("\"-extL\""))
}

/// Two endpoints are documented with an order field that they do not have.
fn is_wrong(request: &Shown) -> bool {
    matches!(request.endpoint(), "outgoinghosts" | "outgoinglinks")
}
