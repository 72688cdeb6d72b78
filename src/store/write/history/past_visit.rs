//! One visit in the history of a page, and its bytes: time, kind, record of the page, links.
//!
//! The bytes sort by time, then by kind and content. Only what a replay uses is kept, so two visits with the same bytes
//! are the same visit.

use crate::model::{Day, FailureKind, Link, OutlinkRecord, PageContent, StoredPage, Visit, VisitRecord};
use crate::store::codec;
use crate::store::codec::varint::{Damage, Reader, put_varint};
use crate::store::write::stored_page::is_gone;
use crate::urls::CanonicalUrl;

/// What a visit of the history found.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) enum PastVisit {
    Conclusive(Box<PageContent>),
    /// A response that says nothing about the links.
    Inconclusive(Box<PageContent>),
    NotModified,
    Failed(FailureKind, String),
    /// Links that the intervals show on a day, with their positions.
    Shown(Vec<(Link, u32)>, DayPart),
    /// The last conclusive response of the crawler: page and links as stored.
    Latest(Box<StoredPage>, Vec<Link>),
    /// The failures of the crawler since then, as in this page; the first visit, if there are none.
    Unsettled(Box<StoredPage>),
}

/// The part of a day that derived links were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum DayPart {
    /// With links that appear and are lost on this day.
    Early,
    End,
}

/// Numbers of the kinds in their order within one second.
const CONCLUSIVE: u8 = 1;
const INCONCLUSIVE: u8 = 2;
const NOT_MODIFIED: u8 = 3;
const FAILED: u8 = 4;
const SHOWN_EARLY: u8 = 5;
const SHOWN_AT_END: u8 = 6;
const LATEST: u8 = 7;
const UNSETTLED: u8 = 8;

/// Bytes of the time at the front of an encoded visit.
const TIME_BYTES: usize = 8;

impl PastVisit {
    /// The visit of a record, without what no replay uses.
    pub(crate) fn of(record: &VisitRecord) -> Self {
        match &record.visit {
            Visit::Failed(kind, cause) => Self::Failed(*kind, cause.clone()),
            Visit::NotModified => Self::NotModified,
            Visit::Responded(content) if content.determines_links() => {
                let mut content = content.clone();
                if is_gone(content.facts.status) {
                    content.links.clear();
                }
                Self::Conclusive(content)
            }
            Visit::Responded(content) => {
                let mut content = PageContent { links: Vec::new(), ..(**content).clone() };
                content.facts.html = false;
                Self::Inconclusive(Box::new(content))
            }
        }
    }

    /// The only visit to a page, from its record and links.
    pub(crate) fn only_visit(page: &StoredPage, links: &[OutlinkRecord]) -> Self {
        let links: Vec<Link> = links.iter().map(link_of).collect();
        let kind = FailureKind::from_code(page.last_failure);
        let challenge = page.last_failure == FailureKind::Challenge.code();
        let content = PageContent { facts: page.facts.clone(), challenge, cause: page.cause.clone(), links };
        match kind {
            _ if page.fetched_day != Day::default() => Self::Conclusive(Box::new(content)),
            Some(kind) if page.facts.status == 0 => Self::Failed(kind, page.cause.clone()),
            _ => Self::Inconclusive(Box::new(content)),
        }
    }

    /// The bytes of the visit at this Unix time.
    pub(crate) fn encode(&self, url: &CanonicalUrl, time: u64) -> Vec<u8> {
        let numbered = |links: &[Link]| -> Vec<OutlinkRecord> {
            links.iter().zip(1..).map(|(link, pos)| record_of(link, pos)).collect()
        };
        let (kind, page, links) = match self {
            Self::Conclusive(content) => (CONCLUSIVE, Some(page_of(content)), Some(numbered(&content.links))),
            Self::Inconclusive(content) => (INCONCLUSIVE, Some(page_of(content)), None),
            Self::NotModified => (NOT_MODIFIED, None, None),
            Self::Failed(..) => (FAILED, None, None),
            Self::Shown(links, part) => {
                let kind = if *part == DayPart::Early { SHOWN_EARLY } else { SHOWN_AT_END };
                (kind, None, Some(links.iter().map(|(link, pos)| record_of(link, *pos)).collect()))
            }
            Self::Latest(page, links) => (LATEST, Some((**page).clone()), Some(numbered(links))),
            Self::Unsettled(page) => (UNSETTLED, Some((**page).clone()), None),
        };
        let mut out = time.to_be_bytes().to_vec();
        out.push(kind);
        if let Self::Failed(kind, cause) = self {
            out.push(kind.code());
            out.extend_from_slice(cause.as_bytes());
        }
        if let Some(page) = page {
            let page = codec::encode_page(&page);
            put_varint(&mut out, page.len() as u64);
            out.extend_from_slice(&page);
        }
        if let Some(links) = links {
            out.extend_from_slice(&codec::encode_outlinks(url, &links));
        }
        out
    }

