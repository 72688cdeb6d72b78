//! The server: connections in, responses out, and a clean end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::auth::PasswordError;
use super::connection::{self, Connections, Head, Hosts, Requests};
use super::door::Door;
use super::{ApiError, ApiState, AuthPolicy, reply};

/// Why the server does not run.
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
}

/// Takes the address that the server is to listen on. Port 0 takes any free one.
///
/// # Errors
/// [`ServeError::Bind`] when it is not to be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|cause| ServeError::Bind { address, cause })
}

/// Answers requests until `shutdown` is there. Connections without a whole request are closed then, and answers that have
/// begun are given `api.drain`.
///
/// # Errors
/// [`ServeError`] when the system has no randomness or no threads to give.
pub async fn serve(
    state: ApiState,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let config = state.config.clone();
    let hosts = match state.auth {
        AuthPolicy::Users => Hosts::of_users(&config.hosts),
        AuthPolicy::Open => Hosts::of_everybody(&config.hosts),
    };
    let connections = Connections::new(&config);
    let door = Arc::new(Door::new(state, connections.clone())?);
    let counting = Arc::clone(&door);
    let count = Box::new(move |path: &str, status, took| counting.count(path, status, took));
    let api = warp::service(filter(door));
    connection::serve(listener, Requests { api, hosts, config, connections, count }, shutdown).await;
    Ok(())
}

/// One filter for everything: what a request may do is decided by [`Door::answer`] alone.
fn filter(door: Arc<Door>) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone {
    warp::ext::get::<Arc<Head>>().and(warp::body::stream()).then(move |head: Arc<Head>, body| {
        let door = Arc::clone(&door);
        async move {
            door.answer(&head, body).await.unwrap_or_else(|error| {
                if let ApiError::Internal(cause) = &error {
                    tracing::error!(method = %head.method, path = head.path(), cause, "a request failed");
                }
                reply::refusal(&error).into_response()
            })
        }
    })
}
