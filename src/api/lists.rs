//! Lists and distributions: from the parameters to rows, and from rows to bytes.

use serde::Serialize;

use super::negotiate::Format;
use super::outlet::Outlet;
use super::representation::About;
use super::rows::{Cells, RowWriter};
use super::{ApiError, Call, beside};
use crate::query::{Activity, Distribution, ListColumn, Listing, Page, Plan, Row, Value, Window};

/// Rows of a streamed list that are worked out at once.
const PIECE_ROWS: usize = 16_384;

/// The answer of a list.
#[derive(Serialize)]
struct ListReply<'a> {
    #[serde(rename = "exportFinished", skip_serializing_if = "Option::is_none")]
    export_finished: Option<bool>,
    response: &'a Page,
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

impl Cells for Row<'_> {
    fn cells(&self) -> impl Iterator<Item = Value<'_>> {
        Row::cells(self)
    }
}

impl Call<'_> {
    /// Writes the answer of a list.
    pub(super) fn list(&self, listing: &Listing, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let plan = self.plan(listing)?;
        if self.format == Format::Json {
            outlet.json(self.list_json(listing, &plan)?, true);
            Ok(())
        } else {
            self.list_rows(listing, &plan, outlet)
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

    fn activity(&self, listing: &Listing) -> Result<Activity, ApiError> {
        if listing.shows_lost { self.params.activity() } else { Ok(Activity::Active) }
    }

    /// Whether the answer is complete, where the endpoint says so. An incomplete one is not given again.
    fn finished(&self, finished: bool) -> Option<bool> {
        if !finished {
            self.is_passing();
        }
        self.endpoint.answer.says_finished().then_some(finished)
    }

    fn list_json(&self, listing: &Listing, plan: &Plan) -> Result<Vec<u8>, ApiError> {
        let window = self.params.window(&self.state.config)?;
        let fields = listing.fields(plan)?;
        let activity = self.activity(listing)?;
        let (page, finished) = self.ask(|scan| {
            let scanned = scan.table(listing.rows, activity, &fields)?;
            Ok((listing.answer(plan, window, &scanned.table, scan, self.deadline)?, scanned.finished))
        })?;
        let Window { offset, limit } = window;
        let reply = ListReply {
            export_finished: self.finished(finished),
            response: &page,
            count: page.count,
            range: Range { offset, limit },
            status: 200,
        };
        self.json(&reply, &plan.warnings)
    }

    /// All rows where no limit is given. Cells are worked out for some thousand rows at once, and written before the
    /// next.
    fn list_rows(&self, listing: &Listing, plan: &Plan, outlet: &mut Outlet<'_>) -> Result<(), ApiError> {
        let window = self.params.whole_window(&self.state.config)?;
        let fields = listing.fields(plan)?;
        let activity = self.activity(listing)?;
        self.scan(|scan| {
            let scanned = scan.table(listing.rows, activity, &fields)?;
            let finished = self.finished(scanned.finished);
            let mut writer = None;
            let mut outlet = Some(outlet);
            let from = (&scanned.table, scan as &dyn crate::query::LookUp, self.deadline);
            listing.pieces(plan, window, PIECE_ROWS, from, |page| {
                if let Some(outlet) = outlet.take() {
                    outlet.begin(self.about(&[
                        beside::count(page.count),
                        beside::finished(finished),
                        beside::warnings(&self.warnings(&plan.warnings)),
                    ]));
                    let names = plan.columns.iter().map(|column| column.name);
                    writer = Some(RowWriter::new(self.format, names, outlet)?);
                }
                writer.iter_mut().try_for_each(|writer| page.iter().try_for_each(|row| writer.write(&row)))
            })?;
            writer.map_or(Ok(()), RowWriter::finish)
        })
    }

    /// What is said of an answer that is not JSON.
    pub(super) fn about(&self, beside: &[Option<beside::Header>]) -> About {
        About { format: self.format, by_accept: true, beside: beside.iter().flatten().cloned().collect() }
    }

    /// The answer of a distribution.
    pub(super) fn distribution(&self, listing: &Listing) -> Result<Vec<u8>, ApiError> {
        let top = self.params.top()?;
        let plan = self.plan(listing)?;
        let fields = listing.fields(&plan)?;
        let (response, finished) = self.ask(|scan| {
            let scanned = scan.table(listing.rows, Activity::Active, &fields)?;
            let response = listing.distribution(&plan, top, &scanned.table, scan, self.deadline)?;
            Ok((response, scanned.finished))
        })?;
        self.finished(finished);
        let reply = DistributionReply {
            export_finished: finished,
            response: &response,
            count: response.rows(),
            status: 200,
        };
        self.json(&reply, &plan.warnings)
    }
}
