//! Requests of a connection: what can be refused before the API looks at them, and panics that go no further.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tower_service::Service;
use warp::Reply;

use super::activity::Begun;
use super::{Activity, AnswerBody, Connections, Cut, Exchange, Holds, Hosts, client_address};
use crate::api::{ApiError, reply};
use crate::config::ApiConfig;

tokio::task_local! {
    /// Ends the task of an HTTP/2 stream, in which one request is answered.
    pub static END: Arc<Notify>;
}

/// A request without its body, and what the server knows of it besides.
pub struct Head {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// Of the client, as far as proxies tell.
    pub address: IpAddr,
    pub exchange: Arc<Exchange>,
}

impl Head {
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// What follows the question mark; empty without one.
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or("")
    }

    /// Whether the answer may be one that was given before, and may be given again.
    pub fn is_repeatable(&self) -> bool {
        let has_body =
            self.headers.contains_key(CONTENT_LENGTH) || self.headers.contains_key(TRANSFER_ENCODING);
        self.is_safe() && !has_body
    }

    /// Bytes of the body, as far as the request says.
    pub fn body_bytes(&self) -> Option<u64> {
        self.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    pub fn is_safe(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

/// Counts a request by path, status and time.
pub type Count = Box<dyn Fn(&str, u16, Duration) + Send + Sync>;

/// What all connections share.
pub struct Requests<S> {
    /// Answers requests: bodies, with their [`Head`] as an extension.
    pub api: S,
    pub hosts: Hosts,
    pub config: ApiConfig,
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
        head: Arc<Head>,
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

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (all, exchange, begun) = (Arc::clone(&self.all), self.activity.begin(), Instant::now());
        let refused = self.refuse(&request).err();
        let (parts, body) = request.into_parts();
        let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
        let config = &all.config;
        let (trusted, written) = (&config.trusted_proxies, config.forwarded_header);
        let address = client_address(self.peer.ip(), &headers, trusted, written);
        let head = Arc::new(Head { method, uri, headers, address, exchange: Arc::clone(&exchange) });
        let api = refused.is_none().then(|| {
            let mut request = Request::new(body);
            request.extensions_mut().insert(Arc::clone(&head));
            all.api.clone().call(request)
        });
        Answering { api, refused, exchange: Some(exchange), all, head, begun, has_end: false }
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
        let mut response = match this.api.as_pin_mut() {
            None => reply::refusal(&this.refused.take().unwrap_or(ApiError::Overloaded)).into_response(),
            Some(api) => match catch_unwind(AssertUnwindSafe(|| api.poll(context))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Ok(response))) => response,
                Ok(Poll::Ready(Err(never))) => match never {},
                Err(_) => {
                    this.all.connections.count(Cut::Panic);
                    let (method, path) = (&this.head.method, this.head.path());
                    tracing::error!(%method, path, "a request failed: this program panicked");
                    reply::refusal(&ApiError::Internal(String::new())).into_response()
                }
            },
        };
        (this.all.count)(this.head.path(), response.status().as_u16(), this.begun.elapsed());
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
