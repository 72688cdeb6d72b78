//! Chains without an issuer's certificate, whose URL the certificate contains.

use std::time::{Duration, Instant};

use backlinkd::config::{FetchConfig, Span};
use rustls::pki_types::CertificateDer;

use super::Trial;
use crate::fetch_body::gzip;
use crate::support::certificates::{Authority, Says, bundle, bundle_of_indefinite_length};
use crate::support::fake_web::{FakeWeb, Reply};

const AT: &str = "http://ca.test/issuer";

/// A root, and an authority below it whose certificate the servers omit.
fn authorities() -> (Authority, Authority) {
    let root = Authority::root("root");
    let issuer = root.authority(Says::name("issuer"));
    (root, issuer)
}

fn file(bytes: impl AsRef<[u8]>) -> Reply {
    Reply::status(200).body(bytes)
}

/// A web that serves the issuer's certificate with this response, and whose hosts omit it.
async fn trial(root: Authority, issuer: &Authority, answer: Reply, hosts: &[&str]) -> Trial {
    let trial = Trial::new(root, FakeWeb::new().page("ca.test", "/issuer", answer), hosts).await;
    for host in hosts {
        trial.web.present(host, &issuer.server(Says::name(host).issuer_at(&[AT])));
    }
    trial
}

#[tokio::test]
async fn a_missing_issuer_is_fetched_once_for_all_servers() {
    let (root, issuer) = authorities();
    let hosts = ["a.test", "b.test", "c.test"];
    let trial = trial(root, &issuer, file(issuer.der()), &hosts).await;
    let fetcher = trial.fetcher(|_| ());
    for host in hosts {
        for _ in 0..2 {
            assert_eq!(trial.answer(&fetcher, host).await.tls, None);
        }
    }
    assert_eq!(trial.asked("ca.test"), 1);
    let log = trial.web.log();
    let request = log.iter().find(|request| request.host == "ca.test").unwrap();
    assert!(request.header("accept").unwrap().contains("application/pkix-cert"));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert!(request.header("user-agent").unwrap().starts_with("backlinkd/"));
}

#[tokio::test]
async fn servers_contacted_at_the_same_time_cost_one_fetch() {
    let (root, issuer) = authorities();
    let hosts = ["a.test", "b.test", "c.test", "d.test", "e.test"];
    let slow = file(issuer.der()).after(Duration::from_millis(300));
    let trial = trial(root, &issuer, slow, &hosts).await;
    let fetcher = trial.fetcher(|_| ());
    futures_util::future::join_all(hosts.map(|host| trial.answer(&fetcher, host))).await;
    assert_eq!(trial.asked("ca.test"), 1);
}

#[tokio::test]
async fn an_issuer_is_parsed_in_every_published_format() {
    let (root, issuer) = authorities();
    let other = root.authority(Says::name("other"));
    let both = [other.der(), issuer.der()];
    let answers = [
        ("der", file(issuer.der())),
        ("pkcs7", file(bundle(&both))),
        ("indefinite", file(bundle_of_indefinite_length(&both))),
        ("pem", file(issuer.pem())),
        ("pems", file(other.pem() + &issuer.pem())),
        ("typed", file(issuer.der()).header("Content-Type", "text/html")),
        ("gzip", file(gzip(&issuer.der())).header("Content-Encoding", "gzip")),
        ("chunked", file(issuer.der()).chunked()),
        ("moved", Reply::redirect(302, "http://mirror.test/issuer")),
        ("relative", Reply::redirect(301, "/der")),
    ];
    let mut web = FakeWeb::new().page("mirror.test", "/issuer", file(issuer.der()));
    for (path, answer) in &answers {
        web = web.page("ca.test", &format!("/{path}"), answer.clone());
    }
    let hosts = answers.each_ref().map(|(path, _)| format!("{path}.test"));
    let trial = Trial::new(root, web, &hosts.each_ref().map(String::as_str)).await;
    for ((path, _), host) in answers.iter().zip(&hosts) {
        let at = format!("http://ca.test/{path}");
        // URLs with other schemes than plain HTTP are skipped.
        let urls = ["ldap://ca.test/cn=issuer", "https://ca.test/issuer", at.as_str()];
        trial.web.present(host, &issuer.server(Says::name(host).issuer_at(&urls)));
        // A separate fetcher does not have the issuers of the others.
        assert_eq!(trial.answer(&trial.fetcher(|_| ()), host).await.tls, None, "{path}");
    }
}

