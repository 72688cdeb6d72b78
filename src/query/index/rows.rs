//! Reads the rows of a selection from the store into a [`RowSet`].

use crate::model::{Absence, Day};
use crate::query::QueryError;
use crate::query::aggregates::history::{LinkHistory, RowAbsence};
use crate::query::engine::fields::backlinks::{BACKLINK_FIELDS, Backlinks};
use crate::query::engine::fields::outgoing::OUTGOING_FIELDS;
use crate::query::engine::fields::pages::PAGE_FIELDS;
use crate::query::engine::fields::{RowKind, RowType};
use crate::query::engine::row_set::RowSet;
use crate::query::engine::table::{Table, TableBuilder};
use crate::query::lookup::NameLookup;
use crate::query::scan::Scan;
use crate::query::selection::SameDomainLinks;
use crate::query::thread_pool::parallel;
use crate::store::BacklinkBatch;
use crate::urls::host_of;

/// Rows read before they are appended to the table: enough to share the work among threads, and few enough to
/// be read and decoded within some milliseconds.
const BATCH: usize = 8_192;

/// Rows of a selection that were read from the store.
#[derive(Debug)]
pub struct StoredRows {
    pub row_set: RowSet,
    /// When each link was seen and lost; for backlinks only.
    pub history: Option<LinkHistory>,
    /// Whether these are all rows.
    pub is_complete: bool,
}

impl RowSet {
    /// Reads the first rows of a selection. Backlinks are read in whole batches, so there may be more than
    /// `limit`.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::TooManyRows`]; [`QueryError::Declaration`] for
    /// rows that the store does not hold.
    pub fn read(
        scan: &Scan<'_>,
        rows: RowKind,
        limit: usize,
        lookup: &dyn NameLookup,
    ) -> Result<StoredRows, QueryError> {
        let (table, history, is_complete) = match rows {
            RowKind::Backlinks => {
                let (table, absences, is_complete) = backlinks(scan, limit)?;
                let (first_seen, domain) =
                    (table.column("insDate")?.clone(), table.column("domain")?.clone());
                (table, Some(LinkHistory { first_seen, domain, absences }), is_complete)
            }
            RowKind::Outgoing => {
                let (table, is_complete) =
                    fill(scan, TableBuilder::new(OUTGOING_FIELDS), scan.outgoing(), limit)?;
                (table, None, is_complete)
            }
            RowKind::Pages => {
                let (table, is_complete) = fill(scan, TableBuilder::new(PAGE_FIELDS), scan.pages(), limit)?;
                (table, None, is_complete)
            }
            // These rows are computed for each query.
            RowKind::Referrers
            | RowKind::Competitors
            | RowKind::DomainChanges
            | RowKind::Hops
            | RowKind::Domains => {
                return Err(QueryError::Declaration(format!("{rows:?}")));
            }
        };
        scan.deadline.check()?;
        Ok(StoredRows { row_set: Self::new(table, rows, lookup, scan.deadline)?, history, is_complete })
    }
}

/// Reads at least the first `limit` backlinks of a selection. Returns the table, the absences, and whether
/// these are all rows. While one batch is appended to the table, the next one is read.
fn backlinks(scan: &Scan<'_>, limit: usize) -> Result<(Table, Vec<RowAbsence>, bool), QueryError> {
    let Scan { snapshot, selection, suffixes, deadline } = *scan;
    let (mut table, mut absences) = (TableBuilder::<Backlinks>::new(BACKLINK_FIELDS), Vec::new());
    let mut batches = snapshot.backlink_batches(&selection.scope, limit.min(BATCH));
    let mut next = batches.next().transpose()?;
    while let Some(batch) = next {
        deadline.check()?;
        let mut take = || append_batch(&batch, scan, &mut table, &mut absences);
        let (taken, read) = if batch.len() < BATCH {
            (take(), batches.next())
        } else {
            parallel(|| rayon::join(take, || batches.next()))
        };
        taken?;
        next = read.transpose()?;
        if table.rows() >= limit {
            break;
        }
    }
    Ok((table.finish(suffixes, deadline)?, absences, next.is_none()))
}

/// Appends a batch to the table.
fn append_batch(
    batch: &BacklinkBatch,
    scan: &Scan<'_>,
    table: &mut TableBuilder<Backlinks>,
    absences: &mut Vec<RowAbsence>,
) -> Result<(), QueryError> {
    let Scan { selection, suffixes, deadline, .. } = *scan;
    let mut links = batch.rows()?;
    if selection.internal == SameDomainLinks::Exclude {
        links.retain(|link| selection.counts_source(host_of(link.source), suffixes));
    }
    for (row, link) in (table.rows() as u32..).zip(&links) {
        let row_absence =
            |absence: &Absence| (row, absence.lost.as_number(), absence.back.map(Day::as_number));
        absences.extend(link.absences.iter().map(row_absence));
    }
    table.push(&links, suffixes, deadline)
}

/// Reads at most `limit` rows into a table. Also returns whether these are all rows.
fn fill<F, R>(
    scan: &Scan<'_>,
    mut table: TableBuilder<F>,
    mut rows: impl Iterator<Item = Result<R, QueryError>>,
    limit: usize,
) -> Result<(Table, bool), QueryError>
where
    F: for<'a> RowType<Row<'a> = R>,
    R: Sync,
{
    loop {
        let left = limit - table.rows();
        let batch = rows.by_ref().take(left.min(BATCH)).collect::<Result<Vec<R>, QueryError>>()?;
        if batch.is_empty() {
            let is_complete = left > 0 || rows.next().is_none();
            return Ok((table.finish(scan.suffixes, scan.deadline)?, is_complete));
        }
        table.push(&batch, scan.suffixes, scan.deadline)?;
    }
}
