//! Servers that fail with the protocol that they offer: the next request, and the cached result.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::Version;

use crate::support::fake_web::{FakeWeb, Reply, Request};
use crate::support::visitor::Visitor;

/// The requests by protocol: over HTTP/2, and over HTTP/1.1.
fn counts(log: &[Request]) -> (usize, usize) {
    let http2 = log.iter().filter(|request| request.http2).count();
    (http2, log.len() - http2)
}

/// A web that resets every response over HTTP/2 with this code.
async fn resetting(code: u32) -> FakeWeb {
    FakeWeb::new()
        .page("a.test", "/robots.txt", Reply::text("User-agent: *\nDisallow: /no\n").resetting_http2(code))
        .page("a.test", "/*", Reply::html("<a href=http://b.test/>b</a>").resetting_http2(code))
        .with_http2_and_http1()
        .start()
        .await
}

#[tokio::test]
async fn a_server_that_requires_http1_gets_it_from_then_on() {
    let web = resetting(13).await;
    let client = Visitor::new(&web.fetch_config());
    for path in ["", "x", "y"] {
        let answer = client.answer(&format!("https://a.test/{path}")).await;
        assert_eq!((answer.status, answer.version), (200, Version::HTTP_11), "{path}");
    }
    // The first request was for robots.txt.
    assert_eq!(counts(&web.log()), (1, 4));
    assert!(web.log()[0].http2 && web.log()[0].path == "/robots.txt");
}

#[tokio::test]
async fn a_server_whose_http2_fails_twice_in_a_row_gets_http1_from_then_on() {
    // PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, REFUSED_STREAM, COMPRESSION_ERROR.
    for code in [1, 2, 3, 7, 9] {
        let web = resetting(code).await;
        let client = Visitor::new(&web.fetch_config());
        for path in ["", "x"] {
            let answer = client.answer(&format!("https://a.test/{path}")).await;
            assert_eq!((answer.status, answer.version), (200, Version::HTTP_11), "{code} {path}");
        }
        assert_eq!(counts(&web.log()), (2, 3), "{code}");
    }
}

#[tokio::test]
async fn one_broken_stream_among_good_ones_changes_nothing() {
    let asked = AtomicUsize::new(0);
    let answer = move |_: &Request| match asked.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Reply::html("first").resetting_http2(2),
        _ => Reply::html("second"),
    };
    let web = FakeWeb::new().answer("a.test", "/*", answer).with_http2_and_http1().start().await;
    let client = Visitor::new(&web.fetch_config());
    for path in ["w", "x", "y"] {
        let answer = client.answer(&format!("https://a.test/{path}")).await;
        assert_eq!((&answer.body[..], answer.version), (&b"second"[..], Version::HTTP_2), "{path}");
    }
    assert_eq!(counts(&web.log()), (8, 0));
}

#[tokio::test]
async fn malformed_heads_are_read_and_their_server_is_cached() {
    let robots = "HTTP/1.1  200  OK\r\nContent-Type: text/plain\r\nContent-Length: 27\r\n\r\nUser-agent: *\nDisallow: /no";
    let page = |head: &str| Reply::raw(format!("{head}Content-Type: text/html\r\n\r\n<a href=/x>x</a>"));
    let web = FakeWeb::new()
        .page("a.test", "/robots.txt", Reply::raw(robots))
        .page("a.test", "/blanks", page("HTTP/1.1  200  OK\r\n"))
        .page("a.test", "/lower", page("http/1.1 200 OK\r\n"))
        .page("a.test", "/tab", page("HTTP/1.0\t200 OK\r\n"))
        .page(
            "a.test",
            "/early",
            page("HTTP/1.1  103 Early Hints\r\nLink: </c.css>\r\n\r\nHTTP/1.1  200\r\n"),
        )
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    for path in ["blanks", "lower", "tab", "early"] {
        let answer = client.answer(&format!("http://a.test/{path}")).await;
        assert_eq!((answer.status, &answer.body[..]), (200, &b"<a href=/x>x</a>"[..]), "{path}");
        assert_eq!(answer.cut, None, "{path}");
    }
    // Only the first request was made twice.
    assert_eq!(web.log().len(), 1 + 1 + 4);
}
