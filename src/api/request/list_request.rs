//! A request for a list: the source of its rows, and conditions beyond `where`.
//!
//! Plain lists are requested in one way only. An endpoint with parameters of its own parses these and expresses them as
//! a [`ListRequest`]. Filtering, ordering and writing rows happen elsewhere.

use std::sync::Arc;

use super::day_range::DayRange;
use crate::api::reply::provenance::Provenance;
use crate::api::{ApiError, RequestContext};
use crate::query::{
    ComputedList, DomainChangeKind, IndexAnswer, IndexState, Intersection, LinkStates, ListQuery, Listing,
    Plan, RowPage, Scan, Selection, SiteIndex, SiteState, SnapshotLookup, Window,
};

/// A request for a list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    pub listing: &'static Listing,
    pub source: RowSource,
    /// A column of days, and the range that its values must lie in.
    pub day_range: Option<(&'static str, DayRange)>,
}

/// The source of the rows of a list.
#[derive(Clone, Debug)]
pub enum RowSource {
    /// A search index: the links or pages of the selection; of links, those in these states.
    Index(Selection, LinkStates),
    /// Rows that no search index holds.
    Computed(ComputedRows),
}

/// Rows that are computed for each request.
#[derive(Clone, Debug)]
pub enum ComputedRows {
    /// The domains that link to at least `at_least` targets and to none of the excluded scopes.
    Intersection { targets: Vec<Selection>, at_least: usize, exclude: Vec<Selection> },
    /// The domains that share referring domains with the scope.
    Competitors(Selection),
    /// The registrable domains of the whole index. With a seed, they are in random order.
    Domains { sites: Arc<SiteIndex>, seed: Option<u64> },
    /// The days on which domains began or ceased to link to the scope.
    DomainChanges(Selection, DomainChangeKind),
    /// The redirect chains from the scope's URL.
    RedirectChains { selection: Selection, max_redirects: usize },
}

impl RowSource {
    /// The selections that the rows belong to: one, or each target of an intersection. The whole index has none.
    pub fn selections(&self) -> &[Selection] {
        match self {
            Self::Index(selection, _)
            | Self::Computed(
                ComputedRows::Competitors(selection)
                | ComputedRows::DomainChanges(selection, _)
                | ComputedRows::RedirectChains { selection, .. },
            ) => std::slice::from_ref(selection),
            Self::Computed(ComputedRows::Intersection { targets, .. }) => targets,
            Self::Computed(ComputedRows::Domains { .. }) => &[],
        }
    }
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
        let link_states = if listing.shows_lost { context.params.link_states()? } else { None };
        let source = RowSource::Index(context.selection()?, link_states.unwrap_or_default());
        Ok(Self { listing, source, day_range: None })
    }

    /// The name of what the list is about, for titles and file names: the host of its scope, or `index`.
    pub fn subject(&self) -> &str {
        self.source.selections().first().map_or("index", |selection| selection.scope.host())
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
        if let Some(state) = self.site_state() {
            // The list changes when a ranking writes the site list, or when `search.refresh` has passed; neither is a
            // commit.
            return Provenance::of_state(state.state()).and(Provenance::volatile());
        }
        self.day_range.as_ref().map_or(Provenance::current(), |(_, range)| range.provenance())
    }

    /// The state of the site list that the rows come from; `None` for other lists.
    pub fn site_state(&self) -> Option<SiteState> {
        match &self.source {
            RowSource::Computed(ComputedRows::Domains { sites, .. }) => Some(sites.state()),
            _ => None,
        }
    }

    /// Whether computed rows are all rows.
    fn is_complete(&self) -> bool {
        self.site_state().is_none_or(|state| state.is_complete)
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
    ) -> Result<IndexAnswer<RowPage>, ApiError> {
        match &self.source {
            RowSource::Index(selection, link_states) => {
                let (selection, query) =
                    (Arc::new(selection.clone()), self.list_query(context, plan, *link_states));
                Ok(context.state.searches.page(&selection, &query, window, context.deadline)?)
            }
            RowSource::Computed(source) => self.with_computed_rows(context, source, |rows, lookup, state| {
                let answer = rows.page(plan, window, lookup, context.deadline)?;
                Ok(IndexAnswer { answer, is_complete: self.is_complete(), current: true, state })
            }),
        }
    }

    /// Passes the rows of the window to `each` in pages of at most `rows_per_page` rows, or in one empty page.
    ///
    /// # Errors
    /// As [`Self::page`], and those of `each`.
    pub fn for_each_page(
        &self,
        context: &RequestContext<'_>,
        plan: &Plan,
        window: Window,
        rows_per_page: usize,
        mut each: impl FnMut(IndexAnswer<RowPage>) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        match &self.source {
            RowSource::Index(selection, link_states) => {
                let (selection, query) =
                    (Arc::new(selection.clone()), self.list_query(context, plan, *link_states));
                let IndexAnswer { answer: view, is_complete, current, state } =
                    context.state.searches.view(&selection, &query, context.deadline)?;
                view.for_each_page(plan, window, rows_per_page, context.deadline, |answer| {
                    each(IndexAnswer { answer, is_complete, current, state })
                })
            }
            RowSource::Computed(source) => self.with_computed_rows(context, source, |rows, lookup, state| {
                rows.for_each_page(plan, window, rows_per_page, lookup, context.deadline, |answer| {
                    each(IndexAnswer { answer, is_complete: self.is_complete(), current: true, state })
                })
            }),
        }
    }

    fn list_query<'p>(
        &self,
        context: &RequestContext<'_>,
        plan: &'p Plan,
        link_states: LinkStates,
    ) -> ListQuery<'p> {
        ListQuery { listing: self.listing, link_states, plan, wait: context.wait_policy() }
    }

    /// Computes the rows, and passes them to `read`, with their state. The rows of sites have that of the sites.
    fn with_computed_rows<T>(
        &self,
        context: &RequestContext<'_>,
        source: &ComputedRows,
        read: impl FnOnce(&ComputedList, &SnapshotLookup<'_>, Option<IndexState>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let present = context.state.searches.present()?;
        let (snapshot, suffixes, deadline) = (&present.snapshot, &*context.state.suffixes, context.deadline);
        let lookup = SnapshotLookup { snapshot, suffixes, deadline };
        let scan = |selection| Scan { snapshot, selection, suffixes, deadline };
        let table = match source {
            ComputedRows::Intersection { targets, at_least, exclude } => {
                Intersection { targets, at_least: *at_least, exclude }.table(&lookup)?
            }
            ComputedRows::DomainChanges(selection, kind) => scan(selection).domain_changes(*kind)?,
            ComputedRows::RedirectChains { selection, max_redirects } => {
                scan(selection).redirect_chains(*max_redirects)?
            }
            ComputedRows::Competitors(selection) => scan(selection).competitors()?,
            ComputedRows::Domains { sites, seed: None } => sites.domains(),
            ComputedRows::Domains { sites, seed: Some(seed) } => sites.shuffled_domains(*seed, deadline)?,
        };
        let state = self.site_state().map_or(present.state, SiteState::state);
        read(&ComputedList::new(self.listing, table), &lookup, Some(state))
    }
}
