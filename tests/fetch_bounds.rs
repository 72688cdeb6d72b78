//! The limits of a response: time, rate, headers, unused bodies; and the ports that may be connected to.

use std::time::{Duration, Instant};

use backlinkd::config::{FetchConfig, Ports, Span};
use backlinkd::fetch::{FetchOutcome, PinnedAddresses};
use backlinkd::model::{Cut, FailureKind, MediaType};

use crate::fetch_body::gzip;
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, url};

/// The detail of a failure of this kind.
async fn failure(client: &Visitor, text: &str, expected: FailureKind) -> String {
    match client.fetch(text).await {
        FetchOutcome::Failed(kind, detail) if kind == expected => detail,
        other => panic!("{text} should fail by {expected:?}, but is {other:?}"),
    }
}

#[tokio::test]
async fn headers_have_their_own_deadline() {
    let second = Duration::from_secs(1);
    let web = FakeWeb::new()
        .page("a.test", "/slow", Reply::html("late").after(20 * second))
        .page("a.test", "/body", Reply::html(&"x".repeat(10)).dripping(1, second / 10))
        .start()
        .await;
    let client = Visitor::new(&FetchConfig { first_byte_timeout: Span(second / 2), ..web.fetch_config() });
    assert_eq!(client.answer("http://a.test/body").await.body.len(), 10, "the body may take longer");
    let start = Instant::now();
    let detail = failure(&client, "http://a.test/slow", FailureKind::Timeout).await;
    assert!(detail.contains("fetch.first_byte_timeout"), "{detail}");
    let took = start.elapsed();
    assert!(took > second / 3 && took < 2 * second, "it took {took:?}");
}

#[tokio::test]
async fn a_body_must_keep_a_minimum_rate_after_its_grace() {
    let moment = Duration::from_millis(100);
    let long = "x".repeat(20_000);
    let web = FakeWeb::new()
        .page("a.test", "/drip", Reply::html(&long).dripping(10, moment))
        .page("a.test", "/steady", Reply::html(&long).dripping(1_000, moment))
        .page("a.test", "/pause", Reply::html(&long).dripping(19_000, 8 * moment))
        .start()
        .await;
    let config =
        FetchConfig { min_bytes_per_second: 2_000, slow_body_grace: Span(5 * moment), ..web.fetch_config() };
    let client = Visitor::new(&config);
    let start = Instant::now();
    let answer = client.answer("http://a.test/drip").await;
    assert_eq!(answer.cut, Some(Cut::Time));
    assert!(answer.cause.contains("fetch.min_bytes_per_second"), "{}", answer.cause);
    assert!((10..20_000).contains(&answer.body.len()), "{}", answer.body.len());
    let took = start.elapsed();
    assert!(took > 4 * moment && took < 15 * moment, "it took {took:?}");
    for path in ["steady", "pause"] {
        assert_eq!(client.answer(&format!("http://a.test/{path}")).await.body.len(), 20_000, "{path}");
    }
}

#[tokio::test]
async fn headers_are_bounded_in_number_and_size() {
    let with = |count: usize, bytes: usize| {
        (0..count).fold(Reply::html("ok"), |reply, at| reply.header(&format!("X-{at}"), "x".repeat(bytes)))
    };
    let lay_out = |web: FakeWeb| {
        web.page("a.test", "/few", with(10, 100))
            .page("a.test", "/many", with(40, 1))
            .page("a.test", "/large", with(1, 6_000))
            .page("a.test", "/both", with(39, 20_000))
            .start()
    };
    let bounds = |config| FetchConfig { max_headers: 30, max_header_bytes: 5_000, ..config };
    for (web, scheme) in [
        (lay_out(FakeWeb::new()).await, "http"),
        (lay_out(FakeWeb::new().with_tls()).await, "https"),
        (lay_out(FakeWeb::new().with_http2()).await, "https"),
    ] {
        let client = Visitor::new(&bounds(web.fetch_config()));
        for (path, dropped) in [("many", 10), ("large", 1)] {
            let answer = client.answer(&format!("{scheme}://a.test/{path}")).await;
            assert_eq!((answer.status, &answer.body[..]), (200, &b"ok"[..]), "{scheme} {path}");
            assert!(answer.dropped_headers >= dropped, "{scheme} {path}: {}", answer.dropped_headers);
            // Two fields that the crawl reads come last.
            assert!(answer.headers.len() <= 32, "{scheme} {path}: {}", answer.headers.len());
            assert_eq!(
                answer.media_type.as_ref().map(MediaType::essence),
                Some("text/html"),
                "{scheme} {path}"
            );
        }
        failure(&client, &format!("{scheme}://a.test/both"), FailureKind::Protocol).await;
        assert_eq!(client.answer(&format!("{scheme}://a.test/few")).await.body, "ok");
    }
}