/// A root, and authorities below it, each signed by the previous one and with the URL of that one's certificate.
fn ladder(steps: usize) -> (Vec<Authority>, FakeWeb) {
    let mut authorities = vec![Authority::root("root")];
    let mut web = FakeWeb::new().page("ca.test", "/0", file(authorities[0].der()));
    for step in 1..=steps {
        let at = format!("http://ca.test/{}", step - 1);
        let name = format!("step {step}");
        let authority = authorities[step - 1].authority(Says::name(&name).issuer_at(&[&at]));
        web = web.page("ca.test", &format!("/{step}"), file(authority.der()));
        authorities.push(authority);
    }
    (authorities, web)
}

#[tokio::test]
async fn a_chain_is_completed_within_the_limit_and_only_as_far_as_needed() {
    let (mut authorities, web) = ladder(4);
    let trial = Trial::new(authorities.remove(0), web, &["a.test"]).await;
    let leaf = authorities[3].server(Says::name("a.test").issuer_at(&["http://ca.test/4"]));
    trial.web.present("a.test", &leaf);
    let limited = |max_issuer_urls| trial.fetcher(|config| config.max_issuer_urls = max_issuer_urls);
    for few in [0, 1, 3] {
        let before = trial.asked("ca.test");
        let detail = trial.refused(&limited(few), "a.test").await;
        assert!(detail.contains("issuer is unknown"), "{detail}");
        assert_eq!(trial.asked("ca.test") - before, few);
    }
    let before = trial.asked("ca.test");
    assert_eq!(trial.answer(&limited(4), "a.test").await.tls, None);
    assert_eq!(trial.asked("ca.test") - before, 4, "the root's certificate is not asked for");
}

#[tokio::test]
async fn a_chain_is_completed_from_the_last_presented_certificate() {
    let (mut authorities, web) = ladder(3);
    let root = authorities.remove(0);
    let stranger = Authority::root("stranger");
    let hosts = ["disordered.test", "doubled.test", "strange.test", "with-root.test"];
    let root_der = root.der();
    let trial = Trial::new(root, web, &hosts).await;
    let [first, second, third] = authorities.try_into().ok().unwrap();
    let presented: [Vec<CertificateDer<'static>>; 4] = [
        vec![second.der(), third.der()],
        vec![third.der(), third.der(), second.der()],
        vec![stranger.der(), third.der(), second.der(), stranger.der()],
        // The certificate between them is omitted.
        vec![third.der(), second.der(), root_der],
    ];
    for (host, others) in hosts.iter().zip(presented) {
        let leaf = third.server(Says::name(host).issuer_at(&["http://ca.test/3"]));
        trial.web.present(host, &leaf.with(&others));
        let before = trial.web.log().len();
        assert_eq!(trial.answer(&trial.fetcher(|_| ()), host).await.tls, None, "{host}");
        let asked: Vec<String> =
            trial.web.log()[before..].iter().map(|request| request.path.clone()).collect();
        assert_eq!(asked, ["/1", "/"], "{host}");
    }
    drop(first);
}

