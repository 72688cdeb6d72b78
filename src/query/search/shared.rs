//! What is kept, and whether it may still be used: the part of the search indexes that the builders' threads share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::disk::Disk;
use super::kept::{Kept, Key, Needs, Others, Part, Stamp, What};
use super::{Indexed, Question, file};
use crate::config::SearchConfig;
use crate::lru::Lru;
use crate::query::base::Base;
use crate::query::facts::Facts;
use crate::query::field::Rows;
use crate::query::lookup::Known;
use crate::query::{Compute, Counts, Deadline, Listing, QueryError, Selection, View};
use crate::store::{Snapshot, Store};
use crate::urls::Suffixes;

/// What the builders' threads need as well.
pub(super) struct Shared {
    pub store: Arc<Store>,
    pub suffixes: Arc<Suffixes>,
    pub config: SearchConfig,
    pub memory: Mutex<Lru<Key, Kept>>,
    pub disk: Disk,
}

impl Shared {
    pub fn memory(&self) -> std::sync::MutexGuard<'_, Lru<Key, Kept>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn keep(&self, key: Key, kept: Kept) {
        let bytes = kept.part.bytes();
        if bytes <= self.config.memory_bytes {
            self.memory().insert(key, kept, bytes);
        }
    }

    /// Forgets what has a damaged file, so that it is built and written anew.
    ///
    /// # Errors
    /// [`QueryError::Deadline`] when it is not the file that is at fault.
    pub fn unreadable(&self, key: &Key, error: &std::io::Error) -> Result<(), QueryError> {
        if error.kind() == std::io::ErrorKind::TimedOut {
            return Err(QueryError::Deadline);
        }
        self.disk.damaged(key, error);
        self.memory().remove(key);
        Ok(())
    }

    /// The state of what a selection's rows depend on.
    pub fn stamp(
        &self,
        selection: &Selection,
        needs: Needs,
        snapshot: &Snapshot<'_>,
    ) -> Result<Stamp, QueryError> {
        let changes = snapshot.changes(selection.scope.domain(&self.suffixes))?;
        Ok(Stamp {
            links: match needs.rows {
                Rows::Backlinks => changes.incoming,
                _ => changes.outgoing,
            },
            ranks: snapshot.rank_generation()?,
            others: needs.others.last_change(changes, snapshot)?,
        })
    }

    /// Whether what was kept may be used: when it tells of the present state, or is young enough. Gives the change number
    /// at which it was found to be right, if it is.
    pub fn serves(
        &self,
        selection: &Selection,
        needs: Needs,
        stamp: Stamp,
        read_at: SystemTime,
    ) -> Result<Option<Option<u64>>, QueryError> {
        let valid_at = self.store.change_number();
        if self.stamp(selection, needs, &self.store.snapshot())? == stamp {
            return Ok(Some(Some(valid_at)));
        }
        // Of an index from the future nobody can tell the age: the clock was set back, a little or a lot.
        let age = read_at.elapsed().unwrap_or_else(|ahead| ahead.duration());
        Ok((age < self.config.refresh.0).then_some(None))
    }

    /// What memory holds under a key, if it may be used. That there is nothing is said of the present state alone: a
    /// scope that has just been met is not to look empty for a while longer.
    pub fn kept(&self, key: &Key, needs: Needs) -> Result<Option<Kept>, QueryError> {
        let valid_at = self.store.change_number();
        let Some(mut kept) = self.memory().get(key).map(|kept| kept.clone()) else { return Ok(None) };
        if kept.valid_at == Some(valid_at) {
            return Ok(Some(kept));
        }
        let Some(valid_at) = self.serves(&key.selection, needs, kept.stamp, kept.read_at)? else {
            return Ok(None);
        };
        if valid_at.is_none() && kept.part.is_empty() {
            return Ok(None);
        }
        kept.valid_at = valid_at;
        if let Some(known) = self.memory().get(key)
            && known.stamp == kept.stamp
        {
            known.valid_at = valid_at;
        }
        Ok(Some(kept))
    }

    /// The file of a key, if it may be used.
    pub fn read(&self, key: &Key, needs: Needs) -> Result<Option<(file::Reader, Kept)>, QueryError> {
        let Some(reader) = self.disk.read(key) else { return Ok(None) };
        let (stamp, read_at) = (reader.label().stamp, reader.label().read_at);
        let Some(valid_at) = self.serves(&key.selection, needs, stamp, read_at)? else { return Ok(None) };
        let nothing = Part::Counts(Counts::default());
        Ok(Some((reader, Kept { part: nothing, stamp, read_at, valid_at })))
    }

    /// The complete rows of a selection, if they are kept and may be used.
    pub fn indexed(
        &self,
        selection: &Arc<Selection>,
        needs: Needs,
        deadline: &Deadline,
    ) -> Result<Option<Indexed>, QueryError> {
        let base_key = Key::new(selection, What::Base(needs.rows));
        let facts_key = Key::new(selection, What::Facts);
        if let Some(kept) = self.kept(&base_key, needs)?
            && let Part::Base(base) = kept.part
        {
            let facts = match self.memory().get(&facts_key) {
                Some(Kept { part: Part::Facts(facts), .. }) => Some(Arc::clone(facts)),
                _ => None,
            };
            if facts.is_some() || needs.rows != Rows::Backlinks {
                let Kept { stamp, read_at, valid_at, .. } = kept;
                let current = valid_at.is_some();
                return Ok(Some(Indexed { base, facts, stamp, read_at, finished: true, current }));
            }
        }
        let Some((reader, state)) = self.read(&base_key, needs)? else { return Ok(None) };
        let table = match reader.whole(deadline) {
            Ok(table) => table,
            Err(error) => {
                self.unreadable(&base_key, &error)?;
                return Ok(None);
            }
        };
        let label = reader.label();
        let facts: Option<Arc<Facts>> =
            label.facts.clone().and_then(|facts| serde_json::from_value(facts).ok()).map(Arc::new);
        if facts.is_none() && needs.rows == Rows::Backlinks {
            return Ok(None);
        }
        let base = Arc::new(Base { table, active: label.active });
        let Kept { stamp, read_at, valid_at, .. } = state;
        let current = valid_at.is_some();
        let indexed = Indexed { base, facts, stamp, read_at, finished: true, current };
        self.keep_indexed(selection, needs.rows, &indexed);
        Ok(Some(indexed))
    }

    pub fn keep_indexed(&self, selection: &Arc<Selection>, rows: Rows, indexed: &Indexed) {
        let Indexed { base, facts, stamp, read_at, .. } = indexed;
        let kept = |part| Kept { part, stamp: *stamp, read_at: *read_at, valid_at: None };
        self.keep(Key::new(selection, What::Base(rows)), kept(Part::Base(Arc::clone(base))));
        if let Some(facts) = facts {
            self.keep(Key::new(selection, What::Facts), kept(Part::Facts(Arc::clone(facts))));
        }
    }

    /// Makes a view; gives the state of what else it depends on.
    pub fn make(
        &self,
        selection: &Selection,
        question: &Question<'_>,
        base: &Base,
        deadline: &Deadline,
    ) -> Result<(View, u64), QueryError> {
        let Question { listing, activity, .. } = *question;
        let needs = Needs::of(listing);
        let snapshot = self.store.snapshot();
        let changes = snapshot.changes(selection.scope.domain(&self.suffixes))?;
        let others = needs.others.last_change(changes, &snapshot)?;
        let known = Known { snapshot: &snapshot, suffixes: &self.suffixes, deadline };
        Ok((View::of(listing, base, activity, &known, deadline)?, others))
    }
}

impl Needs {
    pub fn of(listing: &Listing) -> Self {
        let others = if listing.looks_beyond(Compute::looks_at_others) {
            Others::Everything
        } else if listing.looks_beyond(Compute::looks_at_pages) {
            Others::Pages
        } else {
            Others::Nothing
        };
        Self { rows: listing.rows, others }
    }
}
