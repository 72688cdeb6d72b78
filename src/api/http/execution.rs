//! Runs an endpoint on a worker thread, and reserves memory for its response.
//! [`RequestContext::write_response`] dispatches on the handler of the endpoint.

use std::sync::Arc;

use super::admission::{ByteReservation, Client, ClientCharge};
use super::body_writer::{BodyWriter, Delivery, StreamedResponse, WholeResponse};
use super::connection::{HeldMemory, MessageMemory};
use super::negotiation::{AcceptedCoding, Format};
use super::representation::Representation;
use crate::api::{ApiError, ApiState, Endpoint, JsonBody, QueryString, RequestContext};
use crate::query::{CancelOnDrop, Deadline};

/// Smaller responses need no reservation: they fit the buffers of their connection.
pub(crate) const MIN_RESERVED_BYTES: usize = 4 << 10;

/// The memory of a part of a body.
pub(crate) type BodyMemory = (ClientCharge, ByteReservation);

/// A request that was read to its end and belongs to an endpoint.
pub(crate) struct EndpointRequest {
    pub endpoint: &'static Endpoint,
    pub params: QueryString,
    /// The body, if the method is POST.
    pub json_body: Option<JsonBody>,
    /// The memory of the body, reserved until the request is dropped.
    pub _body_memory: Vec<BodyMemory>,
    /// The format that `Accept` asks for.
    pub format: Format,
    pub accepted: AcceptedCoding,
}

/// The response of an endpoint, complete or just begun.
pub(crate) enum ComputedResponse {
    Whole { representation: Arc<Representation>, cacheable: bool, held: Option<HeldMemory> },
    Streamed { response: StreamedResponse, cancel_guard: CancelOnDrop },
}

/// Reserves memory for a whole response until its client has read it.
///
/// # Errors
/// [`ApiError::UnreadResponses`] when the client holds too much memory; [`ApiError::Overloaded`].
pub(crate) fn reserve_memory(
    representation: Representation,
    cacheable: bool,
    client: &Client,
    message_memory: &MessageMemory,
) -> Result<ComputedResponse, ApiError> {
    let bytes = representation.len();
    if bytes < MIN_RESERVED_BYTES {
        let representation = Arc::new(representation);
        return Ok(ComputedResponse::Whole { representation, cacheable, held: None });
    }
    let (charge, reservation) = message_memory.reserve_for(client, bytes)?;
    let representation = Arc::new(representation.with_reservation(reservation));
    let memory = Arc::new((charge, Arc::clone(&representation)));
    let held = Some(HeldMemory { bytes, client: client.clone(), memory });
    Ok(ComputedResponse::Whole { representation, cacheable, held })
}

/// Runs the endpoint of a request. Returns `None` when the response was streamed.
///
/// # Errors
/// Those of the endpoint, and the reason why the response cannot be streamed.
pub(crate) fn run_endpoint(
    request: &EndpointRequest,
    state: &ApiState,
    deadline: &Deadline,
    delivery: Delivery,
) -> Result<Option<WholeResponse>, ApiError> {
    let EndpointRequest { endpoint, params, json_body, format, .. } = request;
    let context = RequestContext::new(endpoint, params, json_body.as_ref(), state, deadline, *format)?;
    let mut writer = BodyWriter::new(delivery, deadline);
    if let Err(error) = context.write_response(&mut writer) {
        if let (true, ApiError::Internal(cause)) = (writer.is_streaming(), &error) {
            tracing::error!(endpoint = endpoint.name, cause, "a streamed response failed before its end");
        }
        return Err(writer.take_refusal().unwrap_or(error));
    }
    writer.finish()
}
