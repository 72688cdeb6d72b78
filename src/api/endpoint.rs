//! What an endpoint is: a name, its methods, its parameters, and how it answers.

use http::Method;

use super::parameter::{
    ACTIVE, DIRECTION, FIELDS, FORMAT, INTERNAL, LIMIT, NEXT, OFFSET, ORDER, Parameter, SCOPE, TOP, URL, WHERE,
};
use super::{ApiError, Call};
use crate::query::Listing;

/// The declaration of an endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// The path without its slash.
    pub name: &'static str,
    /// What GET serves, HEAD does as well.
    pub verbs: &'static [Verb],
    pub answer: Answer,
    /// The parameters of an endpoint that answers in a way of its own.
    own_parameters: &'static [Parameter],
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
    /// Rows in key order, with `limit` and `next`.
    Export(Exported),
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
            Self::List(listing) | Self::Summary(listing) | Self::Distribution { listing, .. } => {
                Some(listing)
            }
            Self::Export(_) | Self::Own(_) => None,
        }
    }

    /// Whether it says by `exportFinished` if it is complete.
    pub fn says_finished(&self) -> bool {
        matches!(self, Self::List(_) | Self::Distribution { .. })
    }

    /// Whether it comes in other formats than JSON, and in columns that can be chosen.
    pub fn is_tabular(&self) -> bool {
        matches!(self, Self::List(_) | Self::Summary(_) | Self::Export(_))
    }
}

impl Endpoint {
    /// An endpoint that answers in a way of its own takes the parameters of a scope, unless it says otherwise.
    pub const fn new(name: &'static str, verbs: &'static [Verb], answer: Answer) -> Self {
        Self { name, verbs, answer, own_parameters: &[URL, SCOPE, INTERNAL] }
    }

    /// With these parameters.
    pub const fn taking(self, own_parameters: &'static [Parameter]) -> Self {
        Self { own_parameters, ..self }
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
            Answer::Own(_) => return self.own_parameters.iter().collect(),
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
