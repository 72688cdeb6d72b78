//! Pinned addresses: the one address that each host is fetched from.
//!
//! The input is the host of a URL, the output the address that the crawl counts for politeness. The crawl passes that
//! address to the client, which connects to no other, so the two cannot differ. Before each further turn, the crawl
//! checks that the address is still valid.
//!
//! A name is pinned to one address for the TTL of its records, within `fetch.dns_min_ttl` and `fetch.dns_ttl`. It
//! keeps that address afterwards, as long as the name still resolves to it. When a connection to an address fails,
//! the host moves on to the next one. A name without an allowed address is remembered too (RFC 2308), up to
//! `fetch.dns_negative_ttl`. A failure of the name servers is not.
//!
//! Every address passes the [`Guard`] twice, when it is resolved and before the connection. This includes addresses
//! from DNS, from the overrides file and from URLs. The port of a URL must be in `fetch.ports`.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::overrides::{Overrides, OverridesError};
use super::resolver::{Resolution, ResolveError, Resolver};
use crate::config::{FetchConfig, Ports};
use crate::fetch::failure::{Blame, Failure};
use crate::lru::Lru;
use crate::model::FailureKind;
use crate::urls::CanonicalUrl;

/// The pinned addresses of hosts.
#[derive(Debug)]
pub struct PinnedAddresses {
    overrides: Overrides,
    guard: Guard,
    ports: Vec<Ports>,
    resolver: Resolver,
    cached: Mutex<Lru<Box<str>, CachedResolution>>,
    /// Bounds of the TTL of an address, and the maximum TTL of a name without one.
    min_ttl: Duration,
    max_ttl: Duration,
    max_negative_ttl: Duration,
}

/// The cached result for a name.
#[derive(Clone, Debug)]
struct CachedResolution {
    /// The allowed addresses, never empty, of which the first is in use; or why there are none.
    found: Result<Vec<IpAddr>, Failure>,
    until: Instant,
}

/// The reason why addresses cannot be resolved at all.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error(transparent)]
    Overrides(#[from] OverridesError),
    #[error("names cannot be resolved: {0}; correct fetch.nameservers")]
    Resolver(String),
}

impl PinnedAddresses {
    /// Reads the overrides, and starts with an empty cache.
    ///
    /// # Errors
    /// [`AddressError`] when the overrides file or the name servers cannot be used.
    pub fn new(config: &FetchConfig) -> Result<Self, AddressError> {
        let overrides = if config.host_overrides.as_os_str().is_empty() {
            Overrides::default()
        } else {
            Overrides::open(&config.host_overrides)?
        };
        Ok(Self {
            overrides,
            guard: Guard::new(&config.allow_private_addresses),
            ports: config.ports.clone(),
            resolver: Resolver::new(config).map_err(AddressError::Resolver)?,
            cached: Mutex::new(Lru::new(config.dns_cache_hosts)),
            min_ttl: config.dns_min_ttl.0,
            max_ttl: config.dns_ttl.0,
            max_negative_ttl: config.dns_negative_ttl.0,
        })
    }

    /// The address to fetch a URL's host from.
    ///
    /// # Errors
    /// A [`Failure`] of kind [`FailureKind::Dns`] when the name does not resolve, or [`FailureKind::AddressRefused`]
    /// when the guard admits none of its addresses or the port is not in `fetch.ports`.
    pub async fn resolve(&self, url: &CanonicalUrl) -> Result<IpAddr, Failure> {
        self.check_port(url)?;
        let host = url.host();
        let ip = match (self.fixed_address(url), self.cached(host)) {
            (Some(socket_addr), _) => self.check_addresses(host, vec![socket_addr.ip()])?[0],
            (None, Some(found)) => found?,
            (None, None) => self.resolve_and_cache(host).await?,
        };
        Ok(ip.to_canonical())
    }

    /// Whether the host of a URL still has the address it was resolved to. If not, or if its cache entry has expired,
    /// it must be resolved again.
    pub fn holds(&self, url: &CanonicalUrl, ip: IpAddr) -> bool {
        let cached = || self.cached(url.host())?.ok();
        self.fixed_address(url).is_some() || cached().is_some_and(|cached| cached.to_canonical() == ip)
    }

    /// The socket address for a URL whose host has this address. Port 0 means the port of the URL.
    pub(in crate::fetch) fn socket_addr(
        &self,
        url: &CanonicalUrl,
        ip: IpAddr,
    ) -> Result<SocketAddr, Failure> {
        self.check_port(url)?;
        let socket_addr = self.fixed_address(url).unwrap_or(SocketAddr::new(ip, 0));
        self.check_addresses(url.host(), vec![socket_addr.ip()]).map(|_| socket_addr)
    }

    /// The address of a host that needs no DNS.
    fn fixed_address(&self, url: &CanonicalUrl) -> Option<SocketAddr> {
        let ip_literal = ip_literal(url.host()).map(|ip| SocketAddr::new(ip, 0));
        ip_literal.or_else(|| self.overrides.address_of(url.host(), url.is_https()))
    }

