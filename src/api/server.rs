//! The server: a request in, a response out, and a clean end.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Method, Response};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use warp::path::FullPath;
use warp::{Buf, Filter};

use super::auth::{Authenticator, PasswordError};
use super::call::Call;
use super::endpoint::Endpoint;
use super::params::shorten;
use super::{ApiError, ApiState, Params, Posted, reply, routes};
use crate::query::Deadline;

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
    let server = Arc::new(Server {
        authenticator: Arc::new(Authenticator::new(&state)?),
        turns: Arc::new(Semaphore::new(state.config.max_concurrent_queries)),
        state: Arc::new(state),
    });
    let (ending, ended) = oneshot::channel();
    let running = warp::serve(filter(server)).incoming(listener).graceful(async move {
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

/// One filter for everything: what a request may do is decided by [`Server::answer`] alone.
fn filter(
    server: Arc<Server>,
) -> impl Filter<Extract = (Response<Vec<u8>>,), Error = warp::Rejection> + Clone {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method: Method, path: FullPath, query: String, headers: HeaderMap, body| {
            let server = Arc::clone(&server);
            async move {
                let answer = server.answer(&method, path.as_str(), &query, &headers, body).await;
                if let Err(ApiError::Internal(cause)) = &answer {
                    tracing::error!(%method, path = path.as_str(), cause, "a request failed");
                }
                reply::response(answer)
            }
        })
}

/// What a request says to its endpoint.
struct Request {
    params: Params,
    posted: Option<Posted>,
}

struct Server {
    state: Arc<ApiState>,
    authenticator: Arc<Authenticator>,
    /// One per query that may be computed now.
    turns: Arc<Semaphore>,
}

impl Server {
    async fn answer<B: Buf>(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Vec<u8>, ApiError> {
        self.authenticator.check(headers).await?;
        let endpoint = routes::find(path).ok_or_else(|| ApiError::NotFound(shorten(path)))?;
        if !endpoint.takes(method) {
            return Err(ApiError::MethodNotAllowed {
                path: path.to_owned(),
                method: method.to_string(),
                allow: endpoint.allow(),
            });
        }
        if query.len() > self.state.config.max_query_bytes {
            return Err(ApiError::QueryTooLong(self.state.config.max_query_bytes));
        }
        let deadline = Deadline::after(self.state.config.deadline.0);
        let reading = read(body, self.state.config.max_body_bytes);
        let body = tokio::time::timeout(deadline.left(), reading).await.map_err(|_| ApiError::Deadline)??;
        let request = Request {
            params: Params::parse(query)?,
            posted: (method == Method::POST).then(|| Posted::new(headers, body)),
        };
        self.compute(endpoint, request, deadline).await
    }

    /// Computes the answer on a blocking thread, when it is its turn. A client that goes away takes its query along.
    async fn compute(
        &self,
        endpoint: &'static Endpoint,
        request: Request,
        deadline: Deadline,
    ) -> Result<Vec<u8>, ApiError> {
        let waiting = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(deadline.left(), waiting)
            .await
            .map_err(|_| ApiError::Deadline)?
            .map_err(|error| ApiError::Internal(error.to_string()))?;
        let _wanted = deadline.cancel_on_drop();
        let state = Arc::clone(&self.state);
        let work = move || {
            let _turn = turn;
            let Request { params, posted } = &request;
            Call { endpoint, params, posted: posted.as_ref(), state: &state, deadline: &deadline }.answer()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Internal(error.to_string()))?
    }
}

/// Reads a body to its end, wanted or not, so that the connection can be used again; refuses one that is too large.
async fn read<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    most: usize,
) -> Result<Vec<u8>, ApiError> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        let mut part =
            part.map_err(|_| ApiError::BadRequest("the body broke off; send it whole".to_owned()))?;
        if part.remaining() > most - bytes.len() {
            return Err(ApiError::BodyTooLarge(most));
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            bytes.extend_from_slice(chunk);
            part.advance(chunk.len());
        }
    }
    Ok(bytes)
}
