//! The scope of a `url` parameter, by the documented rules and for typical inputs.

use backlinkd::urls::{CanonicalUrl, Scope, ScopeError, ScopeKind, Suffixes, Surt, TypedUrlError, UrlRules};

fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

fn suffixes() -> Suffixes {
    Suffixes::built_in().unwrap()
}

/// A scope in one line: `domain example.com`, `host www.example.com`, `host example.com:8080`,
/// `url http://example.com/`, `urls http://example.com/ https://example.com/`.
fn read(text: &str, kind: Option<ScopeKind>) -> String {
    match Scope::parse(text, kind, &UrlRules::default(), &suffixes()) {
        Ok(Scope::Domain { domain }) => format!("domain {domain}"),
        Ok(Scope::Host { host, port: None }) => format!("host {host}"),
        Ok(Scope::Host { host, port: Some(port) }) => format!("host {host}:{port}"),
        Ok(Scope::Url { url, https_url: None }) => format!("url {url}"),
        Ok(Scope::Url { url, https_url: Some(https_url) }) => format!("urls {url} {https_url}"),
        Ok(Scope::Prefix { host, port: None, path }) => format!("prefix {host}{}", path.as_str()),
        Ok(Scope::Prefix { host, port: Some(port), path }) => {
            format!("prefix {host}:{port}{}", path.as_str())
        }
        Err(_) => "refused".to_owned(),
    }
}

fn assert_all(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(read(text, None), *expected, "{text:?}");
    }
}

#[test]
fn without_a_path_a_domain_covers_its_hosts_and_a_host_only_itself() {
    assert_all(&[
        ("example.com", "domain example.com"),
        ("http://example.com", "domain example.com"),
        ("https://example.com", "domain example.com"),
        ("//example.com", "domain example.com"),
        ("www.example.com", "host www.example.com"),
        ("https://www.example.com", "host www.example.com"),
        ("example.co.uk", "domain example.co.uk"),
        ("shop.example.co.uk", "host shop.example.co.uk"),
        ("EXAMPLE.Com", "domain example.com"),
        ("HTTPS://WWW.Example.COM", "host www.example.com"),
        ("example.com.", "domain example.com"),
        ("www.example.com.", "host www.example.com"),
        ("  example.com\n", "domain example.com"),
        ("localhost", "domain localhost"),
        ("192.0.2.1", "domain 192.0.2.1"),
        ("http://[2001:DB8::1]", "domain [2001:db8::1]"),
        ("[2001:db8::1]", "domain [2001:db8::1]"),
    ]);
}

#[test]
fn a_path_or_query_selects_one_url_with_the_given_scheme_or_both() {
    assert_all(&[
        ("example.com/", "urls http://example.com/ https://example.com/"),
        ("//example.com/", "urls http://example.com/ https://example.com/"),
        ("http://example.com/", "url http://example.com/"),
        ("https://Example.com/", "url https://example.com/"),
        ("example.com/a/../b?c#d", "urls http://example.com/b?c https://example.com/b?c"),
        ("example.com?x=1", "urls http://example.com/?x=1 https://example.com/?x=1"),
        (
            "example.com?x=http://other.com/",
            "urls http://example.com/?x=http://other.com/ https://example.com/?x=http://other.com/",
        ),
        (
            "example.com/http://other.com",
            "urls http://example.com/http://other.com https://example.com/http://other.com",
        ),
        ("example.com/a:b", "urls http://example.com/a:b https://example.com/a:b"),
        ("example.com\\a", "urls http://example.com/a https://example.com/a"),
        ("http://example.com\\a", "url http://example.com/a"),
        ("example.com?", "urls http://example.com/? https://example.com/?"),
        ("www.example.com./a", "urls http://www.example.com/a https://www.example.com/a"),
    ]);
}

#[test]
fn slashes_before_the_host_are_not_a_path() {
    assert_all(&[
        ("http:///example.com", "domain example.com"),
        ("http:\\\\example.com", "domain example.com"),
        ("http:example.com", "domain example.com"),
        ("https:/example.com/a", "url https://example.com/a"),
        ("HTTP:www.example.com", "host www.example.com"),
    ]);
}

