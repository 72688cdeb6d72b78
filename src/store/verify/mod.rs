//! Whether the store agrees with itself, and making it so again.
//!
//! Pages and their outlinks are what crawls found; everything else about links is derived from them, and is computed
//! anew here and compared: `backlinks` byte by byte, `pairs` and `referrals` as sums, the counters of `meta`, the
//! domains that `changes` must know. Of the crawl's own records it is checked that no page and no URL to come is lost:
//! pages stand in the queue or in the schedule, both are in the set of known URLs, and nothing else is; nothing waits
//! for a time that never comes; and no page or link has a day that is still to come, or days out of their order
//! ([`super::days`]). What is not derived (`ranks`, users) is read whole. One file per check; a new one
//! implements [`Check`] and is entered in [`checks`].
//!
//! In: one consistent state. Out: [`Findings`]. The memory is bounded by `store.verify_memory_bytes` however large
//! the store is ([`ledger`]), besides that of one page. Pages and outlinks are read once, and once more for each slice
//! of damaged rows; the keys of pages, queue and schedule also once for each slice of known URLs. Nothing is committed
//! meanwhile.
//!
//! A repair computes what is derived from the pages and outlinks that can be read, removes what can not be read (and
//! names it in the log), and verifies again. It cannot bring back what was on a page whose own rows are damaged: such
//! a page is visited at once, and asked for whole. A URL that can be read keeps its place, whatever else of its row is
//! damaged. One that was lost is queued if a page links to it, or if what is left of its page tells it; else the set of
//! known URLs is made anew without it, so that it is new to whoever meets it. A time in the future becomes the present, and the days of a page and of its
//! links are brought to its last visit. Where a repair is cut off, the next opening or the next repair goes on.
//! Registrable domains are cut by the list the store was opened with; an index that was begun with another one looks
//! damaged.

mod backlinks;
mod changes;
mod counters;
mod findings;
mod hosts;
mod ledger;
mod links;
mod mender;
mod meta;
mod pages;
mod pairs;
mod queue;
mod ranks;
mod seen;
mod standing;

use std::time::SystemTime;

use rocksdb::{DB, DBRawIteratorWithThreadMode};

use super::seen::Writer;
use super::walk::Reading;
use super::{Snapshot, Store, StoreError};
use crate::config::StoreConfig;
use crate::urls::Surt;

pub(super) use findings::Report;
pub use findings::{Finding, Findings};
pub(super) use seen::SEEN;

use mender::Mender;
use pages::SoundPage;

/// How to verify. Times are Unix time, lengths of time are seconds.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// Whether what is damaged is also made good.
    pub repair: bool,
    /// Bytes of memory for comparing rows, over all checks.
    pub memory_bytes: usize,
    pub now: u64,
    /// For how long a host may be left alone.
    pub longest_sleep: u64,
    /// For how long a page may wait for its next visit.
    pub longest_wait: u64,
    /// Whether bytes kept of a robots.txt can be read: only whoever wrote them knows.
    pub is_robots: fn(&[u8]) -> bool,
}

impl Default for VerifyOptions {
    /// Only looks, with the memory that the configuration gives by default, and knows no longest times.
    fn default() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            repair: false,
            memory_bytes: StoreConfig::default().verify_memory_bytes,
            now: since_1970.as_secs(),
            longest_sleep: u64::MAX,
            longest_wait: u64::MAX,
            is_robots: |bytes| !bytes.is_empty(),
        }
    }
}

/// How a verification is getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyProgress {
    /// What is being read, in words.
    pub step: &'static str,
    /// Rows of it read so far.
    pub rows: u64,
}

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 4_096;

/// One comparison of stored rows with what the pages say.
trait Check {
    /// Takes in a page with its links.
    fn page(&mut self, _page: &SoundPage, _work: &mut Work<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Compares; all pages have been taken in.
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError>;
}

/// Every check, in the order in which they are settled.
fn checks(memory_bytes: usize) -> Vec<Box<dyn Check>> {
    // The comparisons keep a ledger each.
    let share = memory_bytes / 4;
    vec![
        Box::new(backlinks::Backlinks::new(share)),
        Box::new(pairs::HostPairs::incoming(share)),
        Box::new(pairs::HostPairs::outgoing(share)),
        Box::new(counters::Counters::default()),
        Box::new(changes::ChangeNumbers),
        Box::new(queue::Queue),
        Box::new(standing::Standing::new(share)),
        // The ledgers before it are given back by then.
        Box::new(seen::Seen::new(memory_bytes)),
        Box::new(hosts::Hosts),
        Box::new(ranks::Ranks),
        Box::new(meta::Meta),
    ]
}

impl Store {
    /// Compares everything stored with what it is derived from, and repairs it if that is asked for. Nothing can be
    /// committed meanwhile. Blocks for about as long as it takes to read all pages and backlinks.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails. Damage is no error.
    pub fn verify(
        &self,
        options: VerifyOptions,
        tell: &mut dyn FnMut(VerifyProgress),
    ) -> Result<Findings, StoreError> {
        let only_look = VerifyOptions { repair: false, ..options };
        let mut writer = self.lock();
        let (found, forgets) = self.verify_once(&writer, options, tell)?;
        if !options.repair || found.is_empty() {
            return Ok(Findings { left: found.clone(), found });
        }
        if forgets || found.iter().any(|finding| finding.family == seen::SEEN) {
            self.rebuild_seen_of(&mut writer)?;
        }
        writer.reopen(self)?;
        Ok(Findings { left: self.verify_once(&writer, only_look, tell)?.0, found })
    }

