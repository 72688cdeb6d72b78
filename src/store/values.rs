//! How a page, its outlinks and a backlink are written: one encoder and one decoder each.

use std::net::IpAddr;

use crate::model::{
    BacklinkRecord, Day, Directives, LinkTag, OutlinkRecord, Place, Rel, SourcePage, StoredPage, Toggle,
};
use crate::urls::{CanonicalUrl, Surt};

use super::codec::{Damage, Reader, put_signed, put_text, put_varint};
use super::keys;

const HTML: u8 = 1;
const TRUNCATED: u8 = 2;
const NOINDEX: u8 = 4;
const NOFOLLOW: u8 = 8;

pub(super) fn encode_page(page: &StoredPage) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let flags = [
        (page.html, HTML),
        (page.truncated, TRUNCATED),
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
    out
}

pub(super) fn decode_page(bytes: &[u8]) -> Result<StoredPage, Damage> {
    let mut reader = Reader(bytes);
    let (flags, status, last_failure) = outcome(&mut reader)?;
    let failures = reader.u32("the failures")?;
    let ins_day = Day(reader.u32("the first day")?);
    let upd_day = Day(reader.u32("the last day")?);
    let visited = reader.varint("the last visit")?;
    let digest = reader.bytes(8, "the digest")?;
    let digest = u64::from_le_bytes(digest.try_into().map_err(|_| Damage("the digest"))?);
    let source = SourcePage::from(source(&mut reader)?);
    let page = StoredPage {
        status,
        last_failure,
        failures,
        ins_day,
        upd_day,
        visited,
        digest,
        html: flags & HTML != 0,
        truncated: flags & TRUNCATED != 0,
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
    };
    reader.end()?;
    Ok(page)
}

/// Flags, status and last failure.
fn outcome(reader: &mut Reader<'_>) -> Result<(u8, u16, u8), Damage> {
    let flags = reader.byte("the flags")?;
    let status = u16::try_from(reader.varint("the status")?).map_err(|_| Damage("the status"))?;
    Ok((flags, status, reader.byte("the last failure")?))
}

/// Status and last failure of a page, without the rest.
pub(super) fn decode_page_status(bytes: &[u8]) -> Result<(u16, u8), Damage> {
    outcome(&mut Reader(bytes)).map(|(_, status, last_failure)| (status, last_failure))
}

fn put_source(out: &mut Vec<u8>, page: &SourcePage) {
    put_text(out, &page.title);
    match page.ip {
        None => out.push(0),
        Some(IpAddr::V4(ip)) => {
            out.push(4);
            out.extend_from_slice(&ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            out.push(16);
            out.extend_from_slice(&ip.octets());
        }
    }
    put_text(out, &page.place.ccode);
    put_text(out, &page.place.country);
    put_text(out, &page.place.city);
    put_varint(out, u64::from(page.int_links));
    put_varint(out, u64::from(page.ext_links));
    put_varint(out, u64::from(page.upd_day.0));
}

/// A [`SourcePage`] whose texts lie in the record.
pub(super) struct SourceView<'a> {
    pub title: &'a str,
    pub ip: Option<IpAddr>,
    pub ccode: &'a str,
    pub country: &'a str,
    pub city: &'a str,
    pub int_links: u32,
    pub ext_links: u32,
    pub upd_day: Day,
}

impl From<SourceView<'_>> for SourcePage {
    fn from(page: SourceView<'_>) -> Self {
        Self {
            title: page.title.to_owned(),
            ip: page.ip,
            place: Place {
                ccode: page.ccode.to_owned(),
                country: page.country.to_owned(),
                city: page.city.to_owned(),
            },
            int_links: page.int_links,
            ext_links: page.ext_links,
            upd_day: page.upd_day,
        }
    }
}

fn source<'a>(reader: &mut Reader<'a>) -> Result<SourceView<'a>, Damage> {
    const IP: &str = "the address";
    Ok(SourceView {
        title: reader.text("the title")?,
        ip: match reader.byte(IP)? {
            0 => None,
            4 => Some(IpAddr::from(<[u8; 4]>::try_from(reader.bytes(4, IP)?).map_err(|_| Damage(IP))?)),
            16 => Some(IpAddr::from(<[u8; 16]>::try_from(reader.bytes(16, IP)?).map_err(|_| Damage(IP))?)),
            _ => return Err(Damage(IP)),
        },
        ccode: reader.text("the country code")?,
        country: reader.text("the country")?,
        city: reader.text("the city")?,
        int_links: reader.u32("the internal links")?,
        ext_links: reader.u32("the external links")?,
        upd_day: Day(reader.u32("the last day")?),
    })
}

fn put_toggles(out: &mut Vec<u8>, toggles: &[Toggle]) {
    put_varint(out, toggles.len() as u64);
    for toggle in toggles {
        put_varint(out, u64::from(toggle.lost.0));
        // Zero stands for "not back": a link cannot be back in 1970.
        put_varint(out, toggle.back.map_or(0, |day| u64::from(day.0)));
    }
}

fn toggles(reader: &mut Reader<'_>) -> Result<Vec<Toggle>, Damage> {
    let count = reader.count("the absences")?;
    (0..count)
        .map(|_| {
            let lost = Day(reader.u32("a lost day")?);
            let back = reader.u32("a returning day")?;
            Ok(Toggle { lost, back: (back > 0).then_some(Day(back)) })
        })
        .collect()
}

const TAG_BITS: u8 = 0x0f;
const EXTERNAL: u8 = 0x10;

