//! Registrable domains: the list's own vectors, and every rule of the list, compared with a slow and literal
//! implementation of the algorithm on publicsuffix.org.

use std::collections::HashMap;

use backlinkd::urls::{Suffixes, UrlRules, is_ip_literal};

const LIST: &str = include_str!("../../config/public_suffix_list.dat");
const VECTORS: &str = include_str!("../data/psl/test_psl.tsv");

/// The list parsed as publicsuffix.org/list describes: rules as labels, last label first, indexed by their last label.
struct Oracle {
    rules: HashMap<String, Vec<Rule>>,
}

struct Rule {
    exception: bool,
    labels: Vec<String>,
}

impl Oracle {
    fn new(list: &str) -> Self {
        let mut rules: HashMap<String, Vec<Rule>> = HashMap::new();
        for line in rule_lines(list) {
            let exception = line.starts_with('!');
            let labels: Vec<String> =
                ascii(line.trim_start_matches('!')).rsplit('.').map(Into::into).collect();
            rules.entry(labels[0].clone()).or_default().push(Rule { exception, labels });
        }
        Self { rules }
    }

    /// The number of labels in the public suffix of a host.
    fn suffix_labels(&self, host: &str) -> usize {
        let labels: Vec<&str> = host.rsplit('.').collect();
        let matches = |rule: &&Rule| {
            rule.labels.len() <= labels.len()
                && rule.labels.iter().zip(&labels).all(|(rule, label)| rule == "*" || rule == label)
        };
        let found: Vec<&Rule> = self.rules.get(labels[0]).into_iter().flatten().filter(matches).collect();
        if let Some(exception) = found.iter().find(|rule| rule.exception) {
            return exception.labels.len() - 1;
        }
        found.iter().map(|rule| rule.labels.len()).max().unwrap_or(1)
    }

    /// The registrable domain; the host itself if it is a public suffix.
    fn domain_of<'a>(&self, host: &'a str) -> &'a str {
        last_labels(host, self.suffix_labels(host) + 1)
    }

    fn suffix_of<'a>(&self, host: &'a str) -> &'a str {
        last_labels(host, self.suffix_labels(host))
    }
}

fn last_labels(host: &str, count: usize) -> &str {
    match host.rmatch_indices('.').nth(count - 1) {
        Some((dot, _)) => &host[dot + 1..],
        None => host,
    }
}

fn rule_lines(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| !line.starts_with("//")).filter_map(|line| line.split_whitespace().next())
}

/// A name as in canonical URLs; `*` is kept.
fn ascii(name: &str) -> String {
    match name.strip_prefix("*.") {
        Some(rest) => format!("*.{}", ascii(rest)),
        None => url::Url::parse(&format!("http://{name}/")).unwrap().host_str().unwrap().to_owned(),
    }
}

/// Every rule as a host, its parents, and up to two labels more. A wildcard becomes an unused label, and every label in
/// its position in another rule.
fn hosts_around_rules(list: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for line in rule_lines(list) {
        let rule = ascii(line.trim_start_matches('!')).replace("*.", "any.");
        let mut name = rule.as_str();
        loop {
            for start in ["", "a.", "b.a.", "www.", "x.www.", "any."] {
                hosts.push(format!("{start}{name}"));
            }
            match name.split_once('.') {
                Some((_, parent)) => name = parent,
                None => break,
            }
        }
    }
    hosts.sort();
    hosts.dedup();
    hosts
}

fn assert_as_oracle(list: &str, least_hosts: usize) {
    let (oracle, suffixes) = (Oracle::new(list), Suffixes::parse(list).unwrap());
    let hosts = hosts_around_rules(list);
    assert!(hosts.len() >= least_hosts, "{} hosts", hosts.len());
    let wrong: Vec<String> = hosts
        .iter()
        .filter(|host| {
            suffixes.domain_of(host) != oracle.domain_of(host)
                || suffixes.suffix_of(host) != oracle.suffix_of(host)
        })
        .map(|host| format!("{host}: {} / {}", suffixes.domain_of(host), oracle.domain_of(host)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ: {:#?}",
        wrong.len(),
        hosts.len(),
        &wrong[..wrong.len().min(20)]
    );
}

#[test]
fn every_rule_of_the_list_is_applied_by_the_algorithm() {
    assert_as_oracle(LIST, 60_000);
}

#[test]
fn wildcards_apply_next_to_rules_with_a_common_prefix() {
    let list = "// ===BEGIN ICANN DOMAINS===\n\
        test\n*.b.test\ndeep.a.b.test\n!city.b.test\nq.city.b.test\n*.c.b.test\n\
        // ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\n*.p.test\nr.s.p.test\n";
    assert_as_oracle(list, 50);
    let suffixes = Suffixes::parse(list).unwrap();
    assert_eq!(suffixes.domain_of("z.q.a.b.test"), "q.a.b.test");
    assert_eq!(suffixes.domain_of("z.deep.a.b.test"), "z.deep.a.b.test");
    assert_eq!(suffixes.domain_of("z.c.b.test"), "z.c.b.test");
    assert_eq!(suffixes.domain_of("x.city.b.test"), "city.b.test");
}

/// The vectors contain names as people write them. `null` is a name without a registrable domain; here it is its own
/// domain, or no URL can contain it.
#[test]
fn the_official_vectors_hold() {
    let suffixes = Suffixes::built_in().unwrap();
    let rules = UrlRules::default();
    let mut checked = 0;
    for line in VECTORS.lines().skip(1) {
        let (input, expected) = line.split_once('\t').unwrap();
        checked += 1;
        let Ok(url) = rules.canonical(&format!("http://{input}/")) else {
            assert!(expected == "null" && input.starts_with('.'), "{input} is refused");
            continue;
        };
        let expected = if expected == "null" { url.host().to_owned() } else { ascii(expected) };
        assert_eq!(suffixes.domain_of(url.host()), expected, "{input}");
    }
    assert_eq!(checked, 78);
}

#[test]
fn an_address_is_its_own_domain_and_has_no_suffix() {
    let suffixes = Suffixes::built_in().unwrap();
    for host in ["192.168.0.1", "[2001:db8::1]", "[::ffff:192.0.2.1]"] {
        assert!(is_ip_literal(host));
        assert_eq!(suffixes.domain_of(host), host);
        assert_eq!(suffixes.suffix_of(host), "");
    }
    assert!(!is_ip_literal("example.com") && !is_ip_literal("1.2.3.4.com"));
}

#[test]
fn a_damaged_list_is_refused() {
    for text in
        ["", "// only a comment\n\n", "com\na..b\n", "*.*.two\n", "a.*.b\n", "!\n", "<html>\n", "1.2.3.4\n"]
    {
        assert!(Suffixes::parse(text).is_err(), "{text:?}");
    }
}
