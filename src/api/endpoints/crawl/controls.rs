//! What the controls share: the crawl of the process, the body, and the reply.

use serde::{Deserialize, Serialize};

use crate::api::openapi::schema::{BodySchema, ReplySchema, Schema};
use crate::api::{
    ApiError, CrawlControl, Docs, Endpoint, Handler, JsonReply, ListEffect, Provenance, RequestContext, Verb,
};
use crate::query::ErrorCode;
use crate::query::shorten;
use crate::store::Role;
use crate::urls::CanonicalUrl;

/// The reply to a control: what was done, in a sentence.
pub(super) const DONE: ReplySchema = ReplySchema::Object(&[("done", Schema::Text)]);

/// The reply to a change of a list.
pub(super) const LIST_CHANGED: ReplySchema = ReplySchema::Object(&[
    ("done", Schema::Text),
    ("changed", Schema::List(&Schema::Text)),
    ("unchanged", Schema::List(&Schema::Text)),
]);

/// A body without settings.
const EMPTY_BODY: BodySchema = BodySchema { schema: Schema::Object(&[]), example: "{}" };

/// A body with URLs.
pub(super) const URLS_BODY: BodySchema = BodySchema {
    schema: Schema::Object(&[("urls", Schema::Urls)]),
    example: r#"{"urls": ["https://www.example.com/"]}"#,
};

/// The declaration of a control without settings.
pub(super) const fn control(
    name: &'static str,
    docs: Docs,
    render: fn(&RequestContext<'_>) -> Result<JsonReply, ApiError>,
) -> Endpoint {
    Endpoint::new(name, docs, &[Verb::Post], Handler::Custom(render))
        .with_parameters(&[])
        .with_body(EMPTY_BODY)
        .needs(Role::Operate)
        .accepts(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyBody {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UrlsBody {
    urls: Vec<String>,
}

#[derive(Serialize)]
struct DoneReply<'a> {
    done: &'a str,
    status: u16,
}

#[derive(Serialize)]
struct ListChangedReply<'a> {
    done: &'a str,
    changed: &'a [String],
    unchanged: &'a [String],
    status: u16,
}

impl<'a> RequestContext<'a> {
    /// The crawl of this process.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] if there is none.
    pub(super) fn crawl(&self) -> Result<&'a dyn CrawlControl, ApiError> {
        self.state.crawl.as_deref().ok_or_else(|| {
            ApiError::Conflict("no crawl runs in this process; start one with `backlinkd run`".to_owned())
        })
    }

    /// Parses the body of the request.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a body of another form.
    pub(super) fn parse_body<T: serde::de::DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body = self.json_body.ok_or_else(|| ApiError::Internal("a control has no body".to_owned()))?;
        body.parse(self.endpoint.body())
    }

    /// Checks that the body is an empty object.
    ///
    /// # Errors
    /// As [`Self::parse_body`].
    pub(super) fn check_empty_body(&self) -> Result<(), ApiError> {
        self.parse_body::<EmptyBody>().map(|EmptyBody {}| ())
    }

    /// Parses the `urls` of the body.
    ///
    /// # Errors
    /// As [`Self::parse_body`], and [`ApiError::BadRequest`] for none, for too many, and for a text that is no URL.
    pub(super) fn body_urls(&self) -> Result<Vec<CanonicalUrl>, ApiError> {
        let UrlsBody { urls } = self.parse_body()?;
        self.check_entries(&urls)?;
        let parse = |(at, text): (usize, &String)| {
            self.state.rules.parse_typed(text).map_err(|error| {
                let message = format!("urls[{at}] is \"{}\": {error}", shorten(text));
                ApiError::of_value("urls", text, ErrorCode::BadValue, message)
            })
        };
        urls.iter().enumerate().map(parse).collect()
    }

    /// Checks the number of entries of a body.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for none, and for more than `api.max_urls`.
    pub(super) fn check_entries(&self, entries: &[String]) -> Result<(), ApiError> {
        let most = self.state.config.max_urls;
        if (1..=most).contains(&entries.len()) {
            return Ok(());
        }
        let given = entries.len();
        Err(ApiError::BadRequest(format!("the body has {given} entries; send 1 to {most} of them at once")))
    }

    /// Renders the reply to a control.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it cannot be serialized.
    pub(super) fn render_done(&self, done: &str) -> Result<JsonReply, ApiError> {
        self.render_json(&DoneReply { done, status: 202 }, &[], &Provenance::volatile())
    }

    /// Renders the reply to a change of a list. Complaints about its other lines are warnings.
    ///
    /// # Errors
    /// As [`Self::render_done`].
    pub(super) fn render_list_change(&self, done: &str, effect: &ListEffect) -> Result<JsonReply, ApiError> {
        let ListEffect { changed, unchanged, complaints } = effect;
        let reply = ListChangedReply { done, changed, unchanged, status: 202 };
        self.render_json(&reply, complaints, &Provenance::volatile())
    }
}