/// The links of one page, column by column: equal values stand together, which is what the block compression
/// of the column family lives on. Targets are written as what they do not share with the page's own URL.
pub(super) fn encode_outlinks(page: &CanonicalUrl, links: &[OutlinkRecord]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + links.len() * 48);
    put_varint(&mut out, links.len() as u64);
    out.extend(links.iter().map(|link| link.tag as u8 | if link.external { EXTERNAL } else { 0 }));
    out.extend(links.iter().map(|link| link.rel.bits()));
    let mut last_pos = 0;
    for link in links {
        put_signed(&mut out, i64::from(link.pos) - last_pos);
        last_pos = i64::from(link.pos);
    }
    for link in links {
        put_varint(&mut out, u64::from(link.seq));
    }
    let mut last_day = 0;
    for link in links {
        put_signed(&mut out, i64::from(link.ins_day.0) - last_day);
        last_day = i64::from(link.ins_day.0);
    }
    for link in links {
        put_toggles(&mut out, &link.toggles);
    }
    for link in links {
        let target = link.target.as_str();
        let shared = shared_prefix(page.as_str(), target);
        put_varint(&mut out, shared as u64);
        put_text(&mut out, &target[shared..]);
    }
    for link in links {
        put_text(&mut out, &link.anchor);
    }
    out
}

/// URLs are ASCII, so any byte is a character boundary.
fn shared_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

pub(super) fn decode_outlinks(page: &CanonicalUrl, bytes: &[u8]) -> Result<Vec<OutlinkRecord>, Damage> {
    let mut reader = Reader(bytes);
    let count = reader.count("the number of links")?;
    let tags = reader.bytes(count, "the tags")?;
    let rels = reader.bytes(count, "the rel values")?;
    let positions = running(&mut reader, count, "a position")?;
    let seqs: Vec<u32> = (0..count).map(|_| reader.u32("a seq")).collect::<Result<_, _>>()?;
    let days = running(&mut reader, count, "a first day")?;
    let toggles: Vec<Vec<Toggle>> = (0..count).map(|_| toggles(&mut reader)).collect::<Result<_, _>>()?;
    let mut targets = Vec::with_capacity(count);
    for _ in 0..count {
        let shared = reader.u32("a target")? as usize;
        let start = page.as_str().get(..shared).ok_or(Damage("a target"))?;
        let target = [start, reader.text("a target")?].concat();
        targets.push(CanonicalUrl::from_stored(target).ok_or(Damage("a target"))?);
    }
    let mut links = Vec::with_capacity(count);
    for (at, (target, toggles)) in targets.into_iter().zip(toggles).enumerate() {
        links.push(OutlinkRecord {
            target,
            seq: seqs[at],
            pos: positions[at],
            tag: LinkTag::try_from(tags[at] & TAG_BITS).map_err(|_| Damage("a tag"))?,
            rel: Rel::from_bits(rels[at]),
            anchor: reader.string("an anchor text")?,
            external: tags[at] & EXTERNAL != 0,
            ins_day: Day(days[at]),
            toggles,
        });
    }
    reader.end()?;
    Ok(links)
}

/// Numbers written as differences to the one before.
fn running(reader: &mut Reader<'_>, count: usize, what: &'static str) -> Result<Vec<u32>, Damage> {
    let mut value = 0i64;
    (0..count)
        .map(|_| {
            value = value.checked_add(reader.signed(what)?).ok_or(Damage(what))?;
            u32::try_from(value).map_err(|_| Damage(what))
        })
        .collect()
}

/// All of a backlink that its key does not hold.
pub(super) fn encode_backlink(link: &OutlinkRecord, blpcount: u32, page: &SourcePage) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + link.anchor.len() + page.title.len());
    out.push(link.tag as u8);
    out.push(link.rel.bits());
    put_varint(&mut out, u64::from(link.pos));
    put_varint(&mut out, u64::from(link.ins_day.0));
    put_toggles(&mut out, &link.toggles);
    put_varint(&mut out, u64::from(blpcount));
    put_text(&mut out, &link.anchor);
    put_source(&mut out, page);
    out
}

/// All of a backlink that its key does not hold, its texts where they lie.
pub(super) struct BacklinkValue<'a> {
    pub tag: LinkTag,
    pub rel: Rel,
    pub pos: u32,
    pub ins_day: Day,
    pub toggles: Vec<Toggle>,
    pub blpcount: u32,
    pub anchor: &'a str,
    pub page: SourceView<'a>,
}

pub(super) fn decode_backlink_value(value: &[u8]) -> Result<BacklinkValue<'_>, Damage> {
    let mut reader = Reader(value);
    let value = BacklinkValue {
        tag: LinkTag::try_from(reader.byte("the tag")?).map_err(|_| Damage("the tag"))?,
        rel: Rel::from_bits(reader.byte("the rel values")?),
        pos: reader.u32("the position")?,
        ins_day: Day(reader.u32("the first day")?),
        toggles: toggles(&mut reader)?,
        blpcount: reader.u32("blpcount")?,
        anchor: reader.text("the anchor text")?,
        page: source(&mut reader)?,
    };
    reader.end()?;
    Ok(value)
}

pub(super) fn decode_backlink(key: &[u8], value: &[u8]) -> Result<BacklinkRecord, Damage> {
    let (target, source, seq) = keys::split_backlink(key)?;
    let value = decode_backlink_value(value)?;
    Ok(BacklinkRecord {
        source: Surt::bytes_to_url(source).map_err(|_| Damage("the source"))?,
        target: Surt::bytes_to_url(target).map_err(|_| Damage("the target"))?,
        seq,
        tag: value.tag,
        rel: value.rel,
        pos: value.pos,
        ins_day: value.ins_day,
        toggles: value.toggles,
        blpcount: value.blpcount,
        anchor: value.anchor.to_owned(),
        page: value.page.into(),
    })
}
