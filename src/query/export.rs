//! Exports: every link into a scope, every page of a scope, in key order, a piece at a time.
//!
//! An export holds nothing between two calls but the key of the last row, so rows that are there throughout are
//! read exactly once, whatever is stored meanwhile. What the columns asked for do not need is not read.

use std::net::IpAddr;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::column::{Kind, Value};
use super::{Compute, Deadline, ListColumn, Listing, QueryError, Selection};
use crate::model::{BacklinkRecord, Cut, Day, OutlinkRecord, SearchRank, StoredPage, TlsFlaw};
use crate::store::{Keyed, Snapshot};
use crate::urls::{CanonicalUrl, Suffixes};

/// A piece of an export.
#[derive(Debug)]
pub struct Piece<R> {
    pub rows: Vec<R>,
    /// The key to read on after; `None` when nothing is left.
    pub next: Option<Vec<u8>>,
}

/// A column of an export.
#[derive(Debug)]
pub struct ExportColumn<R: 'static> {
    pub name: &'static str,
    pub kind: Kind,
    /// The object within the row that holds it in JSON.
    pub within: Option<&'static str>,
    read: for<'a> fn(&'a R) -> Value<'a>,
}

/// The columns to show.
pub type Columns<R> = [&'static ExportColumn<R>];

/// What an export reads.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub snapshot: &'a Snapshot<'a>,
    pub selection: &'a Selection,
    pub suffixes: &'a Suffixes,
    pub deadline: &'a Deadline,
}

/// The rows of an export.
pub trait ExportRow: Sized + 'static {
    /// What the rows are, in the plural.
    const NAME: &'static str;

    /// All columns, in their usual order.
    const COLUMNS: &'static [ExportColumn<Self>];

    /// The same columns out of a search index, where there can be one.
    const INDEXED: Option<&'static Listing> = None;

    /// At most `limit` rows, strictly after the key `after`, with what these columns need.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    fn piece(
        from: &Source<'_>,
        after: Option<&[u8]>,
        limit: usize,
        columns: &Columns<Self>,
    ) -> Result<Piece<Self>, QueryError>;

    /// The keys of the links that JSON shows in place of a column's cell.
    fn link_keys(column: &str) -> Option<&'static [(&'static str, Kind)]>;

    /// What JSON shows in place of a cell.
    fn nested(&self, column: &str) -> Option<&[PageLink]>;
}

/// Some columns of a row. Serialises as an object.
pub struct Shown<'a, R: 'static> {
    pub row: &'a R,
    pub columns: &'a Columns<R>,
}

/// A link into the scope, active or not.
#[derive(Debug)]
pub struct BacklinkRow {
    link: BacklinkRecord,
    sr: SearchRank,
}

/// A page of the scope with its active links.
#[derive(Debug)]
pub struct PageRow {
    url: CanonicalUrl,
    page: StoredPage,
    external: Vec<PageLink>,
    internal: Vec<PageLink>,
    /// As the ranks honour it.
    canonical: Option<CanonicalUrl>,
    sr: SearchRank,
}

/// A link of a page.
#[derive(Debug, serde::Serialize)]
pub struct PageLink {
    nofollow: bool,
    pos: u32,
    anchor: String,
    tag: &'static str,
    url: String,
}

impl PageLink {
    const KEYS: &'static [(&'static str, Kind)] = &[
        ("nofollow", Kind::Flag),
        ("pos", Kind::Number),
        ("anchor", Kind::Text),
        ("tag", Kind::Text),
        ("url", Kind::Text),
    ];
}

/// The columns of [`BacklinkRow`] out of a search index.
static INDEXED_BACKLINKS: Listing = Listing {
    name: "exportbacklinks",
    columns: &[
        indexed("nofollow"),
        indexed("country"),
        indexed("extL"),
        indexed("insDate"),
        indexed("city"),
        indexed("ip"),
        indexed("active"),
        indexed("intL"),
        indexed("title"),
        indexed("linktarget"),
        indexed("updDate"),
        indexed("ccode"),
        indexed("blpcount"),
        indexed("backlinkpage"),
        indexed("pos"),
        indexed("sumL"),
        indexed("linktext"),
        indexed("tag"),
        indexed("sr"),
    ],
    ..Listing::BACKLINKS
};

const fn indexed(name: &'static str) -> ListColumn {
    ListColumn { name, from: Compute::Field(name) }
}

