//! Requests of a connection: what can be refused before the API looks at them, and panics that go no further.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::Instant;

use http::header::HOST;
use http::{HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tower_service::Service;
use warp::Reply;

use super::activity::Begun;
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
    all: Arc<Requests<S>>,
    peer: SocketAddr,
    activity: Arc<Activity>,
    /// A host that may be asked for.
    known_host: Mutex<Option<HeaderValue>>,
}

impl<S> ConnectionRequests<S> {
    pub fn new(all: &Arc<Requests<S>>, peer: SocketAddr, activity: &Arc<Activity>) -> Self {
        let (all, activity) = (Arc::clone(all), Arc::clone(activity));
        Self { all, peer, activity, known_host: Mutex::default() }
    }
}

/// What warp answers with; its name is its own.
pub trait HasBody {
    type Body;
}

impl<B> HasBody for Response<B> {
    type Body = B;
}

type Answer = Response<AnswerBody<<warp::reply::Response as HasBody>::Body>>;

pin_project_lite::pin_project! {
    /// A request on its way to its answer.
    pub struct Answering<F, S> {
        #[pin]
        api: Option<F>,
        refused: Option<ApiError>,
        exchange: Option<Begun>,
        all: Arc<Requests<S>>,
        method: Method,
        uri: Uri,
        begun: Instant,
        has_end: bool,
    }
}

impl<S> hyper::service::Service<Request<Incoming>> for ConnectionRequests<S>
where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Answering<S::Future, S>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let (all, exchange, begun) = (Arc::clone(&self.all), self.activity.begin(), Instant::now());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let refused = self.refuse(&request).err();
        let api = refused.is_none().then(|| {
            let config = &all.config;
            let (trusted, written) = (&config.trusted_proxies, config.forwarded_header);
            let address = client_address(self.peer.ip(), request.headers(), trusted, written);
            request.extensions_mut().insert(Context { address, exchange: Arc::clone(&exchange) });
            all.api.clone().call(request)
        });
        Answering { api, refused, exchange: Some(exchange), all, method, uri, begun, has_end: false }
    }
}

impl<F, S> Future for Answering<F, S>
where
    F: Future<Output = Result<warp::reply::Response, Infallible>>,
{
    type Output = Result<Answer, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !std::mem::replace(this.has_end, true)
            && let Some(exchange) = this.exchange
        {
            // Within the task of an HTTP/2 stream, which is not the one that called.
            let _ = END.try_with(|end| exchange.ends_by(Arc::clone(end)));
        }
        let refuse = |error: &ApiError| {
            let response = reply::refusal(error).into_response();
            (this.all.count)(this.uri.path(), response.status().as_u16(), this.begun.elapsed());
            response
        };
        let mut response = match this.api.as_pin_mut() {
            None => refuse(&this.refused.take().unwrap_or(ApiError::Overloaded)),
            Some(api) => match catch_unwind(AssertUnwindSafe(|| api.poll(context))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Ok(response))) => response,
                Ok(Poll::Ready(Err(never))) => match never {},
                Err(_) => {
                    this.all.connections.count(Cut::Panic);
                    let path = this.uri.path();
                    tracing::error!(method = %this.method, path, "a request failed: this program panicked");
                    refuse(&ApiError::Internal(String::new()))
                }
            },
        };
        let holds: Option<Holds> = response.extensions_mut().remove();
        match this.exchange.take() {
            Some(exchange) => Poll::Ready(Ok(response.map(|body| AnswerBody::new(body, exchange, holds)))),
            // Nobody polls a future that has ended.
            None => Poll::Pending,
        }
    }
}

impl<S> ConnectionRequests<S> {
    /// What no endpoint is asked. A host that was named before on the connection need not be looked at again.
    fn refuse(&self, request: &Request<Incoming>) -> Result<(), ApiError> {
        if request.method() == Method::CONNECT {
            return Err(ApiError::MethodNotAllowed {
                path: "this server".to_owned(),
                method: Method::CONNECT.to_string(),
                allow: "GET, HEAD, POST".to_owned(),
            });
        }
        let mut named = request.headers().get_all(HOST).iter();
        let (first, second) = (named.next(), named.next());
        let mut known = self.known_host.lock().unwrap_or_else(PoisonError::into_inner);
        let is_plain = request.uri().authority().is_none() && second.is_none();
        if is_plain && known.is_some() && known.as_ref() == first {
            return Ok(());
        }
        self.all.hosts.check(request.version(), request.uri(), request.headers())?;
        if is_plain {
            *known = first.cloned();
        }
        Ok(())
    }
}
