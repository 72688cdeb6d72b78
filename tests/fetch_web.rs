//! Black-box tests of fetches: a web on loopback with correct and faulty servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backlinkd::config::{FetchConfig, Span};
use backlinkd::fetch::{AddressError, FetchError, FetchOutcome, Fetcher, RobotsAnswer, Validators};
use backlinkd::model::{Cut, FailureKind, MediaType};

use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, fetch, url};

#[tokio::test]
async fn a_request_has_our_user_agent_and_a_response_is_unchanged() {
    let reply = Reply::html("<p>hello")
        .header("ETag", "\"1\"")
        .header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("X-Robots-Tag", "noarchive")
        .header("X-Robots-Tag", "nofollow")
        .header("Link", "</c>; rel=\"canonical\"")
        .header("Refresh", "5; url=/next");
    let web = FakeWeb::new().host("a.test", "127.1.2.3").page("a.test", "/p?q=1", reply).start().await;
    let config = FetchConfig { contact: "https://a.test/bot".to_owned(), ..web.fetch_config() };
    let client = Visitor::new(&config);
    let answer = client.answer("http://a.test/p?q=1").await;
    assert_eq!((answer.status, &answer.body[..], answer.cut.is_some()), (200, &b"<p>hello"[..], false));
    assert_eq!(answer.ip.to_string(), "127.1.2.3");
    assert_eq!(answer.ip, client.fetcher.addresses().resolve(&url("http://a.test/")).await.unwrap());
    assert_eq!(answer.media_type, MediaType::parse(b"text/html; charset=utf-8"));
    assert_eq!(answer.etag.as_deref(), Some("\"1\""));
    assert_eq!(answer.last_modified.as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(answer.x_robots_tag, ["noarchive", "nofollow"]);
    assert_eq!(answer.link, ["</c>; rel=\"canonical\""]);
    assert_eq!(answer.refresh.as_deref(), Some("5; url=/next"));
    assert_eq!(answer.version, http::Version::HTTP_11);
    assert_eq!(answer.headers["etag"], "\"1\"");
    assert_eq!(answer.headers.get_all("x-robots-tag").iter().count(), 2);

    let log = web.log();
    let paths: Vec<&str> = log.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/robots.txt", "/p?q=1"]);
    let request = &log[1];
    let agent = format!("backlinkd/{} (+https://a.test/bot)", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(agent.as_str()));
    assert_eq!(request.header("accept-encoding"), Some("gzip, br, zstd, deflate"));
    assert_eq!(request.header("host"), Some("a.test"));
    for absent in ["cookie", "referer", "if-none-match", "authorization"] {
        assert_eq!(request.header(absent), None, "{absent}");
    }
    let told = client.fetcher.request_headers(&url("http://a.test/p?q=1"), None, None);
    let told = told.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut sent = request.headers.clone();
    sent.sort();
    assert_eq!(told.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(), sent);
    assert_eq!(web.connections(), 1, "the connection of robots.txt is used for the page");
}

#[tokio::test]
async fn every_status_is_a_response_and_no_redirect_is_followed() {
    let statuses = [200, 204, 300, 301, 302, 303, 307, 308, 400, 403, 404, 410, 429, 451, 500, 503, 599];
    let mut web = FakeWeb::new();
    for status in statuses {
        let reply = Reply::redirect(status, "/target/ümläut").header("Retry-After", "7");
        web = web.page("a.test", &format!("/{status}"), reply);
    }
    let web = web.start().await;
    let client = Visitor::new(&web.fetch_config());
    for status in statuses {
        let answer = client.answer(&format!("http://a.test/{status}")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.location.as_deref(), Some("/target/ümläut"));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
    }
    assert_eq!(web.log().len(), 1 + statuses.len());
}

#[tokio::test]
async fn an_unchanged_page_is_not_transferred_again() {
    let web = FakeWeb::new()
        .answer("a.test", "/", |request| match request.header("if-none-match") {
            Some("\"v1\"") => Reply::status(304),
            _ => Reply::html("new").header("ETag", "\"v1\""),
        })
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    assert_eq!(client.answer("http://a.test/").await.status, 200);
    let known =
        Validators { etag: "\"v1\"".to_owned(), last_modified: "Mon, 01 Jan 2024 00:00:00 GMT".to_owned() };
    let FetchOutcome::Responded(answer) = client.fetch_if("http://a.test/", Some(&known)).await else {
        panic!("a 304 is an answer");
    };
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    let request = web.log().pop().unwrap();
    assert_eq!(request.header("if-modified-since"), Some("Mon, 01 Jan 2024 00:00:00 GMT"));
    let told = client.fetcher.request_headers(&url("http://a.test/"), Some(&known), None);
    assert_eq!(
        (&told["if-none-match"], &told["host"]),
        (&"\"v1\"".parse().unwrap(), &"a.test".parse().unwrap())
    );
}

#[tokio::test]
async fn an_endless_body_is_cut_and_its_connection_dropped() {
    let web = FakeWeb::new()
        .page("a.test", "/big", Reply::html(&"x".repeat(30 << 20)).chunked())
        .page("a.test", "/just", Reply::html(&"x".repeat(8 << 20)))
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    let answer = client.answer("http://a.test/big").await;
    assert_eq!((answer.body.len(), answer.cut.is_some()), (8 << 20, true));
    let answer = client.answer("http://a.test/just").await;
    assert_eq!((answer.body.len(), answer.cut.is_some()), (8 << 20, false));
    let log = web.log();
    assert_ne!(log[1].connection, log[2].connection);
}

#[tokio::test]
async fn one_deadline_covers_a_fetch_from_start_to_last_byte() {
    let second = Duration::from_secs(1);
    let web = FakeWeb::new()
        .page("a.test", "/slow", Reply::html("late").after(20 * second))
        .page("a.test", "/drip", Reply::html(&"x".repeat(100)).dripping(1, second / 10))
        .page("a.test", "/patient", Reply::html("ok").after(second / 10))
        .start()
        .await;
    let client = Visitor::new(&FetchConfig { timeout: Span(second / 2), ..web.fetch_config() });
    for path in ["slow", "drip"] {
        let start = Instant::now();
        match path {
            "slow" => {
                assert_eq!(client.failure(&format!("http://a.test/{path}")).await, FailureKind::Timeout);
            }
            _ => {
                let answer = client.answer(&format!("http://a.test/{path}")).await;
                assert_eq!(answer.cut, Some(Cut::Time));
                assert!((1..100).contains(&answer.body.len()), "{}", answer.body.len());
            }
        }
        let took = start.elapsed();
        assert!(took > second / 3 && took < 2 * second, "{path} took {took:?}");
    }
    assert_eq!(client.answer("http://a.test/patient").await.status, 200);
    let patient = web.log().pop().unwrap();
    assert!(patient.end.unwrap() - patient.start >= second / 10);
}

#[tokio::test]
async fn broken_off_and_invalid_responses_are_protocol_failures() {
    let web = FakeWeb::new()
        .page("a.test", "/short", Reply::html("half").claiming(1_000))
        .page("a.test", "/reset", Reply::reset())
        .page("a.test", "/nothing", Reply::raw(""))
        .page("a.test", "/garbage", Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"))
        .page("a.test", "/http09", Reply::raw("<p>no header at all"))
        .page(
            "a.test",
            "/chunk",
            Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n"),
        )
        .page(
            "a.test",
            "/unended",
            Reply::raw(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
            ),
        )
        .page("a.test", "/huge-header", Reply::html("").header("X-Huge", "x".repeat(2 << 20)))
        .page(
            "a.test",
            "/odd-header",
            Reply::raw(
                "HTTP/1.1 200 OK\r\nBad Name : x\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok",
            ),
        )
        .page("a.test", "/until-close", Reply::html("all of it").until_close())
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    for path in ["reset", "nothing", "garbage", "http09", "chunk", "huge-header"] {
        assert_eq!(client.failure(&format!("http://a.test/{path}")).await, FailureKind::Protocol, "{path}");
    }
    for (path, body) in [("short", "half"), ("unended", "hi")] {
        let answer = client.answer(&format!("http://a.test/{path}")).await;
        assert_eq!((&answer.body[..], answer.cut), (body.as_bytes(), Some(Cut::Disconnect)), "{path}");
        assert!(!answer.cause.is_empty(), "{path}");
    }
    assert_eq!(client.answer("http://a.test/odd-header").await.body, "ok");
    let answer = client.answer("http://a.test/until-close").await;
    assert_eq!((&answer.body[..], answer.cut.is_some()), (&b"all of it"[..], false));
}

#[tokio::test]
async fn private_addresses_are_not_connected_to() {
    let web = FakeWeb::new().page("a.test", "/", Reply::html("secret")).start().await;
    let config = FetchConfig { allow_private_addresses: vec![], ..web.fetch_config() };
    let fetcher = Fetcher::new(&config).unwrap();
    let client = Visitor::new(&config);
    for text in [
        "http://a.test/",
        "http://127.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::]/",
        "http://169.254.169.254/latest/meta-data/",
        "https://192.168.0.1/",
        "http://[64:ff9b::7f00:1]/",
        "http://localhost/",
    ] {
        let refused = fetcher.addresses().resolve(&url(text)).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::AddressRefused, "{text}");
        // robots.txt is requested first, and its host is refused already.
        let (answer, _) = client.ask(text).await;
        assert!(matches!(answer, RobotsAnswer::Unavailable { .. }), "{text}: {answer:?}");
    }
    assert_eq!((web.log().len(), web.connections()), (0, 0));
}

#[tokio::test]
async fn a_page_with_known_robots_rules_is_still_checked() {
    // The rules are cached for the host; the address of its name is checked again for each fetch.
    let web = FakeWeb::new().page("a.test", "/", Reply::html("")).start().await;
    let client = Visitor::new(&web.fetch_config());
    let RobotsAnswer::Allowed(permit) = client.ask("http://a.test/").await.0 else { panic!() };
    let guarded = FetchConfig { allow_private_addresses: vec![], ..web.fetch_config() };
    let outcome = fetch(&Fetcher::new(&guarded).unwrap(), permit, None).await;
    assert!(matches!(outcome, FetchOutcome::Failed(FailureKind::AddressRefused, _)), "{outcome:?}");
    assert_eq!(web.log().len(), 1);
}

#[tokio::test]
async fn failures_to_connect_and_to_resolve_are_distinguished() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("overrides.tsv");
    std::fs::write(&file, format!("closed.test\t{closed}\t{closed}\n")).unwrap();
    let web = FakeWeb::new().page("a.test", "/", Reply::html("")).start().await;
    let fetcher = |config| Arc::new(Fetcher::new(&config).unwrap());
    let failed = async |fetcher: &Fetcher, permit| match fetch(fetcher, permit, None).await {
        FetchOutcome::Failed(kind, detail) => (kind, detail),
        FetchOutcome::Responded(_) => panic!("nobody is there"),
    };
    // No resolver knows a name under `invalid` (RFC 6761).
    let nameless = "nobody.invalid".to_owned();
    // Permits are obtained while the host responds, and used while it does not.
    let everywhere = FakeWeb::new()
        .page("closed.test", "/robots.txt", Reply::status(404))
        .page(&nameless, "/robots.txt", Reply::status(404))
        .start()
        .await;
    let client = Visitor::new(&everywhere.fetch_config());
    let RobotsAnswer::Allowed(permit) = client.ask("http://closed.test/").await.0 else { panic!() };
    let unreachable = fetcher(FetchConfig { host_overrides: file, ..web.fetch_config() });
    let (kind, detail) = failed(&unreachable, permit).await;
    assert_eq!(kind, FailureKind::Connect, "{detail}");
    let RobotsAnswer::Allowed(permit) = client.ask(&format!("http://{nameless}/")).await.0 else { panic!() };
    let (kind, detail) = failed(&unreachable, permit).await;
    assert_eq!(kind, FailureKind::Dns, "{detail}");
    assert!(detail.contains(&nameless), "{detail}");
}

