//! Exports out of an index that lies in memory: the same rows as the store gives, several times as fast.

use std::sync::Arc;

use super::Searches;
use super::kept::{Kept, Key, Needs, Part, What};
use crate::query::base::Base;
use crate::query::column::Value;
use crate::query::compute::Compute;
use crate::query::lookup::Known;
use crate::query::{Activity, Deadline, Listing, Page, QueryError, Selection, View};
use crate::store::backlink_key;

/// A piece of an export.
#[derive(Debug)]
pub struct ExportPage {
    pub page: Page,
    /// The key to read on after; `None` when nothing is left.
    pub next: Option<Vec<u8>>,
}

/// Rows, and how they are shown in key order.
type InKeyOrder = (Arc<Base>, Arc<View>);

impl Searches {
    /// At most `limit` backlinks, active or not, in key order, strictly after the key `after`: the named columns of a
    /// listing. `None` when there is no index in memory that tells of the present state; one is not built for this.
    ///
    /// # Errors
    /// What the store or the deadline reports; [`QueryError::Declaration`] where listing and rows do not fit.
    pub fn export(
        &self,
        selection: &Arc<Selection>,
        listing: &'static Listing,
        names: &[&str],
        (after, limit): (Option<&[u8]>, usize),
        deadline: &Deadline,
    ) -> Result<Option<ExportPage>, QueryError> {
        let Some((base, view)) = self.in_key_order(selection, listing, deadline)? else { return Ok(None) };
        let order = view.in_order(&[], deadline)?;
        let key = |row: u32| base.store_key(row);
        let start = match after {
            None => 0,
            Some(after) => partition(&order, |row| Ok(key(row)?.as_slice() <= after))?,
        };
        let rest = &order[start..];
        let shown = &rest[..rest.len().min(limit)];
        let mut plan = listing.plan(None, std::iter::empty())?;
        plan.columns = names.iter().map(|name| listing.column(name)).collect::<Result<_, _>>()?;
        let page = view.show(&plan, shown, 0, shown.len(), deadline, crate::query::view::no_other)?;
        let next = match shown.last() {
            _ if shown.len() == rest.len() => None,
            Some(&last) => Some(key(last)?),
            None => Some(after.unwrap_or_default().to_vec()),
        };
        Ok(Some(ExportPage { page, next }))
    }

    fn in_key_order(
        &self,
        selection: &Arc<Selection>,
        listing: &'static Listing,
        deadline: &Deadline,
    ) -> Result<Option<InKeyOrder>, QueryError> {
        let (shared, needs) = (&self.shared, Needs::of(listing));
        let base_key = Key::new(selection, What::Base(listing.rows));
        let Some(Kept { part: Part::Base(base), valid_at: Some(_), stamp, read_at }) =
            shared.kept(&base_key, needs)?
        else {
            return Ok(None);
        };
        let view_key = Key::new(selection, What::View(listing.name, Activity::Both));
        if let Some(Kept { part: Part::View(view), stamp: of_view, .. }) = shared.kept(&view_key, needs)?
            && of_view == stamp
        {
            return Ok(Some((base, view)));
        }
        let snapshot = shared.store.snapshot();
        let known = Known { snapshot: &snapshot, suffixes: &shared.suffixes, deadline };
        let view = Arc::new(View::of(listing, &base, Activity::Both, &known, deadline)?);
        shared.keep(view_key, Kept { part: Part::View(Arc::clone(&view)), stamp, read_at, valid_at: None });
        Ok(Some((base, view)))
    }
}

impl Base {
    /// The store's key of a row of backlinks.
    fn store_key(&self, row: u32) -> Result<Vec<u8>, QueryError> {
        let value = |name: &str| Ok::<_, QueryError>(self.table.column(name)?.value(row as usize));
        let key = match (value("linktarget")?, value("backlinkpage")?, value("seq")?) {
            (Value::Text(target), Value::Text(source), Value::Number(seq)) => {
                backlink_key(target, source, seq)
            }
            _ => None,
        };
        key.ok_or_else(|| QueryError::Declaration(format!("{:?}", Compute::Field("seq"))))
    }
}

/// How many rows stand before the first that does not pass.
fn partition(rows: &[u32], passes: impl Fn(u32) -> Result<bool, QueryError>) -> Result<usize, QueryError> {
    let (mut low, mut high) = (0, rows.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if passes(rows[middle])? { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}
