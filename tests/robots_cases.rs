//! The parser of robots.txt, compared with the RFC's own tables, and with 845 cases of Google's parser,
//! crawler-commons, protego and the RFC.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use backlinkd::config::RobotsConfig;
use backlinkd::fetch::robots_txt::{Decision, RobotsTxt};
use backlinkd::urls::UrlRules;
use data_encoding::BASE64;

use crate::support::shared;

mod texts;

/// The cases in which the references differ: our answer, the reason, and the cases.
const CHOICES: &[(bool, &str, &[u32])] = &[
    (
        true,
        "RFC 9309 2.2.2: /robots.txt itself is implicitly allowed",
        &[145, 191, 471, 492, 493, 494, 785, 791, 795, 936, 1022],
    ),
    (
        false,
        "RFC 9309 2.2.4: a record of another kind does not end the list of a group's user agents, and 2.2.1: \
         groups for one agent are merged",
        &[19, 166, 167, 168, 169, 174, 175, 209, 210, 215, 216, 227],
    ),
    (
        false,
        "RFC 9309 2.2.1: a user-agent line names one product token, and what follows it is no part of it; \
         \"Foo Bar\" is not a token, so no line names it",
        &[30, 31, 32, 36, 37, 38, 40, 296, 407, 409, 482, 725, 728, 729, 732, 733],
    ),
    (
        true,
        "RFC 9309 2.2.1, as above: the second and third of several names on one line are not read",
        &[39, 275, 278, 287, 364, 410, 411, 724],
    ),
    (
        false,
        "a token with digits is compared whole: \"agent1\" is named by \"Agent1\" (RFC 9309 gives tokens no \
         digits; Google's parser stops at the first one, and so finds no group)",
        &[161, 274, 276, 277, 279, 286, 288, 321, 323, 325, 329, 331, 480, 792, 793],
    ),
    (
        true,
        "as above, the other way round: \"AB\" is not named by \"AB42bot\", nor \"agent1\" by other agents' groups",
        &[295, 297, 357, 794],
    ),
    (
        true,
        "RFC 9309 2.2.1: a crawler has one product token; of the names given with the case it is the first, \
         which no group names",
        &[322, 324, 326, 330, 332, 344, 346, 352],
    ),
    (
        true,
        "the version behind the slash is no part of the crawler's token, so its own group is found",
        &[187, 188, 199, 479, 487, 488, 490, 491, 505, 506, 511, 512, 514, 515, 517, 518],
    ),
    (false, "as above", &[495, 498, 501, 507]),
    (
        true,
        "RFC 9309 2.2.2 and 2.2.3: an octet and its percent-encoded form match each other",
        &[63, 65, 66, 702, 704, 705, 1020],
    ),
    (false, "as above", &[378, 381, 382, 383, 390, 391, 394, 527, 529, 534, 1016, 1019]),
    (
        false,
        "no line is too long: a pattern is compared whole (the RFC knows no limit but that of the file)",
        &[86],
    ),
    (true, "as above", &[83]),
    (
        false,
        "a line of two words is read as if the colon stood between them, as in cases 6 and 599",
        &[162, 163],
    ),
    (true, "\"*<BR>\" is not \"*\", and \"/<BR>\" is not \"/\"", &[455]),
    (
        true,
        "a long crawl delay asks for slowness, it does not forbid; how long we wait is configured",
        &[591],
    ),
    (false, "RFC 9309 2.2: files are UTF-8; one in UTF-16 means what it says all the same", &[421, 422]),
    (false, "a damaged byte order mark hides no rule", &[593, 594]),
    (false, "RFC 9309 2.2.1: tokens are compared whole, not by their beginning", &[877]),
];

pub struct Case {
    pub id: u32,
    pub consensus: bool,
    pub allowed: bool,
    pub file: Vec<u8>,
    pub agent: String,
    pub path: String,
    crawl_delay: Option<Duration>,
    sitemaps: Option<Vec<String>>,
}

impl Case {
    fn read(line: &str) -> Self {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let file = match case["robots_b64"].as_str() {
            Some(text) => BASE64.decode(text.as_bytes()).unwrap(),
            None => case["robots_txt"].as_str().unwrap().as_bytes().to_vec(),
        };
        let agent = case["user_agents"][0].as_str().unwrap().split('/').next().unwrap().to_owned();
        let sitemaps = case["sitemaps"].as_array();
        Self {
            id: u32::try_from(case["id"].as_u64().unwrap()).unwrap(),
            consensus: case["consensus"].as_bool().unwrap(),
            allowed: case["allowed"].as_bool().unwrap(),
            file,
            agent,
            path: path_of(case["url"].as_str().unwrap()),
            crawl_delay: case["crawl_delay_ms"].as_u64().map(Duration::from_millis),
            sitemaps: sitemaps.map(|list| list.iter().map(|url| url.as_str().unwrap().to_owned()).collect()),
        }
    }

