//! Backlinks: external links into a scope.

use super::{Field, Read, RowType, field};
use crate::model::{Day, Rel};
use crate::store::BacklinkRef;
use crate::urls::{host_of, is_ip_literal, without_scheme};

/// External links into a scope, active or not.
pub(crate) struct Backlinks;

impl RowType for Backlinks {
    type Row<'a> = BacklinkRef<'a>;
}

/// The fields of a backlink. `linkedpage` is its target without the scheme. `domain` and `toplevel` are the
/// registrable domain of the source and the last label of its host; an IP address has no `toplevel`.
/// `lostDate` is meaningful for lost links only. `seenDate` is the day on which the link came: the first time, or back.
pub(crate) static BACKLINK_FIELDS: &[Field<Backlinks>] = &[
    field("backlinkpage", Read::Text(|link, _| link.source)),
    field("linktarget", Read::Text(|link, _| link.target)),
    field("linkedpage", Read::PartOf("linktarget", |url, _| without_scheme(url))),
    field("title", Read::Text(|link, _| link.page.title)),
    field("linktext", Read::Text(|link, _| link.anchor)),
    field("tag", Read::Text(|link, _| link.tag.as_str())),
    field("image", Read::Flag(|link| link.tag.is_image())),
    field("nofollow", Read::Flag(|link| link.rel.is_nofollow())),
    field("ugc", Read::Flag(|link| link.rel.contains(Rel::UGC))),
    field("sponsored", Read::Flag(|link| link.rel.contains(Rel::SPONSORED))),
    field("active", Read::Flag(|link| link.is_active())),
    field("pos", Read::Number(|link| link.pos)),
    field("intL", Read::Number(|link| link.page.int_links)),
    field("extL", Read::Number(|link| link.page.ext_links)),
    field("sumL", Read::Number(|link| link.page.int_links.saturating_add(link.page.ext_links))),
    field("blpcount", Read::Number(|link| link.blpcount)),
    field("ip", Read::Address(|link| link.page.ip)),
    field("ccode", Read::Text(|link, _| link.page.ccode)),
    field("country", Read::Text(|link, _| link.page.country)),
    field("city", Read::Text(|link, _| link.page.city)),
    field("insDate", Read::Day(|link| link.first_day)),
    field("updDate", Read::Day(|link| link.page.fetched_day)),
    field("lostDate", Read::Day(|link| link.absences.last().map(|absence| absence.lost).unwrap_or_default())),
    field("seenDate", Read::Day(|link| last_arrival(link))),
    field("seq", Read::Number(|link| link.seq)),
    field("domain", Read::PartOf("backlinkpage", |url, suffixes| suffixes.domain_of(host_of(url)))),
    field("toplevel", Read::PartOf("backlinkpage", |url, _| toplevel(host_of(url)))),
];

fn last_arrival(link: &BacklinkRef<'_>) -> Day {
    link.absences.iter().rev().find_map(|absence| absence.back).unwrap_or(link.first_day)
}

fn toplevel(host: &str) -> &str {
    if is_ip_literal(host) { "" } else { host.rsplit('.').next().unwrap_or_default() }
}
