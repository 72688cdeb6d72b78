//! Rows of `visits`: what is kept of an imported page beside its record and links.
//!
//! A row is one byte of marks, then the visits, compressed: neighbouring visits of a page share most of their links.
//! A page with one visit needs the marks alone.

use crate::model::{OutlinkRecord, StoredPage};
use crate::store::codec::varint::{Damage, Reader, put_varint};
use crate::store::db::rows::RowValue;
use crate::store::db::schema::VISITS;
use crate::store::queue::resting_pages::AT_REST;
use crate::store::{Store, StoreError};
use crate::urls::CanonicalUrl;

use super::past_visit::{PastVisit, is_not_modified};

/// Maximum bytes of the visits of a page before compression, as far as more than one is kept.
const MAX_BYTES: usize = 8 << 20;
/// A greater length in a row is damage: the links of one visit are never as large.
const MAX_DECODED_BYTES: usize = 256 << 20;
/// Level of zstd: the fastest finds the repeated links.
const COMPRESSION_LEVEL: i32 = 1;

const VISITED_LIVE: u8 = 2;
const ONLY_VISIT: u8 = 4;

/// The history of an imported page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::store) struct PageHistory {
    /// Whether the crawl does not know the page: it is neither queued nor scheduled nor in the seen set. A page with a
    /// next visit is not at rest, whatever this says.
    pub at_rest: bool,
    /// Whether the crawler visited the page after the visits of the row.
    pub visited_live: bool,
    /// Encoded visits, sorted. `None`: page and links are as their only visit left them.
    pub visits: Option<Vec<Vec<u8>>>,
}

impl PageHistory {
    pub(crate) fn is_only_visit(&self) -> bool {
        self.visits.is_none()
    }

    /// Keeps the only visit, before another one changes the page and its links.
    pub(crate) fn keep_only_visit(&mut self, url: &CanonicalUrl, page: &StoredPage, links: &[OutlinkRecord]) {
        self.visits.get_or_insert_with(|| vec![PastVisit::only_visit(page, links).encode(url, page.visited)]);
    }

    /// Notes a visit of the crawler, which plans the next one. Returns whether the row changes.
    pub(crate) fn note_live_visit(&mut self) -> bool {
        let before = (self.at_rest, self.visited_live);
        (self.at_rest, self.visited_live) = (false, true);
        before != (false, true)
    }

    /// Whether page and links hold more than the visits of the row.
    pub(crate) fn lacks_visits_of(&self, page: Option<&StoredPage>) -> bool {
        let makes_page = |visits: &Vec<Vec<u8>>| !visits.iter().all(|visit| is_not_modified(visit));
        self.visited_live || page.is_some() && !self.visits.as_ref().is_none_or(makes_page)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let marks =
            [(self.at_rest, AT_REST), (self.visited_live, VISITED_LIVE), (self.is_only_visit(), ONLY_VISIT)];
        let mut out = vec![marks.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum()];
        let Some(visits) = &self.visits else { return Ok(out) };
        let mut plain = Vec::with_capacity(visits.iter().map(|visit| visit.len() + 4).sum());
        for visit in visits {
            put_varint(&mut plain, visit.len() as u64);
            plain.extend_from_slice(visit);
        }
        put_varint(&mut out, plain.len() as u64);
        out.extend(zstd::bulk::compress(&plain, COMPRESSION_LEVEL).map_err(StoreError::Compression)?);
        Ok(out)
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, Damage> {
        let mut reader = Reader(value);
        let marks = reader.byte("the marks")?;
        if marks & !(AT_REST | VISITED_LIVE | ONLY_VISIT) != 0 {
            return Err(Damage("the marks"));
        }
        let (at_rest, visited_live) = (marks & AT_REST != 0, marks & VISITED_LIVE != 0);
        if marks & ONLY_VISIT != 0 {
            reader.end()?;
            return Ok(Self { at_rest, visited_live, visits: None });
        }
        let wrong = Damage("the compressed visits");
        let length = usize::try_from(reader.varint("the length")?).map_err(|_| wrong)?;
        if length > MAX_DECODED_BYTES {
            return Err(wrong);
        }
        let plain = zstd::bulk::decompress(reader.0, length).map_err(|_| wrong)?;
        if plain.len() != length {
            return Err(wrong);
        }
        let (mut reader, mut visits) = (Reader(&plain), Vec::new());
        while !reader.0.is_empty() {
            let length = reader.count("the length of a visit")?;
            visits.push(reader.bytes(length, "a visit")?.to_vec());
        }
        Ok(Self { at_rest, visited_live, visits: Some(visits) })
    }
}

/// Whether a row needs no change after another visit of the crawler.
pub(in crate::store) fn is_marked_live(value: &[u8]) -> bool {
    value.first().is_some_and(|marks| marks & (AT_REST | VISITED_LIVE) == VISITED_LIVE)
}

/// Drops visits beyond the limits: those in the middle. The first and the last one stay. Returns the dropped ones.
pub(super) fn drop_middle(visits: &mut Vec<Vec<u8>>, limit: usize) -> Vec<Vec<u8>> {
    let mut dropped = Vec::new();
    if visits.len() > limit {
        dropped.extend(visits.drain(limit / 2..visits.len() - (limit - limit / 2)));
    }
    let mut bytes: usize = visits.iter().map(Vec::len).sum();
    while bytes > MAX_BYTES && visits.len() > 1 {
        let visit = visits.remove((visits.len() - 1) / 2);
        bytes -= visit.len();
        dropped.push(visit);
    }
    dropped
}

impl Store {
    pub(in crate::store) fn read_page_history(&self, key: &[u8]) -> Result<Option<PageHistory>, StoreError> {
        let decode = |value: RowValue<'_>| PageHistory::decode(&value);
        let history = self.get(VISITS, key)?.map(decode).transpose();
        history.map_err(|damage| StoreError::damaged(VISITS, key, damage.0))
    }
}
