//! Outgoing links: active external links on a scope's pages.

use std::sync::Arc;

use super::pages::AnsweredPage;
use super::{Field, Read, RowType, field};
use crate::model::OutlinkRecord;

/// Active external links on a scope's pages.
pub(crate) struct Outgoing;

impl RowType for Outgoing {
    type Row<'a> = OutgoingLink;
}

/// An active external link with the page that contains it.
#[derive(Clone, Debug)]
pub struct OutgoingLink {
    pub page: Arc<AnsweredPage>,
    pub link: OutlinkRecord,
}

/// The fields of an outgoing link. `url` is its page, and `backlinkpage` is the same without the scheme.
/// `linktarget` has no scheme either.
pub(crate) static OUTGOING_FIELDS: &[Field<Outgoing>] = &[
    field("url", Read::Text(|row, _| row.page.url.as_str())),
    field("backlinkpage", Read::Text(|row, _| row.page.url.without_scheme())),
    field("title", Read::Text(|row, _| &row.page.stored.facts.title)),
    field("linktarget", Read::Text(|row, _| row.link.target.without_scheme())),
    field("host", Read::Text(|row, _| row.link.target.host())),
    field("linktext", Read::Text(|row, _| &row.link.anchor)),
    field("tag", Read::Text(|row, _| row.link.tag.as_str())),
    field("nofollow", Read::Flag(|row| row.link.rel.is_nofollow())),
    field("pos", Read::Number(|row| row.link.pos)),
    field("cdate", Read::DayNumber(|row| row.link.first_day)),
];
