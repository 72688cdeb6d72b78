//! Domains: the registrable domains of the whole index.

use super::{Field, Read, RowType, field};

/// A registrable domain with its figures. Its rank is a column that is added to the table.
#[derive(Clone, Debug)]
pub(crate) struct DomainRow {
    pub domain: Box<str>,
    pub refdoms: u32,
    pub backlinks: u32,
    pub pages: u32,
    pub hosts: u32,
}

/// Rows of [`DomainRow`].
pub(crate) struct DomainRows;

impl RowType for DomainRows {
    type Row<'a> = DomainRow;
}

/// The fields of a domain.
pub(crate) static DOMAIN_FIELDS: &[Field<DomainRows>] = &[
    field("domain", Read::Text(|row, _| &row.domain)),
    field("refdoms", Read::Number(|row| row.refdoms)),
    field("backlinks", Read::Number(|row| row.backlinks)),
    field("pages", Read::Number(|row| row.pages)),
    field("hosts", Read::Number(|row| row.hosts)),
];
