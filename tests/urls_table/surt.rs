//! The SURT: it is reversible, and has the documented order.

use backlinkd::urls::{CanonicalUrl, Surt, UrlRules, host_prefix};
use proptest::prelude::*;

fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

fn key(text: &str) -> Surt {
    Surt::from(&url(text))
}

#[test]
fn keys_are_written_as_described() {
    for (text, expected) in [
        ("http://example.com/", "com,example,)/\u{1}"),
        ("https://www.example.com/path?q", "com,example,www,)/path?q\u{2}"),
        ("http://example.com:8080/", "com,example,:8080)/\u{1}"),
        ("https://example.com:80/a)b,c", "com,example,:80)/a)b,c\u{2}"),
        ("http://192.0.2.1/", "192.0.2.1,)/\u{1}"),
        ("http://192.0.2.1:81/", "192.0.2.1,:81)/\u{1}"),
        ("http://[2001:db8::1]/", "[2001:db8::1],)/\u{1}"),
        ("https://[2001:db8::1]:8443/x", "[2001:db8::1],:8443)/x\u{2}"),
        ("http://localhost/", "localhost,)/\u{1}"),
        ("http://example.com./", "com,example,)/\u{1}"),
    ] {
        let key = key(text);
        assert_eq!(String::from_utf8_lossy(key.as_bytes()), expected, "{text}");
        assert_eq!(key.to_url(), Ok(url(text)), "{text}");
        assert_eq!(Surt::decode_host(key.as_bytes()).unwrap(), url(text).host(), "{text}");
        assert_eq!(Surt::host_part(key.as_bytes()), host_prefix(url(text).host()), "{text}");
        let (mut turned, mut back) = (b"x".to_vec(), b"y".to_vec());
        assert!(Surt::encode_into(url(text).as_str(), &mut turned), "{text}");
        assert_eq!(turned, [b"x", key.as_bytes()].concat(), "{text}");
        Surt::decode_url_into(key.as_bytes(), &mut back).unwrap();
        assert_eq!(back, [b"y", url(text).as_str().as_bytes()].concat(), "{text}");
    }
}

#[test]
fn invalid_urls_have_no_surt() {
    for text in ["", "example.com/", "ftp://example.com/", "http://example.com", "https:///path", "http:/a/"]
    {
        let mut key = b"x".to_vec();
        assert!(!Surt::encode_into(text, &mut key), "{text}");
        assert_eq!(key, b"x", "{text}");
    }
    for bytes in
        [&b""[..], b"\x01", b")/\x01", b",)/\x01", b"com,)/", b"com,)\x01", b"com)/\x01", b"com,/\x02"]
    {
        assert!(Surt::bytes_to_url(bytes).is_err(), "{bytes:?}");
        assert!(Surt::decode_url_into(bytes, &mut Vec::new()).is_err(), "{bytes:?}");
    }
}

/// In key order, as listed here.
#[test]
fn keys_sort_by_domain_host_and_path() {
    let urls = [
        "http://192.0.2.1/",
        "http://[2001:db8::1]/",
        "http://example.com/",
        "https://example.com/",
        "http://example.com/a",
        "https://example.com/a",
        "http://example.com/a/b",
        "http://example.com/a?q",
        "http://example.com/b",
        "http://-.example.com/",
        "http://example.com:8080/",
        "http://a.example.com/",
        "http://b.a.example.com/",
        "http://www.example.com/",
        "http://example-shop.com/",
        "http://examplf.com/",
        "http://example.de/",
    ];
    let mut sorted: Vec<Surt> = urls.iter().map(|text| key(text)).collect();
    sorted.sort();
    let sorted: Vec<String> = sorted.iter().map(|key| key.to_url().unwrap().to_string()).collect();
    assert_eq!(sorted, urls);
}

#[test]
fn a_domain_is_exactly_one_prefix() {
    let prefix = host_prefix("example.com");
    assert_eq!(prefix, b"com,example,");
    for (text, inside) in [
        ("http://example.com/", true),
        ("https://example.com:8443/x", true),
        ("http://a.b.example.com/", true),
        ("http://example-shop.com/", false),
        ("http://example.com.au/", false),
        ("http://examples.com/", false),
        ("http://com/", false),
    ] {
        assert_eq!(key(text).as_bytes().starts_with(&prefix), inside, "{text}");
    }
}

