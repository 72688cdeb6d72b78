//! What a list is asked for: of which scope, which rows, and what they must be besides what `where` says.
//!
//! Plain lists are asked for in one way only; an endpoint with parameters of its own reads these and says by an
//! [`Asked`] what they mean. How rows are filtered, ordered and written is none of its business.

use std::ops::RangeInclusive;

use super::{ApiError, Call};
use crate::model::Day;
use crate::query::{Activity, Intersection, Listing, Plan, QueryError, Scan, Scanned, Selection};

/// A question to a list.
#[derive(Clone, Debug)]
pub struct Asked {
    pub listing: Listing,
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
    pub fn by(call: &Call<'_>, listing: &Listing) -> Result<Self, ApiError> {
        let activity = if listing.shows_lost { call.params.activity()? } else { None };
        let source = Source::Scope(activity.unwrap_or_default());
        Ok(Self { listing: *listing, selection: call.selection()?, source, within: None })
    }

    /// Adds to the plan what rows must be besides.
    pub fn narrow(&self, plan: &mut Plan) {
        if let Some((column, days)) = &self.within {
            plan.within(column, days);
        }
    }

    /// The named fields of all rows, read by a scan of [`Self::selection`].
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn rows(&self, scan: &Scan<'_>, fields: &[&'static str]) -> Result<Scanned, QueryError> {
        let table = match &self.source {
            Source::Scope(activity) => return scan.table(self.listing.rows, *activity, fields),
            Source::Intersection { targets, exclude } => {
                Intersection { targets, exclude }.table(scan, fields)?
            }
            Source::Competitors => scan.competitors(fields)?,
            Source::RedirectChains { most } => scan.redirect_chains(*most, fields)?,
        };
        Ok(Scanned { table, finished: true })
    }
}