#[tokio::test]
async fn only_bodies_that_may_contain_links_are_read() {
    let big = "x".repeat(4 << 20);
    let typed = |kind: &str, body: &str| Reply::status(200).header("Content-Type", kind).body(body);
    let page = "<!doctype html><title>t</title>";
    let blanks = " \r\n\t".repeat(350);
    let (late, text) = (format!("{blanks}{page}"), format!("{blanks}plain"));
    let untyped = |body: &str| Reply::status(200).body(body);
    let xhtml = "<?xml version='1.0'?><!-- x --><html xmlns='http://www.w3.org/1999/xhtml'><p/></html>";
    let feed = format!("<?xml version='1.0'?><!-- <html> --><rss>{}", "x".repeat(1 << 20));
    let packed = |kind: &str, body: &str| {
        typed(kind, "").body(gzip(body.as_bytes())).header("Content-Encoding", "gzip")
    };
    let squeezed = untyped("").body(gzip(page.as_bytes())).header("Content-Encoding", "gzip");
    let web = FakeWeb::new()
        .page("a.test", "/image", typed("image/png", &big))
        .page("a.test", "/chunked", typed("video/mp4", &big).chunked())
        .page("a.test", "/small", typed("image/gif", "GIF89a"))
        .page("a.test", "/small-chunked", typed("text/plain", "text").chunked())
        .page("a.test", "/html", typed("TEXT/HTML; charset=utf-8", "<p>"))
        .page("a.test", "/xhtml", typed("application/xhtml+xml", "<p/>"))
        .page("a.test", "/untyped", untyped(page).chunked())
        .page("a.test", "/untyped-text", untyped(&big))
        .page("a.test", "/late", untyped(&late))
        .page("a.test", "/late-text", untyped(&text).chunked())
        .page("a.test", "/drop", untyped(page).dripping(1, Duration::from_millis(1)))
        .page("a.test", "/empty", untyped(""))
        .page("a.test", "/xml", typed("application/xml", xhtml).dripping(1, Duration::from_millis(1)))
        .page("a.test", "/xml-typeless", untyped(xhtml).chunked())
        .page("a.test", "/feed", typed("application/rss+xml", &feed).chunked())
        .page("a.test", "/svg", typed("image/svg+xml", "<svg/>"))
        .page("a.test", "/packed-xml", packed("text/xml", xhtml).dripping(1, Duration::from_millis(1)))
        .page("a.test", "/packed-feed", packed("text/xml", &feed).dripping(100, Duration::from_millis(5)))
        .page("a.test", "/packed-text", packed("*/*", &feed))
        .page("a.test", "/not-packed", typed("text/xml", &feed).header("Content-Encoding", "gzip"))
        .page("a.test", "/squeezed", squeezed)
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    for (path, read) in [
        ("image", None),
        ("chunked", None),
        ("untyped-text", None),
        ("small", None),
        ("small-chunked", None),
        ("html", Some("<p>")),
        ("xhtml", Some("<p/>")),
        ("untyped", Some(page)),
        ("late", Some(late.as_str())),
        ("late-text", None),
        ("drop", Some(page)),
        ("empty", Some("")),
        ("xml", Some(xhtml)),
        ("xml-typeless", Some(xhtml)),
        ("svg", None),
        ("packed-feed", None),
        ("packed-text", None),
        // The decoder reports the error when the body is read.
        ("not-packed", Some(feed.as_str())),
        ("feed", None),
    ] {
        let answer = client.answer(&format!("http://a.test/{path}")).await;
        assert_eq!(answer.unread, read.is_none(), "{path}");
        assert!(answer.body == read.unwrap_or_default(), "{path}: {} bytes", answer.body.len());
        assert!((answer.status, answer.cut.is_some()) == (200, false), "{path}");
    }
    for (path, body) in [("squeezed", page), ("packed-xml", xhtml)] {
        let answer = client.answer(&format!("http://a.test/{path}")).await;
        assert_eq!(answer.decode(1_000).unwrap().bytes, body);
    }
    // Only the body that was too long to be skipped cost a connection.
    let log = web.log();
    let connection = |path: &str| log.iter().find(|request| request.path == path).unwrap().connection;
    assert_ne!(connection("/image"), connection("/chunked"));
    assert_eq!(
        web.connections(),
        5,
        "{:?}",
        log.iter().map(|request| request.connection).collect::<Vec<_>>()
    );
    assert_eq!(connection("/small"), connection("/feed"));
    assert_ne!(connection("/feed"), connection("/squeezed"));
}

