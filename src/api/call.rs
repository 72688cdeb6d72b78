//! A request on its way to an answer, and the shapes that answers share.

use std::sync::Arc;

use serde::Serialize;

use super::{Answer, ApiError, ApiState, Asked, Endpoint, Params, Posted};
use crate::query::{
    Activity, Counts, Deadline, Distribution, Facts, Found, LinkCounts, Listing, Page, Patience, QueryError,
    Question, Scan, Selection, Window,
};
use crate::urls::Scope;

/// One request to one endpoint. Lives on a blocking thread.
pub struct Call<'a> {
    pub endpoint: &'static Endpoint,
    pub params: &'a Params,
    /// The body, when the method is POST.
    pub posted: Option<&'a Posted>,
    pub state: &'a ApiState,
    pub deadline: &'a Deadline,
}

/// The answer of a list.
#[derive(Serialize)]
struct ListReply<'a> {
    #[serde(rename = "exportFinished", skip_serializing_if = "Option::is_none")]
    export_finished: Option<bool>,
    response: &'a Page,
    count: usize,
    range: Range,
    status: u16,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Range {
    offset: usize,
    limit: usize,
}

#[derive(Serialize)]
struct DistributionReply<'a> {
    #[serde(rename = "exportFinished")]
    export_finished: bool,
    response: &'a Distribution,
    count: usize,
    status: u16,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

/// An answer of rows that are few and fixed.
#[derive(Serialize)]
struct RowsReply<'a, T> {
    response: &'a [T],
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    status: u16,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

/// The JSON of rows without a count.
///
/// # Errors
/// When a row cannot be written as JSON.
pub fn rows<T: Serialize>(response: &[T]) -> Result<Vec<u8>, ApiError> {
    Ok(serde_json::to_vec(&RowsReply { response, count: None, status: 200, warnings: &[] })?)
}

/// The JSON of rows with their count.
///
/// # Errors
/// As [`rows`].
pub fn counted_rows<T: Serialize>(
    response: &[T],
    count: usize,
    warnings: &[String],
) -> Result<Vec<u8>, ApiError> {
    Ok(serde_json::to_vec(&RowsReply { response, count: Some(count), status: 200, warnings })?)
}

impl Call<'_> {
    /// # Errors
    /// What is wrong with the parameters, and what the query reports.
    pub fn answer(&self) -> Result<Vec<u8>, ApiError> {
        match self.endpoint.answer {
            Answer::List(listing) | Answer::Summary(listing) => self.list(&Asked::by(self, listing)?),
            Answer::ListBy { ask, .. } | Answer::SummaryBy { ask, .. } => self.list(&ask(self)?),
            Answer::Distribution { listing, turned } => self.distribution(self.turned(listing, turned)?),
            Answer::Own(answer) => answer(self),
        }
    }

    /// What `url`, `scope` and `internal` select.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a missing or unusable `url`, and for unknown words.
    pub fn selection(&self) -> Result<Selection, ApiError> {
        self.selection_of(self.params.url()?)
    }

    /// As [`Self::selection`], for a URL given elsewhere.
    ///
    /// # Errors
    /// As [`Self::selection`].
    pub fn selection_of(&self, url: &str) -> Result<Selection, ApiError> {
        let kind = self.params.scope_kind()?;
        let internal = self.params.internal()?;
        Ok(Selection { scope: Scope::parse(url, kind, &self.state.rules, &self.state.suffixes)?, internal })
    }

    /// Asks the store about what the parameters select.
    ///
    /// # Errors
    /// As [`Self::selection`], and what the query reports.
    pub fn ask<T>(&self, query: impl FnOnce(&Scan<'_>) -> Result<T, QueryError>) -> Result<T, ApiError> {
        let selection = self.selection()?;
        let snapshot = self.state.store.snapshot();
        let scan = Scan {
            snapshot: &snapshot,
            selection: &selection,
            suffixes: &self.state.suffixes,
            deadline: self.deadline,
        };
        Ok(query(&scan)?)
    }

    /// The backlinks of what the parameters select, counted.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn counts(&self) -> Result<Counts, ApiError> {
        Ok(self.state.searches.counts(&Arc::new(self.selection()?), self.deadline)?)
    }

    /// The links on the pages of what the parameters select, counted.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn link_counts(&self) -> Result<LinkCounts, ApiError> {
        Ok(self.state.searches.link_counts(&Arc::new(self.selection()?), self.deadline)?)
    }

    /// Facts about the backlinks of what the parameters select.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn facts(&self) -> Result<Arc<Facts>, ApiError> {
        Ok(self.state.searches.facts(&Arc::new(self.selection()?), self.deadline)?)
    }

    /// How long a list may be waited for: one that cannot say that it is unfinished has to be complete.
    pub fn patience(&self) -> Patience {
        if self.endpoint.answer.says_finished() { Patience::Short } else { Patience::Full }
    }

    fn list(&self, asked: &Asked) -> Result<Vec<u8>, ApiError> {
        let window = self.params.window(&self.state.config)?;
        let order = self.params.list("order")?;
        let mut plan = asked.listing.plan(self.params.single("where")?, order.into_iter())?;
        asked.narrow(&mut plan);
        let Found { answer: page, finished } = asked.page(self, &plan, window)?;
        let Window { offset, limit } = window;
        Ok(serde_json::to_vec(&ListReply {
            export_finished: self.endpoint.answer.says_finished().then_some(finished),
            response: &page,
            count: page.count,
            range: Range { offset, limit },
            status: 200,
            warnings: &plan.warnings,
        })?)
    }

    /// The listing of the direction asked for.
    fn turned(
        &self,
        listing: &'static Listing,
        turned: Option<&'static Listing>,
    ) -> Result<&'static Listing, ApiError> {
        let Some(turned) = turned else { return Ok(listing) };
        Ok(self.params.one_of("direction", &[("out", listing), ("in", turned)])?.unwrap_or(listing))
    }

    fn distribution(&self, listing: &'static Listing) -> Result<Vec<u8>, ApiError> {
        let top = self.params.top()?;
        let order = self.params.list("order")?;
        let plan = listing.plan(self.params.single("where")?, order.into_iter())?;
        let selection = Arc::new(self.selection()?);
        let question =
            Question { listing, activity: Activity::Active, plan: &plan, patience: self.patience() };
        let Found { answer: response, finished: export_finished } =
            self.state.searches.distribution(&selection, &question, top, self.deadline)?;
        Ok(serde_json::to_vec(&DistributionReply {
            export_finished,
            response: &response,
            count: response.rows(),
            status: 200,
            warnings: &plan.warnings,
        })?)
    }
}
