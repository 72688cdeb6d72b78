//! What a scan can read off the rows of the store: one field per line.

use std::net::IpAddr;
use std::sync::Arc;

use super::column::Kind;
use crate::model::{BacklinkRecord, Day, OutlinkRecord, Rel, StoredPage};
use crate::urls::{CanonicalUrl, Suffixes, is_ip_literal};

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
    DayNumber(fn(&R) -> Day),
    Text(for<'a> fn(&'a R, &Suffixes) -> &'a str),
    Address(fn(&R) -> Option<IpAddr>),
}

/// A page of a scope that was answered.
#[derive(Clone, Debug)]
pub struct AnsweredPage {
    pub url: CanonicalUrl,
    pub stored: StoredPage,
}

/// An active external link with the page it stands on.
#[derive(Clone, Debug)]
pub struct OutgoingLink {
    pub page: Arc<AnsweredPage>,
    pub link: OutlinkRecord,
}

impl<R> Field<R> {
    pub fn kind(&self) -> Kind {
        match self.read {
            Read::Number(_) => Kind::Number,
            Read::Flag(_) => Kind::Flag,
            Read::Day(_) => Kind::Day,
            Read::DayNumber(_) => Kind::DayNumber,
            Read::Text(_) => Kind::Text,
            Read::Address(_) => Kind::Address,
        }
    }
}

/// The field of a name.
pub(super) fn find<R>(fields: &'static [Field<R>], name: &str) -> Option<&'static Field<R>> {
    fields.iter().find(|field| field.name == name)
}

pub(super) const fn field<R>(name: &'static str, read: Read<R>) -> Field<R> {
    Field { name, read }
}

/// The fields of a backlink. `linkedpage` is its target without the scheme, `domain` and `toplevel` are the source's
/// registrable domain and the last label of its host, which an address has not. `lostDate` says something of lost
/// links alone.
pub static BACKLINK_FIELDS: &[Field<BacklinkRecord>] = &[
    field("backlinkpage", Read::Text(|link, _| link.source.as_str())),
    field("linktarget", Read::Text(|link, _| link.target.as_str())),
    field("linkedpage", Read::Text(|link, _| link.target.without_scheme())),
    field("title", Read::Text(|link, _| &link.page.title)),
    field("linktext", Read::Text(|link, _| &link.anchor)),
    field("tag", Read::Text(|link, _| link.tag.as_str())),
    field("image", Read::Flag(|link| link.tag.is_image())),
    field("nofollow", Read::Flag(|link| link.rel.is_nofollow())),
    field("ugc", Read::Flag(|link| link.rel.contains(Rel::UGC))),
    field("sponsored", Read::Flag(|link| link.rel.contains(Rel::SPONSORED))),
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
    field("lostDate", Read::Day(|link| link.toggles.last().map(|toggle| toggle.lost).unwrap_or_default())),
    field("domain", Read::Text(|link, suffixes| suffixes.domain_of(link.source.host()))),
    field("toplevel", Read::Text(|link, _| toplevel(link.source.host()))),
];

/// The fields of an outgoing link. `url` is its page, `backlinkpage` the same without the scheme; `linktarget` has
/// no scheme either.
pub static OUTGOING_FIELDS: &[Field<OutgoingLink>] = &[
    field("url", Read::Text(|row, _| row.page.url.as_str())),
    field("backlinkpage", Read::Text(|row, _| row.page.url.without_scheme())),
    field("title", Read::Text(|row, _| &row.page.stored.title)),
    field("linktarget", Read::Text(|row, _| row.link.target.without_scheme())),
    field("host", Read::Text(|row, _| row.link.target.host())),
    field("linktext", Read::Text(|row, _| &row.link.anchor)),
    field("tag", Read::Text(|row, _| row.link.tag.as_str())),
    field("nofollow", Read::Flag(|row| row.link.rel.is_nofollow())),
    field("pos", Read::Number(|row| row.link.pos)),
    field("cdate", Read::DayNumber(|row| row.link.ins_day)),
];

/// The fields of a page.
pub static PAGE_FIELDS: &[Field<AnsweredPage>] =
    &[field("code", Read::Number(|page| u32::from(page.stored.status)))];

fn toplevel(host: &str) -> &str {
    if is_ip_literal(host) { "" } else { host.rsplit('.').next().unwrap_or_default() }
}
