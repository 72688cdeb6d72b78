//! A request for a list: its scope, the source of its rows, and conditions beyond `where`.
//!
//! Plain lists are requested in one way only. An endpoint with parameters of its own parses these and expresses them as
//! a [`ListRequest`]. Filtering, ordering and writing rows happen elsewhere.

use std::sync::Arc;

use super::day_range::DayRange;
use crate::api::reply::provenance::Provenance;
use crate::api::{ApiError, RequestContext};
use crate::query::{
    Activity, DomainTurn, EphemeralList, IndexAnswer, IndexState, Intersection, ListQuery, Listing, Page,
    Plan, Scan, Selection, SiteIndex, SiteState, SnapshotLookUp, Window,
};

/// A request for a list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    pub listing: &'static Listing,
    pub selection: Selection,
    pub source: RowSource,
    /// A column of days, and the range that its values must lie in.
    pub day_range: Option<(&'static str, DayRange)>,
}

/// The source of the rows of a list.
#[derive(Clone, Debug)]
pub enum RowSource {
    /// A search index: the links or pages of the scope; of links, those of this activity.
    Scope(Activity),
    /// Rows that no search index holds.
    Computed(ComputedRows),
}

/// Rows that are computed for each request.
#[derive(Clone, Debug)]
pub enum ComputedRows {
    /// The domains that link to at least `at_least` targets and to none of the excluded scopes.
    Intersection { targets: Vec<Selection>, at_least: usize, exclude: Vec<Selection> },
    /// The domains that share referring domains with the scope.
    Competitors,
    /// The registrable domains of the whole index. With a seed, they are in random order.
    Domains { sites: Arc<SiteIndex>, seed: Option<u64> },
    /// The days on which domains began or ceased to link to the scope.
    DomainChanges(DomainTurn),
    /// The redirect chains from the scope's URL.
    RedirectChains { max_redirects: usize },
}

impl ListRequest {
    /// Requests the rows that `url`, `scope`, `internal` and, if the listing shows lost links, `active` select.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for unusable parameters.
    pub fn from_parameters(
        context: &RequestContext<'_>,
        listing: &'static Listing,
    ) -> Result<Self, ApiError> {
        let activity = if listing.shows_lost { context.params.activity()? } else { None };
        let source = RowSource::Scope(activity.unwrap_or_default());
        Ok(Self { listing, selection: context.selection()?, source, day_range: None })
    }

    /// Adds the day range to the conditions of the plan. Rows in random order stay in it.
    pub fn restrict(&self, plan: &mut Plan) {
        if let Some((column, range)) = &self.day_range {
            plan.within(column, range.days());
        }
        if let RowSource::Computed(ComputedRows::Domains { seed: Some(_), .. }) = self.source {
            plan.keep_row_order();
        }
    }

    /// What the list depends on before its rows are read.
    pub fn provenance(&self) -> Provenance {
        if let Some(state) = self.index_state() {
            // The list changes when its file does, or its age.
            return Provenance::of_state(state.state()).and(Provenance::volatile());
        }
        self.day_range.as_ref().map_or(Provenance::current(), |(_, range)| range.provenance())
    }

    /// The state of the sites that the rows are, if they are sites.
    pub fn index_state(&self) -> Option<SiteState> {
        match &self.source {
            RowSource::Computed(ComputedRows::Domains { sites, .. }) => Some(sites.state()),
            _ => None,
        }
    }

    /// Whether computed rows are all rows.
    fn is_finished(&self) -> bool {
        self.index_state().is_none_or(|state| state.complete)
    }

    /// Returns the rows of the window.
    ///
    /// # Errors
    /// Those of the store, and [`ApiError::Deadline`].
    pub fn page(
        &self,
        context: &RequestContext<'_>,
        plan: &Plan,
        window: Window,
    ) -> Result<IndexAnswer<Page>, ApiError> {
        match &self.source {
            RowSource::Scope(activity) => {
                let (selection, question) = self.question(context, plan, *activity);
                Ok(context.state.searches.page(&selection, &question, window, context.deadline)?)
            }
            RowSource::Computed(source) => self.with_computed_rows(context, source, |rows, lookup, state| {
                let answer = rows.page(plan, window, lookup, context.deadline)?;
                Ok(IndexAnswer { answer, finished: self.is_finished(), current: true, state })
            }),
        }
    }

    /// Passes the rows of the window to `each` in pages of at most `page_rows` rows, or in one empty page.
    ///
    /// # Errors
    /// As [`Self::page`], and those of `each`.
    pub fn for_each_page(
        &self,
        context: &RequestContext<'_>,
        plan: &Plan,
        window: Window,
        page_rows: usize,
        mut each: impl FnMut(IndexAnswer<Page>) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        match &self.source {
            RowSource::Scope(activity) => {
                let (selection, question) = self.question(context, plan, *activity);
                let IndexAnswer { answer: view, finished, current, state } =
                    context.state.searches.view(&selection, &question, context.deadline)?;
                view.pieces(plan, window, page_rows, context.deadline, |answer| {
                    each(IndexAnswer { answer, finished, current, state })
                })
            }
            RowSource::Computed(source) => self.with_computed_rows(context, source, |rows, lookup, state| {
                rows.pieces(plan, window, page_rows, lookup, context.deadline, |answer| {
                    each(IndexAnswer { answer, finished: self.is_finished(), current: true, state })
                })
            }),
        }
    }

    fn question<'p>(
        &self,
        context: &RequestContext<'_>,
        plan: &'p Plan,
        activity: Activity,
    ) -> (Arc<Selection>, ListQuery<'p>) {
        let question = ListQuery { listing: self.listing, activity, plan, wait: context.wait_policy() };
        (Arc::new(self.selection.clone()), question)
    }

    /// Computes the rows, and passes them to `read`, with their state. The rows of sites have that of the sites.
    fn with_computed_rows<T>(
        &self,
        context: &RequestContext<'_>,
        source: &ComputedRows,
        read: impl FnOnce(&EphemeralList, &SnapshotLookUp<'_>, Option<IndexState>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let present = context.state.searches.present()?;
        let (snapshot, suffixes, deadline) = (&present.snapshot, &*context.state.suffixes, context.deadline);
        let scan = Scan { snapshot, selection: &self.selection, suffixes, deadline };
        let table = match source {
            ComputedRows::Intersection { targets, at_least, exclude } => {
                Intersection { targets, at_least: *at_least, exclude }.table(&scan)?
            }
            ComputedRows::DomainChanges(turn) => scan.domain_changes(*turn)?,
            ComputedRows::RedirectChains { max_redirects } => scan.redirect_chains(*max_redirects)?,
            ComputedRows::Competitors => scan.competitors()?,
            ComputedRows::Domains { sites, seed: None } => sites.domains(),
            ComputedRows::Domains { sites, seed: Some(seed) } => sites.shuffled_domains(*seed, deadline)?,
        };
        let state = self.index_state().map_or(present.state, SiteState::state);
        let look_up = SnapshotLookUp { snapshot, suffixes, deadline };
        read(&EphemeralList::new(self.listing, table), &look_up, Some(state))
    }
}
