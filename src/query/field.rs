//! What a scan can read off the rows of the store: one field per line.

use std::net::IpAddr;
use std::sync::Arc;

use super::chain::HOP_FIELDS;
use super::column::Kind;
use super::competitors::COMPETITOR_FIELDS;
use super::intersection::REFERRER_FIELDS;
use crate::model::{Day, OutlinkRecord, Rel, StoredPage};
use crate::store::BacklinkView;
use crate::urls::{CanonicalUrl, Suffixes, host_of, is_ip_literal, without_scheme};

/// What the rows of a listing are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rows {
    /// External links into the scope.
    Backlinks,
    /// Active external links on the scope's pages.
    Outgoing,
    /// The scope's pages that were ever answered.
    Pages,
    /// The domains that link to all of several scopes: [`super::Intersection`].
    Intersection,
    /// The domains that share referring domains with the scope: [`super::Scan::competitors`].
    Competitors,
    /// The URLs of redirect chains: [`super::Scan::redirect_chains`].
    Hops,
}

impl Rows {
    /// The kind of a field's values; `None` for a field that the rows do not have.
    pub fn kind_of(self, field: &str) -> Option<Kind> {
        match (self, field) {
            (_, KEY) => Some(Kind::Number),
            (Self::Backlinks | Self::Outgoing, RANK) => Some(Kind::Hundredths),
            (Self::Backlinks, _) => find(BACKLINK_FIELDS, field).map(Field::kind),
            (Self::Outgoing, _) => find(OUTGOING_FIELDS, field).map(Field::kind),
            (Self::Pages, _) => find(PAGE_FIELDS, field).map(Field::kind),
            (Self::Intersection, _) => find(REFERRER_FIELDS, field).map(Field::kind),
            (Self::Competitors, _) => find(COMPETITOR_FIELDS, field).map(Field::kind),
            (Self::Hops, _) => find(HOP_FIELDS, field).map(Field::kind),
        }
    }
}

impl Rows {
    /// The order in which the rows of a base stand, as `order[]` writes it.
    pub(super) fn stored_order(self) -> &'static [&'static str] {
        match self {
            Self::Backlinks => &["-sr"],
            Self::Outgoing => &["-cdate"],
            _ => &[],
        }
    }
}

/// The field that holds a row's place in the order of the store's keys.
pub const KEY: &str = "key";

/// The field that holds the rank of the page that a link stands on.
pub const RANK: &str = "sr";

/// A kind of row that can be read.
pub trait Family: 'static {
    type Row<'a>;
}

/// A named property of the rows of a family.
pub struct Field<F: Family> {
    pub name: &'static str,
    pub read: Read<F>,
}

/// How a field is read off a row.
pub enum Read<F: Family> {
    Number(for<'a> fn(&F::Row<'a>) -> u32),
    Flag(for<'a> fn(&F::Row<'a>) -> bool),
    Day(for<'a> fn(&F::Row<'a>) -> Day),
    DayNumber(for<'a> fn(&F::Row<'a>) -> Day),
    Text(for<'a> fn(&'a F::Row<'a>, &'a Suffixes) -> &'a str),
    /// A part of another field's text: worked out once for each distinct text.
    PartOf(&'static str, PartOf),
    Address(for<'a> fn(&F::Row<'a>) -> Option<IpAddr>),
}

/// The part of a text.
pub type PartOf = for<'a> fn(&'a str, &Suffixes) -> &'a str;

/// External links into a scope, active or not.
pub struct Backlinks;

impl Family for Backlinks {
    type Row<'a> = BacklinkView<'a>;
}

/// Active external links on a scope's pages.
pub struct Outgoing;

impl Family for Outgoing {
    type Row<'a> = OutgoingLink;
}

/// Pages of a scope that were answered.
pub struct Pages;

impl Family for Pages {
    type Row<'a> = AnsweredPage;
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

impl<F: Family> Field<F> {
    pub fn kind(&self) -> Kind {
        match self.read {
            Read::Number(_) => Kind::Number,
            Read::Flag(_) => Kind::Flag,
            Read::Day(_) => Kind::Day,
            Read::DayNumber(_) => Kind::DayNumber,
            Read::Text(_) | Read::PartOf(..) => Kind::Text,
            Read::Address(_) => Kind::Address,
        }
    }
}

/// The field of a name.
fn find<F: Family>(fields: &'static [Field<F>], name: &str) -> Option<&'static Field<F>> {
    fields.iter().find(|field| field.name == name)
}

pub(super) const fn field<F: Family>(name: &'static str, read: Read<F>) -> Field<F> {
    Field { name, read }
}

/// The fields of a backlink. `linkedpage` is its target without the scheme, `domain` and `toplevel` are the source's
/// registrable domain and the last label of its host, which an address has not. `lostDate` says something of lost
/// links alone.
pub static BACKLINK_FIELDS: &[Field<Backlinks>] = &[
    field("backlinkpage", Read::Text(|link, _| link.source)),
    field("linktarget", Read::Text(|link, _| link.target)),
    field("linkedpage", Read::PartOf("linktarget", |url, _| without_scheme(url))),
    field("title", Read::Text(|link, _| link.title)),
    field("linktext", Read::Text(|link, _| link.anchor)),
    field("tag", Read::Text(|link, _| link.tag.as_str())),
    field("image", Read::Flag(|link| link.tag.is_image())),
    field("nofollow", Read::Flag(|link| link.rel.is_nofollow())),
    field("ugc", Read::Flag(|link| link.rel.contains(Rel::UGC))),
    field("sponsored", Read::Flag(|link| link.rel.contains(Rel::SPONSORED))),
    field("active", Read::Flag(|link| link.is_active())),
    field("pos", Read::Number(|link| link.pos)),
    field("intL", Read::Number(|link| link.int_links)),
    field("extL", Read::Number(|link| link.ext_links)),
    field("sumL", Read::Number(|link| link.int_links.saturating_add(link.ext_links))),
    field("blpcount", Read::Number(|link| link.blpcount)),
    field("ip", Read::Address(|link| link.ip)),
    field("ccode", Read::Text(|link, _| link.ccode)),
    field("country", Read::Text(|link, _| link.country)),
    field("city", Read::Text(|link, _| link.city)),
    field("insDate", Read::Day(|link| link.ins_day)),
    field("updDate", Read::Day(|link| link.upd_day)),
    field("lostDate", Read::Day(|link| link.toggles.last().map(|toggle| toggle.lost).unwrap_or_default())),
    field("seq", Read::Number(|link| link.seq)),
    field("domain", Read::PartOf("backlinkpage", |url, suffixes| suffixes.domain_of(host_of(url)))),
    field("toplevel", Read::PartOf("backlinkpage", |url, _| toplevel(host_of(url)))),
];

/// The fields of an outgoing link. `url` is its page, `backlinkpage` the same without the scheme; `linktarget` has
/// no scheme either.
pub static OUTGOING_FIELDS: &[Field<Outgoing>] = &[
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
pub static PAGE_FIELDS: &[Field<Pages>] =
    &[field("code", Read::Number(|page| u32::from(page.stored.status)))];

fn toplevel(host: &str) -> &str {
    if is_ip_literal(host) { "" } else { host.rsplit('.').next().unwrap_or_default() }
}
