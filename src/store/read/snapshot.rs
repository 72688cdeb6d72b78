//! A consistent snapshot of the database, read by scope in key order.

use crate::model::{BacklinkRecord, OutlinkRecord, StoredPage};
use crate::store::codec::varint::Damage;
use crate::store::db::rows::{DatabaseState, ReadPattern, RowCursor, RowValue};
use crate::store::db::schema::{BACKLINKS, CHANGES, OUTLINKS, PAGES};
use crate::store::write::change_numbers::{
    ChangeNumbers, Direction, LAST_CHANGE_KEY, decode_number, domain_key,
};
use crate::store::{Store, StoreError, codec};
use crate::urls::{CanonicalUrl, Scope, Surt};

use super::pages::{outlinks_from, page_from};
use super::scan::ScanRange;

/// A consistent state of the database. Cheap to take. While it lives, compactions keep its rows.
pub struct Snapshot<'a> {
    pub(in crate::store) store: &'a Store,
    state: DatabaseState<'a>,
}

/// Rows in key order. The first error ends them.
pub type Rows<'a, T> = Box<dyn Iterator<Item = Result<T, StoreError>> + 'a>;

/// A row with its key, from which a later read can continue.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyed<T> {
    pub key: Vec<u8>,
    pub value: T,
}

/// A visited page with its active links in order of position.
#[derive(Clone, Debug, PartialEq)]
pub struct PageLinks {
    pub url: CanonicalUrl,
    pub page: StoredPage,
    pub links: Vec<OutlinkRecord>,
}

impl<'a> Snapshot<'a> {
    pub(in crate::store) fn new(store: &'a Store) -> Self {
        Self { store, state: store.state() }
    }

    /// All external links into the scope, active and lost, in key order, strictly after the key `after`.
    pub fn backlinks(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<BacklinkRecord>> {
        self.rows_of(BACKLINKS, scope, after, |key, value| {
            codec::decode_backlink(key, value).map(|value| Keyed { key: key.to_vec(), value })
        })
    }

    /// All visited pages of the scope, in key order, strictly after the key `after`. [`Self::outlinks`] reads their
    /// links.
    pub fn pages(&self, scope: &Scope, after: Option<&[u8]>) -> Rows<'_, Keyed<(CanonicalUrl, StoredPage)>> {
        self.rows_of(PAGES, scope, after, |key, value| {
            Ok(Keyed { key: key.to_vec(), value: decode_row(key, value)? })
        })
    }

    /// One page, or `None` if it was never visited.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn page(&self, url: &CanonicalUrl) -> Result<Option<StoredPage>, StoreError> {
        let key = Surt::from(url);
        page_from(key.as_bytes(), self.get(PAGES, key.as_bytes())?)
    }

    /// All links of one page: the active ones in order of position, then the lost ones.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn outlinks(&self, url: &CanonicalUrl) -> Result<Vec<OutlinkRecord>, StoreError> {
        let key = Surt::from(url);
        outlinks_from(url, key.as_bytes(), self.get(OUTLINKS, key.as_bytes())?)
    }

    /// Every visited page with its active links, in key order: the link graph.
    pub fn graph(&self) -> Rows<'_, PageLinks> {
        let range = ScanRange {
            family: PAGES,
            prefixes: vec![Vec::new()],
            scope: None,
            after: None,
            pattern: ReadPattern::Random,
        };
        let pages = self.rows(range, decode_row);
        Box::new(pages.map(|row| {
            let (url, page) = row?;
            let mut links = self.outlinks(&url)?;
            links.retain(OutlinkRecord::is_active);
            Ok(PageLinks { url, page, links })
        }))
    }

    pub(in crate::store) fn get(
        &self,
        family: &'static str,
        key: &[u8],
    ) -> Result<Option<RowValue<'_>>, StoreError> {
        self.state.get(family, key)
    }

    /// A cursor over the rows of a column family before `end`. The caller must move it to its first row.
    pub(in crate::store) fn cursor(
        &self,
        family: &'static str,
        pattern: ReadPattern,
        end: Option<Vec<u8>>,
    ) -> Result<RowCursor<'_>, StoreError> {
        self.state.cursor(family, pattern, end)
    }
}

fn decode_row(key: &[u8], value: &[u8]) -> Result<(CanonicalUrl, StoredPage), Damage> {
    let url = Surt::bytes_to_url(key).map_err(|_| Damage("the URL"))?;
    Ok((url, codec::decode_page(value)?))
}

impl Snapshot<'_> {
    /// The change numbers of a registrable domain.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a number is damaged.
    pub fn changes(&self, domain: &str) -> Result<ChangeNumbers, StoreError> {
        Ok(ChangeNumbers {
            incoming: self.change_number_of(&domain_key(Direction::Incoming, domain))?,
            outgoing: self.change_number_of(&domain_key(Direction::Outgoing, domain))?,
        })
    }

    /// The number of the last commit that changed anything, ranks included; 0 before the first.
    ///
    /// # Errors
    /// As [`Self::changes`].
    pub fn last_change(&self) -> Result<u64, StoreError> {
        self.change_number_of(LAST_CHANGE_KEY)
    }

    fn change_number_of(&self, key: &[u8]) -> Result<u64, StoreError> {
        decode_number(key, self.get(CHANGES, key)?.as_deref())
    }
}
