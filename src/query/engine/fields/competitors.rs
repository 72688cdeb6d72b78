//! Competitors: domains that have referring domains in common with a scope.

use super::{Field, Read, RowType, field};

/// A domain that shares referring domains with the scope.
#[derive(Clone, Debug)]
pub struct Competitor {
    pub domain: Box<str>,
    /// The number of domains that refer to both.
    pub common: u32,
    /// The number of referring domains of the scope.
    pub scope_refdoms: u32,
}

/// Rows of [`Competitor`].
pub(crate) struct Competitors;

impl RowType for Competitors {
    type Row<'a> = Competitor;
}

/// The fields of a competitor.
pub(crate) static COMPETITOR_FIELDS: &[Field<Competitors>] = &[
    field("domain", Read::Text(|row, _| &row.domain)),
    field("common", Read::Number(|row| row.common)),
    field("scope_refdoms", Read::Number(|row| row.scope_refdoms)),
];
