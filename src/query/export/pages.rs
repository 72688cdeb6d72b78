//! The export of pages with their links.

use super::{Columns, ExportColumn, ExportRow, StoredChunk, address, column, day, has, take_chunk};
use crate::model::{Cut, OutlinkRecord, SearchRank, StoredPage, TlsFlaw};
use crate::query::engine::column::{Value, ValueType};
use crate::query::{QueryError, Scan};
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
    const KEYS: &'static [(&'static str, ValueType)] = &[
        ("nofollow", ValueType::Flag),
        ("pos", ValueType::Number),
        ("anchor", ValueType::Text),
        ("tag", ValueType::Text),
        ("url", ValueType::Text),
    ];

    /// The values, in the order of the keys.
    pub fn cells(&self) -> [Value<'_>; Self::KEYS.len()] {
        let Self { nofollow, pos, anchor, tag, url } = self;
        [Value::Flag(*nofollow), Value::Number(*pos), Value::Text(anchor), Value::Text(tag), Value::Text(url)]
    }
}

impl ExportRow for PageRow {
    const NAME: &'static str = "pages";

    const COLUMNS: &'static [ExportColumn<Self>] = &[
        column("extL", ValueType::Number, |row| count(&row.external)),
        column("intL", ValueType::Number, |row| count(&row.internal)),
        info("ccode", ValueType::Text, |row| Value::Text(&row.page.facts.place.ccode)),
        info("charset", ValueType::Text, |row| Value::Text(&row.page.facts.charset)),
        info("insDate", ValueType::Day, |row| day(row.page.first_day)),
        info("ip", ValueType::Address, |row| address(row.page.facts.ip)),
        info("description", ValueType::Text, |row| Value::Text(&row.page.facts.description)),
        info("content-type", ValueType::Text, |row| Value::Text(&row.page.facts.content_type)),
        info("title", ValueType::Text, |row| Value::Text(&row.page.facts.title)),
        info("http-code", ValueType::Number, |row| Value::Number(row.page.facts.status.into())),
        info("url", ValueType::Text, |row| Value::Text(row.url.as_str())),
        info("sr", ValueType::Hundredths, |row| row.sr.into()),
        info("canonical", ValueType::Text, |row| {
            Value::Text(row.canonical.as_ref().map_or("", CanonicalUrl::as_str))
        }),
        info("robots", ValueType::Text, |row| Value::Text(row.page.facts.directives.as_str())),
        info("cut", ValueType::Text, |row| Value::Text(row.page.facts.cut.map_or("", Cut::as_str))),
        info("tls", ValueType::Text, |row| Value::Text(row.page.facts.tls.map_or("", TlsFlaw::as_str))),
    ];

    /// Pages that responded at least once.
    fn read_chunk(
        scan: &Scan<'_>,
        after: Option<&[u8]>,
        limit: usize,
        columns: &Columns<Self>,
    ) -> Result<StoredChunk<Self>, QueryError> {
        let &Scan { snapshot, selection, deadline, .. } = scan;
        let (ranked, linked) = (has(columns, "sr"), has(columns, "extL") || has(columns, "intL"));
        let copied = has(columns, "canonical");
        let rows = deadline
            .guard_rows(snapshot.pages(&selection.scope, after))
            .filter(|row| row.as_ref().map_or(true, |row| row.value.1.facts.status != 0));
        take_chunk(rows, after, limit, |(url, page): (CanonicalUrl, StoredPage)| {
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

    fn link_keys(column: &str) -> Option<&'static [(&'static str, ValueType)]> {
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
    value_type: ValueType,
    read: for<'a> fn(&'a PageRow) -> Value<'a>,
) -> ExportColumn<PageRow> {
    ExportColumn { name, value_type, within: Some("info"), read }
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
