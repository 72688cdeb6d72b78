//! The server: opens the listener, serves requests, and shuts down cleanly.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::Stream;
use http::HeaderName;
use http::header::WWW_AUTHENTICATE;
use tokio::net::TcpListener;
use warp::reply::Response;
use warp::{Buf, Filter, Reply};

use super::api_service::ApiService;
use super::auth::PasswordError;
use super::connection::{self, AllowedHosts, ConnectionContext, Connections, RequestHead};
use crate::api::mcp::{ToolSettings, http_transport};
use crate::api::reply::error_response;
use crate::api::routes::MCP_PATH;
use crate::api::{ApiError, ApiState, AuthPolicy};

/// The web page sends this header. Its 401 responses have no challenge, so that the browser opens no dialog of its
/// own.
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "cannot listen on {address}: {cause}; set api.listen or --listen to a free address of this machine"
    )]
    Bind { address: SocketAddr, cause: std::io::Error },
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("the threads of the API cannot be started: {0}")]
    Threads(std::io::Error),
    #[error("the web page cannot be compressed: {0}")]
    Page(std::io::Error),
    #[error("the system provides no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// Binds the listen address. Port 0 binds any free port.
///
/// # Errors
/// [`ServeError::Bind`] when the address is not available.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|cause| ServeError::Bind { address, cause })
}

/// Serves requests until `shutdown` completes. Then connections without a complete request are closed, and pending
/// responses get `api.drain` to finish.
///
/// # Errors
/// [`ServeError`] when the system provides no randomness or no threads.
pub async fn serve(
    state: ApiState,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let config = state.config.clone();
    let hosts = match state.auth {
        AuthPolicy::Users => AllowedHosts::with_authentication(&config.hosts),
        AuthPolicy::Open => AllowedHosts::for_open_api(&config.hosts),
    };
    let connections = Connections::new(&config);
    let tools =
        Arc::new(ToolSettings::new(&state.settings, state.rules.clone(), Arc::clone(&state.suffixes)));
    let service = Arc::new(ApiService::new(state, connections.clone())?);
    let counting = Arc::clone(&service);
    let count = Box::new(move |path: &str, status, took| counting.count_request(path, status, took));
    let api = warp::service(filter(service, tools));
    connection::serve(listener, ConnectionContext { api, hosts, config, connections, count }, shutdown).await;
    Ok(())
}

/// One filter for all requests. [`ApiService::handle`] decides about each of them.
fn filter(
    service: Arc<ApiService>,
    tools: Arc<ToolSettings>,
) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone {
    warp::ext::get::<Arc<RequestHead>>().and(warp::body::stream()).then(
        move |head: Arc<RequestHead>, body| {
            let (service, tools) = (Arc::clone(&service), Arc::clone(&tools));
            async move { respond(&service, &tools, &head, body).await }
        },
    )
}

/// Returns the response to a request, also to one that is refused.
async fn respond<B: Buf>(
    service: &Arc<ApiService>,
    tools: &Arc<ToolSettings>,
    head: &RequestHead,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Response {
    let mut response = match service.allowed_origins().preflight(head) {
        Some(response) => response,
        None => handle(service, tools, head, body).await.unwrap_or_else(|error| {
            if let ApiError::Internal(cause) = &error {
                tracing::error!(method = %head.method, path = head.path(), cause, "a request failed");
            }
            error_response::of(&error).into_response()
        }),
    };
    let headers = response.headers_mut();
    if head.headers.get(X_REQUESTED_WITH).is_some_and(|value| value == env!("CARGO_PKG_NAME")) {
        headers.remove(WWW_AUTHENTICATE);
    }
    service.allowed_origins().write_headers(&head.headers, headers);
    response
}

async fn handle<B: Buf>(
    service: &Arc<ApiService>,
    tools: &Arc<ToolSettings>,
    head: &RequestHead,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    if head.path() == MCP_PATH {
        // The future is large, and few requests need it.
        return Box::pin(http_transport::respond(service, tools, head, body)).await;
    }
    service.handle(head, body).await
}
