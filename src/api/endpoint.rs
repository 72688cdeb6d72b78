//! What an endpoint is: a name, its methods, and how it answers.

use http::Method;
use serde::Serialize;

use super::{ApiError, ApiState, Params};
use crate::query::{Deadline, Listing, Page, Rows, Selection, scan};

/// The declaration of an endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// The path without its slash.
    pub name: &'static str,
    /// What GET serves, HEAD does as well.
    pub verbs: &'static [Verb],
    pub answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
}

/// How an endpoint answers.
#[derive(Debug)]
pub enum Answer {
    /// Rows with `where`, `order[]`, `limit` and `offset`.
    List(&'static Listing),
    /// In a way of its own: the JSON of the answer.
    Own(fn(&Call<'_>) -> Result<Vec<u8>, ApiError>),
}

/// One request to one endpoint, on its way to an answer. Lives on a blocking thread.
pub struct Call<'a> {
    pub endpoint: &'static Endpoint,
    pub params: &'a Params,
    pub state: &'a ApiState,
    pub deadline: &'a Deadline,
}

/// The answer of a list.
#[derive(Serialize)]
struct ListReply<'a> {
    #[serde(rename = "exportFinished")]
    export_finished: bool,
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

/// The answer of an endpoint that has one row.
#[derive(Serialize)]
struct OneRow<T> {
    response: [T; 1],
    status: u16,
}

impl Endpoint {
    pub const fn new(name: &'static str, verbs: &'static [Verb], answer: Answer) -> Self {
        Self { name, verbs, answer }
    }

    pub fn takes(&self, method: &Method) -> bool {
        self.verbs.iter().any(|verb| match verb {
            Verb::Get => method == Method::GET || method == Method::HEAD,
            Verb::Post => method == Method::POST,
        })
    }

    /// The value of an `Allow` header.
    pub fn allow(&self) -> String {
        let methods: Vec<&str> = self
            .verbs
            .iter()
            .map(|verb| match verb {
                Verb::Get => "GET, HEAD",
                Verb::Post => "POST",
            })
            .collect();
        methods.join(", ")
    }
}

impl Call<'_> {
    /// # Errors
    /// What is wrong with the parameters, and what the query reports.
    pub fn answer(&self) -> Result<Vec<u8>, ApiError> {
        match self.endpoint.answer {
            Answer::List(listing) => self.list(listing),
            Answer::Own(answer) => answer(self),
        }
    }

    /// What `url`, `scope` and `internal` select.
    ///
    /// # Errors
    /// As [`Params::selection`].
    pub fn selection(&self) -> Result<Selection, ApiError> {
        self.params.selection(&self.state.rules, &self.state.suffixes)
    }

    /// The JSON of a single row.
    ///
    /// # Errors
    /// When the row cannot be written as JSON.
    pub fn one_row(&self, row: impl Serialize) -> Result<Vec<u8>, ApiError> {
        Ok(serde_json::to_vec(&OneRow { response: [row], status: 200 })?)
    }

    fn list(&self, listing: &Listing) -> Result<Vec<u8>, ApiError> {
        let selection = self.selection()?;
        let window = self.params.window(&self.state.config)?;
        let order = self.params.list("order")?;
        let plan = listing.plan(self.params.single("where")?, order.into_iter())?;
        let fields = listing.fields(&plan)?;
        let snapshot = self.state.store.snapshot();
        let scanned = match listing.rows {
            Rows::Backlinks => {
                scan::backlinks(&snapshot, &selection, &fields, &self.state.suffixes, self.deadline)?
            }
        };
        let page = listing.answer(&plan, window, &scanned.table, &snapshot, self.deadline)?;
        Ok(serde_json::to_vec(&ListReply {
            export_finished: scanned.finished,
            response: &page,
            count: page.count,
            range: Range { offset: window.offset, limit: window.limit },
            status: 200,
            warnings: &plan.warnings,
        })?)
    }
}
