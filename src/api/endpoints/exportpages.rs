//! `/exportpages`: every page of a scope that ever answered, with its links, in key order.

use crate::api::{Docs, Endpoint, ExportKind, Handler, Topic, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("exportpages", DOCS, &[Verb::Get], Handler::Export(ExportKind::Pages));

const DOCS: Docs = Docs {
    topic: Topic::Pages,
    summary: "Export of all fetched pages with their links",
    description: "Contains all fetched pages of the scope, redirects and errors too, with the links on them. `info` \
                  has what the last visit found. `next` continues the export. `count` counts the rows of this chunk.",
};
