//! The search indexes: what lists and facts are answered from.
//!
//! An index is all rows of a [`Selection`] by columns ([`Base`]), the facts about them, and a [`View`] per listing.
//! The first question to a selection builds it: up to `search.preview_rows` while the client waits, the rest in the
//! background. Who asks meanwhile waits up to `search.patience` and then gets an answer from what was read at first,
//! marked as unfinished. What is made is kept in memory and on disk, each under its budget of bytes, and forgotten
//! when it was used longest ago.
//!
//! Everything kept is stamped with the state of the store it was worked out from. While that is still the state, it
//! is used; afterwards for `search.refresh`, counted from when its rows were read, and no longer; what is empty, not at
//! all. Counts are always of the present state.
//!
//! In: the store. Out: pages, distributions, facts and counts, each from one state of the store. It knows no HTTP.

mod builder;
mod disk;
mod export;
mod file;
mod kept;
mod queue;
mod shared;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

pub use self::export::ExportPage;

use self::builder::Builder;
use self::disk::Disk;
use self::kept::{Head, Kept, Key, Needs, Others, Part, Stamp, What};
use self::shared::Shared;
use super::base::Base;
use super::facts::Facts;
use super::field::Rows;
use super::lookup::Known;
use super::{
    Activity, Counts, Deadline, Distribution, LinkCounts, Listing, Page, Plan, QueryError, Scan, Selection,
    View, Window,
};
use crate::config::SearchConfig;
use crate::lru::Lru;
use crate::store::Store;

/// First rows of a file that stand by themselves: a few pages of the usual size.
const HEAD_ROWS: usize = 1_000;

/// The search indexes of a store. Share it by `Arc`. Its threads end when it is dropped.
pub struct Searches {
    shared: Arc<Shared>,
    builder: Builder,
}

/// An answer, and what it is from.
#[derive(Debug)]
pub struct Found<T> {
    pub answer: T,
    /// Whether it is from all rows.
    pub finished: bool,
    /// Whether it is from the present state of the store. If not, it is from one that `search.refresh` lets pass.
    pub current: bool,
}

impl<T> Found<T> {
    fn with<U>(&self, answer: U) -> Found<U> {
        Found { answer, finished: self.finished, current: self.current }
    }
}

/// For how long a question waits for an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As `search.patience` says; then whatever there is will do.
    Short,
    /// Until it is complete, or the deadline is over.
    Full,
}

/// The rows of a selection, however many were read.
#[derive(Clone, Debug)]
struct Indexed {
    base: Arc<Base>,
    facts: Option<Arc<Facts>>,
    stamp: Stamp,
    read_at: SystemTime,
    finished: bool,
    /// Whether that is still the state of the store.
    current: bool,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchFigures {
    pub memory_bytes: usize,
    pub memory_entries: usize,
    pub disk_bytes: usize,
    pub disk_files: usize,
    /// Indexes that wait to be built.
    pub builds_waiting: usize,
    /// Since the start: builds dropped because whoever asked for them had gone,
    pub builds_abandoned: u64,
    /// or because too many waited,
    pub builds_displaced: u64,
    /// and indexes not written to disk because too many waited for that.
    pub writes_dropped: u64,
}

impl Searches {
    /// Opens the indexes kept on disk.
    ///
    /// # Errors
    /// What is wrong with the directory; [`std::io::Error`] when a thread cannot be started.
    pub fn open(store: Arc<Store>, config: SearchConfig) -> std::io::Result<Self> {
        let directory = match config.directory.as_os_str().is_empty() {
            true => store.directory().join("searches"),
            false => PathBuf::from(&config.directory),
        };
        let shared = Arc::new(Shared {
            suffixes: Arc::clone(store.suffixes()),
            memory: Mutex::new(Lru::new(config.memory_bytes)),
            disk: Disk::open(directory, config.disk_bytes)?,
            store,
            config,
        });
        let builder = Builder::start(&shared)?;
        Ok(Self { shared, builder })
    }

    /// How much is kept now.
    pub fn figures(&self) -> SearchFigures {
        let (memory_bytes, memory_entries) = self.shared.memory().size();
        let (disk_bytes, disk_files) = self.shared.disk.size();
        let waiting = self.builder.figures();
        SearchFigures { memory_bytes, memory_entries, disk_bytes, disk_files, ..waiting }
    }

