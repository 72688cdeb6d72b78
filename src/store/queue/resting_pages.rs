//! Imported pages that the crawl does not know: neither queued nor scheduled nor in the seen set. A crawl that discovers
//! one fetches it as a new page.

use crate::store::StoreError;
use crate::store::db::rows::RowCursor;

/// Bit of the first byte of a row of `visits`: the page is at rest.
pub(in crate::store) const AT_REST: u8 = 1;

/// Whether a row of `visits` says that the crawl does not know its page.
pub(in crate::store) fn is_marked_at_rest(value: &[u8]) -> bool {
    value.first().is_some_and(|marks| marks & AT_REST != 0)
}

/// The pages at rest, for a scan of pages in the order of their keys.
pub(in crate::store) struct RestingPages<'a>(RowCursor<'a>);

impl<'a> RestingPages<'a> {
    /// From a cursor of `visits`.
    pub(crate) fn new(mut cursor: RowCursor<'a>) -> Self {
        cursor.seek_to_first();
        Self(cursor)
    }

    /// Whether a page is marked as at rest. Keys must ascend from call to call.
    pub(crate) fn contain(&mut self, key: &[u8]) -> Result<bool, StoreError> {
        while self.0.key().is_some_and(|at| at < key) {
            self.0.next();
        }
        let is_at_rest = self.0.item().is_some_and(|(at, value)| at == key && is_marked_at_rest(value));
        self.0.status()?;
        Ok(is_at_rest)
    }
}
