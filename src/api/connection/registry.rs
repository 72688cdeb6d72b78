//! The connections that are open: `api.max_connections` in all, `api.max_connections_per_address` from one address.
//!
//! Where there are as many, the one that has been without a request for the longest makes room for a new one. Only where
//! all are in use, the new one is refused.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::activity::Exchange;
use super::{Activity, Cut, Cuts};
use crate::api::admission::Client;
use crate::config::ApiConfig;

/// Answers that nobody has read of for so long make room where memory is short.
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

    /// Ends the connection that has been without a request for the longest; its place is free at once.
    fn displace(&self, open: &mut FxHashMap<u64, Open>, may: impl Fn(&Open) -> bool) -> Option<()> {
        let idle = open.iter().filter(|(_, open)| may(open));
        let idle = idle.filter_map(|(number, open)| Some((open.activity.idle_since()?, *number)));
        let (_, number) = idle.min()?;
        open.remove(&number)?.activity.displace();
        Some(())
    }

    /// Breaks off the answer that has been left unread for the longest; says whether there was one.
    pub fn break_off_unread(&self) -> bool {
        let unread: Vec<(Instant, Arc<Exchange>)> =
            self.open().values().flat_map(|open| open.activity.unread(UNREAD)).collect();
        let mut unread: Vec<_> = unread.into_iter().filter(|(_, exchange)| exchange.held() > 0).collect();
        unread.sort_by_key(|(since, _)| *since);
        let ended = unread.iter().any(|(_, exchange)| exchange.end());
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
