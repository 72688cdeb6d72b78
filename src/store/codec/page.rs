//! Values of `pages`: one page without its links. Records of format 4 end after the interval.

use crate::model::{Cut, Day, Directives, SourcePage, StoredPage, TlsFlaw};
use crate::urls::CanonicalUrl;

use super::source_page::{put_source, read_source};
use super::varint::{Damage, Reader, put_text, put_varint};

const HTML: u8 = 1;
const TRUNCATED: u8 = 2;
const NOINDEX: u8 = 4;
const NOFOLLOW: u8 = 8;

pub(in crate::store) fn encode_page(page: &StoredPage) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let flags = [
        (page.html, HTML),
        (page.cut.is_some(), TRUNCATED),
        (page.directives.noindex, NOINDEX),
        (page.directives.nofollow, NOFOLLOW),
    ];
    out.push(flags.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum());
    put_varint(&mut out, u64::from(page.status));
    out.push(page.last_failure);
    put_varint(&mut out, u64::from(page.failures));
    put_varint(&mut out, u64::from(page.ins_day.0));
    put_varint(&mut out, u64::from(page.upd_day.0));
    put_varint(&mut out, page.visited);
    out.extend_from_slice(&page.digest.to_le_bytes());
    put_source(&mut out, &page.source());
    put_text(&mut out, &page.description);
    put_text(&mut out, &page.content_type);
    put_text(&mut out, &page.charset);
    put_text(&mut out, page.canonical.as_ref().map_or("", CanonicalUrl::as_str));
    put_text(&mut out, &page.etag);
    put_text(&mut out, &page.last_modified);
    put_varint(&mut out, u64::from(page.depth));
    put_varint(&mut out, page.next_visit);
    put_varint(&mut out, u64::from(page.interval));
    // Most pages are complete, have a valid certificate and were answered. Their records have no tail.
    if page.cut.is_some() || page.tls.is_some() || !page.cause.is_empty() {
        out.push(page.cut.map_or(0, |cut| cut as u8));
        out.push(page.tls.map_or(0, |flaw| flaw as u8));
        put_text(&mut out, &page.cause);
    }
    out
}

pub(in crate::store) fn decode_page(bytes: &[u8]) -> Result<StoredPage, Damage> {
    let mut reader = Reader(bytes);
    let (flags, status, last_failure) = read_outcome(&mut reader)?;
    let failures = reader.u32("the failures")?;
    let ins_day = Day(reader.u32("the first day")?);
    let upd_day = Day(reader.u32("the last day")?);
    let visited = reader.varint("the last visit")?;
    let digest = reader.bytes(8, "the digest")?;
    let digest = u64::from_le_bytes(digest.try_into().map_err(|_| Damage("the digest"))?);
    let source = SourcePage::from(read_source(&mut reader)?);
    let mut page = StoredPage {
        status,
        last_failure,
        failures,
        ins_day,
        upd_day,
        visited,
        digest,
        html: flags & HTML != 0,
        // Format 4 does not store the reason.
        cut: (flags & TRUNCATED != 0).then_some(Cut::Length),
        tls: None,
        cause: String::new(),
        directives: Directives { noindex: flags & NOINDEX != 0, nofollow: flags & NOFOLLOW != 0 },
        title: source.title,
        ip: source.ip,
        place: source.place,
        int_links: source.int_links,
        ext_links: source.ext_links,
        description: reader.string("the description")?,
        content_type: reader.string("the content type")?,
        charset: reader.string("the charset")?,
        canonical: match reader.text("the canonical")? {
            "" => None,
            text => Some(CanonicalUrl::from_stored(text.to_owned()).ok_or(Damage("the canonical"))?),
        },
        etag: reader.string("the ETag")?,
        last_modified: reader.string("the Last-Modified")?,
        depth: u16::try_from(reader.varint("the depth")?).map_err(|_| Damage("the depth"))?,
        next_visit: reader.varint("the next visit")?,
        interval: reader.u32("the interval")?,
    };
    if !reader.0.is_empty() {
        page.cut = Cut::from_number(reader.byte("the cut")?);
        page.tls = TlsFlaw::from_number(reader.byte("the certificate's flaw")?);
        page.cause = reader.string("the cause")?;
    }
    reader.end()?;
    Ok(page)
}

/// Reads flags, status and last failure.
fn read_outcome(reader: &mut Reader<'_>) -> Result<(u8, u16, u8), Damage> {
    let flags = reader.byte("the flags")?;
    let status = u16::try_from(reader.varint("the status")?).map_err(|_| Damage("the status"))?;
    Ok((flags, status, reader.byte("the last failure")?))
}

/// Decodes only the status and the last failure of a page.
pub(in crate::store) fn decode_page_status(bytes: &[u8]) -> Result<(u16, u8), Damage> {
    read_outcome(&mut Reader(bytes)).map(|(_, status, last_failure)| (status, last_failure))
}
