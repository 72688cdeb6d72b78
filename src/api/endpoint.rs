//! The declaration of an endpoint: its name, methods and parameters, and its handler.

use http::{Method, StatusCode};

use crate::api::openapi::schema::{BodySchema, ReplySchema};
use crate::api::reply::provenance::JsonReply;
use crate::api::request::parameter::{
    ACTIVE, DIRECTION, FACETS, FIELDS, FORMAT, INTERNAL, LIMIT, NEXT, OFFSET, ORDER, Parameter, SCOPE, TOP,
    URL, WHERE,
};
use crate::api::{ApiError, Docs, ListRequest, Provenance, RequestContext};
use crate::config::ApiConfig;
use crate::query::export::{BacklinkRow, ExportRow, PageRow};
use crate::query::{Listing, Neighbourhood};
use crate::store::Role;

/// The declaration of an endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// The path without its slash.
    pub name: &'static str,
    pub docs: Docs,
    /// GET includes HEAD.
    pub verbs: &'static [Verb],
    pub handler: Handler,
    /// The parameters, if the handler does not determine them.
    custom_parameters: &'static [Parameter],
    /// The schema of the reply, if no listing determines it.
    custom_reply: ReplySchema,
    body: Option<BodySchema>,
    /// The schema of the reply to a POST request, if it is another one.
    posted_reply: Option<ReplySchema>,
    /// The number of URLs that a request may name.
    max_urls: fn(&ApiConfig) -> usize,
    optional_columns: &'static [OptionalColumns],
    feed: Option<Feed>,
    role: Role,
    /// The reply to a POST request that is accepted (202).
    accepted: Option<ReplySchema>,
}

/// How the rows of a list are entries of a feed.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// The column with the day of an entry.
    pub day: &'static str,
    /// What the entries are, in words that a host follows.
    pub title: &'static str,
}

/// A listing with additional columns, which some requests get.
#[derive(Clone, Copy, Debug)]
pub struct OptionalColumns {
    /// The listing with all columns.
    pub listing: &'static Listing,
    /// Which requests, in words that follow "only".
    pub when: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Delete,
}

