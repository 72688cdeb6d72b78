//! Values of `backlinks`: one external link, stored with its target.

use crate::model::{Absence, BacklinkRecord, Day, LinkTag, OutlinkRecord, Rel, SourcePage, is_active};
use crate::urls::Surt;

use super::keys;
use super::source_page::{SourceRef, put_absences, put_source, read_absences, read_source};
use super::varint::{Damage, Reader, put_text, put_varint};

/// Encodes everything of a backlink that is not in its key.
pub(in crate::store) fn encode_backlink(link: &OutlinkRecord, blpcount: u32, page: &SourcePage) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + link.anchor.len() + page.title.len());
    out.push(link.tag.code());
    out.push(link.rel.bits());
    put_varint(&mut out, u64::from(link.pos));
    put_varint(&mut out, u64::from(link.first_day.0));
    put_absences(&mut out, &link.absences);
    put_varint(&mut out, u64::from(blpcount));
    put_text(&mut out, &link.anchor);
    put_source(&mut out, page);
    out
}

/// An external link seen from its target: a [`BacklinkRecord`] with borrowed texts.
#[derive(Clone, Debug, PartialEq)]
pub struct BacklinkRef<'a> {
    /// Canonical URLs.
    pub source: &'a str,
    pub target: &'a str,
    /// Distinguishes links of one page to one target.
    pub seq: u32,
    /// Position on the source page, from 1.
    pub pos: u32,
    pub tag: LinkTag,
    pub rel: Rel,
    pub anchor: &'a str,
    pub first_day: Day,
    /// Absences, in order of time.
    pub absences: Vec<Absence>,
    /// Active external links from the source page to the target's registrable domain.
    pub blpcount: u32,
    pub page: SourceRef<'a>,
}

impl BacklinkRef<'_> {
    pub fn is_active(&self) -> bool {
        is_active(&self.absences)
    }
}

impl<'a> From<&'a BacklinkRecord> for BacklinkRef<'a> {
    fn from(link: &'a BacklinkRecord) -> Self {
        Self {
            source: link.source.as_str(),
            target: link.target.as_str(),
            seq: link.seq,
            pos: link.pos,
            tag: link.tag,
            rel: link.rel,
            anchor: &link.anchor,
            first_day: link.first_day,
            absences: link.absences.clone(),
            blpcount: link.blpcount,
            page: SourceRef::from(&link.page),
        }
    }
}

/// Decodes the value of a backlink. `source`, `target` and `seq` are the parts of its key.
pub(in crate::store) fn decode_backlink_ref<'a>(
    source: &'a str,
    target: &'a str,
    seq: u32,
    value: &'a [u8],
) -> Result<BacklinkRef<'a>, Damage> {
    let mut reader = Reader(value);
    let link = BacklinkRef {
        source,
        target,
        seq,
        tag: LinkTag::from_code(reader.byte("the tag")?).ok_or(Damage("the tag"))?,
        rel: Rel::from_bits(reader.byte("the rel values")?),
        pos: reader.u32("the position")?,
        first_day: Day(reader.u32("the first day")?),
        absences: read_absences(&mut reader)?,
        blpcount: reader.u32("blpcount")?,
        anchor: reader.text("the anchor text")?,
        page: read_source(&mut reader)?,
    };
    reader.end()?;
    Ok(link)
}

pub(in crate::store) fn decode_backlink(key: &[u8], value: &[u8]) -> Result<BacklinkRecord, Damage> {
    let (target, source, seq) = keys::split_backlink_key(key)?;
    let source = Surt::bytes_to_url(source).map_err(|_| Damage("the source"))?;
    let target = Surt::bytes_to_url(target).map_err(|_| Damage("the target"))?;
    let link = decode_backlink_ref(source.as_str(), target.as_str(), seq, value)?;
    Ok(BacklinkRecord {
        seq,
        pos: link.pos,
        tag: link.tag,
        rel: link.rel,
        anchor: link.anchor.to_owned(),
        first_day: link.first_day,
        absences: link.absences,
        blpcount: link.blpcount,
        page: link.page.into(),
        source,
        target,
    })
}
