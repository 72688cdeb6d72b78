//! Lists and distributions: plans the query from the parameters, and writes its rows.

use std::sync::Arc;

use serde::Serialize;

use super::emptiness::row_noun;
use super::headers::{self, Header};
use super::provenance::{JsonReply, Provenance};
use super::rows::{FinishedRows, RowCells, RowWriter};
use super::site_state::SiteStateReply;
use super::spreadsheet::{MAX_CELL_UNITS, MAX_ROWS};
use crate::api::http::body_writer::BodyWriter;
use crate::api::http::negotiation::Format;
use crate::api::http::representation::ResponseMeta;
use crate::api::{ApiError, ListRequest, RequestContext};
use crate::query::{
    Distribution, ErrorCode, FacetOthers, FacetPlan, FacetValues, IndexAnswer, LinkStates, ListColumn,
    ListQuery, Listing, Plan, Row, RowPage, Value, WhereLimits, Window,
};

/// A streamed list is computed in pages of this many rows.
const PAGE_ROWS: usize = 16_384;

/// The JSON reply of a list.
#[derive(Serialize)]
struct ListReply<'a> {
    #[serde(rename = "exportFinished", skip_serializing_if = "Option::is_none")]
    export_finished: Option<bool>,
    /// Replaced by the rows.
    response: (),
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'static str>,
    range: WindowReply,
    #[serde(flatten)]
    sites: Option<SiteStateReply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<FacetValues<'a>>,
    /// The rows with values that `facets` does not show.
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<FacetOthers<'a>>,
    status: u16,
}

#[derive(Serialize)]
struct WindowReply {
    offset: usize,
    limit: usize,
}

#[derive(Serialize)]
struct DistributionReply<'a> {
    #[serde(rename = "exportFinished")]
    export_finished: bool,
    response: &'a Distribution,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'static str>,
    status: u16,
}

/// Adds the number of truncated cells to the warnings of a buffered reply. The headers of a streamed reply are sent
/// already; each of its truncated cells has a note.
pub(in crate::api) fn warn_about_truncated_cells(
    rows: FinishedRows<&mut BodyWriter<'_>>,
    mut warnings: Vec<String>,
) -> Result<(), ApiError> {
    let FinishedRows { output, truncated_cells } = rows;
    if truncated_cells > 0 {
        warnings.push(format!(
            "{truncated_cells} cells are longer than {MAX_CELL_UNITS} characters and were cut"
        ));
        headers::warnings(&warnings).into_iter().for_each(|header| output.set_header(header));
    }
    Ok(())
}

impl RowCells for Row<'_> {
    fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        Row::cells(self)
    }
}

