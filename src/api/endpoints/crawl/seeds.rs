//! `/crawl/seeds`: the seeds of the index. GET lists them, as `backlinkd seeds list` does; POST adds some, as `seeds add`
//! does.
//!
//! A seed that is added is visited at once, also if the URL was visited before. One that is listed already is
//! `unchanged`, and is not visited for that. Seeds of a file that the daemon was started with are not in the list.

use super::controls::{LIST_CHANGED, URLS_BODY};
use super::lists::{LISTED, PARAMETERS, render_list};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::policy::parse_seed_line;
use crate::store::{Role, SEEDS_FILE};

pub static ENDPOINT: Endpoint =
    Endpoint::new("crawl/seeds", DOCS, &[Verb::Get, Verb::Post], Handler::Custom(render))
        .with_parameters(PARAMETERS)
        .with_reply(LISTED)
        .with_body(URLS_BODY)
        .needs(Role::Operate)
        .accepts(LIST_CHANGED);

const DOCS: Docs = Docs {
    topic: Topic::Crawl,
    summary: "Seeds of the index",
    description: "GET lists the seeds. POST adds some, and they are visited at once. A seed that is listed \
                  already is unchanged. Seeds of a file that the daemon was started with are not in the \
                  list.",
};

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    if context.json_body.is_none() {
        let rules = &context.state.rules;
        return render_list(context, SEEDS_FILE, |line| {
            let seed = parse_seed_line(line, rules).map_err(|error| error.to_string())?;
            Ok(seed.map(|seed| seed.to_string()))
        });
    }
    let seeds = context.body_urls()?;
    let effect = context.crawl()?.add_seeds(&seeds)?;
    context.render_list_change(&format!("Seeds added: {}.", effect.changed.len()), &effect)
}
