//! Exports: every link into a scope, every page of a scope, in key order, a piece at a time.
//!
//! An export holds nothing between two calls but the key of the last row, so rows that are there throughout are
//! read exactly once, whatever is stored meanwhile.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::column::serialize_hundredths;
use super::{Deadline, QueryError, Selection};
use crate::model::{BacklinkRecord, Day, OutlinkRecord, SearchRank, StoredPage};
use crate::store::{Keyed, Snapshot};
use crate::urls::{CanonicalUrl, Scope, Suffixes};

/// A piece of an export.
#[derive(Debug)]
pub struct Piece<T> {
    pub rows: Vec<T>,
    /// The key to read on after; `None` when nothing is left.
    pub next: Option<Vec<u8>>,
}

/// A link into the scope, active or not.
#[derive(Debug, Serialize)]
pub struct BacklinkRow {
    nofollow: bool,
    country: String,
    #[serde(rename = "extL")]
    ext_links: u32,
    #[serde(rename = "insDate", serialize_with = "day")]
    ins_date: Day,
    city: String,
    #[serde(serialize_with = "address")]
    ip: Option<IpAddr>,
    active: bool,
    #[serde(rename = "intL")]
    int_links: u32,
    title: String,
    linktarget: String,
    #[serde(rename = "updDate", serialize_with = "day")]
    upd_date: Day,
    ccode: String,
    blpcount: u32,
    backlinkpage: String,
    pos: u32,
    #[serde(rename = "sumL")]
    sum_links: u32,
    linktext: String,
    tag: &'static str,
    #[serde(serialize_with = "rank")]
    sr: SearchRank,
}

/// A page of the scope with its active links.
#[derive(Debug, Serialize)]
pub struct PageRow {
    #[serde(rename = "extL")]
    external: Vec<PageLink>,
    #[serde(rename = "intL")]
    internal: Vec<PageLink>,
    info: PageInfo,
}

#[derive(Debug, Serialize)]
struct PageLink {
    nofollow: bool,
    pos: u32,
    anchor: String,
    tag: &'static str,
    url: String,
}

#[derive(Debug, Serialize)]
struct PageInfo {
    ccode: String,
    charset: String,
    #[serde(rename = "insDate", serialize_with = "day")]
    ins_date: Day,
    #[serde(serialize_with = "address")]
    ip: Option<IpAddr>,
    description: String,
    #[serde(rename = "content-type")]
    content_type: String,
    title: String,
    #[serde(rename = "http-code")]
    http_code: u16,
    url: String,
    #[serde(serialize_with = "rank")]
    sr: SearchRank,
}

/// At most `limit` links of a selection, strictly after the key `after`.
///
/// # Errors
/// What the store or the deadline reports.
pub fn backlinks(
    snapshot: &Snapshot<'_>,
    selection: &Selection,
    after: Option<&[u8]>,
    limit: usize,
    suffixes: &Suffixes,
    deadline: &Deadline,
) -> Result<Piece<BacklinkRow>, QueryError> {
    let rows = deadline.over(snapshot.backlinks(&selection.scope, after)).filter(|row| {
        row.as_ref().map_or(true, |row| selection.counts_source(row.value.source.host(), suffixes))
    });
    // Links of one page to neighbouring targets often follow each other.
    let mut last: Option<(CanonicalUrl, SearchRank)> = None;
    piece(rows, after, limit, |link: BacklinkRecord| {
        let rank = match &last {
            Some((source, rank)) if *source == link.source => *rank,
            _ => snapshot.page_rank(&link.source)?,
        };
        last = Some((link.source.clone(), rank));
        Ok(BacklinkRow::new(link, rank))
    })
}

/// At most `limit` pages of a scope that ever answered, strictly after the key `after`.
///
/// # Errors
/// What the store or the deadline reports.
pub fn pages(
    snapshot: &Snapshot<'_>,
    scope: &Scope,
    after: Option<&[u8]>,
    limit: usize,
    deadline: &Deadline,
) -> Result<Piece<PageRow>, QueryError> {
    let rows = deadline
        .over(snapshot.pages(scope, after))
        .filter(|row| row.as_ref().map_or(true, |row| row.value.1.status != 0));
    piece(rows, after, limit, |(url, page): (CanonicalUrl, StoredPage)| {
        deadline.check()?;
        let links = snapshot.outlinks(&url)?;
        let rank = snapshot.page_rank(&url)?;
        Ok(PageRow::new(&url, page, links, rank))
    })
}

/// Takes the first `limit` rows, and looks whether there is one more.
fn piece<S, T>(
    mut rows: impl Iterator<Item = Result<Keyed<S>, QueryError>>,
    after: Option<&[u8]>,
    limit: usize,
    mut make: impl FnMut(S) -> Result<T, QueryError>,
) -> Result<Piece<T>, QueryError> {
    let mut position = after.unwrap_or_default().to_vec();
    let mut made = Vec::new();
    while made.len() < limit {
        let Some(row) = rows.next().transpose()? else {
            return Ok(Piece { rows: made, next: None });
        };
        made.push(make(row.value)?);
        position = row.key;
    }
    let more = rows.next().transpose()?.is_some();
    Ok(Piece { rows: made, next: more.then_some(position) })
}

impl BacklinkRow {
    fn new(link: BacklinkRecord, sr: SearchRank) -> Self {
        let active = link.is_active();
        let page = link.page;
        Self {
            nofollow: link.rel.is_nofollow(),
            country: page.place.country,
            ext_links: page.ext_links,
            ins_date: link.ins_day,
            city: page.place.city,
            ip: page.ip,
            active,
            int_links: page.int_links,
            title: page.title,
            linktarget: link.target.as_str().to_owned(),
            upd_date: page.upd_day,
            ccode: page.place.ccode,
            blpcount: link.blpcount,
            backlinkpage: link.source.as_str().to_owned(),
            pos: link.pos,
            sum_links: page.int_links.saturating_add(page.ext_links),
            linktext: link.anchor,
            tag: link.tag.as_str(),
            sr,
        }
    }
}

impl PageRow {
    fn new(url: &CanonicalUrl, page: StoredPage, links: Vec<OutlinkRecord>, sr: SearchRank) -> Self {
        let active = links.into_iter().filter(OutlinkRecord::is_active);
        let (external, internal): (Vec<_>, Vec<_>) = active.partition(|link| link.external);
        Self {
            external: external.into_iter().map(PageLink::from).collect(),
            internal: internal.into_iter().map(PageLink::from).collect(),
            info: PageInfo {
                ccode: page.place.ccode,
                charset: page.charset,
                ins_date: page.ins_day,
                ip: page.ip,
                description: page.description,
                content_type: page.content_type,
                title: page.title,
                http_code: page.status,
                url: url.as_str().to_owned(),
                sr,
            },
        }
    }
}

impl From<OutlinkRecord> for PageLink {
    fn from(link: OutlinkRecord) -> Self {
        Self {
            nofollow: link.rel.is_nofollow(),
            pos: link.pos,
            anchor: link.anchor,
            tag: link.tag.as_str(),
            url: link.target.as_str().to_owned(),
        }
    }
}

fn day<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

fn address<S: Serializer>(address: &Option<IpAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    match address {
        Some(address) => serializer.collect_str(&address.to_canonical()),
        None => serializer.serialize_str(""),
    }
}

fn rank<S: Serializer>(rank: &SearchRank, serializer: S) -> Result<S::Ok, S::Error> {
    serialize_hundredths(u32::from(rank.0), serializer)
}
