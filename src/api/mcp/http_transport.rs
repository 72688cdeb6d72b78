//! `/mcp`: the tools over HTTP (MCP, Streamable HTTP transport).
//!
//! Each POST is a request by itself, answered in JSON. There are no sessions and no streams, so a client holds nothing
//! while it is silent. A request passes the same checks as one to any other endpoint: origin, credentials, rate, role and
//! size. The call of a tool then waits for a query slot like a query.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use warp::Buf;

use super::local_client::LocalClient;
use super::server::{ToolServer, ToolSettings};
use crate::api::ApiError;
use crate::api::http::api_service::ApiService;
use crate::api::http::connection::RequestHead;
use crate::api::http::negotiation::Format;
use crate::api::reply::headers::NO_STORE;
use crate::api::routes::MCP_PATH;

/// Returns the response to a request to `/mcp`.
///
/// # Errors
/// The reason why the request is refused before it reaches a tool.
pub(in crate::api) async fn respond<B: Buf>(
    service: &Arc<ApiService>,
    settings: &Arc<ToolSettings>,
    head: &RequestHead,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<warp::reply::Response, ApiError> {
    let identity = service.admit(head).await?;
    if head.method != Method::POST {
        head.exchange.mark_request_read();
        return Err(ApiError::MethodNotAllowed {
            path: MCP_PATH.to_owned(),
            method: head.method.to_string(),
            allow: "POST".to_owned(),
        });
    }
    let client = identity.client();
    let (body, _memory) = service.read_whole_body(head, body, &client).await?;
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    let server =
        ToolServer::new(LocalClient { service: Arc::clone(service), identity }, Arc::clone(settings));
    // Hosts and origins were checked before.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(service.max_body_bytes());
    let transport = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let (parts, body) = transport.handle(request).await.into_parts();
    // The error type of this body has no value.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    service.hold(in_json(Response::from_parts(parts, body)), &client)
}

/// Makes an error of the transport JSON, as all errors are. Its text is a sentence about the headers of the request.
fn in_json(mut response: Response<Bytes>) -> Response<Bytes> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let json_type = Format::Json.content_type();
    if is_error && response.headers().get(CONTENT_TYPE) != Some(&json_type) {
        let sentence = match status {
            StatusCode::NOT_ACCEPTABLE => "Accept must name application/json and text/event-stream".into(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "Content-Type must be application/json".into(),
            _ => String::from_utf8_lossy(response.body()).into_owned(),
        };
        let body = json!({ "status": status.as_u16(), "error": sentence }).to_string();
        *response.body_mut() = body.into();
        response.headers_mut().insert(CONTENT_TYPE, json_type);
    }
    response.headers_mut().extend([NO_STORE]);
    response
}
