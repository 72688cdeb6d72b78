//! Untrusted TLS, and TLS handshakes that fail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backlinkd::config::{FetchConfig, Span};
use backlinkd::fetch::{FetchOutcome, Fetcher, RobotsAnswer};
use backlinkd::model::FailureKind;
use rcgen::{CertificateParams, CertifiedIssuer, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Fate::NotVisited;
use super::{
    ANSWER, Index, LITTLE, assert_bounded, assert_fates, assert_went_on, crawl, place, with_good_host,
};
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, fetch};

/// A server's behaviour towards a TLS client.
#[derive(Clone)]
enum Manners {
    /// Completes the handshake with this certificate, and closes.
    Shows(Arc<rustls::ServerConfig>),
    /// Sends these bytes after the client's first.
    Answers(&'static [u8]),
    /// Sends nothing, for longer than any timeout.
    Stalls,
    /// Sends one byte of a record now and then.
    Drips,
}

async fn serve(manners: Manners) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(meet(stream, manners.clone()));
        }
    });
    at
}

async fn meet(mut stream: TcpStream, manners: Manners) {
    match manners {
        Manners::Shows(config) => {
            let _ = TlsAcceptor::from(config).accept(stream).await;
        }
        Manners::Answers(bytes) => {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(bytes).await;
        }
        Manners::Stalls => tokio::time::sleep(Duration::from_secs(60)).await,
        Manners::Drips => {
            let record = [&[22, 3, 3, 0x40, 0], [0; 100].as_slice()].concat();
            for byte in record {
                let _ = stream.write_all(&[byte]).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn shows(certificate: &CertificateDer<'static>, key: &KeyPair) -> Manners {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    Manners::Shows(Arc::new(config))
}

/// A certificate by this authority, valid in these years.
fn issued(name: &str, years: (i32, i32), authority: &Issuer<'_, KeyPair>) -> Manners {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    shows(params.signed_by(&key, authority).unwrap().der(), &key)
}

fn self_signed(name: &str) -> Manners {
    let key = KeyPair::generate().unwrap();
    shows(CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap().der(), &key)
}

/// By host: the behaviour of its server, the kind of the failure, and a part of its message.
fn cases(authority: &Issuer<'_, KeyPair>) -> Vec<(&'static str, Manners, FailureKind, &'static str)> {
    use FailureKind::{Timeout, Tls};
    vec![
        ("expired.test", issued("expired.test", (2000, 2001), authority), Tls, "expired"),
        ("early.test", issued("early.test", (2399, 2400), authority), Tls, "not valid yet"),
        ("other.test", issued("another.test", (2000, 2400), authority), Tls, "another.test"),
        ("self.test", self_signed("self.test"), Tls, "is self-signed"),
        ("closes.test", Manners::Answers(b""), Tls, ""),
        ("plain.test", Manners::Answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Tls, ""),
        ("alert.test", Manners::Answers(&[21, 3, 3, 0, 2, 2, 40]), Tls, "HandshakeFailure"),
        ("stalls.test", Manners::Stalls, Timeout, ""),
        ("drips.test", Manners::Drips, Timeout, ""),
    ]
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec!["authority.test".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "an authority of its own");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tls_failure_is_reported_and_bounded() {
    let authority = authority();
    let cases = cases(&authority);
    // Permits are obtained while the host responds, and used while it does not.
    let mut web = FakeWeb::new().with_tls();
    for (host, ..) in &cases {
        web = web.page(host, "/", Reply::html(""));
    }
    let web = web.start().await;
    let client = Visitor::new(&web.fetch_config());
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("authority.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    for (host, manners, expected, told) in cases {
        let page = format!("https://{host}/");
        let RobotsAnswer::Allowed(permit) = client.ask(&page).await.0 else { panic!("{host}") };
        let at = serve(manners).await;
        let overrides = folder.path().join(host);
        std::fs::write(&overrides, format!("{host}\t{at}\t{at}\n")).unwrap();
        let config = FetchConfig {
            host_overrides: overrides,
            extra_ca: ca.clone(),
            connect_timeout: Span::seconds(1),
            ..web.fetch_config()
        };
        let start = Instant::now();
        let outcome = fetch(&Fetcher::new(&config).unwrap(), permit, None).await;
        let FetchOutcome::Failed(kind, detail) = outcome else { panic!("{host} answered") };
        assert!(kind == expected && detail.contains(told), "{host}: {kind:?}, {detail}");
        assert!(start.elapsed() < Duration::from_secs(4), "{host} took {:?}", start.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_continues_despite_hosts_whose_tls_fails() {
    let authority = authority();
    let web = with_good_host(FakeWeb::new()).start().await;
    let mut overrides = std::fs::read_to_string(web.overrides()).unwrap();
    let mut urls = Vec::new();
    for (host, manners, ..) in cases(&authority) {
        let at = serve(manners).await;
        overrides.push_str(&format!("{host}\t{at}\t{at}\n"));
        urls.push(format!("https://{host}/"));
    }
    let place = place(&web);
    let file = place.file("overrides.tsv", &overrides);
    let ca = place.file("authority.pem", &authority.pem());
    let place = place.set(&format!("fetch.host_overrides={file}")).set(&format!("fetch.extra_ca={ca}"));
    let (place, ended) = crawl(place, &urls, 0).await;
    // A host with an unavailable robots.txt is not visited (RFC 9309, 2.3.1.4).
    assert_fates(&Index::of(&place), urls.iter().map(|url| (url.as_str(), NotVisited)));
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, LITTLE).await;
}