/// How an endpoint computes its reply.
#[derive(Debug)]
pub enum Handler {
    /// Rows with `where`, `order[]`, `limit` and `offset`, and `exportFinished`.
    List(&'static Listing),
    /// As [`Self::List`], but always complete, and therefore without `exportFinished`.
    CompleteList(&'static Listing),
    /// The first rows and the sum of the others, with `where`, `order[]`, `top` and `exportFinished`. With
    /// `direction=in`, the rows are those of `incoming`, if there is such a listing.
    Distribution { listing: &'static Listing, incoming: Option<&'static Listing> },
    /// As [`Self::List`], with parameters of its own.
    CustomList {
        listing: &'static Listing,
        build_request: fn(&RequestContext<'_>) -> Result<ListRequest, ApiError>,
    },
    /// As [`Self::CompleteList`], with parameters of its own.
    CustomCompleteList {
        listing: &'static Listing,
        build_request: fn(&RequestContext<'_>) -> Result<ListRequest, ApiError>,
    },
    /// Rows in key order, with `limit` and `next`.
    Export(ExportKind),
    /// Domains and the links between them, as JSON, GEXF or GraphML.
    Graph(fn(&RequestContext<'_>) -> Result<(Neighbourhood, Provenance), ApiError>),
    /// Reports to any client whether the server can serve.
    Probe,
    /// Signs users in and out.
    Session,
    /// A function that returns the reply as JSON.
    Custom(fn(&RequestContext<'_>) -> Result<JsonReply, ApiError>),
}

/// The rows of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    Backlinks,
    Pages,
}

impl Handler {
    /// Returns the listing of the rows, without optional columns.
    pub fn listing(&self) -> Option<&'static Listing> {
        match self {
            Self::List(listing)
            | Self::CompleteList(listing)
            | Self::Distribution { listing, .. }
            | Self::CustomList { listing, .. }
            | Self::CustomCompleteList { listing, .. } => Some(listing),
            Self::Export(_) | Self::Graph(_) | Self::Probe | Self::Session | Self::Custom(_) => None,
        }
    }

    /// Whether the reply has `exportFinished`, which says whether it is complete.
    pub fn reports_completeness(&self) -> bool {
        matches!(self, Self::List(_) | Self::Distribution { .. } | Self::CustomList { .. })
    }

    /// Whether the reply may name the state of the index that it shows.
    pub fn names_state(&self) -> bool {
        !matches!(self, Self::Probe | Self::Session)
    }

    /// Whether the reply has other formats than JSON, and columns that can be chosen.
    pub fn is_tabular(&self) -> bool {
        matches!(
            self,
            Self::List(_)
                | Self::CompleteList(_)
                | Self::CustomList { .. }
                | Self::CustomCompleteList { .. }
                | Self::Export(_)
        )
    }
}

fn usual_max_urls(config: &ApiConfig) -> usize {
    config.max_urls
}

impl Endpoint {
    /// Declares an endpoint. The parameters of a custom handler are those of a scope, unless declared otherwise.
    pub const fn new(name: &'static str, docs: Docs, verbs: &'static [Verb], handler: Handler) -> Self {
        Self {
            name,
            docs,
            verbs,
            handler,
            custom_parameters: &[URL, SCOPE, INTERNAL],
            custom_reply: ReplySchema::Object(&[]),
            body: None,
            posted_reply: None,
            max_urls: usual_max_urls,
            optional_columns: &[],
            feed: None,
            role: Role::Read,
            accepted: None,
        }
    }

    /// Declares the parameters.
    pub const fn with_parameters(self, custom_parameters: &'static [Parameter]) -> Self {
        Self { custom_parameters, ..self }
    }

    /// Declares the schema of the reply.
    pub const fn with_reply(self, custom_reply: ReplySchema) -> Self {
        Self { custom_reply, ..self }
    }

    /// Declares the body of a POST request.
    pub const fn with_body(self, body: BodySchema) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Declares that a POST request has a reply of its own, and the number of URLs that it may be about.
    pub const fn with_posted_reply(
        self,
        posted_reply: ReplySchema,
        max_urls: fn(&ApiConfig) -> usize,
    ) -> Self {
        Self { posted_reply: Some(posted_reply), max_urls, ..self }
    }

    /// Declares optional columns.
    pub const fn with_optional_columns(self, optional_columns: &'static [OptionalColumns]) -> Self {
        Self { optional_columns, ..self }
    }

    /// Declares that the rows are available as a feed.
    pub const fn with_feed(self, feed: Feed) -> Self {
        Self { feed: Some(feed), ..self }
    }

    /// Declares the role that a request needs to change something. GET changes nothing, and needs [`Role::Read`].
    pub const fn needs(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// Declares that a POST request is accepted (202), with this reply, and takes effect a moment later.
    pub const fn accepts(self, accepted: ReplySchema) -> Self {
        Self { accepted: Some(accepted), ..self }
    }

    /// The role that a request with this method needs.
    pub fn role_for(&self, method: &Method) -> Role {
        if method.is_safe() { Role::Read } else { self.role }
    }

    /// The status of a successful response to a request with this method.
    pub fn success_status(&self, method: &Method) -> StatusCode {
        if method == Method::POST && self.accepted.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK }
    }

    /// The reply to a POST request that is accepted (202), if such requests are.
    pub fn accepted(&self) -> Option<ReplySchema> {
        self.accepted
    }

    /// The schema of the reply, if no listing determines it.
    pub fn reply(&self) -> ReplySchema {
        self.custom_reply
    }

    /// The schema of the reply to a POST request, if it is another one.
    pub fn posted_reply(&self) -> Option<ReplySchema> {
        self.posted_reply
    }

    /// The number of URLs that a request may name.
    pub fn max_urls(&self, config: &ApiConfig) -> usize {
        (self.max_urls)(config)
    }

    /// The body of a POST request.
    pub fn body(&self) -> Option<BodySchema> {
        self.body
    }

    /// The optional columns, by the requests that get them.
    pub fn optional_columns(&self) -> &'static [OptionalColumns] {
        self.optional_columns
    }

    /// How the rows are entries of a feed, if they are available as one.
    pub fn feed(&self) -> Option<Feed> {
        self.feed
    }

    /// Returns a name that is never empty.
    pub fn title(&self) -> &'static str {
        if self.name.is_empty() { "root" } else { self.name }
    }

    /// Returns the columns that can always be chosen.
    pub fn column_names(&self) -> Vec<&'static str> {
        match &self.handler {
            Handler::Export(ExportKind::Backlinks) => {
                BacklinkRow::COLUMNS.iter().map(|column| column.name).collect()
            }
            Handler::Export(ExportKind::Pages) => PageRow::COLUMNS.iter().map(|column| column.name).collect(),
            handler => {
                handler.listing().map_or(&[][..], |listing| listing.columns).iter().map(|c| c.name).collect()
            }
        }
    }

    /// Returns the parameters of the query string.
    pub fn parameters(&self) -> Vec<&'static Parameter> {
        let scope: &'static [Parameter] = &[URL, SCOPE, INTERNAL];
        let specific: &'static [Parameter] = match &self.handler {
            Handler::List(Listing { shows_lost: true, .. }) => {
                &[ACTIVE, WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]
            }
            Handler::List(_) | Handler::CompleteList(_) => {
                &[WHERE, FACETS, ORDER, LIMIT, OFFSET, FIELDS, FORMAT]
            }
            Handler::Distribution { incoming: Some(_), .. } => &[DIRECTION, WHERE, ORDER, TOP],
            Handler::Distribution { incoming: None, .. } => &[WHERE, ORDER, TOP],
            Handler::Export(_) => &[LIMIT, NEXT, FIELDS, FORMAT],
            Handler::CustomList { .. }
            | Handler::CustomCompleteList { .. }
            | Handler::Graph(_)
            | Handler::Probe
            | Handler::Session
            | Handler::Custom(_) => {
                return self.custom_parameters.iter().collect();
            }
        };
        scope.iter().chain(specific).collect()
    }

    pub fn allows(&self, method: &Method) -> bool {
        self.verbs.iter().any(|verb| match verb {
            Verb::Get => method == Method::GET || method == Method::HEAD,
            Verb::Post => method == Method::POST,
            Verb::Delete => method == Method::DELETE,
        })
    }

    /// # Errors
    /// [`ApiError::MethodNotAllowed`] for another method than those of the endpoint.
    pub(in crate::api) fn check_method(&self, path: &str, method: &Method) -> Result<(), ApiError> {
        if self.allows(method) {
            return Ok(());
        }
        Err(ApiError::MethodNotAllowed {
            path: path.to_owned(),
            method: method.to_string(),
            allow: self.allow_header(),
        })
    }

    /// Returns the value of an `Allow` header.
    pub fn allow_header(&self) -> String {
        let methods: Vec<&str> = self
            .verbs
            .iter()
            .map(|verb| match verb {
                Verb::Get => "GET, HEAD",
                Verb::Post => "POST",
                Verb::Delete => "DELETE",
            })
            .collect();
        methods.join(", ")
    }
}
