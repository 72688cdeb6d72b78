//! Values of `pages`: one page without its links. Records of format 4 end after the interval.

use crate::model::{Cut, Day, Directives, PageFacts, PageOutcome, SourcePage, StoredPage, TlsFlaw};
use crate::urls::CanonicalUrl;

use super::source_page::{put_source, read_source};
use super::varint::{Damage, Reader, put_text, put_varint};

const HTML: u8 = 1;
const TRUNCATED: u8 = 2;
const NOINDEX: u8 = 4;
const NOFOLLOW: u8 = 8;

pub(in crate::store) fn encode_page(page: &StoredPage) -> Vec<u8> {
    let facts = &page.facts;
    let mut out = Vec::with_capacity(256);
    let flags = [
        (facts.html, HTML),
        (facts.cut.is_some(), TRUNCATED),
        (facts.directives.noindex, NOINDEX),
        (facts.directives.nofollow, NOFOLLOW),
    ];
    out.push(flags.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum());
    put_varint(&mut out, u64::from(facts.status));
    out.push(page.last_failure);
    put_varint(&mut out, u64::from(page.failures));
    put_varint(&mut out, u64::from(page.first_day.0));
    put_varint(&mut out, u64::from(page.fetched_day.0));
    put_varint(&mut out, page.visited);
    out.extend_from_slice(&facts.digest.to_le_bytes());
    put_source(&mut out, &page.source());
    put_text(&mut out, &facts.description);
    put_text(&mut out, &facts.content_type);
    put_text(&mut out, &facts.charset);
    put_text(&mut out, facts.canonical.as_ref().map_or("", CanonicalUrl::as_str));
    put_text(&mut out, &facts.etag);
    put_text(&mut out, &facts.last_modified);
    put_varint(&mut out, u64::from(page.depth));
    put_varint(&mut out, page.next_visit);
    put_varint(&mut out, u64::from(page.interval));
    // Most pages are complete, have a valid certificate and were answered. Their records have no tail.
    if facts.cut.is_some() || facts.tls.is_some() || !page.cause.is_empty() {
        out.push(facts.cut.map_or(0, Cut::code));
        out.push(facts.tls.map_or(0, TlsFlaw::code));
        put_text(&mut out, &page.cause);
    }
    out
}

pub(in crate::store) fn decode_page(bytes: &[u8]) -> Result<StoredPage, Damage> {
    let mut reader = Reader(bytes);
    let (flags, status, last_failure) = read_outcome(&mut reader)?;
    let mut page = StoredPage {
        last_failure,
        failures: reader.u32("the failures")?,
        first_day: Day(reader.u32("the first day")?),
        fetched_day: Day(reader.u32("the last day")?),
        visited: reader.varint("the last visit")?,
        ..StoredPage::default()
    };
    let digest = reader.bytes(8, "the digest")?;
    let digest = u64::from_le_bytes(digest.try_into().map_err(|_| Damage("the digest"))?);
    let source = SourcePage::from(read_source(&mut reader)?);
    (page.int_links, page.ext_links) = (source.int_links, source.ext_links);
    page.facts = PageFacts {
        status,
        digest,
        html: flags & HTML != 0,
        // Format 4 does not store the reason.
        cut: (flags & TRUNCATED != 0).then_some(Cut::Length),
        directives: Directives { noindex: flags & NOINDEX != 0, nofollow: flags & NOFOLLOW != 0 },
        title: source.title,
        ip: source.ip,
        place: source.place,
        ..read_texts(&mut reader)?
    };
    page.depth = u16::try_from(reader.varint("the depth")?).map_err(|_| Damage("the depth"))?;
    page.next_visit = reader.varint("the next visit")?;
    page.interval = reader.u32("the interval")?;
    if !reader.0.is_empty() {
        page.facts.cut = Cut::from_code(reader.byte("the cut")?);
        page.facts.tls = TlsFlaw::from_code(reader.byte("the certificate's flaw")?);
        page.cause = reader.string("the cause")?;
    }
    reader.end()?;
    Ok(page)
}

/// Reads the texts between the source page and the plan of visits.
fn read_texts(reader: &mut Reader<'_>) -> Result<PageFacts, Damage> {
    Ok(PageFacts {
        description: reader.string("the description")?,
        content_type: reader.string("the content type")?,
        charset: reader.string("the charset")?,
        canonical: match reader.text("the canonical")? {
            "" => None,
            text => Some(CanonicalUrl::from_stored(text.to_owned()).ok_or(Damage("the canonical"))?),
        },
        etag: reader.string("the ETag")?,
        last_modified: reader.string("the Last-Modified")?,
        ..PageFacts::default()
    })
}

/// Reads flags, status and last failure.
fn read_outcome(reader: &mut Reader<'_>) -> Result<(u8, u16, u8), Damage> {
    let flags = reader.byte("the flags")?;
    let status = u16::try_from(reader.varint("the status")?).map_err(|_| Damage("the status"))?;
    Ok((flags, status, reader.byte("the last failure")?))
}

/// Decodes only the outcome of the visits to a page.
pub(in crate::store) fn decode_page_outcome(bytes: &[u8]) -> Result<PageOutcome, Damage> {
    let mut reader = Reader(bytes);
    let (flags, status, last_failure) = read_outcome(&mut reader)?;
    let failures = reader.u32("the failures")?;
    let (html, cut) = (flags & HTML != 0, flags & TRUNCATED != 0);
    Ok(PageOutcome { status, last_failure, failures, html, cut })
}
