//! `/crawl/blocks`: the hosts and domains that the index blocks. GET lists them, as `backlinkd block list` does; POST adds
//! and removes some.
//!
//! `example.com` blocks that host and all below it, `*.example.com` those below it alone. Fetches in flight are finished;
//! no other fetch of a blocked host starts. Its queue stays as it is, and goes on once the host is not blocked any more.
//! Names of the file `crawl.block_list` are not in the list, and cannot be removed here.

use serde::Deserialize;

use super::controls::LIST_CHANGED;
use super::lists::{LISTED, PARAMETERS, render_list};
use crate::api::openapi::schema::{BodySchema, Schema};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::policy::BlockedName;
use crate::store::{BLOCKS_FILE, Role};

pub static ENDPOINT: Endpoint =
    Endpoint::new("crawl/blocks", DOCS, &[Verb::Get, Verb::Post], Handler::Custom(render))
        .with_parameters(PARAMETERS)
        .with_reply(LISTED)
        .with_body(BodySchema {
            schema: Schema::Partial(&[
                ("add", Schema::List(&Schema::Text)),
                ("remove", Schema::List(&Schema::Text)),
            ]),
            example: r#"{"add": ["example.com"], "remove": ["*.example.org"]}"#,
        })
        .needs(Role::Operate)
        .accepts(LIST_CHANGED);

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "Blocked hosts and domains",
    description: "GET lists the hosts and domains that the index blocks. POST adds and removes some. \
                  `example.com` blocks that host and all below it, and `*.example.com` those below it \
                  alone.",
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlocksBody {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    if context.json_body.is_none() {
        let rules = &context.state.rules;
        return render_list(context, BLOCKS_FILE, |line| {
            let name =
                BlockedName::in_line(line, rules).map_err(|text| format!("\"{text}\" names no host"))?;
            Ok(name.map(|name| name.to_string()))
        });
    }
    let BlocksBody { add, remove } = context.parse_body()?;
    context.check_entries(&[&add[..], &remove[..]].concat())?;
    let effect = context.crawl()?.edit_blocks(&add, &remove)?;
    context.render_list_change(&format!("Names added or removed: {}.", effect.changed.len()), &effect)
}