    /// The rows of a window.
    ///
    /// # Errors
    /// What the store or the deadline reports; [`QueryError::Declaration`] where listing and rows do not fit.
    pub fn page(
        &self,
        selection: &Arc<Selection>,
        question: &Question<'_>,
        window: Window,
        deadline: &Deadline,
    ) -> Result<Found<Page>, QueryError> {
        if let Some(head) = self.head(selection, question, deadline)?
            && let Some(answer) = head.answer.page(question.plan, window, deadline)?
        {
            return Ok(head.with(answer));
        }
        let view = self.view(selection, question, deadline)?;
        Ok(view.with(view.answer.page(question.plan, window, deadline)?))
    }

    /// The first groups, and the rest.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn distribution(
        &self,
        selection: &Arc<Selection>,
        question: &Question<'_>,
        top: usize,
        deadline: &Deadline,
    ) -> Result<Found<Distribution>, QueryError> {
        let view = self.view(selection, question, deadline)?;
        Ok(view.with(view.answer.distribution(question.plan, top, deadline)?))
    }

    /// Facts about all backlinks.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn facts(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<Found<Arc<Facts>>, QueryError> {
        let needs = Needs { rows: Rows::Backlinks, others: Others::Nothing };
        let key = Key::new(selection, What::Facts);
        if let Some(Kept { part: Part::Facts(answer), valid_at, .. }) = self.shared.kept(&key, needs)? {
            return Ok(Found { answer, finished: true, current: valid_at.is_some() });
        }
        let Indexed { facts, finished, current, .. } =
            self.indexed(selection, needs, Patience::Full, deadline)?;
        let answer = facts.ok_or_else(|| QueryError::Declaration("facts".to_owned()))?;
        Ok(Found { answer, finished, current })
    }

    /// How many backlinks there are, of which kinds, now.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn counts(&self, selection: &Arc<Selection>, deadline: &Deadline) -> Result<Counts, QueryError> {
        self.now(selection, What::Counts, Rows::Backlinks, deadline, |scan| Ok(Part::Counts(scan.counts()?)))
            .map(|part| match part {
                Part::Counts(counts) => counts,
                _ => Counts::default(),
            })
    }

    /// How many links stand on the pages of a scope, now.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn link_counts(
        &self,
        selection: &Arc<Selection>,
        deadline: &Deadline,
    ) -> Result<LinkCounts, QueryError> {
        self.now(selection, What::LinkCounts, Rows::Pages, deadline, |scan| {
            Ok(Part::LinkCounts(scan.link_counts()?))
        })
        .map(|part| match part {
            Part::LinkCounts(counts) => counts,
            _ => LinkCounts::default(),
        })
    }

    /// Whether a listing is answered completely at once.
    ///
    /// # Errors
    /// What the store reports.
    pub fn is_ready(
        &self,
        selection: &Arc<Selection>,
        listing: &'static Listing,
    ) -> Result<bool, QueryError> {
        let needs = Needs::of(listing);
        for what in [What::View(listing.name, Activity::Active), What::Base(listing.rows)] {
            let key = Key::new(selection, what);
            if self.shared.kept(&key, needs)?.is_some() || self.shared.read(&key, needs)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Something small that is always of the present state.
    fn now(
        &self,
        selection: &Arc<Selection>,
        what: What,
        rows: Rows,
        deadline: &Deadline,
        work_out: impl FnOnce(&Scan<'_>) -> Result<Part, QueryError>,
    ) -> Result<Part, QueryError> {
        let shared = &self.shared;
        let (key, needs) = (Key::new(selection, what), Needs { rows, others: Others::Nothing });
        let valid_at = shared.store.change_number();
        let kept = shared.memory().get(&key).map(|kept| kept.clone());
        if let Some(kept) = &kept
            && kept.valid_at == Some(valid_at)
        {
            return Ok(kept.part.clone());
        }
        let snapshot = shared.store.snapshot();
        let stamp = shared.stamp(selection, needs, &snapshot)?;
        let part = match kept {
            Some(kept) if kept.stamp == stamp => kept.part,
            _ => work_out(&Scan { snapshot: &snapshot, selection, suffixes: &shared.suffixes, deadline })?,
        };
        let valid_at = Some(valid_at);
        shared.keep(key, Kept { part: part.clone(), stamp, read_at: SystemTime::now(), valid_at });
        Ok(part)
    }

    /// The first rows of the view asked for, where they lie at hand or on disk and all that is asked for may be
    /// among them.
    fn head(
        &self,
        selection: &Arc<Selection>,
        question: &Question<'_>,
        deadline: &Deadline,
    ) -> Result<Option<Found<Arc<Head>>>, QueryError> {
        let listing = question.listing;
        let heads = listing.group_by.is_some() || listing.shows_base();
        if !heads || !question.plan.is_plain() || question.activity != Activity::Active {
            return Ok(None);
        }
        let shared = &self.shared;
        let needs = Needs::of(listing);
        let view = Key::new(selection, What::View(listing.name, Activity::Active));
        if shared.memory().get(&view).is_some() {
            return Ok(None);
        }
        let key = Key::new(selection, What::Head(listing.name));
        if let Some(Kept { part: Part::Head(answer), valid_at, .. }) = shared.kept(&key, needs)? {
            return Ok(Some(Found { answer, finished: true, current: valid_at.is_some() }));
        }
        let stored = match listing.group_by {
            Some(_) => view,
            None => Key::new(selection, What::Base(listing.rows)),
        };
        let Some((reader, state)) = shared.read(&stored, needs)? else { return Ok(None) };
        let table = match reader.head(deadline) {
            Ok(table) => table,
            Err(error) => {
                shared.unreadable(&stored, &error)?;
                return Ok(None);
            }
        };
        let label = reader.label();
        let head = match listing.group_by {
            Some(_) => Head { view: View::of_table(listing, &table, label.links)?, count: label.rows },
            None => {
                let active = label.active.min(table.rows());
                let base = Base { table, active };
                let snapshot = shared.store.snapshot();
                let known = Known { snapshot: &snapshot, suffixes: &shared.suffixes, deadline };
                let view = View::of(listing, &base, Activity::Active, &known, deadline)?;
                Head { view, count: label.active }
            }
        };
        let head = Arc::new(head);
        let current = state.valid_at.is_some();
        shared.keep(key, Kept { part: Part::Head(Arc::clone(&head)), ..state });
        Ok(Some(Found { answer: head, finished: true, current }))
    }

    /// The view of a listing.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn view(
        &self,
        selection: &Arc<Selection>,
        question: &Question<'_>,
        deadline: &Deadline,
    ) -> Result<Found<Arc<View>>, QueryError> {
        let Question { listing, activity, patience, .. } = *question;
        let (shared, needs) = (&self.shared, Needs::of(listing));
        let key = Key::new(selection, What::View(listing.name, activity));
        if let Some(Kept { part: Part::View(answer), valid_at, .. }) = shared.kept(&key, needs)? {
            return Ok(Found { answer, finished: true, current: valid_at.is_some() });
        }
        if listing.group_by.is_some()
            && let Some((reader, state)) = shared.read(&key, needs)?
        {
            match reader.whole(deadline) {
                Ok(table) => {
                    let view = Arc::new(View::of_table(listing, &table, reader.label().links)?);
                    let current = state.valid_at.is_some();
                    shared.keep(key, Kept { part: Part::View(Arc::clone(&view)), ..state });
                    return Ok(Found { answer: view, finished: true, current });
                }
                Err(error) => shared.unreadable(&key, &error)?,
            }
        }
        let indexed =
            self.indexed(selection, Needs { others: Others::Nothing, ..needs }, patience, deadline)?;
        let (view, others) = shared.make(selection, question, &indexed.base, deadline)?;
        let view = Arc::new(view);
        if indexed.finished {
            let stamp = Stamp { others, ..indexed.stamp };
            let part = Part::View(Arc::clone(&view));
            let kept = Kept { part, stamp, read_at: indexed.read_at, valid_at: None };
            shared.keep(key.clone(), kept.clone());
            if listing.group_by.is_some() && indexed.base.rows() >= shared.config.disk_min_rows {
                self.builder.write(key, kept);
            }
        }
        let Indexed { finished, current, .. } = indexed;
        Ok(Found { answer: view, finished, current })
    }

    /// The rows of a selection: kept, or built as far as patience reaches.
    fn indexed(
        &self,
        selection: &Arc<Selection>,
        needs: Needs,
        patience: Patience,
        deadline: &Deadline,
    ) -> Result<Indexed, QueryError> {
        let patience = match patience {
            Patience::Short => Some(self.shared.config.patience.0),
            Patience::Full => None,
        };
        if let Some(indexed) = self.shared.indexed(selection, needs, deadline)? {
            return Ok(indexed);
        }
        self.builder.build(&self.shared, selection, needs.rows, patience, deadline)
    }
}

/// What is asked of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub listing: &'static Listing,
    pub activity: Activity,
    pub plan: &'a Plan,
    pub patience: Patience,
}
