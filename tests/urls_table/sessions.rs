//! Session ids are removed from URLs before they count as known, and nothing else is removed.

use backlinkd::urls::{SessionParams, UrlRules};
use proptest::prelude::*;

fn canonical(text: &str) -> String {
    UrlRules::default().canonical(text).unwrap().to_string()
}

#[track_caller]
fn assert_stripped(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(canonical(&format!("http://a.test{text}")), format!("http://a.test{expected}"), "{text}");
    }
}

#[track_caller]
fn assert_kept(cases: &[&str]) {
    assert_stripped(&cases.iter().map(|&text| (text, text)).collect::<Vec<_>>());
}

#[test]
fn session_path_parameters_are_removed_from_any_segment_and_others_stay() {
    assert_stripped(&[
        ("/home;jsessionid=7F3A9C0010D41D8CD98F00B204.node1", "/home"),
        ("/home;JSESSIONID=1", "/home"),
        ("/home;JSessionId=nRpFJxGpN8Y3Kq0fL!-1734281!2001", "/home"),
        ("/list.do;jsessionid=0000A2MB4IJozU_VK8IoTVeBFPV:19hbm4k2?page=2#top", "/list.do?page=2"),
        ("/home;jsessionid", "/home"),
        ("/home;jsessionid=", "/home"),
        ("/;jsessionid=7F", "/"),
        ("/a;jsessionid=7F/b;jsessionid=80/c", "/a/b/c"),
        ("/a/;jsessionid=7F", "/a/"),
        ("/a;v=1;jsessionid=7F;w=2", "/a;v=1;w=2"),
        ("/a;jsessionid=7F;jsessionid=80;v", "/a;v"),
        ("/a;phpsessid=0a1b", "/a"),
        ("/a;PHPSESSID=0a1b", "/a"),
        ("/a;BV_SessionID=97B0E29AC200053150E5AF27D0952A89.ee24ea7f", "/a"),
        ("/a;sid=0123456789abcdef0123", "/a"),
        ("/a;sessionid=0123456789ABCDEF~n2", "/a"),
        ("/a;CFID=3304324;CFTOKEN=57491900", "/a"),
    ]);
    assert_kept(&[
        "/a;v=1",
        "/a;sid=1",
        "/a;sid=introduction-to-sessions",
        "/a;jsessionids=7F",
        "/a;xjsessionid=7F",
        "/a/jsessionid=7F",
        "/a%3Bjsessionid=7F",
        "/a;CFID=3304324",
        "/a;CFID=3304324/b;CFTOKEN=57491900x?CFTOKENS=1".replace(";CFTOKEN", ";TOKEN").as_str(),
        // Without the parameter the URL would lead to the parent folder.
        "/a/..;jsessionid=7F/b",
        "/a/%2E%2e;jsessionid=7F/b",
    ]);
}

