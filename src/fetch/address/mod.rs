//! The address book: which address a host is fetched from, and whether it may be.
//!
//! In goes a URL's host, out comes the one address that the crawl counts for politeness. The client is told that address
//! by the crawl and connects to no other, so they cannot differ; before each further turn the crawl asks here whether it
//! still holds. A resolved name is pinned to one address for as long as its name servers say, within
//! `fetch.dns_min_ttl` and `fetch.dns_ttl`, and stays with it after that while the name still resolves to it. When
//! connecting to an address fails, its host moves on to the next. That a name has no address, or none that may be
//! connected to, is remembered too (RFC 2308), up to `fetch.dns_negative_ttl`; that name servers did not answer is not.
//!
//! Every address passes the [`Guard`] before it is given out, and once more before it is connected to: what a name
//! resolves to, what the overrides file names, and addresses that stand in a URL. The port that a URL names must be
//! one of `fetch.ports`.

mod guard;
mod names;
mod overrides;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use guard::Guard;
use names::{Names, NoAnswer, Told};
use overrides::Overrides;
pub use overrides::OverridesError;

use super::failure::{Blame, Failure};
use crate::config::{FetchConfig, Ports};
use crate::lru::Lru;
use crate::model::FailureKind;
use crate::urls::CanonicalUrl;

/// See the module.
#[derive(Debug)]
pub struct AddressBook {
    overrides: Overrides,
    guard: Guard,
    ports: Vec<Ports>,
    names: Names,
    known: Mutex<Lru<Box<str>, Known>>,
    /// Bounds of how long an address is used, and the longest that a name counts as one without.
    least: Duration,
    longest: Duration,
    longest_nothing: Duration,
}

/// What a name resolved to.
#[derive(Clone, Debug)]
struct Known {
    /// Admitted addresses, of which the first is in use; never empty. Or why there are none.
    found: Result<Vec<IpAddr>, Failure>,
    until: Instant,
}

/// Why there can be no address book.
#[derive(Debug, thiserror::Error)]
pub enum AddressBookError {
    #[error(transparent)]
    Overrides(#[from] OverridesError),
    #[error("names cannot be resolved: {0}; correct fetch.nameservers")]
    Names(String),
}

impl AddressBook {
    /// Reads the overrides and begins with nothing resolved.
    ///
    /// # Errors
    /// [`AddressBookError`] when the overrides file or the name servers cannot be used.
    pub fn new(config: &FetchConfig) -> Result<Self, AddressBookError> {
        let overrides = if config.host_overrides.as_os_str().is_empty() {
            Overrides::default()
        } else {
            Overrides::open(&config.host_overrides)?
        };
        Ok(Self {
            overrides,
            guard: Guard::new(&config.allow_private_addresses),
            ports: config.ports.clone(),
            names: Names::new(config).map_err(AddressBookError::Names)?,
            known: Mutex::new(Lru::new(config.dns_cache_hosts)),
            least: config.dns_min_ttl.0,
            longest: config.dns_ttl.0,
            longest_nothing: config.dns_negative_ttl.0,
        })
    }

    /// The address that a URL's host is fetched from.
    ///
    /// # Errors
    /// A [`Failure`] of kind [`FailureKind::Dns`] when the name does not resolve, [`FailureKind::AddressRefused`]
    /// when the guard admits none of its addresses, or its port is none that is fetched from.
    pub async fn resolve(&self, url: &CanonicalUrl) -> Result<IpAddr, Failure> {
        self.admit_port(url)?;
        let host = url.host();
        let ip = match (self.fixed(url), self.known(host)) {
            (Some(place), _) => self.admit(host, vec![place.ip()])?[0],
            (None, Some(found)) => found?,
            (None, None) => self.look_up(host).await?,
        };
        Ok(ip.to_canonical())
    }

    /// Whether a URL's host is still at the address that it was resolved to: if not, or if nobody knows, it is to be
    /// resolved anew.
    pub fn holds(&self, url: &CanonicalUrl, ip: IpAddr) -> bool {
        let known = || self.known(url.host())?.ok();
        self.fixed(url).is_some() || known().is_some_and(|known| known.to_canonical() == ip)
    }

