//! Ephemeral lists: their rows are computed for one query and are not cached. Examples are intersections and
//! redirect chains.
//!
//! A column that takes a look-up per row is computed for the shown rows only, unless `where` or `order[]`
//! need it for all rows.

use crate::query::engine::derived::derive_column;
use crate::query::engine::expression::ColumnExpr;
use crate::query::engine::fields::KEY;
use crate::query::engine::row_set::RowSet;
use crate::query::engine::view::{View, ViewParts, for_each_chunk};
use crate::query::lookup::LookUp;
use crate::query::{Deadline, Listing, Page, Plan, QueryError, Table, Window};

/// The rows of one query.
#[derive(Debug)]
pub struct EphemeralList {
    listing: &'static Listing,
    table: Table,
}

impl EphemeralList {
    /// A list of rows whose order breaks ties.
    pub fn new(listing: &'static Listing, table: Table) -> Self {
        Self { listing, table: RowSet::keyed(table) }
    }

    /// The matching rows of the window, in the order of the plan.
    ///
    /// # Errors
    /// Errors of the look-up; [`QueryError::Deadline`]; [`QueryError::Declaration`] when listing and rows do not
    /// match.
    pub fn page(
        &self,
        plan: &Plan,
        window: Window,
        look_up: &dyn LookUp,
        deadline: &Deadline,
    ) -> Result<Page, QueryError> {
        let mut whole = None;
        self.pieces(plan, window, usize::MAX, look_up, deadline, |page| {
            whole = Some(page);
            Ok::<_, QueryError>(())
        })?;
        whole.ok_or_else(|| QueryError::Declaration(self.listing.name.to_owned()))
    }

    /// As [`Self::page`], in pages of at most `piece` rows, the first of which has the facets. Without rows there
    /// is one empty page.
    ///
    /// # Errors
    /// As [`Self::page`], and the errors of `each`.
    pub fn pieces<E: From<QueryError>>(
        &self,
        plan: &Plan,
        window: Window,
        piece: usize,
        look_up: &dyn LookUp,
        deadline: &Deadline,
        mut each: impl FnMut(Page) -> Result<(), E>,
    ) -> Result<(), E> {
        let view = self.view(plan, look_up, deadline)?;
        let matching = view.matching_rows(plan, deadline)?;
        let window_rows = view.window_rows(plan, matching.as_ref(), window, deadline)?;
        let count = view.count(matching.as_ref());
        for_each_chunk(&window_rows, piece, |first, rows| {
            deadline.check()?;
            let page = view.page_of_rows(plan, rows, window.offset + first, count, deadline, |column| {
                let field = |name: &str| self.table.column(name)?.pick(rows, deadline);
                derive_column(column.from, &field, look_up, deadline)
            })?;
            let facets = match first {
                0 => view.facets(&plan.facets, matching.as_ref(), deadline)?,
                _ => Vec::new(),
            };
            each(Page { facets, ..page })
        })
    }

    /// A view with all fields, and with the other columns that the plan uses.
    fn view(&self, plan: &Plan, look_up: &dyn LookUp, deadline: &Deadline) -> Result<View, QueryError> {
        require_ephemeral_rows(self.listing)?;
        let mut columns = Vec::new();
        for column in self.listing.usable_columns() {
            if matches!(column.from, ColumnExpr::Field(_)) || plan.uses_column(column.name) {
                deadline.check()?;
                let all = |name: &str| Ok(self.table.column(name)?.clone());
                columns.push((column.name, derive_column(column.from, &all, look_up, deadline)?));
            }
        }
        let tie = self.table.column(KEY)?.clone();
        let (rows, in_order) = (0..self.table.rows(), self.listing.default_order.is_empty());
        Ok(View::new(self.listing, ViewParts { columns, tie, rows, in_order, links: 0 }))
    }
}

/// Refuses a listing whose rows are stored: they must come from an index, never from a table of another list.
fn require_ephemeral_rows(listing: &Listing) -> Result<(), QueryError> {
    if listing.rows.is_stored() { Err(QueryError::Declaration(listing.name.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::RowKind;

    #[test]
    fn a_listing_of_stored_rows_is_refused() {
        for rows in [RowKind::Backlinks, RowKind::Outgoing, RowKind::Pages] {
            let listing = Listing { name: "stored", rows, ..Listing::BACKLINKS };
            let refused = require_ephemeral_rows(&listing);
            assert!(matches!(refused, Err(QueryError::Declaration(name)) if name == "stored"), "{rows:?}");
        }
        for rows in [
            RowKind::Intersection,
            RowKind::Competitors,
            RowKind::DomainChanges,
            RowKind::Hops,
            RowKind::Domains,
        ] {
            assert!(require_ephemeral_rows(&Listing { rows, ..Listing::BACKLINKS }).is_ok(), "{rows:?}");
        }
    }
}
