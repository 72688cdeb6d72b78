//! The additions of the canonical form to the URL Standard, and their limits.

use std::borrow::Cow;

use backlinkd::urls::{UrlError, UrlRules};

fn canonical(text: &str) -> Option<String> {
    UrlRules::default().canonical(text).ok().map(|url| url.to_string())
}

#[test]
fn only_parts_that_no_server_receives_are_dropped() {
    for (text, expected) in [
        ("http://example.com", "http://example.com/"),
        ("HTTP://EXAMPLE.com:80/#a", "http://example.com/"),
        ("https://user:secret@example.com:443/", "https://example.com/"),
        ("http://user@example.com/@", "http://example.com/@"),
        ("http://example.com./a", "http://example.com/a"),
        ("http://example.com.:8080/a", "http://example.com:8080/a"),
        ("http://192.0.2.1./", "http://192.0.2.1/"),
        ("http://0xc0.0.513/", "http://192.0.2.1/"),
        ("http://[2001:DB8:0:0::1]:80/", "http://[2001:db8::1]/"),
        ("http://münchen.de/", "http://xn--mnchen-3ya.de/"),
        ("http://a_b.example.com/", "http://a_b.example.com/"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
    ] {
        assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
    }
    for kept in [
        "http://example.com/%7euser",
        "http://example.com/%7Euser",
        "http://example.com/index.html",
        "http://example.com//a",
        "http://example.com/a/",
        "http://example.com/?",
        "http://example.com/?b&a=&&a",
        "http://example.com/;version=1",
        "http://www.example.com:0/",
    ] {
        assert_eq!(canonical(kept).as_deref(), Some(kept));
    }
}

#[test]
fn unresolvable_hosts_are_refused() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    assert_eq!(canonical(&format!("http://{longest}/")), Some(format!("http://{longest}/")));
    for host in [
        &format!("{longest}a"),
        &format!("{label}a.com"),
        "example..com",
        ".example.com",
        "example.com..",
        "0x7f..",
        "1.2.3.4.5",
        "a!b.com",
        "a,b.com",
        "a(b).com",
        "a*.com",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "",
        ".",
    ] {
        assert_eq!(canonical(&format!("http://{host}/")), None, "{host}");
    }
}

#[test]
fn errors_explain_the_mistake() {
    let rules = UrlRules { max_length: 100, ..UrlRules::default() };
    assert_eq!(rules.canonical("mailto:a@b.c"), Err(UrlError::Scheme("mailto:a@b.c".into())));
    assert!(matches!(rules.canonical("no url"), Err(UrlError::Unparsable(text, _)) if text == "no url"));
    assert!(matches!(rules.canonical("http://a..b/"), Err(UrlError::Host(_))));
    let fits = format!("http://example.com/{}", "a".repeat(81));
    assert_eq!(rules.canonical(&fits).unwrap().as_str().len(), 100);
    assert_eq!(rules.canonical(&format!("{fits}a")), Err(UrlError::TooLong { length: 101, limit: 100 }));
    let grows = format!("http://example.com/{}", "é".repeat(20));
    assert_eq!(rules.canonical(&grows), Err(UrlError::TooLong { length: 139, limit: 100 }));
    assert_eq!(rules.canonical(&" ".repeat(401)), Err(UrlError::TooLong { length: 401, limit: 100 }));
    let long = rules.canonical(&format!("ftp://{}", "é".repeat(150))).unwrap_err().to_string();
    assert!(long.chars().count() < 260, "{long}");
}

#[test]
fn named_parameters_are_dropped() {
    let drop_query_params = vec!["utm_*".to_owned(), "sid".to_owned()];
    let rules = UrlRules { drop_query_params, ..UrlRules::default() };
    for (text, expected) in [
        ("http://a.com/?utm_source=x&b=1&sid=2", "http://a.com/?b=1"),
        ("http://a.com/?sid&utm_=", "http://a.com/"),
        ("http://a.com/?sid=1#utm_x", "http://a.com/"),
        ("http://a.com/?side=1&UTM_x=2&xsid=3", "http://a.com/?side=1&UTM_x=2&xsid=3"),
        ("http://a.com/?", "http://a.com/?"),
        ("http://a.com/?&sid&&b", "http://a.com/?&&b"),
    ] {
        assert_eq!(rules.canonical(text).unwrap().as_str(), expected, "{text}");
    }
}

#[test]
fn a_base_href_sets_the_base_unless_the_html_standard_ignores_it() {
    let rules = UrlRules::default();
    let page = rules.canonical("https://example.com/a/b?c").unwrap();
    for (href, expected) in [
        ("/x/", Some("https://example.com/x/link")),
        ("x/", Some("https://example.com/a/x/link")),
        ("//other.org/y", Some("https://other.org/link")),
        ("http://[", Some("https://example.com/a/link")),
        ("data:text/html,x", Some("https://example.com/a/link")),
        ("javascript:void(0)", Some("https://example.com/a/link")),
        ("mailto:a@b.c", None),
        ("ftp://example.com/", None),
    ] {
        let base = rules.base(&page).unwrap().with_href(href);
        let answer = rules.resolve(&base, "link").ok();
        assert_eq!(answer.as_ref().map(|url| url.as_str()), expected, "{href}");
    }
}

#[test]
fn any_number_of_slashes_leads_to_a_host() {
    let rules = UrlRules::default();
    let base = rules.base(&rules.canonical("https://example.com/a/b").unwrap()).unwrap();
    for (reference, expected) in [
        ("/c", "https://example.com/c"),
        ("//other.org/c", "https://other.org/c"),
        ("///other.org/c", "https://other.org/c"),
        (" \\/\t/\n/other.org//c", "https://other.org//c"),
        ("c//d", "https://example.com/a/c//d"),
    ] {
        assert_eq!(rules.resolve(&base, reference).unwrap().as_str(), expected, "{reference}");
    }
}

#[test]
fn a_query_can_have_another_encoding_than_the_path() {
    let rules = UrlRules::default();
    let base = rules.base(&rules.canonical("http://example.com/").unwrap()).unwrap();
    fn latin1(text: &str) -> Cow<'_, [u8]> {
        Cow::Owned(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect())
    }
    let url = rules.resolve_encoded(&base, "é?é", &latin1).unwrap();
    assert_eq!(url.as_str(), "http://example.com/%C3%A9?%E9");
}
