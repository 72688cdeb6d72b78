//! The tools over standard input and output, for clients that start the program themselves.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;

use super::client::ApiClient;
use super::local_client::LocalClient;
use super::server::{ToolServer, ToolSettings};
use crate::api::http::api_service::ApiService;
use crate::api::http::auth::Identity;
use crate::api::http::connection::Connections;
use crate::api::{ApiState, ServeError};

/// Why the tools cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ToolServerError {
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the client on standard input speaks no MCP: {0}")]
    Client(Box<ServerInitializeError>),
    #[error("the server stopped: {0}")]
    Stopped(tokio::task::JoinError),
}

/// Serves the tools from a state until standard input ends. The caller that starts the process may read the index.
///
/// # Errors
/// [`ToolServerError`].
pub async fn serve_tools(state: ApiState) -> Result<(), ToolServerError> {
    let settings = ToolSettings::new(&state.settings, state.rules.clone(), Arc::clone(&state.suffixes));
    let connections = Connections::new(&state.config);
    let service = Arc::new(ApiService::new(state, connections)?);
    let identity = Identity::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    serve_tools_through(LocalClient { service, identity }, settings).await
}

/// Serves the tools through a client of the API until standard input ends.
///
/// # Errors
/// [`ToolServerError`].
pub async fn serve_tools_through<C: ApiClient>(
    client: C,
    settings: ToolSettings,
) -> Result<(), ToolServerError> {
    let server = ToolServer::new(client, Arc::new(settings));
    let running = match server.serve(rmcp::transport::stdio()).await {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(ToolServerError::Client(Box::new(error))),
    };
    running.waiting().await.map(drop).map_err(ToolServerError::Stopped)
}