    pub fn robots(&self) -> RobotsTxt {
        parse(&self.file, &self.agent)
    }
}

/// Path and query as the crawler has them: those of the canonical URL. Some cases give a bare path, or an empty one.
fn path_of(url: &str) -> String {
    let rules = UrlRules { max_length: 1 << 20, ..UrlRules::default() };
    match rules.canonical(url) {
        Ok(url) => url.path_and_query().to_owned(),
        Err(_) => url.to_owned(),
    }
}

pub fn cases() -> Option<Vec<Case>> {
    let text = std::fs::read_to_string(shared("robots/cases.jsonl")?).unwrap();
    let cases: Vec<Case> = text.lines().map(Case::read).collect();
    assert_eq!(cases.len(), 845);
    Some(cases)
}

#[test]
fn the_parser_agrees_where_all_references_agree() {
    let Some(cases) = cases() else { return };
    let agreed: Vec<Case> = cases.into_iter().filter(|case| case.consensus).collect();
    assert_eq!(agreed.len(), 721);
    let wrong: Vec<u32> = agreed
        .iter()
        .filter(|case| case.robots().decide(&case.path).allowed != case.allowed)
        .map(|case| case.id)
        .collect();
    assert!(wrong.is_empty(), "cases {wrong:?}");
}

#[test]
fn the_parser_answers_as_chosen_where_references_differ() {
    let Some(cases) = cases() else { return };
    let mut chosen: HashMap<u32, bool> = HashMap::new();
    for (allowed, _, ids) in CHOICES {
        for id in *ids {
            assert_eq!(chosen.insert(*id, *allowed), None, "case {id} stands in the table twice");
        }
    }
    for case in cases.iter().filter(|case| !case.consensus) {
        let choice = chosen.remove(&case.id);
        assert_eq!(Some(case.robots().decide(&case.path).allowed), choice, "case {}", case.id);
    }
    assert!(chosen.is_empty(), "these are not in dispute: {chosen:?}");
}

#[test]
fn delays_and_sitemaps_are_read_as_crawler_commons_reads_them() {
    let Some(cases) = cases() else { return };
    // Directives read out of markup, and a delay that is treated as a prohibition.
    const NOT_OURS: [u32; 3] = [454, 455, 591];
    let mut compared = 0;
    for case in cases {
        let Some(sitemaps) = &case.sitemaps else { continue };
        if !NOT_OURS.contains(&case.id) {
            let robots = case.robots();
            assert_eq!(robots.crawl_delay(), case.crawl_delay, "case {}", case.id);
            // crawler-commons resolves relative URLs, which the RFC's sitemap record does not allow.
            let same = |(ours, theirs): (&String, &String)| theirs.ends_with(ours.as_str());
            assert!(robots.sitemaps().iter().zip(sitemaps).all(same), "case {}", case.id);
            assert_eq!(robots.sitemaps().len(), sitemaps.len(), "case {}", case.id);
            compared += usize::from(!sitemaps.is_empty());
        }
    }
    assert!(compared > 5);
}

fn parse(file: &[u8], agent: &str) -> RobotsTxt {
    RobotsTxt::parse(file, agent, RobotsConfig::default().max_compared_bytes)
}

fn decide(file: &str, path: &str) -> Decision {
    parse(file.as_bytes(), "ExampleBot").decide(path)
}

fn is_allowed(file: &str, path: &str) -> bool {
    decide(file, path).allowed
}