#[test]
fn a_fragment_and_credentials_select_nothing() {
    assert_all(&[
        ("example.com#frag", "domain example.com"),
        ("example.com#a/b?c", "domain example.com"),
        ("www.example.com#", "host www.example.com"),
        ("example.com/#frag", "urls http://example.com/ https://example.com/"),
        ("http://user:secret@example.com", "domain example.com"),
        ("http://user:secret@example.com/a", "url http://example.com/a"),
        ("user@example.com", "domain example.com"),
    ]);
}

#[test]
fn a_port_narrows_a_host_unless_it_is_a_default() {
    assert_all(&[
        ("example.com:8080", "host example.com:8080"),
        ("http://www.example.com:8080", "host www.example.com:8080"),
        ("localhost:8080", "host localhost:8080"),
        ("[2001:db8::1]:8080", "host [2001:db8::1]:8080"),
        ("example.com:80", "domain example.com"),
        ("example.com:443", "domain example.com"),
        ("example.com:", "domain example.com"),
        ("https://example.com:443", "domain example.com"),
        ("http://example.com:443", "host example.com:443"),
        ("https://example.com:80", "host example.com:80"),
        ("example.com:8080/a", "urls http://example.com:8080/a https://example.com:8080/a"),
        ("example.com:80/a", "urls http://example.com/a https://example.com:80/a"),
        ("example.com:443/a", "urls http://example.com:443/a https://example.com/a"),
    ]);
}

#[test]
fn names_may_be_in_unicode_or_punycode() {
    assert_all(&[
        ("münchen.de", "domain xn--mnchen-3ya.de"),
        ("MÜNCHEN.DE.", "domain xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", "domain xn--mnchen-3ya.de"),
        ("www.例え.jp", "host www.xn--r8jz45g.jp"),
        ("食狮.公司.cn", "domain xn--85x722f.xn--55qx5d.cn"),
        ("www.食狮.xn--55qx5d.cn", "host www.xn--85x722f.xn--55qx5d.cn"),
        ("example\u{3002}com", "domain example.com"),
        ("https://münchen.de/straße", "url https://xn--mnchen-3ya.de/stra%C3%9Fe"),
    ]);
}

#[test]
fn a_public_suffix_is_a_domain_of_its_own_name_only() {
    assert_all(&[
        ("co.uk", "domain co.uk"),
        ("com", "domain com"),
        ("github.io", "domain github.io"),
        ("someone.github.io", "domain someone.github.io"),
        ("s3.amazonaws.com", "domain s3.amazonaws.com"),
        ("amazonaws.com", "domain amazonaws.com"),
    ]);
    let suffixes = suffixes();
    let holds = |scope: &str, host: &str| {
        let scope = Scope::parse(scope, None, &UrlRules::default(), &suffixes).unwrap();
        let key = Surt::from(&url(&format!("http://{host}/")));
        let found = scope.key_prefixes(&suffixes).iter().any(|prefix| key.as_bytes().starts_with(prefix));
        found && scope.holds_host(url(&format!("http://{host}/")).host(), &suffixes)
    };
    assert!(holds("github.io", "github.io") && !holds("github.io", "someone.github.io"));
    assert!(holds("com", "com") && !holds("com", "example.com"));
    assert!(holds("example.com", "example.com") && holds("example.com", "a.b.example.com"));
    assert!(holds("example.com", "example.com:8080") && holds("example.com", "www.example.com:8080"));
    assert!(!holds("example.com", "example-shop.com") && !holds("example.com", "notexample.com"));
    assert!(holds("amazonaws.com", "www.amazonaws.com"));
    assert!(!holds("amazonaws.com", "s3.amazonaws.com") && !holds("amazonaws.com", "b.s3.amazonaws.com"));
    assert!(
        holds("www.example.com", "www.example.com:8080") && !holds("www.example.com", "a.www.example.com")
    );
    assert!(holds("example.com:8080", "example.com:8080") && !holds("example.com:8080", "example.com"));
    assert!(!holds("example.com:808", "example.com:8080"));
    assert!(holds("192.0.2.1", "192.0.2.1:81") && !holds("192.0.2.1", "192.0.2.11"));
}

