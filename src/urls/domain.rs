//! Registrable domains, by the Public Suffix List (<https://publicsuffix.org>), both its sections.
//!
//! Hosts come in lower case and punycode, as canonical URLs hold them. A host that is an IP address, or is
//! itself a public suffix, is its own registrable domain.

use publicsuffix::{List, Psl};

/// A parsed public suffix list.
pub struct Suffixes(List);

/// A list file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the public suffix list cannot be read: {0}")]
pub struct SuffixesError(String);

impl Suffixes {
    /// The list this program was built with.
    ///
    /// # Errors
    /// [`SuffixesError`] when the embedded file is damaged.
    pub fn built_in() -> Result<Self, SuffixesError> {
        Self::parse(include_str!("../../config/public_suffix_list.dat"))
    }

    /// Reads a list in the format of `public_suffix_list.dat`.
    ///
    /// # Errors
    /// [`SuffixesError`] when the text holds no rules or a malformed one.
    pub fn parse(text: &str) -> Result<Self, SuffixesError> {
        text.parse().map(Self).map_err(|error: publicsuffix::Error| SuffixesError(error.to_string()))
    }

    /// The registrable domain of a host, as a part of it.
    pub fn domain_of<'a>(&self, host: &'a str) -> &'a str {
        if is_ip_literal(host) {
            return host;
        }
        match self.0.domain(host.as_bytes()) {
            Some(domain) => &host[host.len() - domain.as_bytes().len()..],
            None => host,
        }
    }

    /// The public suffix of a host, as a part of it; empty for an IP address.
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

/// Whether a canonical host is an IP address. WHATWG parsing leaves no host that ends in a number but IPv4
/// addresses in dotted form, so the last byte decides.
pub fn is_ip_literal(host: &str) -> bool {
    host.starts_with('[')
        || (host.as_bytes().last().is_some_and(u8::is_ascii_digit)
            && host.parse::<std::net::Ipv4Addr>().is_ok())
}
