//! The context in which an endpoint computes its reply: parameters, state, and the forms that replies share.
//! [`RequestContext::write_response`] in `api/dispatch.rs` passes it to the handler of its endpoint.

use std::sync::Arc;

use serde::Serialize;

use super::day_range::{self, DayRange};
use crate::api::http::negotiation::Format;
use crate::api::reply::provenance::{JsonReply, Provenance};
use crate::api::{ApiError, ApiState, Endpoint, Handler, JsonBody, QueryString};
use crate::model::Day;
use crate::query::{
    BacklinkStatistics, Counts, Deadline, ErrorCode, LinkCounts, QueryError, RowPage, Scan, Selection,
    WaitPolicy,
};
use crate::urls::Scope;

/// One request to one endpoint. Lives on a worker thread. Its methods that write replies are in `api/reply`.
pub struct RequestContext<'a> {
    pub endpoint: &'static Endpoint,
    pub params: &'a QueryString,
    /// The body, if the method is POST.
    pub json_body: Option<&'a JsonBody>,
    pub state: &'a ApiState,
    pub deadline: &'a Deadline,
    /// The format of the reply. JSON if the endpoint has no other.
    pub format: Format,
}

/// Returns the format of the reply.
///
/// # Errors
/// [`ApiError::BadRequest`] for a format that the endpoint does not have.
pub(in crate::api) fn requested_format(
    endpoint: &Endpoint,
    params: &QueryString,
    accepted_format: Format,
) -> Result<Format, ApiError> {
    if let Handler::Graph(_) = endpoint.handler {
        return Ok(params.graph_format()?.unwrap_or(Format::Json));
    }
    let format = params.format(endpoint.feed().is_some())?;
    if endpoint.handler.is_tabular() {
        Ok(format.unwrap_or(accepted_format))
    } else if format.is_some_and(|format| format != Format::Json) {
        let given = params.single("format")?.unwrap_or_default();
        let message = format!("{} answers in JSON alone; omit format", endpoint.name);
        Err(ApiError::of_value("format", given, ErrorCode::UnknownName, message))
    } else {
        Ok(Format::Json)
    }
}

/// A reply of few rows, without a window.
#[derive(Serialize)]
struct RowsReply<'a, T> {
    response: &'a [T],
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    status: u16,
}

/// The rows of a serialized reply before they are filled in.
const EMPTY_RESPONSE: &[u8] = b"\"response\":null";
const NULL: &[u8] = b"null";

/// A reply with its warnings.
#[derive(Serialize)]
struct WithWarnings<'a, T> {
    #[serde(flatten)]
    reply: &'a T,
    warnings: Vec<String>,
}

impl<'a> RequestContext<'a> {
    /// # Errors
    /// [`ApiError::BadRequest`] for a format that the endpoint does not have.
    pub fn new(
        endpoint: &'static Endpoint,
        params: &'a QueryString,
        json_body: Option<&'a JsonBody>,
        state: &'a ApiState,
        deadline: &'a Deadline,
        accepted_format: Format,
    ) -> Result<Self, ApiError> {
        let format = requested_format(endpoint, params, accepted_format)?;
        Ok(Self { endpoint, params, json_body, state, deadline, format })
    }

    /// Serializes a reply as JSON, with `warnings`, a warning for each unknown parameter, and the explanations.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the reply cannot be serialized.
    pub fn render_json(
        &self,
        reply: &impl Serialize,
        warnings: &[String],
        provenance: &Provenance,
    ) -> Result<JsonReply, ApiError> {
        let warnings = self.warnings(warnings, provenance);
        let body = if warnings.is_empty() {
            serde_json::to_vec(reply)?
        } else {
            serde_json::to_vec(&WithWarnings { reply, warnings })?
        };
        Ok(JsonReply::new(body, provenance))
    }

    /// As [`Self::render_json`], for a reply whose `response` is null and is replaced by `rows`. A writer of their own
    /// serializes the rows several times as fast.
    ///
    /// # Errors
    /// As [`Self::render_json`].
    pub fn render_json_with_rows(
        &self,
        reply: &impl Serialize,
        rows: &RowPage,
        warnings: &[String],
        provenance: &Provenance,
    ) -> Result<JsonReply, ApiError> {
        let JsonReply { body: frame, cacheable, state } = self.render_json(reply, warnings, provenance)?;
        // Quotes inside a JSON string are escaped, so this match is the key itself.
        let gap = memchr::memmem::find(&frame, EMPTY_RESPONSE)
            .ok_or_else(|| ApiError::Internal("a reply has no place for its rows".to_owned()))?;
        let (before, after) = frame.split_at(gap + EMPTY_RESPONSE.len());
        let mut body = before[..before.len() - NULL.len()].to_vec();
        rows.write_json(&mut body);
        body.extend_from_slice(after);
        Ok(JsonReply { body, cacheable, state })
    }

