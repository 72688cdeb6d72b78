//! What a scan can read off the rows of the store: one field per line.

use std::net::IpAddr;

use super::column::Kind;
use crate::model::{BacklinkRecord, Day};
use crate::urls::Suffixes;

/// A named property of the rows of type `R`.
#[derive(Debug)]
pub struct Field<R> {
    pub name: &'static str,
    pub read: Read<R>,
}

/// How a field is read off a row.
#[derive(Debug)]
pub enum Read<R> {
    Number(fn(&R) -> u32),
    Flag(fn(&R) -> bool),
    Day(fn(&R) -> Day),
    Text(for<'a> fn(&'a R, &Suffixes) -> &'a str),
    Address(fn(&R) -> Option<IpAddr>),
}

impl<R> Field<R> {
    pub fn kind(&self) -> Kind {
        match self.read {
            Read::Number(_) => Kind::Number,
            Read::Flag(_) => Kind::Flag,
            Read::Day(_) => Kind::Day,
            Read::Text(_) => Kind::Text,
            Read::Address(_) => Kind::Address,
        }
    }
}

/// The field of a name.
pub(super) fn find<R>(fields: &'static [Field<R>], name: &str) -> Option<&'static Field<R>> {
    fields.iter().find(|field| field.name == name)
}

const fn field<R>(name: &'static str, read: Read<R>) -> Field<R> {
    Field { name, read }
}

/// The fields of a backlink. `domain` is the source's registrable domain.
pub static BACKLINK_FIELDS: &[Field<BacklinkRecord>] = &[
    field("backlinkpage", Read::Text(|link, _| link.source.as_str())),
    field("linktarget", Read::Text(|link, _| link.target.as_str())),
    field("title", Read::Text(|link, _| &link.page.title)),
    field("linktext", Read::Text(|link, _| &link.anchor)),
    field("tag", Read::Text(|link, _| link.tag.as_str())),
    field("image", Read::Flag(|link| link.tag.is_image())),
    field("nofollow", Read::Flag(|link| link.rel.is_nofollow())),
    field("ugc", Read::Flag(|link| link.rel.contains(crate::model::Rel::UGC))),
    field("sponsored", Read::Flag(|link| link.rel.contains(crate::model::Rel::SPONSORED))),
    field("active", Read::Flag(BacklinkRecord::is_active)),
    field("pos", Read::Number(|link| link.pos)),
    field("intL", Read::Number(|link| link.page.int_links)),
    field("extL", Read::Number(|link| link.page.ext_links)),
    field("sumL", Read::Number(|link| link.page.int_links.saturating_add(link.page.ext_links))),
    field("blpcount", Read::Number(|link| link.blpcount)),
    field("ip", Read::Address(|link| link.page.ip)),
    field("ccode", Read::Text(|link, _| &link.page.place.ccode)),
    field("country", Read::Text(|link, _| &link.page.place.country)),
    field("city", Read::Text(|link, _| &link.page.place.city)),
    field("insDate", Read::Day(|link| link.ins_day)),
    field("updDate", Read::Day(|link| link.page.upd_day)),
    field("domain", Read::Text(|link, suffixes| suffixes.domain_of(link.source.host()))),
];