    /// Where to connect for a URL whose host is to be asked at an address; port 0 stands for the URL's own.
    pub(super) fn place(&self, url: &CanonicalUrl, ip: IpAddr) -> Result<SocketAddr, Failure> {
        self.admit_port(url)?;
        let place = self.fixed(url).unwrap_or(SocketAddr::new(ip, 0));
        self.admit(url.host(), vec![place.ip()]).map(|_| place)
    }

    /// Where a host is that no name server is asked for.
    fn fixed(&self, url: &CanonicalUrl) -> Option<SocketAddr> {
        let literal = literal(url.host()).map(|ip| SocketAddr::new(ip, 0));
        literal.or_else(|| self.overrides.find(url.host(), url.is_https()))
    }

    fn admit_port(&self, url: &CanonicalUrl) -> Result<(), Failure> {
        let port = url.port().unwrap_or(if url.is_https() { 443 } else { 80 });
        if self.ports.iter().any(|ports| ports.contains(port)) {
            return Ok(());
        }
        Err(Failure::new(
            FailureKind::AddressRefused,
            format!(
                "port {port} of {host} is none of the web's; list it in fetch.ports to let it through",
                host = url.host()
            ),
        ))
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

    /// Asks the name servers, and keeps what they say.
    async fn look_up(&self, host: &str) -> Result<IpAddr, Failure> {
        let unresolved = |why: &str, blame| {
            let detail = format!("the name {host} could not be resolved: {why}");
            Failure { blame, ..Failure::new(FailureKind::Dns, detail) }
        };
        let told =
            self.names.look_up(host).await.map_err(|NoAnswer { why, blame }| unresolved(&why, blame))?;
        let (found, holds) = match told {
            Told::Addresses { addresses, holds } => {
                (self.admit(host, addresses), holds.clamp(self.least, self.longest))
            }
            Told::Nothing { why, holds } => {
                (Err(unresolved(why, Blame::Host)), holds.clamp(self.least, self.longest_nothing))
            }
        };
        self.keep(host, found, holds)
    }

    /// What is known of a host and still holds.
    fn known(&self, host: &str) -> Option<Result<IpAddr, Failure>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(&Box::from(host))?;
        (known.until > Instant::now()).then(|| known.found.clone().map(|addresses| addresses[0]))
    }

    /// Keeps what a host resolved to, and pins it to the first of its addresses, or to the one it had, if that is
    /// still among them.
    fn keep(
        &self,
        host: &str,
        mut found: Result<Vec<IpAddr>, Failure>,
        holds: Duration,
    ) -> Result<IpAddr, Failure> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key: Box<str> = Box::from(host);
        if let (Ok(new), Some(Known { found: Ok(old), .. })) = (&mut found, known.get(&key))
            && let Some(at) = new.iter().position(|ip| *ip == old[0])
        {
            new.swap(0, at);
        }
        let first = found.clone().map(|addresses| addresses[0]);
        known.insert(key, Known { found, until: Instant::now() + holds }, 1);
        first
    }

    /// Moves a host on to its next address, after connecting to this one failed.
    pub(super) fn move_on(&self, host: &str, from: IpAddr) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known { found: Ok(addresses), .. }) = known.get(&Box::from(host))
            && addresses[0].to_canonical() == from
        {
            addresses.rotate_left(1);
        }
    }
}

/// The address that a URL's host is, if it is one.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stays_with_its_address_until_connecting_fails() {
        let book = AddressBook::new(&FetchConfig::default()).unwrap();
        let ips = |texts: &[&str]| texts.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
        let keep = |addresses: &[&str]| book.keep("a.org", Ok(ips(addresses)), Duration::from_secs(9));
        let ip = |text: &str| Ok(text.parse::<IpAddr>().unwrap());
        assert_eq!(keep(&["1.1.1.1", "1.0.0.1"]), ip("1.1.1.1"));
        assert_eq!(keep(&["1.0.0.1", "1.1.1.1"]), ip("1.1.1.1"));
        for _ in 0..2 {
            // Whoever else failed at the first has it no further.
            book.move_on("a.org", "1.1.1.1".parse().unwrap());
            assert_eq!(book.known("a.org"), Some(ip("1.0.0.1")));
        }
        assert_eq!(keep(&["9.9.9.9"]), ip("9.9.9.9"));
        assert_eq!(book.known("b.org"), None);
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