impl ExportRow for BacklinkRow {
    const NAME: &'static str = "links";

    const INDEXED: Option<&'static Listing> = Some(&INDEXED_BACKLINKS);

    const COLUMNS: &'static [ExportColumn<Self>] = &[
        column("nofollow", Kind::Flag, |row| Value::Flag(row.link.rel.is_nofollow())),
        column("country", Kind::Text, |row| Value::Text(&row.link.page.place.country)),
        column("extL", Kind::Number, |row| Value::Number(row.link.page.ext_links)),
        column("insDate", Kind::Day, |row| day(row.link.ins_day)),
        column("city", Kind::Text, |row| Value::Text(&row.link.page.place.city)),
        column("ip", Kind::Address, |row| address(row.link.page.ip)),
        column("active", Kind::Flag, |row| Value::Flag(row.link.is_active())),
        column("intL", Kind::Number, |row| Value::Number(row.link.page.int_links)),
        column("title", Kind::Text, |row| Value::Text(&row.link.page.title)),
        column("linktarget", Kind::Text, |row| Value::Text(row.link.target.as_str())),
        column("updDate", Kind::Day, |row| day(row.link.page.upd_day)),
        column("ccode", Kind::Text, |row| Value::Text(&row.link.page.place.ccode)),
        column("blpcount", Kind::Number, |row| Value::Number(row.link.blpcount)),
        column("backlinkpage", Kind::Text, |row| Value::Text(row.link.source.as_str())),
        column("pos", Kind::Number, |row| Value::Number(row.link.pos)),
        column("sumL", Kind::Number, |row| {
            Value::Number(row.link.page.int_links.saturating_add(row.link.page.ext_links))
        }),
        column("linktext", Kind::Text, |row| Value::Text(&row.link.anchor)),
        column("tag", Kind::Text, |row| Value::Text(row.link.tag.as_str())),
        column("sr", Kind::Hundredths, |row| row.sr.into()),
    ];

    fn piece(
        from: &Source<'_>,
        after: Option<&[u8]>,
        limit: usize,
        columns: &Columns<Self>,
    ) -> Result<Piece<Self>, QueryError> {
        let &Source { snapshot, selection, suffixes, deadline } = from;
        let ranked = has(columns, "sr");
        let rows = deadline.over(snapshot.backlinks(&selection.scope, after)).filter(|row| {
            row.as_ref().map_or(true, |row| selection.counts_source(row.value.source.host(), suffixes))
        });
        // Links of one page to neighbouring targets often follow each other.
        let mut last: Option<(CanonicalUrl, SearchRank)> = None;
        piece(rows, after, limit, |link: BacklinkRecord| {
            if ranked {
                // A look-up takes as long as a thousand looks at the deadline.
                deadline.check()?;
            }
            let sr = match &last {
                _ if !ranked => SearchRank::default(),
                Some((source, rank)) if *source == link.source => *rank,
                _ => snapshot.page_rank(&link.source)?,
            };
            last = ranked.then(|| (link.source.clone(), sr));
            Ok(Self { link, sr })
        })
    }

    fn link_keys(_: &str) -> Option<&'static [(&'static str, Kind)]> {
        None
    }

    fn nested(&self, _: &str) -> Option<&[PageLink]> {
        None
    }
}

impl ExportRow for PageRow {
    const NAME: &'static str = "pages";

