//! Exports from an index in memory: the same rows as an export from the store, several times as fast.

use std::sync::Arc;

use super::SearchIndexes;
use super::entry::{CacheEntry, CacheValue, Dependencies, EntryKey, EntryKind, ValueOrigin};
use crate::query::engine::column::Value;
use crate::query::engine::expression::ColumnExpr;
use crate::query::engine::row_set::RowSet;
use crate::query::engine::view::missing_column;
use crate::query::lookup::SnapshotLookup;
use crate::query::{Deadline, IndexState, LinkStates, Listing, QueryError, RowPage, Selection, View};
use crate::store::backlink_key_of_texts;

/// A chunk of an export: consecutive rows, read from an index.
#[derive(Debug)]
pub struct IndexedChunk {
    pub page: RowPage,
    /// The key after which the export continues; `None` at its end.
    pub next: Option<Vec<u8>>,
    /// The state of the store that it is of.
    pub state: Option<IndexState>,
}

/// The rows of an index, the view that shows them in key order, and their state.
type InKeyOrder = (Arc<RowSet>, Arc<View>, Option<IndexState>);

impl SearchIndexes {
    /// At most `limit` backlinks, active or not, in key order, strictly after the key `after`, with the named
    /// columns of a listing. `None` if memory holds no current index. None is built for an export.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::Declaration`] when listing and rows do not
    /// match.
    pub fn export(
        &self,
        selection: &Arc<Selection>,
        listing: &'static Listing,
        names: &[&str],
        (after, limit): (Option<&[u8]>, usize),
        deadline: &Deadline,
    ) -> Result<Option<IndexedChunk>, QueryError> {
        let Some((row_set, view, state)) = self.in_key_order(selection, listing, deadline)? else {
            return Ok(None);
        };
        let order = view.permutation(&[], deadline)?;
        let key = |row: u32| row_set.store_key(row);
        let start = match after {
            None => 0,
            Some(after) => partition(&order, |row| Ok(key(row)?.as_slice() <= after))?,
        };
        let rest = &order[start..];
        let shown = &rest[..rest.len().min(limit)];
        let mut plan = listing.plan(None, std::iter::empty())?;
        let column =
            |name: &&str| listing.column(name).ok_or_else(|| QueryError::Declaration((*name).to_owned()));
        plan.columns = names.iter().map(column).collect::<Result<_, _>>()?;
        let page = view.page_of_rows(&plan, shown, 0, shown.len(), deadline, missing_column)?;
        let next = match shown.last() {
            _ if shown.len() == rest.len() => None,
            Some(&last) => Some(key(last)?),
            None => Some(after.unwrap_or_default().to_vec()),
        };
        Ok(Some(IndexedChunk { page, next, state }))
    }

    fn in_key_order(
        &self,
        selection: &Arc<Selection>,
        listing: &'static Listing,
        deadline: &Deadline,
    ) -> Result<Option<InKeyOrder>, QueryError> {
        let (cache, dependencies) = (&self.cache, Dependencies::of(listing));
        let rows_key = EntryKey::new(selection, EntryKind::RowSet(listing.rows));
        let Some(CacheEntry { value: CacheValue::RowSet(row_set), origin }) =
            cache.get(&rows_key, dependencies)?.filter(|entry| entry.origin.is_current())
        else {
            return Ok(None);
        };
        let view_key = EntryKey::new(selection, EntryKind::View(listing.name, LinkStates::Both));
        if let Some(CacheEntry { value: CacheValue::View(view), origin: of_view }) =
            cache.get(&view_key, dependencies)?
            && of_view.version == origin.version
        {
            return Ok(Some((row_set, view, origin.state)));
        }
        let snapshot = cache.store.snapshot();
        let lookup = SnapshotLookup { snapshot: &snapshot, suffixes: &cache.suffixes, deadline };
        let view = Arc::new(View::of(listing, &row_set, LinkStates::Both, &lookup, deadline)?);
        let origin = ValueOrigin { current_at_change: None, ..origin };
        cache.insert(view_key, CacheEntry { value: CacheValue::View(Arc::clone(&view)), origin });
        Ok(Some((row_set, view, origin.state)))
    }
}

impl RowSet {
    /// The store key of a backlink.
    fn store_key(&self, row: u32) -> Result<Vec<u8>, QueryError> {
        let value = |name: &str| Ok::<_, QueryError>(self.table.column(name)?.value(row as usize));
        let key = match (value("linktarget")?, value("backlinkpage")?, value("seq")?) {
            (Value::Text(target), Value::Text(source), Value::Number(seq)) => {
                backlink_key_of_texts(target, source, seq)
            }
            _ => None,
        };
        key.ok_or_else(|| QueryError::Declaration(format!("{:?}", ColumnExpr::Field("seq"))))
    }
}

/// The number of rows before the first one that fails the test.
fn partition(rows: &[u32], passes: impl Fn(u32) -> Result<bool, QueryError>) -> Result<usize, QueryError> {
    let (mut low, mut high) = (0, rows.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if passes(rows[middle])? { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}
