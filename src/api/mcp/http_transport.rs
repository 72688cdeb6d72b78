//! `/mcp`: the tools over HTTP (MCP, Streamable HTTP transport).
//!
//! Each POST is a request by itself, answered in JSON. There are no sessions and no streams, so a client holds nothing
//! while it is silent. A request passes the same checks as one to any other endpoint: origin, credentials, rate, role and
//! size. The call of a tool then waits for a query slot like a query.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use warp::Buf;

use super::local_client::LocalClient;
use super::server::{ToolServer, ToolSettings};
use crate::api::ApiError;
use crate::api::http::api_service::ApiService;
use crate::api::http::auth::is_same_origin;
use crate::api::http::connection::RequestHead;
use crate::api::http::cross_origin::AllowedOrigins;
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
    if !names_no_other_site(&head.headers, service.allowed_origins()) {
        return Err(ApiError::Forbidden(
            "Origin names another site; add it to api.allow_origins, or send no Origin".to_owned(),
        ));
    }
    if let Err(fault) = check_message(&body) {
        return service.hold(fault.into_response(), &client);
    }
    let max_bytes = service.max_body_bytes();
    let server =
        ToolServer::new(LocalClient { service: Arc::clone(service), identity }, Arc::clone(settings));
    service.hold(exchange(server, head, body, max_bytes).await, &client)
}

/// Sends a message to the server, and returns its response.
async fn exchange(
    server: ToolServer<LocalClient>,
    head: &RequestHead,
    body: Vec<u8>,
    max_bytes: usize,
) -> Response<Bytes> {
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    // Hosts and origins were checked before.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(max_bytes);
    let transport = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let (parts, body) = transport.handle(request).await.into_parts();
    // The error type of this body has no value.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    in_json(Response::from_parts(parts, body))
}

/// A message that is no request of JSON-RPC 2.0: its code (section 5.1) and a sentence.
#[derive(Debug, PartialEq, Eq)]
struct MessageFault(i32, String);

impl MessageFault {
    fn into_response(self) -> Response<Bytes> {
        let Self(code, message) = self;
        let body = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } });
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response.headers_mut().insert(CONTENT_TYPE, Format::Json.content_type());
        response.headers_mut().extend([NO_STORE]);
        response
    }
}

/// Checks what the library reports as a wrong media type or an unknown method.
fn check_message(body: &[u8]) -> Result<(), MessageFault> {
    const PARSE_ERROR: i32 = -32_700;
    const INVALID_REQUEST: i32 = -32_600;
    const INVALID_PARAMS: i32 = -32_602;
    let message: Value = serde_json::from_slice(body)
        .map_err(|error| MessageFault(PARSE_ERROR, format!("the body is not JSON: {error}")))?;
    let invalid = |text: &str| Err(MessageFault(INVALID_REQUEST, text.to_owned()));
    if message.is_array() {
        return invalid("the body is a batch; send one message at a time");
    }
    if message["jsonrpc"] != "2.0" {
        return invalid("the body is no message of JSON-RPC 2.0; it needs \"jsonrpc\": \"2.0\"");
    }
    if message.get("id").is_some_and(|id| !id.is_string() && !id.is_i64() && !id.is_u64()) {
        return invalid("id must be a text or a whole number");
    }
    let params = &message["params"];
    let is_object = |value: &Value| value.is_null() || value.is_object();
    if message["method"] == "tools/call" && !(params["name"].is_string() && is_object(&params["arguments"])) {
        let text = "params of tools/call must have the name of a tool, and its arguments as an object";
        return Err(MessageFault(INVALID_PARAMS, text.to_owned()));
    }
    Ok(())
}

/// Whether a request has no `Origin`, or that of this server or of an allowed one (MCP, Streamable HTTP transport,
/// security warning).
fn names_no_other_site(headers: &HeaderMap, allowed: &AllowedOrigins) -> bool {
    !headers.contains_key(ORIGIN) || is_same_origin(headers) || allowed.contains_origin_of(headers)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_has_the_code_of_its_fault() {
        for (body, code) in [
            (r#"{"#, -32_700),
            ("\"\u{fffd}", -32_700),
            ("[]", -32_600),
            ("{}", -32_600),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32_600),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32_600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, -32_602),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"gap","arguments":[1]}}"#,
                -32_602,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"gap","arguments":"{}"}}"#,
                -32_602,
            ),
        ] {
            assert_eq!(check_message(body.as_bytes()).map_err(|fault| fault.0), Err(code), "{body}");
        }
        assert_eq!(check_message(b"\xff").map_err(|fault| fault.0), Err(-32_700));
        for body in [
            r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"crawl_status"}}"#,
        ] {
            assert_eq!(check_message(body.as_bytes()), Ok(()), "{body}");
        }
    }
}
