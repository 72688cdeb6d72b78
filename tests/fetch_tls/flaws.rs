//! Certificates that cannot be verified: the failure is reported, or the flaw is recorded with the page.

use backlinkd::config::{RobotsConfig, TlsPolicy};
use backlinkd::fetch::{FetchOutcome, Fetcher};
use backlinkd::model::{FailureKind, TlsFlaw};

use super::Trial;
use crate::support::certificates::{Authority, Presented, Says};
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::Visitor;

fn recording(trial: &Trial) -> Fetcher {
    trial.fetcher(|config| config.tls = TlsPolicy::Record)
}

/// By host: its certificate, the flaw, and a part of the message.
fn cases(root: &Authority) -> Vec<(&'static str, Presented, TlsFlaw, &'static str)> {
    let says = Says::name;
    let stranger = Authority::root("stranger");
    let old = root.authority(says("old").years(2000, 2001));
    let of_old = old.server(says("of-old.test")).with(&[old.der()]);
    // Signed with another key than that of the authority that it names.
    let forged = Authority::root("root").server(says("forged.test"));
    vec![
        (
            "expired.test",
            root.server(says("expired.test").years(2000, 2024)),
            TlsFlaw::Expired,
            "the certificate has expired (2024-01-01)",
        ),
        (
            "early.test",
            root.server(says("early.test").years(2399, 2400)),
            TlsFlaw::NotYetValid,
            "the certificate is not valid yet (from 2399-01-01)",
        ),
        (
            "stranger.test",
            stranger.server(says("stranger.test")),
            TlsFlaw::UnknownIssuer,
            "the certificate's issuer is unknown (CN=stranger)",
        ),
        (
            "stranger-shown.test",
            stranger.server(says("stranger-shown.test")).with(&[stranger.der()]),
            TlsFlaw::UnknownIssuer,
            "the certificate's issuer is unknown (CN=stranger)",
        ),
        ("self.test", says("self.test").self_signed(), TlsFlaw::SelfSigned, "the certificate is self-signed"),
        (
            "self-authority.test",
            says("self-authority.test").self_signed_authority(),
            TlsFlaw::SelfSigned,
            "the certificate is self-signed",
        ),
        (
            "old-self.test",
            says("old-self.test").years(2000, 2001).self_signed(),
            TlsFlaw::SelfSigned,
            "self-signed",
        ),
        (
            "version-1.test",
            says("version-1.test").self_signed_version_1(),
            TlsFlaw::SelfSigned,
            "self-signed",
        ),
        (
            "name.test",
            root.server(says("another.test")),
            TlsFlaw::WrongName,
            "the certificate is for another.test, not for name.test",
        ),
        ("sub.name.test", root.server(says("name.test")), TlsFlaw::WrongName, "not for sub.name.test"),
        (
            "deep.sub.wild.test",
            root.server(says("*.wild.test")),
            TlsFlaw::WrongName,
            "is for *.wild.test, not for deep.sub.wild.test",
        ),
        (
            "old-name.test",
            root.server(says("another.test").years(2000, 2001)),
            TlsFlaw::WrongName,
            "not for old-name.test",
        ),
        ("of-old.test", of_old, TlsFlaw::Expired, "has expired (2001-01-01)"),
        ("forged.test", forged, TlsFlaw::Invalid, "the certificate is not valid"),
        (
            "odd.test",
            root.server_with_odd_extension(says("odd.test")),
            TlsFlaw::Invalid,
            "the certificate is not valid",
        ),
    ]
}

#[tokio::test]
async fn a_flaw_is_reported_or_recorded() {
    let hosts: Vec<&str> = cases(&Authority::root("root")).into_iter().map(|(host, ..)| host).collect();
    for web in [FakeWeb::new(), FakeWeb::new().with_tls12()] {
        let trial = Trial::new(Authority::root("root"), web, &hosts).await;
        let (verifying, recording) = (trial.fetcher(|_| ()), recording(&trial));
        for (host, presented, flaw, told) in cases(&trial.root) {
            trial.web.present(host, &presented);
            let detail = trial.refused(&verifying, host).await;
            assert!(detail.contains(told), "{host}: {detail}");
            assert!(detail.contains("fetch.tls = \"record\""), "{host}: {detail}");
            assert!(!detail.contains("error sending request"), "{host}: {detail}");
            assert_eq!(trial.answer(&recording, host).await.tls, Some(flaw), "{host}");
        }
    }
}

