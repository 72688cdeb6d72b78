//! The registrable domains that have referring domains in common with a scope.
//!
//! Referring domains are those that link from outside: links within one registrable domain make nobody refer to
//! anybody here, neither for the scope nor for those it is compared with.

use super::QueryError;
use super::column::{Column, Meaning};
use super::field::{Field, Read, field};
use super::frame::{Frame, percentage};

/// A domain with referring domains that the scope has as well.
#[derive(Clone, Debug)]
pub struct Competitor {
    pub domain: Box<str>,
    /// Referring domains of both.
    pub common: u32,
    /// Referring domains of the scope.
    pub own: u32,
}

/// The fields of a competitor.
pub static COMPETITOR_FIELDS: &[Field<Competitor>] = &[
    field("domain", Read::Text(|row, _| &row.domain)),
    field("common", Read::Number(|row| row.common)),
    field("own", Read::Number(|row| row.own)),
];

impl Frame<'_> {
    /// The referring domains of the domains that a field names.
    pub(super) fn foreign_refdoms(&self, domain: &str, units: &[u32]) -> Result<Column, QueryError> {
        let domains = self.field(domain, units)?;
        self.looked_up(&domains, Meaning::Number, |domain| self.look_up().foreign_refdoms(domain))
    }

    /// Of the referring domains of two sides, the share that both have.
    pub(super) fn overlap(
        &self,
        shared: &str,
        own: &str,
        domain: &str,
        units: &[u32],
    ) -> Result<Column, QueryError> {
        let (shared, own) = (self.field(shared, units)?, self.field(own, units)?);
        let others = self.foreign_refdoms(domain, units)?;
        let cells = shared.cells().iter().zip(own.cells()).zip(others.cells());
        let cells = cells.map(|((&shared, &own), &other)| jaccard(shared, own, other));
        Ok(Column::new(cells.collect(), Meaning::TenThousandths))
    }
}

/// `|A ∩ B| / |A ∪ B|` in ten thousandths, rounded to the nearest, halves up.
fn jaccard(shared: u32, own: u32, other: u32) -> u32 {
    let either = u64::from(own) + u64::from(other) - u64::from(shared.min(own).min(other));
    percentage(u64::from(shared), either)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jaccard_is_rounded_to_four_decimals() {
        for (shared, own, other, parts) in
            [(0, 0, 0, 0), (1, 1, 1, 10_000), (1, 2, 2, 3_333), (2, 3, 2, 6_667), (1, 20_000, 1, 1), (1, 20_001, 1, 0)]
        {
            assert_eq!(jaccard(shared, own, other), parts, "{shared} of {own} and {other}");
        }
    }
}
