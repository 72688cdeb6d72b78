//! Why an answer is empty: a scope that the index has never met looks like one that is known and has no links, unless
//! the answer tells them apart. It does so among its warnings. Where `where` may have left nothing over, a scope that
//! was visited needs no explanation.
//!
//! What is said holds now, so an answer of an older state is not explained. It depends on more than links: a seed that is queued, say. So these answers are not given again.

use super::params::shorten;
use super::{ApiError, Asked, Call, Source};
use crate::model::Day;
use crate::query::{Coverage, Rows, VisitedPage};
use crate::urls::Scope;

impl Call<'_> {
    /// Says what is known of the scope that the parameters select, if the answer is empty.
    ///
    /// # Errors
    /// As [`Self::selection`], and what the query reports.
    pub fn explain_empty(&self, is_empty: bool) -> Result<(), ApiError> {
        if is_empty { self.explain_none(&self.selection()?.scope, "links") } else { Ok(()) }
    }

    /// Says what is known of a scope that has none of `these`, as far as the present state was looked at.
    ///
    /// # Errors
    /// What the query reports.
    pub fn explain_none(&self, scope: &Scope, these: &str) -> Result<(), ApiError> {
        if self.is_outdated() {
            return Ok(());
        }
        let coverage = Coverage::of(scope, &self.state.store.snapshot(), self.deadline)?;
        let is_filtered = self.params.single("where")?.is_some_and(|text| !text.is_empty());
        if is_filtered && matches!(coverage, Coverage::Visited(_)) {
            return Ok(());
        }
        self.is_passing();
        self.explanations.borrow_mut().push(sentence(scope, &coverage, these));
        Ok(())
    }
}

impl Asked {
    /// Says what is known of what was asked about, for there are no rows.
    pub(super) fn explain_none(&self, call: &Call<'_>) -> Result<(), ApiError> {
        let Source::Intersection { targets, .. } = &self.source else {
            return call.explain_none(&self.selection.scope, rows_of(self.listing.rows));
        };
        // Targets may have links, though none from one domain to all.
        for target in targets {
            call.deadline.check()?;
            let counts = call.state.searches.counts(&target.clone().into(), call.deadline)?;
            if counts.all.backlinks == 0 {
                call.explain_none(&target.scope, "links")?;
            }
        }
        Ok(())
    }
}

/// What the rows of a listing are to its reader.
pub(super) fn rows_of(rows: Rows) -> &'static str {
    match rows {
        Rows::Pages => "pages",
        Rows::Competitors => "competitors",
        _ => "links",
    }
}

fn sentence(scope: &Scope, coverage: &Coverage, these: &str) -> String {
    let name = shorten(&name_of(scope));
    match coverage {
        Coverage::Unknown => format!("{name} is not known to this index."),
        Coverage::Unvisited => format!("{name} is known but was not visited yet."),
        Coverage::Visited(page) => {
            let (date, outcome) = (date(page.day), outcome(scope, page));
            format!("{name} was visited at {date} ({outcome}) and has no {these} of this kind.")
        }
    }
}

fn name_of(scope: &Scope) -> String {
    match scope {
        Scope::Url { url, also: None } => url.to_string(),
        Scope::Url { url, also: Some(_) } => url.without_scheme().to_owned(),
        Scope::Host { host, port: Some(port) } => format!("{host}:{port}"),
        Scope::Host { host, port: None } => host.clone(),
        Scope::Domain { domain } => domain.clone(),
    }
}

/// What came of the visit, and to which page of several.
fn outcome(scope: &Scope, page: &VisitedPage) -> String {
    let state = page.state;
    let outcome = match state.failure_name() {
        "" => format!("status {}", state.status),
        failure => failure.to_owned(),
    };
    match scope {
        Scope::Url { also: None, .. } => outcome,
        _ => format!("{outcome} at {}", shorten(page.url.as_str())),
    }
}

fn date(day: Day) -> String {
    let number = day.as_number();
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}
