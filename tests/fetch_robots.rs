//! Permits: the fetches that a host's robots.txt, or its absence, allows.

mod kept;

use std::time::Duration;

use backlinkd::config::{FetchConfig, RobotsConfig, Span};
use backlinkd::fetch::{RobotsAnswer, RobotsOutcome};

use crate::fetch_body::gzip;
use crate::support::fake_web::{FakeWeb, Reply, Request};
use crate::support::visitor::{Visitor, url};

const RULES: &str = "User-agent: *\nAllow: /\n\nUser-agent: Backlinkd\nCrawl-delay: 2.5\nDisallow: /no\n";

#[tokio::test]
async fn a_permit_follows_the_rules_and_requires_that_they_are_known() {
    let web = FakeWeb::new().page("a.test", "/robots.txt", Reply::text(RULES)).start().await;
    let client = Visitor::new(&web.fetch_config());
    let RobotsAnswer::NeedsFetch(job) = client.robots.check(&url("http://a.test/no/way")) else {
        panic!("nothing is known yet");
    };
    assert_eq!(job.url().as_str(), "http://a.test/robots.txt");
    assert_eq!(client.robots.fetch(job).await, RobotsOutcome::Known);
    let check = |text: &str| client.robots.check(&url(text));
    assert_eq!(check("http://a.test/no/way"), RobotsAnswer::Disallowed { line: 6 });
    let RobotsAnswer::Allowed(permit) = check("http://a.test/yes") else { panic!("this is allowed") };
    assert_eq!(permit.url().as_str(), "http://a.test/yes");
    assert_eq!(permit.crawl_delay(), Some(Duration::from_millis(2_500)));
    assert!(matches!(check("http://a.test/robots.txt"), RobotsAnswer::Allowed(_)));
    // Another scheme, port or host has its own rules.
    for other in ["https://a.test/yes", "http://a.test:8080/yes", "http://www.a.test/yes"] {
        assert!(matches!(check(other), RobotsAnswer::NeedsFetch(_)), "{other}");
    }
    assert_eq!(web.log().len(), 1);
}

