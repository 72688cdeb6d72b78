//! The requests of tools for agents: they come from within the process, for a client that is accepted already.

use std::sync::Arc;

use http::Method;
use warp::Reply;
use warp::reply::Response;

use super::{ApiService, with_held_memory};
use crate::api::http::admission::Client;
use crate::api::http::auth::Identity;
use crate::api::http::connection::HeldMemory;
use crate::api::http::execution::{ComputedResponse, EndpointRequest, MIN_RESERVED_BYTES};
use crate::api::http::negotiation::{AcceptedCoding, Format};
use crate::api::http::representation::Representation;
use crate::api::http::response_cache::CacheKey;
use crate::api::{ApiError, QueryString};
use crate::query::Deadline;

impl ApiService {
    /// Returns the response to a GET request that an accepted client sends from within this process.
    ///
    /// # Errors
    /// The reason why the request is refused, or why it failed.
    pub(crate) async fn answer(
        &self,
        path: &str,
        query: &str,
        identity: &Identity,
    ) -> Result<Arc<Representation>, ApiError> {
        let endpoint = self.requested_endpoint(path, query, &Method::GET)?;
        identity.check_role(endpoint.role_for(&Method::GET))?;
        let (format, accepted) = (Format::Json, AcceptedCoding::NONE);
        let key = CacheKey { path: path.into(), query: query.into(), format, accepted };
        let change_number = self.state.store.change_number();
        if let Some(representation) = self.cached(&key, change_number).await? {
            return Ok(representation);
        }
        let deadline = Deadline::after(self.state.config.deadline.0);
        let params = QueryString::parse(query)?;
        let request =
            EndpointRequest { endpoint, params, json_body: None, _body_memory: Vec::new(), format, accepted };
        match self.compute(request, deadline, identity).await? {
            ComputedResponse::Whole { representation, cacheable, .. } => {
                if cacheable {
                    self.response_cache.put(key, change_number, Arc::clone(&representation));
                }
                Ok(representation)
            }
            ComputedResponse::Streamed { .. } => Err(ApiError::Internal(format!("{path} is a stream"))),
        }
    }

    /// Returns a response whose memory is reserved until its client has read it.
    ///
    /// # Errors
    /// [`ApiError::UnreadResponses`] when the client holds too much memory; [`ApiError::Overloaded`].
    pub(crate) fn hold(
        &self,
        response: http::Response<bytes::Bytes>,
        client: &Client,
    ) -> Result<Response, ApiError> {
        let bytes = response.body().len();
        if bytes < MIN_RESERVED_BYTES {
            return Ok(response.into_response());
        }
        let memory = Arc::new(self.message_memory.try_reserve_for(client, bytes)?);
        let held = HeldMemory { bytes, client: client.clone(), memory };
        Ok(with_held_memory(response.into_response(), Some(held)))
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        self.state.config.max_body_bytes
    }
}
