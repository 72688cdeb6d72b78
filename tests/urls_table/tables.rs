//! The canonical form, compared with external tables: the URL Standard's tests, and four normalisers. Every difference
//! to this program is listed with its reason.

use std::collections::HashMap;

use backlinkd::urls::UrlRules;
use serde_json::Value;

/// Hosts that are invalid punycode although they begin with `xn--`. The standard accepts ASCII ones unread. This
/// program refuses them: no registry assigns them, and their Unicode form does not exist.
const NO_PUNYCODE: [&str; 7] = [
    "http://a.b.c.xn--pokxncvks",
    "http://10.0.0.xn--pokxncvks",
    "http://a.b.c.XN--pokxncvks",
    "http://a.b.c.Xn--pokxncvks",
    "http://10.0.0.XN--pokxncvks",
    "http://10.0.0.xN--pokxncvks",
    "https://xn--/",
];

/// The expected result of one case of the URL Standard's tests under this program's rules.
enum Expected {
    Url(String),
    Refused,
    /// A base that no document can have here.
    NoBase,
}

/// Fragment, credentials and the host's last dot are dropped; unresolvable hosts are refused.
fn expected_of(case: &Value) -> Expected {
    let field = |name: &str| case[name].as_str().unwrap_or_default();
    let base = case["base"].as_str();
    if base.is_some_and(|base| !base.starts_with("http")) {
        return Expected::NoBase;
    }
    if case["failure"] == true || !matches!(field("protocol"), "http:" | "https:") {
        return Expected::Refused;
    }
    let hostname = field("hostname");
    let host = hostname.strip_suffix('.').unwrap_or(hostname);
    let name = |label: &str| {
        !label.is_empty()
            && label.len() < 64
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
    };
    if !host.starts_with('[') && !host.split('.').all(name) {
        return Expected::Refused;
    }
    let port = if field("port").is_empty() { String::new() } else { format!(":{}", field("port")) };
    // `search` is empty for a lone `?`, which `href` keeps.
    let bare = field("href").split('#').next().unwrap_or_default();
    let search = if field("search").is_empty() && bare.ends_with('?') { "?" } else { field("search") };
    Expected::Url(format!("{}//{host}{port}{}{search}", field("protocol"), field("pathname")))
}

#[test]
fn the_cases_of_the_url_standard_hold() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../data/urls/urltestdata.json")).unwrap();
    let rules = UrlRules::default();
    let (mut urls, mut refused, mut no_base) = (0, 0, 0);
    let mut no_punycode = Vec::new();
    for case in cases.iter().filter(|case| case.is_object()) {
        let input = case["input"].as_str().unwrap();
        let answer = match case["base"].as_str() {
            None => rules.canonical(input),
            Some(base) => match rules.canonical(base) {
                Ok(base) => rules.resolve(&rules.base(&base).unwrap(), input),
                Err(error) => Err(error),
            },
        };
        match expected_of(case) {
            Expected::Url(url) => {
                if NO_PUNYCODE.contains(&input) {
                    no_punycode.push(input);
                    assert!(answer.is_err(), "{case}");
                    continue;
                }
                urls += 1;
                assert_eq!(answer.as_ref().map(|url| url.as_str()), Ok(url.as_str()), "{case}");
            }
            Expected::Refused => {
                refused += 1;
                assert!(answer.is_err(), "{answer:?} {case}");
            }
            Expected::NoBase => no_base += 1,
        }
    }
    assert_eq!(no_punycode, NO_PUNYCODE);
    assert_eq!((urls, refused, no_base), (233, 514, 134));
}

/// The result of this program, by the source and the input of a case.
type Outcomes = HashMap<(String, String), Option<String>>;

/// The outcomes that differ, and their number for each reason.
fn differences() -> (Outcomes, Vec<(String, usize)>) {
    let groups: Vec<Value> = serde_json::from_str(include_str!("../data/urls/differences.json")).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (mut outcomes, mut counts) = (HashMap::new(), Vec::new());
    for group in &groups {
        let cases = group["cases"].as_array().unwrap();
        assert!(group["why"].as_str().is_some_and(|why| !why.is_empty()));
        counts.push((text(&group["reason"]).unwrap(), cases.len()));
        for case in cases {
            outcomes.insert((text(&case[0]).unwrap(), text(&case[1]).unwrap()), text(&case[2]));
        }
    }
    (outcomes, counts)
}

#[test]
fn four_normalisers_agree_except_for_listed_reasons() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../data/urls/normalize.json")).unwrap();
    let (outcomes, counts) = differences();
    let rules = UrlRules::default();
    let (mut agreed, mut differed) = (0, 0);
    for case in &cases {
        let field = |name: &str| case[name].as_str().unwrap().to_owned();
        let answer = rules.canonical(&field("input")).ok().map(|url| url.to_string());
        let theirs = Some(field("normalized"));
        match outcomes.get(&(field("source"), field("input"))) {
            None => {
                agreed += 1;
                assert_eq!(answer, theirs, "{case}");
            }
            Some(listed) => {
                differed += 1;
                assert_eq!(&answer, listed, "{case}");
                assert_ne!(answer, theirs, "listed as a difference, but is none: {case}");
            }
        }
    }
    assert_eq!((agreed, differed), (227, 349));
    let counts: Vec<(&str, usize)> = counts.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    let expected = [
        ("scheme", 133),
        ("relative", 20),
        ("no-host", 5),
        ("host", 22),
        ("unicode-host", 2),
        ("percent", 86),
        ("slashes", 14),
        ("query", 28),
        ("fragment", 6),
        ("credentials", 4),
        ("merges", 19),
        ("bytes", 10),
    ];
    assert_eq!(counts, expected);
}

/// Lines of a crawler-commons table: `input, base, result`, some quoted.
fn table(text: &str) -> impl Iterator<Item = Vec<String>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(", ").map(|cell| cell.trim_matches('"').to_owned()).collect())
}

#[test]
fn references_resolve_as_in_crawler_commons() {
    let rules = UrlRules::default();
    let mut checked = 0;
    for row in table(include_str!("../data/urls/cc-url-resolve.csv")) {
        let [input, base, result] = row.try_into().unwrap();
        checked += 1;
        let answer = if base.is_empty() {
            rules.canonical(&input)
        } else if let Ok(base) = rules.canonical(&base) {
            rules.resolve(&rules.base(&base).unwrap(), &input)
        } else {
            assert!(result.starts_with("file:"));
            continue;
        };
        let result = result.split('#').next().unwrap().replace("user:pass@", "");
        assert_eq!(answer.unwrap().as_str(), result, "{input} at {base}");
    }
    assert_eq!(checked, 22);
}

#[test]
fn hosts_that_cannot_be_decoded_are_refused() {
    let rows: Vec<_> = table(include_str!("../data/urls/cc-invalidUrls.csv")).collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(UrlRules::default().canonical(&row[0]).is_err(), "{}", row[0]);
    }
}
