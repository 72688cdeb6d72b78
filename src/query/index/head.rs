//! Answers from the head of a view, without the rest of the index.

use std::sync::Arc;

use super::entry::{CacheEntry, CacheValue, Dependencies, EntryKey, EntryKind};
use super::file::FileMetadata;
use super::{IndexAnswer, ListQuery, SearchIndexes};
use crate::query::engine::row_set::RowSet;
use crate::query::engine::table::Table;
use crate::query::engine::view::head::ViewHead;
use crate::query::lookup::SnapshotLookup;
use crate::query::{Deadline, LinkStates, Listing, QueryError, Selection, View};

/// Rows that an index file stores a second time, at its beginning: a few pages of the usual size.
pub(super) const HEAD_ROWS: usize = 1_000;

impl SearchIndexes {
    /// The head of a view, if it is cached and may contain all rows of the answer. There is no head if the
    /// whole view is in memory, which serves as well.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub(super) fn head(
        &self,
        selection: &Arc<Selection>,
        query: &ListQuery<'_>,
        deadline: &Deadline,
    ) -> Result<Option<IndexAnswer<Arc<ViewHead>>>, QueryError> {
        let listing = query.listing;
        let has_head = listing.group_by.is_some() || listing.shows_stored_rows();
        if !has_head || !query.plan.shows_all_in_default_order() || query.link_states != LinkStates::Active {
            return Ok(None);
        }
        let cache = &self.cache;
        let dependencies = Dependencies::of(listing);
        let view_key = EntryKey::new(selection, EntryKind::View(listing.name, LinkStates::Active));
        if cache.memory().get(&view_key).is_some() {
            return Ok(None);
        }
        let key = EntryKey::new(selection, EntryKind::ViewHead(listing.name));
        if let Some(CacheEntry { value: CacheValue::ViewHead(head), origin }) =
            cache.get(&key, dependencies)?
        {
            return Ok(Some(IndexAnswer::complete(head, &origin)));
        }
        let file_key = match listing.group_by {
            Some(_) => view_key,
            None => EntryKey::new(selection, EntryKind::RowSet(listing.rows)),
        };
        let Some((reader, origin)) = cache.open_file(&file_key, dependencies)? else { return Ok(None) };
        let table = match reader.head(deadline) {
            Ok(table) => table,
            Err(error) => {
                cache.discard_file(&file_key, &error)?;
                return Ok(None);
            }
        };
        let head = Arc::new(self.head_of_table(listing, table, reader.metadata(), deadline)?);
        cache.insert(key, CacheEntry { value: CacheValue::ViewHead(Arc::clone(&head)), origin });
        Ok(Some(IndexAnswer::complete(head, &origin)))
    }

    /// The head of a view, from the first rows of an index file.
    fn head_of_table(
        &self,
        listing: &'static Listing,
        table: Table,
        metadata: &FileMetadata,
        deadline: &Deadline,
    ) -> Result<ViewHead, QueryError> {
        if listing.group_by.is_some() {
            let view = View::of_table(listing, &table, metadata.links)?;
            return Ok(ViewHead { view, count: metadata.rows });
        }
        let active_rows = metadata.active_rows.min(table.rows());
        let row_set = RowSet { table, active_rows };
        let snapshot = self.cache.store.snapshot();
        let lookup = SnapshotLookup { snapshot: &snapshot, suffixes: &self.cache.suffixes, deadline };
        let view = View::of(listing, &row_set, LinkStates::Active, &lookup, deadline)?;
        Ok(ViewHead { view, count: metadata.active_rows })
    }
}
