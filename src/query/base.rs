//! All rows of a selection, with all their fields, in the order that pages of plain rows have by default: what
//! every view is made from.
//!
//! | rows | order |
//! |---|---|
//! | backlinks | active before lost; rank of their page, descending; key |
//! | outgoing links | first day, descending; key |
//! | pages | key |

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::column::{Column, Meaning, Value};
use super::compute::Compute;
use super::field::{BACKLINK_FIELDS, Backlinks, Family, KEY, OUTGOING_FIELDS, PAGE_FIELDS, RANK, Rows};
use super::history::{Absence, Past};
use super::looked_up::looked_up;
use super::lookup::LookUp;
use super::order::sort_numbers;
use super::pool::parallel;
use super::scan::{Activity, Internal, Scan};
use super::table::{Table, TableBuilder};
use super::view::{Parts, View};
use super::{Deadline, Listing, QueryError};
use crate::model::{BacklinkRecord, Day, SearchRank, Toggle};
use crate::store::{BacklinkBatch, BacklinkView};
use crate::urls::{Suffixes, host_of};

/// The highest rank, in hundredths.
const MAX_RANK: u32 = SearchRank::MAX.0 as u32;

/// Rows read before they are put into columns: enough to share the work among threads, and no more than is read and
/// decoded in some milliseconds.
const BATCH: usize = 8_192;

/// All rows of a selection.
#[derive(Clone, Debug, Default)]
pub struct Base {
    pub(super) table: Table,
    /// The first so many rows are active, the others lost.
    pub(super) active: usize,
}

/// As much of a selection as was to be read.
#[derive(Debug)]
pub struct Reading {
    pub base: Base,
    /// What the links went through; for backlinks alone.
    pub past: Option<Past>,
    /// Whether there are no more rows.
    pub complete: bool,
}

impl Base {
    /// Reads the rows of a selection, at most the first `limit`.
    ///
    /// # Errors
    /// What the store or the deadline reports; [`QueryError::TooManyRows`].
    pub fn read(
        scan: &Scan<'_>,
        rows: Rows,
        limit: usize,
        look_up: &dyn LookUp,
    ) -> Result<Reading, QueryError> {
        let (table, past, complete) = match rows {
            Rows::Backlinks => {
                let (table, absences, complete) = backlinks(scan, limit)?;
                let (first_seen, domain) =
                    (table.column("insDate")?.clone(), table.column("domain")?.clone());
                (table, Some(Past { first_seen, domain, absences }), complete)
            }
            Rows::Outgoing => {
                let (table, complete) =
                    fill(scan, TableBuilder::new(OUTGOING_FIELDS), scan.outgoing(), limit)?;
                (table, None, complete)
            }
            Rows::Pages => {
                let (table, complete) = fill(scan, TableBuilder::new(PAGE_FIELDS), scan.pages(), limit)?;
                (table, None, complete)
            }
            // These are made for each question anew.
            Rows::Intersection | Rows::Competitors | Rows::Hops => {
                return Err(QueryError::Declaration(format!("{rows:?}")));
            }
        };
        scan.deadline.check()?;
        Ok(Reading { base: Self::new(table, rows, look_up, scan.deadline)?, past, complete })
    }

    /// The base of backlinks that lie at hand, in key order.
    ///
    /// # Errors
    /// What a look-up reports.
    pub fn of_backlinks(
        links: &[BacklinkRecord],
        suffixes: &Suffixes,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let views: Vec<BacklinkView<'_>> = links.iter().map(BacklinkView::from).collect();
        let table = TableBuilder::of(BACKLINK_FIELDS, &views, suffixes, deadline)?;
        Self::new(table, Rows::Backlinks, look_up, deadline)
    }

    /// The table with the place of each row.
    pub(super) fn keyed(mut table: Table) -> Table {
        table.add(KEY, Column::new((0..table.rows() as u32).collect(), Meaning::Number));
        table
    }

