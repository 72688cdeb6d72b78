//! `/crawl/rank`: computes the ranks now, besides the schedule of `rank.interval`.
//!
//! The schedule counts from the end of this ranking. A request during a ranking is kept: another one follows.

use super::controls::control;
use crate::api::{ApiError, Docs, Endpoint, JsonReply, RequestContext, Topic};

pub static ENDPOINT: Endpoint = control("crawl/rank", DOCS, render);

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "Ranking at once",
    description: "Computes the ranks now, besides the schedule of `rank.interval`. A request during a \
                  ranking is kept: another one follows.",
};

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    context.check_empty_body()?;
    let is_ranking = context.crawl()?.request_ranking();
    context.render_done(if is_ranking {
        "A ranking is under way; another one follows it."
    } else {
        "The ranking begins."
    })
}