#[test]
fn session_query_parameters_are_removed_and_others_keep_their_order() {
    assert_stripped(&[
        ("/?PHPSESSID=9682993c8daa2c5497996114facdc805", "/"),
        ("/v?a=1&PHPSESSID=1&b=2", "/v?a=1&b=2"),
        ("/v?PHPSESSID=1&b=2", "/v?b=2"),
        ("/v?b=2&phpsessid", "/v?b=2"),
        ("/v?a=1&jsessionid=a63098d96360$B0$D9$A&b", "/v?a=1&b"),
        ("/v?a=1;jsessionid=7F3A", "/v?a=1"),
        ("/v?p=x.git;jsessionid=7F3A;a=tree", "/v?p=x.git;a=tree"),
        ("/v?ASPSESSIONIDAQBSDSRT=EOHBLBDDPFCLHKPGGKLILNAM", "/v"),
        ("/v?CFID=3304324&CFTOKEN=57491900&c=1", "/v?c=1"),
        ("/v?cftoken=57491900&a=1&cfid=3304324", "/v?a=1"),
        ("/shop?osCsid=1dj8s0qk2n3&cPath=21", "/shop?cPath=21"),
        ("/shop?main_page=index&zenid=k2j3h4k2j3", "/shop?main_page=index"),
        ("/shop?XTCsid=0&cat=7", "/shop?cat=7"),
        ("/default.aspx?AspxAutoDetectCookieSupport=1", "/default.aspx"),
        (
            "/su.jsp?moid=7&BV_SessionID=@@@@1776304602.1222892857@@@@&BV_EngineID=ccccadeff.0",
            "/su.jsp?moid=7",
        ),
        ("/viewtopic.php?t=1&sid=d41d8cd98f00b204e9800998ecf8427e", "/viewtopic.php?t=1"),
        ("/viewtopic.php?t=1&amp;sid=d41d8cd98f00b204e9800998ecf8427e&amp;p=2", "/viewtopic.php?t=1&amp;p=2"),
        ("/v?SESSION_ID=550e8400-e29b-41d4-a716-446655440000", "/v"),
        ("/v?sessid=bJ3-xY9_kLm2Np-Q8rStUv", "/v"),
        ("/v?session=0123456789abcdef_node7", "/v"),
        ("/v?sid=abcdefghij0123456789.web-3", "/v"),
        ("/showthread.php?s=d41d8cd98f00b204e9800998ecf8427e&t=7", "/showthread.php?t=7"),
        ("/forum/?s=d41d8cd98f00b204e9800998ecf8427e", "/forum/"),
        ("/show.php;jsessionid=7F?s=d41d8cd98f00b204e9800998ecf8427e", "/show.php"),
        ("/v?&PHPSESSID=1", "/v?"),
    ]);
    assert_kept(&[
        "/?",
        "/v?",
        "/v?a&b",
        "/v?sid=4882",
        "/v?sid=",
        "/v?sid=20260715123456789012",
        "/v?sid=abcdefghijklmnopqrst",
        "/v?session=covid19-vaccine-booster-2",
        "/v?session=the_2024_annual_meeting_of_all",
        "/v?session_id=1234",
        "/v?sessionid=keynote",
        "/v?sid=0123456789abcdef/page",
        "/v?sid[]=d41d8cd98f00b204e9800998ecf8427e",
        "/v?CFID=3304324",
        "/v?inside=d41d8cd98f00b204e9800998ecf8427e",
        "/v?PHPSESSIDS=1&XPHPSESSID=2",
        "/v?q=PHPSESSID",
        // Signed pictures.
        "/image.jpg?w=640&s=d41d8cd98f00b204e9800998ecf8427e",
        "/?s=how+to+take+off+a+session",
        "/search.php?s=rtx-4090-and-5090",
    ]);
}

#[test]
fn asp_net_segments_are_removed_with_their_slash() {
    assert_stripped(&[
        ("/(S(lit3py55t21z5v55vlm25s55))/orderform.aspx", "/orderform.aspx"),
        ("/app/(S(lit3py55t21z5v55vlm25s55))/x.aspx?id=1", "/app/x.aspx?id=1"),
        ("/app/(s(lit3py55t21z5v55vlm25s55))", "/app/"),
        ("/(S(lit3py55t21z5v55vlm25s55))", "/"),
        ("/(S(lit3py55t21z5v55vlm25s55))/(S(lit3py55t21z5v55vlm25s55))/a", "/a"),
        ("/(X(1)S(lit3py55t21z5v55vlm25s55))/a?AspxAutoDetectCookieSupport=1", "/a"),
        ("/(A(4hqa0555fwsecu455xqckv45)S(4hqa0555fwsecu455xqckv45)F(4hqa-0555_fwsecu455xqckv45))/a", "/a"),
        ("/(lit3py55t21z5v55vlm25s55)/orderform.aspx", "/orderform.aspx"),
        ("/(S(lit3py55t21z5v55vlm25s55));jsessionid=7F/a", "/a"),
    ]);
    assert_kept(&[
        "/(S(e))/a",
        "/(S())/a",
        "/()/a",
        "/(X(1)/a",
        "/wiki/Cookie_(S(lit3py55t21z5v55vlm25s55))",
        "/(T(lit3py55t21z5v55vlm25s55))/a",
        "/(S(lit3py55t21z5v55vlm25s55))x/a",
        "/(abcdefghijklmnopqrstuvwx)/a",
        "/wiki/Rust_(programming_language)",
        "/(S(lit3py55t21z5v55 vlm25s55))/a".replace(' ', "%20").as_str(),
    ]);
}

