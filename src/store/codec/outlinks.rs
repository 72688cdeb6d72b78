//! Values of `outlinks`: the links of one page.

use crate::model::{Absence, Day, LinkTag, OutlinkRecord, Rel};
use crate::urls::CanonicalUrl;

use super::source_page::{put_absences, read_absences};
use super::varint::{Damage, Reader, put_signed, put_text, put_varint};

const TAG_BITS: u8 = 0x0f;
const EXTERNAL: u8 = 0x10;

/// Encodes the links of one page column by column. Equal values are adjacent, which the block compression of the
/// column family depends on. A target is written as the part that it does not share with the URL of the page.
pub(in crate::store) fn encode_outlinks(page: &CanonicalUrl, links: &[OutlinkRecord]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + links.len() * 48);
    put_varint(&mut out, links.len() as u64);
    out.extend(links.iter().map(|link| link.tag.code() | if link.external { EXTERNAL } else { 0 }));
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
        put_signed(&mut out, i64::from(link.first_day.0) - last_day);
        last_day = i64::from(link.first_day.0);
    }
    for link in links {
        put_absences(&mut out, &link.absences);
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

/// URLs are ASCII, so every byte is a character boundary.
fn shared_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

pub(in crate::store) fn decode_outlinks(
    page: &CanonicalUrl,
    bytes: &[u8],
) -> Result<Vec<OutlinkRecord>, Damage> {
    let mut reader = Reader(bytes);
    let count = reader.count("the number of links")?;
    let tags = reader.bytes(count, "the tags")?;
    let rels = reader.bytes(count, "the rel values")?;
    let positions = read_deltas(&mut reader, count, "a position")?;
    let seqs: Vec<u32> = (0..count).map(|_| reader.u32("a seq")).collect::<Result<_, _>>()?;
    let days = read_deltas(&mut reader, count, "a first day")?;
    let absences: Vec<Vec<Absence>> =
        (0..count).map(|_| read_absences(&mut reader)).collect::<Result<_, _>>()?;
    let mut targets = Vec::with_capacity(count);
    for _ in 0..count {
        let shared = reader.u32("a target")? as usize;
        let start = page.as_str().get(..shared).ok_or(Damage("a target"))?;
        let target = [start, reader.text("a target")?].concat();
        targets.push(CanonicalUrl::from_stored(target).ok_or(Damage("a target"))?);
    }
    let mut links = Vec::with_capacity(count);
    for (at, (target, absences)) in targets.into_iter().zip(absences).enumerate() {
        links.push(OutlinkRecord {
            target,
            seq: seqs[at],
            pos: positions[at],
            tag: LinkTag::from_code(tags[at] & TAG_BITS).ok_or(Damage("a tag"))?,
            rel: Rel::from_bits(rels[at]),
            anchor: reader.string("an anchor text")?,
            external: tags[at] & EXTERNAL != 0,
            first_day: Day(days[at]),
            absences,
        });
    }
    reader.end()?;
    Ok(links)
}

/// Decodes numbers that are stored as differences to their predecessor.
fn read_deltas(reader: &mut Reader<'_>, count: usize, what: &'static str) -> Result<Vec<u32>, Damage> {
    let mut value = 0i64;
    (0..count)
        .map(|_| {
            value = value.checked_add(reader.signed(what)?).ok_or(Damage(what))?;
            u32::try_from(value).map_err(|_| Damage(what))
        })
        .collect()
}
