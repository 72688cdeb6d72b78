//! The open connections: `api.max_connections` in all, `api.max_connections_per_address` from one address.
//!
//! At the limit, a new connection displaces an unused one of the address with the most connections. It is refused only
//! if all are in use.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;
use ipnet::IpNet;

use super::timeouts::ConnectionTimeouts;
use super::{ConnectionState, CutCounters, CutReason, Exchange};
use crate::api::http::admission::Client;
use crate::config::ApiConfig;

/// A response that was not read for this long may be aborted when memory or places run short.
const UNREAD_FOR: Duration = Duration::from_secs(1);

/// The open connections. Clones share them.
#[derive(Clone)]
pub struct Connections(Arc<SharedConnections>);

struct SharedConnections {
    max: usize,
    max_per_address: usize,
    trusted: Vec<IpNet>,
    open: Mutex<HashMap<u64, OpenConnection>>,
    pub cuts: CutCounters,
}

struct OpenConnection {
    /// `None` for a trusted proxy, which carries many clients.
    address: Option<Client>,
    state: Arc<ConnectionState>,
}

/// A connection that holds a place. Dropping it frees the place.
pub struct AdmittedConnection {
    connections: Connections,
    number: u64,
    pub state: Arc<ConnectionState>,
}

impl Connections {
    pub fn new(config: &ApiConfig) -> Self {
        Self(Arc::new(SharedConnections {
            max: config.max_connections,
            max_per_address: config.max_connections_per_address,
            trusted: config.trusted_proxies.clone(),
            open: Mutex::default(),
            cuts: CutCounters::new(),
        }))
    }

    /// Admits the connection with this number.
    ///
    /// # Errors
    /// The [`CutReason`] if all connections are in use.
    pub fn admit(&self, number: u64, address: IpAddr) -> Result<AdmittedConnection, CutReason> {
        let is_trusted = self.0.trusted.iter().any(|network| network.contains(&address.to_canonical()));
        let address = (!is_trusted).then(|| Client::at(address));
        let mut open = self.open();
        let own = |open: &OpenConnection| address.is_some() && open.address == address;
        if open.values().filter(|open| own(open)).count() >= self.0.max_per_address {
            self.displace(&mut open, own).ok_or(CutReason::Address)?;
        } else if open.len() >= self.0.max {
            self.displace(&mut open, |_| true).ok_or(CutReason::Connections)?;
        }
        let state = Arc::new(ConnectionState::new());
        open.insert(number, OpenConnection { address, state: Arc::clone(&state) });
        drop(open);
        Ok(AdmittedConnection { connections: self.clone(), number, state })
    }

    /// Ends what has exceeded its timeout and, at shutdown, connections without pending responses.
    pub fn check_timeouts(&self, timeouts: &ConnectionTimeouts) {
        for open in self.open().values() {
            let state = &open.state;
            let cut = state.check_timeouts(timeouts, |cut| self.count_cut(cut));
            cut.into_iter().for_each(|cut| self.count_cut(cut));
            if cut.is_some() || state.is_drained() {
                state.close();
            }
        }
    }

    /// Lets all connections finish their pending responses, and nothing else.
    pub fn drain(&self) {
        self.open().values().for_each(|open| open.state.drain());
    }

    /// Closes a connection that is idle or whose responses are not read: of the address with the most connections, the
    /// one that has been so the longest. Its place is free at once.
    fn displace(
        &self,
        open: &mut HashMap<u64, OpenConnection>,
        is_candidate: impl Fn(&OpenConnection) -> bool,
    ) -> Option<()> {
        let number = displaceable(open, is_candidate)?;
        open.remove(&number)?.state.close();
        self.count_cut(CutReason::Displaced);
        Some(())
    }

    /// Aborts a response that is not read: of the client with the most bytes in such responses, the one that was left
    /// unread the longest. Returns whether there was one.
    pub fn abort_unread(&self) -> bool {
        let unread: Vec<(u64, Arc<Exchange>)> =
            self.open().values().flat_map(|open| open.state.unread_exchanges(UNREAD_FOR)).collect();
        let mut bytes: HashMap<Client, u64> = HashMap::new();
        let mut held = Vec::with_capacity(unread.len());
        for (since, exchange) in unread {
            if let Some((own, client)) = exchange.held() {
                *bytes.entry(client.clone()).or_default() += own;
                held.push((client, since, exchange));
            }
        }
        held.sort_by_key(|(client, since, _)| (Reverse(bytes.get(client).copied()), *since));
        let ended = held.iter().any(|(_, _, exchange)| exchange.abort());
        if ended {
            self.count_cut(CutReason::Memory);
        }
        ended
    }

    pub fn count_cut(&self, cut: CutReason) {
        self.0.cuts.count(cut);
    }

    pub fn cuts(&self) -> &CutCounters {
        &self.0.cuts
    }

    /// The number of open connections.
    pub fn len(&self) -> usize {
        self.open().len()
    }

    /// A panic in another thread cannot leave the map half changed.
    fn open(&self) -> MutexGuard<'_, HashMap<u64, OpenConnection>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AdmittedConnection {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

/// The number of the connection that [`Connections::displace`] closes.
fn displaceable(
    open: &HashMap<u64, OpenConnection>,
    is_candidate: impl Fn(&OpenConnection) -> bool,
) -> Option<u64> {
    let mut counts: HashMap<Option<&Client>, usize> = HashMap::new();
    for open in open.values() {
        *counts.entry(open.address.as_ref()).or_default() += 1;
    }
    let unused = open.iter().filter(|(_, open)| is_candidate(open)).filter_map(|(number, open)| {
        let since = open.state.idle_or_unread_since(UNREAD_FOR)?;
        Some((Reverse(counts.get(&open.address.as_ref()).copied()), since, *number))
    });
    unused.min().map(|(_, _, number)| number)
}