#[test]
fn invalid_hosts_are_refused() {
    for text in [
        "",
        " \t",
        "/",
        "/path",
        "//",
        "///example.com",
        "?x=1",
        "#frag",
        "\\",
        "http://",
        "http:",
        "https:///",
        ".",
        "..",
        ".com",
        "example..com",
        "exa mple.com",
        "example.com:99999",
        "example.com:x",
        "[::1",
        "::1",
        "[fe80::1%25eth0]",
        "ftp://example.com/",
        "mailto:someone@example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "user:secret@example.com",
        "example.com://x",
        "http://exa<mple.com",
        "http://a,b.com",
        "%",
        "http://1.2.3.4.5/",
        "http://0x7f../",
        "a\u{0}b",
    ] {
        assert_eq!(read(text, None), "refused", "{text:?}");
    }
    let empty = Scope::parse(" ", None, &UrlRules::default(), &suffixes());
    assert_eq!(empty, Err(ScopeError::Url(TypedUrlError::Empty)));
}

#[test]
fn the_scope_parameter_overrides() {
    let (url, host, domain) = (Some(ScopeKind::Url), Some(ScopeKind::Host), Some(ScopeKind::Domain));
    for (text, kind, expected) in [
        ("example.com", url, "urls http://example.com/ https://example.com/"),
        ("https://example.com", url, "url https://example.com/"),
        ("example.com", host, "host example.com"),
        ("example.com/path?q", host, "host example.com"),
        ("www.example.com:8080/", host, "host www.example.com:8080"),
        ("www.example.com", domain, "domain example.com"),
        ("https://www.example.com:8080/path", domain, "domain example.com"),
        ("co.uk", host, "host co.uk"),
        ("192.0.2.1/x", domain, "domain 192.0.2.1"),
    ] {
        assert_eq!(read(text, kind), expected, "{text} {kind:?}");
    }
    for (name, kind) in [
        ("url", ScopeKind::Url),
        ("host", ScopeKind::Host),
        ("domain", ScopeKind::Domain),
        ("prefix", ScopeKind::Prefix),
    ] {
        assert_eq!(name.parse(), Ok(kind));
    }
    for name in ["", "URL", "page"] {
        assert_eq!(name.parse::<ScopeKind>(), Err(ScopeError::Kind(name.to_owned())));
    }
}

#[test]
fn a_prefix_is_a_host_and_a_path_without_a_query() {
    for (text, expected) in [
        ("example.com", "prefix example.com/"),
        ("example.com/blog", "prefix example.com/blog"),
        ("https://example.com/blog/", "prefix example.com/blog/"),
        ("www.example.com:8080/a/../b#c?d", "prefix www.example.com:8080/b"),
        ("example.com:443/b", "prefix example.com/b"),
        ("https://example.com:80/b", "prefix example.com:80/b"),
        ("example.com/b?c", "refused"),
        ("http://example.com/b?", "refused"),
        ("example.com?c", "refused"),
    ] {
        assert_eq!(read(text, Some(ScopeKind::Prefix)), expected, "{text}");
    }
    let refused = Scope::parse("example.com/b?c", Some(ScopeKind::Prefix), &UrlRules::default(), &suffixes());
    assert_eq!(refused, Err(ScopeError::PrefixQuery));
    let suffixes = suffixes();
    let parse = |text| Scope::parse(text, Some(ScopeKind::Prefix), &UrlRules::default(), &suffixes).unwrap();
    for text in ["example.com/a", "example.com/a/", "example.com:81/a"] {
        assert!(parse(text).key_prefixes(&suffixes).is_sorted(), "{text}");
        assert_eq!(parse(text).domain(&suffixes), "example.com");
    }
}

#[test]
fn prefixes_come_in_key_order() {
    let suffixes = suffixes();
    for text in ["example.com/a", "www.example.com", "example.com:81/", "example.com:443/"] {
        let scope = Scope::parse(text, None, &UrlRules::default(), &suffixes).unwrap();
        let prefixes = scope.key_prefixes(&suffixes);
        assert_eq!(prefixes.len(), 2, "{text}");
        assert!(prefixes.is_sorted(), "{text}");
    }
}

#[test]
fn every_scope_is_within_one_domain() {
    let suffixes = suffixes();
    for text in ["www.example.co.uk", "example.co.uk", "a.b.example.co.uk/x", "example.co.uk:81"] {
        let scope = Scope::parse(text, None, &UrlRules::default(), &suffixes).unwrap();
        assert_eq!(scope.domain(&suffixes), "example.co.uk", "{text}");
    }
}
