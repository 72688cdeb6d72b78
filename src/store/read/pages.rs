//! Reads one page or its links.

use crate::model::{OutlinkRecord, StoredPage};
use crate::store::db::rows::RowValue;
use crate::store::db::schema::{OUTLINKS, PAGES};
use crate::store::{Store, StoreError, codec};
use crate::urls::{CanonicalUrl, Surt};

impl Store {
    /// The current record of a page.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn page(&self, url: &CanonicalUrl) -> Result<Option<StoredPage>, StoreError> {
        self.read_page(Surt::from(url).as_bytes())
    }

    pub(in crate::store) fn read_page(&self, key: &[u8]) -> Result<Option<StoredPage>, StoreError> {
        page_from(key, self.get(PAGES, key)?)
    }

    pub(in crate::store) fn read_outlinks(
        &self,
        url: &CanonicalUrl,
        key: &[u8],
    ) -> Result<Vec<OutlinkRecord>, StoreError> {
        outlinks_from(url, key, self.get(OUTLINKS, key)?)
    }
}

/// Decodes the page of a key, from its value in the database or in a snapshot.
pub(in crate::store) fn page_from(
    key: &[u8],
    value: Option<RowValue<'_>>,
) -> Result<Option<StoredPage>, StoreError> {
    let decode = |value: RowValue<'_>| codec::decode_page(&value);
    value.map(decode).transpose().map_err(|damage| StoreError::damaged(PAGES, key, damage.0))
}

/// Decodes the links of a page. Without a value, there are none.
pub(in crate::store) fn outlinks_from(
    url: &CanonicalUrl,
    key: &[u8],
    value: Option<RowValue<'_>>,
) -> Result<Vec<OutlinkRecord>, StoreError> {
    let decode = |value: RowValue<'_>| codec::decode_outlinks(url, &value);
    value.map_or(Ok(Vec::new()), decode).map_err(|damage| StoreError::damaged(OUTLINKS, key, damage.0))
}