#[test]
fn the_examples_of_the_rfc_hold() {
    // 2.2.2: plain and percent-encoded characters.
    for (rule, path) in [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"),
        ("/foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar"),
        ("/foo/bar/\u{30c4}", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%e3%83%84", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        // 2.2.3: literal * and $.
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"),
        ("/path/foo-%24", "/path/foo-$"),
    ] {
        assert!(!is_allowed(&format!("User-agent: *\nDisallow: {rule}"), path), "{rule}");
    }
    // 2.2.3: wildcards.
    let file = "User-agent: *\nAllow: /this/*/exactly$\nDisallow: /this\n";
    for (path, allowed) in [
        ("/this/path/exactly", true),
        ("/this/and/that/exactly", true),
        ("/this/exactly", false),
        ("/this/path/exactly/not", false),
    ] {
        assert_eq!(is_allowed(file, path), allowed, "{path}");
    }
    // 5.1
    let file = "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
                User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n\n\
                User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\n\
                User-Agent: quxbot\n\nEOF";
    for (agent, path, allowed) in [
        ("any", "/a/b.gif", false),
        ("any", "/a/b.gif?", true),
        ("any", "/example/x", false),
        ("any", "/publications/", true),
        ("foobot", "/", false),
        ("FooBot", "/example/page.html", true),
        ("foobot", "/example/allowed.gif", true),
        ("barbot", "/example/page.html", false),
        ("bazbot", "/example/page.html", false),
        ("bazbot", "/example/x.gif", true),
        ("quxbot", "/example/x.gif", true),
    ] {
        let decision = parse(file.as_bytes(), agent).decide(path);
        assert_eq!(decision.allowed, allowed, "{agent} {path}");
    }
    // 5.2: the longest match.
    let file = "User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n";
    let robots = parse(file.as_bytes(), "foobot");
    assert_eq!(robots.decide("/example/page/disallowed.gif"), Decision { allowed: false, line: 3 });
    assert_eq!(robots.decide("/example/page/x"), Decision { allowed: true, line: 2 });
}

#[test]
fn the_deciding_line_is_reported_for_every_line_ending() {
    for end in ["\n", "\r\n", "\r"] {
        let file =
            ["# who", "user-agent: examplebot", "", "disallow: /a # why", "allow: /a/b", "disallow: /a/b"]
                .join(end);
        assert_eq!(decide(&file, "/a/c"), Decision { allowed: false, line: 4 });
        assert_eq!(decide(&file, "/a/b/c"), Decision { allowed: true, line: 5 }, "allow wins a tie");
        assert_eq!(decide(&file, "/b"), Decision { allowed: true, line: 0 });
    }
}

#[test]
fn reserved_characters_differ_from_their_encoded_forms() {
    for (rule, path) in [("/a/b", "/a%2Fb"), ("/a%2Fb", "/a/b"), ("/a?b", "/a%3Fb"), ("/a?b=c", "/a?b%3Dc")] {
        assert!(is_allowed(&format!("User-agent: *\nDisallow: {rule}"), path), "{rule} {path}");
    }
    // A star matches the question mark too, and the text after it matches in the query as in the path.
    for path in ["/w?title=/edit", "/w/edit", "/w?x%2Fedit"] {
        assert!(!is_allowed("User-agent: *\nDisallow: /w*/edit", path), "{path}");
    }
    // An encoded character is found where it was written, on either side of the question mark.
    for (rule, path, allowed) in [
        ("/*return=%2F", "/login?return=%2Fhome", false),
        ("/*return=/", "/login?return=%2Fhome", false),
        ("/*return=%2F", "/login/return=/home", true),
        ("/*%2Fhome", "/a%2Fhome", false),
        ("/*%2Fhome", "/a/home", true),
        ("/*a%3Db", "/x?a%3Db", false),
        ("/*a%3Db", "/x?a=b", true),
        ("/*a%3Db", "/a=b", false),
        ("/*?*%26*%2B", "/x?a%26b%2Bc", false),
        ("/*%3F$", "/x?y%3F", false),
        ("/*%3F$", "/x?", true),
        ("/*=b$", "/x?a=b", false),
        ("/*=b$", "/x?a%3Db", true),
        ("/*x?y=%2F*z", "/x?y=/z", false),
    ] {
        assert_eq!(is_allowed(&format!("User-agent: *\nDisallow: {rule}"), path), allowed, "{rule} {path}");
    }
    // A percent sign does not begin a piece that starts with a digit.
    assert!(is_allowed("User-agent: *\nDisallow: /*5", "/%25"));
}

#[test]
fn odd_values_of_a_delay_are_ignored() {
    for (value, expected) in [
        ("10", Some(10_000)),
        ("0.2", Some(200)),
        ("0", Some(0)),
        ("-1", None),
        ("inf", None),
        ("NaN", None),
        ("soon", None),
        ("1e300", Some(366 * 86_400_000)),
    ] {
        let file = format!("User-agent: *\nCrawl-delay: {value}\nSitemap: https://a.test/s.xml\n");
        let robots = parse(file.as_bytes(), "ExampleBot");
        assert_eq!(robots.crawl_delay(), expected.map(Duration::from_millis), "{value}");
        assert_eq!(robots.sitemaps(), ["https://a.test/s.xml"]);
    }
}

#[test]
fn a_hostile_file_delays_no_crawl() {
    let path = format!("/{}", "a".repeat(7_990));
    let rules = |count: usize, rule: &dyn Fn(usize) -> String| {
        let rules: String = (0..count).map(|at| format!("Disallow: {}\n", rule(at))).collect();
        parse(format!("User-agent: *\n{rules}").as_bytes(), "ExampleBot")
    };
    for (robots, allowed) in [
        (rules(1, &|_| format!("/{}b$", "*a".repeat(3_000))), true),
        (rules(60, &|at| format!("/{}b{at}$", "*a".repeat(3_990))), false),
        (rules(70, &|_| format!("/*{}b", "a".repeat(7_000))), true),
        (rules(25_000, &|at| format!("/*ab{at}*ba")), false),
        (rules(25_000, &|at| format!("/*aaaab{at}")), false),
        (rules(25_000, &|at| format!("/x*aaaab{at}")), true),
        (rules(60, &|at| format!("/{}b{at}", "a".repeat(7_989))), true),
        (rules(1, &|_| format!("/{}b", "*".repeat(500_000))), false),
    ] {
        let start = Instant::now();
        for _ in 0..100 {
            assert_eq!(robots.decide(&path).allowed, allowed);
        }
        // Without a limit, the worst of these take a quarter of a second each time.
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

#[test]
fn beyond_the_limit_of_comparison_more_is_forbidden_not_less() {
    let file = "User-agent: *\nDisallow: /a/*/long/and/never/there\nAllow: /a/*/open\nAllow: /a/plain\n\
                Disallow: /a/*x\nDisallow: /b/\n";
    let bounded = |max_compared: usize| RobotsTxt::parse(file.as_bytes(), "ExampleBot", max_compared);
    for (path, exact, short) in [
        ("/", 0, 0),
        ("/b/", 6, 6),
        ("/a/1/open", 3, 2),
        ("/a/1/shut", 0, 2),
        ("/a/plain", 4, 2),
        ("/c/1/open", 0, 0),
    ] {
        let line = |max_compared| bounded(max_compared).decide(path).line;
        assert_eq!((line(10_000), line(10)), (exact, short), "{path}");
    }
}

proptest::proptest! {
    /// Compared with a matcher that is too simple to be wrong: it tries every way.
    #[test]
    fn patterns_match_as_by_exhaustive_search(pattern in "/[ab*]{0,8}[$]?", path in "/[ab$*]{0,10}") {
        fn trial(pattern: &[u8], path: &[u8]) -> bool {
            match pattern {
                [] => true,
                [b'$'] => path.is_empty(),
                [b'*', rest @ ..] => (0..=path.len()).any(|at| trial(rest, &path[at..])),
                [first, rest @ ..] => path.first() == Some(first) && trial(rest, &path[1..]),
            }
        }
        let file = format!("User-agent: *\nDisallow: {pattern}");
        proptest::prop_assert_eq!(!is_allowed(&file, &path), trial(pattern.as_bytes(), path.as_bytes()));
    }

    /// A URL matches its own text with any parts of it replaced by stars.
    #[test]
    fn a_url_matches_its_own_text(
        octets in proptest::collection::vec("[ab/?&=+$*]|%2F|%3F|%26|%3D|%2B|%2A|%24|%61|%C3%A4", 0..12),
        starred in proptest::collection::vec(proptest::bool::weighted(0.3), 12),
        anchored: bool,
    ) {
        let path = format!("/{}", octets.concat());
        let part = |(octet, star): (&String, &bool)| if *star { "*".to_owned() } else { octet.clone() };
        let mut pattern = format!("/{}", octets.iter().zip(&starred).map(part).collect::<String>());
        // At the end it would be an anchor.
        if pattern.ends_with('$') {
            pattern.replace_range(pattern.len() - 1.., "%24");
        }
        pattern += if anchored { "$" } else { "" };
        let file = format!("User-agent: *\nDisallow: {pattern}");
        proptest::prop_assert!(!is_allowed(&file, &path), "{} {}", pattern, path);
    }

    #[test]
    fn any_bytes_can_be_parsed(file: Vec<u8>, path: String) {
        let robots = parse(&[b"User-agent: *\nDisallow: /", file.as_slice()].concat(), "ExampleBot");
        let lines = u32::try_from(file.len()).unwrap() + 2;
        let line = robots.decide(&format!("/{path}")).line;
        proptest::prop_assert!(line <= lines);
    }
}