#[test]
fn every_kind_of_reference_loses_session_ids() {
    let rules = UrlRules::default();
    let page = rules.canonical("http://a.test/b/c").unwrap();
    let base = rules.base(&page).unwrap();
    for (reference, expected) in [
        ("d?PHPSESSID=1", "http://a.test/b/d"),
        ("d?x=1&zenid=1", "http://a.test/b/d?x=1"),
        ("d;jsessionid=1?x=1", "http://a.test/b/d?x=1"),
        ("?PHPSESSID=1", "http://a.test/b/c"),
        (";jsessionid=1", "http://a.test/b/"),
        ("http://b.test/(S(lit3py55t21z5v55vlm25s55))/d", "http://b.test/d"),
    ] {
        assert_eq!(rules.resolve(&base, reference).unwrap().as_str(), expected, "{reference}");
        let encoded = rules.resolve_encoded(&base, reference, &|query| query.as_bytes().into());
        assert_eq!(encoded.unwrap().as_str(), expected, "{reference}");
    }
    // A base with a session id passes it to every relative reference.
    for href in ["/d;jsessionid=1/", "/(S(lit3py55t21z5v55vlm25s55))/d/", "/d/?PHPSESSID=1"] {
        let base = rules.base(&page).unwrap().with_href(href);
        assert_eq!(rules.resolve(&base, "e").unwrap().as_str(), "http://a.test/d/e", "{href}");
    }
}

#[test]
fn a_reference_can_be_resolved_as_the_server_wrote_it() {
    let rules = UrlRules { drop_query_params: vec!["utm_*".to_owned()], ..UrlRules::default() };
    let page = rules.canonical("http://user@a.test/home").unwrap();
    let base = rules.base(&page).unwrap();
    for (reference, expected) in [
        ("/home;jsessionid=7F3A#top", "http://a.test/home;jsessionid=7F3A"),
        ("/home?PHPSESSID=1&utm_source=x", "http://a.test/home?PHPSESSID=1&utm_source=x"),
        (
            "HTTP://A.test.:80/(S(lit3py55t21z5v55vlm25s55))/home",
            "http://a.test/(S(lit3py55t21z5v55vlm25s55))/home",
        ),
    ] {
        let raw = rules.resolve_verbatim(&base, reference).unwrap();
        assert_eq!(raw.as_str(), expected);
        assert_eq!(rules.canonical(raw.as_str()).unwrap(), page, "{reference}");
    }
    assert!(rules.resolve_verbatim(&base, "mailto:a@b.c").is_err());
    let short = UrlRules { max_length: 100, ..rules };
    assert!(short.resolve_verbatim(&base, &format!("/;jsessionid={}", "7".repeat(100))).is_err());
}

fn with_list(entries: &[&str], min_length: usize) -> UrlRules {
    UrlRules { session_params: SessionParams::new(entries, min_length).unwrap(), ..UrlRules::default() }
}

