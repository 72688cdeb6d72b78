//! Values of `backlinks`: one external link, stored with its target.

use crate::model::{BacklinkRecord, Day, LinkTag, OutlinkRecord, Rel, SourcePage, Toggle};
use crate::urls::Surt;

use super::keys;
use super::source_page::{SourceView, put_source, put_toggles, read_source, read_toggles};
use super::varint::{Damage, Reader, put_text, put_varint};

/// Encodes everything of a backlink that is not in its key.
pub(in crate::store) fn encode_backlink(link: &OutlinkRecord, blpcount: u32, page: &SourcePage) -> Vec<u8> {
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

/// The decoded value of a backlink. Its texts borrow from the stored bytes.
pub(in crate::store) struct BacklinkValue<'a> {
    pub tag: LinkTag,
    pub rel: Rel,
    pub pos: u32,
    pub ins_day: Day,
    pub toggles: Vec<Toggle>,
    pub blpcount: u32,
    pub anchor: &'a str,
    pub page: SourceView<'a>,
}

pub(in crate::store) fn decode_backlink_value(value: &[u8]) -> Result<BacklinkValue<'_>, Damage> {
    let mut reader = Reader(value);
    let value = BacklinkValue {
        tag: LinkTag::try_from(reader.byte("the tag")?).map_err(|_| Damage("the tag"))?,
        rel: Rel::from_bits(reader.byte("the rel values")?),
        pos: reader.u32("the position")?,
        ins_day: Day(reader.u32("the first day")?),
        toggles: read_toggles(&mut reader)?,
        blpcount: reader.u32("blpcount")?,
        anchor: reader.text("the anchor text")?,
        page: read_source(&mut reader)?,
    };
    reader.end()?;
    Ok(value)
}

pub(in crate::store) fn decode_backlink(key: &[u8], value: &[u8]) -> Result<BacklinkRecord, Damage> {
    let (target, source, seq) = keys::split_backlink_key(key)?;
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
