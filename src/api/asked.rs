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

    /// The rows of the window.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn page(&self, call: &Call<'_>, plan: &Plan, window: Window) -> Result<Found<Page>, ApiError> {
        if let Source::Scope(activity) = self.source {
            let (selection, question) = self.question(call, plan, activity);
            return Ok(call.state.searches.page(&selection, &question, window, call.deadline)?);
        }
        self.made(call, |made, known| {
            let answer = made.page(plan, window, known, call.deadline)?;
            Ok(Found { answer, finished: true, current: true })
        })
    }

    /// As [`Self::page`], handed out in pages of at most `piece` rows; in one without rows where there are none.
    ///
    /// # Errors
    /// As [`Self::page`], and what `each` reports.
    pub fn pieces(
        &self,
        call: &Call<'_>,
        plan: &Plan,
        window: Window,
        piece: usize,
        mut each: impl FnMut(Found<Page>) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        if let Source::Scope(activity) = self.source {
            let (selection, question) = self.question(call, plan, activity);
            let Found { answer: view, finished, current } =
                call.state.searches.view(&selection, &question, call.deadline)?;
            return view.pieces(plan, window, piece, call.deadline, |answer| {
                each(Found { answer, finished, current })
            });
        }
        self.made(call, |made, known| {
            made.pieces(plan, window, piece, known, call.deadline, |answer| {
                each(Found { answer, finished: true, current: true })
            })
        })
    }

    fn question<'p>(
        &self,
        call: &Call<'_>,
        plan: &'p Plan,
        activity: Activity,
    ) -> (Arc<Selection>, Question<'p>) {
        let question = Question { listing: self.listing, activity, plan, patience: call.patience() };
        (Arc::new(self.selection.clone()), question)
    }

    /// Makes the rows and asks them.
    fn made<T>(
        &self,
        call: &Call<'_>,
        ask: impl FnOnce(&Made, &Known<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let snapshot = call.state.store.snapshot();
        let (snapshot, suffixes, deadline) = (&snapshot, &*call.state.suffixes, call.deadline);
        let scan = Scan { snapshot, selection: &self.selection, suffixes, deadline };
        let table = match &self.source {
            Source::Intersection { targets, exclude } => Intersection { targets, exclude }.table(&scan)?,
            Source::RedirectChains { most } => scan.redirect_chains(*most)?,
            Source::Competitors | Source::Scope(_) => scan.competitors()?,
        };
        ask(&Made::new(self.listing, table), &Known { snapshot, suffixes, deadline })
    }
}