#[tokio::test]
async fn a_server_without_a_flaw_has_none_under_either_policy() {
    let root = Authority::root("root");
    let trial = Trial::new(root, FakeWeb::new(), &["good.test", "a.wild.test"]).await;
    trial.web.present("good.test", &trial.root.server(Says::name("good.test")));
    trial.web.present("a.wild.test", &trial.root.server(Says::name("*.wild.test")));
    for fetcher in [trial.fetcher(|_| ()), recording(&trial)] {
        for host in ["good.test", "a.wild.test"] {
            assert_eq!(trial.answer(&fetcher, host).await.tls, None);
        }
    }
}

#[tokio::test]
async fn a_flaw_appears_and_disappears_with_the_certificate() {
    let trial = Trial::new(Authority::root("root"), FakeWeb::new(), &["a.test"]).await;
    let good = trial.root.server(Says::name("a.test"));
    let expired = trial.root.server(Says::name("a.test").years(2000, 2024));
    let foreign = trial.root.server(Says::name("b.test"));
    let fetcher = recording(&trial);
    for (presented, flaw) in [
        (&good, None),
        (&expired, Some(TlsFlaw::Expired)),
        (&expired, Some(TlsFlaw::Expired)),
        (&foreign, Some(TlsFlaw::WrongName)),
        (&good, None),
        (&good, None),
    ] {
        trial.web.present("a.test", presented);
        assert_eq!(trial.answer(&fetcher, "a.test").await.tls, flaw);
    }
}

#[tokio::test]
async fn pages_over_one_connection_share_its_flaw() {
    for web in [FakeWeb::new().with_tls(), FakeWeb::new().with_http2()] {
        let web = web.page("a.test", "/*", Reply::html("page")).start().await;
        web.present("a.test", &Says::name("a.test").self_signed());
        let mut config = web.fetch_config();
        config.tls = TlsPolicy::Record;
        // The first request is for robots.txt.
        let client = Visitor::with_robots(&config, &RobotsConfig::default());
        for path in ["/", "/1", "/2"] {
            let answer = client.answer(&format!("https://a.test{path}")).await;
            assert_eq!((answer.tls, answer.status), (Some(TlsFlaw::SelfSigned), 200));
        }
        assert_eq!(web.connections(), 1);
    }
}

#[tokio::test]
async fn a_missing_issuer_is_no_flaw_if_it_can_be_fetched() {
    let root = Authority::root("root");
    let issuer = root.authority(Says::name("issuer"));
    let web = FakeWeb::new().page("ca.test", "/issuer", Reply::status(200).body(issuer.der()));
    let trial = Trial::new(root, web, &["a.test", "b.test", "c.test"]).await;
    let [at, lost] = ["http://ca.test/issuer", "http://ca.test/lost"];
    trial.web.present("a.test", &issuer.server(Says::name("a.test").issuer_at(&[at])));
    trial.web.present("b.test", &issuer.server(Says::name("b.test").issuer_at(&[lost])));
    trial.web.present("c.test", &issuer.server(Says::name("other.test").issuer_at(&[at])));
    let fetcher = recording(&trial);
    for _ in 0..2 {
        assert_eq!(trial.answer(&fetcher, "a.test").await.tls, None);
        assert_eq!(trial.answer(&fetcher, "b.test").await.tls, Some(TlsFlaw::UnknownIssuer));
        assert_eq!(trial.answer(&fetcher, "c.test").await.tls, Some(TlsFlaw::WrongName));
    }
    assert_eq!(trial.asked("ca.test"), 2);
}

#[tokio::test]
async fn a_server_without_the_key_of_its_certificate_is_never_read() {
    let root = Authority::root("root");
    for web in [FakeWeb::new(), FakeWeb::new().with_tls12()] {
        let hosts = ["good.test", "self.test", "version-1.test", "odd.test"];
        let trial = Trial::new(Authority::root("root"), web, &hosts).await;
        let other = root.server(Says::name("other.test"));
        let presented = [
            trial.root.server(Says::name("good.test")),
            Says::name("self.test").self_signed(),
            Says::name("version-1.test").self_signed_version_1(),
            trial.root.server_with_odd_extension(Says::name("odd.test")),
        ];
        let fetcher = recording(&trial);
        for (host, presented) in hosts.into_iter().zip(presented) {
            trial.web.present(host, &presented.clone().with_key_of(&other));
            let outcome = trial.fetch(&fetcher, host).await;
            assert!(matches!(outcome, FetchOutcome::Failed(FailureKind::Tls, _)), "{host}: {outcome:?}");
            trial.web.present(host, &presented);
            trial.answer(&fetcher, host).await;
        }
    }
}
