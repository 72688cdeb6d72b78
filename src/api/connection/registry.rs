//! The connections that are open: `api.max_connections` in all, `api.max_connections_per_address` from one address.
//!
//! Where there are as many, one that is not used makes room for a new one: of the address that has the most. Only where all
//! are in use, the new one is refused.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::activity::{Exchange, Timeouts};
use super::{Activity, Cut, Cuts};
use crate::api::admission::Client;
use crate::config::ApiConfig;

/// Answers that nobody has read of for so long make room where memory or places are short.
const UNREAD: Duration = Duration::from_secs(1);

/// The open connections. Clones share them.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    most: usize,
    most_per_address: usize,
    trusted: Vec<IpNet>,
    open: Mutex<FxHashMap<u64, Open>>,
    pub cuts: Cuts,
}

struct Open {
    /// `None` for a trusted proxy, behind which many clients are.
    address: Option<Client>,
    activity: Arc<Activity>,
}

/// A connection that has its place, until it is dropped.
pub struct Admitted {
    connections: Connections,
    number: u64,
    pub activity: Arc<Activity>,
}

impl Connections {
    pub fn new(config: &ApiConfig) -> Self {
        Self(Arc::new(Shared {
            most: config.max_connections,
            most_per_address: config.max_connections_per_address,
            trusted: config.trusted_proxies.clone(),
            open: Mutex::default(),
            cuts: Cuts::new(),
        }))
    }

    /// Takes in the connection of this number.
    ///
    /// # Errors
    /// [`Cut`] when all are in use.
    pub fn admit(&self, number: u64, address: IpAddr) -> Result<Admitted, Cut> {
        let is_trusted = self.0.trusted.iter().any(|network| network.contains(&address.to_canonical()));
        let address = (!is_trusted).then(|| Client::at(address));
        let mut open = self.open();
        let own = |open: &Open| address.is_some() && open.address == address;
        if open.values().filter(|open| own(open)).count() >= self.0.most_per_address {
            self.displace(&mut open, own).ok_or(Cut::Address)?;
        } else if open.len() >= self.0.most {
            self.displace(&mut open, |_| true).ok_or(Cut::Connections)?;
        }
        let activity = Arc::new(Activity::new());
        open.insert(number, Open { address, activity: Arc::clone(&activity) });
        drop(open);
        Ok(Admitted { connections: self.clone(), number, activity })
    }

    /// Ends what has taken too long, and, when the server is to end, what was not begun.
    pub fn look(&self, timeouts: &Timeouts) {
        for open in self.open().values() {
            let activity = &open.activity;
            let cut = activity.look(timeouts, |cut| self.count(cut));
            cut.into_iter().for_each(|cut| self.count(cut));
            if cut.is_some() || activity.is_drained() {
                activity.end();
            }
        }
    }

    /// Has all connections finish what was begun.
    pub fn drain(&self) {
        self.open().values().for_each(|open| open.activity.drain());
    }

    /// Ends a connection without a request, or whose answers are not read: of the address with the most connections, the one
    /// that has been so for the longest. Its place is free at once.
    fn displace(&self, open: &mut FxHashMap<u64, Open>, may: impl Fn(&Open) -> bool) -> Option<()> {
        let mut counts: FxHashMap<Option<&Client>, usize> = FxHashMap::default();
        for open in open.values() {
            *counts.entry(open.address.as_ref()).or_default() += 1;
        }
        let unused = open.iter().filter(|(_, open)| may(open)).filter_map(|(number, open)| {
            let since = open.activity.unused_since(UNREAD)?;
            Some((Reverse(counts.get(&open.address.as_ref()).copied()), since, *number))
        });
        let (_, _, number) = unused.min()?;
        open.remove(&number)?.activity.end();
        self.count(Cut::Displaced);
        Some(())
    }

    /// Breaks off an answer that is not read: of the client with the most bytes of such answers, the one that has been
    /// left for the longest. Says whether there was one.
    pub fn break_off_unread(&self) -> bool {
        let unread: Vec<(u64, Arc<Exchange>)> =
            self.open().values().flat_map(|open| open.activity.unread(UNREAD)).collect();
        let mut bytes: FxHashMap<Client, u64> = FxHashMap::default();
        let mut held = Vec::with_capacity(unread.len());
        for (since, exchange) in unread {
            if let Some((own, client)) = exchange.held() {
                *bytes.entry(client.clone()).or_default() += own;
                held.push((client, since, exchange));
            }
        }
        held.sort_by_key(|(client, since, _)| (Reverse(bytes.get(client).copied()), *since));
        let ended = held.iter().any(|(_, _, exchange)| exchange.end());
        if ended {
            self.count(Cut::Memory);
        }
        ended
    }

    pub fn count(&self, cut: Cut) {
        self.0.cuts.count(cut);
    }

    pub fn cuts(&self) -> &Cuts {
        &self.0.cuts
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open().len()
    }

    /// A panic elsewhere cannot leave the map half changed.
    fn open(&self) -> MutexGuard<'_, FxHashMap<u64, Open>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}
