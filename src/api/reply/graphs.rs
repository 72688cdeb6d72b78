//! Graphs as JSON, GEXF 1.2 (<https://gexf.net/schema.html>) or GraphML 1.0
//! (<http://graphml.graphdrawing.org/specification.html>).

use std::io::{self, Write};

use serde::Serialize;

use super::feed::escape_xml;
use super::headers;
use super::provenance::Provenance;
use crate::api::http::body_writer::BodyWriter;
use crate::api::http::negotiation::Format;
use crate::api::http::representation::ResponseMeta;
use crate::api::{ApiError, RequestContext};
use crate::query::{DomainNode, Neighbourhood};

/// The attributes of a node: the name and its type, which GEXF and GraphML call alike.
const NODE_ATTRIBUTES: [(&str, &str); 5] =
    [("sr", "double"), ("links", "long"), ("ccode", "string"), ("new", "boolean"), ("centre", "boolean")];

/// Edges that are written between two checks of the deadline.
const EDGES_PER_CHECK: usize = 1_024;

/// The JSON reply of a graph.
#[derive(Serialize)]
struct GraphReply<'a> {
    #[serde(flatten)]
    graph: &'a Neighbourhood,
    status: u16,
}

impl RequestContext<'_> {
    /// Writes a graph in the format of the request.
    pub(in crate::api) fn write_graph(
        &self,
        graph: &Neighbourhood,
        provenance: &Provenance,
        writer: &mut BodyWriter<'_>,
    ) -> Result<(), ApiError> {
        if self.format == Format::Json {
            let reply = self.render_json(&GraphReply { graph, status: 200 }, &[], provenance)?;
            writer.set_json(reply, false);
            return Ok(());
        }
        let name =
            headers::content_disposition(self.format, self.endpoint.name, self.selection()?.scope.host());
        let warnings = headers::warnings(&self.warnings(&[], provenance));
        let extra_headers = name.into_iter().chain(warnings).collect();
        let meta = ResponseMeta { format: self.format, extra_headers, ..ResponseMeta::json(false) };
        writer.set_meta(meta, provenance);
        if self.format == Format::Gexf {
            self.write_gexf(graph, writer)
        } else {
            self.write_graphml(graph, writer)
        }
    }

    fn write_gexf(&self, graph: &Neighbourhood, out: &mut impl Write) -> Result<(), ApiError> {
        out.write_all(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
              <gexf xmlns=\"http://www.gexf.net/1.2draft\" version=\"1.2\">\n\
              <graph mode=\"static\" defaultedgetype=\"directed\">\n<attributes class=\"node\">\n",
        )?;
        for (name, kind) in NODE_ATTRIBUTES {
            writeln!(out, "<attribute id=\"{name}\" title=\"{name}\" type=\"{kind}\"/>")?;
        }
        out.write_all(b"</attributes>\n<nodes>\n")?;
        for node in &graph.nodes {
            self.deadline.check()?;
            let id = escape_xml(&node.id);
            write!(out, "<node id=\"{id}\" label=\"{id}\"><attvalues>")?;
            for ((name, _), value) in NODE_ATTRIBUTES.iter().zip(attribute_values(node)) {
                write!(out, "<attvalue for=\"{name}\" value=\"{}\"/>", escape_xml(&value))?;
            }
            out.write_all(b"</attvalues></node>\n")?;
        }
        out.write_all(b"</nodes>\n<edges>\n")?;
        self.write_edges(graph, out, |out, at, [from, to], links| {
            writeln!(out, "<edge id=\"{at}\" source=\"{from}\" target=\"{to}\" weight=\"{links}\"/>")
        })?;
        Ok(out.write_all(b"</edges>\n</graph>\n</gexf>\n")?)
    }

    fn write_graphml(&self, graph: &Neighbourhood, out: &mut impl Write) -> Result<(), ApiError> {
        out.write_all(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
              <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
              <key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"long\"/>\n",
        )?;
        for (name, kind) in NODE_ATTRIBUTES {
            writeln!(out, "<key id=\"{name}\" for=\"node\" attr.name=\"{name}\" attr.type=\"{kind}\"/>")?;
        }
        out.write_all(b"<graph edgedefault=\"directed\">\n")?;
        for node in &graph.nodes {
            self.deadline.check()?;
            write!(out, "<node id=\"{}\">", escape_xml(&node.id))?;
            for ((name, _), value) in NODE_ATTRIBUTES.iter().zip(attribute_values(node)) {
                write!(out, "<data key=\"{name}\">{}</data>", escape_xml(&value))?;
            }
            out.write_all(b"</node>\n")?;
        }
        self.write_edges(graph, out, |out, _, [from, to], links| {
            writeln!(
                out,
                "<edge source=\"{from}\" target=\"{to}\"><data key=\"weight\">{links}</data></edge>"
            )
        })?;
        Ok(out.write_all(b"</graph>\n</graphml>\n")?)
    }

    /// Passes the number, the escaped ends and the links of each edge to `write`.
    fn write_edges<W: Write>(
        &self,
        graph: &Neighbourhood,
        out: &mut W,
        write: impl Fn(&mut W, usize, [&str; 2], u64) -> io::Result<()>,
    ) -> Result<(), ApiError> {
        for (at, edge) in graph.edges.iter().enumerate() {
            if at.is_multiple_of(EDGES_PER_CHECK) {
                self.deadline.check()?;
            }
            write(out, at, [&escape_xml(&edge.from), &escape_xml(&edge.to)], edge.links)?;
        }
        Ok(())
    }
}

/// The values of [`NODE_ATTRIBUTES`], in their order.
fn attribute_values(node: &DomainNode) -> [String; NODE_ATTRIBUTES.len()] {
    [
        node.sr.to_string(),
        node.links.to_string(),
        node.ccode.to_string(),
        node.new.to_string(),
        node.centre.to_string(),
    ]
}
