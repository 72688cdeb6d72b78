//! Consistency checks of the store, and their repair.
//!
//! Pages and outlinks are the source data. All other data about links is derived from them. The checks compute it
//! again and compare: `backlinks` byte by byte, `pairs` and `referrals` as sums, the counters of `meta`, and the
//! domains in `changes`.
//!
//! For the data of the crawl, the checks confirm that no page and no queued URL is lost:
//!
//! - Pages are in the queue or in the schedule.
//! - Both are in the seen set, and nothing else is.
//! - Nothing waits for a time that never comes.
//! - No page or link has a day in the future, or days out of order ([`super::write::days`]).
//!
//! Data that is not derived (`ranks`, users) is read completely. Each check has one file in [`mod@checks`].
//!
//! In: one consistent snapshot. Out: [`Findings`]. The memory is limited to `store.verify_memory_bytes` plus one page,
//! however large the store is ([`set_hash`]). Pages and outlinks are read once, and once more for each slice of
//! damaged rows. The keys of pages, queue and schedule are also read once for each slice of the seen set. No commit
//! runs meanwhile.
//!
//! A repair rebuilds derived data from the readable pages and outlinks, removes unreadable rows (and logs their keys),
//! and verifies again. The content of a page with damaged rows is lost: such a page is visited at once, and requested
//! without conditions.
//!
//! A URL with a readable key keeps its place, whatever else of its row is damaged. A lost URL is queued if a page
//! links to it, or if the remains of its page name it. Otherwise the seen set is rebuilt without it, so it counts as
//! new when it is discovered. A time in the future becomes the present. Days of a page and of its links are moved to
//! its last visit.
//!
//! After an interrupted repair, the next opening or the next repair continues.
//!
//! Registrable domains depend on the suffix list that the store was opened with. An index that was built with another
//! list looks damaged.

mod checks;
mod links;
mod pages;
mod repair;
pub(super) mod report;
mod set_hash;

use crate::clock::unix_now;
use crate::config::StoreConfig;
use crate::store::db::rows::{ReadPattern, RowCursor};
use crate::store::db::schema::SEEN;
use crate::store::queue::seen_set::WriteState;
use crate::store::{Finding, Findings, Snapshot, Store, StoreError};
use crate::urls::Surt;

use checks::checks;
use repair::RepairWriter;
use report::Report;

/// Options of a verification. Times are Unix times, durations are seconds.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// Whether damage is also repaired.
    pub repair: bool,
    /// Bytes of memory for comparisons, over all checks.
    pub memory_bytes: usize,
    pub now: u64,
    /// The longest time that a host may get no request.
    pub longest_sleep: u64,
    /// The longest time that a page may wait for its next visit.
    pub longest_wait: u64,
    /// Whether the stored bytes of a robots.txt can be decoded. Only their writer knows the format.
    pub is_robots: fn(&[u8]) -> bool,
}

impl Default for VerifyOptions {
    /// No repair, the default memory of the configuration, and no longest times.
    fn default() -> Self {
        Self {
            repair: false,
            memory_bytes: StoreConfig::default().verify_memory_bytes,
            now: unix_now(),
            longest_sleep: u64::MAX,
            longest_wait: u64::MAX,
            is_robots: |bytes| !bytes.is_empty(),
        }
    }
}

/// Progress of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyProgress {
    /// The data that is being read, in words.
    pub step: &'static str,
    /// Rows read so far in this step.
    pub rows: u64,
}

/// Rows between two progress reports.
const REPORT_ROWS: u64 = 4_096;

impl Store {
    /// Compares all stored data with its source, and repairs it if `options` say so. No commit runs meanwhile. Blocks
    /// for about the time that it takes to read all pages and backlinks.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails. Damage is not an error.
    pub fn verify(
        &self,
        options: VerifyOptions,
        on_progress: &mut dyn FnMut(VerifyProgress),
    ) -> Result<Findings, StoreError> {
        let only_look = VerifyOptions { repair: false, ..options };
        let mut writer = self.lock_writes();
        let (found, seen_set_is_stale) = self.verify_once(&writer, options, on_progress)?;
        if !options.repair || found.is_empty() {
            return Ok(Findings { left: found.clone(), found });
        }
        if seen_set_is_stale || found.iter().any(|finding| finding.family == SEEN) {
            self.rebuild_seen_set_with(&mut writer)?;
        }
        writer.reload(self)?;
        Ok(Findings { left: self.verify_once(&writer, only_look, on_progress)?.0, found })
    }

