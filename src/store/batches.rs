//! The backlinks of a scope in batches, for whoever reads them all: one thread copies rows off the database, others
//! decode them, into views whose texts lie in the batch.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::OnceLock;

use crate::model::{Day, LinkTag, Rel, Toggle, is_active};
use crate::urls::{Scope, Surt};

use super::codec::Damage;
use super::keys::split_backlink;
use super::schema::BACKLINKS;
use super::walk::{Reading, ScopeCursor, Walk};
use super::{Snapshot, StoreError, values};

/// Rows as they are stored, in key order; nothing of them is decoded before it is asked for.
#[derive(Debug, Default)]
pub struct BacklinkBatch {
    /// Key and value of each row, end to end.
    bytes: Vec<u8>,
    ends: Vec<RowEnds>,
    urls: OnceLock<Urls>,
}

#[derive(Clone, Copy, Debug)]
struct RowEnds {
    key: usize,
    value: usize,
}

/// What the keys say, in ordinary form.
#[derive(Debug)]
struct Urls {
    text: String,
    rows: Vec<RowUrls>,
}

#[derive(Clone, Debug)]
struct RowUrls {
    target: Range<usize>,
    source: Range<usize>,
    seq: u32,
}

/// An external link seen from its target, as [`crate::model::BacklinkRecord`] is, with its texts lent.
#[derive(Clone, Debug, PartialEq)]
pub struct BacklinkView<'a> {
    /// Canonical URLs.
    pub source: &'a str,
    pub target: &'a str,
    /// Tells links of one page to one target apart.
    pub seq: u32,
    /// Position on the source page, from 1.
    pub pos: u32,
    pub tag: LinkTag,
    pub rel: Rel,
    pub anchor: &'a str,
    pub ins_day: Day,
    /// Absences, in the order of time.
    pub toggles: Vec<Toggle>,
    /// Active external links from the source page to the target's registrable domain.
    pub blpcount: u32,
    /// What follows is said of the source page: its title, address and place,
    pub title: &'a str,
    pub ip: Option<IpAddr>,
    pub ccode: &'a str,
    pub country: &'a str,
    pub city: &'a str,
    /// its active internal and external links,
    pub int_links: u32,
    pub ext_links: u32,
    /// and the day of its last successful fetch.
    pub upd_day: Day,
}

impl BacklinkView<'_> {
    pub fn is_active(&self) -> bool {
        is_active(&self.toggles)
    }
}

impl<'a> Snapshot<'a> {
    /// All external links into the scope, active and not, in key order: so many rows a batch, at least one, and
    /// fewer in the last. An error ends them.
    pub fn backlink_batches(
        &self,
        scope: &Scope,
        rows_per_batch: usize,
    ) -> impl Iterator<Item = Result<BacklinkBatch, StoreError>> + use<'_, 'a> {
        let walk = Walk {
            family: BACKLINKS,
            prefixes: scope.key_prefixes(&self.store.suffixes),
            scope: Some(scope.clone()),
            after: None,
            reading: Reading::Through,
        };
        let mut cursor = ScopeCursor::new(self, walk);
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

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows, decoded.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for the first row that cannot be read.
    pub fn rows(&self) -> Result<Vec<BacklinkView<'_>>, StoreError> {
        let urls = match self.urls.get() {
            Some(urls) => urls,
            None => {
                let urls = self.turn_urls()?;
                self.urls.get_or_init(|| urls)
            }
        };
        let mut views = Vec::with_capacity(self.len());
        for ((key, value), row) in self.raw_rows().zip(&urls.rows) {
            let view = values::decode_backlink_value(value).map(|value| BacklinkView {
                source: &urls.text[row.source.clone()],
                target: &urls.text[row.target.clone()],
                seq: row.seq,
                pos: value.pos,
                tag: value.tag,
                rel: value.rel,
                anchor: value.anchor,
                ins_day: value.ins_day,
                toggles: value.toggles,
                blpcount: value.blpcount,
                title: value.page.title,
                ip: value.page.ip,
                ccode: value.page.ccode,
                country: value.page.country,
                city: value.page.city,
                int_links: value.page.int_links,
                ext_links: value.page.ext_links,
                upd_day: value.page.upd_day,
            });
            views.push(view.map_err(|damage| StoreError::damaged(BACKLINKS, key, damage.0))?);
        }
        Ok(views)
    }

    fn raw_rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|ends| ends.value));
        starts
            .zip(&self.ends)
            .map(|(start, ends)| (&self.bytes[start..ends.key], &self.bytes[ends.key..ends.value]))
    }

    /// Turns the URLs of all keys round. Rows stand in the order of targets, then of sources, so that most have the
    /// target of the row before.
    fn turn_urls(&self) -> Result<Urls, StoreError> {
        let mut text = Vec::with_capacity(self.bytes.len() / 2);
        let mut rows: Vec<RowUrls> = Vec::with_capacity(self.len());
        let (mut last_target, mut last_source): (&[u8], &[u8]) = (&[], &[]);
        for (key, _) in self.raw_rows() {
            let damaged = |damage: Damage| StoreError::damaged(BACKLINKS, key, damage.0);
            let (target, source, seq) = split_backlink(key).map_err(damaged)?;
            let row = match rows.last() {
                Some(last) if last_target == target && last_source == source => {
                    RowUrls { seq, ..last.clone() }
                }
                Some(last) if last_target == target => {
                    let source = turn(source, &mut text, "the source").map_err(damaged)?;
                    RowUrls { target: last.target.clone(), source, seq }
                }
                _ => {
                    let target = turn(target, &mut text, "the target").map_err(damaged)?;
                    let source = turn(source, &mut text, "the source").map_err(damaged)?;
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
        Ok(Urls { text, rows })
    }
}

fn turn(surt: &[u8], text: &mut Vec<u8>, what: &'static str) -> Result<Range<usize>, Damage> {
    let start = text.len();
    Surt::push_url(surt, text).map_err(|_| Damage(what))?;
    Ok(start..text.len())
}
