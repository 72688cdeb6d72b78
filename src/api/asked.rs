//! What a list is asked for: of which scope, which rows, and what they must be besides what `where` says.
//!
//! Plain lists are asked for in one way only; an endpoint with parameters of its own reads these and says by an
//! [`Asked`] what they mean. How rows are filtered, ordered and written is none of its business.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{ApiError, Call};
use crate::model::Day;
use crate::query::{
    Activity, Found, Intersection, Known, Listing, Made, Page, Plan, Question, Scan, Selection, Window,
};

/// A question to a list.
#[derive(Clone, Debug)]
pub struct Asked {
    pub listing: &'static Listing,
    pub selection: Selection,
    pub source: Source,
    /// A column of days, and the days that rows must have there.
    pub within: Option<(&'static str, RangeInclusive<Day>)>,
}

/// Where the rows of a list come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The links or pages of the scope; of links, those of this activity.
    Scope(Activity),
    /// The domains that link to all targets and to none of what is excluded.
    Intersection { targets: Vec<Selection>, exclude: Vec<Selection> },
    /// The domains that share referring domains with the scope.
    Competitors,
    /// The chains from the scope's URL, over so many redirects at most.
    RedirectChains { most: usize },
}

impl Asked {
    /// Asks for the rows that `url`, `scope`, `internal` and, where the listing shows lost links, `active` select.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for parameters that cannot be used.
    pub fn by(call: &Call<'_>, listing: &'static Listing) -> Result<Self, ApiError> {
        let activity = if listing.shows_lost { call.params.activity()? } else { None };
        let source = Source::Scope(activity.unwrap_or_default());
        Ok(Self { listing, selection: call.selection()?, source, within: None })
    }

    /// Adds to the plan what rows must be besides.
    pub fn narrow(&self, plan: &mut Plan) {
        if let Some((column, days)) = &self.within {
            plan.within(column, days);
        }
    }

    /// The rows of the window, and whether they are from all rows.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn page(&self, call: &Call<'_>, plan: &Plan, window: Window) -> Result<Found<Page>, ApiError> {
        let (listing, deadline, state) = (self.listing, call.deadline, call.state);
        if let Source::Scope(activity) = self.source {
            let question = Question { listing, activity, plan, patience: call.patience() };
            let selection = Arc::new(self.selection.clone());
            return Ok(state.searches.page(&selection, &question, window, deadline)?);
        }
        let snapshot = state.store.snapshot();
        let (snapshot, suffixes) = (&snapshot, &*state.suffixes);
        let scan = Scan { snapshot, selection: &self.selection, suffixes, deadline };
        let table = match &self.source {
            Source::Intersection { targets, exclude } => Intersection { targets, exclude }.table(&scan)?,
            Source::RedirectChains { most } => scan.redirect_chains(*most)?,
            Source::Competitors | Source::Scope(_) => scan.competitors()?,
        };
        let known = Known { snapshot, suffixes, deadline };
        let answer = Made::new(listing, table).page(plan, window, &known, deadline)?;
        Ok(Found { answer, finished: true })
    }
}
