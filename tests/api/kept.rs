//! Cached answers: they are served again, and never after the index has changed.

use backlinkd::api::{AuthPolicy, ENDPOINTS};
use backlinkd::config::ApiConfig;
use serde_json::{Value, json};

use super::about::{OF_THE_INDEX, required};
use super::answers::publish_ranks;
use super::client::Reply;
use super::server::Server;
use super::web::{later, link, page, random};

const GZIP: &[&str] = &["Accept-Encoding: gzip"];

fn count(reply: &Reply) -> Value {
    let json: Value = serde_json::from_slice(&reply.decoded()).unwrap();
    json["response"][0]["backlinks"].clone()
}

#[test]
fn stored_data_is_visible_in_the_next_answer() {
    let server = Server::start(&[]);
    for number in 0..40 {
        let source = page(&format!("http://s{number}.example/"), "", "", vec![link("http://t.example/", "")]);
        server.store.put(&[source]).unwrap();
        for headers in [&[], GZIP] {
            // The second answer is the cached one.
            for _ in 0..2 {
                let reply = server.client.send("GET", "/anabacklinks?url=t.example", headers, b"");
                assert_eq!(count(&reply), number + 1);
            }
        }
    }
}

#[test]
fn a_lost_link_and_new_ranks_are_visible_in_the_next_answer() {
    let records = random(71, 200);
    let server = Server::start(&records);
    let ranks = || server.client.json("/backlinks?url=example.com&fields=sr&limit=10000")["response"].clone();
    let before = ranks();
    assert_eq!(before, ranks());
    publish_ranks(&server, &records);
    assert_ne!(before, ranks());

    let source = || page("http://once.example/", "", "", vec![link("http://lost.example/", "")]);
    server.store.put(&[source()]).unwrap();
    assert_eq!(server.client.json("/backlinks?url=lost.example")["count"], 1);
    server.store.put(&[later(page("http://once.example/", "", "", vec![]), 1)]).unwrap();
    assert_eq!(server.client.json("/backlinks?url=lost.example")["count"], 0);
}

/// Every endpoint over a web that grows: a server with a cache and one without give the same answers.
#[test]
fn the_cache_changes_no_answer() {
    let forgetful = ApiConfig { answer_cache_bytes: 0, ..ApiConfig::default() };
    let (keeping, forgetful) = (Server::start(&[]), Server::start_with(&[], forgetful, AuthPolicy::Open));
    for records in random(72, 120).chunks(30) {
        for server in [&keeping, &forgetful] {
            server.store.put(records).unwrap();
        }
        for endpoint in ENDPOINTS {
            let name = endpoint.name;
            if OF_THE_INDEX.contains(&name) {
                continue;
            }
            // Each server signs its tokens with its own key.
            let limit = if name.starts_with("export") { "10000" } else { "7" };
            let target = format!("/{name}?{}&limit={limit}", required(name, "example.com"));
            // The time of reading is not compared.
            let untimed = |mut answer: Value| {
                if let Some(answer) = answer.as_object_mut() {
                    answer.remove("asOf");
                }
                answer
            };
            let expected = untimed(forgetful.client.json(&target));
            for _ in 0..2 {
                assert_eq!(untimed(keeping.client.json(&target)), expected, "{target}");
            }
        }
    }
}

#[test]
fn errors_are_not_cached_for_others() {
    let server = Server::start(&[]);
    for _ in 0..2 {
        assert_eq!(server.client.get("/sr?url=").status, 400);
        assert_eq!(server.client.get("/nothing").status, 404);
        assert_eq!(server.client.send("DELETE", "/sr?url=example.com", &[], b"").status, 405);
        assert_eq!(server.client.get("/sr?url=example.com").status, 200);
        assert_eq!(server.client.send("POST", "/sr?url=example.com", &[], b"").status, 405);
    }
}

#[test]
fn a_cached_answer_serves_only_the_same_request() {
    let server = Server::start(&random(73, 100));
    let first = server.client.json("/linktexts?url=example.com&limit=2");
    assert_eq!(first["range"], json!({ "offset": 0, "limit": 2 }));
    for (target, range) in [
        ("/linktexts?url=example.com&limit=3", json!({ "offset": 0, "limit": 3 })),
        ("/linktexts?url=example.com&limit=2&offset=1", json!({ "offset": 1, "limit": 2 })),
        ("/tagtypes?url=example.com&limit=2", json!({ "offset": 0, "limit": 2 })),
    ] {
        assert_eq!(server.client.json(target)["range"], range);
    }
    let csv = server.client.send("GET", "/linktexts?url=example.com&limit=2", &["Accept: text/csv"], b"");
    assert!(csv.text().starts_with("percentage,refdoms,anchortext,type,frequency\r\n"), "{}", csv.text());
    assert_eq!(server.client.json("/linktexts?url=example.com&limit=2"), first);
    let tiny = ApiConfig { answer_cache_bytes: 1_000, ..ApiConfig::default() };
    let tiny = Server::start_with(&random(73, 100), tiny, AuthPolicy::Open);
    for _ in 0..2 {
        assert_eq!(tiny.client.json("/linktexts?url=example.com&limit=2"), first);
    }
}
