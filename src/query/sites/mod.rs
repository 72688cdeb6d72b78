//! Answers about the whole index: its sites (hosts and registrable domains) and its size.
//!
//! The list of sites comes from the file that the last ranking wrote. Without a file, it is read from the store, up to
//! `search.preview_rows` pages and as many host pairs; an answer from a part of them is marked as unfinished. The
//! present list is held in memory, about 100 bytes for each site.

mod names;
mod site_index;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use names::SiteName;
pub use site_index::{SiteIndex, SiteState};

use crate::config::SearchConfig;
use crate::query::state::StateClock;
use crate::query::{Deadline, IndexState, QueryError};
use crate::store::{SiteFileVersion, SiteList, Stats, Store};

/// Answers about the whole index: its sites and its size. The last ones are held.
pub struct SiteIndexes {
    store: Arc<Store>,
    preview_rows: usize,
    refresh: Duration,
    states: Arc<StateClock>,
    sites: Mutex<Option<HeldSites>>,
    /// The last size, and when it is read again.
    size: Mutex<Option<(Instant, IndexSize)>>,
}

/// How long a size is held, as a multiple of the time that it took to read, if `search.refresh` is not shorter. So the
/// size of a small index is the present one, and a crawl can be watched.
const HOLD_FACTOR: u32 = 10;

/// The size of the index in one state.
#[derive(Clone, Debug)]
pub struct IndexSize {
    pub stats: Stats,
    /// URLs that were discovered.
    pub known: u64,
    /// The Unix time of the state that the last ranking read.
    pub ranked: Option<u64>,
    /// The state that was read.
    pub state: IndexState,
}

#[derive(Clone)]
struct HeldSites {
    origin: SitesOrigin,
    sites: Arc<SiteIndex>,
}

/// Where a list of sites was read.
#[derive(Clone, Copy)]
enum SitesOrigin {
    File(SiteFileVersion),
    Store { change: u64, at: Instant },
}

impl SiteIndexes {
    pub(in crate::query) fn new(store: &Arc<Store>, config: &SearchConfig, states: &Arc<StateClock>) -> Self {
        Self {
            store: Arc::clone(store),
            preview_rows: config.preview_rows,
            refresh: config.refresh.0,
            states: Arc::clone(states),
            sites: Mutex::default(),
            size: Mutex::default(),
        }
    }

    /// The sites of the index.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::TooManyRows`].
    pub fn read(&self, deadline: &Deadline) -> Result<Arc<SiteIndex>, QueryError> {
        let held = self.sites.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let version = self.store.sites_version();
        if let Some(held) = held
            && self.is_usable(held.origin, version)
        {
            return Ok(held.sites);
        }
        let (origin, list) = match version.and_then(|version| self.read_file(version)) {
            Some((version, list)) => (SitesOrigin::File(version), list),
            None => self.read_store(deadline)?,
        };
        let ranked = matches!(origin, SitesOrigin::File(_));
        let sites = Arc::new(SiteIndex::of(list, ranked, self.store.suffixes(), deadline)?);
        let held = HeldSites { origin, sites: Arc::clone(&sites) };
        *self.sites.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(sites)
    }

    fn is_usable(&self, origin: SitesOrigin, version: Option<SiteFileVersion>) -> bool {
        match origin {
            SitesOrigin::File(held) => version == Some(held),
            SitesOrigin::Store { change, at } => {
                version.is_none() && (change == self.store.change_number() || at.elapsed() < self.refresh)
            }
        }
    }

    /// The list in the file. A file that cannot be read is removed, and the next ranking writes another.
    fn read_file(&self, version: SiteFileVersion) -> Option<(SiteFileVersion, SiteList)> {
        match self.store.read_sites() {
            Ok(list) => Some((version, list)),
            Err(error) => {
                tracing::warn!(%error, "the list of hosts and domains cannot be read; the next ranking writes it again");
                self.store.discard_sites();
                None
            }
        }
    }

    fn read_store(&self, deadline: &Deadline) -> Result<(SitesOrigin, SiteList), QueryError> {
        let snapshot = self.store.snapshot();
        let read_at = self.states.state_of(&snapshot)?.read_at;
        let list = snapshot.sites(self.preview_rows, &|| deadline.check())?;
        let list = SiteList { read_at, ..list };
        Ok((SitesOrigin::Store { change: list.change, at: Instant::now() }, list))
    }

    /// The size of the index, at most as old as `search.refresh`.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn size(&self, deadline: &Deadline) -> Result<IndexSize, QueryError> {
        let held = self.size.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let start = Instant::now();
        if let Some((_, size)) = held.filter(|(until, _)| start < *until) {
            return Ok(size);
        }
        let snapshot = self.store.snapshot();
        let state = self.states.state_of(&snapshot)?;
        let stats = snapshot.stats(&|| deadline.check())?;
        let (known, ranked) = (self.store.seen_urls(), self.store.sites_read_at());
        let size = IndexSize { stats, known, ranked, state };
        let until = start + start.elapsed() + self.refresh.min(HOLD_FACTOR * start.elapsed());
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, size.clone()));
        Ok(size)
    }
}