#[test]
fn two_concatenated_keys_can_be_separated() {
    let (first, second) = (key("http://example.com/a"), key("https://other.org/b?c"));
    let joined = [first.as_bytes(), second.as_bytes(), &[7]].concat();
    let (one, rest) = Surt::split_first(&joined).unwrap();
    let (two, rest) = Surt::split_first(rest).unwrap();
    assert_eq!((one, two, rest), (first.as_bytes(), second.as_bytes(), &[7][..]));
    assert!(Surt::split_first(b"com,example,)/").is_err());
}

#[test]
fn foreign_keys_are_refused() {
    for bytes in [
        &b""[..],
        b"\x01",
        b"com,example,)/",
        b"com,example,)/\x03",
        b"com,example,/\x01",
        b"com)/\x01",
        b"com,example,)\x01",
        b",)/\x01",
        b"\xff,)/\x01",
    ] {
        assert!(Surt::bytes_to_url(bytes).is_err(), "{bytes:?}");
    }
}

prop_compose! {
    fn any_url()(
        https in any::<bool>(),
        host in prop_oneof![
            "[a-z0-9_-]{1,6}(\\.[a-z0-9-]{1,5}){0,3}\\.[a-z]{2,4}",
            "[a-z]{1,5}",
            "(1?[0-9]{1,2}\\.){3}1?[0-9]{1,2}",
            "\\[2001:db8::[1-9a-f]{1,4}\\]",
        ],
        port in proptest::option::of(1u16..),
        rest in "(/[ -~é]{0,6}){0,3}",
    ) -> Option<CanonicalUrl> {
        let scheme = if https { "https" } else { "http" };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        UrlRules::default().canonical(&format!("{scheme}://{host}{port}/{rest}")).ok()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_url_survives_the_round_trip(url in any_url()) {
        if let Some(url) = url {
            let key = Surt::from(&url);
            prop_assert_eq!(key.to_url(), Ok(url.clone()));
            prop_assert_eq!(Surt::split_first(key.as_bytes()), Ok((key.as_bytes(), &[][..])));
            prop_assert_eq!(Surt::decode_host(key.as_bytes()).unwrap(), url.host());
        }
    }

    #[test]
    fn a_url_sorts_before_its_extensions_and_next_to_its_other_scheme(url in any_url(), more in "[!-~]{1,8}") {
        if let Some(url) = url {
            let longer = UrlRules::default().canonical(&format!("{url}{}", more.replace(['#', '\\'], "x")));
            if let Some(longer) = longer.ok().filter(|longer| longer.as_str().starts_with(url.as_str()) && *longer != url) {
                prop_assert!(Surt::from(&url) < Surt::from(&longer), "{} {}", url, longer);
            }
            let (http, https) = (format!("http{}", &url.as_str()[url.scheme().len()..]), format!("https{}", &url.as_str()[url.scheme().len()..]));
            let (low, high) = (key(&http), key(&https));
            if low.as_bytes().len() == high.as_bytes().len() {
                let split = low.as_bytes().len() - 1;
                prop_assert_eq!(&low.as_bytes()[..split], &high.as_bytes()[..split]);
                prop_assert_eq!((low.as_bytes()[split], high.as_bytes()[split]), (1, 2));
            }
        }
    }

    #[test]
    fn canonical_urls_are_their_own_canonical_form(url in any_url()) {
        if let Some(url) = url {
            prop_assert_eq!(UrlRules::default().canonical(url.as_str()), Ok(url.clone()));
            let rebuilt = format!("{}://{}{}", url.scheme(), url.authority(), url.path_and_query());
            prop_assert_eq!(rebuilt.as_str(), url.as_str());
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            prop_assert_eq!(format!("{}{port}", url.host()), url.authority());
            prop_assert_eq!(url.without_scheme(), format!("{}{}", url.authority(), url.path_and_query()));
            prop_assert!(url.as_str().bytes().all(|b| (b'!'..=b'~').contains(&b)));
        }
    }

    #[test]
    fn no_input_causes_a_panic(text in "\\PC{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
        let rules = UrlRules::default();
        let _ = rules.canonical(&text);
        let _ = rules.canonical(&format!("http://{text}"));
        let base = rules.base(&url("https://example.com/a/b?c")).unwrap();
        let _ = rules.resolve(&base, &text);
        let _ = base.with_href(&text);
        let _ = Surt::bytes_to_url(&bytes);
        let _ = Surt::decode_host(&bytes);
        let _ = Surt::split_first(&bytes);
    }
}
