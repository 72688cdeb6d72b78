//! `/crawl/resume`: ends the pause of `/crawl/pause`.
//!
//! A pause for lack of disk space does not end so. It ends by itself when there is room.

use super::controls::control;
use crate::api::{ApiError, Docs, Endpoint, JsonReply, RequestContext, Topic};

pub static ENDPOINT: Endpoint = control("crawl/resume", DOCS, render);

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
