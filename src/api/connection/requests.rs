//! Requests of a connection: what can be refused before the API looks at them, and panics that go no further.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tower_service::Service;
use warp::Reply;

use super::{Activity, AnswerBody, Connections, Cut, Exchange, Holds, Hosts, client_address};
use crate::api::{ApiError, reply};
use crate::config::ApiConfig;

tokio::task_local! {
    /// Ends the task in which a request is answered: that of its HTTP/2 stream, or of its connection.
    pub static END: Arc<Notify>;
}

/// What the API is told about a request besides the request itself.
#[derive(Clone)]
pub struct Context {
    /// Of the client, as far as proxies tell.
    pub address: IpAddr,
    pub exchange: Arc<Exchange>,
}

/// Counts a request by path, status and time.
pub type Count = Arc<dyn Fn(&str, u16, std::time::Duration) + Send + Sync>;

/// What all connections share.
#[derive(Clone)]
pub struct Requests<S> {
    /// Answers requests.
    pub api: S,
    pub hosts: Arc<Hosts>,
    pub config: Arc<ApiConfig>,
    pub connections: Connections,
    pub count: Count,
}

/// The requests of one connection.
pub struct ConnectionRequests<S> {
    pub all: Requests<S>,
    pub peer: SocketAddr,
    pub activity: Arc<Activity>,
}

/// What warp answers with; its name is its own.
pub trait HasBody {
    type Body;
}

impl<B> HasBody for Response<B> {
    type Body = B;
}

type Answer = Response<AnswerBody<<warp::reply::Response as HasBody>::Body>>;
type Answering = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

impl<S> hyper::service::Service<Request<Incoming>> for ConnectionRequests<S>
where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, mut request: Request<Incoming>) -> Answering {
        let (all, exchange, begun) = (self.all.clone(), self.activity.begin(), Instant::now());
        let config = &all.config;
        let (trusted, written) = (&config.trusted_proxies, config.forwarded_header);
        let address = client_address(self.peer.ip(), request.headers(), trusted, written);
        let context = Context { address, exchange: Arc::clone(&exchange) };
        Box::pin(async move {
            // Within the task of an HTTP/2 stream, which is not the one that called.
            let _ = END.try_with(|end| exchange.ends_by(Arc::clone(end)));
            let refused = refuse(&request, &all.hosts);
            let mut response = match refused {
                Err(error) => {
                    let response = reply::refusal(&error).into_response();
                    (all.count)(request.uri().path(), response.status().as_u16(), begun.elapsed());
                    response
                }
                Ok(()) => {
                    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                    request.extensions_mut().insert(context);
                    let mut api = all.api.clone();
                    let answering = AssertUnwindSafe(async move { api.call(request).await });
                    match answering.catch_unwind().await {
                        Ok(Ok(response)) => response,
                        Ok(Err(never)) => match never {},
                        Err(_) => {
                            all.connections.count(Cut::Panic);
                            tracing::error!(%method, path, "a request failed: this program panicked");
                            let error = ApiError::Internal(String::new());
                            (all.count)(&path, error.status().as_u16(), begun.elapsed());
                            reply::refusal(&error).into_response()
                        }
                    }
                }
            };
            let holds: Option<Holds> = response.extensions_mut().remove();
            Ok(response.map(|body| AnswerBody::new(body, exchange, holds)))
        })
    }
}

/// What no endpoint is asked.
fn refuse(request: &Request<Incoming>, hosts: &Hosts) -> Result<(), ApiError> {
    if request.method() == Method::CONNECT {
        return Err(ApiError::MethodNotAllowed {
            path: "this server".to_owned(),
            method: Method::CONNECT.to_string(),
            allow: "GET, HEAD, POST".to_owned(),
        });
    }
    hosts.check(request.version(), request.uri(), request.headers())
}