#[test]
fn the_list_determines_which_parts_are_removed_and_where() {
    let rules = with_list(&[";Path", "?query", ".CGI?script", "start*", "id=id", "one+two"], 8);
    for (text, expected) in [
        ("/a;path=1?path=1", "/a?path=1"),
        ("/a;query=1?QUERY=1", "/a;query=1"),
        ("/a.cgi?script=1", "/a.cgi"),
        ("/a.cgi;script=1", "/a.cgi;script=1"),
        ("/a?script=1", "/a?script=1"),
        ("/a;starting=1?START&star=1", "/a?star=1"),
        ("/a;id=12345678?id=1234567a", "/a;id=12345678"),
        ("/a?id=123456a", "/a?id=123456a"),
        ("/a;one=1;two=2", "/a;two=2"),
        ("/a;one=1?two=2", "/a;one=1?two=2"),
        ("/a;jsessionid=1/(S(lit3py55t21z5v55vlm25s55))/", "/a;jsessionid=1/(S(lit3py55t21z5v55vlm25s55))/"),
    ] {
        let url = rules.canonical(&format!("http://a.test{text}")).unwrap();
        assert_eq!(url.path_and_query(), expected, "{text}");
    }
    let rules = with_list(&[], 8);
    for kept in ["/a;jsessionid=1?PHPSESSID=1", "/(S(lit3py55t21z5v55vlm25s55))/"] {
        assert_eq!(rules.canonical(&format!("http://a.test{kept}")).unwrap().path_and_query(), kept);
    }
    for wrong in
        ["", ";", "?", "*", "a*b", "a=b", "a=", "=id", "a+", "+b", "a&b", "a;b", "/x#?a", "a b", "(s(x))"]
    {
        let error = SessionParams::new(&[wrong], 8).unwrap_err().to_string();
        assert!(error.contains(&format!("\"{wrong}\"")), "{error}");
    }
}

#[test]
fn dropped_parameters_and_session_ids_are_removed_together() {
    let rules = UrlRules { drop_query_params: vec!["utm_*".to_owned()], ..UrlRules::default() };
    for (text, expected) in [
        ("/?utm_x=1&PHPSESSID=2", "/"),
        ("/?PHPSESSID=2;utm_x=1&a", "/?a"),
        ("/;jsessionid=1?utm_x=1&a", "/?a"),
    ] {
        let url = rules.canonical(&format!("http://a.test{text}")).unwrap();
        assert_eq!(url.path_and_query(), expected, "{text}");
        assert_eq!(rules.canonical(url.as_str()), Ok(url));
    }
}

/// Paths and queries that combine every relevant part with every other.
fn reference() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "/",
        "/",
        "/",
        ";",
        ";",
        "?",
        "&",
        "&",
        "&amp;",
        "=",
        "a",
        "..",
        ".",
        "%2e",
        "%2E%2E",
        "(",
        ")",
        "x.php",
        "#",
        "^",
        "jsessionid",
        "JSESSIONID=7F3A",
        ";jsessionid=1",
        "PHPSESSID=1",
        "sid",
        "sid=",
        "s=",
        "d41d8cd98f00b204",
        "!-1",
        ".node1",
        "550e8400-e29b-41d4-a716-446655440000",
        "CFID=1",
        "cftoken=2",
        "aspsessionidab",
        "zenid",
        "(S(lit3py55t21z5v55vlm25s55))",
        "(X(1))",
        "lit3py55t21z5v55vlm25s55",
        "//",
        "\\",
        " ",
        "é",
        "utm_a=1",
    ]);
    prop::collection::vec(part, 0..14).prop_map(|parts| format!("/{}", parts.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]
    #[test]
    fn a_canonical_url_is_its_own_canonical_form(reference in reference(), drops in any::<bool>()) {
        let drop_query_params = if drops { vec!["utm_*".to_owned(), "a".to_owned()] } else { Vec::new() };
        let rules = UrlRules { drop_query_params, ..UrlRules::default() };
        let base = rules.base(&rules.canonical("http://a.test/b/c").unwrap()).unwrap();
        let Ok(url) = rules.resolve(&base, &reference) else { return Ok(()) };
        prop_assert_eq!(rules.canonical(url.as_str()), Ok(url.clone()), "{}", reference);
        prop_assert_eq!(rules.resolve(&base, url.as_str()), Ok(url.clone()), "{}", reference);
        // The URL is requested as it was written, and known under the same canonical URL.
        let raw = rules.resolve_verbatim(&base, &reference).unwrap();
        prop_assert_eq!(rules.canonical(raw.as_str()), Ok(url), "{}", reference);
    }
}
