//! `Backlinkd-As-Of`: the state of the index that an answer shows.

use backlinkd::api::{AuthPolicy, ENDPOINTS};
use backlinkd::config::{ApiConfig, Span};

use super::about::required;
use super::answers::publish_ranks;
use super::client::Reply;
use super::server::Server;
use super::web::{later, link, page, random};

/// The change number and the time in the header.
fn as_of(reply: &Reply) -> (u64, String) {
    let (time, change) = reply.header("backlinkd-as-of").unwrap().split_once("; change=").unwrap();
    assert!(time.len() == 20 && time.starts_with("20") && time.ends_with('Z'), "{time}");
    (change.parse().unwrap(), time.to_owned())
}

/// Answers that show no state of the index.
const WITHOUT_STATE: &[&str] = &["iscached"];

#[test]
fn every_answer_in_every_format_names_the_state_that_a_summary_names() {
    let records = random(91, 200);
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    for turn in 0..2 {
        let summary = server.client.json("/summary?url=example.com")["asOf"].clone();
        let state = (summary["change"].as_u64().unwrap(), summary["time"].as_str().unwrap().to_owned());
        assert_eq!(state.0, server.store.change_number());
        for endpoint in ENDPOINTS {
            let name = endpoint.name;
            let target = format!("/{name}?{}", required(name, "example.com"));
            // The second answer comes from a cache.
            for reply in [server.client.get(&target), server.client.get(&target)] {
                if WITHOUT_STATE.contains(&name) {
                    assert!(reply.header("backlinkd-as-of").is_none(), "{name}");
                } else {
                    assert_eq!(as_of(&reply), state, "{name}");
                }
            }
            let formats: &[&str] = match name {
                "neighbourhood" => &["gexf", "graphml"],
                _ if endpoint.feed().is_some() => &["csv", "jsonl", "excel", "atom"],
                _ if endpoint.handler.is_tabular() => &["csv", "jsonl", "excel"],
                _ => &[],
            };
            for format in formats {
                let reply = server.client.get(&format!("{target}&format={format}"));
                assert_eq!(as_of(&reply), state, "{name} as {format}");
            }
        }
        let one = page(
            &format!("http://new{turn}.example/"),
            "192.0.2.9",
            "SE",
            vec![link("http://example.com/", "x")],
        );
        server.store.put(&[later(one, 400)]).unwrap();
        assert!(server.store.change_number() > state.0);
    }
}

#[test]
fn a_list_of_an_earlier_state_names_that_state() {
    let records = random(92, 200);
    let server = Server::start_refreshing(&records, ApiConfig::default(), Span::seconds(60));
    let get =
        |endpoint: &str| as_of(&server.client.get(&format!("/{endpoint}?url=example.com&format=csv"))).0;
    let count = || as_of(&server.client.get("/anabacklinks?url=example.com")).0;
    let before = (get("backlinks"), count());
    assert_eq!(before.0, before.1);
    let elsewhere = page("http://else.example/", "192.0.2.9", "SE", vec![]);
    server.store.put(&[later(elsewhere, 1)]).unwrap();
    // Nothing changed for this scope, so the list is of the present state.
    let between = (get("backlinks"), count());
    assert_eq!(between, (before.0 + 1, before.1 + 1));
    let more = page("http://new.example/", "192.0.2.9", "SE", vec![link("http://example.com/", "x")]);
    server.store.put(&[later(more, 400)]).unwrap();
    assert_eq!((get("backlinks"), count()), (between.0, between.1 + 1));
}

/// The body of an answer, and with it the tag, stays the same while other scopes change.
#[test]
fn an_unchanged_answer_has_an_unchanged_tag_and_a_later_state() {
    let server = Server::start(&random(93, 100));
    let target = "/backlinks?url=example.com";
    let first = server.client.get(target);
    let tag = first.header("etag").unwrap();
    server.store.put(&[later(page("http://else.example/", "192.0.2.9", "SE", vec![]), 1)]).unwrap();
    let second = server.client.send("GET", target, &[&format!("If-None-Match: {tag}")], b"");
    assert_eq!(second.status, 304);
    assert_eq!(as_of(&second).0, as_of(&first).0 + 1);
}

#[test]
fn a_whole_export_of_several_pieces_names_no_state() {
    let links = (0..2_000).map(|at| link(&format!("http://example.com/{at}"), "x")).collect();
    let server = Server::start(&[page("http://one.example/", "192.0.2.1", "SE", links)]);
    let whole = server.client.get("/exportbacklinks?url=example.com&format=csv");
    assert_eq!((whole.status, whole.header("backlinkd-as-of")), (200, None));
    as_of(&server.client.get("/exportbacklinks?url=example.com&format=csv&limit=10"));
}

#[test]
fn pages_of_allowed_origins_may_read_the_header() {
    let config =
        ApiConfig { allow_origins: vec!["https://notebook.example".to_owned()], ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    let reply = server.client.send("GET", "/sr?url=example.com", &["Origin: https://notebook.example"], b"");
    as_of(&reply);
    let exposed = reply.header("access-control-expose-headers").unwrap();
    assert!(exposed.split(", ").any(|name| name == "Backlinkd-As-Of"), "{exposed}");
}