#[tokio::test]
async fn an_unavailable_robots_txt_is_treated_as_in_rfc_9309() {
    let close = |body: &str| Reply::text(body);
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let cases: [(&str, Reply, bool); 19] = [
        ("200", close(RULES), true),
        ("bom", close("\u{feff}User-agent: *\nDisallow: /private\nDisallow: /no\n"), true),
        ("cr", close("user-agent:*\rdisallow:/no\r"), true),
        ("utf16", close("").body(utf_16(RULES)), true),
        ("utf16bom", close("").body(utf_16(&format!("\u{feff}{RULES}"))), true),
        ("nul", close("User-agent: *\nDisallow: /no\0\0\0\0"), true),
        ("latin1", close("").body(b"caf\xe9\nnot found"), false),
        ("gzip", Reply::text("").header("Content-Encoding", "gzip").body(gzip(RULES.as_bytes())), true),
        ("utf8", close(RULES).header("Content-Encoding", "UTF-8"), true),
        ("204", Reply::status(204), false),
        ("403", Reply::status(403).body("User-agent: *\nDisallow: /"), false),
        ("404", Reply::status(404).body("User-agent: *\nDisallow: /"), false),
        ("429", Reply::status(429), false),
        ("304", Reply::status(304), false),
        ("nowhere", Reply::status(302), false),
        ("loop", Reply::redirect(301, "/robots.txt"), false),
        ("ftp", Reply::redirect(301, "ftp://a.test/robots.txt"), false),
        ("html", Reply::html("<!doctype html>\n<p>User-agent: *\n<p>Disallow: /"), false),
        ("empty", close(""), false),
    ];
    let mut web = FakeWeb::new();
    for (name, reply, _) in &cases {
        web = web.page(&format!("r{name}.test"), "/robots.txt", reply.clone());
    }
    let web = web.start().await;
    let client = Visitor::new(&web.fetch_config());
    for (name, _, forbids) in &cases {
        let (answer, _) = client.ask(&format!("http://r{name}.test/no/page")).await;
        match forbids {
            true => assert!(matches!(answer, RobotsAnswer::Disallowed { line: 1.. }), "{name}: {answer:?}"),
            false => assert!(matches!(answer, RobotsAnswer::Allowed(_)), "{name}: {answer:?}"),
        }
        let (answer, asked) = client.ask(&format!("http://r{name}.test/page")).await;
        assert!(matches!(answer, RobotsAnswer::Allowed(_)), "{name}: {answer:?}");
        assert!(asked.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn while_a_robots_txt_is_unreachable_nothing_is_allowed() {
    let cases = [
        ("500", Reply::status(500)),
        ("503", Reply::status(503)),
        ("reset", Reply::reset()),
        ("broken", Reply::text("plain").header("Content-Encoding", "gzip")),
        ("short", Reply::text("User-agent: *").claiming(100)),
        ("gz", Reply::text("").body(gzip(RULES.as_bytes()))),
        (
            "image",
            Reply::status(200).header("Content-Type", "image/png").body(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ),
        ("nuls", Reply::text(&"\0".repeat(4_096))),
        ("late", Reply::text("").after(Duration::from_secs(30))),
        ("private", Reply::redirect(302, "http://10.0.0.1/robots.txt")),
    ];
    let mut web = FakeWeb::new();
    for (name, reply) in &cases {
        web = web.page(&format!("r{name}.test"), "/robots.txt", reply.clone());
    }
    let web = web.start().await;
    let robots = RobotsConfig { retry_after: Span::seconds(1), ..RobotsConfig::default() };
    let config = FetchConfig { timeout: Span(Duration::from_millis(300)), ..web.fetch_config() };
    let client = Visitor::with_robots(&config, &robots);
    for (name, _) in &cases {
        let (answer, _) = client.ask(&format!("http://r{name}.test/")).await;
        let RobotsAnswer::Unavailable { retry_in } = answer else { panic!("{name}: {answer:?}") };
        assert!(retry_in <= Duration::from_secs(1), "{name}");
    }
    assert!(web.log().iter().all(|request| request.path == "/robots.txt"));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let again = client.robots.check(&url("http://r500.test/"));
    assert!(matches!(again, RobotsAnswer::NeedsFetch(_)), "{again:?}");
}

/// Every status, from a server that responds with it: 2.3.1.1 to 2.3.1.4.
#[tokio::test]
async fn every_status_of_a_robots_txt_is_treated_as_in_rfc_9309() {
    let forbid = "User-agent: *\nDisallow: /no\n";
    let answer = move |request: &Request| {
        let status = request.host.trim_start_matches('s').split('.').next().unwrap().parse().unwrap();
        Reply::status(status).body(if matches!(status, 204 | 304) { "" } else { forbid })
    };
    let web = FakeWeb::new().answer("*.test", "/robots.txt", answer).start().await;
    let client = Visitor::new(&web.fetch_config());
    for status in 200..=599 {
        let (answer, asked) = client.ask(&format!("http://s{status}.test/no")).await;
        let expected = match status {
            204 => "allowed",
            200..=299 => "disallowed",
            // Redirects are among them, because their target is missing.
            300..=499 => "allowed",
            _ => "unreachable",
        };
        let told = match answer {
            RobotsAnswer::Allowed(_) => "allowed",
            RobotsAnswer::Disallowed { line: 2 } => "disallowed",
            RobotsAnswer::Unavailable { .. } => "unreachable",
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!((told, asked.len()), (expected, 1), "{status}");
    }
}

#[tokio::test]
async fn a_network_failure_forbids_everything() {
    let web = FakeWeb::new().with_tls().page("good.test", "/robots.txt", Reply::text("")).start().await;
    let overrides = std::fs::read_to_string(web.overrides()).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // A closed port; a certificate of another host; plain HTTP on a TLS port.
    let [http, https] = [1, 2].map(|column| overrides.split('\t').nth(column).unwrap().trim().to_owned());
    std::fs::write(
        web.overrides(),
        format!("{overrides}refused.test\t{free}\t{free}\nwrong.test\t{http}\t{https}\nplain.test\t{https}\t{http}\n"),
    )
    .unwrap();
    let client = Visitor::new(&web.fetch_config());
    for text in [
        "http://refused.test/",
        "https://wrong.test/",
        "https://plain.test/",
        "http://plain.test/",
        "http://no-such-host.invalid/",
        "http://10.1.2.3/",
    ] {
        let (answer, asked) = client.ask(text).await;
        assert!(matches!(answer, RobotsAnswer::Unavailable { .. }), "{text}: {answer:?}");
        assert_eq!(asked.len(), 1, "{text}");
    }
    for text in ["http://good.test/", "https://good.test/"] {
        assert!(matches!(client.ask(text).await.0, RobotsAnswer::Allowed(_)), "{text}");
    }
}

#[tokio::test]
async fn redirects_of_robots_txt_are_followed_across_hosts_up_to_five() {
    let mut web = FakeWeb::new().host("far.test", "127.4.0.1").page("far.test", "/0", Reply::text(RULES));
    for n in 1..=6 {
        web = web.page("far.test", &format!("/{n}"), Reply::redirect(302, &format!("/{}", n - 1)));
    }
    let web = web
        .page("five.test", "/robots.txt", Reply::redirect(301, "http://far.test/4"))
        .page("six.test", "/robots.txt", Reply::redirect(301, "http://far.test/5"))
        .start()
        .await;
    let client = Visitor::new(&web.fetch_config());
    let (answer, asked) = client.ask("http://five.test/no").await;
    assert_eq!(answer, RobotsAnswer::Disallowed { line: 6 });
    let chain =
        ["http://five.test/robots.txt", "http://far.test/4", "http://far.test/3", "http://far.test/2"];
    assert_eq!((&asked[..4], asked.len()), (&chain.map(str::to_owned)[..], 6));
    let (answer, asked) = client.ask("http://six.test/no").await;
    assert!(matches!(answer, RobotsAnswer::Allowed(_)), "{answer:?}");
    assert_eq!(asked.len(), 6);
    // The rules apply to the host that redirected, not to the one that served them.
    assert!(matches!(client.robots.check(&url("http://far.test/no")), RobotsAnswer::NeedsFetch(_)));
}

#[tokio::test]
async fn a_too_large_robots_txt_applies_up_to_its_last_whole_line() {
    let line = "Disallow: /page-that-nobody-wants\n";
    let max = RobotsConfig::default().max_bytes;
    let mut text = format!("User-agent: *\nDisallow: /early\n{}", line.repeat(max / line.len() - 2));
    text.truncate(max - "Disallow: /".len());
    text.truncate(text.rfind('\n').unwrap() + 1);
    text.push_str(&"#".repeat(max - text.len() - "\nDisallow: /".len()));
    text.push_str("\nDisallow: /late\nDisallow: /later\n");
    assert_eq!(&text[max - 11..max], "Disallow: /");
    let web = FakeWeb::new().page("a.test", "/robots.txt", Reply::text(&text)).start().await;
    let client = Visitor::new(&web.fetch_config());
    assert_eq!(client.ask("http://a.test/early").await.0, RobotsAnswer::Disallowed { line: 2 });
    for path in ["", "late", "later"] {
        let (answer, _) = client.ask(&format!("http://a.test/{path}")).await;
        assert!(matches!(answer, RobotsAnswer::Allowed(_)), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn rules_are_evicted_by_age_and_by_memory() {
    let big = format!("User-agent: *\n{}", "Disallow: /some-longish-path\n".repeat(10_000));
    let mut web = FakeWeb::new();
    for host in ["a.test", "b.test", "c.test"] {
        web = web.page(host, "/robots.txt", Reply::text(&big));
    }
    let web = web.start().await;
    let short = RobotsConfig { cache_bytes: 1_200_000, ..RobotsConfig::default() };
    let client = Visitor::with_robots(&web.fetch_config(), &short);
    for host in ["a.test", "b.test", "c.test"] {
        assert_eq!(client.ask(&format!("http://{host}/")).await.1.len(), 1, "{host}");
    }
    assert_eq!(client.ask("http://c.test/").await.1.len(), 0);
    assert_eq!(client.ask("http://a.test/").await.1.len(), 1);

    let brief = RobotsConfig { max_age: Span(Duration::from_millis(200)), ..RobotsConfig::default() };
    let client = Visitor::with_robots(&web.fetch_config(), &brief);
    assert_eq!(client.ask("http://a.test/").await.1.len(), 1);
    assert_eq!(client.ask("http://a.test/").await.1.len(), 0);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(client.ask("http://a.test/").await.1.len(), 1);
}
