//! Backlinks of a scope in batches, for reading all of them in parallel. One thread copies rows from the database.
//! Other threads decode them into rows that borrow from the batch.

use std::ops::Range;
use std::sync::OnceLock;

use crate::store::codec::backlink::BacklinkRef;
use crate::store::codec::keys::split_backlink_key;
use crate::store::codec::varint::Damage;
use crate::store::db::rows::ReadPattern;
use crate::store::db::schema::BACKLINKS;
use crate::store::{Snapshot, StoreError, codec};
use crate::urls::{Scope, Surt};

use super::scan::{ScanRange, ScopeCursor};

/// Stored rows in key order. They are decoded on request.
#[derive(Debug, Default)]
pub struct BacklinkBatch {
    /// Key and value of each row, concatenated.
    bytes: Vec<u8>,
    ends: Vec<RowEnds>,
    urls: OnceLock<DecodedUrls>,
}

#[derive(Clone, Copy, Debug)]
struct RowEnds {
    key: usize,
    value: usize,
}

/// The URLs of the keys in ordinary form.
#[derive(Debug)]
struct DecodedUrls {
    text: String,
    rows: Vec<RowUrls>,
}

#[derive(Clone, Debug)]
struct RowUrls {
    target: Range<usize>,
    source: Range<usize>,
    seq: u32,
}

impl<'a> Snapshot<'a> {
    /// All external links into the scope, active and lost, in key order. Each batch has `rows_per_batch` rows (at
    /// least one); the last may have fewer. The first error ends them.
    pub fn backlink_batches(
        &self,
        scope: &Scope,
        rows_per_batch: usize,
    ) -> impl Iterator<Item = Result<BacklinkBatch, StoreError>> + use<'_, 'a> {
        let range = ScanRange {
            family: BACKLINKS,
            prefixes: scope.key_prefixes(&self.store.suffixes),
            scope: Some(scope.clone()),
            after: None,
            pattern: ReadPattern::Sequential,
        };
        let mut cursor = ScopeCursor::new(self, range);
        std::iter::from_fn(move || BacklinkBatch::read(&mut cursor, rows_per_batch.max(1)).transpose())
    }
}

impl BacklinkBatch {
    fn read(cursor: &mut ScopeCursor<'_>, rows: usize) -> Result<Option<Self>, StoreError> {
        let mut batch = Self::default();
        while batch.len() < rows && cursor.advance()? {
            let Some((key, value)) = cursor.row() else { break };
            batch.push(key, value);
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push(RowEnds { key, value: self.bytes.len() });
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Decodes the rows.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for the first row that cannot be read.
    pub fn rows(&self) -> Result<Vec<BacklinkRef<'_>>, StoreError> {
        let urls = match self.urls.get() {
            Some(urls) => urls,
            None => {
                let urls = self.decode_urls()?;
                self.urls.get_or_init(|| urls)
            }
        };
        self.raw_rows()
            .zip(&urls.rows)
            .map(|((key, value), row)| {
                let (source, target) = (&urls.text[row.source.clone()], &urls.text[row.target.clone()]);
                codec::decode_backlink_ref(source, target, row.seq, value)
                    .map_err(|damage| StoreError::damaged(BACKLINKS, key, damage.0))
            })
            .collect()
    }

    fn raw_rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|ends| ends.value));
        starts
            .zip(&self.ends)
            .map(|(start, ends)| (&self.bytes[start..ends.key], &self.bytes[ends.key..ends.value]))
    }

    /// Decodes the URLs of all keys. Rows are sorted by target, then by source, so most rows have the target of the
    /// previous row.
    fn decode_urls(&self) -> Result<DecodedUrls, StoreError> {
        let mut text = Vec::with_capacity(self.bytes.len() / 2);
        let mut rows: Vec<RowUrls> = Vec::with_capacity(self.len());
        let (mut last_target, mut last_source): (&[u8], &[u8]) = (&[], &[]);
        for (key, _) in self.raw_rows() {
            let damaged = |damage: Damage| StoreError::damaged(BACKLINKS, key, damage.0);
            let (target, source, seq) = split_backlink_key(key).map_err(damaged)?;
            let row = match rows.last() {
                Some(last) if last_target == target && last_source == source => {
                    RowUrls { seq, ..last.clone() }
                }
                Some(last) if last_target == target => {
                    let source = push_url(source, &mut text, "the source").map_err(damaged)?;
                    RowUrls { target: last.target.clone(), source, seq }
                }
                _ => {
                    let target = push_url(target, &mut text, "the target").map_err(damaged)?;
                    let source = push_url(source, &mut text, "the source").map_err(damaged)?;
                    RowUrls { target, source, seq }
                }
            };
            rows.push(row);
            (last_target, last_source) = (target, source);
        }
        let text = String::from_utf8(text).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let at = rows.iter().position(|row| row.target.end.max(row.source.end) > valid).unwrap_or(0);
            let key = self.raw_rows().nth(at).map_or(&[][..], |(key, _)| key);
            StoreError::damaged(BACKLINKS, key, "a URL")
        })?;
        Ok(DecodedUrls { text, rows })
    }
}

fn push_url(surt: &[u8], text: &mut Vec<u8>, what: &'static str) -> Result<Range<usize>, Damage> {
    let start = text.len();
    Surt::decode_url_into(surt, text).map_err(|_| Damage(what))?;
    Ok(start..text.len())
}
