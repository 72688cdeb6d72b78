//! `/health` and `/livez`: which clients get a response, its content, and its cost.

use std::sync::Arc;
use std::time::Duration;

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::{ApiConfig, Span, StoreConfig};
use backlinkd::store::Store;
use backlinkd::urls::Suffixes;
use serde_json::json;

use super::client::Client;
use super::server::Server;
use super::web::random;
use crate::verify::behind_its_back;

const PROBES: [&str; 2] = ["/health", "/livez"];

fn guarded(config: ApiConfig) -> Server {
    let server = Server::start_with(&random(7, 60), config, AuthPolicy::Users);
    server.store.put_user("user", &hash_password("secret").unwrap()).unwrap();
    server
}

#[test]
fn every_client_gets_the_health_and_nothing_else() {
    let server = guarded(ApiConfig::default());
    let address = server.client.address;
    let user = Client::with_user(address, "user", "secret");
    for probe in PROBES {
        let answer = server.client.get(probe);
        assert_eq!(answer.json(), json!({ "health": "ok", "status": 200 }), "{probe}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let head = server.client.send("HEAD", probe, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0), "{probe}");
        assert_eq!(head.header("content-length"), answer.header("content-length"), "{probe}");
        // Credentials, parameters, headers and bodies change nothing.
        for reply in [
            user.get(probe),
            Client::with_user(address, "user", "wrong").get(probe),
            server.client.get(&format!("{probe}?url=example.com&format=csv")),
            server.client.send("GET", probe, &["If-None-Match: *", "Accept: text/csv"], b""),
            server.client.send("GET", probe, &[], b"a body"),
        ] {
            assert_eq!((reply.status, &reply.body), (200, &answer.body), "{probe}");
        }
        for (method, target) in
            [("POST", probe.to_owned()), ("DELETE", probe.to_owned()), ("GET", format!("{probe}/"))]
        {
            assert_eq!(server.client.send(method, &target, &[], b"").status, 401, "{method} {target}");
            let known = user.send(method, &target, &[], b"");
            let refused = if method == "GET" { (404, None) } else { (405, Some("GET, HEAD")) };
            assert_eq!((known.status, known.header("allow")), refused, "{method} {target}");
        }
    }
    for other in ["/", "/openapi.json", "/metrics", "/sr?url=example.com", "/healthz", "/Health", "/livez/x"]
    {
        assert_eq!(server.client.get(other).status, 401, "{other}");
    }
}

#[test]
fn probes_count_towards_no_rate_limit() {
    for auth in [AuthPolicy::Open, AuthPolicy::Users] {
        let limits = ApiConfig { rate_limit_per_second: 1, rate_limit_burst: 2, ..ApiConfig::default() };
        let server = Server::start_with(&[], limits, auth);
        let user = match auth {
            AuthPolicy::Open => Client::new(server.client.address),
            AuthPolicy::Users => {
                server.store.put_user("user", &hash_password("secret").unwrap()).unwrap();
                Client::with_user(server.client.address, "user", "secret")
            }
        };
        let statuses: Vec<u16> = (0..40).map(|number| user.get(PROBES[number % 2]).status).collect();
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        assert_eq!([(); 3].map(|()| user.get("/").status), [200, 200, 429]);
        assert_eq!(user.get("/health").status, 200, "and is not refused for those of others");
    }
}

/// Probes do not wait for queries, which occupy all places here.
#[test]
fn a_busy_server_answers_probes() {
    let config = ApiConfig { max_concurrent_queries: 1, ..ApiConfig::default() };
    let server = Server::start_with(&random(7, 400), config, AuthPolicy::Open);
    let address = server.client.address;
    let asking: Vec<_> = (0..4)
        .map(|number| {
            std::thread::spawn(move || {
                let urls: String = (0..900).map(|at| format!("urls[]=h{at}.example&")).collect();
                Client::new(address).get(&format!("/anaurls?{urls}x={number}")).status
            })
        })
        .collect();
    for _ in 0..20 {
        let asked = std::time::Instant::now();
        assert_eq!(server.client.get("/livez").status, 200);
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
    assert!(asking.into_iter().all(|thread| thread.join().unwrap() == 200));
}

#[test]
fn an_unreadable_index_is_reported() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let data = directory.path().join("data");
    let suffixes = Arc::new(Suffixes::built_in().unwrap());
    drop(Store::open(&data, &StoreConfig::default(), suffixes).unwrap());
    // The signing key of tokens: every read of it fails, and every other read succeeds.
    behind_its_back(&data, |db| db.put_cf(db.cf_handle("meta").unwrap(), "token-key", b"short").unwrap());
    let server = Server::over(directory);
    for probe in PROBES {
        let answer = server.client.get(probe);
        assert_eq!(answer.status, 503, "{probe}");
        let expected =
            json!({ "status": 503, "error": "the index cannot be read; the server's log says why" });
        assert_eq!(answer.json(), expected, "{probe}");
        assert_eq!(server.client.send("HEAD", probe, &[], b"").status, 503);
    }
}

/// One read of the index serves all probes for as long as it may take.
#[test]
fn many_probes_share_one_read() {
    let config = ApiConfig { health_timeout: Span::seconds(600), ..ApiConfig::default() };
    let server = guarded(config);
    let before = server.client.get("/health").status;
    let start = std::time::Instant::now();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let address = server.client.address;
            std::thread::spawn(move || {
                (0..50).map(|_| Client::new(address).get("/health").status).collect::<Vec<_>>()
            })
        })
        .collect();
    let statuses: Vec<u16> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert!(before == 200 && statuses.iter().all(|status| *status == 200));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn the_document_says_that_probes_need_no_credentials() {
    let server = guarded(ApiConfig::default());
    let document = Client::with_user(server.client.address, "user", "secret").json("/openapi.json");
    for probe in PROBES {
        let operation = &document["paths"][probe]["get"];
        assert_eq!(operation["security"], json!([]), "{probe}");
        assert!(operation["responses"]["503"].is_object() && operation["responses"].get("304").is_none());
    }
    assert!(document["paths"]["/"]["get"].get("security").is_none());
}
