//! What an endpoint is: a name, its methods, and how it answers.

use http::Method;

use super::{ApiError, Asked, Call};
use crate::query::Listing;

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
    /// In a way of its own: the JSON of the answer.
    Own(fn(&Call<'_>) -> Result<Vec<u8>, ApiError>),
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
            Self::Own(_) => None,
        }
    }

    /// Whether it says by `exportFinished` if it is complete.
    pub fn says_finished(&self) -> bool {
        matches!(self, Self::List(_) | Self::Distribution { .. } | Self::ListBy { .. })
    }
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