    /// Decodes a visit and its Unix time.
    pub(crate) fn decode(url: &CanonicalUrl, bytes: &[u8]) -> Result<(u64, Self), Damage> {
        let mut reader = Reader(bytes);
        let time = u64::from_be_bytes(reader.array("the time of a visit")?);
        let visit = match reader.byte("the kind of a visit")? {
            CONCLUSIVE => {
                let mut content = content_of(read_page(&mut reader)?);
                content.links = read_links(url, &mut reader)?;
                Self::Conclusive(Box::new(content))
            }
            INCONCLUSIVE => Self::Inconclusive(Box::new(content_of(read_page(&mut reader)?))),
            NOT_MODIFIED => Self::NotModified,
            FAILED => {
                let kind = FailureKind::from_code(reader.byte("a failure")?).ok_or(Damage("a failure"))?;
                let cause = std::str::from_utf8(std::mem::take(&mut reader.0));
                Self::Failed(kind, cause.map_err(|_| Damage("a cause"))?.to_owned())
            }
            SHOWN_EARLY => Self::Shown(read_shown(url, &mut reader)?, DayPart::Early),
            SHOWN_AT_END => Self::Shown(read_shown(url, &mut reader)?, DayPart::End),
            LATEST => Self::Latest(Box::new(read_page(&mut reader)?), read_links(url, &mut reader)?),
            UNSETTLED => Self::Unsettled(Box::new(read_page(&mut reader)?)),
            _ => return Err(Damage("the kind of a visit")),
        };
        reader.end()?;
        Ok((time, visit))
    }
}

/// The Unix time of an encoded visit; 0 if it is damaged.
pub(in crate::store) fn time_of(visit: &[u8]) -> u64 {
    visit.first_chunk::<TIME_BYTES>().map_or(0, |time| u64::from_be_bytes(*time))
}

/// Whether an encoded visit is a 304, which alone makes no page.
pub(in crate::store) fn is_not_modified(visit: &[u8]) -> bool {
    visit.get(TIME_BYTES) == Some(&NOT_MODIFIED)
}

/// A link as a visit finds it.
pub(super) fn link_of(link: &OutlinkRecord) -> Link {
    Link { target: link.target.clone(), tag: link.tag, rel: link.rel, anchor: link.anchor.clone() }
}

/// A link in the encoding of stored links, whose other columns are constant here.
fn record_of(link: &Link, pos: u32) -> OutlinkRecord {
    OutlinkRecord {
        target: link.target.clone(),
        seq: 0,
        pos,
        tag: link.tag,
        rel: link.rel,
        anchor: link.anchor.clone(),
        external: false,
        first_day: Day::default(),
        absences: Vec::new(),
    }
}

fn page_of(content: &PageContent) -> StoredPage {
    let last_failure = if content.challenge { FailureKind::Challenge.code() } else { 0 };
    StoredPage {
        facts: content.facts.clone(),
        cause: content.cause.clone(),
        last_failure,
        ..StoredPage::default()
    }
}

fn content_of(page: StoredPage) -> PageContent {
    let challenge = page.last_failure == FailureKind::Challenge.code();
    PageContent { facts: page.facts, challenge, cause: page.cause, links: Vec::new() }
}

fn read_page(reader: &mut Reader<'_>) -> Result<StoredPage, Damage> {
    let length = reader.count("the length of a page")?;
    codec::decode_page(reader.bytes(length, "a page")?)
}

fn read_links(url: &CanonicalUrl, reader: &mut Reader<'_>) -> Result<Vec<Link>, Damage> {
    Ok(read_shown(url, reader)?.into_iter().map(|(link, _)| link).collect())
}

/// Reads links with their positions, to the end.
fn read_shown(url: &CanonicalUrl, reader: &mut Reader<'_>) -> Result<Vec<(Link, u32)>, Damage> {
    let records = codec::decode_outlinks(url, std::mem::take(&mut reader.0))?;
    let link = |record: OutlinkRecord| {
        let OutlinkRecord { target, tag, rel, anchor, pos, .. } = record;
        (Link { target, tag, rel, anchor }, pos)
    };
    Ok(records.into_iter().map(link).collect())
}
