//! The one door through which lists get their rows: a scope in, a [`Table`] out.
//!
//! Today every call reads the whole scope, so the table is always complete. A search index kept per scope can
//! stand in for the scan without anything behind this door changing.

use super::field::{BACKLINK_FIELDS, find};
use super::{Deadline, QueryError, Table};
use crate::model::BacklinkRecord;
use crate::store::Snapshot;
use crate::urls::{Scope, Suffixes};

/// What a query is about: a scope, and which links into it count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    pub scope: Scope,
    pub internal: Internal,
}

/// Whether links from the scope's own registrable domain count as backlinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Internal {
    #[default]
    Include,
    Exclude,
}

/// The rows of a scope as far as they are known.
#[derive(Debug)]
pub struct Scanned {
    pub table: Table,
    /// Whether these are all rows.
    pub finished: bool,
}

impl Selection {
    /// Whether a link from this host counts.
    pub fn counts_source(&self, host: &str, suffixes: &Suffixes) -> bool {
        self.internal == Internal::Include || suffixes.domain_of(host) != self.scope.domain(suffixes)
    }
}

/// The backlinks of a selection: the named fields of all active external links into the scope, in key order.
///
/// # Errors
/// What the store or the deadline reports; [`QueryError::Declaration`] for an unknown field.
pub fn backlinks(
    snapshot: &Snapshot<'_>,
    selection: &Selection,
    fields: &[&'static str],
    suffixes: &Suffixes,
    deadline: &Deadline,
) -> Result<Scanned, QueryError> {
    let rows = snapshot.backlinks(&selection.scope, None).map(|row| row.map(|row| row.value));
    let table = backlink_table(deadline.over(rows), selection, fields, suffixes)?;
    Ok(Scanned { table, finished: true })
}

/// As [`backlinks`], from records that lie at hand, active or not, in the order given.
///
/// # Errors
/// As [`backlinks`].
pub fn backlink_table(
    rows: impl Iterator<Item = Result<BacklinkRecord, QueryError>>,
    selection: &Selection,
    fields: &[&'static str],
    suffixes: &Suffixes,
) -> Result<Table, QueryError> {
    let fields = fields
        .iter()
        .map(|name| find(BACKLINK_FIELDS, name).ok_or_else(|| QueryError::Declaration((*name).to_owned())))
        .collect::<Result<Vec<_>, _>>()?;
    let counted = rows.filter(|row| {
        row.as_ref()
            .map_or(true, |link| link.is_active() && selection.counts_source(link.source.host(), suffixes))
    });
    Table::build(&fields, counted, suffixes)
}