    /// A base of rows that stand in key order.
    fn new(
        mut table: Table,
        rows: Rows,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let count = table.rows();
        table = Self::keyed(table);
        let order = match rows {
            Rows::Backlinks => {
                let ranks = ranks_of(table.column("backlinkpage")?, look_up, deadline)?;
                let active = table.column("active")?;
                let lost = |row: usize| u32::from(active.cell(row) == 0);
                let order = ascending(count, |row| lost(row) << 16 | (MAX_RANK - ranks.cell(row)), deadline)?;
                table.add(RANK, ranks);
                order
            }
            Rows::Outgoing => {
                let ranks = ranks_of(table.column("url")?, look_up, deadline)?;
                let days = table.column("cdate")?;
                let order = ascending(count, |row| u32::MAX - days.cell(row), deadline)?;
                table.add(RANK, ranks);
                order
            }
            _ => return Ok(Self { table, active: count }),
        };
        let table = table.pick(&order, deadline)?;
        let active = match table.column("active") {
            Ok(active) => (0..count).take_while(|&row| active.cell(row) != 0).count(),
            Err(_) => count,
        };
        Ok(Self { table, active })
    }

    /// How many rows there are, lost ones included.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    fn range(&self, activity: Activity) -> Range<usize> {
        match activity {
            Activity::Active => 0..self.active,
            Activity::Inactive => self.active..self.rows(),
            Activity::Both => 0..self.rows(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.table.bytes()
    }
}

impl View {
    /// The view of a listing over a base.
    ///
    /// # Errors
    /// What a look-up or the deadline reports; [`QueryError::Declaration`] where listing and rows do not fit.
    pub fn of(
        listing: &'static Listing,
        base: &Base,
        activity: Activity,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        match listing.group_by {
            Some(key) => Self::of_groups(listing, key, base, look_up, deadline),
            None => Self::of_rows(listing, base, activity, look_up, deadline),
        }
    }

