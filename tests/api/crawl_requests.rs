//! The endpoints about the crawl in a server without one: roles, the document, and the list of hosts.

use std::collections::BTreeMap;

use backlinkd::api::{
    AuthPolicy, CRAWL_ENDPOINTS, ENDPOINTS, Verb, hash_password, random_token, token_digest,
};
use backlinkd::config::{ApiConfig, Span};
use backlinkd::model::DiscoveredUrl;
use backlinkd::store::{Commit, Role, Roles, SEEDS_FILE, StoredToken};
use backlinkd::urls::UrlRules;
use serde_json::{Value, json};

use super::about::required;
use super::client::{Client, Reply};
use super::server::Server;
use super::web::random;

const JSON: &str = "Content-Type: application/json";

fn token(server: &Server, name: &str, roles: &[Role]) -> Client {
    let token = random_token().unwrap();
    let (digest, roles) = (token_digest(&token), Roles::of(roles));
    let stored = StoredToken { name: name.to_owned(), digest, roles, expires_at: None };
    assert!(server.store.add_token(&stored).unwrap());
    Client { address: server.client.address, authorization: Some(format!("Bearer {token}")) }
}

fn post(client: &Client, name: &str) -> Reply {
    let body = match name {
        "crawl/seeds" | "crawl/recrawl" => json!({ "urls": ["example.com"] }),
        "crawl/blocks" => json!({ "add": ["example.com"] }),
        _ => json!({}),
    };
    client.send("POST", &format!("/{name}"), &[JSON], body.to_string().as_bytes())
}

fn names(verb: Verb) -> Vec<&'static str> {
    let named = CRAWL_ENDPOINTS.iter().filter(|endpoint| endpoint.verbs.contains(&verb));
    named.map(|endpoint| endpoint.name).collect()
}

#[test]
fn controls_need_the_role_that_operates() {
    let server = Server::start_with(&[], ApiConfig::default(), AuthPolicy::Users);
    server.store.put_user("alice", &hash_password("secret").unwrap()).unwrap();
    let reader = token(&server, "reader", &[Role::Read]);
    let operator = token(&server, "operator", &[Role::Operate]);
    let controls = names(Verb::Post);
    assert_eq!(controls.len(), 6, "{controls:?}");
    for name in controls {
        let refused = post(&reader, name);
        assert_eq!(refused.status, 403, "{name}");
        let error = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains("reader does not have the role operate;"), "{error}");
        // This server has no crawl.
        let conflict = post(&operator, name);
        assert_eq!((conflict.status, &conflict.json()["status"]), (409, &json!(409)), "{name}");
        let error = conflict.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains("no crawl runs in this process; start one with"), "{error}");
        assert_eq!(post(&server.client, name).status, 401, "{name}");
    }
    for name in names(Verb::Get) {
        let target = format!("/{name}?{}", required(name, "example.com"));
        assert_eq!([reader.get(&target).status, operator.get(&target).status], [200, 403], "{name}");
    }
    // Other POSTs read.
    let body = b"[\"example.com\"]";
    let read = |client: &Client| client.send("POST", "/backlinkshort", &[JSON], body).status;
    assert_eq!([read(&reader), read(&operator)], [200, 403]);
    assert!(!server.store.directory().join(SEEDS_FILE).exists());
    // No other site controls a crawl, even of a server without users.
    let open = Server::start(&[]);
    let headers = [JSON, "Sec-Fetch-Site: cross-site"];
    assert_eq!(open.client.send("POST", "/crawl/pause", &headers, b"{}").status, 403);
    assert_eq!(post(&open.client, "crawl/pause").status, 409);
}

#[test]
fn the_document_names_the_role_of_each_request() {
    let server = Server::start(&[]);
    let document = server.client.json("/openapi.json");
    for endpoint in ENDPOINTS.iter().chain(CRAWL_ENDPOINTS) {
        let item = &document["paths"][format!("/{}", endpoint.name)];
        for (method, operation) in item.as_object().unwrap() {
            let is_control = method == "post" && endpoint.name.starts_with("crawl/");
            assert_eq!(operation["x-role"], if is_control { "operate" } else { "read" }, "{}", endpoint.name);
            let statuses = operation["responses"].as_object().unwrap();
            let has = |status: &str| statuses.contains_key(status);
            assert_eq!((has("202"), has("409"), has("200")), (is_control, is_control, !is_control));
        }
    }
    assert_eq!(document["paths"]["/livez"]["get"].get("x-role"), None);
    let accepted = &document["paths"]["/crawl/seeds"]["post"]["responses"]["202"]["content"];
    let schema = &accepted["application/json"]["schema"];
    let validator = jsonschema::validator_for(schema).unwrap();
    let reply = json!({ "done": "x", "changed": [], "unchanged": ["http://a.test/"], "status": 202 });
    assert!(validator.is_valid(&reply));
    assert!(!validator.is_valid(&json!({ "done": "x", "changed": [], "unchanged": [], "status": 200 })));
}

