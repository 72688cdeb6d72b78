//! Bodies that end with their connection, also over TLS, where some servers close it without an alert (RFC 8446, 6.1,
//! RFC 9112, 9.8).

use std::sync::atomic::AtomicBool;

use backlinkd::fetch::FetchOutcome;
use backlinkd::model::{Cut, FailureKind};

use crate::fetch_body::{brotli, gzip};
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::Visitor;

/// A page, long enough for several TLS records.
fn page() -> String {
    (0..4_000).map(|n| format!("<p>paragraph {n}<a href=/{n}>link</a>\n")).collect()
}

/// The end of a complete body, and of its connection.
fn whole() -> Vec<(&'static str, Reply)> {
    let page = page();
    let html = || Reply::html(&page);
    let encoded = |name, bytes: Vec<u8>| html().header("Content-Encoding", name).body(bytes);
    let http10 = [b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n", page.as_bytes()].concat();
    let keeps =
        [b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n<!doctype html>", page.as_bytes()].concat();
    vec![
        ("open", html().until_close()),
        ("http-1.0", Reply::raw(http10)),
        ("keep-alive", Reply::raw(keeps)),
        ("gzip", encoded("gzip", gzip(page.as_bytes())).until_close()),
        ("br", encoded("br", brotli(page.as_bytes())).until_close()),
        ("slow", html().until_close().dripping(60_000, std::time::Duration::from_millis(20))),
        ("length", html()),
        ("chunked", html().chunked()),
    ]
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_complete() {
    for web in [FakeWeb::new().with_tls(), FakeWeb::new().with_tls12()] {
        let web = whole().into_iter().fold(web, |web, (name, reply)| {
            web.page("a.test", &format!("/said/{name}"), reply.clone()).page(
                "a.test",
                &format!("/unsaid/{name}"),
                reply.then_cut(),
            )
        });
        let web = web.start().await;
        let client = Visitor::new(&web.fetch_config());
        for scheme in ["http", "https"] {
            for (name, _) in whole() {
                for how in ["said", "unsaid"] {
                    let answer = client.answer(&format!("{scheme}://a.test/{how}/{name}")).await;
                    let decoded = answer.decode(1 << 20).unwrap();
                    let case = format!("{scheme} {how} {name}");
                    assert_eq!((answer.cut, decoded.cut), (None, None), "{case}");
                    let text = String::from_utf8(decoded.bytes.to_vec()).unwrap();
                    assert!(text.ends_with(&page()), "{case}: {} bytes", text.len());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_body_shorter_than_declared_is_cut() {
    let page = page();
    let length = page.len();
    let no_last_chunk = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{page}\r\n"
    );
    let cases = [
        ("long", Reply::html(&page).claiming(length + 2)),
        ("no-last-chunk", Reply::raw(no_last_chunk)),
        (
            "reset",
            Reply::raw(format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}")).then_reset(),
        ),
    ];
    let web = cases.iter().fold(FakeWeb::new().with_tls(), |web, (name, reply)| {
        let cut = if *name == "reset" { reply.clone() } else { reply.clone().then_cut() };
        web.page("a.test", &format!("/said/{name}"), reply.clone()).page(
            "a.test",
            &format!("/cut/{name}"),
            cut,
        )
    });
    let web = web.page("a.test", "/nothing", Reply::raw("").then_cut()).start().await;
    let client = Visitor::new(&web.fetch_config());
    for scheme in ["http", "https"] {
        for (name, _) in &cases {
            for how in ["said", "cut"] {
                if *name == "reset" && scheme == "https" {
                    // Over TLS, the web closes without an alert instead.
                    continue;
                }
                let answer = client.answer(&format!("{scheme}://a.test/{how}/{name}")).await;
                assert_eq!(answer.cut, Some(Cut::Disconnect), "{scheme} {how} {name}");
                assert!(!answer.cause.is_empty(), "{scheme} {how} {name}");
                assert!(
                    !answer.body.is_empty() && page.as_bytes().starts_with(&answer.body),
                    "{scheme} {how} {name}"
                );
            }
        }
        let FetchOutcome::Failed(kind, _) = client.fetch(&format!("{scheme}://a.test/nothing")).await else {
            panic!("no answer is none");
        };
        assert_eq!(kind, FailureKind::Protocol);
    }
}

#[test]
fn robots_txt_and_sitemaps_end_with_their_connection_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let robots =
        |host: &str| format!("User-agent: *\nDisallow: /private\nSitemap: https://{host}/sitemap.xml");
    let sitemap = |host: &str| {
        format!("<?xml version=\"1.0\"?><urlset><url><loc>https://{host}/only-there</loc></url></urlset>")
    };
    let hosts = ["plain.test", "old.test", "gzip.test", "file.test"];
    let end = |host: &str, text: String| match host {
        "plain.test" => Reply::text(&text).until_close(),
        "old.test" => Reply::raw(format!("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n{text}")),
        "gzip.test" => {
            Reply::text("").header("Content-Encoding", "gzip").body(gzip(text.as_bytes())).until_close()
        }
        _ => Reply::text(&text).until_close(),
    };
    let web = hosts.into_iter().fold(FakeWeb::new().with_tls(), |web, host| {
        let file = match host {
            "file.test" => Reply::text("").body(gzip(sitemap(host).as_bytes())).until_close(),
            _ => end(host, sitemap(host)),
        };
        web.page(host, "/robots.txt", end(host, robots(host)).then_cut())
            .page(host, "/sitemap.xml", file.then_cut())
            .page(
                host,
                "/",
                Reply::html("<a href=/private>no</a><a href=/public>yes</a>").until_close().then_cut(),
            )
            .page(host, "/public", Reply::html("public").until_close().then_cut())
            .page(host, "/private", Reply::html("private"))
            .page(host, "/only-there", Reply::html("there").until_close().then_cut())
    });
    let web = runtime.block_on(web.start());
    let site = Site::over(runtime, web);
    let seeds = hosts.map(|host| format!("https://{host}/"));
    site.crawl(&job(&seeds), &AtomicBool::new(false));
    for host in hosts {
        let log = site.web.log();
        let mut paths: Vec<&str> =
            log.iter().filter(|request| request.host == host).map(|request| request.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["/", "/only-there", "/public", "/robots.txt", "/sitemap.xml"], "{host}");
    }
}
