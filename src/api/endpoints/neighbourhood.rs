//! `/neighbourhood`: a scope, the strongest registrable domains that link to it, and the links among them, as a graph.
//!
//! The first node is the scope itself, the centre. The others are referring domains: those of the highest rank, of equals
//! those with most links to the scope, then by name. Links within one registrable domain are left out, independently of
//! `internal`. So the domain of the scope is no neighbour, and no node links to itself.
//!
//! `links` of a node counts its links to the scope, as `referringdomains` does; the centre has the number of all links
//! from outside. Edges between other nodes count the links from domain to domain. Edges of the centre count the links
//! from and to the scope alone. `new` is true if the first link of the domain was first seen after the day `since`, even
//! if that link is lost. `ccode` is that of `referringdomains`.

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::reply::emptiness::name_of;
use crate::api::request::parameter::{GRAPH_FORMAT, INTERNAL, NODES, SCOPE, SINCE, URL};
use crate::api::{ApiError, Docs, Endpoint, Handler, Provenance, RequestContext, Topic, Verb};
use crate::query::Neighbourhood;

pub static ENDPOINT: Endpoint = Endpoint::new("neighbourhood", DOCS, &[Verb::Get], Handler::Graph(build))
    .with_parameters(&[URL, SCOPE, INTERNAL, NODES, SINCE, GRAPH_FORMAT])
    .with_reply(ReplySchema::Object(&[
        ("nodes", Schema::List(&NODE)),
        (
            "edges",
            Schema::List(&Schema::Object(&[
                ("from", Schema::Text),
                ("to", Schema::Text),
                ("links", Schema::Count),
            ])),
        ),
        ("refdoms", Schema::Count),
    ]));

const DOCS: Docs = Docs {
    topic: Topic::Domains,
    summary: "Graph of a scope and its strongest referring domains",
    description: "Contains the scope, the referring domains of the highest rank, and the active links among them. \
                  `links` of a node counts its links to the scope; the centre has the number of all links from \
                  outside. `new` is true if no link of the domain was seen up to the day `since`. `refdoms` counts \
                  all domains that link to the scope from outside, shown or not. Links within one registrable \
                  domain never count.",
};

const NODE: Schema = Schema::Object(&[
    ("id", Schema::Text),
    ("sr", Schema::Hundredths),
    ("links", Schema::Count),
    ("ccode", Schema::Text),
    ("new", Schema::Flag),
    ("centre", Schema::Flag),
]);

fn build(context: &RequestContext<'_>) -> Result<(Neighbourhood, Provenance), ApiError> {
    let nodes = context.params.nodes(&context.state.config)?;
    let (since, provenance) = context.since()?;
    let centre = name_of(&context.selection()?.scope);
    let (graph, of_graph) = context.run_query(|scan| scan.neighbourhood(&centre, nodes, since))?;
    let provenance = context.explain_empty(graph.refdoms == 0, provenance.and(of_graph))?;
    Ok((graph, provenance))
}