    /// The findings, and whether the seen set must be rebuilt.
    fn verify_once(
        &self,
        writer: &WriteState,
        options: VerifyOptions,
        on_progress: &mut dyn FnMut(VerifyProgress),
    ) -> Result<(Vec<Finding>, bool), StoreError> {
        let snapshot = self.snapshot();
        let mut context = VerifyContext {
            store: self,
            writer,
            snapshot: &snapshot,
            options,
            report: Report::default(),
            repair: RepairWriter::new(self, options.repair),
            progress: VerifyProgress { step: "", rows: 0 },
            on_progress,
            last_change: self.change_number(),
            next_unmerged_row: writer.next_row(),
        };
        let mut checks = checks(options.memory_bytes);
        pages::scan_first(&mut context, &mut |page, context| {
            checks.iter_mut().try_for_each(|check| check.add_page(page, context))
        })?;
        for mut check in checks {
            check.compare(&mut context)?;
        }
        let VerifyContext { report, repair, .. } = context;
        let seen_set_is_stale = repair.finish()?;
        Ok((report.finish(), seen_set_is_stale))
    }
}

/// Receives each row: key and value.
type EachRow<'r> = &'r mut dyn FnMut(&mut VerifyContext<'_>, &[u8], &[u8]) -> Result<(), StoreError>;

/// The state that all checks share.
struct VerifyContext<'a> {
    store: &'a Store,
    writer: &'a WriteState,
    snapshot: &'a Snapshot<'a>,
    options: VerifyOptions,
    report: Report,
    repair: RepairWriter<'a>,
    progress: VerifyProgress,
    on_progress: &'a mut dyn FnMut(VerifyProgress),
    /// The number of the last commit before the first repair.
    last_change: u64,
    /// The key of the next row of `met` that a repair writes.
    next_unmerged_row: u64,
}

impl<'a> VerifyContext<'a> {
    /// Begins the next step.
    fn begin_step(&mut self, step: &'static str) {
        self.progress = VerifyProgress { step, rows: 0 };
        (self.on_progress)(self.progress);
    }

    /// Counts a row that was read.
    fn count_row(&mut self) {
        self.progress.rows += 1;
        if self.progress.rows.is_multiple_of(REPORT_ROWS) {
            (self.on_progress)(self.progress);
        }
    }

    /// A cursor at the first row of a column family, for a complete scan.
    fn cursor(&self, family: &'static str) -> Result<RowCursor<'a>, StoreError> {
        let mut cursor = self.snapshot.cursor(family, ReadPattern::Sequential, None)?;
        cursor.seek_to_first();
        Ok(cursor)
    }

    /// Passes all rows of a column family to `row`.
    fn for_each_row(
        &mut self,
        family: &'static str,
        step: &'static str,
        row: EachRow<'_>,
    ) -> Result<(), StoreError> {
        self.begin_step(step);
        let mut cursor = self.cursor(family)?;
        while let Some((key, value)) = cursor.item() {
            row(self, key, value)?;
            self.count_row();
            cursor.next();
        }
        Ok(cursor.status()?)
    }

    /// Reports an unreadable row, and removes it if repairs are enabled.
    fn remove_unreadable(
        &mut self,
        family: &'static str,
        key: &[u8],
        what: &'static str,
    ) -> Result<(), StoreError> {
        self.report.add(family, "rows that cannot be read", key);
        self.repair.remove_damaged(family, key, what)
    }

    /// Marks the domain of this key's host as having changed pages. A key without a host affects no query.
    fn mark_page_domain(&mut self, key: &[u8]) -> Result<(), StoreError> {
        Surt::decode_host(key)
            .map_or(Ok(()), |host| self.repair.mark_outgoing(self.store.suffixes.domain_of(&host)))
    }

    /// Marks the domain of this key's host as having changed incoming links.
    fn mark_target_domain(&mut self, key: &[u8]) -> Result<(), StoreError> {
        Surt::decode_host(key)
            .map_or(Ok(()), |host| self.repair.mark_incoming(self.store.suffixes.domain_of(&host)))
    }
}
