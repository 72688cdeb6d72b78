//! The export of backlinks.

use super::{Columns, ExportColumn, ExportRow, StoredChunk, address, column, day, has, take_chunk};
use crate::model::{BacklinkRecord, SearchRank};
use crate::query::engine::column::{Value, ValueType};
use crate::query::{ColumnExpr, ListColumn, Listing, QueryError, Scan};
use crate::urls::CanonicalUrl;

/// A link into the scope, active or not.
#[derive(Debug)]
pub struct BacklinkRow {
    link: BacklinkRecord,
    sr: SearchRank,
}

/// The listing of the columns of [`BacklinkRow`] in a search index. A field of the index has the name of its column.
static INDEXED_BACKLINKS: Listing =
    Listing { name: "exportbacklinks", columns: &INDEXED_COLUMNS, ..Listing::DEFAULT };

static INDEXED_COLUMNS: [ListColumn; BacklinkRow::COLUMNS.len()] = {
    let mut columns = [ListColumn { name: "", from: ColumnExpr::Count }; BacklinkRow::COLUMNS.len()];
    let mut at = 0;
    while at < columns.len() {
        let name = BacklinkRow::COLUMNS[at].name;
        columns[at] = ListColumn { name, from: ColumnExpr::Field(name) };
        at += 1;
    }
    columns
};

impl ExportRow for BacklinkRow {
    const NAME: &'static str = "links";

    const INDEXED: Option<&'static Listing> = Some(&INDEXED_BACKLINKS);

    const COLUMNS: &'static [ExportColumn<Self>] = &[
        column("nofollow", ValueType::Flag, |row| Value::Flag(row.link.rel.is_nofollow())),
        column("country", ValueType::Text, |row| Value::Text(&row.link.page.place.country)),
        column("extL", ValueType::Number, |row| Value::Number(row.link.page.ext_links)),
        column("insDate", ValueType::Day, |row| day(row.link.first_day)),
        column("city", ValueType::Text, |row| Value::Text(&row.link.page.place.city)),
        column("ip", ValueType::Address, |row| address(row.link.page.ip)),
        column("active", ValueType::Flag, |row| Value::Flag(row.link.is_active())),
        column("intL", ValueType::Number, |row| Value::Number(row.link.page.int_links)),
        column("title", ValueType::Text, |row| Value::Text(&row.link.page.title)),
        column("linktarget", ValueType::Text, |row| Value::Text(row.link.target.as_str())),
        column("updDate", ValueType::Day, |row| day(row.link.page.fetched_day)),
        column("ccode", ValueType::Text, |row| Value::Text(&row.link.page.place.ccode)),
        column("blpcount", ValueType::Number, |row| Value::Number(row.link.blpcount)),
        column("backlinkpage", ValueType::Text, |row| Value::Text(row.link.source.as_str())),
        column("pos", ValueType::Number, |row| Value::Number(row.link.pos)),
        column("sumL", ValueType::Number, |row| {
            Value::Number(row.link.page.int_links.saturating_add(row.link.page.ext_links))
        }),
        column("linktext", ValueType::Text, |row| Value::Text(&row.link.anchor)),
        column("tag", ValueType::Text, |row| Value::Text(row.link.tag.as_str())),
        column("sr", ValueType::Hundredths, |row| row.sr.into()),
    ];

    fn read_chunk(
        scan: &Scan<'_>,
        after: Option<&[u8]>,
        limit: usize,
        columns: &Columns<Self>,
    ) -> Result<StoredChunk<Self>, QueryError> {
        let &Scan { snapshot, selection, suffixes, deadline } = scan;
        let ranked = has(columns, "sr");
        let rows = deadline.guard_rows(snapshot.backlinks(&selection.scope, after)).filter(|row| {
            row.as_ref().map_or(true, |row| selection.counts_source(row.value.source.host(), suffixes))
        });
        // Consecutive links often come from the same page.
        let mut last: Option<(CanonicalUrl, SearchRank)> = None;
        take_chunk(rows, after, limit, |link: BacklinkRecord| {
            if ranked {
                // A lookup takes as long as a thousand checks of the deadline.
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
}
