//! The server: connections in, responses out, and a clean end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::Method;
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::auth::PasswordError;
use super::connection::{self, Connections, Context, Ending, Hosts, Requests};
use super::door::{Door, Request};
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
    let config = Arc::new(state.config.clone());
    let hosts = Arc::new(match state.auth {
        AuthPolicy::Users => Hosts::of_users(&config.hosts),
        AuthPolicy::Open => Hosts::of_everybody(&config.hosts),
    });
    let connections = Connections::new(&config);
    let door = Arc::new(Door::new(state, connections.clone())?);
    let counting = Arc::clone(&door);
    let requests = Requests {
        api: warp::service(filter(door)),
        hosts,
        config: Arc::clone(&config),
        connections,
        count: Arc::new(move |path, status, took| counting.count(path, status, took)),
    };
    let (end, ending) = watch::channel(Ending::Not);
    let mut serving = std::pin::pin!(connection::serve(listener, requests, ending));
    tokio::select! {
        () = &mut serving => return Ok(()),
        () = shutdown => end.send_replace(Ending::Draining),
    };
    if tokio::time::timeout(config.drain.0, serving).await.is_err() {
        tracing::warn!("answers under way were cut off after api.drain");
    }
    Ok(())
}

/// One filter for everything: what a request may do is decided by [`Door::answer`] alone.
fn filter(door: Arc<Door>) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Context>())
        .and(warp::body::stream())
        .then(move |method: Method, path: FullPath, query: String, headers, context: Context, body| {
            let door = Arc::clone(&door);
            async move {
                let request =
                    Request { method: &method, path: path.as_str(), query: &query, headers: &headers };
                let start = Instant::now();
                let response = door.answer(&request, &context, body).await.unwrap_or_else(|error| {
                    if let ApiError::Internal(cause) = &error {
                        tracing::error!(%method, path = path.as_str(), cause, "a request failed");
                    }
                    reply::refusal(&error).into_response()
                });
                door.count(path.as_str(), response.status().as_u16(), start.elapsed());
                response
            }
        })
}
