//! `[fetch]`: how a URL is requested, and the limits of its response.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Ports, Span, at_least};

/// Ports on which web servers listen.
const WEB_PORTS: [u16; 9] = [80, 443, 8000, 8008, 8080, 8081, 8088, 8443, 8888];

/// The largest limit that the HTTP client supports.
const MOST_HEADER_BYTES: usize = 400_000;

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchConfig {
    /// The product token. Rules of robots.txt are matched against it and the User-Agent begins with it.
    pub user_agent: String,
    /// A page or address where a site's owner reaches you; shown in the User-Agent.
    pub contact: String,
    /// TSV file: host or `*.suffix`, `ip:port` for http, `ip:port` for https. Empty: none.
    pub host_overrides: PathBuf,
    /// PEM file of certificate authorities that are trusted in addition to the built-in ones. Empty: only the built-in
    /// ones.
    pub extra_ca: PathBuf,
    /// Policy for a server whose certificate cannot be verified.
    pub tls: TlsPolicy,
    /// URLs of issuers' certificates that are requested to complete one chain, and redirects followed from each.
    pub max_issuer_urls: usize,
    /// Bytes of a file with an issuer's certificate at most.
    pub max_issuer_bytes: usize,
    /// Time for one URL of an issuer's certificate, redirects included.
    pub issuer_timeout: Span,
    /// Time that an issuer's certificate is used before it is fetched again.
    pub issuer_ttl: Span,
    /// Time before an issuer's certificate that could not be fetched is requested again.
    pub issuer_negative_ttl: Span,
    /// Bytes of issuers' certificates in the cache.
    pub issuer_cache_bytes: usize,
    /// Networks that may be connected to although they are loopback, private, link-local or otherwise special.
    pub allow_private_addresses: Vec<IpNet>,
    /// Ports of URLs that are fetched.
    pub ports: Vec<Ports>,
    /// Time from the start of a fetch to the last byte of its body.
    pub timeout: Span,
    /// Time from the start of a fetch to the last byte of its response's headers.
    pub first_byte_timeout: Span,
    /// Time for connection and TLS handshake together, and as much again for the name resolution before them.
    pub connect_timeout: Span,
    /// Time an idle connection is kept for the host's next fetch.
    pub idle_timeout: Span,
    /// Idle connections kept at most, over all hosts.
    pub max_idle_connections: usize,
    /// Name servers (`ip:port`) that resolve hosts. Empty: those of `/etc/resolv.conf`.
    pub nameservers: Vec<SocketAddr>,
    /// 4, 6 or both: IP versions of the addresses; the second is used only for a host without an address of the first.
    pub ip_versions: Vec<u8>,
    /// The longest that a resolved address is used before the name is resolved again.
    pub dns_ttl: Span,
    /// The shortest that a resolved address is used.
    pub dns_min_ttl: Span,
    /// The longest that a name counts as one without an address.
    pub dns_negative_ttl: Span,
    /// Hosts whose resolved address, or the lack of one, is cached.
    pub dns_cache_hosts: usize,
    /// Bytes a second that a body must arrive at, averaged from its first byte. 0: any rate.
    pub min_bytes_per_second: u64,
    /// Time in which a body may arrive at any rate.
    pub slow_body_grace: Span,
    /// Redirects followed within the visit of one page, because they set a cookie or return to the page.
    pub max_chain_redirects: u32,
    /// Servers in the cache that require HTTP/1.1, or whose response heads are malformed.
    pub protocol_cache_servers: usize,
    /// Header fields of a response at most; the rest is dropped.
    pub max_headers: usize,
    /// Bytes of a response's header fields at most; the rest is dropped.
    pub max_header_bytes: usize,
    /// Bytes of a body read from the network at most; the rest is cut.
    pub max_body_bytes: usize,
    /// Bytes up to which an unused body is still read from the network to keep the connection.
    pub skip_body_bytes: usize,
    /// Bytes of a body after decompression at most; the rest is cut.
    pub max_decoded_bytes: usize,
    /// Ratio at most of a body's decompressed size to its size on the network; the rest is cut.
    pub max_decode_ratio: usize,
    /// Bytes that a body may expand to whatever its size on the network.
    pub free_decoded_bytes: usize,
}