#[tokio::test]
async fn tls_needs_a_trusted_authority_and_a_certificate_for_the_host() {
    let web = FakeWeb::new()
        .with_tls()
        .host("a.test", "127.3.0.1")
        .page("a.test", "/", Reply::html("over tls"))
        .page("*.wild.test", "/", Reply::html("below"))
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    assert_eq!(client.answer("https://a.test/").await.body, "over tls");
    assert_eq!(client.answer("http://a.test/").await.body, "over tls");
    assert_eq!(client.answer("https://x.wild.test/").await.body, "below");
    let tls: Vec<(bool, u16)> = web.log().iter().map(|request| (request.tls, request.at.port())).collect();
    assert_eq!(tls.iter().filter(|(tls, _)| *tls).count(), 4);
    assert_ne!(tls[0].1, tls[2].1, "http and https have ports of their own");

    // The same server, first untrusted, and then trusted under a name that its certificate lacks.
    let RobotsAnswer::Allowed(permit) = client.ask("https://a.test/").await.0 else { panic!() };
    let other = FakeWeb::new().with_tls().page("b.test", "/", Reply::html("")).start().await;
    let distrusting = FetchConfig { extra_ca: other.ca(), ..web.fetch_config() };
    let outcome = fetch(&Fetcher::new(&distrusting).unwrap(), permit, None).await;
    assert!(matches!(outcome, FetchOutcome::Failed(FailureKind::Tls, _)), "{outcome:?}");
    let text = std::fs::read_to_string(web.overrides()).unwrap().replace("a.test", "deep.x.wild.test");
    std::fs::write(other.overrides(), text).unwrap();
    let misnamed = FetchConfig { host_overrides: other.overrides(), ..web.fetch_config() };
    let (answer, _) = Visitor::new(&misnamed).ask("https://deep.x.wild.test/").await;
    assert!(matches!(answer, RobotsAnswer::Unavailable { .. }), "{answer:?}");
}

