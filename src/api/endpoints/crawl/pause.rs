//! `/crawl/pause`: pauses the crawl.
//!
//! A paused crawl starts no fetch. It finishes those in flight, and goes on with serving, storing and ranking. The pause
//! ends with `/crawl/resume`, or with the process: a daemon that starts again crawls. A pause for lack of disk space is
//! another one; each holds for itself.

use super::controls::control;
use crate::api::{ApiError, Docs, Endpoint, JsonReply, RequestContext, Topic};

pub static ENDPOINT: Endpoint = control("crawl/pause", DOCS, render);

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "Pause of the crawl",
    description: "Pauses the crawl: no fetch starts, and those in flight are finished. Serving, storing \
                  and ranking go on. The pause ends with `crawl/resume`, or with the process.",
};

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    context.check_empty_body()?;
    let changes = context.crawl()?.set_paused(true);
    context.render_done(if changes { "The crawl is paused." } else { "The crawl was paused already." })
}
