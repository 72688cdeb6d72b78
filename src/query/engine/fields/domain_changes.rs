//! Domain changes: the days on which registrable domains began or ceased to link to a scope.

use super::{Field, Read, RowType, field};
use crate::model::Day;

/// A day on which a domain began or ceased to link to the scope.
#[derive(Clone, Debug)]
pub(crate) struct DomainChange {
    pub domain: Box<str>,
    pub date: Day,
    /// The number of its links that came or went on this day.
    pub links: u32,
    /// The most frequent country of the pages of these links.
    pub ccode: Box<str>,
}

/// Rows of [`DomainChange`].
pub(crate) struct DomainChanges;

impl RowType for DomainChanges {
    type Row<'a> = DomainChange;
}

/// The fields of a domain change.
pub(crate) static DOMAIN_CHANGE_FIELDS: &[Field<DomainChanges>] = &[
    field("domain", Read::Text(|row, _| &row.domain)),
    field("date", Read::Day(|row| row.date)),
    field("links", Read::Number(|row| row.links)),
    field("ccode", Read::Text(|row, _| &row.ccode)),
];