    fn check_port(&self, url: &CanonicalUrl) -> Result<(), Failure> {
        let port = url.port().unwrap_or(if url.is_https() { 443 } else { 80 });
        if self.ports.iter().any(|ports| ports.contains(port)) {
            return Ok(());
        }
        Err(Failure::new(
            FailureKind::AddressRefused,
            format!(
                "port {port} of {host} is not a web port's; list it in fetch.ports to let it through",
                host = url.host()
            ),
        ))
    }

    /// The allowed addresses of a host.
    fn check_addresses(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Failure> {
        let refused = addresses.first().copied();
        let admitted: Vec<IpAddr> = addresses.into_iter().filter(|ip| self.guard.admits(*ip)).collect();
        match (admitted.is_empty(), refused) {
            (false, _) => Ok(admitted),
            (true, Some(ip)) => Err(Failure::new(
                FailureKind::AddressRefused,
                format!(
                    "{host} is at {ip}, which is no address of the public internet; list its network in \
                     fetch.allow_private_addresses to let it through"
                ),
            )),
            (true, None) => Err(Failure::new(FailureKind::Dns, format!("{host} has no address"))),
        }
    }

    /// Queries the name servers, and caches the result.
    async fn resolve_and_cache(&self, host: &str) -> Result<IpAddr, Failure> {
        let unresolved = |why: &str, blame| {
            let detail = format!("the name {host} could not be resolved: {why}");
            Failure { blame, ..Failure::new(FailureKind::Dns, detail) }
        };
        let resolution = self
            .resolver
            .resolve(host)
            .await
            .map_err(|ResolveError { why, blame }| unresolved(&why, blame))?;
        let (found, ttl) = match resolution {
            Resolution::Addresses { addresses, ttl } => {
                (self.check_addresses(host, addresses), ttl.clamp(self.min_ttl, self.max_ttl))
            }
            Resolution::None { why, ttl } => {
                (Err(unresolved(why, Blame::Host)), ttl.clamp(self.min_ttl, self.max_negative_ttl))
            }
        };
        self.remember(host, found, ttl)
    }

    /// The valid cache entry of a host.
    fn cached(&self, host: &str) -> Option<Result<IpAddr, Failure>> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = cached.get(host)?;
        (cached.until > Instant::now()).then(|| cached.found.clone().map(|addresses| addresses[0]))
    }

    /// Caches the result for a host, and pins it to its previous address, if that is still among the new ones, or
    /// else to the first.
    fn remember(
        &self,
        host: &str,
        mut found: Result<Vec<IpAddr>, Failure>,
        ttl: Duration,
    ) -> Result<IpAddr, Failure> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let key: Box<str> = Box::from(host);
        if let (Ok(new), Some(CachedResolution { found: Ok(old), .. })) = (&mut found, cached.get(&key))
            && let Some(at) = new.iter().position(|ip| *ip == old[0])
        {
            new.swap(0, at);
        }
        let first = found.clone().map(|addresses| addresses[0]);
        cached.insert(key, CachedResolution { found, until: Instant::now() + ttl }, 1);
        first
    }

    /// Moves a host on to its next address, after a connection to this one failed.
    pub(in crate::fetch) fn use_next_address(&self, host: &str, from: IpAddr) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(CachedResolution { found: Ok(addresses), .. }) = cached.get(host)
            && addresses[0].to_canonical() == from
        {
            addresses.rotate_left(1);
        }
    }
}

/// The address in a host that is an IP literal.
fn ip_literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_keeps_its_address_until_a_connection_fails() {
        let pinned = PinnedAddresses::new(&FetchConfig::default()).unwrap();
        let ips = |texts: &[&str]| texts.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
        let remember =
            |addresses: &[&str]| pinned.remember("a.org", Ok(ips(addresses)), Duration::from_secs(9));
        let ip = |text: &str| Ok(text.parse::<IpAddr>().unwrap());
        assert_eq!(remember(&["1.1.1.1", "1.0.0.1"]), ip("1.1.1.1"));
        assert_eq!(remember(&["1.0.0.1", "1.1.1.1"]), ip("1.1.1.1"));
        for _ in 0..2 {
            // A second failure at the old address does not move the host again.
            pinned.use_next_address("a.org", "1.1.1.1".parse().unwrap());
            assert_eq!(pinned.cached("a.org"), Some(ip("1.0.0.1")));
        }
        assert_eq!(remember(&["9.9.9.9"]), ip("9.9.9.9"));
        assert_eq!(pinned.cached("b.org"), None);
    }

    #[test]
    fn only_admitted_addresses_are_kept() {
        let pinned = PinnedAddresses::new(&FetchConfig::default()).unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(
            pinned.check_addresses("a.org", vec![ip("10.0.0.1"), ip("1.1.1.1")]),
            Ok(vec![ip("1.1.1.1")])
        );
        let refused = pinned.check_addresses("a.org", vec![ip("10.0.0.1")]).unwrap_err();
        assert_eq!(refused.kind, FailureKind::AddressRefused);
        assert_eq!(pinned.check_addresses("a.org", vec![]).unwrap_err().kind, FailureKind::Dns);
    }
}
