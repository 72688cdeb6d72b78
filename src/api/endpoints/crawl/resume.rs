//! `/crawl/resume`: ends the pause of `/crawl/pause`.
//!
//! A pause for lack of disk space does not end so. It ends by itself when there is room.

use super::controls::{DONE, EMPTY_BODY};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::store::Role;

pub static ENDPOINT: Endpoint = Endpoint::new("crawl/resume", DOCS, &[Verb::Post], Handler::Custom(render))
    .with_parameters(&[])
    .with_body(EMPTY_BODY)
    .needs(Role::Operate)
    .accepts(DONE);

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "End of the pause of the crawl",
    description: "Ends the pause of `crawl/pause`. A pause for lack of disk space ends by itself.",
};

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    context.check_empty_body()?;
    let changes = context.crawl()?.set_paused(false);
    context.render_done(if changes { "The crawl goes on." } else { "The crawl was not paused." })
}
