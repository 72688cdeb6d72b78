//! Explains empty replies. An unknown scope and a known scope without links both give no rows; a warning distinguishes
//! them, and `known` says the same in a word. If `where` may have removed all rows, a scope that was visited needs no
//! explanation.
//!
//! An explanation describes the current state, so stale results are not explained and have `known` alone. It depends on
//! data that changes without a commit, for example on queued seeds. Explained replies are therefore not cacheable.

use super::provenance::Provenance;
use crate::api::{ApiError, ComputedRows, ListRequest, RequestContext, RowSource};
use crate::model::Day;
use crate::query::shorten;
use crate::query::{Coverage, RowKind, VisitedPage};
use crate::urls::Scope;

impl RequestContext<'_> {
    /// Explains an empty reply by the state of the selected scope.
    ///
    /// # Errors
    /// As [`Self::selection`], and those of the query.
    pub fn explain_empty(&self, is_empty: bool, provenance: Provenance) -> Result<Provenance, ApiError> {
        if !is_empty {
            return Ok(provenance);
        }
        self.explain_no_rows(&self.selection()?.scope, "links", provenance)
    }

    /// Explains why a scope has no `what`. A stale result gets the coverage of the scope alone.
    ///
    /// # Errors
    /// Those of the query.
    pub fn explain_no_rows(
        &self,
        scope: &Scope,
        what: &str,
        provenance: Provenance,
    ) -> Result<Provenance, ApiError> {
        let coverage = Coverage::of(scope, &self.state.store.snapshot(), self.deadline)?;
        if provenance.is_stale() {
            return Ok(provenance.with_coverage(&coverage));
        }
        self.explain_by_coverage(scope, &coverage, what, provenance)
    }

    /// As [`Self::explain_no_rows`], by a coverage that was read with the result.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if `where` is given twice.
    pub fn explain_by_coverage(
        &self,
        scope: &Scope,
        coverage: &Coverage,
        what: &str,
        provenance: Provenance,
    ) -> Result<Provenance, ApiError> {
        let provenance = provenance.with_coverage(coverage);
        let is_filtered = self.params.single("where")?.is_some_and(|text| !text.is_empty());
        if is_filtered && matches!(coverage, Coverage::Visited(_)) {
            return Ok(provenance);
        }
        Ok(provenance.explained(sentence(scope, coverage, what)))
    }
}

impl ListRequest {
    /// Explains why the list has no rows, if it is about a scope.
    pub(in crate::api) fn explain_no_rows(
        &self,
        context: &RequestContext<'_>,
        mut provenance: Provenance,
    ) -> Result<Provenance, ApiError> {
        let is_intersection = matches!(self.source, RowSource::Computed(ComputedRows::Intersection { .. }));
        for selection in self.source.selections() {
            context.deadline.check()?;
            // Each target may have links, without one domain that links to all.
            if is_intersection {
                let counts = context.state.searches.counts(&selection.clone().into(), context.deadline)?;
                if counts.answer.all.backlinks > 0 {
                    let snapshot = context.state.store.snapshot();
                    let coverage = Coverage::of(&selection.scope, &snapshot, context.deadline)?;
                    provenance = provenance.with_coverage(&coverage);
                    continue;
                }
            }
            provenance =
                context.explain_no_rows(&selection.scope, row_noun(self.listing.rows), provenance)?;
        }
        Ok(provenance)
    }
}

/// Returns the noun for the rows of a listing.
pub(in crate::api) fn row_noun(rows: RowKind) -> &'static str {
    match rows {
        RowKind::Pages => "pages",
        RowKind::Competitors => "competitors",
        _ => "links",
    }
}

fn sentence(scope: &Scope, coverage: &Coverage, what: &str) -> String {
    let name = shorten(&name_of(scope));
    match coverage {
        Coverage::Unknown => format!("{name} is not known to this index."),
        Coverage::Unvisited => format!("{name} is known but was not visited yet."),
        Coverage::Visited(page) => {
            let (date, outcome) = (date(page.day), outcome(scope, page));
            format!("{name} was visited at {date} ({outcome}) and has no {what} of this kind.")
        }
    }
}

/// Returns the name of a scope as a client writes it.
pub(in crate::api) fn name_of(scope: &Scope) -> String {
    match scope {
        Scope::Url { url, https_url: None } => url.to_string(),
        Scope::Url { url, https_url: Some(_) } => url.without_scheme().to_owned(),
        Scope::Host { host, port: Some(port) } => format!("{host}:{port}"),
        Scope::Host { host, port: None } => host.clone(),
        Scope::Domain { domain } => domain.clone(),
        Scope::Prefix { host, port: Some(port), path } => format!("{host}:{port}{}", path.as_str()),
        Scope::Prefix { host, port: None, path } => format!("{host}{}", path.as_str()),
    }
}

/// Returns the outcome of the visit and, if the scope has several pages, which one was visited.
fn outcome(scope: &Scope, page: &VisitedPage) -> String {
    let state = page.state;
    let outcome = match state.failure_name() {
        "" => format!("status {}", state.status),
        failure => failure.to_owned(),
    };
    match scope {
        Scope::Url { https_url: None, .. } => outcome,
        _ => format!("{outcome} at {}", shorten(page.url.as_str())),
    }
}

fn date(day: Day) -> String {
    let number = day.as_number();
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}
