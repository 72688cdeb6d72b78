//! Registrable domains by the Public Suffix List (<https://publicsuffix.org>), with both its sections.
//!
//! Hosts are in lower case and punycode, as in canonical URLs. A host that is an IP address or a public suffix is its
//! own registrable domain.
//!
//! The `publicsuffix` crate finds the rule of a host by descending a tree of labels. At a label with its own branch
//! it ignores a wildcard next to it: with the rules `*.b` and `x.a.b`, the host `a.b` matches nothing, although `*.b`
//! covers it. [`Suffixes::parse`] therefore adds an explicit rule for each such label (`a.b` in the example). That
//! does not change any result of the list's own algorithm. The built-in list has 22 such names (`teams.replit.dev`,
//! `mtls.run.app` ...).

use std::collections::BTreeSet;

use publicsuffix::{List, Psl};

/// A parsed public suffix list.
pub struct Suffixes(List);

/// A list file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SuffixesError {
    #[error("the public suffix list holds no rules; give a file in the format of public_suffix_list.dat")]
    Empty,
    #[error(
        "the public suffix list has a rule \"{rule}\" in line {line}; a rule is a host name, which \"!\" or \"*.\" may precede"
    )]
    Rule { rule: String, line: usize },
    #[error("the public suffix list cannot be used: {0}")]
    List(publicsuffix::Error),
}

impl Suffixes {
    /// The built-in list.
    ///
    /// # Errors
    /// [`SuffixesError`] when the embedded file is damaged.
    pub fn built_in() -> Result<Self, SuffixesError> {
        Self::parse(include_str!("../../config/public_suffix_list.dat"))
    }

    /// Parses a list in the format of `public_suffix_list.dat`: one rule per line up to the first blank, comments
    /// after `//`. Names may be in Unicode or punycode.
    ///
    /// # Errors
    /// [`SuffixesError`] when the text has no rule or a malformed one.
    pub fn parse(text: &str) -> Result<Self, SuffixesError> {
        let mut rules = BTreeSet::new();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let Some(rule) = line.split_whitespace().next().filter(|rule| !rule.starts_with("//")) else {
                continue;
            };
            let ascii = to_ascii(rule)
                .ok_or_else(|| SuffixesError::Rule { rule: rule.to_owned(), line: index + 1 })?;
            rules.insert(ascii);
        }
        if rules.is_empty() {
            return Err(SuffixesError::Empty);
        }
        let spelled_out = hidden_by_branches(&rules);
        rules.extend(spelled_out);
        // The crate requires a section header. Both sections are treated alike here.
        let mut list = String::from("// ===BEGIN ICANN DOMAINS===\n");
        for rule in &rules {
            list.push_str(rule);
            list.push('\n');
        }
        list.parse().map(Self).map_err(SuffixesError::List)
    }

    /// The registrable domain of a host, as a slice of it.
    pub fn domain_of<'a>(&self, host: &'a str) -> &'a str {
        if is_ip_literal(host) {
            return host;
        }
        match self.0.domain(host.as_bytes()) {
            Some(domain) => &host[host.len() - domain.as_bytes().len()..],
            None => host,
        }
    }

    /// The public suffix of a host, as a slice of it; empty for an IP address.
    pub fn suffix_of<'a>(&self, host: &'a str) -> &'a str {
        if is_ip_literal(host) {
            return "";
        }
        match self.0.suffix(host.as_bytes()) {
            Some(suffix) => &host[host.len() - suffix.as_bytes().len()..],
            None => "",
        }
    }
}

impl std::fmt::Debug for Suffixes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Suffixes")
    }
}

/// A rule in lower case and punycode; `None` when it is malformed.
fn to_ascii(rule: &str) -> Option<String> {
    let name = name_of(rule);
    let url::Host::Domain(ascii) = url::Host::parse(name).ok()? else { return None };
    let is_name = !name.contains('*') && ascii.split('.').all(|label| !label.is_empty());
    is_name.then(|| format!("{}{ascii}", &rule[..rule.len() - name.len()]))
}

/// The rule without its `!` or `*.`.
fn name_of(rule: &str) -> &str {
    rule.strip_prefix('!').or_else(|| rule.strip_prefix("*.")).unwrap_or(rule)
}

/// The names covered by a wildcard rule that have their own branch in the tree of labels, because a longer rule
/// passes through them.
fn hidden_by_branches(rules: &BTreeSet<String>) -> Vec<String> {
    let mut hidden = Vec::new();
    for rule in rules {
        let name = name_of(rule);
        // The branch of a wildcard starts at its name, that of another rule at the label above.
        let mut branch = if rule.starts_with("*.") { Some(name) } else { parent(name) };
        while let Some(name) = branch {
            branch = parent(name);
            let covered = branch.is_some_and(|parent| rules.contains(&format!("*.{parent}")));
            if covered && !rules.contains(name) && !rules.contains(&format!("!{name}")) {
                hidden.push(name.to_owned());
            }
        }
    }
    hidden
}

fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, parent)| parent)
}

/// Whether a canonical host is an IP address. After WHATWG parsing, only dotted IPv4 addresses end in a number, so
/// the last byte decides.
pub fn is_ip_literal(host: &str) -> bool {
    host.starts_with('[')
        || (host.as_bytes().last().is_some_and(u8::is_ascii_digit)
            && host.parse::<std::net::Ipv4Addr>().is_ok())
}
