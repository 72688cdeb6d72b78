//! `/outgoinglinkcount`: how many links the pages of a scope have, by kind.

use std::cmp::Ordering;

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, JsonReply, RequestContext, Topic, Verb};
use crate::query::{LinkCounts, OrderKey, parse_order};

pub static ENDPOINT: Endpoint =
    Endpoint::new("outgoinglinkcount", DOCS, &[Verb::Get], Handler::Custom(render))
        .with_parameters(&[URL, SCOPE, INTERNAL, ORDER, LIMIT, OFFSET])
        .with_reply(ReplySchema::CountedRows(Schema::Object(&[
            ("avg", Schema::Count),
            ("pages", Schema::Count),
            ("linktype", Schema::Words(&["all", "extLinks", "intLinks"])),
            ("frequency", Schema::Count),
        ])));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Number of links on the pages of a scope",
    description: "Counts the external, the internal and all active links on the pages of the scope. `pages` counts \
                  the pages that were fetched as HTML. `avg` is the number of links for each of them, rounded down.",
};

/// `avg` is links per HTML page, rounded down.
#[derive(Clone, Copy, Serialize)]
struct Row {
    avg: u64,
    pages: u64,
    linktype: &'static str,
    frequency: u64,
}

impl Row {
    fn compare(&self, other: &Self, key: &OrderKey) -> Ordering {
        let order = match key.column {
            "frequency" => self.frequency.cmp(&other.frequency),
            _ => self.linktype.cmp(other.linktype),
        };
        if key.descending { order.reverse() } else { order }
    }
}

fn render(context: &RequestContext<'_>) -> Result<JsonReply, ApiError> {
    let window = context.params.window(&context.state.config)?;
    let (order, warnings) =
        parse_order(context.params.list("order")?.into_iter(), &["frequency", "linktype"]);
    let (LinkCounts { pages, external, internal }, provenance) = context.link_counts()?;
    let provenance = context.explain_empty(external + internal == 0, provenance)?;
    let kinds = [("all", external + internal), ("extLinks", external), ("intLinks", internal)];
    let mut response = kinds.map(|(linktype, frequency)| {
        let avg = frequency.checked_div(pages).unwrap_or(0);
        Row { avg, pages, linktype, frequency }
    });
    // The rows are in the order of their type, which decides ties.
    response.sort_by(|a, b| {
        order.iter().fold(Ordering::Equal, |so_far, key| so_far.then_with(|| a.compare(b, key)))
    });
    let shown: Vec<Row> = response.into_iter().skip(window.offset).take(window.limit).collect();
    context.render_counted_rows(&shown, kinds.len(), &warnings, &provenance)
}