#[tokio::test]
async fn a_fetched_root_is_never_trusted() {
    let evil = Authority::root("evil");
    let below = evil.authority(Says::name("below").issuer_at(&["http://ca.test/evil"]));
    let web = FakeWeb::new().page("ca.test", "/evil", file(evil.der())).page(
        "ca.test",
        "/below",
        file(bundle(&[evil.der(), below.der()])),
    );
    let trial = Trial::new(Authority::root("good"), web, &["direct.test", "below.test", "named.test"]).await;
    trial
        .web
        .present("direct.test", &evil.server(Says::name("direct.test").issuer_at(&["http://ca.test/evil"])));
    trial
        .web
        .present("below.test", &below.server(Says::name("below.test").issuer_at(&["http://ca.test/below"])));
    // A root with the name of the trusted one and another key.
    let same_name = Authority::root("good");
    let leaf = same_name.server(Says::name("named.test").issuer_at(&["http://ca.test/evil"]));
    trial.web.present("named.test", &leaf.with(&[same_name.der()]));
    let fetcher = trial.fetcher(|_| ());
    for host in ["direct.test", "below.test", "named.test"] {
        for _ in 0..2 {
            trial.refused(&fetcher, host).await;
        }
    }
    assert!(trial.asked("ca.test") > 0);
}

#[tokio::test]
async fn a_certificate_with_a_fetched_issuer_is_still_verified() {
    let (root, issuer) = authorities();
    let trial = trial(root, &issuer, file(issuer.der()), &["a.test", "b.test"]).await;
    trial.web.present("a.test", &issuer.server(Says::name("another.test").issuer_at(&[AT])));
    trial.web.present("b.test", &issuer.server(Says::name("b.test").years(2000, 2001).issuer_at(&[AT])));
    let fetcher = trial.fetcher(|_| ());
    for _ in 0..2 {
        let detail = trial.refused(&fetcher, "a.test").await;
        assert!(detail.contains("is for another.test, not for a.test"), "{detail}");
        let detail = trial.refused(&fetcher, "b.test").await;
        assert!(detail.contains("has expired (2001-01-01)"), "{detail}");
    }
    assert_eq!(trial.asked("ca.test"), 1);
}

#[tokio::test]
async fn an_unavailable_issuer_is_reported_and_not_requested_again_soon() {
    let (_, issuer) = authorities();
    let long = file(vec![0; 70_000]);
    let answers: [(Reply, &str); 9] = [
        (Reply::status(404), "http://ca.test/issuer: the server answered 404"),
        (Reply::status(503), "answered 503"),
        (Reply::html("<p>no certificate"), "holds no certificate"),
        (Reply::status(204), "answered 204"),
        (long.clone(), "longer than 65536 bytes (fetch.max_issuer_bytes)"),
        (long.chunked(), "longer than 65536 bytes (fetch.max_issuer_bytes)"),
        (Reply::redirect(302, "/issuer"), "too many redirects"),
        (Reply::redirect(302, "https://ca.test/issuer"), "is not plain HTTP"),
        (file(Authority::root("other").der()), "is no certificate of that issuer"),
    ];
    for (answer, told) in answers {
        let hosts = ["a.test", "b.test"];
        let trial = trial(Authority::root("root"), &issuer, answer, &hosts).await;
        let fetcher = trial.fetcher(|config| config.issuer_negative_ttl = Span::seconds(60));
        let detail = trial.refused(&fetcher, "a.test").await;
        assert!(detail.contains("issuer is unknown (CN=issuer)") && detail.contains(told), "{detail}");
        let asked = trial.asked("ca.test");
        assert!((1..=6).contains(&asked), "{told}: {asked}");
        for host in ["a.test", "b.test"] {
            trial.refused(&fetcher, host).await;
        }
        assert_eq!(trial.asked("ca.test"), asked, "{told}");
    }
}