#[test]
fn a_server_without_a_crawl_says_so_and_has_figures_of_the_index() {
    let server = Server::start(&random(5, 40));
    let (crawl, stats) = (server.client.json("/crawl"), server.client.json("/stats"));
    assert_eq!(
        (&crawl["state"], &crawl["since"], &crawl["reason"]),
        (&json!("none"), &Value::Null, &json!(""))
    );
    for key in ["queued", "known", "fetched"] {
        assert_eq!(crawl[key], stats[key], "{key}");
    }
    assert!(crawl["fetched"].as_u64().unwrap() > 0 && crawl["diskFreeBytes"].as_u64().unwrap() > 0);
    assert_eq!((&crawl["visits"], &crawl["failedRequests"]), (&json!(0), &json!({})));
    assert_eq!(server.client.json("/crawl/errors"), json!({ "errors": [], "count": 0, "status": 200 }));
    assert_eq!(server.client.json("/crawl/seeds"), json!({ "response": [], "count": 0, "status": 200 }));
}

/// Hosts with as many queued URLs as their number, on two schemes.
fn queue(server: &Server, hosts: usize) -> BTreeMap<String, u64> {
    let rules = UrlRules::default();
    let (mut found, mut queued) = (Vec::new(), BTreeMap::new());
    for host in 0..hosts {
        for page in 0..=host {
            let scheme = if page % 2 == 0 { "http" } else { "https" };
            let url = format!("{scheme}://h{host}.example/{page}");
            found.push(DiscoveredUrl::page(rules.canonical(&url).unwrap(), 1));
        }
        queued.insert(format!("h{host}.example"), host as u64 + 1);
    }
    server.store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    server.store.merge_discovered().unwrap();
    queued
}

#[test]
fn hosts_are_those_of_the_queue_in_pages_of_any_size() {
    let server = Server::start(&random(6, 60));
    let queued = queue(&server, 25);
    let mut expected: Vec<(u64, String)> = queued.into_iter().map(|(host, queued)| (queued, host)).collect();
    expected.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let listed = |more: &str| {
        let answer = server.client.json(&format!("/crawl/hosts?q=.EXAMPLE&{more}"));
        let row = |row: &Value| (row["queued"].as_u64().unwrap(), row["host"].as_str().unwrap().to_owned());
        let rows: Vec<(u64, String)> = answer["hosts"].as_array().unwrap().iter().map(row).collect();
        (rows, answer["count"].as_u64().unwrap())
    };
    let (all, count) = listed("limit=10000");
    assert_eq!(count as usize, all.len());
    let own: Vec<(u64, String)> =
        all.iter().filter(|(_, host)| expected.iter().any(|(_, own)| own == host)).cloned().collect();
    assert_eq!(own, expected);
    for size in [1, 7, 100] {
        let pages =
            (0..all.len().div_ceil(size)).map(|page| listed(&format!("limit={size}&offset={}", page * size)));
        let joined: Vec<(u64, String)> = pages.flat_map(|(rows, _)| rows).collect();
        assert_eq!(joined, all, "{size}");
    }
    let (mut by_name, _) = listed("limit=10000&order[]=host");
    assert!(by_name.is_sorted_by(|a, b| a.1 < b.1), "{by_name:?}");
    by_name.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    assert_eq!(by_name, all);
    for column in ["queued", "fetched", "budget", "delay", "lastFetch", "state"] {
        let (rows, _) = listed(&format!("limit=10000&order[]={column}&order[]=host"));
        assert_eq!(rows.len(), all.len(), "{column}");
    }
    // All queued URLs are in the queue of a host.
    let total: u64 = server.client.json("/crawl/hosts?limit=10000")["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["queued"].as_u64().unwrap())
        .sum();
    assert_eq!(total, server.store.stats().unwrap().queued);
    let odd = server.client.json("/crawl/hosts?order[]=size&limit=1");
    assert!(
        odd["warnings"][0].as_str().unwrap().contains("\"size\" was ignored; use one of host, queued"),
        "{odd}"
    );
    assert_eq!(odd["hosts"].as_array().unwrap().len(), 1);
}

#[test]
fn the_lists_of_the_index_are_shown_in_pages_with_their_bad_lines() {
    let server = Server::start(&[]);
    let text = "# ours\nexample.com # main\nftp://bad\nhttps://example.org/a\nexample.net\n";
    std::fs::write(server.store.directory().join(SEEDS_FILE), text).unwrap();
    let all = server.client.json("/crawl/seeds");
    let seeds = json!(["http://example.com/", "https://example.org/a", "http://example.net/"]);
    assert_eq!((&all["response"], &all["count"]), (&seeds, &json!(3)));
    assert!(
        all["warnings"][0].as_str().unwrap().starts_with("line 3 of seeds.txt was passed over: "),
        "{all}"
    );
    let page = server.client.json("/crawl/seeds?offset=1&limit=1");
    assert_eq!((&page["response"], &page["count"]), (&json!([seeds[1]]), &json!(3)));
}

#[test]
fn requests_about_the_crawl_end_at_their_deadline() {
    let config = ApiConfig { deadline: Span::seconds(0), ..ApiConfig::default() };
    let server = Server::start_with(&random(1, 30), config, AuthPolicy::Open);
    for name in names(Verb::Get) {
        let reply = server.client.get(&format!("/{name}?{}", required(name, "example.com")));
        assert_eq!(reply.status, 503, "{name}: {}", reply.text());
    }
}
