//! `[fetch]`: how a URL is asked for and what an answer may cost.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchConfig {
    /// The product token: what robots.txt rules are matched against and the User-Agent begins with.
    pub user_agent: String,
    /// A page or address where a site's owner reaches you; shown in the User-Agent.
    pub contact: String,
    /// TSV file: host or `*.suffix`, `ip:port` for http, `ip:port` for https. Empty: none.
    pub host_overrides: PathBuf,
    /// PEM file of certificate authorities trusted besides the system's. Empty: none.
    pub extra_ca: PathBuf,
    /// Networks that may be connected to although they are loopback, private, link-local or otherwise special.
    pub allow_private_addresses: Vec<IpNet>,
    /// From the start of a fetch to the last byte of its body.
    pub timeout: Span,
    /// For name resolution, connection and TLS handshake together.
    pub connect_timeout: Span,
    /// How long an idle connection is kept for the host's next fetch.
    pub idle_timeout: Span,
    /// The name servers that are asked. Empty: those of `/etc/resolv.conf`.
    pub nameservers: Vec<SocketAddr>,
    /// 4, 6 or both: the kinds of addresses asked for, the next only where a host has none of the one before.
    pub ip_versions: Vec<u8>,
    /// The longest that a resolved address is used before the name is resolved again.
    pub dns_ttl: Span,
    /// The shortest.
    pub dns_min_ttl: Span,
    /// The longest that a name counts as one without an address.
    pub dns_negative_ttl: Span,
    /// Hosts whose resolved address, or the lack of one, is remembered.
    pub dns_cache_hosts: usize,
    /// Body bytes read off the wire at most; the rest is cut.
    pub max_body_bytes: usize,
    /// Body bytes after decompression at most; the rest is cut.
    pub max_decoded_bytes: usize,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            user_agent: "backlinkd".to_owned(),
            contact: String::new(),
            host_overrides: PathBuf::new(),
            extra_ca: PathBuf::new(),
            allow_private_addresses: Vec::new(),
            timeout: Span::seconds(30),
            connect_timeout: Span::seconds(10),
            idle_timeout: Span::seconds(30),
            nameservers: Vec::new(),
            ip_versions: vec![4, 6],
            dns_ttl: Span::seconds(3_600),
            dns_min_ttl: Span::seconds(60),
            dns_negative_ttl: Span::seconds(900),
            dns_cache_hosts: 100_000,
            max_body_bytes: 8 << 20,
            max_decoded_bytes: 16 << 20,
        }
    }
}

impl FetchConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        let token = &self.user_agent;
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_') {
            return Err(format!(
                "fetch.user_agent is \"{token}\"; it must be a product token of letters, \"-\" and \"_\" (RFC 9309)"
            ));
        }
        if !self.contact.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Err("fetch.contact must be printable ASCII, as HTTP headers are".to_owned());
        }
        self.validate_names()?;
        at_least("fetch.dns_cache_hosts", self.dns_cache_hosts as u64, 1)?;
        at_least("fetch.max_body_bytes", self.max_body_bytes as u64, 1_024)?;
        at_least("fetch.max_decoded_bytes", self.max_decoded_bytes as u64, 1_024)?;
        at_least("fetch.timeout in milliseconds", self.timeout.0.as_millis() as u64, 1)?;
        at_least("fetch.connect_timeout in milliseconds", self.connect_timeout.0.as_millis() as u64, 1)
    }

    fn validate_names(&self) -> Result<(), String> {
        if !matches!(self.ip_versions.as_slice(), [4] | [6] | [4, 6] | [6, 4]) {
            return Err(format!(
                "fetch.ip_versions is {:?}; it must be [4], [6], [4, 6] or [6, 4]",
                self.ip_versions
            ));
        }
        if let Some(server) = self.nameservers.iter().find(|server| server.port() == 0) {
            return Err(format!("fetch.nameservers holds {server}; name a port, 53 as a rule"));
        }
        let least = self.dns_min_ttl;
        for (key, span) in [("dns_ttl", self.dns_ttl), ("dns_negative_ttl", self.dns_negative_ttl)] {
            if span < least {
                return Err(format!("fetch.{key} is {span}; it must be at least fetch.dns_min_ttl, {least}"));
            }
        }
        at_least("fetch.dns_min_ttl in seconds", least.0.as_secs(), 1)
    }
}
