//! What an endpoint is: a name, its methods, its parameters, and how it answers.

use http::Method;

use super::parameter::{
    ACTIVE, DIRECTION, FIELDS, FORMAT, INTERNAL, LIMIT, NEXT, OFFSET, ORDER, Parameter, SCOPE, TOP, URL,
    WHERE,
};
use super::shape::{Body, Reply};
use super::{ApiError, Asked, Call};
use crate::query::Listing;
use crate::query::export::{BacklinkRow, ExportRow, PageRow};

/// The declaration of an endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// The path without its slash.
    pub name: &'static str,
    /// What GET serves, HEAD does as well.
    pub verbs: &'static [Verb],
    pub answer: Answer,
    /// The parameters of an endpoint that answers in a way of its own, or is asked in one.
    own_parameters: &'static [Parameter],
    /// The answer of such an endpoint.
    own_reply: Reply,
    body: Option<Body>,
    wider: Option<Wider>,
}

/// A listing with more columns than that of the answer, which some requests ask for.
#[derive(Clone, Copy, Debug)]
pub struct Wider {
    /// With all columns that there can be.
    pub listing: &'static Listing,
    /// Which requests, in words that follow "only".
    pub when: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
}

/// How an endpoint answers.
#[derive(Debug)]
pub enum Answer {
    /// Rows with `where`, `order[]`, `limit` and `offset`, and `exportFinished`.
    List(&'static Listing),
    /// As [`Self::List`], always complete and so without `exportFinished`.
    Summary(&'static Listing),
    /// The first rows and the sum of the others, with `where`, `order[]`, `top` and `exportFinished`. With
    /// `direction=in`, where there is such a listing, rows are those of `turned`.
    Distribution { listing: &'static Listing, turned: Option<&'static Listing> },
    /// As [`Self::List`], with parameters of the endpoint's own.
    ListBy { listing: &'static Listing, ask: fn(&Call<'_>) -> Result<Asked, ApiError> },
    /// As [`Self::Summary`], with parameters of the endpoint's own.
    SummaryBy { listing: &'static Listing, ask: fn(&Call<'_>) -> Result<Asked, ApiError> },
    /// Rows in key order, with `limit` and `next`.
    Export(Exported),
    /// Whether the server can serve: to anybody.
    Probe,
    /// In a way of its own: the JSON of the answer.
    Own(fn(&Call<'_>) -> Result<Vec<u8>, ApiError>),
}

/// What an export holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    Backlinks,
    Pages,
}

impl Answer {
    /// The listing that the answer's rows follow when nothing else is asked for.
    pub fn listing(&self) -> Option<&'static Listing> {
        match self {
            Self::List(listing)
            | Self::Summary(listing)
            | Self::Distribution { listing, .. }
            | Self::ListBy { listing, .. }
            | Self::SummaryBy { listing, .. } => Some(listing),
            Self::Export(_) | Self::Probe | Self::Own(_) => None,
        }
    }

    /// Whether it says by `exportFinished` if it is complete.
    pub fn says_finished(&self) -> bool {
        matches!(self, Self::List(_) | Self::Distribution { .. } | Self::ListBy { .. })
    }

    /// Whether it comes in other formats than JSON, and in columns that can be chosen.
    pub fn is_tabular(&self) -> bool {
        matches!(
            self,
            Self::List(_) | Self::Summary(_) | Self::ListBy { .. } | Self::SummaryBy { .. } | Self::Export(_)
        )
    }
}

impl Endpoint {
    /// An endpoint that answers in a way of its own takes the parameters of a scope, unless it says otherwise.
    pub const fn new(name: &'static str, verbs: &'static [Verb], answer: Answer) -> Self {
        Self {
            name,
            verbs,
            answer,
            own_parameters: &[URL, SCOPE, INTERNAL],
            own_reply: Reply::Object(&[]),
            body: None,
            wider: None,
        }
    }

    /// With these parameters.
    pub const fn taking(self, own_parameters: &'static [Parameter]) -> Self {
        Self { own_parameters, ..self }
    }

    /// With an answer of this shape.
    pub const fn showing(self, own_reply: Reply) -> Self {
        Self { own_reply, ..self }
    }

    /// With this body of a POST.
    pub const fn posting(self, body: Body) -> Self {
        Self { body: Some(body), ..self }
    }

    /// With more columns where they are asked for.
    pub const fn widened(self, wider: Wider) -> Self {
        Self { wider: Some(wider), ..self }
    }

    /// The shape of its answer, where no listing says it.
    pub fn reply(&self) -> Reply {
        self.own_reply
    }

    /// The body of a POST.
    pub fn body(&self) -> Option<Body> {
        self.body
    }

    /// The columns that some requests ask for.
    pub fn wider(&self) -> Option<Wider> {
        self.wider
    }

    /// A name that is never empty.
    pub fn title(&self) -> &'static str {
        if self.name.is_empty() { "root" } else { self.name }
    }

    /// The columns that can always be chosen.
    pub fn column_names(&self) -> Vec<&'static str> {
        match &self.answer {
            Answer::Export(Exported::Backlinks) => {
                BacklinkRow::COLUMNS.iter().map(|column| column.name).collect()
            }
            Answer::Export(Exported::Pages) => PageRow::COLUMNS.iter().map(|column| column.name).collect(),
            answer => {
                answer.listing().map_or(&[][..], |listing| listing.columns).iter().map(|c| c.name).collect()
            }
        }
    }

    /// The parameters of its query string.
    pub fn parameters(&self) -> Vec<&'static Parameter> {
        let scope: &'static [Parameter] = &[URL, SCOPE, INTERNAL];
        let more: &'static [Parameter] = match &self.answer {
            Answer::List(Listing { shows_lost: true, .. }) => {
                &[ACTIVE, WHERE, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]
            }
            Answer::List(_) | Answer::Summary(_) => &[WHERE, ORDER, LIMIT, OFFSET, FIELDS, FORMAT],
            Answer::Distribution { turned: Some(_), .. } => &[DIRECTION, WHERE, ORDER, TOP],
            Answer::Distribution { turned: None, .. } => &[WHERE, ORDER, TOP],
            Answer::Export(_) => &[LIMIT, NEXT, FIELDS, FORMAT],
            Answer::ListBy { .. } | Answer::SummaryBy { .. } | Answer::Probe | Answer::Own(_) => {
                return self.own_parameters.iter().collect();
            }
        };
        scope.iter().chain(more).collect()
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
