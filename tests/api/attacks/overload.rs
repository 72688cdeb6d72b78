//! More queries than the server can compute: accepted ones are answered fast, and the others are refused at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backlinkd::api::AuthPolicy;
use backlinkd::config::{ApiConfig, Span};

use super::super::client::Client;
use super::super::server::Server;
use super::links;

/// A query that takes some milliseconds and is never answered from a cache.
fn question(number: usize) -> String {
    format!("/backlinks?url=example.com&where=linktext+like+%27%25a%25b%25{number}%25%27&limit=50")
}

#[test]
fn accepted_queries_are_answered_fast_and_the_rest_is_refused() {
    let config = ApiConfig { overload_after: Span(Duration::from_millis(300)), ..ApiConfig::default() };
    let server = Server::start_with(&links(3_000), config, AuthPolicy::Open);
    let address = server.client.address;
    assert_eq!(server.client.get(&question(0)).status, 200);
    let (next, times, refused) = (AtomicUsize::new(1), Mutex::new(Vec::new()), AtomicUsize::new(0));
    let until = Instant::now() + Duration::from_secs(5);
    std::thread::scope(|scope| {
        // Far more queries than places at once, each from its own address, so that none is refused for its client's
        // share.
        for _ in 0..100 {
            scope.spawn(|| {
                while Instant::now() < until {
                    let begun = Instant::now();
                    let reply = Client::new(address).get(&question(next.fetch_add(1, Ordering::Relaxed)));
                    match reply.status {
                        200 => times.lock().unwrap().push((begun, begun.elapsed())),
                        503 => {
                            assert_eq!(reply.header("retry-after"), Some("1"));
                            refused.fetch_add(1, Ordering::Relaxed);
                            std::thread::sleep(Duration::from_millis(20));
                        }
                        other => panic!("{other}"),
                    }
                }
            });
        }
    });
    let times = times.into_inner().unwrap();
    assert!(times.len() > 100 && refused.into_inner() > 100, "{} answered", times.len());
    // Counted once the server has detected the overload; half of them, because other tests may use the machine.
    let mut late: Vec<Duration> = times
        .iter()
        .filter(|(begun, _)| *begun + Duration::from_secs(4) > until)
        .map(|(_, took)| *took)
        .collect();
    late.sort_unstable();
    let half = late[late.len() / 2];
    assert!(half < Duration::from_millis(500), "{half:?}");
}
