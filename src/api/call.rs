//! A request on its way to an answer, and the shapes that answers share.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::negotiate::Format;
use super::outlet::Outlet;
use super::{Answer, ApiError, ApiState, Asked, Endpoint, Exported, Params, Posted};
use crate::model::Day;
use crate::query::export::{BacklinkRow, PageRow};
use crate::query::{
    Counts, Deadline, Facts, Found, LinkCounts, Listing, Page, Patience, QueryError, Scan, Selection,
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
    /// The format of the answer, JSON where there is no other.
    pub format: Format,
    /// Whether the answer holds for this state of the store alone, or for less.
    passing: Cell<bool>,
    /// Whether the answer is unfinished, or of a state before the present one.
    outdated: Cell<bool>,
    /// Why the answer is empty, if it is.
    pub(super) explanations: RefCell<Vec<String>>,
}

/// An answer of rows that are few and fixed.
#[derive(Serialize)]
struct RowsReply<'a, T> {
    response: &'a [T],
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    status: u16,
}

/// A reply's rows before they are filled in.
const ROWS_LEFT_OUT: &[u8] = b"\"response\":null";
const NULL: &[u8] = b"null";

/// An answer and what was passed over to give it.
#[derive(Serialize)]
struct Warned<'a, T> {
    #[serde(flatten)]
    reply: &'a T,
    warnings: Vec<String>,
}

impl<'a> Call<'a> {
    /// # Errors
    /// [`ApiError::BadRequest`] for a format that the endpoint does not have.
    pub fn new(
        endpoint: &'static Endpoint,
        params: &'a Params,
        posted: Option<&'a Posted>,
        state: &'a ApiState,
        deadline: &'a Deadline,
        accepted: Format,
    ) -> Result<Self, ApiError> {
        let format = params.format()?;
        let format = if endpoint.answer.is_tabular() {
            format.unwrap_or(accepted)
        } else if format.is_some_and(|format| format != Format::Json) {
            return Err(ApiError::BadRequest(format!(
                "{} answers in JSON alone; leave format away",
                endpoint.name
            )));
        } else {
            Format::Json
        };
        Ok(Self {
            endpoint,
            params,
            posted,
            state,
            deadline,
            format,
            passing: Cell::new(false),
            outdated: Cell::new(false),
            explanations: RefCell::default(),
        })
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// What is wrong with the parameters, and what the query reports.
    pub fn answer(&self, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        match self.endpoint.answer {
            Answer::List(listing) | Answer::Summary(listing) => {
                self.list(&Asked::by(self, listing)?, outlet)?
            }
            Answer::ListBy { ask, .. } | Answer::SummaryBy { ask, .. } => self.list(&ask(self)?, outlet)?,
            Answer::Distribution { listing, turned } => {
                outlet.json(self.distribution(self.turned(listing, turned)?)?, false);
            }
            Answer::Export(Exported::Backlinks) => self.export::<BacklinkRow>(outlet)?,
            Answer::Export(Exported::Pages) => self.export::<PageRow>(outlet)?,
            Answer::Probe => return Err(ApiError::Internal("a probe has come past the door".to_owned())),
            Answer::Own(answer) => outlet.json(answer(self)?, false),
        }
        self.settle(outlet);
        Ok(())
    }

    /// Tells the outlet what is known by now of how long the answer holds.
    pub(super) fn settle(&self, outlet: &mut Outlet<'_>) {
        if self.passing.get() {
            outlet.passes();
        }
    }

    /// The JSON of an answer, with what was passed over: `warnings`, and parameters that nobody knows.
    ///
    /// # Errors
    /// When the answer cannot be written as JSON.
    pub fn json(&self, reply: &impl Serialize, warnings: &[String]) -> Result<Vec<u8>, ApiError> {
        let warnings = self.warnings(warnings);
        if warnings.is_empty() {
            return Ok(serde_json::to_vec(reply)?);
        }
        Ok(serde_json::to_vec(&Warned { reply, warnings })?)
    }

    /// As [`Self::json`], for a reply whose `response` is left null for rows: these are written by a way of their own,
    /// which is several times as fast.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn json_with_rows(
        &self,
        reply: &impl Serialize,
        rows: &Page,
        warnings: &[String],
    ) -> Result<Vec<u8>, ApiError> {
        let frame = self.json(reply, warnings)?;
        // Within a JSON string its quotes would be escaped, so that this is the key itself.
        let gap = memchr::memmem::find(&frame, ROWS_LEFT_OUT)
            .ok_or_else(|| ApiError::Internal("a reply has no place for its rows".to_owned()))?;
        let (before, after) = frame.split_at(gap + ROWS_LEFT_OUT.len());
        let mut json = before[..before.len() - NULL.len()].to_vec();
        rows.write_json(&mut json);
        json.extend_from_slice(after);
        Ok(json)
    }

    /// What was passed over, and why there is nothing.
    pub fn warnings(&self, more: &[String]) -> Vec<String> {
        let ignored = self.params.ignored(self.endpoint);
        more.iter().cloned().chain(ignored).chain(self.explanations.take()).collect()
    }

    /// The JSON of rows without a count.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn rows<T: Serialize>(&self, response: &[T]) -> Result<Vec<u8>, ApiError> {
        self.json(&RowsReply { response, count: None, status: 200 }, &[])
    }

    /// The JSON of rows with their count.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn counted_rows<T: Serialize>(
        &self,
        response: &[T],
        count: usize,
        warnings: &[String],
    ) -> Result<Vec<u8>, ApiError> {
        self.json(&RowsReply { response, count: Some(count), status: 200 }, warnings)
    }

    /// Says that the answer may not be given again: it depends on more than the store.
    pub fn is_passing(&self) {
        self.passing.set(true);
    }

    /// The day it is; an answer that depends on it is not given again.
    pub fn today(&self) -> Day {
        self.is_passing();
        // A clock before 1970 is as wrong as one that says 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Day::from_unix_seconds(since.as_secs())
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

    /// Asks about what the parameters select.
    ///
    /// # Errors
    /// As [`Self::selection`], and what the query reports.
    pub fn ask<T>(&self, query: impl FnOnce(&Scan<'_>) -> Result<T, QueryError>) -> Result<T, ApiError> {
        let selection = self.selection()?;
        let snapshot = self.state.store.snapshot();
        Ok(query(&Scan {
            snapshot: &snapshot,
            selection: &selection,
            suffixes: &self.state.suffixes,
            deadline: self.deadline,
        })?)
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
        let found = self.state.searches.facts(&Arc::new(self.selection()?), self.deadline)?;
        self.may_pass(&found);
        Ok(found.answer)
    }

    /// Has an answer not given again that a later one may differ from although nothing is stored meanwhile.
    pub fn may_pass<T>(&self, found: &Found<T>) {
        if !(found.finished && found.current) {
            self.outdated.set(true);
            self.is_passing();
        }
    }

    /// Whether what was found may differ from what there is now.
    pub(super) fn is_outdated(&self) -> bool {
        self.outdated.get()
    }

    /// How long a list may be waited for: one that cannot say that it is unfinished has to be complete.
    pub fn patience(&self) -> Patience {
        if self.endpoint.answer.says_finished() { Patience::Short } else { Patience::Full }
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
}
