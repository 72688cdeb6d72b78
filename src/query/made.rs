//! Lists whose rows are made for one question and kept for no other: what several scopes have in common, chains of
//! redirects.
//!
//! Columns that cost a look-up per row are worked out for the rows that are shown, unless `where` or `order[]` need
//! them of all.

use super::base::Base;
use super::compute::Compute;
use super::field::KEY;
use super::looked_up::looked_up;
use super::lookup::LookUp;
use super::view::{Parts, View, in_pieces};
use super::{Deadline, Listing, Page, Plan, QueryError, Table, Window};

/// Rows made for one question.
#[derive(Debug)]
pub struct Made {
    listing: &'static Listing,
    table: Table,
}

impl Made {
    /// Rows that stand in an order of their own, which decides ties.
    pub fn new(listing: &'static Listing, table: Table) -> Self {
        Self { listing, table: Base::keyed(table) }
    }

    /// The rows of the window that pass, in the order asked for.
    ///
    /// # Errors
    /// What a look-up or the deadline reports; [`QueryError::Declaration`] where listing and rows do not fit.
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

    /// As [`Self::page`], handed out in pages of at most `piece` rows; in one without rows where there are none.
    ///
    /// # Errors
    /// As [`Self::page`], and what `each` reports.
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
        let passing = view.passing(plan, deadline)?;
        let shown = view.shown(plan, passing.as_ref(), window, deadline)?;
        let count = view.count(passing.as_ref());
        in_pieces(&shown, piece, |first, rows| {
            deadline.check()?;
            each(view.show(plan, rows, window.offset + first, count, deadline, |column| {
                let shown = |name: &str| self.table.column(name)?.pick(rows, deadline);
                looked_up(column.from, &shown, look_up, deadline)
            })?)
        })
    }

    /// A view with the fields, and with what else the plan needs of all rows.
    fn view(&self, plan: &Plan, look_up: &dyn LookUp, deadline: &Deadline) -> Result<View, QueryError> {
        let mut columns = Vec::new();
        for column in self.listing.columns {
            let field = matches!(column.from, Compute::Field(_));
            if field || (column.from != Compute::RowNumber && plan.uses(column.name)) {
                deadline.check()?;
                let all = |name: &str| Ok(self.table.column(name)?.clone());
                columns.push((column.name, looked_up(column.from, &all, look_up, deadline)?));
            }
        }
        let tie = self.table.column(KEY)?.clone();
        let (rows, in_order) = (0..self.table.rows(), self.listing.default_order.is_empty());
        Ok(View::new(self.listing, Parts { columns, tie, rows, in_order, links: 0 }))
    }
}
