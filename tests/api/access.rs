//! Access: no data is served before the credentials are verified.

use std::time::Instant;

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::ApiConfig;

use super::client::{Client, Reply};
use super::server::Server;

fn guarded() -> Server {
    let server = Server::start_with(&[], ApiConfig::default(), AuthPolicy::Users);
    server.store.put_user("user", &hash_password("pass:wörd").unwrap()).unwrap();
    server
}

fn assert_unauthorized(reply: &Reply) {
    assert_eq!(reply.status, 401);
    assert_eq!(reply.header("www-authenticate"), Some("Basic realm=\"backlinks\""));
    assert_eq!(reply.json()["status"], 401);
    assert!(reply.json()["error"].is_string());
}

#[test]
fn no_data_is_served_without_credentials() {
    let server = guarded();
    for (method, target) in [
        ("GET", "/"),
        ("POST", "/health"),
        ("GET", "/health/"),
        ("GET", "/backlinks?url=example.com"),
        ("GET", "/backlinks?limit=x"),
        ("GET", "/nothing"),
        ("POST", "/backlinks"),
        ("OPTIONS", "/"),
    ] {
        assert_unauthorized(&server.client.send(method, target, &[], b""));
    }
    let long = format!("/sr?{}", "x".repeat(60_000));
    assert_unauthorized(&server.client.get(&long));
}

#[test]
fn only_the_right_password_of_a_known_user_is_accepted() {
    let server = guarded();
    let address = server.client.address;
    for (name, password) in
        [("user", "pass:word"), ("user", ""), ("User", "pass:wörd"), ("", ""), ("user", "pass")]
    {
        assert_unauthorized(&Client::with_user(address, name, password).get("/"));
    }
    let with = |authorization: &str| Client { address, authorization: Some(authorization.to_owned()) };
    for authorization in ["Basic", "Basic !!!", "Basic dXNlcg=="] {
        assert_unauthorized(&with(authorization).get("/"));
    }
    let reply = with("Bearer x").get("/");
    assert_eq!(reply.status, 401);
    assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"backlinkd\", error=\"invalid_token\""));
    assert!(reply.json()["error"].as_str().unwrap().starts_with("this token is unknown or has expired"));
    let right = Client::with_user(address, "user", "pass:wörd");
    assert_eq!(right.get("/").status, 200);
    assert_eq!(right.get("/nothing").status, 404);
    assert_unauthorized(&Client::with_user(address, "user", "pass:word").get("/"));
}

#[test]
fn a_changed_or_removed_user_loses_access_at_once() {
    let server = guarded();
    let old = Client::with_user(server.client.address, "user", "pass:wörd");
    let new = Client::with_user(server.client.address, "user", "other");
    assert_eq!((old.get("/").status, new.get("/").status), (200, 401));
    server.store.put_user("user", &hash_password("other").unwrap()).unwrap();
    assert_eq!((old.get("/").status, new.get("/").status), (401, 200));
    assert!(server.store.remove_user("user").unwrap());
    assert_eq!((old.get("/").status, new.get("/").status), (401, 401));
}

/// Hashing takes tens of milliseconds; a cached user must not pay it again.
#[test]
fn a_password_is_not_hashed_for_every_request() {
    let server = guarded();
    let client = Client::with_user(server.client.address, "user", "pass:wörd");
    let wrong = Client::with_user(server.client.address, "user", "wrong");
    let time = |client: &Client, status: u16| {
        let fastest = (0..10).map(|_| {
            let start = Instant::now();
            assert_eq!(client.get("/").status, status);
            start.elapsed()
        });
        fastest.min().unwrap()
    };
    let (remembered, hashed) = (time(&client, 200), time(&wrong, 401));
    assert!(remembered * 4 < hashed, "{remembered:?} remembered, {hashed:?} hashed");
}
