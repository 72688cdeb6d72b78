//! Lists and distributions: from the parameters to rows, and from rows to bytes.

use std::sync::Arc;

use serde::Serialize;

use super::emptiness::rows_of;
use super::negotiate::Format;
use super::outlet::Outlet;
use super::representation::About;
use super::rows::{Cells, RowWriter, Written};
use super::spreadsheet::{MOST_ROWS, MOST_UNITS};
use super::{ApiError, Asked, Call, beside};
use crate::query::{
    Activity, Distribution, Found, ListColumn, Listing, Page, Plan, Question, Row, Value, Window,
};

/// Rows of a streamed list that are worked out at once.
const PIECE_ROWS: usize = 16_384;

/// The answer of a list.
#[derive(Serialize)]
struct ListReply {
    #[serde(rename = "exportFinished", skip_serializing_if = "Option::is_none")]
    export_finished: Option<bool>,
    /// Filled in afterwards.
    response: (),
    count: usize,
    range: Range,
    status: u16,
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
}

/// Has a short answer say how many of its cells were cut; of those of a long one, each says so itself.
pub(super) fn tell_of_cut_cells(
    written: Written<&mut Outlet<'_>>,
    mut warnings: Vec<String>,
) -> Result<(), ApiError> {
    let Written { out, cut_cells } = written;
    if cut_cells > 0 {
        warnings.push(format!("{cut_cells} cells are longer than {MOST_UNITS} characters and were cut"));
        beside::warnings(&warnings).into_iter().for_each(|header| out.tell(header));
    }
    Ok(())
}

impl Cells for Row<'_> {
    fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        Row::cells(self)
    }
}

impl Call<'_> {
    /// Writes the answer of a list.
    pub(super) fn list(&self, asked: &Asked, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let mut plan = self.plan(asked.listing)?;
        asked.narrow(&mut plan);
        if self.format == Format::Json {
            outlet.json(self.list_json(asked, &plan)?, true);
            Ok(())
        } else {
            self.list_rows(asked, &plan, outlet)
        }
    }

    fn plan(&self, listing: &Listing) -> Result<Plan, ApiError> {
        let order = self.params.list("order")?;
        let mut plan = listing.plan(self.params.single("where")?, order.into_iter())?;
        if self.endpoint.answer.is_tabular()
            && let Some(columns) = self.params.fields(listing.columns, |column: &ListColumn| column.name)?
        {
            plan.columns = columns.into_iter().copied().collect();
        }
        Ok(plan)
    }

    /// Whether the answer is complete, where the endpoint says so.
    fn finished<T>(&self, found: &Found<T>) -> Option<bool> {
        self.endpoint.answer.says_finished().then_some(found.finished)
    }

    fn list_json(&self, asked: &Asked, plan: &Plan) -> Result<Vec<u8>, ApiError> {
        let window = self.params.window(&self.state.config)?;
        let found = asked.page(self, plan, window)?;
        self.take_note(asked, &found)?;
        let Window { offset, limit } = window;
        let reply = ListReply {
            export_finished: self.finished(&found),
            response: (),
            count: found.answer.count,
            range: Range { offset, limit },
            status: 200,
        };
        self.json_with_rows(&reply, &found.answer, &plan.warnings)
    }

    /// All rows where no limit is given. Cells are worked out for some thousand rows at once, and written before the
    /// next.
    fn list_rows(&self, asked: &Asked, plan: &Plan, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let window = self.params.whole_window(&self.state.config)?;
        let (mut writer, mut warnings) = (None, Vec::new());
        let mut outlet = Some(outlet);
        asked.pieces(self, plan, window, PIECE_ROWS, |found| {
            let page = &found.answer;
            if let Some(outlet) = outlet.take() {
                self.take_note(asked, &found)?;
                warnings = self.warnings(&plan.warnings);
                warnings.extend(self.beyond_a_sheet(page.count, window));
                outlet.begin(self.about(&[
                    beside::count(page.count),
                    beside::finished(self.finished(&found)),
                    beside::warnings(&warnings),
                    beside::attachment(self.format, self.endpoint.name, &asked.selection.scope),
                ]));
                self.settle(outlet);
                let names = plan.columns.iter().map(|column| column.name);
                writer = Some(RowWriter::new(self.format, names, outlet)?);
            }
            writer.iter_mut().try_for_each(|writer| page.iter().try_for_each(|row| writer.write(&row)))
        })?;
        writer.map_or(Ok(()), |writer| tell_of_cut_cells(writer.finish()?, warnings))
    }

    /// Takes note of what an answer is from, and says why it has no rows, shown or not. One that is not complete, or not
    /// of the present state, is not given again.
    fn take_note(&self, asked: &Asked, found: &Found<Page>) -> Result<(), ApiError> {
        self.may_pass(found);
        if found.answer.count == 0 { asked.explain_none(self) } else { Ok(()) }
    }

    /// What is said of more rows than a spreadsheet shows.
    fn beyond_a_sheet(&self, count: usize, window: Window) -> Option<String> {
        let rows = count.saturating_sub(window.offset).min(window.limit);
        // One is the line of names.
        (self.format == Format::Excel && rows >= MOST_ROWS).then(|| {
            format!(
                "these are {rows} rows, of which a spreadsheet shows {}; use limit and offset",
                MOST_ROWS - 1
            )
        })
    }

    /// What is said of an answer that is not JSON.
    pub(super) fn about(&self, beside: &[Option<beside::Header>]) -> About {
        About { format: self.format, by_accept: true, beside: beside.iter().flatten().cloned().collect() }
    }

    /// The answer of a distribution.
    pub(super) fn distribution(&self, listing: &'static Listing) -> Result<Vec<u8>, ApiError> {
        let top = self.params.top()?;
        let plan = self.plan(listing)?;
        let selection = Arc::new(self.selection()?);
        let question =
            Question { listing, activity: Activity::Active, plan: &plan, patience: self.patience() };
        let found = self.state.searches.distribution(&selection, &question, top, self.deadline)?;
        self.may_pass(&found);
        if found.answer.rows() == 0 {
            self.explain_none(&selection.scope, rows_of(listing.rows))?;
        }
        let reply = DistributionReply {
            export_finished: found.finished,
            response: &found.answer,
            count: found.answer.rows(),
            status: 200,
        };
        self.json(&reply, &plan.warnings)
    }
}