    /// What is found, and whether the set of known URLs has to be made anew.
    fn verify_once(
        &self,
        writer: &Writer,
        options: VerifyOptions,
        tell: &mut dyn FnMut(VerifyProgress),
    ) -> Result<(Vec<Finding>, bool), StoreError> {
        let snapshot = self.snapshot();
        let mut work = Work {
            store: self,
            writer,
            snapshot: &snapshot,
            options,
            report: Report::default(),
            mender: Mender::new(self, options.repair),
            progress: VerifyProgress { step: "", rows: 0 },
            tell,
            last_change: self.change_number(),
            next_met: writer.next_row(),
        };
        let mut checks = checks(options.memory_bytes);
        pages::first_walk(&mut work, &mut |page, work| {
            checks.iter_mut().try_for_each(|check| check.page(page, work))
        })?;
        for mut check in checks {
            check.settle(&mut work)?;
        }
        let Work { report, mender, .. } = work;
        let forgets = mender.finish()?;
        Ok((report.finish(), forgets))
    }
}

/// What is done with each row: its key and its value.
type EachRow<'r> = &'r mut dyn FnMut(&mut Work<'_>, &[u8], &[u8]) -> Result<(), StoreError>;

/// What every check works with.
struct Work<'a> {
    store: &'a Store,
    writer: &'a Writer,
    snapshot: &'a Snapshot<'a>,
    options: VerifyOptions,
    report: Report,
    mender: Mender<'a>,
    progress: VerifyProgress,
    tell: &'a mut dyn FnMut(VerifyProgress),
    /// The number of the last commit before the first repair.
    last_change: u64,
    /// The key of the next row of URLs that are met anew.
    next_met: u64,
}

impl<'a> Work<'a> {
    /// Begins to read something else.
    fn begin(&mut self, step: &'static str) {
        self.progress = VerifyProgress { step, rows: 0 };
        (self.tell)(self.progress);
    }

    /// Counts a row that was read.
    fn passed(&mut self) {
        self.progress.rows += 1;
        if self.progress.rows.is_multiple_of(REPORT_ROWS) {
            (self.tell)(self.progress);
        }
    }

    /// Stands on the first row of a column family, to go through all of them.
    fn cursor(&self, family: &'static str) -> Result<DBRawIteratorWithThreadMode<'a, DB>, StoreError> {
        let family = self.store.family(family)?;
        let mut cursor = self.snapshot.state.raw_iterator_cf_opt(family, Reading::Through.options(None));
        cursor.seek_to_first();
        Ok(cursor)
    }

    /// Goes through all rows of a column family.
    fn each_row(
        &mut self,
        family: &'static str,
        step: &'static str,
        row: EachRow<'_>,
    ) -> Result<(), StoreError> {
        self.begin(step);
        let mut cursor = self.cursor(family)?;
        while let Some((key, value)) = cursor.item() {
            row(self, key, value)?;
            self.passed();
            cursor.next();
        }
        Ok(cursor.status()?)
    }

    /// Reports a row that nothing can be made of, and removes it where repairs are wanted.
    fn unreadable(&mut self, family: &'static str, key: &[u8], what: &'static str) -> Result<(), StoreError> {
        self.report.add(family, "rows that cannot be read", key);
        self.mender.give_up(family, key, what)
    }

    /// Says that pages of the domain of this key's host change. A key without a host changes nothing that is asked
    /// for.
    fn page_changes(&mut self, key: &[u8]) -> Result<(), StoreError> {
        Surt::host_of(key)
            .map_or(Ok(()), |host| self.mender.changes_outgoing(self.store.suffixes.domain_of(&host)))
    }

    /// Says that links into the domain of this key's host change.
    fn target_changes(&mut self, key: &[u8]) -> Result<(), StoreError> {
        Surt::host_of(key)
            .map_or(Ok(()), |host| self.mender.changes_incoming(self.store.suffixes.domain_of(&host)))
    }
}