    /// The rows of a base as a listing without groups shows them.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn of_rows(
        listing: &'static Listing,
        base: &Base,
        activity: Activity,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Self, QueryError> {
        let all = |name: &str| Ok(base.table.column(name)?.clone());
        let mut rows = base.range(activity);
        let mut columns = Vec::new();
        for column in listing.columns.iter().filter(|column| column.from != Compute::RowNumber) {
            let cells = match column.from {
                Compute::Alike(name) => alike(base.table.column(name)?, rows.clone(), deadline)?,
                from => looked_up(from, &all, look_up, deadline)?,
            };
            columns.push((column.name, cells));
        }
        let mut tie = base.table.column(KEY)?.clone();
        if let Some(only) = listing.only {
            let flag = looked_up(only, &all, look_up, deadline)?;
            let mut left = Vec::new();
            for row in rows {
                deadline.check_at(row)?;
                if flag.cell(row) != 0 {
                    left.push(row as u32);
                }
            }
            for (_, column) in &mut columns {
                *column = column.pick(&left, deadline)?;
            }
            tie = tie.pick(&left, deadline)?;
            rows = 0..left.len();
        }
        // Lost rows stand behind the active ones: each part is in order, both together are not.
        let one_part = activity != Activity::Both || base.active == base.rows();
        let in_order = one_part && listing.default_order == listing.rows.stored_order();
        let links = rows.len() as u64;
        Ok(Self::new(listing, Parts { columns, tie, rows, in_order, links }))
    }
}

/// How many of some rows have the value that each row has.
fn alike(column: &Column, rows: Range<usize>, deadline: &Deadline) -> Result<Column, QueryError> {
    let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
    for row in rows {
        deadline.check_at(row)?;
        *counts.entry(column.cell(row)).or_default() += 1;
    }
    let mut cells = Vec::with_capacity(column.rows());
    for (row, cell) in column.cells().iter().enumerate() {
        deadline.check_at(row)?;
        cells.push(counts.get(&cell).copied().unwrap_or(0));
    }
    Ok(Column::new(cells, Meaning::Number))
}

/// The ranks of the pages that a column names.
fn ranks_of(pages: &Column, look_up: &dyn LookUp, deadline: &Deadline) -> Result<Column, QueryError> {
    let codes = 0..pages.codes().unwrap_or(0) as u32;
    let names: Vec<&str> = codes
        .map(|code| match pages.meaning_of(code) {
            Value::Text(name) => name,
            _ => "",
        })
        .collect();
    let ranks = look_up.page_ranks(&names)?;
    let mut cells = Vec::with_capacity(pages.rows());
    for (row, code) in pages.cells().iter().enumerate() {
        deadline.check_at(row)?;
        cells.push(ranks[code as usize]);
    }
    Ok(Column::new(cells, Meaning::Hundredths))
}

/// Rows in ascending order of a number, rows with one number in their own order.
fn ascending(
    rows: usize,
    number: impl Fn(usize) -> u32,
    deadline: &Deadline,
) -> Result<Vec<u32>, QueryError> {
    let mut keyed: Vec<u64> = (0..rows).map(|row| u64::from(number(row)) << 32 | row as u64).collect();
    sort_numbers(&mut keyed, deadline)?;
    Ok(keyed.into_iter().map(|key| key as u32).collect())
}

/// Reads the backlinks of a selection, at least the first `limit` if there are so many: the table, the absences, and
/// whether there are no more. While one batch is put into columns, the next is read.
fn backlinks(scan: &Scan<'_>, limit: usize) -> Result<(Table, Vec<Absence>, bool), QueryError> {
    let Scan { snapshot, selection, suffixes, deadline } = *scan;
    let (mut table, mut absences) = (TableBuilder::<Backlinks>::new(BACKLINK_FIELDS), Vec::new());
    let mut batches = snapshot.backlink_batches(&selection.scope, limit.min(BATCH));
    let mut next = batches.next().transpose()?;
    while let Some(batch) = next {
        deadline.check()?;
        let mut take = || take_in(&batch, scan, &mut table, &mut absences);
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

/// Puts a batch into columns.
fn take_in(
    batch: &BacklinkBatch,
    scan: &Scan<'_>,
    table: &mut TableBuilder<Backlinks>,
    absences: &mut Vec<Absence>,
) -> Result<(), QueryError> {
    let Scan { selection, suffixes, deadline, .. } = *scan;
    let mut links = batch.rows()?;
    if selection.internal == Internal::Exclude {
        links.retain(|link| selection.counts_source(host_of(link.source), suffixes));
    }
    for (row, link) in (table.rows() as u32..).zip(&links) {
        let absence = |toggle: &Toggle| (row, toggle.lost.as_number(), toggle.back.map(Day::as_number));
        absences.extend(link.toggles.iter().map(absence));
    }
    table.push(&links, suffixes, deadline)
}

impl<'a> From<&'a BacklinkRecord> for BacklinkView<'a> {
    fn from(link: &'a BacklinkRecord) -> Self {
        let page = &link.page;
        Self {
            source: link.source.as_str(),
            target: link.target.as_str(),
            seq: link.seq,
            pos: link.pos,
            tag: link.tag,
            rel: link.rel,
            anchor: &link.anchor,
            ins_day: link.ins_day,
            toggles: link.toggles.clone(),
            blpcount: link.blpcount,
            title: &page.title,
            ip: page.ip,
            ccode: &page.place.ccode,
            country: &page.place.country,
            city: &page.place.city,
            int_links: page.int_links,
            ext_links: page.ext_links,
            upd_day: page.upd_day,
        }
    }
}

/// Reads rows into a table, at most so many; tells whether there are no more.
fn fill<F, R>(
    scan: &Scan<'_>,
    mut table: TableBuilder<F>,
    mut rows: impl Iterator<Item = Result<R, QueryError>>,
    limit: usize,
) -> Result<(Table, bool), QueryError>
where
    F: for<'a> Family<Row<'a> = R>,
    R: Sync,
{
    loop {
        let left = limit - table.rows();
        let batch = rows.by_ref().take(left.min(BATCH)).collect::<Result<Vec<R>, QueryError>>()?;
        if batch.is_empty() {
            let complete = left > 0 || rows.next().is_none();
            return Ok((table.finish(scan.suffixes, scan.deadline)?, complete));
        }
        table.push(&batch, scan.suffixes, scan.deadline)?;
    }
}
