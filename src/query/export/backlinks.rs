//! The export of backlinks.

use super::{Columns, ExportColumn, ExportRow, Piece, Source, address, column, day, has, piece};
use crate::model::{BacklinkRecord, SearchRank};
use crate::query::engine::column::{Kind, Value};
use crate::query::{ColumnExpr, ListColumn, Listing, QueryError};
use crate::urls::CanonicalUrl;

/// A link into the scope, active or not.
#[derive(Debug)]
pub struct BacklinkRow {
    link: BacklinkRecord,
    sr: SearchRank,
}

/// The listing of the columns of [`BacklinkRow`] in a search index. A field of the index has the name of its column.
static INDEXED_BACKLINKS: Listing =
    Listing { name: "exportbacklinks", columns: &INDEXED_COLUMNS, ..Listing::BACKLINKS };

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
        column("nofollow", Kind::Flag, |row| Value::Flag(row.link.rel.is_nofollow())),
        column("country", Kind::Text, |row| Value::Text(&row.link.page.place.country)),
        column("extL", Kind::Number, |row| Value::Number(row.link.page.ext_links)),
        column("insDate", Kind::Day, |row| day(row.link.first_day)),
        column("city", Kind::Text, |row| Value::Text(&row.link.page.place.city)),
        column("ip", Kind::Address, |row| address(row.link.page.ip)),
        column("active", Kind::Flag, |row| Value::Flag(row.link.is_active())),
        column("intL", Kind::Number, |row| Value::Number(row.link.page.int_links)),
        column("title", Kind::Text, |row| Value::Text(&row.link.page.title)),
        column("linktarget", Kind::Text, |row| Value::Text(row.link.target.as_str())),
        column("updDate", Kind::Day, |row| day(row.link.page.fetched_day)),
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
        // Consecutive links often come from the same page.
        let mut last: Option<(CanonicalUrl, SearchRank)> = None;
        piece(rows, after, limit, |link: BacklinkRecord| {
            if ranked {
                // A look-up takes as long as a thousand checks of the deadline.
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