#[tokio::test]
async fn http2_is_used_if_the_server_supports_it() {
    let web = FakeWeb::new()
        .with_http2()
        .host("a.test", "127.5.0.1")
        .page("a.test", "/", Reply::html("two").header("Location", "/ü").header("X-Robots-Tag", "none"))
        .page("a.test", "/big", Reply::html(&"x".repeat(40_000)))
        .page("a.test", "/gone", Reply::status(410))
        .start()
        .await;
    let client = Visitor::new(&FetchConfig { max_body_bytes: 10_000, ..web.fetch_config() });
    let answer = client.answer("https://a.test/").await;
    assert_eq!((answer.status, &answer.body[..], answer.cut.is_some()), (200, &b"two"[..], false));
    assert_eq!(answer.version, http::Version::HTTP_2);
    assert_eq!((answer.location.as_deref(), answer.ip.to_string()), (Some("/ü"), "127.5.0.1".to_owned()));
    assert_eq!(answer.x_robots_tag, ["none"]);
    let answer = client.answer("https://a.test/big").await;
    assert_eq!((answer.body.len(), answer.cut.is_some()), (10_000, true));
    assert_eq!(client.answer("https://a.test/gone").await.status, 410);
    assert!(web.log().iter().all(|request| request.http2));
    assert_eq!(web.log().len(), 4);
    assert_eq!(web.connections(), 1, "a stream that is cut does not cost the connection");
}

