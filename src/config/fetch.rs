//! `[fetch]`: how a URL is asked for and what an answer may cost.

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
    /// How long a resolved address is used before the name is resolved again.
    pub dns_ttl: Span,
    /// Hosts whose resolved address is remembered.
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
            dns_ttl: Span::seconds(300),
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
        at_least("fetch.dns_cache_hosts", self.dns_cache_hosts as u64, 1)?;
        at_least("fetch.max_body_bytes", self.max_body_bytes as u64, 1_024)?;
        at_least("fetch.max_decoded_bytes", self.max_decoded_bytes as u64, 1_024)?;
        at_least("fetch.timeout in milliseconds", self.timeout.0.as_millis() as u64, 1)?;
        at_least("fetch.connect_timeout in milliseconds", self.connect_timeout.0.as_millis() as u64, 1)
    }
}
