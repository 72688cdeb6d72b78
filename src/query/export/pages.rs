//! The export of pages with their links.

use super::{Columns, ExportColumn, ExportRow, Piece, Source, address, column, day, has, piece};
use crate::model::{Cut, OutlinkRecord, SearchRank, StoredPage, TlsFlaw};
use crate::query::QueryError;
use crate::query::engine::column::{Kind, Value};
use crate::urls::CanonicalUrl;

/// A page of the scope with its active links.
#[derive(Debug)]
pub struct PageRow {
    url: CanonicalUrl,
    page: StoredPage,
    external: Vec<PageLink>,
    internal: Vec<PageLink>,
    /// The canonical URL, if the ranks honour it.
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

impl ExportRow for PageRow {
    const NAME: &'static str = "pages";

    const COLUMNS: &'static [ExportColumn<Self>] = &[
        column("extL", Kind::Number, |row| count(&row.external)),
        column("intL", Kind::Number, |row| count(&row.internal)),
        info("ccode", Kind::Text, |row| Value::Text(&row.page.facts.place.ccode)),
        info("charset", Kind::Text, |row| Value::Text(&row.page.facts.charset)),
        info("insDate", Kind::Day, |row| day(row.page.first_day)),
        info("ip", Kind::Address, |row| address(row.page.facts.ip)),
        info("description", Kind::Text, |row| Value::Text(&row.page.facts.description)),
        info("content-type", Kind::Text, |row| Value::Text(&row.page.facts.content_type)),
        info("title", Kind::Text, |row| Value::Text(&row.page.facts.title)),
        info("http-code", Kind::Number, |row| Value::Number(row.page.facts.status.into())),
        info("url", Kind::Text, |row| Value::Text(row.url.as_str())),
        info("sr", Kind::Hundredths, |row| row.sr.into()),
        info("canonical", Kind::Text, |row| {
            Value::Text(row.canonical.as_ref().map_or("", CanonicalUrl::as_str))
        }),
        info("robots", Kind::Text, |row| Value::Text(row.page.facts.directives.as_str())),
        info("cut", Kind::Text, |row| Value::Text(row.page.facts.cut.map_or("", Cut::as_str))),
        info("tls", Kind::Text, |row| Value::Text(row.page.facts.tls.map_or("", TlsFlaw::as_str))),
    ];

    /// Pages that responded at least once.
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
            .filter(|row| row.as_ref().map_or(true, |row| row.value.1.facts.status != 0));
        piece(rows, after, limit, |(url, page): (CanonicalUrl, StoredPage)| {
            deadline.check()?;
            // Whether a canonical URL is honoured depends on the page's links.
            let reads_links = linked || copied && page.facts.canonical.is_some();
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

const fn info(
    name: &'static str,
    kind: Kind,
    read: for<'a> fn(&'a PageRow) -> Value<'a>,
) -> ExportColumn<PageRow> {
    ExportColumn { name, kind, within: Some("info"), read }
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
