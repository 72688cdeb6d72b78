//! The rate limit of users.

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::ApiConfig;

use super::client::Client;
use super::server::Server;

fn limited(rate_limit_per_second: u32, rate_limit_burst: u32, auth: AuthPolicy) -> Server {
    let limits = ApiConfig { rate_limit_per_second, rate_limit_burst, ..ApiConfig::default() };
    let server = Server::start_with(&[], limits, auth);
    let users: &[&str] = if auth == AuthPolicy::Users { &["alice", "bob"] } else { &[] };
    for name in users {
        server.store.put_user(name, &hash_password(name).unwrap()).unwrap();
    }
    server
}

/// The statuses of several requests in sequence.
fn statuses(client: &Client, requests: usize) -> Vec<u16> {
    (0..requests).map(|_| client.get("/sr?url=example.com").status).collect()
}

#[test]
fn a_user_beyond_the_burst_has_to_wait() {
    let server = limited(1, 3, AuthPolicy::Users);
    let user = |name| Client::with_user(server.client.address, name, name);
    let (alice, bob) = (user("alice"), user("bob"));
    // The first request is slow, but it takes its token only after the password was verified.
    assert_eq!(statuses(&alice, 3), [200, 200, 200]);
    let refused = alice.get("/sr?url=example.com");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(refused.json()["status"], 429);
    assert!(refused.json()["error"].as_str().unwrap().contains("wait 1 s"), "{}", refused.json());
    assert_eq!(refused.header("content-type"), Some("application/json"));
    assert_eq!(statuses(&bob, 3), [200, 200, 200], "another user");
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    assert_eq!(statuses(&alice, 1), [200]);
}

/// Every request counts, whatever its result, and also if its answer is cached.
#[test]
fn errors_and_cached_answers_count_as_requests() {
    let server = limited(1, 5, AuthPolicy::Open);
    let status = |method, target| server.client.send(method, target, &["If-None-Match: *"], b"").status;
    assert_eq!(status("GET", "/nothing"), 404);
    assert_eq!(status("GET", "/sr?url=example.com"), 304);
    assert_eq!(status("GET", "/sr?url=example.com"), 304);
    assert_eq!(status("DELETE", "/"), 405);
    assert_eq!(status("HEAD", "/"), 304);
    assert_eq!(status("GET", "/openapi.json"), 429);
}

#[test]
fn wrong_passwords_are_limited_by_address_and_name() {
    let server = limited(1, 3, AuthPolicy::Users);
    let client = |name: &str, password: &str| Client::with_user(server.client.address, name, password);
    let known = client("alice", "alice");
    assert_eq!(known.get("/").status, 200);
    let guess = |number: usize| client("alice", &number.to_string()).get("/").status;
    let guesses: Vec<u16> = std::thread::scope(|scope| {
        let first: Vec<u16> = (0..3).map(guess).collect();
        let further: Vec<_> = (3..40).map(|number| scope.spawn(move || guess(number))).collect();
        first.into_iter().chain(further.into_iter().map(|guess| guess.join().unwrap())).collect()
    });
    assert_eq!(guesses[..3], [401, 401, 401]);
    let refused = guesses.iter().filter(|status| **status == 429).count();
    assert!(refused >= 3 && guesses.iter().all(|status| [401, 429].contains(status)), "{guesses:?}");
    assert_eq!(known.get("/").status, 200, "who was verified before goes on");
    assert_eq!(client("bob", "bob").get("/").status, 200, "and so do others");
}

#[test]
fn without_a_configured_limit_no_request_is_refused() {
    let server = limited(0, 1, AuthPolicy::Open);
    assert!(statuses(&server.client, 200).iter().all(|status| *status == 200));
}