/// Policy for a server whose certificate cannot be verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsPolicy {
    /// The server's pages are not read.
    #[default]
    Verify,
    /// The server's pages are read, and each page keeps the flaw.
    Record,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            user_agent: "backlinkd".to_owned(),
            contact: String::new(),
            host_overrides: PathBuf::new(),
            extra_ca: PathBuf::new(),
            tls: TlsPolicy::Verify,
            max_issuer_urls: 5,
            max_issuer_bytes: 64 << 10,
            issuer_timeout: Span::seconds(3),
            issuer_ttl: Span::seconds(86_400),
            issuer_negative_ttl: Span::seconds(900),
            issuer_cache_bytes: 4 << 20,
            allow_private_addresses: Vec::new(),
            ports: WEB_PORTS.map(Ports::one).to_vec(),
            timeout: Span::seconds(30),
            first_byte_timeout: Span::seconds(20),
            connect_timeout: Span::seconds(10),
            idle_timeout: Span::seconds(30),
            max_idle_connections: 1_000,
            nameservers: Vec::new(),
            ip_versions: vec![4, 6],
            dns_ttl: Span::seconds(3_600),
            dns_min_ttl: Span::seconds(60),
            dns_negative_ttl: Span::seconds(900),
            dns_cache_hosts: 100_000,
            min_bytes_per_second: 1_000,
            slow_body_grace: Span::seconds(10),
            max_chain_redirects: 5,
            protocol_cache_servers: 100_000,
            max_headers: 100,
            max_header_bytes: 64 << 10,
            max_body_bytes: 8 << 20,
            skip_body_bytes: 64 << 10,
            max_decoded_bytes: 16 << 20,
            max_decode_ratio: 200,
            free_decoded_bytes: 1 << 20,
        }
    }
}

impl FetchConfig {
    /// The limit in bytes of the decompressed size of a body with this size on the network.
    pub fn decoded_cap(&self, wire_bytes: usize) -> usize {
        let in_proportion = wire_bytes.saturating_mul(self.max_decode_ratio);
        self.max_decoded_bytes.min(in_proportion.max(self.free_decoded_bytes))
    }

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
        at_least("fetch.max_issuer_bytes", self.max_issuer_bytes as u64, 1_024)?;
        at_least("fetch.issuer_cache_bytes", self.issuer_cache_bytes as u64, 1_024)?;
        at_least("fetch.dns_cache_hosts", self.dns_cache_hosts as u64, 1)?;
        at_least("fetch.max_idle_connections", self.max_idle_connections as u64, 1)?;
        at_least("fetch.max_body_bytes", self.max_body_bytes as u64, 1_024)?;
        at_least("fetch.max_decoded_bytes", self.max_decoded_bytes as u64, 1_024)?;
        at_least("fetch.max_decode_ratio", self.max_decode_ratio as u64, 1)?;
        at_least("fetch.protocol_cache_servers", self.protocol_cache_servers as u64, 1)?;
        at_least("fetch.max_headers", self.max_headers as u64, 1)?;
        at_least("fetch.max_header_bytes", self.max_header_bytes as u64, 1_024)?;
        if self.max_header_bytes > MOST_HEADER_BYTES {
            return Err(format!(
                "fetch.max_header_bytes is {}; it must be at most {MOST_HEADER_BYTES}",
                self.max_header_bytes
            ));
        }
        for (key, span) in [
            ("timeout", self.timeout),
            ("first_byte_timeout", self.first_byte_timeout),
            ("connect_timeout", self.connect_timeout),
            ("issuer_timeout", self.issuer_timeout),
            ("issuer_ttl", self.issuer_ttl),
        ] {
            at_least(&format!("fetch.{key} in milliseconds"), span.as_millis(), 1)?;
        }
        Ok(())
    }

    fn validate_names(&self) -> Result<(), String> {
        if !matches!(self.ip_versions.as_slice(), [4 | 6] | [4, 6] | [6, 4]) {
            return Err(format!(
                "fetch.ip_versions is {:?}; it must be [4], [6], [4, 6] or [6, 4]",
                self.ip_versions
            ));
        }
        if let Some(server) = self.nameservers.iter().find(|server| server.port() == 0) {
            return Err(format!("fetch.nameservers holds {server}; add a port, usually 53"));
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