#[tokio::test]
async fn an_unused_body_does_not_count_against_the_deadline() {
    let moment = Duration::from_millis(100);
    let image = Reply::html(&"x".repeat(1_000)).header("Content-Type", "image/png");
    let web = FakeWeb::new()
        .page("a.test", "/image", image.dripping(50, moment))
        .page("a.test", "/page", Reply::html(&"x".repeat(1_000)).dripping(50, moment))
        .start()
        .await;
    let config = FetchConfig {
        timeout: Span(10 * moment),
        first_byte_timeout: Span(5 * moment),
        ..web.fetch_config()
    };
    let client = Visitor::new(&config);
    assert!(client.answer("http://a.test/image").await.unread);
    let answer = client.answer("http://a.test/page").await;
    assert_eq!(answer.cut, Some(Cut::Time));
    assert!(answer.cause.contains("fetch.timeout"), "{}", answer.cause);
}

#[test]
fn the_decoded_size_is_bounded_by_the_size_on_the_network() {
    let config = FetchConfig {
        max_decoded_bytes: 1_000_000,
        max_decode_ratio: 100,
        free_decoded_bytes: 50_000,
        ..FetchConfig::default()
    };
    for (wire, cap) in [(0, 50_000), (500, 50_000), (501, 50_100), (9_999, 999_900), (10_001, 1_000_000)] {
        assert_eq!(config.decoded_cap(wire), cap, "{wire}");
    }
}

#[tokio::test]
async fn ports_that_are_not_configured_are_not_connected_to() {
    let web = FakeWeb::new().page("a.test", "/", Reply::html("")).start().await;
    let book = PinnedAddresses::new(&web.fetch_config()).unwrap();
    for port in [":80", ":443", ":8080", ":8443", ""] {
        assert!(book.resolve(&url(&format!("http://a.test{port}/"))).await.is_ok(), "{port}");
    }
    let client = Visitor::new(&web.fetch_config());
    for port in [1, 22, 25, 6_379, 65_535] {
        for text in [format!("http://a.test:{port}/"), format!("https://1.1.1.1:{port}/")] {
            let refused = book.resolve(&url(&text)).await.unwrap_err();
            assert_eq!(refused.kind, FailureKind::AddressRefused, "{text}");
            assert!(refused.detail.contains(&port.to_string()), "{}", refused.detail);
            client.ask(&text).await;
        }
    }
    assert_eq!((web.log().len(), web.connections()), (0, 0));
    let all = PinnedAddresses::new(&FetchConfig { ports: vec![Ports::ALL], ..web.fetch_config() }).unwrap();
    assert!(all.resolve(&url("http://a.test:25/")).await.is_ok());
}
