//! Names and addresses: how long resolutions are used, and the addresses that may be connected to.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use backlinkd::config::{FetchConfig, Ports, Span};
use backlinkd::fetch::{Blame, Failure, FetchOutcome, PinnedAddresses, RobotsAnswer};
use backlinkd::model::FailureKind;

use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::name_server::{DnsReply, NameServer, Zone};
use crate::support::visitor::{Visitor, url};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Resolutions are used for at least one second and at most two.
fn config(server: &NameServer) -> FetchConfig {
    FetchConfig {
        nameservers: vec![server.at],
        ports: vec![Ports::ALL],
        allow_private_addresses: vec!["127.5.0.0/16".parse().unwrap(), "fd00::/16".parse().unwrap()],
        dns_min_ttl: Span::seconds(1),
        dns_ttl: Span::seconds(2),
        dns_negative_ttl: Span::seconds(2),
        ..FetchConfig::default()
    }
}

async fn resolve(book: &PinnedAddresses, host: &str) -> Result<IpAddr, Failure> {
    book.resolve(&url(&format!("http://{host}/"))).await
}

/// Asks until the name server was asked `times` times, and says after how long that was.
async fn asked_again(book: &PinnedAddresses, server: &NameServer, host: &str, times: usize) -> Duration {
    let start = Instant::now();
    while server.asked(host).0 < times {
        let _ = resolve(book, host).await;
        assert!(start.elapsed() < Duration::from_secs(20), "{host} was not asked for again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

#[tokio::test]
async fn an_address_is_used_for_its_lifetime_within_bounds() {
    let at = |ttl| move |_| DnsReply::Addresses(vec![ip("127.5.0.1")], ttl);
    let zone = Zone::default().name("never.test", at(0)).name("long.test", at(86_400));
    let server = zone.serve().await;
    let book = PinnedAddresses::new(&config(&server)).unwrap();
    let second = Duration::from_secs(1);
    for (host, least, most) in [("never.test", second, 2 * second), ("long.test", 2 * second, 3 * second)] {
        assert_eq!(resolve(&book, host).await, Ok(ip("127.5.0.1")), "{host}");
        let took = asked_again(&book, &server, host, 2).await;
        assert!(took > least - second / 10 && took < most + second, "{host} was kept for {took:?}");
        assert_eq!(server.asked(host), (2, 0), "{host}: IPv6 is not asked for where there is IPv4");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_cached_and_a_failure_is_not() {
    let zone = Zone::default()
        .name("gone.test", |_| DnsReply::Nothing(3, 86_400))
        .name("empty.test", |_| DnsReply::Nothing(0, 0))
        .name("broken.test", |_| DnsReply::Code(2))
        .name("late.test", |nth| match nth {
            0 => DnsReply::Nothing(3, 0),
            _ => DnsReply::Addresses(vec![ip("127.5.0.9")], 60),
        });
    let server = zone.serve().await;
    let book = PinnedAddresses::new(&config(&server)).unwrap();
    for (host, why, asked) in [
        ("gone.test", "NXDOMAIN", (1, 0)),
        ("empty.test", "no address", (1, 1)),
        ("never-heard-of.test", "NXDOMAIN", (1, 0)),
    ] {
        for _ in 0..3 {
            let failure = resolve(&book, host).await.unwrap_err();
            assert_eq!((failure.kind, failure.blame), (FailureKind::Dns, Blame::Host), "{host}");
            assert!(failure.detail.contains(why) && failure.detail.contains(host), "{}", failure.detail);
        }
        assert_eq!(server.asked(host), asked, "{host}");
    }
    let failure = resolve(&book, "broken.test").await.unwrap_err();
    assert_eq!((failure.kind, failure.blame), (FailureKind::Dns, Blame::NameServers), "{failure:?}");
    assert!(failure.detail.to_lowercase().contains("server fail"), "{failure:?}");
    let before = server.asked("broken.test").0;
    resolve(&book, "broken.test").await.unwrap_err();
    assert!(server.asked("broken.test").0 > before, "a failure says nothing of the name");

    resolve(&book, "late.test").await.unwrap_err();
    assert!(asked_again(&book, &server, "late.test", 2).await > Duration::from_millis(900));
    assert_eq!(resolve(&book, "late.test").await, Ok(ip("127.5.0.9")));
}

#[tokio::test]
async fn a_silent_name_server_costs_the_connect_timeout() {
    let server = Zone::default().name("silent.test", |_| DnsReply::Silence).serve().await;
    let config = FetchConfig { connect_timeout: Span(Duration::from_millis(900)), ..config(&server) };
    let book = PinnedAddresses::new(&config).unwrap();
    let start = Instant::now();
    let failure = resolve(&book, "silent.test").await.unwrap_err();
    assert_eq!((failure.kind, failure.blame), (FailureKind::Dns, Blame::NameServers));
    assert!(failure.detail.contains("in time"), "{}", failure.detail);
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
    assert!(server.asked("silent.test").0 >= 2, "a lost packet is sent again");
}

#[tokio::test]
async fn aliases_are_followed_and_have_their_shortest_lifetime() {
    let zone = Zone::default()
        .name("short.test", |_| DnsReply::Alias("target.test", 0, vec![ip("127.5.0.2")], 60))
        .name("asks.test", |_| DnsReply::AliasAlone("target.test", 60))
        .name("nowhere.test", |_| DnsReply::AliasAlone("gone.test", 60))
        .name("circle.test", |_| DnsReply::AliasAlone("circle.test", 60))
        .name("target.test", |_| DnsReply::Addresses(vec![ip("127.5.0.2")], 60));
    let server = zone.serve().await;
    let book = PinnedAddresses::new(&config(&server)).unwrap();
    for host in ["short.test", "asks.test"] {
        assert_eq!(resolve(&book, host).await, Ok(ip("127.5.0.2")), "{host}");
    }
    assert_eq!(server.asked("target.test"), (1, 0));
    let took = asked_again(&book, &server, "short.test", 2).await;
    assert!(took < Duration::from_millis(1_900), "the alias was used for {took:?}");
    for host in ["nowhere.test", "circle.test"] {
        assert_eq!(resolve(&book, host).await.unwrap_err().kind, FailureKind::Dns, "{host}");
    }
}

#[tokio::test]
async fn ip_versions_are_resolved_as_configured() {
    let both = || vec![ip("127.5.0.1"), ip("fd00::1")];
    let zone = Zone::default()
        .name("both.test", move |_| DnsReply::Addresses(both(), 60))
        .name("six.test", |_| DnsReply::Addresses(vec![ip("fd00::1")], 60));
    let server = zone.serve().await;
    for (versions, of_both, of_six) in [
        (vec![4, 6], Some("127.5.0.1"), Some("fd00::1")),
        (vec![6, 4], Some("fd00::1"), Some("fd00::1")),
        (vec![4], Some("127.5.0.1"), None),
        (vec![6], Some("fd00::1"), Some("fd00::1")),
    ] {
        let config = FetchConfig { ip_versions: versions.clone(), ..config(&server) };
        let book = PinnedAddresses::new(&config).unwrap();
        for (host, expected) in [("both.test", of_both), ("six.test", of_six)] {
            assert_eq!(resolve(&book, host).await.ok(), expected.map(ip), "{host} {versions:?}");
        }
    }
}

/// The attack in which a page's host changes to an address of our own network between two resolutions (DNS rebinding).
#[tokio::test]
async fn a_name_that_changes_to_a_private_address_is_refused_from_then_on() {
    let secret = FakeWeb::new().host("a.test", "127.5.0.1").page("a.test", "/", Reply::html("public"));
    let web = secret.start().await;
    let port = std::fs::read_to_string(web.overrides()).unwrap();
    let port = port.split('\t').nth(1).unwrap().rsplit(':').next().unwrap().trim().to_owned();
    let zone = Zone::default()
        .name("a.test", |nth| match nth {
            0 => DnsReply::Addresses(vec![ip("127.5.0.1")], 0),
            _ => DnsReply::Addresses(vec![ip("127.6.0.1"), ip("10.0.0.1")], 0),
        })
        .name("mixed.test", |_| DnsReply::Addresses(vec![ip("127.6.0.1"), ip("127.5.0.1")], 60));
    let server = zone.serve().await;
    let config = config(&server);
    let client = Visitor::new(&config);
    let page = format!("http://a.test:{port}/");
    assert_eq!(client.answer(&page).await.body, "public");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let outcome = client.fetch(&page).await;
    let FetchOutcome::Failed(FailureKind::AddressRefused, detail) = outcome else {
        panic!("it was {outcome:?}")
    };
    assert!(detail.contains("127.6.0.1"), "{detail}");
    assert_eq!(web.log().len(), 2);
    let book = PinnedAddresses::new(&config).unwrap();
    for _ in 0..3 {
        assert_eq!(resolve(&book, "mixed.test").await, Ok(ip("127.5.0.1")));
    }
}

#[tokio::test]
async fn a_host_is_fetched_only_from_the_reserved_address() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let web = FakeWeb::new()
        .on_port(port)
        .host("one.test", "127.5.0.1")
        .host("two.test", "127.5.0.2")
        .page("a.test", "/", Reply::html("here"))
        .start()
        .await;
    let zone = Zone::default()
        .name("a.test", |_| DnsReply::Addresses(vec![ip("127.5.0.1"), ip("127.5.0.2"), ip("10.0.0.1")], 60));
    let server = zone.serve().await;
    let client = Visitor::new(&config(&server));
    let page = format!("http://a.test:{port}/");
    // Whatever the name resolves to now, and although a connection to the other address exists.
    for at in ["127.5.0.1", "127.5.0.2", "127.5.0.2", "127.5.0.1"] {
        let RobotsAnswer::Allowed(permit) = client.ask(&page).await.0 else { panic!() };
        let outcome = client.fetcher.fetch(permit, ip(at), None, None).await.unwrap();
        assert!(matches!(outcome, FetchOutcome::Responded(answer) if answer.ip == ip(at)), "{at}");
        assert_eq!(web.log().last().unwrap().at.ip(), ip(at));
    }
    assert_eq!(web.connections(), 2, "one to each is kept");
    let RobotsAnswer::Allowed(permit) = client.ask(&page).await.0 else { panic!() };
    let outcome = client.fetcher.fetch(permit, ip("10.0.0.1"), None, None).await.unwrap();
    assert!(matches!(outcome, FetchOutcome::Failed(FailureKind::AddressRefused, _)), "{outcome:?}");
}