    /// Returns `more`, a warning for each unknown parameter, and the reasons why the reply has no rows.
    pub fn warnings(&self, more: &[String], provenance: &Provenance) -> Vec<String> {
        let unknown = self.params.unknown_parameter_warnings(self.endpoint);
        more.iter().cloned().chain(unknown).chain(provenance.explanations().iter().cloned()).collect()
    }

    /// Serializes rows without a count.
    ///
    /// # Errors
    /// As [`Self::render_json`].
    pub fn render_rows<T: Serialize>(
        &self,
        response: &[T],
        provenance: &Provenance,
    ) -> Result<JsonReply, ApiError> {
        self.render_json(&RowsReply { response, count: None, status: 200 }, &[], provenance)
    }

    /// Serializes rows with their count.
    ///
    /// # Errors
    /// As [`Self::render_json`].
    pub fn render_counted_rows<T: Serialize>(
        &self,
        response: &[T],
        count: usize,
        warnings: &[String],
        provenance: &Provenance,
    ) -> Result<JsonReply, ApiError> {
        self.render_json(&RowsReply { response, count: Some(count), status: 200 }, warnings, provenance)
    }

    /// Parses `from` and `to`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if `from` is missing, a day is malformed, or `from` is later than `to`.
    pub fn day_range(&self) -> Result<DayRange, ApiError> {
        DayRange::parse(self.params, self.state.today)
    }

    /// Parses `since`. Also returns what a reply about it depends on.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if the day is malformed.
    pub fn since(&self) -> Result<(Day, Provenance), ApiError> {
        day_range::parse_since(self.params, self.state.today)
    }

    /// Parses `url`, `scope` and `internal`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a missing or unusable `url`, and for unknown words.
    pub fn selection(&self) -> Result<Selection, ApiError> {
        self.selection_of(self.params.url()?)
    }

    /// As [`Self::selection`], for a URL that is not in the parameter `url`.
    ///
    /// # Errors
    /// As [`Self::selection`].
    pub fn selection_of(&self, url: &str) -> Result<Selection, ApiError> {
        let kind = self.params.scope_kind()?;
        let internal = self.params.internal()?;
        let scope = Scope::parse(url, kind, &self.state.rules, &self.state.suffixes)
            .map_err(|error| ApiError::from(error).about_value(url))?;
        Ok(Selection { scope, internal })
    }

    /// Runs a query over the selection. Also returns what it was computed from.
    ///
    /// # Errors
    /// As [`Self::selection`], and those of the query.
    pub fn run_query<T>(
        &self,
        query: impl FnOnce(&Scan<'_>) -> Result<T, QueryError>,
    ) -> Result<(T, Provenance), ApiError> {
        let selection = self.selection()?;
        let present = self.state.searches.present()?;
        let result = query(&Scan {
            snapshot: &present.snapshot,
            selection: &selection,
            suffixes: &self.state.suffixes,
            deadline: self.deadline,
        })?;
        Ok((result, Provenance::of_state(present.state)))
    }

    /// Counts the backlinks of the selection. Also returns what they were counted in.
    ///
    /// # Errors
    /// As [`Self::run_query`].
    pub fn counts(&self) -> Result<(Counts, Provenance), ApiError> {
        let found = self.state.searches.counts(&Arc::new(self.selection()?), self.deadline)?;
        Ok((found.answer, Provenance::of_answer(&found)))
    }

    /// Counts the links on the pages of the selection. Also returns what they were counted in.
    ///
    /// # Errors
    /// As [`Self::run_query`].
    pub fn link_counts(&self) -> Result<(LinkCounts, Provenance), ApiError> {
        let found = self.state.searches.link_counts(&Arc::new(self.selection()?), self.deadline)?;
        Ok((found.answer, Provenance::of_answer(&found)))
    }

    /// Returns aggregates over the backlinks of the selection, and what they were computed from.
    ///
    /// # Errors
    /// As [`Self::run_query`].
    pub fn statistics(&self) -> Result<(Arc<BacklinkStatistics>, Provenance), ApiError> {
        let found = self.state.searches.statistics(&Arc::new(self.selection()?), self.deadline)?;
        let provenance = Provenance::of_answer(&found);
        Ok((found.answer, provenance))
    }

    /// How long to wait for a search index. An endpoint that cannot report an incomplete result waits for a complete
    /// one.
    pub fn wait_policy(&self) -> WaitPolicy {
        if self.endpoint.handler.reports_completeness() { WaitPolicy::Short } else { WaitPolicy::Full }
    }
}
