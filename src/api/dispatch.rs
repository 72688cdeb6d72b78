//! The dispatch: passes a request to the handler of its endpoint.

use crate::api::http::body_writer::BodyWriter;
use crate::api::{ApiError, ExportKind, Handler, ListRequest, RequestContext};
use crate::query::Listing;
use crate::query::export::{BacklinkRow, PageRow};

impl RequestContext<'_> {
    /// Writes the reply.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for unusable parameters, and the errors of the query.
    pub fn write_response(&self, writer: &mut BodyWriter<'_>) -> Result<(), ApiError> {
        match self.endpoint.handler {
            Handler::List(listing) | Handler::CompleteList(listing) => {
                self.write_list(&ListRequest::from_parameters(self, listing)?, writer)
            }
            Handler::CustomList { build_request, .. } | Handler::CustomCompleteList { build_request, .. } => {
                self.write_list(&build_request(self)?, writer)
            }
            Handler::Distribution { listing, incoming } => {
                let listing = self.listing_by_direction(listing, incoming)?;
                writer.set_json(self.render_distribution(listing)?, false);
                Ok(())
            }
            Handler::Export(ExportKind::Backlinks) => self.write_export::<BacklinkRow>(writer),
            Handler::Export(ExportKind::Pages) => self.write_export::<PageRow>(writer),
            Handler::Graph(build) => {
                let (graph, provenance) = build(self)?;
                self.write_graph(&graph, &provenance, writer)
            }
            Handler::Probe | Handler::Session => {
                Err(ApiError::Internal(format!("{} is not answered here", self.endpoint.title())))
            }
            Handler::Custom(render) => {
                // At `/`, `Accept` chooses between JSON and the web page.
                writer.set_json(render(self)?, self.endpoint.name.is_empty());
                Ok(())
            }
        }
    }

    /// Returns the listing that `direction` asks for.
    fn listing_by_direction(
        &self,
        outgoing: &'static Listing,
        incoming: Option<&'static Listing>,
    ) -> Result<&'static Listing, ApiError> {
        let Some(incoming) = incoming else { return Ok(outgoing) };
        let words = [("out", outgoing), ("in", incoming)];
        Ok(self.params.one_of("direction", &words)?.unwrap_or(outgoing))
    }
}
