//! The server: connections in, responses out, and a clean end.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use http::Method;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::auth::PasswordError;
use super::door::{Door, Request};
use super::{ApiError, ApiState, reply};

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "cannot listen on {address}: {cause}; set api.listen or --listen to a free address of this machine"
    )]
    Bind { address: SocketAddr, cause: std::io::Error },
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Takes the address that the server is to listen on. Port 0 takes any free one.
///
/// # Errors
/// [`ServeError::Bind`] when it is not to be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|cause| ServeError::Bind { address, cause })
}

/// Answers requests until `shutdown` is there, then finishes those begun, for as long as one may take.
///
/// # Errors
/// [`ServeError::Password`] when the system has no randomness to give.
pub async fn serve(
    state: ApiState,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let patience = state.config.deadline.0;
    let door = Arc::new(Door::new(state)?);
    let (ending, ended) = oneshot::channel();
    let running = warp::serve(filter(door)).incoming(listener).graceful(async move {
        shutdown.await;
        let _ = ending.send(());
    });
    let too_long = async move {
        match ended.await {
            Ok(()) => tokio::time::sleep(patience).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = running.run() => {}
        () = too_long => tracing::warn!("some connections did not end in time; they were cut"),
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
        .and(warp::addr::remote())
        .and(warp::body::stream())
        .then(
            move |method: Method,
                  path: FullPath,
                  query: String,
                  headers,
                  remote: Option<SocketAddr>,
                  body| {
                let door = Arc::clone(&door);
                async move {
                    let address = remote.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |remote| remote.ip());
                    let request =
                        Request { method: &method, path: path.as_str(), query: &query, headers: &headers };
                    let start = Instant::now();
                    let response = door.answer(&request, address, body).await.unwrap_or_else(|error| {
                        if let ApiError::Internal(cause) = &error {
                            tracing::error!(%method, path = path.as_str(), cause, "a request failed");
                        }
                        reply::refusal(&error).into_response()
                    });
                    door.count(path.as_str(), response.status().as_u16(), start.elapsed());
                    response
                }
            },
        )
}
