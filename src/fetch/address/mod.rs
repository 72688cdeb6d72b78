//! The address book: which address a host is fetched from, and whether it may be.
//!
//! In goes a URL's host, out comes the one address that the crawl counts for politeness and the client connects
//! to. Both ask here, so they cannot differ: a resolved name is pinned to one address for `fetch.dns_ttl`, and
//! stays with it after that while the name still resolves to it. When connecting fails, the host moves on to its
//! next address.
//!
//! Every address passes the [`Guard`] before it is given out: what a name resolves to, what the overrides file
//! names, and addresses that stand in a URL. (The client would connect to the last kind without asking a
//! resolver; [`super::Fetcher`] asks here first.)

mod guard;
mod overrides;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use guard::Guard;
use overrides::Overrides;
pub use overrides::OverridesError;

use super::failure::Failure;
use crate::config::FetchConfig;
use crate::lru::Lru;
use crate::model::FailureKind;
use crate::urls::CanonicalUrl;

/// See the module.
#[derive(Debug)]
pub struct AddressBook {
    overrides: Overrides,
    guard: Guard,
    pins: Mutex<Lru<Box<str>, Pin>>,
    ttl: Duration,
    /// Longest time a name may take to resolve.
    patience: Duration,
}

/// What a name resolved to.
#[derive(Clone, Debug)]
struct Pin {
    /// Admitted addresses; the first is the one in use. Never empty.
    addresses: Vec<IpAddr>,
    until: Instant,
}

impl AddressBook {
    /// Reads the overrides and begins with nothing resolved.
    ///
    /// # Errors
    /// [`OverridesError`] when the overrides file cannot be used.
    pub fn new(config: &FetchConfig) -> Result<Self, OverridesError> {
        let overrides = if config.host_overrides.as_os_str().is_empty() {
            Overrides::default()
        } else {
            Overrides::open(&config.host_overrides)?
        };
        Ok(Self {
            overrides,
            guard: Guard::new(&config.allow_private_addresses),
            pins: Mutex::new(Lru::new(config.dns_cache_hosts)),
            ttl: config.dns_ttl.0,
            patience: config.connect_timeout.0,
        })
    }

    /// The address that a URL's host is fetched from.
    ///
    /// # Errors
    /// A [`Failure`] of kind [`FailureKind::Dns`] when the name does not resolve, [`FailureKind::AddressRefused`]
    /// when the guard admits none of its addresses.
    pub async fn resolve(&self, url: &CanonicalUrl) -> Result<IpAddr, Failure> {
        match literal(url.host()) {
            Some(address) => self.admit(url.host(), vec![address]).map(|admitted| admitted[0].to_canonical()),
            None => self.locate(url.host(), url.is_https()).await.map(|address| address.ip().to_canonical()),
        }
    }

    /// Where to connect for a host name; port 0 stands for the scheme's own.
    async fn locate(&self, host: &str, https: bool) -> Result<SocketAddr, Failure> {
        if let Some(address) = self.overrides.find(host, https) {
            self.admit(host, vec![address.ip()])?;
            return Ok(address);
        }
        if let Some(address) = self.pinned(host) {
            return Ok(SocketAddr::new(address, 0));
        }
        let addresses = self.admit(host, self.look_up(host).await?)?;
        Ok(SocketAddr::new(self.pin(host, addresses), 0))
    }

    /// The admitted among a host's addresses.
    fn admit(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Failure> {
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

    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let failure = |reason: String| {
            Failure::new(FailureKind::Dns, format!("the name {host} could not be resolved: {reason}"))
        };
        let found = tokio::time::timeout(self.patience, tokio::net::lookup_host((host, 0)))
            .await
            .map_err(|_| failure("no answer in time".to_owned()))?
            .map_err(|error| failure(error.to_string()))?;
        let mut addresses = Vec::new();
        for address in found {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        Ok(addresses)
    }

    fn pinned(&self, host: &str) -> Option<IpAddr> {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        let pin = pins.get(&Box::from(host))?;
        (pin.until > Instant::now()).then(|| pin.addresses[0])
    }

    /// Pins a host to the first of its addresses, or to the one it had, if that is still among them.
    fn pin(&self, host: &str, mut addresses: Vec<IpAddr>) -> IpAddr {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        let key: Box<str> = Box::from(host);
        if let Some(old) = pins.get(&key)
            && let Some(at) = addresses.iter().position(|ip| *ip == old.addresses[0])
        {
            addresses.swap(0, at);
        }
        let first = addresses[0];
        pins.insert(key, Pin { addresses, until: Instant::now() + self.ttl }, 1);
        first
    }

    /// Moves a host on to its next address, after connecting to the one it had failed.
    pub(super) fn move_on(&self, host: &str) {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pin) = pins.get(&Box::from(host)) {
            pin.addresses.rotate_left(1);
        }
    }
}

/// The address that a URL's host is, if it is one.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The address book as the client's resolver for one scheme. The client does not tell a resolver the scheme, and
/// an override has a port for each, so there is one client for http and one for https.
pub(super) struct SchemeResolver {
    pub book: Arc<AddressBook>,
    pub https: bool,
}

impl Resolve for SchemeResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (book, https) = (self.book.clone(), self.https);
        Box::pin(async move {
            let address = book.locate(name.as_str(), https).await?;
            let addresses: Addrs = Box::new(std::iter::once(address));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stays_with_its_address_until_connecting_fails() {
        let book = AddressBook::new(&FetchConfig::default()).unwrap();
        let ips = |texts: &[&str]| texts.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(book.pin("a.org", ips(&["1.1.1.1", "1.0.0.1"])), ips(&["1.1.1.1"])[0]);
        assert_eq!(book.pin("a.org", ips(&["1.0.0.1", "1.1.1.1"])), ips(&["1.1.1.1"])[0]);
        book.move_on("a.org");
        assert_eq!(book.pinned("a.org"), Some(ips(&["1.0.0.1"])[0]));
        assert_eq!(book.pin("a.org", ips(&["9.9.9.9"])), ips(&["9.9.9.9"])[0]);
        assert_eq!(book.pinned("b.org"), None);
    }

    #[test]
    fn an_old_answer_is_not_used() {
        let config = FetchConfig { dns_ttl: crate::config::Span::default(), ..FetchConfig::default() };
        let book = AddressBook::new(&config).unwrap();
        book.pin("a.org", vec!["1.1.1.1".parse().unwrap()]);
        assert_eq!(book.pinned("a.org"), None);
    }

    #[test]
    fn of_several_addresses_the_admitted_are_kept() {
        let book = AddressBook::new(&FetchConfig::default()).unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(book.admit("a.org", vec![ip("10.0.0.1"), ip("1.1.1.1")]), Ok(vec![ip("1.1.1.1")]));
        let refused = book.admit("a.org", vec![ip("10.0.0.1")]).unwrap_err();
        assert_eq!(refused.kind, FailureKind::AddressRefused);
        assert_eq!(book.admit("a.org", vec![]).unwrap_err().kind, FailureKind::Dns);
    }
}