    const COLUMNS: &'static [ExportColumn<Self>] = &[
        column("extL", Kind::Number, |row| count(&row.external)),
        column("intL", Kind::Number, |row| count(&row.internal)),
        info("ccode", Kind::Text, |row| Value::Text(&row.page.place.ccode)),
        info("charset", Kind::Text, |row| Value::Text(&row.page.charset)),
        info("insDate", Kind::Day, |row| day(row.page.ins_day)),
        info("ip", Kind::Address, |row| address(row.page.ip)),
        info("description", Kind::Text, |row| Value::Text(&row.page.description)),
        info("content-type", Kind::Text, |row| Value::Text(&row.page.content_type)),
        info("title", Kind::Text, |row| Value::Text(&row.page.title)),
        info("http-code", Kind::Number, |row| Value::Number(row.page.status.into())),
        info("url", Kind::Text, |row| Value::Text(row.url.as_str())),
        info("sr", Kind::Hundredths, |row| row.sr.into()),
        info("canonical", Kind::Text, |row| {
            Value::Text(row.canonical.as_ref().map_or("", CanonicalUrl::as_str))
        }),
        info("robots", Kind::Text, |row| Value::Text(row.page.directives.as_str())),
        info("cut", Kind::Text, |row| Value::Text(row.page.cut.map_or("", Cut::as_str))),
        info("tls", Kind::Text, |row| Value::Text(row.page.tls.map_or("", TlsFlaw::as_str))),
    ];

    /// Pages that were ever answered.
    fn piece(
        from: &Source<'_>,
        after: Option<&[u8]>,
        limit: usize,
        columns: &Columns<Self>,
    ) -> Result<Piece<Self>, QueryError> {
        let &Source { snapshot, selection, deadline, .. } = from;
        let (ranked, linked) = (has(columns, "sr"), has(columns, "extL") || has(columns, "intL"));
        let copied = has(columns, "canonical");
        let rows = deadline
            .over(snapshot.pages(&selection.scope, after))
            .filter(|row| row.as_ref().map_or(true, |row| row.value.1.status != 0));
        piece(rows, after, limit, |(url, page): (CanonicalUrl, StoredPage)| {
            deadline.check()?;
            // Whether a canonical URL is honoured depends on the links.
            let reads_links = linked || copied && page.canonical.is_some();
            let mut links = if reads_links { snapshot.outlinks(&url)? } else { Vec::new() };
            links.retain(OutlinkRecord::is_active);
            let canonical = page.honoured_canonical(&url, &links).filter(|_| copied).cloned();
            let sr = if ranked { snapshot.page_rank(&url)? } else { SearchRank::default() };
            let (external, internal): (Vec<_>, Vec<_>) = links.into_iter().partition(|link| link.external);
            let (external, internal) = (page_links(external), page_links(internal));
            Ok(Self { url, page, external, internal, canonical, sr })
        })
    }

    fn link_keys(column: &str) -> Option<&'static [(&'static str, Kind)]> {
        matches!(column, "extL" | "intL").then_some(PageLink::KEYS)
    }

    fn nested(&self, column: &str) -> Option<&[PageLink]> {
        match column {
            "extL" => Some(&self.external),
            "intL" => Some(&self.internal),
            _ => None,
        }
    }
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

impl<R: ExportRow> Shown<'_, R> {
    /// The cells, in the order of the columns; links as their number.
    pub fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        self.columns.iter().map(|column| (column.read)(self.row))
    }
}

impl<R: ExportRow> Serialize for Shown<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_map(None)?;
        for (at, column) in self.columns.iter().enumerate() {
            match (column.within, self.row.nested(column.name)) {
                (Some(object), _) => {
                    // An object stands where the first of its columns does.
                    if self.columns[..at].iter().all(|earlier| earlier.within != Some(object)) {
                        cells.serialize_entry(object, &Within { shown: self, object })?;
                    }
                }
                (None, Some(links)) => cells.serialize_entry(column.name, links)?,
                (None, None) => cells.serialize_entry(column.name, &(column.read)(self.row))?,
            }
        }
        cells.end()
    }
}

/// The columns that stand in one object.
struct Within<'a, R: 'static> {
    shown: &'a Shown<'a, R>,
    object: &'static str,
}

impl<R: ExportRow> Serialize for Within<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.shown.columns.iter().filter(|column| column.within == Some(self.object));
        serializer.collect_map(columns.map(|column| (column.name, (column.read)(self.shown.row))))
    }
}

const fn column<R>(name: &'static str, kind: Kind, read: for<'a> fn(&'a R) -> Value<'a>) -> ExportColumn<R> {
    ExportColumn { name, kind, within: None, read }
}

const fn info(
    name: &'static str,
    kind: Kind,
    read: for<'a> fn(&'a PageRow) -> Value<'a>,
) -> ExportColumn<PageRow> {
    ExportColumn { name, kind, within: Some("info"), read }
}

fn has<R>(columns: &Columns<R>, name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}

fn page_links(links: Vec<OutlinkRecord>) -> Vec<PageLink> {
    links.into_iter().map(PageLink::from).collect()
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

fn count(links: &[PageLink]) -> Value<'static> {
    Value::Number(u32::try_from(links.len()).unwrap_or(u32::MAX))
}

fn day(day: Day) -> Value<'static> {
    Value::Day(day.as_number())
}

fn address(address: Option<IpAddr>) -> Value<'static> {
    Value::Address(address.map(|address| address.to_canonical()))
}
