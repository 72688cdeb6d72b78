//! The head of a view: its first rows, enough for the first pages of a list.

use super::View;
use crate::query::engine::row_page::{RowPage, Window};
use crate::query::{Deadline, Plan, QueryError};

/// The first rows of a view, for pages that need no others.
#[derive(Debug)]
pub(crate) struct ViewHead {
    pub view: View,
    /// The number of rows of the whole view.
    pub count: usize,
}

impl ViewHead {
    /// The page of a window, if the head contains all of it.
    pub(crate) fn page(
        &self,
        plan: &Plan,
        window: Window,
        deadline: &Deadline,
    ) -> Result<Option<RowPage>, QueryError> {
        let end = window.offset.saturating_add(window.limit);
        let whole = self.view.rows() == self.count;
        if !plan.shows_all_in_default_order()
            || (end > self.view.rows() && !whole && window.offset < self.count)
        {
            return Ok(None);
        }
        let page = self.view.page(plan, window, deadline)?;
        Ok(Some(RowPage { count: self.count, ..page }))
    }
}