#[tokio::test]
async fn an_issuer_is_fetched_again_after_its_lifetime() {
    let (root, issuer) = authorities();
    let der = issuer.der();
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let web = FakeWeb::new().answer("ca.test", "/issuer", move |_| {
        match tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Reply::status(500),
            _ => file(&der),
        }
    });
    // Sessions of a verified server are resumed, so each server is contacted once.
    let hosts = ["a.test", "b.test", "c.test", "d.test"];
    let trial = Trial::new(root, web, &hosts).await;
    for host in hosts {
        trial.web.present(host, &issuer.server(Says::name(host).issuer_at(&[AT])));
    }
    let short = Span(Duration::from_millis(200));
    let fetcher = trial.fetcher(|config: &mut FetchConfig| {
        (config.issuer_ttl, config.issuer_negative_ttl) = (short, short);
    });
    trial.refused(&fetcher, "a.test").await;
    tokio::time::sleep(short.0).await;
    for (times, hosts) in [(2, ["a.test", "b.test"]), (3, ["c.test", "d.test"])] {
        for host in hosts {
            trial.answer(&fetcher, host).await;
        }
        assert_eq!(trial.asked("ca.test"), times);
        tokio::time::sleep(short.0).await;
    }
}

#[tokio::test]
async fn issuers_are_fetched_only_from_allowed_addresses() {
    let (root, issuer) = authorities();
    let ca = |web: FakeWeb, host: &str| web.page(host, "/issuer", file(issuer.der()));
    let web = ca(ca(FakeWeb::new().host("hidden.test", "127.66.0.1"), "hidden.test"), "ca.test").page(
        "ca.test",
        "/moved",
        Reply::redirect(302, "http://hidden.test/issuer"),
    );
    let refused = [
        ("address.test", "http://hidden.test/issuer", "hidden.test is at 127.66.0.1"),
        ("literal.test", "http://127.66.0.1/issuer", "127.66.0.1"),
        ("metadata.test", "http://169.254.169.254/issuer", "169.254.169.254"),
        ("port.test", "http://ca.test:25/issuer", "port 25"),
        ("moved.test", "http://ca.test/moved", "hidden.test is at 127.66.0.1"),
        ("odd.test", "http://", "cannot be fetched"),
    ];
    let trial = Trial::new(root, web, &refused.map(|(host, ..)| host)).await;
    let only = vec!["127.0.0.0/16".parse().unwrap()];
    let fetcher = trial.fetcher(|config| config.allow_private_addresses = only);
    for (host, at, told) in refused {
        trial.web.present(host, &issuer.server(Says::name(host).issuer_at(&[at])));
        let detail = trial.refused(&fetcher, host).await;
        assert!(detail.contains(told), "{detail}");
    }
    assert_eq!(trial.asked("hidden.test"), 0);
}

#[tokio::test]
async fn a_slow_issuer_delays_a_fetch_no_longer_than_its_timeout() {
    let (root, issuer) = authorities();
    let slow = file(issuer.der()).dripping(100, Duration::from_millis(400));
    let trial = trial(root, &issuer, slow, &["a.test"]).await;
    let patience = |milliseconds| {
        let span = Span(Duration::from_millis(milliseconds));
        trial.fetcher(move |config| config.issuer_timeout = span)
    };
    let start = Instant::now();
    let detail = trial.refused(&patience(500), "a.test").await;
    assert!(detail.contains("no complete answer within 500 ms (fetch.issuer_timeout)"), "{detail}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(trial.answer(&patience(20_000), "a.test").await.tls, None);
}

#[tokio::test]
async fn the_cache_of_issuers_is_bounded() {
    let (root, first) = authorities();
    let second = root.authority(Says::name("second"));
    let web = FakeWeb::new().page("ca.test", "/issuer", file(first.der())).page(
        "ca.test",
        "/second",
        file(second.der()),
    );
    let hosts = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"];
    let trial = Trial::new(root, web, &hosts).await;
    for (nth, host) in hosts.into_iter().enumerate() {
        let (issuer, at) = if nth % 2 == 0 { (&first, AT) } else { (&second, "http://ca.test/second") };
        trial.web.present(host, &issuer.server(Says::name(host).issuer_at(&[at])));
    }
    for (bytes, expected) in [(1 << 20, 2), (1_024, 6)] {
        let fetcher = trial.fetcher(|config| config.issuer_cache_bytes = bytes);
        let before = trial.asked("ca.test");
        for host in hosts {
            trial.answer(&fetcher, host).await;
        }
        assert_eq!(trial.asked("ca.test") - before, expected, "{bytes}");
    }
}
