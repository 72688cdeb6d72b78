//! Computed lists: their rows are computed for one query and are not cached. Examples are intersections and redirect
//! chains.
//!
//! A column that takes a lookup per row is computed for the shown rows only, unless `where` or `order[]`
//! need it for all rows.

use crate::query::engine::derived::derive_column;
use crate::query::engine::expression::ColumnExpr;
use crate::query::engine::fields::KEY;
use crate::query::engine::row_set::RowSet;
use crate::query::engine::view::{View, ViewParts, for_each_chunk};
use crate::query::lookup::NameLookup;
use crate::query::{Deadline, Listing, Plan, QueryError, RowPage, Table, Window};

/// The rows of one query.
#[derive(Debug)]
pub struct ComputedList {
    listing: &'static Listing,
    table: Table,
}

impl ComputedList {
    /// A list of rows whose order breaks ties.
    pub fn new(listing: &'static Listing, table: Table) -> Self {
        Self { listing, table: RowSet::keyed(table) }
    }

    /// The matching rows of the window, in the order of the plan.
    ///
    /// # Errors
    /// Errors of the lookup; [`QueryError::Deadline`]; [`QueryError::Declaration`] when listing and rows do not
    /// match.
    pub fn page(
        &self,
        plan: &Plan,
        window: Window,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
    ) -> Result<RowPage, QueryError> {
        let mut whole = None;
        self.for_each_page(plan, window, usize::MAX, lookup, deadline, |page| {
            whole = Some(page);
            Ok::<_, QueryError>(())
        })?;
        whole.ok_or_else(|| QueryError::Declaration(self.listing.name.to_owned()))
    }

    /// As [`Self::page`], in pages of at most `rows_per_page` rows, the first of which has the facets. Without rows there
    /// is one empty page.
    ///
    /// # Errors
    /// As [`Self::page`], and the errors of `each`.
    pub fn for_each_page<E: From<QueryError>>(
        &self,
        plan: &Plan,
        window: Window,
        rows_per_page: usize,
        lookup: &dyn NameLookup,
        deadline: &Deadline,
        mut each: impl FnMut(RowPage) -> Result<(), E>,
    ) -> Result<(), E> {
        let view = self.view(plan, lookup, deadline)?;
        let matching = view.matching_rows(plan, deadline)?;
        let window_rows = view.window_rows(plan, matching.as_ref(), window, deadline)?;
        let count = view.count(matching.as_ref());
        for_each_chunk(&window_rows, rows_per_page, |first, rows| {
            deadline.check()?;
            let page = view.page_of_rows(plan, rows, window.offset + first, count, deadline, |column| {
                let field = |name: &str| self.table.column(name)?.pick(rows, deadline);
                derive_column(column.from, &field, lookup, deadline)
            })?;
            let facets = match first {
                0 => view.facets(&plan.facets, matching.as_ref(), deadline)?,
                _ => Vec::new(),
            };
            each(RowPage { facets, ..page })
        })
    }

    /// A view with all fields, and with the other columns that the plan uses.
    fn view(&self, plan: &Plan, lookup: &dyn NameLookup, deadline: &Deadline) -> Result<View, QueryError> {
        require_computed_rows(self.listing)?;
        let mut columns = Vec::new();
        for column in self.listing.usable_columns() {
            if matches!(column.from, ColumnExpr::Field(_)) || plan.uses_column(column.name) {
                deadline.check()?;
                let all = |name: &str| Ok(self.table.column(name)?.clone());
                columns.push((column.name, derive_column(column.from, &all, lookup, deadline)?));
            }
        }
        let tie = self.table.column(KEY)?.clone();
        let (rows, in_order) = (0..self.table.rows(), self.listing.default_order.is_empty());
        Ok(View::new(self.listing, ViewParts { columns, tie, rows, in_order, links: 0 }))
    }
}

/// Refuses a listing whose rows are stored: they must come from an index, never from a table of another list.
fn require_computed_rows(listing: &Listing) -> Result<(), QueryError> {
    if listing.rows.is_stored() { Err(QueryError::Declaration(listing.name.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::RowKind;

    #[test]
    fn a_listing_of_stored_rows_is_refused() {
        for rows in [RowKind::Backlinks, RowKind::Outgoing, RowKind::Pages] {
            let listing = Listing { name: "stored", rows, ..Listing::DEFAULT };
            let refused = require_computed_rows(&listing);
            assert!(matches!(refused, Err(QueryError::Declaration(name)) if name == "stored"), "{rows:?}");
        }
        for rows in [
            RowKind::Referrers,
            RowKind::Competitors,
            RowKind::DomainChanges,
            RowKind::Hops,
            RowKind::Domains,
        ] {
            assert!(require_computed_rows(&Listing { rows, ..Listing::DEFAULT }).is_ok(), "{rows:?}");
        }
    }
}