impl RequestContext<'_> {
    /// Writes the reply of a list.
    pub(in crate::api) fn write_list(
        &self,
        request: &ListRequest,
        writer: &mut BodyWriter<'_>,
    ) -> Result<(), ApiError> {
        let mut plan = self.plan(request.listing)?;
        plan.facets = self.facets(request.listing)?;
        request.restrict(&mut plan);
        if self.format == Format::Json {
            writer.set_json(self.render_list(request, &plan)?, true);
            Ok(())
        } else if let (Format::Atom, Some(feed)) = (self.format, self.endpoint.feed()) {
            plan.columns = request.listing.columns.to_vec();
            self.write_feed(request, &plan, feed, writer)
        } else {
            self.write_list_rows(request, &plan, writer)
        }
    }

    fn plan(&self, listing: &Listing) -> Result<Plan, ApiError> {
        let order = self.params.list("order")?;
        let config = &self.state.config;
        let limits = WhereLimits { conditions: config.max_where_conditions, depth: config.max_where_depth };
        let mut plan = listing.plan_within(self.params.single("where")?, order.into_iter(), limits)?;
        if self.endpoint.handler.is_tabular()
            && let Some(columns) = self.params.fields(listing.columns, |column: &ListColumn| column.name)?
        {
            plan.columns = columns.into_iter().copied().collect();
        }
        Ok(plan)
    }

    /// Parses `facets`.
    fn facets(&self, listing: &Listing) -> Result<FacetPlan, ApiError> {
        let known: Vec<ListColumn> = listing.usable_columns().collect();
        let names: Vec<&str> = known.iter().map(|column| column.name).collect();
        let Some(chosen) = self.params.columns("facets", &names)? else { return Ok(FacetPlan::default()) };
        let text = self.params.single("facets")?.unwrap_or_default();
        let max = self.state.config.max_facets;
        if chosen.len() > max {
            let message = format!("facets names {} columns; name at most {max}", chosen.len());
            return Err(ApiError::of_value("facets", text, ErrorCode::TooLarge, message));
        }
        if self.format != Format::Json {
            let message = "facets are in JSON alone; omit facets, or ask for format=json".to_owned();
            return Err(ApiError::of_value("facets", text, ErrorCode::BadValue, message));
        }
        let columns = chosen.into_iter().map(|at| known[at]).collect();
        Ok(FacetPlan { columns, max_values: self.state.config.max_facet_values })
    }

    /// Returns whether the result is complete. `None` if the endpoint does not report that.
    pub(super) fn completeness<T>(&self, found: &IndexAnswer<T>) -> Option<bool> {
        self.endpoint.handler.reports_completeness().then_some(found.is_complete)
    }

    fn render_list(&self, request: &ListRequest, plan: &Plan) -> Result<JsonReply, ApiError> {
        let window = self.params.window(&self.state.config)?;
        let found = request.page(self, plan, window)?;
        let provenance = self.page_provenance(request, &found)?;
        let Window { offset, limit } = window;
        let has_facets = !plan.facets.columns.is_empty();
        let reply = ListReply {
            export_finished: self.completeness(&found),
            response: (),
            count: found.answer.count,
            known: provenance.known(),
            range: WindowReply { offset, limit },
            sites: request.site_state().map(SiteStateReply::from),
            facets: has_facets.then_some(FacetValues(&found.answer.facets)),
            others: has_facets.then_some(FacetOthers(&found.answer.facets)),
            status: 200,
        };
        self.render_json_with_rows(&reply, &found.answer, &plan.warnings, &provenance)
    }

    /// Writes all rows, or those of the window if `limit` is given. The cells of one page are computed and written
    /// before those of the next.
    fn write_list_rows(
        &self,
        request: &ListRequest,
        plan: &Plan,
        writer: &mut BodyWriter<'_>,
    ) -> Result<(), ApiError> {
        let window = self.params.unbounded_window(&self.state.config)?;
        let (mut rows, mut warnings) = (None, Vec::new());
        let mut writer = Some(writer);
        request.for_each_page(self, plan, window, PAGE_ROWS, |found| {
            let page = &found.answer;
            if let Some(writer) = writer.take() {
                let provenance = self.page_provenance(request, &found)?;
                warnings = self.warnings(&plan.warnings, &provenance);
                warnings.extend(self.spreadsheet_overflow(page.count, window));
                let meta = self.response_meta(&[
                    headers::total_count(page.count),
                    headers::export_finished(self.completeness(&found)),
                    headers::warnings(&warnings),
                    headers::content_disposition(self.format, self.endpoint.name, request.subject()),
                ]);
                writer.set_meta(meta, &provenance);
                let layout = self.list_layout(request, plan, &found, &warnings);
                rows = Some(RowWriter::new(&layout, writer)?);
            }
            rows.iter_mut().try_for_each(|rows| rows.write_page(page))
        })?;
        rows.map_or(Ok(()), |rows| warn_about_truncated_cells(rows.finish()?, warnings))
    }

    /// Returns what the list was computed from, and explains why it has no rows if it has none.
    fn page_provenance(
        &self,
        request: &ListRequest,
        found: &IndexAnswer<RowPage>,
    ) -> Result<Provenance, ApiError> {
        let provenance = request.provenance().and(Provenance::of_answer(found));
        if found.answer.count == 0 { request.explain_no_rows(self, provenance) } else { Ok(provenance) }
    }

    /// Returns a warning if a spreadsheet cannot show all rows.
    fn spreadsheet_overflow(&self, count: usize, window: Window) -> Option<String> {
        let rows = count.saturating_sub(window.offset).min(window.limit);
        // The line of names takes one row.
        (self.format == Format::Excel && rows >= MAX_ROWS).then(|| {
            format!(
                "these are {rows} rows, of which a spreadsheet shows {}; use limit and offset",
                MAX_ROWS - 1
            )
        })
    }

    /// Returns the metadata of a response that is not JSON.
    pub(in crate::api) fn response_meta(&self, extra_headers: &[Option<Header>]) -> ResponseMeta {
        ResponseMeta {
            format: self.format,
            extra_headers: extra_headers.iter().flatten().cloned().collect(),
            ..ResponseMeta::json(true)
        }
    }

    /// Serializes the reply of a distribution.
    pub(in crate::api) fn render_distribution(
        &self,
        listing: &'static Listing,
    ) -> Result<JsonReply, ApiError> {
        let top = self.params.top()?;
        let plan = self.plan(listing)?;
        let selection = Arc::new(self.selection()?);
        let query =
            ListQuery { listing, link_states: LinkStates::Active, plan: &plan, wait: self.wait_policy() };
        let found = self.state.searches.distribution(&selection, &query, top, self.deadline)?;
        let mut provenance = Provenance::of_answer(&found);
        if found.answer.rows() == 0 {
            provenance = self.explain_no_rows(&selection.scope, row_noun(listing.rows), provenance)?;
        }
        let reply = DistributionReply {
            export_finished: found.is_complete,
            response: &found.answer,
            count: found.answer.rows(),
            known: provenance.known(),
            status: 200,
        };
        self.render_json(&reply, &plan.warnings, &provenance)
    }
}
