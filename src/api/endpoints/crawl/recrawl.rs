//! `/crawl/recrawl`: visits URLs again, whenever they are due.
//!
//! The URLs go to the front of the queues of their hosts, as seeds do. Delays, robots.txt and block lists apply. Each
//! URL keeps its distance from the seeds. All must be visited or queued already; otherwise none is queued.

use super::controls::{DONE, URLS_BODY};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::query::ErrorCode;
use crate::store::Role;

pub static ENDPOINT: Endpoint = Endpoint::new("crawl/recrawl", DOCS, &[Verb::Post], Handler::Custom(render))
    .with_parameters(&[])
    .with_body(URLS_BODY)
    .needs(Role::Operate)
    .accepts(DONE);

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "Another visit of URLs",
    description: "Visits URLs again, whenever they are due. They go to the front of the queues of their \
                  hosts. All must be visited or queued already; otherwise none is queued.",
};

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let urls = context.body_urls()?;
    let unknown = context.crawl()?.revisit(&urls)?;
    if let Some(url) = unknown.first() {
        let message = format!("{url} is neither visited nor queued; add it with POST /crawl/seeds");
        return Err(ApiError::without_place("urls", ErrorCode::BadValue, message));
    }
    context.render_done(&format!("Queued for another visit: {}.", urls.len()))
}