#[tokio::test]
async fn a_handshake_that_breaks_off_is_a_tls_failure() {
    let plain = FakeWeb::new().page("a.test", "/", Reply::html("no tls here")).start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closing = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let web = FakeWeb::new().with_tls().page("a.test", "/", Reply::html("")).start().await;
    let client = Visitor::new(&web.fetch_config());
    let to_closing = web.overrides().with_file_name("closing.tsv");
    std::fs::write(&to_closing, format!("a.test\t{closing}\t{closing}\n")).unwrap();
    for overrides in [plain.overrides(), to_closing] {
        let RobotsAnswer::Allowed(permit) = client.ask("https://a.test/").await.0 else { panic!() };
        let elsewhere = FetchConfig { host_overrides: overrides, ..web.fetch_config() };
        let outcome = fetch(&Fetcher::new(&elsewhere).unwrap(), permit, None).await;
        assert!(matches!(outcome, FetchOutcome::Failed(FailureKind::Tls, _)), "{outcome:?}");
    }
}

/// The environment gives the location of the system's authorities, and a process must not change its own. So the TLS
/// test runs again in a process without authorities.
#[test]
fn a_machine_without_authorities_works_with_extra_ones() {
    let test = "fetch_web::tls_needs_a_trusted_authority_and_a_certificate_for_the_host";
    let nowhere = tempfile::tempdir().unwrap();
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env("SSL_CERT_FILE", nowhere.path().join("none.pem"))
        .env("SSL_CERT_DIR", nowhere.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && output.contains("1 passed"), "{output}");
}

#[tokio::test]
async fn unusable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("some.file");
    let error = |config| match Fetcher::new(&config) {
        Err(error) => error,
        Ok(_) => panic!("the file is no good"),
    };
    let overrides = FetchConfig { host_overrides: file.clone(), ..FetchConfig::default() };
    let authorities = FetchConfig { extra_ca: file.clone(), ..FetchConfig::default() };
    assert!(matches!(error(overrides.clone()), FetchError::Addresses(AddressError::Overrides(_))));
    assert!(matches!(error(authorities.clone()), FetchError::AuthoritiesUnreadable { .. }));
    std::fs::write(&file, "\nnot\tgood\n").unwrap();
    for (config, key) in [(overrides, "line 2"), (authorities, "fetch.extra_ca")] {
        let message = error(config).to_string();
        assert!(message.contains(key) && message.contains("some.file"), "{message}");
    }
}
