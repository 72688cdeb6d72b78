//! `/exportbacklinks`: every external link into a scope, active or not, in key order.

use crate::api::{Docs, Endpoint, ExportKind, Handler, Topic, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("exportbacklinks", DOCS, &[Verb::Get], Handler::Export(ExportKind::Backlinks));

const DOCS: Docs = Docs {
    topic: Topic::Links,
    summary: "Export of all links into a scope",
    description: "Contains all external links into the scope, active and lost, in the order of their keys. `next` \
                  continues the export. A link that exists all the time appears exactly once, also while pages are \
                  crawled.",
};
