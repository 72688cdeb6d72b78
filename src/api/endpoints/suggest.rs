//! `/suggest`: the hosts and registrable domains whose name begins with a text, strongest first.
//!
//! A name matches with and without `www.`, in punycode and as it is read. The names are those of `domains` and their
//! hosts; a host with the name of its domain is one suggestion. Strength is the rank, then the number of referring
//! domains, then the name. Figures are of the state that `asOf` names, as in `domains`.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::reply::site_state::{AS_OF, SiteStateReply};
use crate::api::request::parameter::{LIMIT, MAX_NAME_PREFIX, NAME_PREFIX};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, Provenance, RequestContext, Topic, Verb};
use crate::query::{SiteName, Value};

pub static ENDPOINT: Endpoint = Endpoint::new("suggest", DOCS, &[Verb::Get], Handler::Custom(render))
    .with_parameters(&[NAME_PREFIX, LIMIT])
    .with_reply(ReplySchema::Object(&[
        ("exportFinished", Schema::Flag),
        (
            "suggestions",
            Schema::List(&Schema::Object(&[
                ("name", Schema::Text),
                ("kind", Schema::Words(&["domain", "host"])),
                ("sr", Schema::Hundredths),
                ("refdoms", Schema::Count),
            ])),
        ),
        ("asOf", AS_OF),
        ("ranked", Schema::OptionalText),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Index,
    summary: "Hosts and domains by the beginning of their name",
    description: "Lists the known hosts and registrable domains whose name begins with `q`, strongest \
                  first. A name matches with and without `www.`, in punycode and as it is read. Figures \
                  are of the state that `asOf` names.",
};

#[derive(Serialize)]
struct SuggestReply<'a> {
    #[serde(rename = "exportFinished")]
    export_finished: bool,
    suggestions: Vec<Suggestion<'a>>,
    #[serde(flatten)]
    sites: SiteStateReply,
    status: u16,
}

#[derive(Serialize)]
struct Suggestion<'a> {
    name: &'a str,
    kind: &'static str,
    sr: Value<'static>,
    refdoms: u32,
}

impl<'a> From<SiteName<'a>> for Suggestion<'a> {
    fn from(site: SiteName<'a>) -> Self {
        Self { name: site.name, kind: site.kind.as_str(), sr: site.rank.into(), refdoms: site.refdoms }
    }
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let beginning = context.params.single("q")?.unwrap_or_default().trim();
    if beginning.is_empty() {
        return Err(ApiError::missing("q", "give the beginning of a name, for example q=exam"));
    }
    if beginning.chars().count() > MAX_NAME_PREFIX {
        let expected = format!("at most {MAX_NAME_PREFIX} characters of a name");
        return Err(ApiError::parameter("q", beginning, &expected));
    }
    let limit = context.params.limit(&context.state.config)?;
    let sites = context.state.searches.sites().read(context.deadline)?;
    let found = sites.suggest(beginning, limit, context.deadline)?;
    let reply = SuggestReply {
        export_finished: sites.state().is_complete,
        suggestions: found.into_iter().map(Suggestion::from).collect(),
        sites: sites.state().into(),
        status: 200,
    };
    // The list changes when its file does, or its age.
    let provenance = Provenance::of_state(sites.state().state()).and(Provenance::volatile());
    context.render_json(&reply, &[], &provenance)
}
