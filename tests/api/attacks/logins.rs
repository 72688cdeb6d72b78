//! Guessed passwords: few are verified, and no user with the right password is kept out for long.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::{ApiConfig, Span};
use data_encoding::BASE64;

use super::super::client::Client;
use super::super::server::Server;
use super::{connection_from, rest};

fn guarded(config: ApiConfig) -> Server {
    let server = Server::start_with(&[], config, AuthPolicy::Users);
    for name in ["alice", "bob"] {
        server.store.put_user(name, &hash_password(name).unwrap()).unwrap();
    }
    server
}

/// The statuses of one guess by each of this many clients at once.
fn guess_at_once(address: SocketAddr, number: usize) -> Vec<u16> {
    std::thread::scope(|scope| {
        let guessing: Vec<_> = (0..number)
            .map(|at| {
                scope.spawn(move || Client::with_user(address, "alice", &format!("no{at}")).get("/").status)
            })
            .collect();
        guessing.into_iter().map(|guess| guess.join().unwrap()).collect()
    })
}

#[test]
fn simultaneous_guesses_are_limited_like_sequential_ones() {
    let config = ApiConfig {
        rate_limit_per_second: 1,
        rate_limit_burst: 2,
        login_wait: Span::seconds(2),
        ..ApiConfig::default()
    };
    let server = guarded(config);
    let start = Instant::now();
    let statuses = guess_at_once(server.client.address, 200);
    let verified = statuses.iter().filter(|status| **status == 401).count();
    let most = 2 + start.elapsed().as_secs() as usize + 1;
    assert!(verified <= most, "{verified} of {most}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
}

/// A right password returns its token, so that a user with many clients is not refused.
#[test]
fn right_passwords_do_not_count_against_the_limit() {
    let config = ApiConfig {
        login_limit_per_second: 1,
        login_limit_burst: 2,
        credential_cache_entries: 0,
        ..ApiConfig::default()
    };
    let server = guarded(config);
    let user = Client::with_user(server.client.address, "alice", "alice");
    for _ in 0..6 {
        assert_eq!(user.get("/").status, 200);
    }
}

/// Clients that guess passwords for a name as fast as they can, until they are stopped.
fn guess_on(address: SocketAddr, clients: usize, stop: &AtomicBool, beside: impl FnOnce()) {
    std::thread::scope(|scope| {
        for client in 0..clients {
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let status = Client::with_user(address, "alice", &format!("no{client}")).get("/").status;
                    assert!([401, 429, 503].contains(&status), "{status}");
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        beside();
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_user_logs_in_while_many_clients_guess() {
    let server = guarded(ApiConfig::default());
    let address = server.client.address;
    assert_eq!(Client::with_user(address, "alice", "alice").get("/").status, 200);
    guess_on(address, 60, &AtomicBool::new(false), || {
        for _ in 0..5 {
            let start = Instant::now();
            let status = Client::with_user(address, "alice", "alice").get("/").status;
            assert_eq!(
                status, 200,
                "whoever was right lately passes at once, under the name that is guessed for"
            );
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        }
        let start = Instant::now();
        assert_eq!(
            Client::with_user(address, "bob", "bob").get("/").status,
            200,
            "another name has its own turn"
        );
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    });
}

fn from(address: SocketAddr, client: &str, password: &str) -> u16 {
    let user = Client::with_user(address, "alice", password);
    let header = format!("X-Forwarded-For: {client}");
    user.send("GET", "/", &[header.as_str()], b"").status
}

#[test]
fn behind_a_trusted_proxy_a_stranger_does_not_keep_the_user_out() {
    let config = |proxies: &[&str]| ApiConfig {
        trusted_proxies: proxies.iter().map(|network| network.parse().unwrap()).collect(),
        login_limit_per_second: 1,
        login_limit_burst: 2,
        login_wait: Span::seconds(0),
        ..ApiConfig::default()
    };
    for (proxies, user) in [(&["127.0.0.0/8"][..], 200), (&[], 429)] {
        let server = guarded(config(proxies));
        let address = server.client.address;
        let guesses: Vec<u16> = (0..8).map(|at| from(address, "192.0.2.66", &at.to_string())).collect();
        assert!(guesses.contains(&429), "{guesses:?}");
        // Forged by the client, before the entry of the proxy.
        let made_up = from(address, "203.0.113.7, 192.0.2.66", "no");
        assert!(made_up == 429 || proxies.is_empty(), "{made_up}");
        assert_eq!(from(address, "203.0.113.7", "alice"), user);
    }
}

/// The user was never authenticated before, and logs in from the address of the guesses with the guessed name.
#[test]
fn a_user_logs_in_for_the_first_time_during_guesses_for_the_same_name() {
    let server = guarded(ApiConfig::default());
    let address = server.client.address;
    guess_on(address, 30, &AtomicBool::new(false), || {
        let start = Instant::now();
        while Client::with_user(address, "alice", "alice").get("/").status != 200 {
            assert!(start.elapsed() < Duration::from_secs(60), "she is kept out");
        }
    });
}

/// The status of a request from an address of this machine.
fn status_from(own: &str, address: SocketAddr, name: &str, password: &str) -> u16 {
    let code = BASE64.encode(format!("{name}:{password}").as_bytes());
    let head = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Basic {code}\r\n\r\n"
    );
    let answer = rest(&mut connection_from(own, address, head.as_bytes()));
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[test]
fn invented_names_keep_out_no_user_at_another_address() {
    let server = guarded(ApiConfig { max_waiting_logins: 20, ..ApiConfig::default() });
    let address = server.client.address;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..40 {
            let stop = &stop;
            scope.spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    status_from("127.0.0.1", address, &format!("n{client}-{number}"), "no");
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        for _ in 0..3 {
            assert_eq!(status_from("127.0.0.5", address, "bob", "bob"), 200);
        }
        // Another new user does not remove the credentials of the existing users from the cache.
        server.store.put_user("carol", &hash_password("carol").unwrap()).unwrap();
        assert_eq!(status_from("127.0.0.1", address, "bob", "bob"), 200);
        stop.store(true, Ordering::Relaxed);
    });
}

/// The API requires credentials from then on, and not before.
#[test]
fn the_first_user_ends_open_access_to_the_api() {
    let server = Server::start_with(&[], ApiConfig::default(), AuthPolicy::Open);
    assert_eq!(server.client.get("/").status, 200);
    server.store.put_user("alice", &hash_password("alice").unwrap()).unwrap();
    assert_eq!(server.client.get("/").status, 401);
    assert_eq!(Client::with_user(server.client.address, "alice", "alice").get("/").status, 200);
}
